# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The noderange language: what each form means, and what is said of those that mean nothing."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes import noderange
from ansible_collections.stage0.metal.plugins.module_utils._nodes._noderange import grammar, match, word
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.noderange import Plain, check, expand, select

NODES = [f"n{number}" for number in range(13)] + [f"r{rack}u{unit:02d}" for rack in (1, 2) for unit in range(1, 21)]
NODES += ["web1-db2", "a1-a2", "b-1", "b-2", "n1.ex.com", "n2.ex.com", "spare"]
GROUPS = {
    "odd": ["n1", "n3", "n5"],
    "rack1": ["r1u01", "r1u02"],
    "rack2": ["r2u01", "r2u02"],
    "c1-c3": ["n7"],
    "empty": [],
}
VALUES: dict[str, dict[str, Any]] = {
    "n1": {"location.rack": "r1", "net.mac": "52:54:00:00:00:01", "bmc.port": 623, "deploy.lock": "auto"},
    "n2": {"location.rack": "r10", "net.dns": ["10.0.0.1", "10.0.0.2"], "site.note": "it's (old), @home"},
    "n3": {"location.rack": "R1", "site.path": "/install/x", "site.on": True},
}
NAMES = Plain(NODES, GROUPS, VALUES)

NOT_N1 = " ".join(name for name in NAMES.everyone() if name != "n1")

MEANS = [
    ("n1", "n1"),
    (" n2 , n1 ", "n1 n2"),
    ("n2,\n  n1", "n1 n2"),
    ("n9-n11", "n9 n10 n11"),
    ("n[1-3,5]", "n1 n2 n3 n5"),
    ("n[1-3, 5]", "n1 n2 n3 n5"),
    ("n[1-6:2]", "n1 n3 n5"),
    ("n[1-12:5,2]", "n1 n2 n6 n11"),
    ("n[0-10]", "n0 n1 n2 n3 n4 n5 n6 n7 n8 n9 n10"),
    ("n0-n2", "n0 n1 n2"),
    ("n1-n1", "n1"),
    ("r[1-2]u[01-02]", "r1u01 r1u02 r2u01 r2u02"),
    ("r1u09-r1u11", "r1u09 r1u10 r1u11"),
    ("r1u01-r2u02", "r1u01 r1u02 r2u01 r2u02"),
    ("b-1-b-2", "b-1 b-2"),
    ("n1.ex.com-n2.ex.com", "n1.ex.com n2.ex.com"),
    ("rack[1-2]", "r1u01 r1u02 r2u01 r2u02"),
    ("rack1-rack2", "r1u01 r1u02 r2u01 r2u02"),
    ("odd", "n1 n3 n5"),
    ("odd,n2", "n1 n2 n3 n5"),
    ("odd,-n3", "n1 n5"),
    ("-n3,odd", "n1 n5"),
    ("- n3,odd", "n1 n5"),
    ("n[1-5],-odd,n3", "n2 n4"),
    ("(n[1-5],-odd),n3", "n2 n3 n4"),
    ("n1,n1,odd,-rack1", "n1 n3 n5"),
    ("web1-db2", "web1-db2"),
    ("a1-a2", "a1-a2"),
    ("c1-c3", "n7"),
    ("spare", "spare"),
    ("all,-n[0-12],-r[1-2]u[01-20],-/.*\\..*/", "a1-a2 b-1 b-2 spare web1-db2"),
    ("n[1-4]@odd", "n1 n3"),
    ("n12,odd@n[1-3]", "n1 n3 n12"),
    ("n[1-3],-n2@odd", "n1 n2 n3"),
    ("n[1-3],-n1@odd", "n2 n3"),
    ("(n12,odd)@n[1-3]", "n1 n3"),
    ("odd@n[1-4]@n[3-5]", "n3"),
    ("odd@(all,-n1)", "n3 n5"),
    ("((odd))", "n1 n3 n5"),
    ("/n1/", "n1"),
    ("/n1.?/", "n1 n10 n11 n12"),
    ("/n(1|2)/", "n1 n2"),
    ("/n[1,2]/,n3", "n1 n2 n3"),
    ("/n\\d{2}/", "n10 n11 n12"),
    ("/(?i)N1/", "n1"),
    ("/x.*/,n1", "n1"),
    ("odd@/.*[13]/", "n1 n3"),
    ("location.rack==r1", "n1"),
    ("location.rack == r1", "n1"),
    ("location.rack=='r1'", "n1"),
    ('location.rack=="r1",n2', "n1 n2"),
    ("location.rack!=r1", NOT_N1),
    ("location.rack=~r1", "n1"),
    ("location.rack=~r1.*", "n1 n2"),
    ("location.rack=~/(?i)r(1)/", "n1 n3"),
    ("location.rack=~'r(1|10)'", "n1 n2"),
    ("location.rack!~.*", " ".join(name for name in NAMES.everyone() if name not in ("n1", "n2", "n3"))),
    ("location.rack=~.*", "n1 n2 n3"),
    ("net.mac==52-54-00-00-00-01", "n1"),
    ("net.mac=='5254.0000.0001'", "n1"),
    ("bmc.port==623", "n1"),
    ("bmc.port=~6.*", "n1"),
    ("net.dns=='10.0.0.1, 10.0.0.2'", "n2"),
    ("net.dns=~.*10[.]0[.]0[.]2", "n2"),
    ("site.note=='it''s (old), @home'", "n2"),
    ("site.path==/install/x", "n3"),
    ("site.path=~'/install/.*'", "n3"),
    ("site.path=~/.install.x/", "n3"),
    ("site.on=~true", "n3"),
    ("odd,-location.rack==r1", "n3 n5"),
    ("odd,-location.rack!=r1@n[1-3]", "n1 n5"),
]


@pytest.mark.parametrize(("expression", "names"), MEANS)
def test_meaning(expression: str, names: str) -> None:
    assert expand(expression, NAMES) == names.split()
    check(expression)


@pytest.mark.parametrize(
    ("items", "names"),
    [
        (["n2", "n1"], "n1 n2"),
        (["-n3", "odd"], "n1 n5"),
        (["odd,-n3", "n3"], "n1 n5"),
        (["(odd,-n3)", "n3"], "n1 n3 n5"),
    ],
)
def test_a_list_means_what_its_items_joined_mean(items: list[str], names: str) -> None:
    assert expand(items, NAMES) == expand(",".join(items), NAMES) == names.split()


INVALID, UNKNOWN, MISSING = ErrorCode.INVALID, ErrorCode.UNKNOWN, ErrorCode.MISSING
ATOM = "a name, a group, '(' or '/'"
NEXT = "',' or '@'"
VALUE = "a value; one with blanks, commas, '@' or parentheses stands in quotes"
BRACKETS = "brackets hold numbers and are closed, as in n[1-10,15]"
TESTS = "attributes are tested with ==, !=, =~ and !~, as in location.rack==r1"

WRONG = [
    ("", INVALID, " it is empty; write all for every node"),
    (" ", INVALID, " it is empty; write all for every node"),
    ("n1,,n2", INVALID, f" character 4: expected {ATOM}, not ','"),
    ("n1,", INVALID, f" character 4: expected {ATOM}, but the noderange ends"),
    ("n99", UNKNOWN, " there is no node or group named 'n99'"),
    ("n1,-n99", UNKNOWN, " character 5: there is no node or group named 'n99'"),
    ("n[11-13]", UNKNOWN, " there is no node or group named 'n13'"),
    ("n1@n[11-13]", UNKNOWN, " character 4: there is no node or group named 'n13'"),
    ("n[01-02]", UNKNOWN, " there is no node or group named 'n01'"),
    ("all1", UNKNOWN, " there is no node or group named 'all1'"),
    ("web1-db3", UNKNOWN, " there is no node or group named 'web1-db3'"),
    ("-", INVALID, f" character 2: expected {ATOM}, but the noderange ends"),
    ("empty", MISSING, " group 'empty' has no nodes"),
    ("n1,empty", MISSING, " character 4: group 'empty' has no nodes"),
    ("n5-n3", INVALID, " character 1: '5-3' descends; write the smaller number first"),
    ("r1u05-r2u03", INVALID, " character 1: '05-03' descends; write the smaller number first"),
    ("n[3-1]", INVALID, " character 3: '3-1' descends; write the smaller number first"),
    ("n1,r[1-2]u[01, 3-1]", INVALID, " character 16: '3-1' descends; write the smaller number first"),
    ("n[1-5:0]", INVALID, " character 3: '1-5:0' has a step of 0"),
    ("n[01-2]", INVALID, " character 3: '01-2' has 2 and 1 digits; pad both numbers alike, as in 01-02"),
    ("n[1-02]", INVALID, " character 3: '1-02' has 1 and 2 digits; pad both numbers alike, as in 01-02"),
    ("n01-n3", INVALID, " character 1: '01-3' has 2 and 1 digits; pad both numbers alike, as in 01-02"),
    ("n[1-]", INVALID, " character 3: '1-' is not a number or a range such as 1-10 or 1-10:2"),
    ("n[1-3,]", INVALID, " character 7: '' is not a number or a range such as 1-10 or 1-10:2"),
    ("n[]", INVALID, " character 3: '' is not a number or a range such as 1-10 or 1-10:2"),
    ("n[a-b]", INVALID, " character 3: 'a-b' is not a number or a range such as 1-10 or 1-10:2"),
    ("n[1-٣]", INVALID, " character 3: '1-٣' is not a number or a range such as 1-10 or 1-10:2"),
    ("n[1-2", INVALID, f" character 2: expected {NEXT}, not '['; {BRACKETS}"),
    ("n]1[", INVALID, f" character 2: expected {NEXT}, not ']'; {BRACKETS}"),
    ("n[[1]]", INVALID, f" character 2: expected {NEXT}, not '['; {BRACKETS}"),
    ("n1 n2", INVALID, f" character 4: expected {NEXT}, not 'n'; blanks do not separate nodes"),
    ("n1@", INVALID, f" character 4: expected {ATOM}, but the noderange ends"),
    ("n1@-odd", INVALID, f" character 4: expected {ATOM}, not '-'; an exclusion begins a part, as in rack1,-n1"),
    ("--n1", INVALID, f" character 2: expected {ATOM}, not '-'; an exclusion begins a part, as in rack1,-n1"),
    ("n1:n3", INVALID, f" character 3: expected {NEXT}, not ':'; a range is written n1-n10, one with a step n[1-10:2]"),
    ("n1+3", INVALID, f" character 3: expected {NEXT}, not '+'; a range is written n1-n10"),
    ("^/etc/passwd", INVALID, f" character 1: expected {ATOM}, not '^'; there is no operator that reads files"),
    (
        "n1*",
        INVALID,
        f" character 3: expected {NEXT}, not '*'; there are no wildcards; write a regular expression, as in /n1.*/",
    ),
    ("(n1", INVALID, " character 1: this '(' is not closed; parentheses come in pairs"),
    ("n2,(n1,(odd)", INVALID, " character 4: this '(' is not closed; parentheses come in pairs"),
    ("(n1 n2)", INVALID, " character 5: expected ',', '@' or ')', not 'n'; blanks do not separate nodes"),
    ("n1)", INVALID, f" character 3: expected {NEXT}, not ')'; parentheses come in pairs"),
    ("()", INVALID, f" character 2: expected {ATOM}, not ')'; parentheses come in pairs"),
    ("n1,(-odd)", INVALID, " character 4: these parentheses only exclude; say from what, as in (all,-n1)"),
    ("location.rack=r1", INVALID, f" character 14: expected {NEXT}, not '='; {TESTS}"),
    ("location.rack~r1", INVALID, f" character 14: expected {NEXT}, not '~'; {TESTS}"),
    ("location.rack!r1", INVALID, f" character 14: expected {NEXT}, not '!'; {TESTS}"),
    ("location.rack==", INVALID, f" character 16: expected {VALUE}, but the noderange ends"),
    ("location.rack==,n1", INVALID, f" character 16: expected {VALUE}, not ','"),
    (
        "location.rack==''",
        INVALID,
        " character 16: no attribute is empty text; the nodes without a value are ATTRIBUTE!~.*",
    ),
    (
        "location.rack=='r1",
        INVALID,
        f' character 16: expected {VALUE}, not "\'"; a value in quotes ends with the quote that it began with',
    ),
    (
        "location.rack=~r(1|2)",
        INVALID,
        f" character 17: expected {NEXT}, not '('; a value with parentheses needs quotes",
    ),
    ("n1,location.rock==r1", UNKNOWN, " character 4: 'location.rock' is not an attribute; did you mean location.rack?"),
    ("net.mack==1", UNKNOWN, " character 1: 'net.mack' is not an attribute; did you mean net.mac?"),
    ("bmc.password==x", INVALID, " character 1: bmc.password is a secret, and no noderange may ask for one"),
    ("bmc.password!~.*", INVALID, " character 1: bmc.password is a secret, and no noderange may ask for one"),
    ("bmc.port==abc", INVALID, " character 11: bmc.port: 'abc' is not a whole number"),
    (
        "all,-deploy.lock!=lokced",
        INVALID,
        " character 19: deploy.lock: 'lokced' is not one of unlocked, locked, auto",
    ),
    ("/n1", INVALID, " character 1: a regular expression ends with a slash, as in /n1.*/"),
    ("n1,//", INVALID, " character 4: this regular expression is empty"),
    ("/n(1/", INVALID, " character 5: the regular expression is not valid: missing )"),
    ("n1,/n[1/", INVALID, " character 8: the regular expression is not valid: unterminated character set"),
    ("location.rack=~'*'", INVALID, " character 17: the regular expression is not valid: nothing to repeat"),
    ("/n(?R)/", INVALID, " character 3: '(?' has no place in a noderange's regular expression"),
    ("/n{e<=1}/", INVALID, " character 3: '{e<=1}' is not a repetition such as {2} or {1,3}"),
    ("/(n{1000}){1000}/", INVALID, " character 11: the repetitions multiply to more than 10000"),
    ("/" + "(" * 400 + "/", INVALID, None),
    ("/" + "n" * 501 + "/", INVALID, None),
    ("n[1-9999999]", INVALID, f" character 1: more than {word.MAX_NAMES} names are spelled out"),
    ("n[1-2000][1-2000]", INVALID, f" character 1: more than {word.MAX_NAMES} names are spelled out"),
    ("n[1-" + "9" * 70 + "]", INVALID, " character 3: a number of more than 64 digits is in no name"),
]


@pytest.mark.parametrize(("expression", "code", "says"), WRONG)
def test_errors_name_the_place(expression: str, code: ErrorCode, says: str | None) -> None:
    with pytest.raises(MetalError) as caught:
        expand(expression, NAMES)
    assert caught.value.code == code
    if says is not None:
        assert str(caught.value) == f"noderange {expression!r}:{says}"


NOBODY = [
    ("odd,-n[1-5]", "noderange 'odd,-n[1-5]' names no node"),
    ("odd@rack1", "noderange 'odd@rack1' names no node"),
    ("/n/", "noderange '/n/' names no node"),
    ("location.rack==r9", "noderange 'location.rack==r9' names no node"),
    ("-n1", "noderange '-n1' names no node: it only excludes; say from what, as in all,-n1"),
]


@pytest.mark.parametrize(("expression", "says"), NOBODY)
def test_naming_nobody_is_an_error_unless_asked_for(expression: str, says: str) -> None:
    with pytest.raises(MetalError) as caught:
        expand(expression, NAMES)
    assert (caught.value.code, str(caught.value)) == (MISSING, says)
    assert select(expression, NAMES) == set()
    check(expression)


def test_errors_in_a_list_name_the_item() -> None:
    for items, says in [
        (
            ["n1", "odd", "n[3-1]"],
            "noderange 'n[3-1]' (item 3 of 3): character 3: '3-1' descends; write the smaller number first",
        ),
        (["n1", "n99"], "noderange 'n99' (item 2 of 2): there is no node or group named 'n99'"),
        (["n1", ""], "noderange '' (item 2 of 2): the item is empty; is there a comma too many?"),
        (["n1", "-n1"], "noderange 'n1,-n1' names no node"),
        ([], "the list of noderanges is empty; write all for every node"),
    ]:
        with pytest.raises(MetalError) as caught:
            expand(items, NAMES)
        assert str(caught.value) == says


def test_a_long_text_is_shown_around_the_place() -> None:
    with pytest.raises(MetalError) as caught:
        expand("n1," * 1000 + "n99" + ",n2" * 1000, NAMES)
    message = str(caught.value)
    assert message.startswith("noderange ...'")
    assert message.endswith("'...: character 3001: there is no node or group named 'n99'")
    assert "n1,n1,n99,n2,n2" in message
    assert len(message) < 250


def test_tests_need_values() -> None:
    with pytest.raises(
        MetalError, match=r"^location\.rack cannot be tested here: only the node database has attributes$"
    ):
        expand("location.rack==r1", Plain(NODES, GROUPS))


@pytest.mark.parametrize("expression", ["n5-n3", "n[3-1]", "n[1-", "(n1", "/(/", "a=b", "n1,", ""])
def test_the_grammar_is_judged_without_nodes(expression: str) -> None:
    with pytest.raises(MetalError) as caught:
        check(expression)
    assert caught.value.code == INVALID


def test_what_is_well_formed_needs_no_nodes() -> None:
    check(["nobody[1-3]", "-nowhere@(x,/y.*/)"])
    with pytest.raises(MetalError, match="is not an attribute"):
        check("x.y==1")


def test_no_regular_expression_runs_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "SECONDS", 0.05)
    names = Plain(["a" * 60], {}, {"a" * 60: {"site.x": "b" * 60}})
    for expression, place in [("all,-/(a|aa)+c/", 6), ("/(?:a|aa)+c/", 1), ("site.x=~'(b|bb)+c'", 1)]:
        with pytest.raises(MetalError) as caught:
            expand(expression, names)
        says = f"character {place}: it takes longer than 0.05 s; write it without nested repetitions"
        assert str(caught.value) == f"noderange {expression!r}: {says}"


def test_many_parts_end_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammar, "MAX_WORK", 1000)
    with pytest.raises(MetalError, match=r"character \d+: the same nodes are named more than 1000 times$"):
        expand(",".join(["all"] * 100), NAMES)
    with pytest.raises(MetalError, match=r"character 402: there are more than 100 regular expressions and tests$"):
        expand(",".join(["/x/"] * 101), NAMES)


HUGE = {
    "parentheses": "(" * 10_000,
    "pairs of parentheses": "(" * 10_000 + "n1" + ")" * 10_000,
    "dashes": "-" * 1_000_000,
    "brackets": "n" + "[1-2]" * 200_000,
    "open brackets": "[" * 1_000_000,
    "commas": "," * 1_000_000,
    "digits": "n" + "9" * 1_000_000,
    "digits in a bracket": "n[1-" + "9" * 1_000_000 + "]",
    "digits to digits": "n1-n" + "9" * 1_000_000,
    "a regular expression": "/" + "(" * 1_000_000 + "/",
    "backslashes": "/" + "\\" * 1_000_001,
    "quotes": "site.x=='" + "''" * 500_000,
    "names and dashes": "n1-" * 333_333,
    "at signs": "n1" + "@n1" * 333_333 + "@n2",
    "an attribute": "a" * 1_000_000 + "==1",
    "a value": "bmc.port==" + "1" * 1_000_000,
    "a quoted value": "net.ip=='" + "1" * 1_000_000 + "'",
    "blanks": " " * 1_000_000,
}


@pytest.mark.parametrize("text", HUGE.values(), ids=list(HUGE))
def test_a_megabyte_gets_a_sentence(text: str) -> None:
    with pytest.raises(MetalError) as caught:
        expand(text, NAMES)
    assert len(str(caught.value)) < 2000
    assert "\n" not in str(caught.value)


def test_a_megabyte_that_means_something() -> None:
    assert expand("n1," * 333_333 + "n2", NAMES) == ["n1", "n2"]


def test_thousands_of_names_are_asked_for_at_once() -> None:
    class Counting(Plain):
        asked = 0

        def known(self, names: object) -> set[str]:
            self.asked += 1
            return super().known(names)  # type: ignore[arg-type]

    names = Counting(NODES, {})
    assert expand(NODES, names) == Plain(NODES, {}).everyone()
    assert names.asked == 2


def test_what_the_module_offers() -> None:
    assert set(noderange.__all__) == {"Names", "Plain", "Test", "check", "expand", "fold", "select"}
