# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Folding names into noderanges, and the way back."""

from __future__ import annotations

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.names import check_name, natural
from ansible_collections.stage0.metal.plugins.module_utils._nodes.noderange import Plain, expand, fold
from hypothesis import assume, given
from hypothesis import strategies as st

FOLDED = [
    ([], ""),
    (["n1"], "n1"),
    (["n2", "n1", "n1"], "n[1-2]"),
    ([f"r1n{number:02d}" for number in range(1, 25)], "r1n[01-24]"),
    ([f"n{number:02d}" for number in range(8, 13)], "n[08-12]"),
    ([f"n{number:03d}" for number in range(98, 1002)], "n[098-999,1000-1001]"),
    (["n1", "n3", "n01"], "n[01,1,3]"),
    ([f"n{number}" for number in range(13)], "n[0-12]"),
    (["n0", "n00", "n01"], "n[0,00-01]"),
    (["r1u1", "r2u1", "spare"], "r[1-2]u1,spare"),
    (["n1a", "n2a", "n3"], "n[1-2]a,n3"),
    (["n10.ex.com", "n9.ex.com"], "n[9-10].ex.com"),
    (["1", "2", "10"], "[1-2,10]"),
    ([f"r{r:02d}n{n:03d}" for r in range(1, 41) for n in range(1, 101)], "r[01-40]n[001-100]"),
    (
        [f"r{r:02d}n{n:03d}" for r in range(1, 41) for n in range(1, 101) if (r, n) != (7, 13)],
        "r[01-06,08-40]n[001-100],r07n[001-012,014-100]",
    ),
    ([f"c{c}r{r}n{n}" for c in (1, 2) for r in (1, 2, 3) for n in (5, 7)], "c[1-2]r[1-3]n[5,7]"),
    (["b-1", "b-2", "web1-db2", "n10", "n2"], "b-[1-2],n[2,10],web1-db2"),
]


@pytest.mark.parametrize(("names", "text"), FOLDED)
def test_folding(names: list[str], text: str) -> None:
    assert fold(names) == text
    assert fold(reversed(names)) == text


@pytest.mark.parametrize("name", ["", "all", "-n1", "n 1", "n1,n2", "n[1]", "n/1", "n:1", "n1\nn2"])
def test_what_no_noderange_can_spell_is_refused(name: str) -> None:
    with pytest.raises(MetalError) as caught:
        fold(["n1", name])
    assert caught.value.code == ErrorCode.INVALID
    assert str(caught.value).startswith(f"{name!r} cannot stand in a noderange: ")


def valid(name: str) -> bool:
    try:
        return check_name(name) == name
    except MetalError:
        return False


ANY_NAME = st.from_regex(r"[a-c0-2][a-c0-2_.-]{0,8}", fullmatch=True).filter(valid)
RACKS = st.builds(
    "r{}{}n{}{}".format,
    st.sampled_from(["", "0"]),
    st.integers(0, 12),
    st.sampled_from(["", "0", "00"]),
    st.integers(0, 12),
)
DIGITS = st.from_regex(r"n[0-9]{1,4}(-[0-9]{1,2})?", fullmatch=True)


@given(st.sets(st.one_of(ANY_NAME, RACKS, DIGITS), min_size=1, max_size=60))
def test_what_is_folded_expands_to_the_same(names: set[str]) -> None:
    assert expand(fold(names), Plain(names, {})) == sorted(names, key=natural)


@given(st.sets(RACKS, min_size=1, max_size=100), st.sets(RACKS, max_size=100))
def test_among_other_nodes_it_still_means_the_same(names: set[str], others: set[str]) -> None:
    assert expand(fold(names), Plain(names | others, {})) == sorted(names, key=natural)


@given(st.sets(st.integers(0, 1200), min_size=1), st.integers(0, 4))
def test_padded_numbers_fold_and_expand(numbers: set[int], width: int) -> None:
    names = {f"n{number:0{width}d}" for number in numbers}
    assert expand(fold(names), Plain(names, {})) == sorted(names, key=natural)


@given(st.lists(st.sets(st.integers(0, 30), min_size=1, max_size=8), min_size=1, max_size=3), st.integers(1, 3))
def test_a_full_table_folds_into_one_term(choices: list[set[int]], width: int) -> None:
    names = [""]
    for letter, choice in zip("abc", choices, strict=False):
        names = [f"{name}{letter}{number:0{width}d}" for name in names for number in choice]
    assume(len(names) > 1)
    text = fold(names)
    assert text.count("[") == text.count("a") * sum(len(choice) > 1 for choice in choices)
    assert text.count("a") == 1
