# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: scripts for the BMC's own network.

Standard: IPMI v2.0 revision 1.1, chapter 23 (LAN), table 23-4, and section 22.24 (Get Channel Info).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ..._nodes.errors import ErrorCode, MetalError
from ..base import Attempt
from ..managing import AddressSource, BmcNetwork
from .script import APP, TRANSPORT, Refused, Script, ask

_WRITE, _GET = 0x01, 0x02
_CHANNEL_INFO = 0x42
_THIS_CHANNEL = 0x0E
_LAN_MEDIA = frozenset({0x04, 0x06})
"""802.3 and other LAN (table 6-3)."""
_IN_PROGRESS, _ADDRESS, _SOURCE, _MAC, _NETMASK, _GATEWAY, _VLAN = 0, 3, 4, 5, 6, 12, 20
_SOURCES = {1: AddressSource.STATIC, 2: AddressSource.DHCP}
_NUMBERS = {source: number for number, source in _SOURCES.items()}
_VLAN_ON = 0x8000


def channel() -> Script[int]:
    """Return the number of the LAN channel that we came by; 1, which most BMCs have, if it cannot be told."""
    try:
        data = yield from ask(APP, _CHANNEL_INFO, bytes((_THIS_CHANNEL,)), least=2)
    except Refused:
        return 1
    number = data[0] & 0x0F
    return number if data[1] & 0x7F in _LAN_MEDIA and 1 <= number <= 11 else 1


def _parameter(number: int, which: int, least: int) -> Script[bytes]:
    data = yield from ask(TRANSPORT, _GET, bytes((number, which, 0, 0)), least=1 + least)
    return data[1:]


def network() -> Script[BmcNetwork]:
    """Get LAN Configuration Parameters (23.2)."""
    number = yield from channel()
    source = (yield from _parameter(number, _SOURCE, 1))[0] & 0x0F
    mac = yield from _parameter(number, _MAC, 6)
    try:
        vlan = int.from_bytes((yield from _parameter(number, _VLAN, 2))[:2], "little")
    except Refused:
        vlan = 0  # an optional parameter
    return BmcNetwork(
        source=_SOURCES.get(source, AddressSource.OTHER),
        address=_text((yield from _parameter(number, _ADDRESS, 4))),
        netmask=_text((yield from _parameter(number, _NETMASK, 4))),
        gateway=_text((yield from _parameter(number, _GATEWAY, 4))),
        vlan=vlan & 0x0FFF if vlan & _VLAN_ON else 0,
        mac=":".join(f"{byte:02x}" for byte in mac[:6]),
    )


def _text(raw: bytes) -> str:
    return str(ipaddress.IPv4Address(raw[:4]))


_ORDERS: dict[AddressSource | None, tuple[str, ...]] = {
    AddressSource.STATIC: ("source", "netmask", "gateway", "vlan", "address"),
    AddressSource.DHCP: ("vlan", "source"),
    None: ("netmask", "gateway", "vlan"),
}
"""In which order parameters are set, by the source that is wanted.

Under DHCP many BMCs refuse to have address, netmask and gateway written (82h), so that on the way to a fixed address
the source is the first. What may take the BMC elsewhere is the last: the address, or DHCP, behind the VLAN in which it
asks for one.
"""


def set_network(wish: BmcNetwork, attempt: Attempt[BmcNetwork]) -> Script[None]:
    """Set what ``wish`` names (23.1); from the last of it on the BMC may answer elsewhere.

    ``attempt`` says what was sent of it. Whatever is refused, the BMC is not left with a set in progress: it would
    refuse the next one. Raises: MetalError.
    """
    number = yield from channel()
    yield from _mark(number, 1)
    try:
        for name in _ORDERS[wish.source]:
            if getattr(wish, name) is not None:
                yield from _set(number, name, wish, attempt)
    except MetalError:
        with suppress(MetalError):
            yield from _mark(number, 0)
        raise
    yield from _mark(number, 0)


def _set(number: int, name: str, wish: BmcNetwork, attempt: Attempt[BmcNetwork]) -> Script[None]:
    """Set one parameter, and say so in ``attempt``."""
    value, earlier = getattr(wish, name), attempt.sent
    which, packed = _PARAMETERS[name]
    attempt.sent = replace(earlier or BmcNetwork(), **{name: value})
    try:
        yield from _put(number, which, packed(value))
    except MetalError as exc:
        if not (isinstance(exc, Refused) and exc.unsure):
            attempt.sent = earlier
        raise


def _packed(address: str) -> bytes:
    return ipaddress.IPv4Address(address).packed


def _packed_vlan(vlan: int) -> bytes:
    return (vlan | (_VLAN_ON if vlan else 0)).to_bytes(2, "little")


_PARAMETERS: dict[str, tuple[int, Callable[[Any], bytes]]] = {
    "source": (_SOURCE, lambda source: bytes((_NUMBERS[source],))),
    "address": (_ADDRESS, _packed),
    "netmask": (_NETMASK, _packed),
    "gateway": (_GATEWAY, _packed),
    "vlan": (_VLAN, _packed_vlan),
}
"""Name in a wish to number and bytes of the parameter."""


def _put(number: int, which: int, value: bytes) -> Script[None]:
    try:
        yield from ask(TRANSPORT, _WRITE, bytes((number, which)) + value)
    except Refused as exc:
        if exc.completion == 0x82:
            raise MetalError(ErrorCode.UNSUPPORTED, f"the BMC's LAN parameter {which} can only be read") from exc
        if exc.completion == 0x81:
            raise MetalError(ErrorCode.BUSY, "somebody else is setting up the BMC's network") from exc
        raise


def _mark(number: int, state: int) -> Script[None]:
    """Tell the BMC that settings belong together (parameter 0); one that lacks it takes each by itself."""
    try:
        yield from ask(TRANSPORT, _WRITE, bytes((number, _IN_PROGRESS, state)))
    except Refused as exc:
        if exc.completion == 0x81:
            raise MetalError(ErrorCode.BUSY, "somebody else is setting up the BMC's network") from exc
        if exc.code is ErrorCode.PRIVILEGE:
            raise
