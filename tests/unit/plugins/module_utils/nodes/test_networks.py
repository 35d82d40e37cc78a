# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Networks: every rule with its sentence, between networks and between networks and nodes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.networks import FIELDS, Networks, checked
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Wish
from ansible_collections.stage0.metal.tests.unit.support import events, store
from hypothesis import given
from hypothesis import strategies as st

GOOD = [
    ("subnet", " 10.1.0.0/16 ", "10.1.0.0/16"),
    ("subnet", "10.1.0.0/255.255.0.0", "10.1.0.0/16"),
    ("subnet", "fd00::/64", "fd00::/64"),
    ("subnet", "10.1.0.0/31", "10.1.0.0/31"),
    ("subnet", "10.1.0.1/32", "10.1.0.1/32"),
    ("vlan", "101", 101),
    ("vlan", 4094, 4094),
    ("gateway", "10.1.0.1", "10.1.0.1"),
    ("gateway", "FD00::1", "fd00::1"),
    ("dns", "10.0.0.1, 10.0.0.2", ["10.0.0.1", "10.0.0.2"]),
    ("dns", ["10.0.0.1"], ["10.0.0.1"]),
    ("ntp", "ntp1.example.com;10.0.0.9", ["ntp1.example.com", "10.0.0.9"]),
    ("ntp", ["NTP2.example.com"], ["ntp2.example.com"]),
    ("domain", "Boot.example.com", "boot.example.com"),
    ("dynamic_range", "10.1.0.10 - 10.1.0.20", "10.1.0.10-10.1.0.20"),
    ("dynamic_range", "10.1.0.10-10.1.0.10", "10.1.0.10-10.1.0.10"),
    ("dynamic_range", "fd00::1:0-fd00::1:ff", "fd00::1:0-fd00::1:ff"),
]
BAD = [
    ("subnet", "10.1.0.0", "has no prefix length; write one as in 10.1.0.0/24"),
    ("subnet", "10.1.0.1/16", "has host bits set; the subnet is 10.1.0.0/16"),
    ("subnet", "10.1.0.0/33", "is not a subnet; write one as in 10.1.0.0/16"),
    ("subnet", "boot", "is not a subnet; write one as in 10.1.0.0/16"),
    ("subnet", 10, "is not a subnet; write one as in 10.1.0.0/16"),
    ("subnet", ["10.1.0.0/16"], "is not a subnet; write one as in 10.1.0.0/16"),
    ("vlan", 0, "is not a VLAN; write a number from 1 to 4094"),
    ("vlan", 4095, "is not a VLAN; write a number from 1 to 4094"),
    ("vlan", "boot", "is not a whole number"),
    ("vlan", True, "is not a whole number"),
    ("gateway", "10.1.0.0/16", "is not an IP address; write one as in 10.1.2.3"),
    ("gateway", "gw.example.com", "is not an IP address; write one as in 10.1.2.3"),
    ("dns", "ns.example.com", "is not an IP address; write one as in 10.1.2.3"),
    ("ntp", "a_b", "is neither an IP address nor a host name"),
    ("ntp", True, "is not text"),
    ("domain", "a b", "is not a host name (letters, digits, dashes and dots)"),
    ("dynamic_range", "10.1.0.1", "is not a range; write one as in 10.1.0.100-10.1.0.200"),
    ("dynamic_range", "10.1.0.1-10.1.0.2-10.1.0.3", "is not a range; write one as in 10.1.0.100-10.1.0.200"),
    ("dynamic_range", "10.1.0.9-x", "is not a range; write one as in 10.1.0.100-10.1.0.200"),
    ("dynamic_range", 7, "is not a range; write one as in 10.1.0.100-10.1.0.200"),
    ("dynamic_range", "10.1.0.20-10.1.0.10", "descends; write 10.1.0.10-10.1.0.20"),
]


@pytest.mark.parametrize(("field", "value", "stored"), GOOD)
def test_good_values(field: str, value: Any, stored: Any) -> None:
    once = checked("boot", {field: value})
    assert once == {field: stored}
    assert checked("boot", once) == once


@pytest.mark.parametrize(("field", "value", "says"), BAD)
def test_bad_values(field: str, value: Any, says: str) -> None:
    with pytest.raises(MetalError) as caught:
        checked("boot", {field: value})
    assert (caught.value.code, caught.value.message) == (ErrorCode.INVALID, f"network boot: {field} {value!r} {says}")


LISTS = [
    ("dns", ["10.0.0.1", "ns.example.com"], "dns 'ns.example.com' is not an IP address; write one as in 10.1.2.3"),
    ("dns", "10.0.0.1, 10.0.0", "dns '10.0.0' is not an IP address; write one as in 10.1.2.3"),
    ("ntp", ["ntp1.example.com", 1], "ntp 1 is neither an IP address nor a host name"),
    ("ntp", "ntp1.example.com;a_b", "ntp 'a_b' is neither an IP address nor a host name"),
]


@pytest.mark.parametrize(("field", "value", "says"), LISTS)
def test_the_item_of_a_list_that_is_wrong_is_named(field: str, value: Any, says: str) -> None:
    with pytest.raises(MetalError) as caught:
        checked("boot", {field: value})
    assert caught.value.message == f"network boot: {says}"


def test_every_field_is_tested() -> None:
    assert {field for field, *_rest in GOOD} == {field for field, *_rest in BAD} == set(FIELDS)


def test_a_field_that_there_is_not_and_null() -> None:
    with pytest.raises(MetalError, match=r"^network boot: 'mtu' is none of subnet, vlan, gateway, dns, ntp, domain, "):
        checked("boot", {"mtu": 9000})
    assert checked("boot", {"gateway": None, "dns": [], "domain": ""}) == {}


@given(
    st.sampled_from(sorted(FIELDS)),
    st.one_of(
        st.text(), st.integers(), st.floats(), st.booleans(), st.lists(st.text()), st.dictionaries(st.text(), st.text())
    ),
)
def test_any_value_is_stored_or_refused_with_a_sentence(field: str, value: Any) -> None:
    try:
        stored = checked("boot", {field: value})
        said = "it is stored" if checked("boot", stored) == stored else "it differs the second time"
    except MetalError as exc:
        said = exc.message
    assert said.startswith(("it is stored", f"network boot: {field} "))


ITSELF = [
    ({}, ErrorCode.MISSING, "network boot has no subnet; write one as in 10.1.0.0/16"),
    ({"gateway": "10.1.0.1"}, ErrorCode.MISSING, "network boot has no subnet; write one as in 10.1.0.0/16"),
    (
        {"subnet": "10.1.0.0/24", "gateway": "10.1.1.1"},
        ErrorCode.INVALID,
        "network boot: gateway 10.1.1.1 is not inside 10.1.0.0/24",
    ),
    (
        {"subnet": "10.1.0.0/24", "gateway": "fd00::1"},
        ErrorCode.INVALID,
        "network boot: gateway fd00::1 is not inside 10.1.0.0/24",
    ),
    (
        {"subnet": "10.1.0.0/24", "gateway": "10.1.0.0"},
        ErrorCode.INVALID,
        "network boot: gateway 10.1.0.0 holds 10.1.0.0, which names all of 10.1.0.0/24",
    ),
    (
        {"subnet": "10.1.0.0/24", "gateway": "10.1.0.255"},
        ErrorCode.INVALID,
        "network boot: gateway 10.1.0.255 holds 10.1.0.255, which names all of 10.1.0.0/24",
    ),
    (
        {"subnet": "10.1.0.0/24", "dynamic_range": "10.1.0.200-10.1.1.10"},
        ErrorCode.INVALID,
        "network boot: dynamic_range 10.1.0.200-10.1.1.10 is not inside 10.1.0.0/24",
    ),
    (
        {"subnet": "10.1.0.0/24", "dynamic_range": "10.0.255.200-10.1.0.10"},
        ErrorCode.INVALID,
        "network boot: dynamic_range 10.0.255.200-10.1.0.10 is not inside 10.1.0.0/24",
    ),
    (
        {"subnet": "10.1.0.0/24", "dynamic_range": "10.1.0.9-fd00::1"},
        ErrorCode.INVALID,
        "network boot: dynamic_range 10.1.0.9-fd00::1 is not inside 10.1.0.0/24",
    ),
    (
        {"subnet": "10.1.0.0/24", "dynamic_range": "10.1.0.100-10.1.0.255"},
        ErrorCode.INVALID,
        "network boot: dynamic_range 10.1.0.100-10.1.0.255 holds 10.1.0.255, which names all of 10.1.0.0/24",
    ),
    (
        {"subnet": "10.1.0.0/24", "dynamic_range": "10.1.0.0-10.1.0.9"},
        ErrorCode.INVALID,
        "network boot: dynamic_range 10.1.0.0-10.1.0.9 holds 10.1.0.0, which names all of 10.1.0.0/24",
    ),
    (
        {"subnet": "10.1.0.0/24", "gateway": "10.1.0.100", "dynamic_range": "10.1.0.100-10.1.0.200"},
        ErrorCode.CONFLICT,
        "network boot: gateway 10.1.0.100 lies in its dynamic range 10.1.0.100-10.1.0.200",
    ),
]


@pytest.mark.parametrize(("values", "code", "says"), ITSELF)
def test_a_network_that_contradicts_itself(values: dict[str, Any], code: ErrorCode, says: str) -> None:
    with store() as opened, pytest.raises(MetalError) as caught:
        Networks(opened).put("boot", values)
    assert (caught.value.code, caught.value.message) == (code, says)
    assert events() == []


def test_where_each_address_is_a_hosts() -> None:
    with store() as opened:
        networks = Networks(opened)
        networks.put("link", {"subnet": "10.9.0.0/31", "gateway": "10.9.0.0", "dynamic_range": "10.9.0.1-10.9.0.1"})
        networks.put("one", {"subnet": "10.9.1.1/32", "gateway": "10.9.1.1"})
        networks.put("six", {"subnet": "fd00::/64", "gateway": "fd00::", "dynamic_range": "fd00::1:0-fd00::1:ffff"})
        assert list(networks.all()) == ["link", "one", "six"]


OVERLAPS = [
    ("10.1.0.0/16", "10.1.0.0/16"),
    ("10.1.0.0/16", "10.1.7.0/24"),
    ("10.1.7.0/24", "10.1.0.0/16"),
    ("10.1.0.0/16", "0.0.0.0/0"),
    ("10.1.0.0/16", "10.1.255.255/32"),
    ("fd00::/48", "fd00::/64"),
]


@pytest.mark.parametrize(("one", "other"), OVERLAPS)
def test_networks_do_not_overlap(one: str, other: str) -> None:
    with store() as opened:
        networks = Networks(opened)
        networks.put("a", {"subnet": one})
        networks.put("far", {"subnet": "192.168.0.0/24"} if other != "0.0.0.0/0" else {"subnet": "fd07::/64"})
        with pytest.raises(MetalError, match=r"^network [ab] \S+ overlaps network [ab] \S+$") as caught:
            networks.put("b", {"subnet": other})
    assert caught.value.code is ErrorCode.CONFLICT
    assert one in caught.value.message
    assert other in caught.value.message


def test_neighbours_and_the_other_version_do_not_overlap() -> None:
    with store() as opened:
        subnets = {"a": "10.1.0.0/24", "b": "10.1.1.0/24", "c": "10.0.255.0/24", "six": "::/0", "d": "10.1.2.0/31"}
        Networks(opened).put_many({name: {"subnet": subnet} for name, subnet in subnets.items()})
        assert {name: body["subnet"] for name, body in Networks(opened).all().items()} == subnets


def test_two_networks_can_swap_their_subnets_at_once() -> None:
    with store() as opened:
        networks = Networks(opened)
        networks.put_many({"a": {"subnet": "10.1.0.0/24"}, "b": {"subnet": "10.2.0.0/24"}})
        networks.put_many({"a": {"subnet": "10.2.0.0/24"}, "b": {"subnet": "10.1.0.0/24"}})
        assert networks.all()["a"] == {"subnet": "10.2.0.0/24"}


def test_what_is_not_named_stays_and_null_and_unset_take_away() -> None:
    with store("tester") as opened:
        networks = Networks(opened)
        networks.put("boot", {"subnet": "10.1.0.0/16", "vlan": 7, "gateway": "10.1.0.1", "dns": ["10.0.0.1"]})
        assert networks.put("boot", {"vlan": 8}).changed is True
        assert networks.put("boot", {"vlan": "8"}).changed is False
        networks.put("boot", {"gateway": None}, unset=["dns"])
        assert networks.all() == {"boot": {"subnet": "10.1.0.0/16", "vlan": 8}}
        networks.put("boot", {"ntp": ["10.0.0.9"], "domain": "example.com"})
        networks.put("boot", {"ntp": [], "domain": ""})
        assert networks.all() == {"boot": {"subnet": "10.1.0.0/16", "vlan": 8}}
        with pytest.raises(MetalError, match=r"^network boot has no subnet; write one"):
            networks.put("boot", {"subnet": None})
        assert networks.remove("boot").changed is True
        assert networks.remove("boot").changed is False
    assert [(event["who"], event["what"]) for event in events("boot")] == [
        ("tester", "network added"),
        ("tester", "network changed"),
        ("tester", "network changed"),
        ("tester", "network changed"),
        ("tester", "network changed"),
        ("tester", "network removed"),
    ]


def test_what_a_subnet_that_moves_leaves_behind() -> None:
    with store() as opened:
        networks = Networks(opened)
        networks.put("boot", {"subnet": "10.1.0.0/16", "gateway": "10.1.0.1"})
        with pytest.raises(MetalError, match=r"^network boot: gateway 10.1.0.1 is not inside 10.2.0.0/16$"):
            networks.put("boot", {"subnet": "10.2.0.0/16"})
        networks.put("boot", {"subnet": "10.2.0.0/16", "gateway": "10.2.0.1"})


IN_RANGE = (
    r"^n1: net.ip 10.1.0.150 lies in the dynamic range 10.1.0.100-10.1.0.200 of network boot, whose addresses DHCP "
)
BOOT = {"subnet": "10.1.0.0/24", "dynamic_range": "10.1.0.100-10.1.0.200"}


def test_a_network_cannot_take_a_nodes_address_into_its_range() -> None:
    with store() as opened:
        opened.put("node", "n1", Wish({"net.ip": "10.1.0.150"}))
        opened.put("node", "n2", Wish({"net.ip": "fd00::1"}))
        networks = Networks(opened)
        networks.put("boot", {"subnet": "10.1.0.0/24"})
        with pytest.raises(MetalError, match=IN_RANGE) as caught:
            networks.put("boot", BOOT)
        assert caught.value.code is ErrorCode.CONFLICT
        networks.put("boot", {"dynamic_range": "10.1.0.151-10.1.0.200"})
        opened.remove("node", "n1")
        networks.put("boot", BOOT)


@pytest.mark.parametrize(
    ("group", "own"),
    [
        ({}, "10.1.0.150"),
        ({"net.ip": "10.1.0.150"}, None),
        ({}, "10.1.0.{n1 + 149}"),
        ({"net.ip": "10.1.{n1-1}.150"}, None),
    ],
)
def test_a_node_cannot_take_an_address_of_a_range(group: dict[str, Any], own: str | None) -> None:
    with store() as opened:
        Networks(opened).put("boot", BOOT)
        opened.put("group", "g", Wish(group))
        with pytest.raises(MetalError, match=IN_RANGE):
            opened.put("node", "n1", Wish({"net.ip": own} if own else {}, groups=["g"]))
        opened.put("node", "n1", Wish({"net.ip": "10.1.0.99"}, groups=["g"]))
        if group:
            with pytest.raises(MetalError, match=IN_RANGE):
                opened.put("node", "n1", Wish(unset=["net.ip"]))


def test_a_group_cannot_give_its_nodes_an_address_of_a_range() -> None:
    with store() as opened:
        Networks(opened).put("boot", BOOT)
        opened.put("group", "g", Wish())
        opened.put("node", "n1", Wish(groups=["g"]))
        with pytest.raises(MetalError, match=IN_RANGE):
            opened.put("group", "g", Wish({"net.ip": "10.1.0.150"}))
        opened.put("group", "g", Wish({"net.ip": "10.1.0.201"}))
        assert opened.views(["n1"])["n1"]["net.ip"] == "10.1.0.201"


def test_a_network_is_called_as_nodes_are() -> None:
    with store() as opened, pytest.raises(MetalError, match=r"^'Boot' cannot be the name of a network: use lower-case"):
        Networks(opened).put("Boot", {"subnet": "10.1.0.0/16"})
