# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the noderange language, as far as it goes by now.

    range   = term *( "," [ "-" ] term )         union; a leading "-" excludes, wherever it stands
    term    = name with any number of brackets, as r[1-2]u[01-20,25], or FIRST-LAST as n1-n10, or a group, or "all"

Exclusion does not depend on order: what is excluded once stays out. An unknown name, a descending range and an
empty result are errors that name the place. The rest of the language (intersection, regular expressions,
attributes) is refused by name, not guessed. Semantics: docs/reference/noderange.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

from .errors import ErrorCode, MetalError
from .names import natural

MAX_TERM = 100_000
"""No single term may name more nodes than this: a slip of the keyboard must not eat the memory."""

_BRACKET = re.compile(r"\[([^\[\]]*)\]")
_NUMBER_RANGE = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18})(?::([0-9]{1,18}))?)?")
_ENDS = re.compile(r"(?P<first>.*?[0-9]+[^0-9-]*)-(?P<last>[^-]*[0-9]+.*)")
_LAST_NUMBER = re.compile(r"(.*?)([0-9]+)([^0-9]*)")
_UNSUPPORTED = {
    "@": "intersection",
    "(": "parentheses",
    "/": "regular expressions",
    "=": "attribute tests",
    "~": "attribute tests",
}


class Names(Protocol):
    """What a noderange may ask about the nodes."""

    def known(self, names: Collection[str]) -> set[str]:
        """Those of ``names`` that are nodes."""

    def members(self, group: str) -> Collection[str] | None:
        """The nodes of a group; None if there is no such group."""

    def everyone(self) -> Sequence[str]:
        """All nodes, in natural order."""

    def having(self, attribute: str, test: Test) -> Collection[str]:
        """The nodes whose effective value of ``attribute`` (None: unset) passes."""

    def ordered(self, found: set[str]) -> list[str]:
        """``found`` in natural order."""


@dataclass(frozen=True, slots=True)
class Test:
    """What is asked of an attribute's value: ``operator`` is one of ==, !=, =~, !~."""

    operator: str
    value: str

    def passes(self, value: object) -> bool:
        """Whether an effective value passes; None (unset) passes != and !~ only."""
        negative = self.operator.startswith("!")
        return value is None and negative or (str(value) == self.value) is not negative


class Plain:
    """Names that lie in memory. ``values``: node to attribute to effective value."""

    def __init__(
        self,
        nodes: Iterable[str],
        groups: Mapping[str, Sequence[str]],
        values: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._order = {name: place for place, name in enumerate(sorted(set(nodes), key=natural))}
        self._groups = groups
        self._values = values

    def known(self, names: Collection[str]) -> set[str]:
        """Those of ``names`` that are nodes."""
        return set(names) & self._order.keys()

    def members(self, group: str) -> Collection[str] | None:
        """The nodes of a group; None if there is no such group."""
        return self._groups.get(group)

    def everyone(self) -> Sequence[str]:
        """All nodes, in natural order."""
        return list(self._order)

    def having(self, attribute: str, test: Test) -> Collection[str]:
        """The nodes whose effective value of ``attribute`` passes."""
        values = self._values or {}
        return [name for name in self._order if test.passes(values.get(name, {}).get(attribute))]

    def ordered(self, found: set[str]) -> list[str]:
        """``found`` in natural order."""
        return sorted(found, key=self._order.__getitem__)


def expand(expression: str, names: Names) -> list[str]:
    """Return the names of the nodes that ``expression`` means, each once, in natural order.

    Raises: MetalError ``invalid`` (grammar), ``unknown`` (name) or ``missing`` (nothing remains).
    """
    included: set[str] = set()
    excluded: set[str] = set()
    for term in _terms(expression):
        if term.startswith("-"):
            excluded.update(_term(term[1:].strip(), expression, names))
        else:
            included.update(_term(term, expression, names))
    found = included - excluded
    if not found:
        raise MetalError(ErrorCode.MISSING, f"noderange {expression!r} names no node")
    return names.ordered(found)


def _terms(expression: str) -> list[str]:
    for character, what in _UNSUPPORTED.items():
        if character in expression:
            position = expression.index(character) + 1
            raise MetalError(
                ErrorCode.INVALID,
                f"noderange {expression!r}: character {position}: {what} ({character!r}) are not supported yet",
            )
    terms = [term.strip() for term in re.split(r",(?![^\[]*\])", expression)]
    if not all(terms):
        raise MetalError(ErrorCode.INVALID, f"noderange {expression!r} is empty or has an empty part between commas")
    return terms


def _term(term: str, expression: str, names: Names) -> list[str]:
    if term == "all":
        return list(names.everyone())
    # A name that exists means itself, whatever else it looks like: a1-a2 may be one node.
    if names.known([term]) or names.members(term) is not None:
        wanted = [term]
    else:
        wanted = _names(term, expression)
    known = names.known(wanted)
    result: list[str] = []
    for name in wanted:
        if name in known:
            result.append(name)
            continue
        members = names.members(name)
        if members is None:
            raise MetalError(ErrorCode.UNKNOWN, f"noderange {expression!r}: there is no node or group named {name!r}")
        if not members:
            raise MetalError(ErrorCode.MISSING, f"noderange {expression!r}: group {name!r} has no nodes")
        result.extend(members)
    return result


def _names(term: str, expression: str) -> list[str]:
    if "[" in term or "]" in term:
        return _brackets(term, expression)
    ends = _ENDS.fullmatch(term)
    if ends:
        spread = _ends(ends["first"], ends["last"], expression)
        if spread is not None:
            return spread
    return [term]


def _ends(first: str, last: str, expression: str) -> list[str] | None:
    low, high = _LAST_NUMBER.fullmatch(first), _LAST_NUMBER.fullmatch(last)
    if low is None or high is None or low[1] != high[1] or low[3] != high[3]:
        return None  # a name with a dash in it, such as web1-db2
    return [f"{low[1]}{number}{low[3]}" for number in _numbers(f"{low[2]}-{high[2]}", expression)]


def _brackets(term: str, expression: str) -> list[str]:
    pieces = _BRACKET.split(term)
    if any("[" in piece or "]" in piece for piece in pieces):
        raise MetalError(ErrorCode.INVALID, f"noderange {expression!r}: the brackets of {term!r} do not match")
    choices: list[list[str]] = []
    for index, piece in enumerate(pieces):
        if index % 2:
            choices.append([number for part in piece.split(",") for number in _numbers(part.strip(), expression)])
        else:
            choices.append([piece])
    total = 1
    for choice in choices:
        total *= len(choice)
    _limit(total, expression)
    return ["".join(parts) for parts in product(*choices)]


def _numbers(part: str, expression: str) -> list[str]:
    match = _NUMBER_RANGE.fullmatch(part)
    if match is None:
        raise MetalError(
            ErrorCode.INVALID, f"noderange {expression!r}: {part!r} is not a number or a range such as 1-10"
        )
    first, last, step = match[1], match[2] or match[1], int(match[3] or 1)
    if int(last) < int(first):
        raise MetalError(
            ErrorCode.INVALID, f"noderange {expression!r}: {part!r} descends; write the smaller number first"
        )
    if step < 1:
        raise MetalError(ErrorCode.INVALID, f"noderange {expression!r}: {part!r} has a step of 0")
    width = _padding(first)
    if (width or _padding(last)) and len(first) != len(last):
        raise MetalError(
            ErrorCode.INVALID,
            f"noderange {expression!r}: {part!r} pads its first number to {len(first)} digits and its last to {len(last)}",
        )
    _limit((int(last) - int(first)) // step + 1, expression)
    return [f"{number:0{width}d}" for number in range(int(first), int(last) + 1, step)]


def _padding(number: str) -> int:
    """Return the width to which ``number`` is padded with zeros; 0 if it is not. A lone 0 is a number without padding."""
    return len(number) if number.startswith("0") and number != "0" else 0


def _limit(count: int, expression: str) -> None:
    if count > MAX_TERM:
        raise MetalError(
            ErrorCode.INVALID, f"noderange {expression!r}: one term names {count} nodes, more than {MAX_TERM}"
        )


def fold(names: Iterable[str]) -> str:
    """Return a short noderange for ``names``, such as ``r1n[01-20],spare``; empty names give an empty string.

    Only the last number of a name is folded, and only where its digits allow an exact way back.
    """
    runs: dict[tuple[str, str, int], list[int]] = {}
    plain: list[str] = []
    for name in sorted(set(names), key=natural):
        match = _LAST_NUMBER.fullmatch(name)
        if match is None:
            plain.append(name)
            continue
        runs.setdefault((match[1], match[3], _padding(match[2])), []).append(int(match[2]))
    terms = [_fold_run(*key, numbers) for key, numbers in _merge_padded(runs).items()]
    return ",".join(terms + plain)


def _merge_padded(runs: dict[tuple[str, str, int], list[int]]) -> dict[tuple[str, str, int], list[int]]:
    """Put n01..n09 and n10..n99 into one run: a number as wide as the padding needs no zero."""
    for prefix, suffix, width in sorted(runs, key=lambda key: key[2]):
        if not width:
            continue
        plain = runs.get((prefix, suffix, 0), [])
        fitting = [number for number in plain if len(str(number)) == width]
        rest = [number for number in plain if len(str(number)) != width]
        runs[(prefix, suffix, width)] = sorted(runs[(prefix, suffix, width)] + fitting)
        runs[(prefix, suffix, 0)] = rest
    return {key: numbers for key, numbers in runs.items() if numbers}


def _fold_run(prefix: str, suffix: str, width: int, numbers: list[int]) -> str:
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    text = [f"{low:0{width}d}" if low == high else f"{low:0{width}d}-{high:0{width}d}" for low, high in spans]
    if len(numbers) == 1:
        return f"{prefix}{text[0]}{suffix}"
    return f"{prefix}[{','.join(text)}]{suffix}"
