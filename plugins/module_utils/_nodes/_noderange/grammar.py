# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the grammar of noderanges, and what each form means. docs/reference/noderange.md has it as EBNF.

A text is read once, from left to right; nothing is asked of the nodes until all of it is understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from ..errors import ErrorCode, MetalError
from ..schema import attribute
from .match import BadPattern, Pattern, Test, as_text
from .source import Source, shown
from .word import MAX_NAMES, Word

MAX_DEPTH = 100
"""How deep parentheses may be nested."""
MAX_TESTS = 100
"""How many regular expressions and attribute tests there may be: each looks at all nodes."""
MAX_VALUE = 1000
"""The most characters of an attribute's name or value."""
MAX_WORK = 50_000_000
"""How many nodes all parts together may name, counting those that several parts name."""

_BLANK = re.compile(r"\s*+")
_WORD = re.compile(r"(?=[\w\[])(?:[\w.-]++|\[[^\[\]]*+\])++")
_OPERATOR = re.compile(r"\s*+(==|!=|=~|!~)\s*+")
_SLASHED = re.compile(r"/((?:[^/\\]|\\.)*+)/", re.DOTALL)
_VALUE = re.compile(r"""'((?:[^']|'')*+)'|"((?:[^"]|"")*+)"|([^\s,@()'"]++)""")

_QUOTES = {1: "'", 2: '"'}
"""Group of _VALUE to the quote around it; twice, it stands for itself."""

Made = TypeVar("Made")

_WILDCARD = "there are no wildcards; write a regular expression, as in /n1.*/"
_BRACKETS = "brackets hold numbers and are closed, as in n[1-10,15]"
_PARENTHESES = "parentheses come in pairs"
_TESTS = "attributes are tested with ==, !=, =~ and !~, as in location.rack==r1"
_HINTS = {
    "*": _WILDCARD,
    "?": _WILDCARD,
    "[": _BRACKETS,
    "]": _BRACKETS,
    "(": "a value with parentheses needs quotes",
    ")": _PARENTHESES,
    "=": _TESTS,
    "!": _TESTS,
    "~": _TESTS,
    "<": _TESTS,
    ">": _TESTS,
    "/": "a regular expression ends with a slash, as in /n1.*/",
    "-": "an exclusion begins a part, as in rack1,-n1",
    ":": "a range is written n1-n10, one with a step n[1-10:2]",
    "+": "a range is written n1-n10",
    "^": "there is no operator that reads files",
    "|": "a union is written with a comma",
    "&": "an intersection is written with @",
    "'": "a value in quotes ends with the quote that it began with",
    '"': "a value in quotes ends with the quote that it began with",
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
        """The nodes whose effective value of ``attribute`` (None: not set) passes. A TimeoutError of the test's passes through."""

    def ordered(self, found: set[str]) -> list[str]:
        """``found`` in natural order."""


@dataclass(slots=True)
class Asked:
    """What a noderange asks about: its ``words``, and how many regular expressions and ``tests`` it has."""

    words: list[Word] = field(default_factory=list)
    tests: int = 0


class World:
    """The nodes, as one noderange sees them. All its words are looked up at once: a list may have thousands."""

    def __init__(self, names: Names, words: Sequence[Word]) -> None:
        self.names = names
        self._work = MAX_WORK
        self._spreads: dict[str, list[str]] = {}
        plain = {word.text for word in words}
        self._known = names.known(plain)
        room = MAX_NAMES
        for word in words:
            # A name that exists means itself, whatever else it looks like: a1-a2 may be one node.
            if word.text not in self._known and word.text not in self._spreads:
                group = word.ends is not None and names.members(word.text) is not None
                self._spreads[word.text] = [word.text] if group else word.spread(room)
                room -= len(self._spreads[word.text])
        spelled = {name for spread in self._spreads.values() for name in spread}
        self._known |= names.known(spelled - plain)

    def nodes(self, word: Word) -> set[str]:
        """Return the nodes that a word names. Raises: MetalError ``unknown``, ``missing`` or ``invalid``."""
        if word.text in self._known:
            return {word.text}
        spread = self._spreads[word.text]
        found = self._known.intersection(spread)
        if len(found) < len(spread):
            found.update(*(self._members(word, name) for name in spread if name not in self._known))
        self.spend(word.source, word.at, len(found))
        return found

    def _members(self, word: Word, name: str) -> Collection[str]:
        members = self.names.members(name)
        if members is None:
            raise word.fault(ErrorCode.UNKNOWN, f"there is no node or group named {shown(name)}")
        if not members:
            raise word.fault(ErrorCode.MISSING, f"group {shown(name)} has no nodes")
        return members

    def spend(self, source: Source, at: int, count: int) -> None:
        """Count work, so that text of a megabyte ends. Raises: MetalError ``invalid``."""
        self._work -= count
        if self._work < 0:
            raise source.fault(ErrorCode.INVALID, at, f"the same nodes are named more than {MAX_WORK} times")


Part = Callable[[World], set[str]]
"""A part of a noderange, read: asks the world and returns nodes."""


class Listed:
    """``a,b,-c``: what ``plus`` names without what ``minus`` names, in whatever order they were written."""

    def __init__(self) -> None:
        self.plus: list[Part] = []
        self.minus: list[Part] = []

    def __call__(self, world: World) -> set[str]:
        found: set[str] = set()
        for part in self.plus:
            found |= part(world)
        for part in self.minus:
            found -= part(world)
        return found


class Parser:
    """Reads one text into ``into``, and tells what is ``asked`` in it. Raises: MetalError ``invalid`` or ``unknown``."""

    def __init__(self, source: Source, into: Listed, asked: Asked) -> None:
        self._source = source
        self._text = source.text
        self._asked = asked
        self._at = 0
        self._depth = 0
        if not self._text.strip():
            why = (
                "the item is empty; is there a comma too many?"
                if source.item
                else "it is empty; write all for every node"
            )
            raise source.fault(ErrorCode.INVALID, None, why)
        self._list(into)
        if self._at < len(self._text):
            raise self._expected("',' or '@'")

    def _list(self, into: Listed) -> None:
        while True:
            self._blank()
            side = into.minus if self._take("-") else into.plus
            side.append(self._intersection())
            if not self._take(","):
                return

    def _intersection(self) -> Part:
        parts = [self._operand()]
        while self._take("@"):
            parts.append(self._operand())
        return parts[0] if len(parts) == 1 else lambda world: set.intersection(*(part(world) for part in parts))

    def _operand(self) -> Part:
        self._blank()
        part = {"(": self._parenthesis, "/": self._names}.get(self._text[self._at : self._at + 1], self._word)()
        self._blank()
        return part

    def _parenthesis(self) -> Part:
        opened, self._at, self._depth = self._at, self._at + 1, self._depth + 1
        if self._depth > MAX_DEPTH:
            raise self._fault(opened, f"parentheses may be nested {MAX_DEPTH} deep")
        inner = Listed()
        self._list(inner)
        if not self._take(")"):
            raise (
                self._expected("',', '@' or ')'")
                if self._at < len(self._text)
                else self._fault(opened, f"this '(' is not closed; {_PARENTHESES}")
            )
        if not inner.plus:
            raise self._fault(opened, "these parentheses only exclude; say from what, as in (all,-n1)")
        self._depth -= 1
        return inner

    def _names(self) -> Part:
        """A regular expression on the names of nodes."""
        at = self._at
        pattern = self._checked(at + 1, Pattern, self._slashed())

        def nodes(world: World) -> set[str]:
            everyone = world.names.everyone()
            world.spend(self._source, at, len(everyone))
            return {name for name in everyone if pattern.matches(name)}

        return self._timed(at, nodes)

    def _word(self) -> Part:
        match = _WORD.match(self._text, self._at)
        if match is None:
            raise self._expected("a name, a group, '(' or '/'")
        at, self._at = self._at, match.end()
        operator = _OPERATOR.match(self._text, self._at)
        if operator:
            self._at = operator.end()
            return self._test(at, match[0], operator[1])
        if match[0] == "all":
            return lambda world: self._everyone(world, at)
        word = Word(self._source, at, match[0])
        self._asked.words.append(word)
        return lambda world: world.nodes(word)

    def _everyone(self, world: World, at: int) -> set[str]:
        found = set(world.names.everyone())
        world.spend(self._source, at, len(found))
        return found

    def _test(self, at: int, name: str, operator: str) -> Part:
        """A test of an attribute's value; ``at``: where the attribute's name stands."""
        if len(name) > MAX_VALUE:
            raise self._fault(at, f"{shown(name)} is not an attribute")
        try:
            asked = attribute(name)
        except MetalError as exc:
            raise self._source.fault(exc.code, at, exc.message) from None
        if asked.secret:
            raise self._fault(at, f"{name} is a secret, and no noderange may ask for one")
        place, value = self._value(operator)
        if operator in ("==", "!="):
            try:
                value = as_text(asked.check_value(value))
            except MetalError as exc:
                raise self._fault(place, exc.message) from None
        test = self._checked(place, lambda text: Test(operator, text), value)
        return self._timed(at, lambda world: set(world.names.having(name, test)))

    def _value(self, operator: str) -> tuple[int, str]:
        """Return where the value begins, behind its quote, and the value."""
        at = self._at
        if operator.endswith("~") and self._text.startswith("/", at):
            return at + 1, self._slashed()
        match = _VALUE.match(self._text, self._at)
        if match is None:
            raise self._expected("a value; one with blanks, commas, '@' or parentheses stands in quotes")
        value = match[match.lastindex or 0]
        if not value:
            raise self._fault(self._at, "no attribute is empty text; the nodes without a value are ATTRIBUTE!~.*")
        self._at = match.end()
        if len(value) > MAX_VALUE:
            raise self._fault(at, f"a value may have {MAX_VALUE} characters")
        quote = _QUOTES.get(match.lastindex or 0, "")
        return at + len(quote), value.replace(quote * 2, quote) if quote else value

    def _slashed(self) -> str:
        match = _SLASHED.match(self._text, self._at)
        if match is None:
            raise self._fault(self._at, _HINTS["/"])
        if not match[1]:
            raise self._fault(self._at, "this regular expression is empty")
        self._at = match.end()
        return match[1]

    def _checked(self, at: int, make: Callable[[str], Made], text: str) -> Made:
        self._asked.tests += 1
        if self._asked.tests > MAX_TESTS:
            raise self._fault(at, f"there are more than {MAX_TESTS} regular expressions and tests")
        try:
            return make(text)
        except BadPattern as exc:
            raise self._fault(at + exc.offset, exc.sentence) from None

    def _timed(self, at: int, part: Part) -> Part:
        def nodes(world: World) -> set[str]:
            try:
                return part(world)
            except TimeoutError as exc:
                raise self._fault(at, str(exc)) from None

        return nodes

    def _blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _take(self, character: str) -> bool:
        taken = self._text.startswith(character, self._at)
        self._at += taken
        return taken

    def _fault(self, at: int, sentence: str) -> MetalError:
        return self._source.fault(ErrorCode.INVALID, at, sentence)

    def _expected(self, what: str) -> MetalError:
        if self._at >= len(self._text):
            return self._fault(self._at, f"expected {what}, but the noderange ends")
        found = self._text[self._at]
        hint = _HINTS.get(found, "")
        if not hint and self._text[self._at - 1 : self._at].isspace() and "','" in what:
            hint = "blanks do not separate nodes"
        return self._fault(self._at, f"expected {what}, not {found!r}{'; ' if hint else ''}{hint}")
