# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Expressions in attribute values: what they come to, and what is refused with which sentence."""

from __future__ import annotations

import operator
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.expression import (
    escape,
    is_expression,
    numbers,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

VALUES: dict[str, Any] = {
    "location.rack": "r07",
    "location.u": "12",
    "bmc.port": 623,
    "site.class": "gold",
    "custom.flag": True,
    "net.dns": ["10.0.0.1"],
}


def evaluate(text: str, node: str = "r07n310") -> str | int:
    return parse(text).evaluate(node, VALUES.get)


MEANS = [
    ("10.1.{n2 // 250}.{n2 % 250 + 1}", "10.1.1.61"),
    ("{node}-bmc", "r07n310-bmc"),
    ("{location.rack}-{n2:02d}", "r07-310"),
    ("rack {n1:02d}, {n0:x}", "rack 07, 136"),
    ("{n2:05}|{n1:4}|{n1:4d}|{255:X}|{255:04x}", "00310|   7|   7|FF|00ff"),
    ("{n1}", 7),
    ("{bmc.port + 1}", 624),
    ("{ bmc.port }", 623),
    ("{location.u + 1}", 13),
    ("{location.u:03d}", "012"),
    ("{site.class}", "gold"),
    ("is {custom.flag}", "is true"),
    ("{-n1 + 10}", 3),
    ("{--n1}", 7),
    ("{2 + 3 * 4}", 14),
    ("{(2 + 3) * 4}", 20),
    ("{10 - 4 - 3}", 3),
    ("{7 // 2 * 2}", 6),
    ("{-7 // 2}{-7 % 3}", "-42"),
    ("{1-2:04d}", "-001"),
    ("{007}", 7),
    ("{999999999999999999 + 1}", 10**18),
    ("{{n1}}", "{n1}"),
    ("}}{{", "}{"),
    ("{{{n1}}}", "{7}"),
    ("plain", "plain"),
    ("é {n1}", "é 7"),
]


@pytest.mark.parametrize(("text", "value"), MEANS, ids=[text for text, value in MEANS])
def test_what_expressions_come_to(text: str, value: str | int) -> None:
    assert evaluate(text) == value
    assert type(evaluate(text)) is type(value)


REFERENCE = Path(__file__).parents[5] / "docs" / "reference" / "expressions.md"
DOCUMENTED = re.findall(r"^\| `([^`]*\{[^`]*)` \| `(.*)` \|$", REFERENCE.read_text(), re.MULTILINE)


@pytest.mark.parametrize(("text", "value"), DOCUMENTED)
def test_what_the_reference_promises(text: str, value: str) -> None:
    values = {"location.rack": "r7", "location.u": "12", "bmc.port": 623}
    assert str(parse(text).evaluate("r07n310", values.get)) == value


def test_the_reference_promises_something() -> None:
    assert len(DOCUMENTED) >= 9


UNREADABLE = [
    ("{n1 / 2}", 5, "('/'): write // for whole numbers"),
    ("10.{n1 / 2}", 8, "('/'): write // for whole numbers"),
    ("{n1 ** 9}", 5, "('*'): there are no powers"),
    ("{9 ** 9 ** 9}", 4, "('*'): there are no powers"),
    ("{__class__}", 2, "('_'): here a number, a name, - or ( is right"),
    ("{node.__class__}", 6, "('.'): numbers are whole, and names begin with a letter"),
    ("{node[0]}", 6, "('['): there are no parts of texts"),
    ("{().x}", 3, "(')'): here a number, a name, - or ( is right"),
    ("{open(1)}", 6, "('('): there are no functions"),
    ("{net.ip (1)}", 9, "('('): here + - * // % : or } is right"),
    ("{'a'}", 2, '("\'"): a text stands outside of the braces'),
    ("{n1!r}", 4, "('!'): there are no conversions"),
    ("{1.5}", 3, "('.'): numbers are whole, and names begin with a letter"),
    ("{1_000}", 3, "('_'): here + - * // % : or } is right"),
    ("{0x10}", 3, "('x'): here + - * // % : or } is right"),
    ("{n1 n2}", 5, "('n'): here + - * // % : or } is right"),
    ("{n1 +}", 6, "('}'): here a number, a name, - or ( is right"),
    ("{+n1}", 2, "('+'): here a number, a name, - or ( is right"),
    ("{(n1}", 5, "('}'): here an operator or ) is right"),
    ("{n1)}", 4, "(')'): here + - * // % : or } is right"),
    ("{}", 2, "('}'): there is nothing between { and }"),
    ("{ }", 3, "('}'): there is nothing between { and }"),
    ("{null}", 2, "('n'): a name is node, n0, n1, n2, ... or an attribute such as location.rack"),
    ("{N1}", 2, "('N'): here a number, a name, - or ( is right"),
    ("{n100}", 2, "('n'): a name is node, n0, n1, n2, ... or an attribute such as location.rack"),
    ("{n01}", 2, "('n'): a name is node, n0, n1, n2, ... or an attribute such as location.rack"),
    ("{9999999999999999999}", 2, "('9'): the number is too large"),
    ("{n1:}", 5, "('}'): a format is 02d, 4, x or alike: width, with 0 in front to fill with zeros, d or x"),
    ("{n1:99d}", 5, "('9'): a format may fill up to 64 characters"),
    ("{n1:999999999999d}", 5, "('9'): a format is 02d, 4, x or alike"),
    ("{n1:>9}", 5, "('>'): a format is 02d, 4, x or alike"),
    ("{n1:{n2}}", 5, "('{'): a format is 02d, 4, x or alike"),
    ("{n1:.3f}", 5, "('.'): a format is 02d, 4, x or alike"),
    ("{n1:02d", 8, "(the end): a { is not closed; write {{ for a brace"),
    ("{n1", 4, "(the end): a { is not closed; write {{ for a brace"),
    ("{", 2, "(the end): a { is not closed; write {{ for a brace"),
    ("x}", 2, "('}'): there is no { before it; write }} for a brace"),
    ("{n1}}", 5, "('}'): there is no { before it; write }} for a brace"),
    ("{n1 {n2}}", 5, "('{'): write {{ for a brace, and close each { with }"),
    ("{n\u0661}", 2, "('n'): a name is node, n0, n1, n2, ... or an attribute such as location.rack"),
    ("{\u0661}", 2, "('\u0661'): here a number, a name, - or ( is right"),
    ("{" + "(" * 400, 52, "('('): there are more than 50 operators and parentheses"),
    ("{" + "-" * 400 + "1}", 52, "('-'): there are more than 50 operators and parentheses"),
    ("{1" + "+1" * 400 + "}", 103, "('+'): there are more than 50 operators and parentheses"),
]


@pytest.mark.parametrize(("text", "character", "why"), UNREADABLE, ids=[text[:30] for text, number, why in UNREADABLE])
def test_what_cannot_be_read_is_pointed_at(text: str, character: int, why: str) -> None:
    with pytest.raises(MetalError) as caught:
        parse(text)
    assert caught.value.code is ErrorCode.INVALID
    assert caught.value.message.startswith(f"{text!r} cannot be read at character {character} {why}")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{n1}" * 251, "an expression of 1004 characters; 1000 is the most"),
        ("{n1}\nx", "'{n1}\\nx' contains a control character or a line break, which no attribute may"),
        ("{n1\x00}", "'{n1\\x00}' contains a control character or a line break, which no attribute may"),
    ],
)
def test_what_no_value_may_be(text: str, why: str) -> None:
    with pytest.raises(MetalError) as caught:
        parse(text)
    assert caught.value.message == why


FAILS = [
    ("{n3}", ErrorCode.MISSING, "needs n3, but the name r07n310 has 2 numbers only"),
    ("x{location.row}", ErrorCode.MISSING, "needs location.row, which is not set"),
    ("x{net.dns}", ErrorCode.INVALID, "needs net.dns, which is a list and fits in no text"),
    ("{node + 1}", ErrorCode.INVALID, "calculates with 'r07n310', which is not a whole number"),
    ("{custom.flag + 1}", ErrorCode.INVALID, "calculates with True, which is not a whole number"),
    ("{site.class:02d}", ErrorCode.INVALID, "calculates with 'gold', which is not a whole number"),
    ("{1 // (n1 - 7)}", ErrorCode.INVALID, "divides by zero"),
    ("{1 % 0}", ErrorCode.INVALID, "divides by zero"),
    ("{999999999999999999 * 999999999999999999}", ErrorCode.INVALID, "comes to a number beyond 18 digits"),
]


@pytest.mark.parametrize(("text", "code", "why"), FAILS, ids=[text for text, code, why in FAILS])
def test_what_cannot_be_evaluated_names_the_expression(text: str, code: ErrorCode, why: str) -> None:
    with pytest.raises(MetalError) as caught:
        evaluate(text)
    assert (caught.value.code, caught.value.message, caught.value.node) == (code, f"{text!r} {why}", None)


@pytest.mark.parametrize(
    ("node", "why"),
    [
        ("login", "the name login has no number"),
        ("n1", "the name n1 has one number only"),
    ],
)
def test_a_missing_number(node: str, why: str) -> None:
    with pytest.raises(MetalError, match=f"'{{n2}}' needs n2, but {why}"):
        evaluate("{n2}", node)


def test_a_number_that_is_too_large() -> None:
    with pytest.raises(MetalError, match="comes to a number beyond 18 digits"):
        evaluate("{n1}", "n" + "9" * 60)


def test_an_error_of_an_attribute_that_it_refers_to_goes_through() -> None:
    error = MetalError(ErrorCode.MISSING, "net.ip '{n3}': needs n3", node="n1")

    def value(name: str) -> None:
        raise error

    with pytest.raises(MetalError) as caught:
        parse("x{net.ip}").evaluate("n1", value)
    assert caught.value is error


def test_numbers_of_a_name() -> None:
    assert numbers("r01n003.dc2") == (1, 3, 2)
    assert numbers("login") == ()
    assert evaluate("{n0}", "r01n003.dc2") == 2


def test_what_an_expression_refers_to() -> None:
    assert parse("{node}{n1}{location.rack}-{net.ip}{{bmc.user}}").names == {"location.rack", "net.ip"}
    assert parse("plain").names == frozenset()


def test_what_is_an_expression() -> None:
    assert is_expression("{n1}")
    assert is_expression("}")
    assert not is_expression("plain")
    assert not is_expression(7)
    assert not is_expression(None)


def test_one_text_is_parsed_once() -> None:
    assert parse("10.9.{n1}.{n2}") is parse("10.9.{n1}.{n2}")


printable = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=400)


@given(printable)
def test_escaped_text_means_itself(text: str) -> None:
    assert parse(escape(text)).evaluate("n1", VALUES.get) == text


pieces = st.sampled_from(
    [
        *(
            "{",
            "}",
            "{{",
            "}}",
            "n0",
            "n1",
            "n9",
            "node",
            "net.ip",
            "bmc.port",
            "(",
            ")",
            "+",
            "-",
            "*",
            "//",
            "%",
            "/",
        ),
        *(":", "02d", "x", "9" * 18, "1", "0", "250", " ", ".", "[", "'", "__class__", "\u0661", "null"),
    ]
)


def outcome(text: str, node: str) -> str | int | MetalError:
    try:
        return parse(text).evaluate(node, VALUES.get)
    except MetalError as exc:
        return exc


@given(st.lists(pieces, max_size=60).map("".join) | st.text(string.printable, max_size=80), st.text(max_size=8))
def test_whatever_the_text_there_is_a_value_or_a_sentence(text: str, node: str) -> None:
    result = outcome(text, node)
    if isinstance(result, MetalError):
        assert result.code in (ErrorCode.INVALID, ErrorCode.MISSING)
        assert "\n" not in result.message
    else:
        assert len(str(result)) <= 20_000


class Known(NamedTuple):
    """A sum and what it comes to; None: it divides by zero."""

    text: str
    value: int | None


OPERATORS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}


def joined(left: Known, sign: str, right: Known) -> Known:
    text = f"({left.text} {sign} {right.text})"
    if left.value is None or right.value is None or (right.value == 0 and sign in ("//", "%")):
        return Known(text, None)
    return Known(text, OPERATORS[sign](left.value, right.value))


def sums(part: st.SearchStrategy[Known]) -> st.SearchStrategy[Known]:
    return st.builds(joined, part, st.sampled_from(list(OPERATORS)), part)


@given(st.recursive(st.integers(0, 300).map(lambda number: Known(str(number), number)), sums, max_leaves=7))
def test_arithmetic_is_that_of_python(known: Known) -> None:
    result = outcome(f"{{{known.text}}}", "n1")
    if known.value is None:
        assert isinstance(result, MetalError)
        assert "divides by zero" in result.message
    else:
        assert result == known.value
