# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: xCAT's computed values, such as ``|node(\\d+)|10.0.0.($1+0)|``, turned into expressions.

xCAT hands such values to Perl. Here nothing is handed to anybody: a subset of Perl that is sure to mean one thing
(captures, whole-number arithmetic, sprintf of one number) is worked out, and a translation is accepted only if it
gives the same text for every node that has the value. All else, and all on which xCAT says nothing and gives
something odd, is refused with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..errors import MetalError
from ..expression import escape, parse
from ..libraries import lazy
from .perl_sum import Sum, Unclear, read_sum

if TYPE_CHECKING:
    import regex
else:
    regex = lazy("regex")

PATTERN_SECONDS = 0.5
"""How long one pattern may search in one name."""

_SLASHES = re.compile(r"/([^/]*)/([^/]*)/")
_BARS = re.compile(r"\|.*\|")
_DIGITS = re.compile(r"[0-9]+")
_EASY = re.compile(r"[\D0]*(\d+)", re.ASCII)
"""By which xCAT finds the numbers of a name: those that are 0 it takes for a part of what is in front of the next."""
_SAFE_PATTERN = re.compile(
    r"""(?: [A-Za-z0-9_.^$\- ,:;=@!%&~<>'"\#]
          | \\[dDwWsSAzZbB] | \\[^A-Za-z0-9]
          | \[ \^? (?: [^\[\]\\] | \\[dDwWsS] | \\[^A-Za-z0-9] )+ \]
          | \( (?:\?:)? | \) | \|
          | (?: [*+?] | \{[0-9]{1,3}(?:,[0-9]{0,3})?\} ) \?? (?![*+?{])
        )*""",
    re.VERBOSE,
)
"""Patterns that Perl and Python read alike (but for \\z)."""
_END = re.compile(r"(\\.)")


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a pattern matched in a name: the whole, and its captures (None: took no part)."""

    name: str
    whole: tuple[int, int]
    captures: tuple[tuple[int, int] | None, ...]

    def text(self, capture: int) -> str:
        """Return what the capture (the first is 1) took."""
        start, end = self.span(capture)
        return self.name[start:end]

    def span(self, capture: int) -> tuple[int, int]:
        """Return where the capture lies. Raises: Unclear."""
        found = self.captures[capture - 1] if 1 <= capture <= len(self.captures) else None
        if found is None:
            raise Unclear(f"there is no ${capture} for {self.name}")
        return found


@dataclass(frozen=True, slots=True)
class _Computed:
    """A value of xCAT's: ``pattern`` (None: made of the name's numbers) and what it puts in place of the match."""

    pattern: str | None
    pieces: tuple[str | Sum, ...]

    @property
    def has_sums(self) -> bool:
        """Whether there is anything in parentheses; without, xCAT takes it all literally, even $1."""
        return any(isinstance(piece, Sum) for piece in self.pieces)


def is_computed(raw: str) -> bool:
    """Whether xCAT takes the value ``raw`` for a regular expression."""
    return bool(_SLASHES.fullmatch(raw) or _BARS.fullmatch(raw))


@lru_cache(maxsize=1024)
def _read(raw: str) -> _Computed:
    slashes = _SLASHES.fullmatch(raw)
    if slashes:
        pattern, replacement = slashes[1], slashes[2]
        return _Computed(_safe(pattern), (_literal(replacement),))
    first, divider, second = raw[1:-1].partition("|")
    if not divider and not first:
        raise Unclear("it is empty")
    replacement = second if divider else first
    if "|" in replacement:
        raise Unclear("it has a | too many")
    pieces = _pieces(replacement)
    if len(pieces) == 1:
        _literal(replacement)
    return _Computed(_safe(first) if divider else None, pieces)


def _literal(replacement: str) -> str:
    if re.search(r"[$\\][0-9{]", replacement):
        raise Unclear(f"{replacement!r} has no parentheses, so that xCAT takes it literally, $ and all")
    return replacement


def _safe(pattern: str) -> str:
    if not pattern:
        raise Unclear("its pattern is empty, for which Perl takes the last one it used")
    if len(pattern) > 200 or not _SAFE_PATTERN.fullmatch(pattern):
        raise Unclear(f"its pattern {pattern!r} uses what is not known to mean the same outside of Perl")
    return _END.sub(lambda found: r"\Z" if found[1] == r"\z" else found[1], pattern)


def _pieces(replacement: str) -> tuple[str | Sum, ...]:
    """Split a replacement into literal text and what stands in outermost parentheses."""
    pieces: list[str | Sum] = []
    start = depth = 0
    for index, character in enumerate(replacement):
        if character == "(":
            if depth == 0:
                pieces.append(replacement[start:index])
                start = index
            depth += 1
        elif character == ")":
            depth -= 1
            if depth < 0:
                break
            if depth == 0:
                pieces.append(read_sum(replacement[start : index + 1]))
                start = index + 1
    if depth:
        raise Unclear("its parentheses do not match")
    pieces.append(replacement[start:])
    return tuple(pieces)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    try:
        return regex.compile(pattern, regex.ASCII | regex.VERSION0)
    except regex.error:
        raise Unclear(f"its pattern {pattern!r} is not a regular expression") from None


def _search(computed: _Computed, name: str) -> _Found:
    pattern = computed.pattern
    if pattern is None:  # xCAT makes it of the name: each number is a capture, without the zeros in front
        pattern = _EASY.pattern * len(_EASY.findall(name)) + ".*$"
    try:
        found = _compiled(pattern).search(name, timeout=PATTERN_SECONDS)
    except TimeoutError:
        raise Unclear(f"its pattern takes too long to search in {name}") from None
    if found is None:
        raise Unclear(f"its pattern does not match {name}, for which xCAT gives the name itself as the value")
    spans = [found.span(number) for number in range(1, len(found.groups()) + 1)]
    return _Found(name, found.span(), tuple(None if start < 0 else (start, end) for start, end in spans))


def _value(computed: _Computed, found: _Found) -> str:
    name, (start, end) = found.name, found.whole
    if computed.has_sums and (start, end) != (0, len(name)):
        raise Unclear(f"its pattern matches a part of {name} only, and xCAT would run the rest as Perl")
    texts = [piece if isinstance(piece, str) else str(piece.value(found.text)) for piece in computed.pieces]
    value = name[:start] + "".join(texts) + name[end:]
    if not value.strip():
        raise Unclear(f"it comes to nothing for {name}, so that xCAT asks the next group")
    return value


def translate(raw: str, names: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the expression that means what ``raw`` means in xCAT, and what that comes to for each node.

    ``names``: the nodes that have the value, by name in xCAT to the name here. Raises: Unclear.
    """
    computed = _read(raw)
    if not names:
        raise Unclear("no node has this value, so nothing can prove a translation")
    found = [_search(computed, name) for name in names]
    values = {one.name: _value(computed, one) for one in found}
    text = _Translation(computed, found).text()
    try:
        expression = parse(text)
        for name, here in names.items():
            got = str(expression.evaluate(here, _no_attribute))
            if got != values[name]:
                raise Unclear(f"xCAT makes {values[name]!r} of it for {name}, and {text!r} would make {got!r}")
    except MetalError as exc:
        raise Unclear(exc.message) from None
    return text, values


def _no_attribute(name: str) -> None:
    return None


class _Translation:
    """Writes the expression for a value, from where its pattern matched in all nodes."""

    def __init__(self, computed: _Computed, found: list[_Found]) -> None:
        self.computed = computed
        self.found = found

    def text(self) -> str:
        """Return the whole expression."""
        parts = [self.template(lambda found: (0, found.whole[0]))]
        for piece in self.computed.pieces:
            parts.append(escape(piece) if isinstance(piece, str) else self.sum(piece))
        parts.append(self.template(lambda found: (found.whole[1], len(found.name))))
        return "".join(parts)

    def sum(self, piece: Sum) -> str:
        """Return a pair of braces for what stands in parentheses, or text around numbers for a mere capture."""
        capture = piece.mere_capture
        if capture is not None:
            return self.template(lambda found: found.span(capture))
        return piece.written(self.number)

    def number(self, capture: int) -> str:
        """Return n1, n2, ... for a capture that is the same number of the name in all nodes."""
        which = {self._which(found, *found.span(capture)) for found in self.found}
        if len(which) != 1:
            raise Unclear(f"${capture} is not the same number in the names of all nodes")
        return f"n{which.pop() + 1}"

    @staticmethod
    def _which(found: _Found, start: int, end: int) -> int:
        for index, run in enumerate(_DIGITS.finditer(found.name)):
            if run.start() <= start and end == run.end() and not found.name[run.start() : start].strip("0"):
                return index
        raise Unclear(f"it calculates with {found.name[start:end]!r}, which is not a number in the name {found.name}")

    def template(self, span: Callable[[_Found], tuple[int, int]]) -> str:
        """Return what means the same part of each name: its words, and its numbers as n1, n2, ..."""
        places = [(found.name, *span(found)) for found in self.found]
        if all(end - start == len(name) for name, start, end in places):
            return "{node}"
        name, start, end = places[0]
        text, position = "", start
        for index, run in enumerate(_DIGITS.finditer(name)):
            if run.end() <= start or run.start() >= end:
                continue
            if run.end() > end or name[run.start() : max(start, run.start())].strip("0"):
                raise Unclear(f"it takes a part of a number in {name}")
            text += escape(name[position : run.start()]) + f"{{n{index + 1}{self._width(places, index)}}}"
            position = run.end()
        return text + escape(name[position:end])

    @staticmethod
    def _width(places: list[tuple[str, int, int]], index: int) -> str:
        """Return the format by which the number is as long as in the names, if they have zeros in front."""
        filled = set()
        for name, start, _end in places:
            runs = list(_DIGITS.finditer(name))
            digits = name[max(start, runs[index].start()) : runs[index].end()] if index < len(runs) else ""
            if len(digits) > 1 and digits.startswith("0"):
                filled.add(len(digits))
        if len(filled) > 1:
            raise Unclear("the numbers in the names are filled with zeros to different lengths")
        return f":0{filled.pop()}d" if filled else ""
