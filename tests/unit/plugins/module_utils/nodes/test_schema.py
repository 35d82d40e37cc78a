# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The attribute schema: every type with good and bad values, and the sentences."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.names import check_name, natural
from ansible_collections.stage0.metal.plugins.module_utils._nodes.schema import (
    ATTRIBUTES,
    Attribute,
    attribute,
    check_values,
    flatten,
    masked,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes.values import CHECKS
from hypothesis import given
from hypothesis import strategies as st

HASH = "$6$saltsalt$" + "a./" * 28
GOOD: list[tuple[str, Any, Any]] = [
    ("text", "  a b ", "a b"),
    ("text", 7, "7"),
    ("text", 1.5, "1.5"),
    ("text", "é", "é"),
    ("int", " -12 ", -12),
    ("int", 12, 12),
    ("port", "1", 1),
    ("suite", "17", 17),
    ("suite", 3, 3),
    ("port", 65535, 65535),
    ("bool", True, True),
    ("bool", "Yes", True),
    ("bool", 0, False),
    ("bool", "off", False),
    ("mac", "525400AABBCC", "52:54:00:aa:bb:cc"),
    ("mac", "52-54-00-aa-bb-cc", "52:54:00:aa:bb:cc"),
    ("mac", "5254.00aa.bbcc", "52:54:00:aa:bb:cc"),
    ("ip", " 10.1.2.3 ", "10.1.2.3"),
    ("ip", "FD00::1", "fd00::1"),
    ("netmask", "255.255.254.0", "255.255.254.0"),
    ("netmask", "24", "255.255.255.0"),
    ("netmask", 24, "255.255.255.0"),
    ("address", "BMC-1.example.org", "bmc-1.example.org"),
    ("address", "10.1.2.3", "10.1.2.3"),
    ("address", "fd00::0:1", "fd00::1"),
    ("hostname", "Web-1.Example", "web-1.example"),
    ("uuid", "1111222233334444555566660000000A", "11112222-3333-4444-5555-66660000000a"),
    ("uuid", "{11112222-3333-4444-5555-66660000000A}", "11112222-3333-4444-5555-66660000000a"),
    ("crypt", HASH, HASH),
    ("crypt", "$y$j9T$" + "a" * 40, "$y$j9T$" + "a" * 40),
    ("addresses", "10.0.0.1, 10.0.0.2;10.0.0.3", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
    ("addresses", ["10.0.0.1"], ["10.0.0.1"]),
    ("addresses", "", []),
]

NO_MAC = "is not a MAC address; write six pairs of hex digits, as in 52:54:00:12:34:56"
NO_UUID = "is not a UUID; write 32 hex digits as in 12345678-1234-1234-1234-123456789abc"
NO_HASH = "is not a crypt(3) hash; make one with the filter password_hash('sha512'), it begins with $6$"
CONTROL = "contains a control character or a line break, which no attribute may"
BAD: list[tuple[str, Any, str]] = [
    ("text", True, "is not text"),
    ("text", ["a"], "is not text"),
    ("text", {"a": 1}, "is not text"),
    ("text", "a\nb", CONTROL),
    ("text", "a\x00b", CONTROL),
    ("text", "a\u2028b", CONTROL),
    ("text", "a\x85b", CONTROL),
    ("text", "a\ud800b", CONTROL),
    ("int", "1.5", "is not a whole number"),
    ("int", True, "is not a whole number"),
    ("int", "9" * 30, "is not a whole number"),
    ("int", "٣", "is not a whole number"),
    ("port", 0, "is not a port; write a number from 1 to 65535"),
    ("suite", 20, "is not a cipher suite of IPMI 2.0; write 17 or 3"),
    ("suite", "auto", "is not a whole number"),
    ("port", "65536", "is not a port; write a number from 1 to 65535"),
    ("port", "http", "is not a whole number"),
    ("bool", "maybe", "is neither true nor false"),
    ("mac", "52:54:00", NO_MAC),
    ("mac", "52:54:00:aa:bb:cg", NO_MAC),
    ("mac", "", NO_MAC),
    ("mac", "01:00:5e:00:00:01", "is a multicast address, which no network card has as its own"),
    ("mac", "ff:ff:ff:ff:ff:ff", "is a multicast address, which no network card has as its own"),
    ("mac", 1234567, "is a number: YAML takes a MAC address of digits for one (base 60); put it in quotes"),
    ("ip", "10.1.2.300", "is not an IP address; write one as in 10.1.2.3"),
    ("ip", "10.1.2.3/24", "is not an IP address; write one as in 10.1.2.3"),
    ("ip", "", "is not an IP address; write one as in 10.1.2.3"),
    ("netmask", "255.0.255.0", "is not a netmask; write one as in 255.255.255.0"),
    ("netmask", "33", "is not a netmask; write one as in 255.255.255.0"),
    ("netmask", "0.0.0.255", "is not a netmask; write one as in 255.255.255.0"),
    ("address", "10.1.2", "is neither an IP address nor a host name"),
    ("address", "-bmc", "is neither an IP address nor a host name"),
    ("address", "a b", "is neither an IP address nor a host name"),
    ("address", "http://x", "is neither an IP address nor a host name"),
    ("hostname", "a_b", "is not a host name (letters, digits, dashes and dots)"),
    ("hostname", "a" * 64, "is not a host name (letters, digits, dashes and dots)"),
    ("hostname", ".".join(["a" * 60] * 5), "is not a host name (letters, digits, dashes and dots)"),
    ("uuid", "123", NO_UUID),
    ("crypt", "password", NO_HASH),
    ("crypt", "$6$", NO_HASH),
    ("crypt", "$1$salt$" + "a" * 22, NO_HASH),
    ("addresses", "10.0.0.1,x", "is not an IP address; write one as in 10.1.2.3"),
    ("addresses", {"a": 1}, "is not text"),
]


@pytest.mark.parametrize(("kind", "value", "stored"), GOOD)
def test_good_values(kind: str, value: Any, stored: Any) -> None:
    checked = CHECKS[kind](value)
    assert (checked, type(checked)) == (stored, type(stored))
    assert CHECKS[kind](checked) == stored


@pytest.mark.parametrize(("kind", "value", "says"), BAD)
def test_bad_values(kind: str, value: Any, says: str) -> None:
    with pytest.raises(MetalError) as caught:
        Attribute("site.x", kind, "").check(value)
    assert caught.value.code is ErrorCode.INVALID
    assert str(caught.value) == f"site.x: {value!r} {says}"


def test_every_type_has_good_and_bad_values() -> None:
    assert {kind for kind, _value, _stored in GOOD} == {kind for kind, _value, _says in BAD} == set(CHECKS)
    assert {one.type for one in ATTRIBUTES} <= set(CHECKS)


@given(
    st.sampled_from(sorted(CHECKS)),
    st.one_of(
        st.text(), st.integers(), st.floats(), st.booleans(), st.lists(st.text()), st.dictionaries(st.text(), st.text())
    ),
)
def test_a_check_returns_or_says_what_is_wrong(kind: str, value: Any) -> None:
    try:
        checked = CHECKS[kind](value)
    except ValueError as exc:
        said = str(exc)
    else:
        said = "is fine" if CHECKS[kind](checked) == checked else "differs the second time"
    assert said.startswith(("is ", "contains "))


def test_choices_and_null() -> None:
    lock = attribute("deploy.lock")
    assert lock.check(" auto ") == "auto"
    assert lock.check(None) is None
    with pytest.raises(MetalError, match=r"^deploy.lock: 'open' is not one of unlocked, locked, auto$"):
        lock.check("open")


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("net.ip", " 10.1.{n1}.{n2} ", "10.1.{n1}.{n2}"),
        ("bmc.port", "{600 + n1}", "{600 + n1}"),
        ("deploy.lock", "{site.lock}", "{site.lock}"),
        ("net.dns", ["10.0.0.{n1}", "10.0.0.9"], "10.0.0.{n1}, 10.0.0.9"),
        ("site.x", "{{literal}}", "{{literal}}"),
        ("bmc.password", "{no} expression}", "{no} expression}"),
    ],
)
def test_text_with_braces_is_an_expression_unless_it_is_secret(name: str, value: Any, stored: str) -> None:
    assert attribute(name).check(value) == stored


@pytest.mark.parametrize(
    ("name", "value", "code", "says"),
    [
        ("net.ip", "10.1.{n1", ErrorCode.INVALID, "net.ip: '10.1.{n1' cannot be read at character "),
        (
            "site.x",
            "{bmc.password}",
            ErrorCode.INVALID,
            "site.x: bmc.password is a secret, which no expression may show",
        ),
        (
            "site.x",
            "{bmc.passwords}",
            ErrorCode.UNKNOWN,
            "site.x: 'bmc.passwords' is not an attribute; did you mean bmc.pass",
        ),
        ("site.x", "", ErrorCode.INVALID, "site.x: empty text is no value; give null to blank it, or name it in unset"),
        (
            "site.x",
            "  ",
            ErrorCode.INVALID,
            "site.x: empty text is no value; give null to blank it, or name it in unset",
        ),
        (
            "bmc.password",
            "",
            ErrorCode.INVALID,
            "bmc.password: empty text is no value; give null to blank it, or name it",
        ),
        ("net.dns", ["{n1", "x"], ErrorCode.INVALID, "net.dns: '{n1, x' cannot be read at character "),
    ],
)
def test_what_is_neither_a_value_nor_an_expression(name: str, value: Any, code: ErrorCode, says: str) -> None:
    with pytest.raises(MetalError) as caught:
        attribute(name).check(value)
    assert caught.value.code is code
    assert caught.value.message.startswith(says)


def test_every_default_passes_its_own_check() -> None:
    for one in ATTRIBUTES:
        assert one.check(one.default) == one.default


def test_names_of_attributes() -> None:
    assert attribute("net.mac").variable == "metal_net_mac"
    assert attribute("site.rack.owner_2").type == "text"
    for wrong in ("site", "site.", "site.Owner", "site.2x", "site.a-b", "other.x", "", "net.mac.x"):
        with pytest.raises(MetalError) as caught:
            attribute(wrong)
        assert caught.value.code is ErrorCode.UNKNOWN
    assert len({one.variable for one in ATTRIBUTES}) == len(ATTRIBUTES)


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("bmc.address", "metal_bmc_address"),
        ("deploy.root_password_hash", "metal_deploy_root_password_hash"),
        ("site.owner", "metal_site_owner"),
        ("site.a_b", "metal_site_a_b"),
        ("site.a.b", "metal_site_a__b"),
        ("custom.xcat.nodehm.mgt", "metal_custom_xcat__nodehm__mgt"),
        ("site.a__b", "metal_site_a___b"),
        ("site.a_.b", "metal_site_a____b"),
    ],
)
def test_names_of_variables(name: str, variable: str) -> None:
    assert attribute(name).variable == variable


@given(st.sets(st.from_regex(r"site(\.a[a_]{0,4}){1,3}", fullmatch=True), min_size=2, max_size=20))
def test_no_two_attributes_become_the_same_variable(names: set[str]) -> None:
    assert len({attribute(name).variable for name in names}) == len(names)


@pytest.mark.parametrize(
    "twice",
    [
        {"bmc": {"address": "a"}, "bmc.address": "b"},
        {"bmc.address": "a", "bmc": {"address": "a"}},
        {"site.a": {"b": "1"}, "site": {"a": {"b": "2"}}},
    ],
)
def test_a_name_in_both_forms_is_refused(twice: dict[str, Any]) -> None:
    with pytest.raises(MetalError) as caught:
        flatten(twice)
    assert caught.value.code is ErrorCode.CONFLICT
    assert caught.value.message.endswith("is given twice, once as part of another name; write it once")
    assert caught.value.message.startswith(("bmc.address ", "site.a.b "))


def test_nested_values_and_masks() -> None:
    nested = {"bmc": {"address": "a", "port": 1}, "net.ip": "b", "net": {"dns": ["c"]}}
    assert flatten(nested) == {"bmc.address": "a", "bmc.port": 1, "net.ip": "b", "net.dns": ["c"]}
    assert check_values({"bmc.port": "7", "net.ip": None}) == {"bmc.port": 7, "net.ip": None}
    assert (masked("bmc.password", "x"), masked("bmc.password", None)) == ("********", None)
    assert masked("bmc.user", "x") == "x"


@pytest.mark.parametrize("name", ["a", "r1n01", "a-b_c", "n1.example.org", "0", "a" * 63])
def test_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "A", "-a", "a-", "a b", "a..b", ".a", "a,b", "a[1]", "a@b", "é", "a\n", "a" * 64, "٣", "all", "localhost"],
)
def test_what_cannot_be_a_name(name: str) -> None:
    with pytest.raises(MetalError, match="cannot be the name of a node"):
        check_name(name)


def test_natural_order() -> None:
    names = ["n10", "n2", "n1", "n01", "m", "n2a", "n2-10", "n2-9"]
    assert sorted(names, key=natural) == ["m", "n01", "n1", "n2", "n2-9", "n2-10", "n2a", "n10"]
