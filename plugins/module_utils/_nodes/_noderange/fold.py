# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: folding names into a short noderange, in all their numbers: ``r[01-40]n[001-100]``.

Names with the same text between their numbers make a table; what differs in the last number only goes into one
bracket, then rows with the same bracket are folded in the numbers before. What comes out is not always the
shortest that there is, but it expands to exactly the names that went in, each once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from ..errors import ErrorCode, MetalError
from ..names import natural
from .word import padding

_NUMBER = re.compile(r"([0-9]+)")
_WRITABLE = re.compile(r"\w[\w.-]*")

Numbers = tuple[str, ...]
"""The numbers of a name, as they are written."""


def fold(names: Iterable[str]) -> str:
    """Return a short noderange for the nodes ``names``, such as ``r1n[01-20],spare``; no names give an empty string.

    Raises: MetalError ``invalid`` for a name that no noderange can spell.
    """
    tables: dict[Numbers, list[Numbers]] = {}
    for name in set(names):
        pieces = _NUMBER.split(name)
        tables.setdefault(tuple(pieces[::2]), []).append(tuple(pieces[1::2]))
    terms: list[tuple[str, str]] = []
    for texts, rows in tables.items():
        _check(_join(texts, rows[0]))
        for box in _boxes(rows):
            first = _join(texts, [_first(choice) for choice in box])
            text = (
                first if all(len(choice) == 1 for choice in box) else _join(texts, [_bracket(choice) for choice in box])
            )
            terms.append((natural(first), text))
    return ",".join([text for _key, text in sorted(terms)])


def _check(name: str) -> None:
    if name == "all" or not _WRITABLE.fullmatch(name):
        raise MetalError(
            ErrorCode.INVALID, f"{name!r} cannot stand in a noderange: a name has letters, digits, '-', '_' and '.'"
        )


def _join(texts: Numbers, numbers: Sequence[str]) -> str:
    pieces = list(texts + texts[1:])
    pieces[::2], pieces[1::2] = texts, numbers
    return "".join(pieces)


def _boxes(rows: Sequence[Numbers]) -> list[list[Collection[str]]]:
    """Return tables of choices whose combinations are exactly ``rows``, each row in one of them."""
    if len(rows) == 1:
        return [[(number,) for number in rows[0]]]
    lines: dict[Numbers, list[str]] = {}
    for row in rows:
        lines.setdefault(row[:-1], []).append(row[-1])
    alike: dict[frozenset[str], list[Numbers]] = {}
    for head, last in lines.items():
        alike.setdefault(frozenset(last), []).append(head)
    return [[*box, choice] for choice, heads in alike.items() for box in _boxes(heads)]


def _first(choice: Collection[str]) -> str:
    return min(choice, key=natural) if len(choice) > 1 else next(iter(choice))


def _bracket(choice: Collection[str]) -> str:
    """Return the bracket for numbers as they are written, such as ``[08-12,20]``; a lone number stands without."""
    if len(choice) == 1:
        return next(iter(choice))
    padded = {padding(number) for number in choice}
    runs: dict[int, list[int]] = {}
    for number in choice:
        # A number as wide as others are padded needs no zero: 08, 09 and 10 are one run.
        width = len(number) if number != "0" and len(number) in padded else 0
        runs.setdefault(width, []).append(int(number))
    parts = sorted(part for width, numbers in runs.items() for part in _runs(sorted(numbers), width))
    return f"[{','.join([text for _low, text in parts])}]"


def _runs(numbers: list[int], width: int) -> Iterable[tuple[int, str]]:
    """Yield the runs of ascending ``numbers``, as in 1-3 and 7, each after its first number."""
    low = high = numbers[0]
    for number in [*numbers[1:], -1]:
        if number == high + 1:
            high = number
            continue
        yield low, f"{low:0{width}d}" if low == high else f"{low:0{width}d}-{high:0{width}d}"
        low = high = number
