# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The noderange language, and folding names back into it."""

from __future__ import annotations

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.names import natural
from ansible_collections.stage0.metal.plugins.module_utils._nodes.noderange import MAX_TERM, Plain, expand, fold
from hypothesis import given
from hypothesis import strategies as st

NODES = [f"n{number}" for number in range(13)] + [f"r{rack}u{unit:02d}" for rack in (1, 2) for unit in range(1, 21)]
NODES += ["web1-db2", "a1-a2", "spare"]
GROUPS = {"odd": ["n1", "n3", "n5"], "rack1": ["r1u01", "r1u02"], "empty": []}
NAMES = Plain(NODES, GROUPS)

MEANS = [
    ("n1", "n1"),
    (" n2 , n1 ", "n1 n2"),
    ("n9-n11", "n9 n10 n11"),
    ("n[1-3,5]", "n1 n2 n3 n5"),
    ("n[1-6:2]", "n1 n3 n5"),
    ("n[0-10]", "n0 n1 n2 n3 n4 n5 n6 n7 n8 n9 n10"),
    ("n0-n2", "n0 n1 n2"),
    ("r[1-2]u[01-02]", "r1u01 r1u02 r2u01 r2u02"),
    ("r1u09-r1u11", "r1u09 r1u10 r1u11"),
    ("odd", "n1 n3 n5"),
    ("odd,n2", "n1 n2 n3 n5"),
    ("odd,-n3", "n1 n5"),
    ("-n3,odd", "n1 n5"),
    ("n[1-5],-odd,n3", "n2 n4"),
    ("n1,n1,odd,-rack1", "n1 n3 n5"),
    ("web1-db2", "web1-db2"),
    ("a1-a2", "a1-a2"),
    ("spare", "spare"),
    ("all,-n[0-12],-r[1-2]u[01-20]", "a1-a2 spare web1-db2"),
]


@pytest.mark.parametrize(("expression", "names"), MEANS)
def test_meaning(expression: str, names: str) -> None:
    assert expand(expression, NAMES) == names.split()


WRONG = [
    ("", ErrorCode.INVALID, "noderange '' is empty or has an empty part between commas"),
    ("n1,,n2", ErrorCode.INVALID, "noderange 'n1,,n2' is empty or has an empty part between commas"),
    ("n99", ErrorCode.UNKNOWN, "noderange 'n99': there is no node or group named 'n99'"),
    ("n1,-n99", ErrorCode.UNKNOWN, "noderange 'n1,-n99': there is no node or group named 'n99'"),
    ("n[11-13]", ErrorCode.UNKNOWN, "noderange 'n[11-13]': there is no node or group named 'n13'"),
    ("n[01-02]", ErrorCode.UNKNOWN, "noderange 'n[01-02]': there is no node or group named 'n01'"),
    ("-", ErrorCode.UNKNOWN, "noderange '-': there is no node or group named ''"),
    ("empty", ErrorCode.MISSING, "noderange 'empty': group 'empty' has no nodes"),
    ("odd,-n[1-5]", ErrorCode.MISSING, "noderange 'odd,-n[1-5]' names no node"),
    ("-n1", ErrorCode.MISSING, "noderange '-n1' names no node"),
    ("n5-n3", ErrorCode.INVALID, "noderange 'n5-n3': '5-3' descends; write the smaller number first"),
    ("n[3-1]", ErrorCode.INVALID, "noderange 'n[3-1]': '3-1' descends; write the smaller number first"),
    ("n[1-5:0]", ErrorCode.INVALID, "noderange 'n[1-5:0]': '1-5:0' has a step of 0"),
    ("n[01-2]", ErrorCode.INVALID, "noderange 'n[01-2]': '01-2' pads its first number to 2 digits and its last to 1"),
    ("n[1-02]", ErrorCode.INVALID, "noderange 'n[1-02]': '1-02' pads its first number to 1 digits and its last to 2"),
    ("n[1-]", ErrorCode.INVALID, "noderange 'n[1-]': '1-' is not a number or a range such as 1-10"),
    ("n[]", ErrorCode.INVALID, "noderange 'n[]': '' is not a number or a range such as 1-10"),
    ("n[a-b]", ErrorCode.INVALID, "noderange 'n[a-b]': 'a-b' is not a number or a range such as 1-10"),
    ("n[1-٣]", ErrorCode.INVALID, "noderange 'n[1-٣]': '1-٣' is not a number or a range such as 1-10"),
    ("n[1-2", ErrorCode.INVALID, "noderange 'n[1-2': the brackets of 'n[1-2' do not match"),
    ("n]1[", ErrorCode.INVALID, "noderange 'n]1[': the brackets of 'n]1[' do not match"),
    ("n[[1]]", ErrorCode.INVALID, "noderange 'n[[1]]': the brackets of 'n[[1]]' do not match"),
    ("odd@rack1", ErrorCode.INVALID, "noderange 'odd@rack1': character 4: intersection ('@') are not supported yet"),
    ("/n.*/", ErrorCode.INVALID, "noderange '/n.*/': character 1: regular expressions ('/') are not supported yet"),
    ("(n1)", ErrorCode.INVALID, "noderange '(n1)': character 1: parentheses ('(') are not supported yet"),
    ("a==b", ErrorCode.INVALID, "noderange 'a==b': character 2: attribute tests ('=') are not supported yet"),
    ("n[1-999999]", ErrorCode.INVALID, f"noderange 'n[1-999999]': one term names 999999 nodes, more than {MAX_TERM}"),
    (
        "n[1-1000][1-1000]",
        ErrorCode.INVALID,
        f"noderange 'n[1-1000][1-1000]': one term names 1000000 nodes, more than {MAX_TERM}",
    ),
]


@pytest.mark.parametrize(("expression", "code", "says"), WRONG)
def test_errors_name_the_place(expression: str, code: ErrorCode, says: str) -> None:
    with pytest.raises(MetalError) as caught:
        expand(expression, NAMES)
    assert (caught.value.code, str(caught.value)) == (code, says)


def test_a_number_of_any_length_is_no_defect() -> None:
    for expression in ("n[1-" + "9" * 5000 + "]", "n" + "9" * 5000, "n1-n" + "9" * 5000):
        with pytest.raises(MetalError):
            expand(expression, NAMES)


FOLDED = [
    ([], ""),
    (["n1"], "n1"),
    (["n2", "n1", "n1"], "n[1-2]"),
    ([f"r1n{number:02d}" for number in range(1, 25)], "r1n[01-24]"),
    ([f"n{number:02d}" for number in range(8, 13)], "n[08-12]"),
    (["n1", "n3", "n01"], "n[1,3],n01"),
    ([f"n{number}" for number in range(13)], "n[0-12]"),
    (["r1u1", "r2u1", "spare"], "r1u1,r2u1,spare"),
    (["n1a", "n2a", "n3"], "n[1-2]a,n3"),
]


@pytest.mark.parametrize(("names", "text"), FOLDED)
def test_folding(names: list[str], text: str) -> None:
    assert sorted(fold(names).split(",")) == sorted(text.split(","))


NAME = st.from_regex(r"[a-c][0-9]{1,3}([a-c][0-9]{0,2})?(-[ab]?[0-9]{1,2})?[a-c]?", fullmatch=True)


@given(st.sets(NAME, min_size=1, max_size=30))
def test_what_is_folded_expands_to_the_same(names: set[str]) -> None:
    assert expand(fold(names), Plain(names, {})) == sorted(names, key=natural)


@given(st.sets(st.integers(0, 1200), min_size=1), st.integers(0, 4))
def test_padded_numbers_fold_and_expand(numbers: set[int], width: int) -> None:
    names = {f"n{number:0{width}d}" for number in numbers}
    assert expand(fold(names), Plain(names, {})) == sorted(names, key=natural)


TERM = st.sampled_from(["n1", "n[2-4]", "odd", "n5-n7", "rack1", "all", "r1u[01-05]"])


@given(st.lists(TERM, min_size=1, max_size=5), st.lists(TERM, max_size=3), st.randoms())
def test_the_order_of_terms_does_not_matter(plus: list[str], minus: list[str], random: object) -> None:
    terms = plus + [f"-{term}" for term in minus]
    turned = list(terms)
    random.shuffle(turned)  # type: ignore[attr-defined]

    def meaning(given: list[str]) -> list[str] | None:
        try:
            return expand(",".join(given), NAMES)
        except MetalError:
            return None

    included = {name for term in plus for name in expand(term, NAMES)}
    excluded = {name for term in minus for name in expand(term, NAMES)}
    expected = sorted(included - excluded, key=natural) or None
    assert meaning(terms) == meaning(turned) == expected


@given(st.text(alphabet="n1203-,[]: @/=r_u", max_size=30))
def test_any_text_is_a_meaning_or_one_sentence(expression: str) -> None:
    try:
        found = expand(expression, NAMES)
    except MetalError as exc:
        found, said = [], str(exc)
    else:
        said = "fine"
    assert set(found) <= set(NODES)
    assert bool(found) is (said == "fine")
    assert "\n" not in said
