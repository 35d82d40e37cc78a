# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: text in FRU areas and sensor records: what a type/length byte introduces.

Standards: Platform Management FRU Information Storage Definition v1.0 revision 1.3, chapter 13; IPMI v2.0, 43.15.
"""

from __future__ import annotations

import unicodedata

BINARY, BCD_PLUS, SIX_BIT, EIGHT_BIT = range(4)
"""Bits 7:6 of a type/length byte."""

_BCD_PLUS = "0123456789 -.:,_"
_FILLERS = b"\x00\xff"
"""What programmers leave behind the end of a text; as Latin-1 the second would be a letter."""


def printable(text: str) -> str:
    """Return ``text`` without control characters (Unicode class C), every kind of blank or line end being a blank."""
    kinds = ((letter, unicodedata.category(letter)[0]) for letter in text)
    return "".join(" " if kind == "Z" else letter for letter, kind in kinds if kind != "C")


def clean(text: str) -> str:
    """Return what is printable of ``text``, without blanks at its ends."""
    return printable(text).strip()


def bcd_plus(data: bytes) -> str:
    """Two characters a byte, the high half first."""
    return "".join(_BCD_PLUS[byte >> 4] + _BCD_PLUS[byte & 0x0F] for byte in data)


def six_bit(data: bytes) -> str:
    """Four characters in three bytes, least significant bits first; from 20h (space) to 5Fh."""
    bits = int.from_bytes(data, "little")
    return "".join(chr(0x20 + (bits >> shift & 0x3F)) for shift in range(0, len(data) * 8 // 6 * 6, 6))


def eight_bit(data: bytes) -> str:
    """ASCII with Latin-1."""
    return data.rstrip(_FILLERS).decode("latin-1")


def wide(data: bytes) -> str:
    """UTF-16, least significant byte first; what has an odd length is none, and is taken for Latin-1."""
    if len(data) % 2:
        return eight_bit(data)
    return data.decode("utf-16-le", errors="replace")
