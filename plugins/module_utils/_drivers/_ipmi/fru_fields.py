# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what stands in a FRU inventory area: chassis, board, product.

Standard: Platform Management FRU Information Storage Definition v1.0 revision 1.3, chapters 8 and 10 to 13. Areas of
real machines are often wrong (checksums above all), so that nothing here raises: what can be read is read, and what
is wrong becomes a warning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ..._nodes.libraries import lazy
from ..facts import PARTS, Board, Chassis, Product
from . import text

_fru = lazy("pyghmi.ipmi.fru")

UNIT = 8
"""Offsets and lengths count in units of so many bytes."""
_END = 0xC1
_ENGLISH = (0, 25)
_EPOCH = datetime(1996, 1, 1, tzinfo=UTC)
_NO_DATE = (0, 0xFFFFFF)
_LONGEST = 255 * UNIT


class Place(NamedTuple):
    """Where the header says an area begins, in bytes."""

    name: str
    start: int


@dataclass(frozen=True, slots=True)
class FruData:
    """What a FRU device holds."""

    chassis: Chassis | None = None
    board: Board | None = None
    product: Product | None = None
    warnings: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """Areas that could not be read, or not for sure."""


def places(image: bytes | bytearray) -> tuple[list[Place], list[str]]:
    """Return where the areas begin by the common header (chapter 8), and what is wrong with it."""
    header = image[:UNIT]
    if len(header) < UNIT or not any(header) or set(header) == {0xFF}:
        return [], ["the FRU device holds nothing"]
    right = sum(header) % 256 == 0
    if header[0] & 0x0F != 1 and not right:
        return [], ["the FRU device holds something else than FRU data"]
    found = [
        Place(name, header[at] * UNIT) for name, at in (("chassis", 2), ("board", 3), ("product", 4)) if header[at]
    ]
    return found, [] if right else ["the checksum of the FRU header is wrong"]


def length(image: bytes | bytearray, start: int) -> int:
    """Return how long the area at ``start`` is by its second byte; 0 stands for its being unreadable."""
    return image[start + 1] * UNIT if start + 1 < len(image) else 0


class _Fields:
    """The fields of an area, one after the other."""

    def __init__(self, area: bytes, at: int, language: int) -> None:
        self._area = area
        self._at = at
        self._wide = language not in _ENGLISH
        self.ended = False

    def next(self, *, english: bool = False) -> str | None:
        """Return the next field, None if it is empty or there is no more.

        Serial numbers and file names are English in every language (tables 11-1 and 12-1).
        """
        if self.ended or self._at >= len(self._area) or self._area[self._at] == _END:
            self.ended = self.ended or self._at < len(self._area)
            return None
        kind, size = self._area[self._at] >> 6, self._area[self._at] & 0x3F
        data = self._area[self._at + 1 : self._at + 1 + size]
        self._at += 1 + size
        decode = text.wide if kind == text.EIGHT_BIT and self._wide and not english else _DECODERS[kind]
        return text.clean(decode(data)) or None

    def rest(self) -> tuple[str, ...]:
        """Return the custom fields that say something, up to the end mark."""
        found = []
        while not self.ended and self._at < len(self._area):
            field = self.next()
            if field is not None:
                found.append(field)
        return tuple(found)


_DECODERS: dict[int, Callable[[bytes], str]] = {
    text.BINARY: bytes.hex,
    text.BCD_PLUS: text.bcd_plus,
    text.SIX_BIT: text.six_bit,
    text.EIGHT_BIT: text.eight_bit,
}


def _chassis(area: bytes) -> tuple[Chassis, _Fields]:
    fields = _Fields(area, 3, _ENGLISH[0])
    kind = _fru.enclosure_types.get(area[2] & 0x7F) if len(area) > 2 and area[2] else None
    return Chassis(kind, fields.next(), fields.next(english=True), fields.rest()), fields


def _board(area: bytes) -> tuple[Board, _Fields]:
    fields = _Fields(area, 6, area[2] if len(area) > 2 else 0)
    maker, product, serial, part = fields.next(), fields.next(), fields.next(english=True), fields.next()
    fields.next(english=True)  # the file that the area was written from
    return Board(maker, product, serial, part, _date(area[3:6]), fields.rest()), fields


def _product(area: bytes) -> tuple[Product, _Fields]:
    fields = _Fields(area, 3, area[2] if len(area) > 2 else 0)
    maker, name, part, version = fields.next(), fields.next(), fields.next(), fields.next()
    serial, asset = fields.next(english=True), fields.next()
    fields.next(english=True)
    return Product(maker, name, part, version, serial, asset, fields.rest()), fields


def _date(data: bytes) -> str | None:
    """Minutes since 1996, three bytes; 0 is "unspecified", and FFFFFFh was never written."""
    minutes = int.from_bytes(data, "little")
    if len(data) < 3 or minutes in _NO_DATE:
        return None
    return (_EPOCH + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%MZ")


_AREAS: dict[str, Callable[[bytes], tuple[Chassis | Board | Product, _Fields]]] = {
    "chassis": _chassis,
    "board": _board,
    "product": _product,
}


def _area(image: bytes, place: Place, starts: list[int]) -> tuple[bytes, list[str]]:
    """Return the bytes of an area that are there, without its checksum, and what is wrong with it."""
    size = length(image, place.start)
    wrong = []
    if place.start >= len(image):
        return b"", [f"the {place.name} area of the FRU would begin behind the end of the device"]
    if size == 0:
        wrong.append(f"the {place.name} area of the FRU has no length")
        size = min([start - place.start for start in starts if start > place.start], default=_LONGEST)
    area = image[place.start : place.start + size]
    if len(area) < size and not wrong:
        return area, [f"the {place.name} area of the FRU is longer than the device"]
    if not wrong and sum(area) % 256:
        wrong.append(f"the checksum of the {place.name} area of the FRU is wrong")
    return area[:-1], wrong


def decode(image: bytes) -> FruData:
    """Return what ``image``, a FRU device from its first byte on, says. Never raises for what stands in it."""
    found, warnings = places(image)
    starts = [place.start for place in found]
    parts: dict[str, Any] = {}
    unread = set(PARTS if warnings else ())  # without a header nobody knows which areas there are
    for place in found:
        area, wrong = _area(image, place, starts)
        warnings += wrong
        if wrong:
            unread.add(place.name)
        if not area:
            continue
        part, fields = _AREAS[place.name](area)
        if not fields.ended and not wrong:
            warnings.append(f"the {place.name} area of the FRU has no end mark")
            unread.add(place.name)
        if part != type(part)():
            parts[place.name] = part
    return FruData(**parts, warnings=tuple(warnings), unread=tuple(name for name in PARTS if name in unread))
