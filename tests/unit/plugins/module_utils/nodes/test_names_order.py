# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Natural order as a text key: what a database sorts by."""

from __future__ import annotations

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.names import LONGEST, check_name, natural
from hypothesis import given
from hypothesis import strategies as st

NAME = st.from_regex(r"[a-c0-9][a-c0-9_.-]{0,12}", fullmatch=True)


def test_numbers_count_as_numbers() -> None:
    names = [
        "n10",
        "n2",
        "n1",
        "n01",
        "m",
        "n2a",
        "n2-10",
        "n2-9",
        "n",
        "n100",
        "n09",
        "n0",
        "n00",
        "r1n2",
        "r1n10",
        "r10n1",
    ]
    expected = "m n n00 n0 n01 n1 n2 n2-9 n2-10 n2a n09 n10 n100 r1n2 r1n10 r10n1"
    assert sorted(names, key=natural) == expected.split()


@given(NAME, NAME)
def test_two_names_have_two_keys(a: str, b: str) -> None:
    assert (natural(a) == natural(b)) is (a == b)


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.sampled_from(["", "a", "-x", ".ex.com"]))
def test_numbers_order_as_integers(a: int, b: int, tail: str) -> None:
    assert (natural(f"n{a}{tail}") < natural(f"n{b}{tail}")) is (a < b)


@given(st.text(max_size=200))
def test_any_text_has_a_key_that_every_database_takes(text: str) -> None:
    added = set(natural(text)) - set(text)
    assert all(" " < character <= "~" for character in added)


def test_a_number_of_any_length_is_no_defect() -> None:
    assert natural("9" * 5000) > natural("9" * 63)


def test_a_name_that_is_too_long() -> None:
    name = ".".join(["a" * 63] * 4)[:LONGEST]
    assert check_name(name) == name
    with pytest.raises(MetalError) as caught:
        check_name(name + "aa", "group")
    assert str(caught.value) == (
        f"'{'a' * 40}...' cannot be the name of a group: it has 255 characters, 253 is the most"
    )
