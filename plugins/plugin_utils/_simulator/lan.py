# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the LAN configuration parameters of a simulated BMC.

Standard: IPMI v2.0 revision 1.1, table 23-4, and its IPv6 parameters (IPMI 2.0 addendum E7). A change is remembered
and shown; the simulator goes on answering at the address of its socket.
"""

from __future__ import annotations

import ipaddress
import uuid
from dataclasses import dataclass

from .bmc_data import BmcIdentity
from .cipher import SUITES

SET_IN_PROGRESS = 0
_IPV4, _SOURCE, _MAC, _MASK, _GATEWAY = 3, 4, 5, 6, 12
_IPV6_ENABLES, _IPV6_STATUS, _IPV6_STATIC, _IPV6_DYNAMIC = 51, 55, 56, 59
_STATIC_SOURCE = 1
_NETMASK = ipaddress.IPv4Address("255.0.0.0").packed
_DESTINATIONS = 1
_IPV6_STATICS = 2
_ENABLED = 0x80
_DUIDS = (58, 61)
_BLOCK = 16
_SELECTED = frozenset({16, 17, 18, 19, 23, _IPV6_STATIC, *_DUIDS, _IPV6_DYNAMIC})
"""Parameters whose values are chosen by a set selector, which is their first byte when written."""


class NotOffered(Exception):
    """There is no such parameter, or no such set of it."""


class ReadOnly(Exception):
    """The parameter cannot be written."""


class InProgress(Exception):
    """Another client writes, or says so."""


@dataclass(frozen=True)
class Parameter:
    """Its length in bytes, whether it can be written, its value at first."""

    value: bytes
    writable: bool = True


_FIXED = {
    SET_IN_PROGRESS: Parameter(bytes(1)),
    1: Parameter(b"\x00", writable=False),
    2: Parameter(bytes(5)),
    _SOURCE: Parameter(bytes((_STATIC_SOURCE,))),
    _MASK: Parameter(_NETMASK),
    7: Parameter(bytes((0x40, 0x40, 0x10))),
    8: Parameter((623).to_bytes(2, "little")),
    10: Parameter(b"\x02"),
    11: Parameter(b"\x03"),
    _GATEWAY: Parameter(bytes(4)),
    13: Parameter(bytes(6)),
    14: Parameter(bytes(4)),
    15: Parameter(bytes(6)),
    16: Parameter(b"public".ljust(18, b"\0")),
    17: Parameter(bytes((_DESTINATIONS,)), writable=False),
    20: Parameter(bytes(2)),
    21: Parameter(b"\x00"),
    26: Parameter(bytes(6)),
    50: Parameter(b"\x07", writable=False),
    52: Parameter(b"\x00"),
    53: Parameter(b"\x40"),
    54: Parameter(bytes(3)),
    _IPV6_STATUS: Parameter(bytes((_IPV6_STATICS, 1, 3)), writable=False),
    57: Parameter(b"\x02", writable=False),
    60: Parameter(b"\x02", writable=False),
    62: Parameter(bytes(1), writable=False),
    64: Parameter(b"\x01"),
    65: Parameter(bytes(16)),
    66: Parameter(bytes(6)),
    67: Parameter(b"\x00"),
    68: Parameter(bytes(16)),
    69: Parameter(bytes(16)),
    70: Parameter(bytes(6)),
    71: Parameter(b"\x00"),
    72: Parameter(bytes(16)),
    73: Parameter(b"\x00", writable=False),
}
"""What is the same at first for every BMC."""


def _first_values(identity: BmcIdentity, suites: tuple[int, ...]) -> dict[tuple[int, int], Parameter]:
    address = ipaddress.ip_address(identity.address)
    four = address if isinstance(address, ipaddress.IPv4Address) else ipaddress.IPv4Address(0)
    text = identity.address if isinstance(address, ipaddress.IPv6Address) else identity.address6
    six = b"" if text is None else ipaddress.ip_address(text).packed
    found = {
        **_FIXED,
        _IPV4: Parameter(four.packed),
        _MAC: Parameter(bytes.fromhex(identity.mac.replace(":", "")), writable=False),
        22: Parameter(bytes((len(suites),)), writable=False),
        23: Parameter(bytes(1) + bytes(suites).ljust(16, b"\0"), writable=False),
        24: Parameter(bytes((0, *_levels(len(suites))))),
        _IPV6_ENABLES: Parameter(b"\x02" if six else b"\x00"),
    }
    values = {(number, 0): parameter for number, parameter in found.items()}
    for number in range(_IPV6_STATICS):
        first = number == 0 and bool(six)
        place = six + bytes((128, 0)) if first else bytes(16) + bytes((64, 2))
        values[(_IPV6_STATIC, number)] = Parameter(bytes((number, _ENABLED if first else 0)) + place)
    values.update({(number, 0): Parameter(_duid(identity.system), writable=False) for number in _DUIDS})
    link_local = ipaddress.IPv6Address("fe80::").packed[:8] + _eui64(identity.mac)
    values[(_IPV6_DYNAMIC, 0)] = Parameter(bytes((0, 1)) + link_local + bytes((64, 0)), writable=False)
    return values


def _levels(count: int) -> list[int]:
    """Return the bytes that say "administrator" for each of ``count`` cipher suites, two in a byte."""
    nibbles = [4] * count + [0] * (16 - count)
    return [low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True)]


def _duid(system: uuid.UUID) -> bytes:
    """Return a DHCP unique identifier of type 4 (RFC 6355) behind its length, in whole blocks."""
    return (bytes((18, 0, 4)) + system.bytes).ljust(2 * _BLOCK, b"\0")


def _eui64(mac: str) -> bytes:
    raw = bytes.fromhex(mac.replace(":", ""))
    return bytes((raw[0] ^ 2,)) + raw[1:3] + b"\xff\xfe" + raw[3:]


class Lan:
    """The parameters of channel 1."""

    def __init__(self, identity: BmcIdentity, suites: tuple[int, ...]) -> None:
        known = tuple(number for number in suites if number in SUITES)
        self._values = _first_values(identity, known)

    def get(self, number: int, selector: int = 0, block: int = 0) -> bytes:
        """Return a parameter. Raises NotOffered, and IndexError for a block behind its end."""
        parameter = self._values.get((number, selector if number in _SELECTED else 0))
        if parameter is None:
            raise NotOffered
        if number not in _DUIDS:
            return parameter.value
        part = parameter.value[block * _BLOCK : (block + 1) * _BLOCK]
        if not part:
            raise IndexError(f"LAN parameter {number} has no block {block}")
        return bytes((selector, block)) + part

    def set(self, number: int, data: bytes) -> None:
        """Change a parameter. Raises NotOffered, ReadOnly, InProgress, ValueError (too short)."""
        key = (number, data[0] & 0x7F if number in _SELECTED and data else 0)
        known = self._values.get(key)
        if known is None:
            raise NotOffered
        if not known.writable:
            raise ReadOnly
        if len(data) < len(known.value):
            raise ValueError(f"LAN parameter {number} has {len(known.value)} bytes")
        if number == SET_IN_PROGRESS:
            self._progress(data[0] & 3)
            return
        self._values[key] = Parameter(data[: len(known.value)])

    def _progress(self, state: int) -> None:
        if state == 1 and self._values[(SET_IN_PROGRESS, 0)].value[0] & 3 == 1:
            raise InProgress
        # "commit" is done at once and leads back to "complete"
        self._values[(SET_IN_PROGRESS, 0)] = Parameter(bytes((1 if state == 1 else 0,)))
