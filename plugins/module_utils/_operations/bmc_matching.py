# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: which node of the database a BMC that was found may be."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from .._drivers.facts import Inventory
from .._nodes.values import JUNK_UUIDS
from .._nodes.view import View

JUNK_SERIALS = frozenset(
    {
        "0",
        "0123456789",
        "123456789",
        "1234567890",
        "default string",
        "n/a",
        "na",
        "none",
        "not available",
        "not specified",
        "system serial number",
        "to be filled by o.e.m.",
        "unknown",
    }
)
"""What machines have whose maker gave them none."""
JUNK_MACS = frozenset({"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"})

Place = tuple[str, int]
"""Address, in the form of inet_ntop, and port."""


def canonical(address: str) -> str | None:
    """Return an IP address in the form in which sockets tell it; None for a host name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            return socket.inet_ntop(family, socket.inet_pton(family, address))
    return None


class Known:
    """What the node database knows: where its nodes' BMCs are, and by what they can be told."""

    def __init__(self, views: Iterable[View]) -> None:
        self.places: dict[Place, View] = {}
        self.named: dict[Place, View] = {}
        """Those whose bmc.address is a host name."""
        self._by: dict[tuple[str, str], dict[str, None]] = {}
        for view in views:
            self._add(view)

    def _add(self, view: View) -> None:
        address, port = view["bmc.address"], view["bmc.port"]
        if address and port:
            found = canonical(address)
            places = self.named if found is None else self.places
            places[found or address, port] = view
        told = {"uuid": view["system.uuid"], "serial": spelt(view["system.serial"]), "mac": view["bmc.mac"]}
        for kind, value in told.items():
            if value:
                self._by.setdefault((kind, value), {})[view.name] = None

    def resolve(self, found: Mapping[str, Collection[str]]) -> None:
        """Take the addresses that host names have."""
        for (name, port), view in self.named.items():
            for address in found.get(name, ()):
                self.places.setdefault((canonical(address) or address, port), view)

    def candidates(self, told: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
        """Return the nodes that have one of ``told`` (kind and value), those first that have most of it."""
        found: dict[str, list[str]] = {}
        for kind, value in told:
            for name in self._by.get((kind, value), ()):
                by = found.setdefault(name, [])
                if kind not in by:
                    by.append(kind)
        ordered = sorted(found.items(), key=lambda one: -len(one[1]))
        return [{"node": name, "by": by} for name, by in ordered]


def spelt(serial: str | None) -> str:
    """Return a serial number as it is compared; empty for what is none."""
    text = " ".join((serial or "").casefold().split())
    return "" if text in JUNK_SERIALS else text


def tells(uuid_: str | None, inventory: Inventory | None, mac: str | None) -> Iterator[tuple[str, str]]:
    """Yield, as kind and value, all by which a BMC tells which machine it is."""
    for text in uuid_orders(uuid_):
        yield "uuid", text
    if inventory is not None:
        for part in (inventory.product, inventory.chassis, inventory.board):
            serial = spelt(part.serial) if part is not None else ""
            if serial:
                yield "serial", serial
    if mac and mac not in JUNK_MACS:
        yield "mac", mac


def uuid_orders(text: str | None) -> list[str]:
    """Return a UUID in the orders of bytes that BMCs send: as SMBIOS has it, as RFC 4122 has it, and backwards (IPMI)."""
    if not text:
        return []
    raw = uuid.UUID(text).bytes_le
    orders = (uuid.UUID(text), uuid.UUID(bytes=raw), uuid.UUID(bytes=raw[::-1]))
    return [] if any(str(one) in JUNK_UUIDS for one in orders) else [str(one) for one in orders]
