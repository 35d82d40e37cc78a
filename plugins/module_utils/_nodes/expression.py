# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: expressions in attribute values, such as ``10.1.{n1 // 250}.{n1 % 250 + 1}``.

    text    = { literal | "{{" | "}}" | "{" sum [ ":" format ] "}" }
    sum     = product { ("+" | "-") product }
    product = sign { ("*" | "//" | "%") sign }
    sign    = { "-" } ( number | name | "(" sum ")" )
    name    = "node" | "n0" | "n1" | "n2" | ... | an attribute, as in location.rack
    format  = [ "0" ] [ width ] [ "d" | "x" | "X" ]

A text is parsed once, by the grammar above and nothing else, into functions that only add, multiply and look up:
there is no way from here to Python. All of it is bounded: the text, the operators, the numbers and the widths.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from .errors import ErrorCode, MetalError
from .values import CHECKS

LONGEST = 1000
"""Characters that an expression may have."""
LARGEST = 10**18
"""No number may be beyond this, nor below its negative."""
WIDEST = 64
"""Characters to which a format may fill up."""
MOST = 50
"""Operators and parentheses that one pair of braces may hold: each is a step down for what reads and evaluates it."""

Lookup = Callable[[str], Any]
_Term = Callable[["Scope"], Any]
"""A part of an expression: for a node, its value."""

_DOUBLED = re.compile(r"\{\{|\}\}")
_BRACES = re.compile(r"[{}]")
_TOKEN = re.compile(r"[ \t]*(?:(?P<number>[0-9]+)|(?P<name>[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*)|(?P<sign>//|\*\*|.))")
_NUMBERED = re.compile(r"n(0|[1-9][0-9]?)")
_FORMAT = re.compile(r"(?P<zero>0?)(?P<width>[1-9][0-9]{0,9})?[dxX]?")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DIGITS = re.compile(r"[0-9]+")

_HINTS = {
    "/": "write // for whole numbers",
    "**": "there are no powers",
    "[": "there are no parts of texts",
    "'": "a text stands outside of the braces",
    '"': "a text stands outside of the braces",
    "!": "there are no conversions",
    ".": "numbers are whole, and names begin with a letter",
    "{": "write {{ for a brace, and close each { with }",
}
"""What to say of a character that people try."""
_AFTER_NAME = {"(": "there are no functions", "[": _HINTS["["]}


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression is evaluated for: a node's name and how to get its attributes."""

    node: str
    value: Lookup


@dataclass(frozen=True, slots=True)
class Expression:
    """A text that was parsed: ``names`` are the attributes that it refers to."""

    text: str
    names: frozenset[str]
    _parts: tuple[_Term, ...]

    def evaluate(self, node: str, value: Lookup) -> str | int:
        """Return the value for ``node``, where ``value`` gives an attribute's effective value (None if it is unset).

        A number if the text is one pair of braces that hold a sum, else text.

        Raises: MetalError ``missing`` for a number that the name lacks or an attribute that is unset, ``invalid`` for
        arithmetic that cannot be done. The sentence names the expression; the caller adds node and attribute. What
        ``value`` raises goes through as it is if it names a node.
        """
        scope = Scope(node, value)
        try:
            if len(self._parts) == 1:
                result: str | int = self._parts[0](scope)
                return result
            text = "".join([_shown(part(scope)) for part in self._parts])
            if len(text) > LONGEST:  # attributes that double each other would fill the memory
                raise MetalError(ErrorCode.INVALID, f"makes text of {len(text)} characters; {LONGEST} is the most")
            return text
        except MetalError as exc:
            if exc.node is not None:  # it is about the value of another attribute
                raise
            raise MetalError(exc.code, f"{self.text!r} {exc.message}") from None


def is_expression(value: object) -> bool:
    """Whether ``value`` is text with a brace in it."""
    return isinstance(value, str) and ("{" in value or "}" in value)


def escape(text: str) -> str:
    """Return the expression whose value is ``text``, whatever that holds."""
    return text.replace("{", "{{").replace("}", "}}")


@lru_cache(maxsize=1024)
def numbers(name: str) -> tuple[int, ...]:
    """Return the numbers in a node's name, in order: r01n003 has 1 and 3."""
    return tuple([int(digits) for digits in _DIGITS.findall(name)])


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Return the expression that ``text`` is.

    Whether its ``names`` are attributes, and may be shown, the schema knows.
    Raises: MetalError ``invalid`` that points at the character (the first is 1) and says what would be right.
    """
    if len(text) > LONGEST and is_expression(
        _DOUBLED.sub("", text)
    ):  # text has no limit, nor has text with braces in it
        raise MetalError(ErrorCode.INVALID, f"an expression of {len(text)} characters; {LONGEST} is the most")
    try:
        CHECKS["text"](text)
    except ValueError as exc:
        raise MetalError(ErrorCode.INVALID, f"{text!r} {exc}") from None
    names: set[str] = set()
    parts: list[_Term] = []
    literal, position = "", 0
    while found := _BRACES.search(text, position):
        start = found.start()
        literal += text[position:start]
        brace = text[start]
        if text[start : start + 2] == brace * 2:
            literal += brace
            position = start + 2
            continue
        if brace == "}":
            _refuse(text, start, "there is no { before it; write }} for a brace")
        if literal:
            parts.append(_constant(literal))
            literal = ""
        term, position = _Parser(text, start + 1, names).braces()
        parts.append(term)
    literal += text[position:]
    if literal or not parts:
        parts.append(_constant(literal))
    return Expression(text, frozenset(names), tuple(parts))


def _refuse(text: str, index: int, why: str) -> NoReturn:
    seen = f"({text[index]!r})" if index < len(text) else "(the end)"
    raise MetalError(ErrorCode.INVALID, f"{text!r} cannot be read at character {index + 1} {seen}: {why}")


class _Parser:
    """Reads what stands between one pair of braces of ``text``, from ``position`` on; adds to ``names``."""

    def __init__(self, text: str, position: int, names: set[str]) -> None:
        self.text = text
        self.names = names
        self.end = position
        self.steps = 0
        self.advance()

    def advance(self) -> None:
        """Go to the next token."""
        found = _TOKEN.match(self.text, self.end)
        if found is None:
            self.kind, self.token, self.start = "end", "", len(self.text)
        else:
            self.kind = str(found.lastgroup)
            self.token = found[self.kind]
            self.start, self.end = found.span(self.kind)

    def step(self) -> None:
        """Go past an operator or parenthesis."""
        self.steps += 1
        if self.steps > MOST:
            self.refuse(f"there are more than {MOST} operators and parentheses")
        self.advance()

    def refuse(self, why: str) -> NoReturn:
        """Raise the sentence that points at the token."""
        if self.kind == "end":
            why = "a { is not closed; write {{ for a brace"
        _refuse(self.text, self.start, why)

    def braces(self) -> tuple[_Term, int]:
        """Return what the braces mean and where the text goes on."""
        if self.token == "}":
            self.refuse("there is nothing between { and }")
        term = self.sum()
        if self.token == ":":
            return self.formatted(term)
        if self.token != "}":
            self.refuse(_HINTS.get(self.token, "here + - * // % : or } is right"))
        return term, self.end

    def formatted(self, term: _Term) -> tuple[_Term, int]:
        """Return ``term`` with the format that follows, and where the text goes on."""
        first = self.end
        last = self.text.find("}", first)
        if last < 0:
            _refuse(self.text, len(self.text), "a { is not closed; write {{ for a brace")
        spec = self.text[first:last]
        found = _FORMAT.fullmatch(spec)
        if not spec or found is None:
            _refuse(
                self.text, first, "a format is 02d, 4, x or alike: width, with 0 in front to fill with zeros, d or x"
            )
        if int(found["width"] or 0) > WIDEST:
            _refuse(self.text, first, f"a format may fill up to {WIDEST} characters")
        return _format(term, spec), last + 1

    def sum(self) -> _Term:
        """sum = product { ("+" | "-") product }"""
        return self.chain(self.product, ("+", "-"))

    def product(self) -> _Term:
        """product = sign { ("*" | "//" | "%") sign }"""
        return self.chain(self.sign, ("*", "//", "%"))

    def chain(self, operand: Callable[[], _Term], operators: tuple[str, ...]) -> _Term:
        """Return operands that operators of one rank join, from left to right."""
        term = operand()
        while self.kind == "sign" and self.token in operators:
            operator = self.token
            self.step()
            term = _OPERATORS[operator](_number(term), _number(operand()))
        return term

    def sign(self) -> _Term:
        """sign = { "-" } ( number | name | "(" sum ")" )"""
        if self.token not in ("-", "("):
            return self.atom()
        opened = self.token
        self.step()
        return _negative(_number(self.sign())) if opened == "-" else self.closed()

    def closed(self) -> _Term:
        """Return the sum up to the closing parenthesis."""
        term = self.sum()
        if self.token != ")":
            self.refuse(_HINTS.get(self.token, "here an operator or ) is right"))
        self.advance()
        return term

    def atom(self) -> _Term:
        """Return a number, the name of the node, a number in it, or an attribute."""
        if self.kind == "number":
            if len(self.token) > 18:
                self.refuse("the number is too large")
            term = _constant(int(self.token))
        elif self.kind == "name":
            term = self.name()
        else:
            self.refuse(_HINTS.get(self.token, "here a number, a name, - or ( is right"))
        self.advance()
        return term

    def name(self) -> _Term:
        """Return what the name means; the token stays."""
        name = self.token
        if self.text[self.end : self.end + 1] in _AFTER_NAME:
            _refuse(self.text, self.end, _AFTER_NAME[self.text[self.end]])
        if name == "node":
            return _node
        numbered = _NUMBERED.fullmatch(name)
        if numbered:
            return _nth(int(numbered[1]))
        if "." not in name:
            self.refuse("a name is node, n0, n1, n2, ... or an attribute such as location.rack")
        self.names.add(name)
        return _attribute(name)


def _shown(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _bounded(number: int) -> int:
    if -LARGEST <= number <= LARGEST:
        return number
    raise MetalError(ErrorCode.INVALID, "comes to a number beyond 18 digits")


def _constant(value: str | int) -> _Term:
    return lambda scope: value


def _node(scope: Scope) -> str:
    return scope.node


def _nth(which: int) -> _Term:
    """The number ``which`` in the node's name, 0 for the last."""

    def term(scope: Scope) -> int:
        found = numbers(scope.node)
        if len(found) < (which or 1):
            raise MetalError(
                ErrorCode.MISSING, f"needs n{which}, but the name {scope.node} has {_how_many(len(found))}"
            )
        return _bounded(found[which - 1])

    return term


def _how_many(count: int) -> str:
    return {0: "no number", 1: "one number only"}.get(count, f"{count} numbers only")


def _attribute(name: str) -> _Term:
    def term(scope: Scope) -> Any:
        value = scope.value(name)
        if value is None:
            raise MetalError(ErrorCode.MISSING, f"needs {name}, which is not set")
        if isinstance(value, (str, int)):
            return value
        raise MetalError(ErrorCode.INVALID, f"needs {name}, which is a list and fits in no text")

    return term


def _number(term: _Term) -> _Term:
    """``term`` as a whole number: text of digits counts as one, since a site's own attributes are all text."""

    def number(scope: Scope) -> int:
        value = term(scope)
        if value.__class__ is int:
            return value
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            return int(value)
        raise MetalError(ErrorCode.INVALID, f"calculates with {value!r}, which is not a whole number")

    return number


def _negative(term: _Term) -> _Term:
    return lambda scope: -term(scope)


def _divided(left: int, right: int) -> int:
    if right == 0:
        raise MetalError(ErrorCode.INVALID, "divides by zero")
    return left // right


def _remainder(left: int, right: int) -> int:
    if right == 0:
        raise MetalError(ErrorCode.INVALID, "divides by zero")
    return left % right


_OPERATORS: dict[str, Callable[[_Term, _Term], _Term]] = {
    "+": lambda left, right: lambda scope: _bounded(left(scope) + right(scope)),
    "-": lambda left, right: lambda scope: _bounded(left(scope) - right(scope)),
    "*": lambda left, right: lambda scope: _bounded(left(scope) * right(scope)),
    "//": lambda left, right: lambda scope: _divided(left(scope), right(scope)),
    "%": lambda left, right: lambda scope: _remainder(left(scope), right(scope)),
}


def _format(term: _Term, spec: str) -> _Term:
    number = _number(term)
    return lambda scope: format(number(scope), spec)
