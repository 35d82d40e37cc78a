# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: dynamic ranges, from which DHCP serves anybody: no node may have its fixed address there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .errors import ErrorCode, MetalError
from .libraries import lazy
from .tables import tables

if TYPE_CHECKING:
    import netaddr
    import sqlalchemy as sa
else:
    netaddr = lazy("netaddr")
    sa = lazy("sqlalchemy")

Range = tuple[str, "netaddr.IPRange"]
"""The name of a network and its dynamic range."""


def dynamic_ranges(connection: sa.Connection) -> list[Range]:
    """Return the dynamic ranges of all networks."""
    t = tables().networks
    rows = connection.execute(sa.select(t.c.name, t.c.document))
    return list(ranges(dict[str, Any](map(tuple, rows))))


def check_addresses(ranges: Iterable[Range], addresses: Iterable[tuple[str, str]]) -> None:
    """Raise MetalError ``conflict`` if one of ``addresses`` (node, address) lies in a dynamic range."""
    bounds = [(name, one.version, one.first, one.last, one) for name, one in ranges]
    for node, text in addresses if bounds else ():
        address = netaddr.IPAddress(text)
        for name, version, first, last, one in bounds:
            if address.version == version and first <= int(address) <= last:
                raise MetalError(
                    ErrorCode.CONFLICT,
                    f"net.ip {address} lies in the dynamic range {one} of network {name}, whose addresses DHCP gives to anybody",
                    node=node,
                )


def ranges(networks: Mapping[str, Mapping[str, Any]]) -> Iterator[Range]:
    """Yield the dynamic ranges of ``networks``, by name what each has."""
    for name, document in networks.items():
        if document.get("dynamic_range"):
            yield name, netaddr.IPRange(*document["dynamic_range"].split("-"))
