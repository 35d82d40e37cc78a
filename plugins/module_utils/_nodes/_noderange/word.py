# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: one word of a noderange that stands for many names: brackets, and first-last.

``r[1-2]n[01-20,25]``: every combination. ``r1n01-r2n20``: the same for the numbers in which the two names differ.
"""

from __future__ import annotations

import re
from itertools import product

from ..errors import ErrorCode, MetalError
from .source import Source, shown

MAX_NAMES = 1_000_000
"""No noderange may spell out more names than this: a slip of the keyboard must not eat the memory."""
MAX_DIGITS = 64
"""A number in a name has fewer: a name's part between dots has 63 characters."""

_BRACKET = re.compile(r"\[([^\[\]]*)\]")
_PART = re.compile(r"\s*([0-9]+)(?:-([0-9]+)(?::([0-9]+))?)?\s*")
_NUMBER = re.compile(r"([0-9]+)")


class Word:
    """A word of a noderange that is neither ``all`` nor an attribute; ``at``: where it stands in ``source``."""

    __slots__ = ("at", "source", "text")

    def __init__(self, source: Source, at: int, text: str) -> None:
        self.source = source
        self.at = at
        self.text = text

    def fault(self, code: ErrorCode, sentence: str) -> MetalError:
        """Return an error about the whole word."""
        alone = len(self.text) == len(self.source.text.strip())
        return self.source.fault(code, None if alone else self.at, sentence)

    @property
    def ends(self) -> list[str] | None:
        """The pieces of FIRST-LAST, texts and bounds in turn, as in ["n", "1-10", ""]; None if it is no such thing.

        The two sides are alike but for their numbers, so the dash between them is the one in the middle.
        """
        dashes = [place for place, character in enumerate(self.text) if character == "-"]
        if len(dashes) % 2 == 0:
            return None
        middle = dashes[len(dashes) // 2]
        first, last = _NUMBER.split(self.text[:middle]), _NUMBER.split(self.text[middle + 1 :])
        if len(first) < 2 or first[::2] != last[::2]:
            return None
        # A number that is the same on both sides is one number, not a range.
        return [
            low if place % 2 == 0 or low == high else f"{low}-{high}"
            for place, (low, high) in enumerate(zip(first, last, strict=True))
        ]

    def spread(self, room: int) -> list[str]:
        """Return the names that it spells out; itself, if it is one plain name.

        ``room``: how many there may be. Raises: MetalError ``invalid``.
        """
        if "[" in self.text:
            pieces = _BRACKET.split(self.text)
            within = True
        else:
            pieces = self.ends or [self.text]
            within = False
        choices: list[list[str]] = []
        total, at = 1, self.at
        for place, piece in enumerate(pieces):
            if place % 2:
                choices.append(self._numbers(piece, at + 1 if within else self.at, room))
                total *= len(choices[-1])
                self._limit(total, room)
                at += len(piece) + 2
            else:
                choices.append([piece])
                at += len(piece)
        return ["".join(parts) for parts in product(*choices)]

    def _numbers(self, text: str, at: int, room: int) -> list[str]:
        """Return the numbers of ``1-10,15``, which begins at index ``at``."""
        found: list[str] = []
        for part in text.split(","):
            found += self._range(part, at, room - len(found))
            at += len(part) + 1
        return found

    def _range(self, part: str, at: int, room: int) -> list[str]:
        match = _PART.fullmatch(part)
        if match is None:
            raise self._invalid(at, f"{shown(part)} is not a number or a range such as 1-10 or 1-10:2")
        at += len(part) - len(part.lstrip())
        first, last, step = match[1], match[2] or match[1], match[3] or "1"
        if max(len(first), len(last), len(step)) > MAX_DIGITS:
            raise self._invalid(at, f"a number of more than {MAX_DIGITS} digits is in no name")
        low, high, by = int(first), int(last), int(step)
        text = part.strip()
        if high < low:
            raise self._invalid(at, f"{shown(text)} descends; write the smaller number first")
        if by < 1:
            raise self._invalid(at, f"{shown(text)} has a step of 0")
        width = padding(first)
        if (width or padding(last)) and len(first) != len(last):
            raise self._invalid(
                at, f"{shown(text)} has {len(first)} and {len(last)} digits; pad both numbers alike, as in 01-02"
            )
        self._limit((high - low) // by + 1, room)
        return [f"{number:0{width}d}" for number in range(low, high + 1, by)]

    def _limit(self, count: int, room: int) -> None:
        if count > room:
            raise self._invalid(self.at, f"more than {MAX_NAMES} names are spelled out")

    def _invalid(self, at: int, sentence: str) -> MetalError:
        return self.source.fault(ErrorCode.INVALID, at, sentence)


def padding(number: str) -> int:
    """Return the width to which ``number`` is padded with zeros; 0 if it is not. A lone 0 is a number without padding."""
    return len(number) if number.startswith("0") and number != "0" else 0
