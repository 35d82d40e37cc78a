# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Noderanges obey the algebra of sets, and no text is answered with anything but nodes or a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.names import natural
from ansible_collections.stage0.metal.plugins.module_utils._nodes.noderange import Plain, check, expand, select
from hypothesis import given
from hypothesis import strategies as st

NODES = [f"n{number}" for number in range(10)] + [f"r{rack}u{unit:02d}" for rack in (1, 2) for unit in range(1, 6)]
GROUPS = {
    "odd": ["n1", "n3", "n5"],
    "rack1": [f"r1u{unit:02d}" for unit in range(1, 6)],
    "mixed": ["n1", "r1u01", "r2u05"],
}
VALUES = {name: {"location.rack": name[:2], "bmc.port": 600 + len(name)} for name in NODES[::2]}
NAMES = Plain(NODES, GROUPS, VALUES)
EVERYONE = frozenset(NODES)

ATOM = st.sampled_from(
    [
        *(
            "n1",
            "n[2-4]",
            "n[0-9:3]",
            "odd",
            "n5-n7",
            "rack1",
            "mixed",
            "all",
            "r1u[01-05]",
            "r[1-2]u[02-03]",
            "r1u01-r2u02",
        ),
        *(
            "/n.*/",
            "/.*0?1/",
            "/nobody/",
            "location.rack==n1",
            "location.rack!=r1",
            "location.rack=~[nr]2",
            "bmc.port!~60.",
        ),
    ]
)
"""Parts that can stand beside any operator."""


def grouped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return unions with exclusions, and intersections, of ``inner`` in parentheses."""
    listed = st.tuples(st.lists(inner, min_size=1, max_size=3), st.lists(inner, max_size=2)).map(
        lambda sides: "(" + ",".join([*sides[0], *(f"-{part}" for part in sides[1])]) + ")"
    )
    return listed | st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + "@".join(parts) + ")")


PART = st.recursive(ATOM, grouped, max_leaves=8)


def means(expression: str) -> set[str]:
    return select(expression, NAMES)


@given(PART, PART)
def test_union_intersection_and_exclusion_are_those_of_sets(a: str, b: str) -> None:
    assert means(f"{a},{b}") == means(a) | means(b)
    assert means(f"{a}@{b}") == means(a) & means(b)
    assert means(f"{a},-{b}") == means(a) - means(b)
    assert means(f"all,-{a}") == EVERYONE - means(a)


@given(PART, PART)
def test_de_morgan(a: str, b: str) -> None:
    assert means(f"all,-({a},{b})") == means(f"(all,-{a})@(all,-{b})")
    assert means(f"all,-{a}@{b}") == means(f"(all,-{a}),(all,-{b})")


@given(PART, PART, PART)
def test_distributivity_and_association(a: str, b: str, c: str) -> None:
    assert means(f"{a}@({b},{c})") == means(f"{a}@{b},{a}@{c}")
    assert means(f"{a},{b}@{c}") == means(f"({a},{b})@({a},{c})")
    assert means(f"({a}@{b})@{c}") == means(f"{a}@({b}@{c})") == means(f"{c}@{b}@{a}")


@given(PART, PART)
def test_an_intersection_binds_tighter_than_what_excludes_it(a: str, b: str) -> None:
    assert means(f"all,-{a}@{b}") == means(f"all,-({a}@{b})")
    assert means(f"{a},{a}@{b}") == means(a)


@given(st.lists(PART, min_size=1, max_size=4), st.lists(PART, max_size=3), st.randoms())
def test_the_order_of_parts_does_not_matter(plus: list[str], minus: list[str], random: Any) -> None:
    parts = plus + [f"-{part}" for part in minus]
    turned = list(parts)
    random.shuffle(turned)
    expected = set().union(*map(means, plus)).difference(*map(means, minus))
    assert means(",".join(parts)) == means(",".join(turned)) == select(turned, NAMES) == expected


@given(PART)
def test_the_result_is_in_natural_order_and_has_each_node_once(a: str) -> None:
    found = means(a)
    if found:
        assert expand(a, NAMES) == sorted(found, key=natural)


def test_a_test_and_its_opposite_share_all_nodes() -> None:
    for test in ("location.rack=={}", "location.rack=~{}"):
        opposite = test.replace("==", "!=").replace("=~", "!~")
        for value in ("n1", "r1", "nothing"):
            yes, no = means(test.format(value)), means(opposite.format(value))
            assert yes | no == EVERYONE
            assert not yes & no


def outcome(function: Callable[[], object]) -> str:
    """Return "fine", or the sentence."""
    try:
        function()
    except MetalError as exc:
        return str(exc)
    return "fine"


PIECES = [
    "n1",
    "odd",
    "n[1-3]",
    "[",
    "]",
    "(",
    ")",
    ",",
    "-",
    "@",
    "/",
    "=",
    "==",
    "!=",
    "=~",
    "!~",
    "'",
    '"',
    "\\",
    " ",
    "location.rack",
]
PIECES += [":", "*", "+", "{2}", "?", "|", "^", ".", "0", "99", "all", "\n", "\0", "\ud800", "\u0663", "x"]
GARBAGE = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=14).map("".join))


@given(GARBAGE)
def test_any_text_is_a_meaning_or_one_sentence(text: str) -> None:
    said = outcome(lambda: select(text, NAMES))
    assert len(said.splitlines()) == 1
    if said != "fine":
        assert said.startswith(f"noderange {text!r}")
    outcome(lambda: check(text))


@given(
    st.text(max_size=12)
    | st.lists(
        st.sampled_from(
            ["a", "1", "(", ")", "[", "]", "*", "+", "?", "{2}", "{", "}", "|", "^", "$", ".", "\\d", "\\b", "(?", "\\"]
        ),
        max_size=12,
    ).map("".join)
)
def test_any_regular_expression_is_a_meaning_or_one_sentence(text: str) -> None:
    said = outcome(lambda: select(f"/{text}/", NAMES))
    assert len(said.splitlines()) == 1
