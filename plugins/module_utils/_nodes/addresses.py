# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the addresses that subnets, ranges and single addresses mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .errors import ErrorCode, MetalError
from .libraries import lazy

if TYPE_CHECKING:
    import netaddr
else:
    netaddr = lazy("netaddr")

FORMS = "a subnet as in 10.2.0.0/16, a range as in 10.2.0.1-10.2.3.254, an address"


def addresses(wanted: Sequence[str], most: int) -> list[str]:
    """Return the addresses of hosts in ``wanted``: each once, in order, IPv4 first; IPv6 in its shortest form.

    A subnet's own address and its broadcast address are left out where it has them.
    Raises: MetalError ``invalid`` for what is none, and for more than ``most`` addresses in all.
    """
    spans = sorted({span for text in wanted for span in _spans(text.strip())})
    total = sum(last - first + 1 for _version, first, last in spans)
    if total > most:
        raise MetalError(
            ErrorCode.INVALID,
            f"networks: {', '.join(wanted)} means {total} addresses, more than max_addresses {most}; is the prefix right?",
        )
    found: dict[tuple[int, int], None] = {}
    for version, first, last in spans:
        found.update(dict.fromkeys((version, number) for number in range(first, last + 1)))
    if not found:
        raise MetalError(ErrorCode.INVALID, "networks: the list is empty; name a subnet, a range or an address")
    return [str(netaddr.IPAddress(number, 4 if version == 4 else 6)) for version, number in sorted(found)]


def _spans(text: str) -> list[tuple[int, int, int]]:
    """Return version, first and last address; none for an empty text."""
    if not text:
        return []
    try:
        if "/" in text:
            return [_subnet(text)]
        ends = [_address(part.strip()) for part in text.split("-")]
    except (netaddr.AddrFormatError, ValueError, TypeError) as exc:
        cause = str(exc) if isinstance(exc, _NotOne) else f"is none of these: {FORMS}"
        raise MetalError(ErrorCode.INVALID, f"networks: {text!r} {cause}") from None
    if len(ends) > 2 or ends[0].version != ends[-1].version:
        raise MetalError(ErrorCode.INVALID, f"networks: {text!r} is none of these: {FORMS}")
    if ends[0] > ends[-1]:
        raise MetalError(ErrorCode.INVALID, f"networks: {text!r} descends; write {ends[1]}-{ends[0]}")
    return [(ends[0].version, int(ends[0]), int(ends[-1]))]


class _NotOne(ValueError):
    """What is wrong is said already."""


def _address(text: str) -> netaddr.IPAddress:
    return netaddr.IPAddress(text, flags=netaddr.INET_PTON)


def _subnet(text: str) -> tuple[int, int, int]:
    place, _slash, prefix = text.partition("/")
    address = _address(place)
    if not prefix.isdecimal() or int(prefix) > (32 if address.version == 4 else 128):
        raise ValueError
    network = netaddr.IPNetwork(text)
    if network.ip != network.network:
        raise _NotOne(f"has host bits set; the subnet is {network.cidr}")
    first, last = int(network.first), int(network.last)
    if network.version == 4 and network.prefixlen < 31:  # RFC 3021: in a subnet of two, each is a host's
        first, last = first + 1, last - 1
    elif network.version == 6 and network.prefixlen < 127:  # the anycast address of its routers
        first += 1
    return network.version, first, last
