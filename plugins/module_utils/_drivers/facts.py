# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what a machine is made of, as any driver tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

PARTS = ("chassis", "board", "product")


@dataclass(frozen=True, slots=True)
class Chassis:
    """The enclosure. ``custom``: what the maker added, in his order; None: not told."""

    kind: str | None = None
    part_number: str | None = None
    serial: str | None = None
    custom: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """The main board. ``made``: when, ISO 8601 in UTC, to the minute."""

    manufacturer: str | None = None
    product: str | None = None
    serial: str | None = None
    part_number: str | None = None
    made: str | None = None
    custom: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """The machine as it is sold: its ``serial`` is the one on the label, ``asset_tag`` the owner's."""

    manufacturer: str | None = None
    name: str | None = None
    part_number: str | None = None
    version: str | None = None
    serial: str | None = None
    asset_tag: str | None = None
    custom: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Controller:
    """The BMC itself: its firmware, the numbers of its maker (IANA) and model, the protocol that it speaks."""

    firmware: str
    manufacturer_id: int
    product_id: int
    protocol: str
    firmware_build: str | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a machine says of itself. ``warnings``: what was wrong with the data, one sentence each."""

    controller: Controller
    uuid: str | None = None
    chassis: Chassis | None = None
    board: Board | None = None
    product: Product | None = None
    warnings: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """Which of PARTS could not be read, or not for sure: what is missing of them may be there."""

    @property
    def serial(self) -> str | None:
        """The machine's serial number: the product's, else the chassis's, else the board's."""
        parts = (self.product, self.chassis, self.board)
        return first(part.serial for part in parts if part is not None)

    def document(self) -> dict[str, Any]:
        """Return it in types that JSON knows, without what is about the reading: ``warnings`` and ``unread``."""
        document: dict[str, Any] = plain(asdict(self))
        del document["warnings"], document["unread"]
        return {**document, "serial": self.serial}


def completed(document: Mapping[str, Any], last: Mapping[str, Any], unread: Iterable[str]) -> dict[str, Any]:
    """Return a document with what the ``last`` one says of parts that are ``unread``, where ``document`` says nothing."""
    whole = dict(document)
    for name in unread:
        if last.get(name):
            told = {key: value for key, value in (document[name] or {}).items() if value not in (None, [])}
            whole[name] = {**last[name], **told}
    return {**whole, "serial": first(whole[name]["serial"] for name in ("product", "chassis", "board") if whole[name])}


def first(values: Iterable[str | None]) -> str | None:
    """Return the first that says something."""
    return next((value for value in values if value), None)


def plain(value: Any) -> Any:
    """Return ``value`` with lists in place of tuples, so that it equals what comes back from JSON."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value
