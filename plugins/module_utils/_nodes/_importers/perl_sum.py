# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what xCAT's computed values hold in parentheses: Perl's arithmetic on whole numbers.

    sum     = product { ("+" | "-") product }
    product = sign { ("*" | "/" | "%") sign }
    sign    = { "-" } ( number | "$" digits | "(" sum ")" | "sprintf(" quoted "," sum ")" )

Perl's ``use integer`` is in force there: a division drops what is behind the point.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from ..expression import escape

LARGEST = 10**18
DEEPEST = 20

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+)|\$(?P<capture>[1-9])(?![0-9])|\$\{(?P<braced>[1-9])\}"
    r"|(?P<word>[A-Za-z_&][A-Za-z0-9_:]*)|(?P<quoted>'[^']*'|\"[^\"]*\")|(?P<sign>\*\*|--|\+\+|.))",
    re.DOTALL,
)
_FORMAT = re.compile(r"(?P<before>[^%\\$@]*)%(?P<format>(?:0?[1-9][0-9]?)?[dxX])(?P<after>[^%\\$@]*)")
_WHOLE = re.compile(r"[0-9]{1,18}")


class Unclear(Exception):
    """A value of xCAT's that is not translated; the text is the end of a sentence: why."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of a sum: ``kind`` "number", "capture", "negative" or an operator; ``number``, or the operands."""

    kind: str
    number: int = 0
    operands: tuple[_Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Sum:
    """What one pair of parentheses holds: a sum, and the texts and the format that a sprintf puts around it."""

    root: _Node
    before: str = ""
    format: str = ""
    after: str = ""

    @property
    def mere_capture(self) -> int | None:
        """The capture, if it is nothing but one: Perl then keeps the text, with the zeros in front."""
        return self.root.number if self.root.kind == "capture" and not self.format else None

    def value(self, capture: Callable[[int], str]) -> str | int:
        """Return what Perl makes of it; ``capture`` gives the text of $1 for 1. Raises: Unclear."""
        if self.mere_capture is not None:
            return capture(self.mere_capture)
        number = _value(self.root, capture)
        if number < 0 and self.format[-1:] in ("x", "X"):
            raise Unclear(f"it shows {number} in hex digits, which Perl does in its own way")
        return f"{self.before}{number:{self.format}}{self.after}" if self.format else number

    def written(self, name: Callable[[int], str]) -> str:
        """Return it as an expression; ``name`` gives the number (n1, ...) that a capture is."""
        text = _written(self.root, name)[0]
        if not self.format:
            return f"{{{text}}}"
        shown = "" if self.format == "d" else f":{self.format}"
        return f"{escape(self.before)}{{{text}{shown}}}{escape(self.after)}"


def read_sum(text: str) -> Sum:
    """Return what ``text``, from its parenthesis to the one that closes it, means. Raises: Unclear."""
    parser = _Parser(text)
    result = parser.whole()
    if parser.kind != "end":
        parser.refuse()
    return result


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.depth = 0
        self.advance()

    def advance(self) -> None:
        found = _TOKEN.match(self.text, self.position)
        if found is None:
            self.kind, self.token = "end", ""
        else:
            kind = str(found.lastgroup)
            self.kind, self.token = ("capture" if kind == "braced" else kind), found[kind]
            self.position = found.end()

    def refuse(self) -> NoReturn:
        if self.kind == "word":
            raise Unclear(f"it calls {self.token}()")
        raise Unclear(f"{self.text!r} is more than whole-number arithmetic")

    def take(self, token: str) -> None:
        if self.token != token or self.kind == "quoted":
            self.refuse()
        self.advance()

    def whole(self) -> Sum:
        """A sum or a sprintf in its own parentheses."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unclear("it nests too deep")
        self.take("(")
        if self.token == "sprintf":
            result = self.sprintf()
        elif self.token == "(" and self._is_sprintf_inside():
            result = self.whole()
        else:
            result = Sum(self.sum())
        self.take(")")
        return result

    def _is_sprintf_inside(self) -> bool:
        return bool(re.match(r"[\s(]*sprintf\b", self.text[self.position :]))

    def sprintf(self) -> Sum:
        self.advance()
        self.take("(")
        found = _FORMAT.fullmatch(self.token[1:-1]) if self.kind == "quoted" else None
        if found is None:
            raise Unclear(f"{self.text!r} formats more than one whole number")
        self.advance()
        self.take(",")
        root = self.sum()
        self.take(")")
        return Sum(root, found["before"], found["format"], found["after"])

    def sum(self) -> _Node:
        return self.chain(self.product, ("+", "-"))

    def product(self) -> _Node:
        return self.chain(self.sign, ("*", "/", "%"))

    def chain(self, operand: Callable[[], _Node], operators: tuple[str, ...]) -> _Node:
        node = operand()
        while self.kind == "sign" and self.token in operators:
            self.depth += 1
            if self.depth > DEEPEST:
                raise Unclear("it is too long")
            kind = self.token
            self.advance()
            node = _Node(kind, operands=(node, operand()))
        return node

    def sign(self) -> _Node:
        if self.kind == "number":
            if len(self.token) > 1 and self.token.startswith("0"):
                raise Unclear(f"Perl takes {self.token} for an octal number")
            node = _Node("number", _whole(self.token))
        elif self.kind == "capture":
            node = _Node("capture", int(self.token))
        elif self.kind == "sign" and self.token in ("-", "("):
            return self.nested()
        else:
            self.refuse()
        self.advance()
        return node

    def nested(self) -> _Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unclear("it nests too deep")
        opened = self.token
        self.advance()
        if opened == "-":
            return _Node("negative", operands=(self.sign(),))
        node = self.sum()
        self.take(")")
        return node


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise Unclear(f"it calculates with {text!r}, which is not a whole number of at most 18 digits")
    return int(text)


def _divided(left: int, right: int) -> int:
    return left // _divisor(left, right)


def _remainder(left: int, right: int) -> int:
    return left % _divisor(left, right)


def _divisor(left: int, right: int) -> int:
    """Return ``right``. Perl cuts towards zero, an expression rounds down: below zero they differ."""
    if right <= 0 or left < 0:
        raise Unclear(f"it divides {left} by {right}, which Perl rounds in its own way")
    return right


_OPERATORS: dict[str, tuple[int, str, Callable[[int, int], int]]] = {
    "+": (1, "+", lambda left, right: left + right),
    "-": (1, "-", lambda left, right: left - right),
    "*": (2, "*", lambda left, right: left * right),
    "/": (2, "//", _divided),
    "%": (2, "%", _remainder),
}
"""Perl's operator to its rank, its name here, and what it does."""


def _value(node: _Node, capture: Callable[[int], str]) -> int:
    if node.kind == "number":
        return node.number
    if node.kind == "capture":
        return _whole(capture(node.number))
    values = [_value(operand, capture) for operand in node.operands]
    result = -values[0] if node.kind == "negative" else _OPERATORS[node.kind][2](values[0], values[1])
    if abs(result) > LARGEST:
        raise Unclear("it comes to a number beyond 18 digits")
    return result


def _written(node: _Node, name: Callable[[int], str]) -> tuple[str, int]:
    """Return the text of ``node`` and its rank, by which its neighbour puts parentheses around it."""
    if node.kind == "number":
        return str(node.number), 4
    if node.kind == "capture":
        return name(node.number), 4
    if node.kind == "negative":
        text, rank = _written(node.operands[0], name)
        return (f"-{text}" if rank >= 3 else f"-({text})"), 3
    left, right = node.operands
    if node.kind in ("+", "-") and right == _Node("number", 0):  # how xCAT's users drop zeros in front
        return _written(left, name)
    rank, operator = _OPERATORS[node.kind][:2]
    texts = []
    for operand, least in ((left, rank), (right, rank + 1)):
        text, its = _written(operand, name)
        texts.append(text if its >= least else f"({text})")
    return f"{texts[0]} {operator} {texts[1]}", rank
