# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: writing FRU inventory areas, in every spelling that real ones have.

Standard: Platform Management FRU Information Storage Definition v1.0 revision 1.3; multirecord area: chapter 16.
"""

from __future__ import annotations

import struct

from .wire import checksum

ENGLISH = 25
FRENCH = 14
"""A language that is not English makes fields of type 3 UTF-16 (chapter 15)."""
CHASSIS_RACK_MOUNT = 0x17
CHASSIS_BLADE = 0x1C
_UNIT = 8
_VERSION = 1
_END = 0xC1
_BCD_PLUS = "0123456789 -."
_LAST_RECORD = 0x80
_RECORD_FORMAT = 2


def plain(text: str) -> bytes:
    """Return a field of 8-bit characters. A single character has no spelling (C1h ends the fields): a blank is added."""
    data = text.ljust(2 if len(text) == 1 else 0).encode("latin-1")
    return bytes((0xC0 | len(data),)) + data


def unicode_text(text: str) -> bytes:
    """Return a field of UTF-16, least significant byte first, as areas in another language than English have."""
    data = text.encode("utf-16-le")
    return bytes((0xC0 | len(data),)) + data


def six_bit(text: str) -> bytes:
    """Return a field of packed 6-bit characters (20h to 5Fh), the first one in the lowest bits."""
    packed = sum((ord(letter) - 0x20 & 0x3F) << 6 * place for place, letter in enumerate(text))
    length = (6 * len(text) + 7) // 8
    return bytes((0x80 | length,)) + packed.to_bytes(length, "little")


def bcd_plus(text: str) -> bytes:
    """Return a field of two characters a byte out of digits, blank, dash and full stop."""
    digits = [_BCD_PLUS.index(letter) for letter in text + " " * (len(text) % 2)]
    data = bytes(high << 4 | low for high, low in zip(digits[::2], digits[1::2], strict=True))
    return bytes((0x40 | len(data),)) + data


def binary(data: bytes) -> bytes:
    """Return a field of bytes without a meaning."""
    return bytes((len(data),)) + data


def chassis(kind: int, *fields: bytes) -> bytes:
    """Return a chassis area: its type, then part number, serial number and custom fields."""
    return _area(bytes((_VERSION, 0, kind)), fields)


def board(minutes: int, *fields: bytes, language: int = ENGLISH) -> bytes:
    """Return a board area: made ``minutes`` after 1996; maker, name, serial, part number, file, custom fields."""
    return _area(bytes((_VERSION, 0, language)) + minutes.to_bytes(3, "little"), fields)


def product(*fields: bytes, language: int = ENGLISH) -> bytes:
    """Return a product area: maker, name, part number, version, serial, asset tag, file, custom fields."""
    return _area(bytes((_VERSION, 0, language)), fields)


def internal_use(data: bytes) -> bytes:
    """Return an internal use area: a version, and what only its maker understands."""
    return (bytes((_VERSION,)) + data).ljust(-(-(len(data) + 1) // _UNIT) * _UNIT, b"\0")


def records(*found: tuple[int, bytes]) -> bytes:
    """Return a multirecord area of pairs of record type and data."""
    area = bytearray()
    for place, (kind, data) in enumerate(found):
        last = _LAST_RECORD if place == len(found) - 1 else 0
        head = bytes((kind, last | _RECORD_FORMAT, len(data), checksum(data)))
        area += head + bytes((checksum(head),)) + data
    return bytes(area).ljust(-(-len(area) // _UNIT) * _UNIT, b"\0")


def power_supply(watts: int) -> tuple[int, bytes]:
    """Return a multirecord of type power supply (section 18.1) of so many watts, 100 to 240 volts."""
    # rated and peak VA; inrush; two ranges of 10 mV; Hz; drop-out; flags; peak watts for seconds; combined; tachometer
    numbers = (watts, watts + 50, 40, 5, 10000, 12700, 20000, 24000, 50, 60, 10, 0, watts, 0, 0, 0)
    data = struct.pack("<HHBBHHHHBBBBHBHB", *numbers)
    return 0x00, data


def image(
    *, internal: bytes = b"", in_chassis: bytes = b"", on_board: bytes = b"", of_product: bytes = b"", more: bytes = b""
) -> bytes:
    """Return a whole inventory: the common header and the areas that are not empty."""
    header, body = bytearray((_VERSION,)), b""
    for area in (internal, in_chassis, on_board, of_product, more):
        header.append((_UNIT + len(body)) // _UNIT if area else 0)
        body += area
    header.append(0)
    return bytes(header) + bytes((checksum(bytes(header)),)) + body


def _area(head: bytes, fields: tuple[bytes, ...]) -> bytes:
    area = bytearray(head + b"".join(fields))
    area.append(_END)
    area += bytes(-(len(area) + 1) % _UNIT)
    area[1] = (len(area) + 1) // _UNIT
    area.append(checksum(bytes(area)))
    return bytes(area)
