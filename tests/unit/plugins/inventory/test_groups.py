# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory plugin: groups by what nodes are and how they fare, BMCs as hosts, and Ansible's own ways to make groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.inventory.manager import InventoryManager
from ansible_collections.stage0.metal.plugins.module_utils._deploy.deployments import Deployments
from ansible_collections.stage0.metal.plugins.module_utils._nodes import reading
from ansible_collections.stage0.metal.plugins.plugin_utils._inventory import hosts as rooms
from ansible_collections.stage0.metal.plugins.plugin_utils._inventory.groups import safe
from ansible_collections.stage0.metal.tests.unit.support import make_profile, make_rack, ok, store
from hypothesis import given
from hypothesis import strategies as st

from .reading import fails, put, read, variables


def members(inventory: InventoryManager) -> dict[str, list[str]]:
    """Return the groups that have hosts, but for Ansible's own, each with its hosts."""
    found = inventory.get_groups_dict()
    return {name: hosts for name, hosts in found.items() if hosts and name not in ("all", "ungrouped")}


def children(inventory: InventoryManager, name: str) -> list[str]:
    """Return the groups that are directly in the group."""
    return sorted(group.name for group in inventory.groups[name].child_groups)


# -- node groups ---------------------------------------------------------------------------------------------------


def test_two_groups_that_ansible_cannot_tell_apart(tmp_path: Path) -> None:
    make_rack(1)
    put("node", "r1n01", groups=["a-b", "a.b"])
    assert "groups 'a-b' and 'a.b' would both be called a_b in Ansible; rename one of them" in fails(tmp_path)


def test_a_group_that_would_be_called_like_a_host(tmp_path: Path) -> None:
    make_rack(1)
    put("node", "a_b", groups=["a-b"])
    assert "group 'a-b' would be called a_b in Ansible, as a node is; rename one of them" in fails(tmp_path)


def test_groups_that_begin_with_a_digit_or_are_empty(tmp_path: Path) -> None:
    make_rack(1)
    put("node", "r1n01", groups=["1st"])
    put("group", "empty")
    inventory = read(tmp_path)
    assert members(inventory) == {"_1st": ["r1n01"]}
    assert inventory.groups["empty"].hosts == []


def test_a_node_without_groups(tmp_path: Path) -> None:
    put("node", "n1")
    assert read(tmp_path).get_groups_dict()["ungrouped"] == ["n1"]


# -- group_by ------------------------------------------------------------------------------------------------------

PLACED = {
    "system.model": "PowerEdge R660",
    "system.manufacturer": "Dell Inc.",
    "location.room": "a",
    "location.row": "1",
    "location.rack": "r1",
    "location.chassis": "c/7",
}


def test_groups_by_attributes(tmp_path: Path) -> None:
    make_rack(2, **PLACED)
    put("node", "r1n02", {"system.model": None, "location.rack": "R-{n2}"})
    kinds = ["model", "manufacturer", "firmware", "driver", "room", "row", "rack", "chassis"]
    both = ["r1n01", "r1n02"]
    assert members(read(tmp_path, group_by=kinds)) == {
        "rack1": both,
        "model_poweredge_r660": ["r1n01"],
        "manufacturer_dell_inc_": both,
        "firmware_uefi": both,
        "driver_ipmi": both,
        "room_a": both,
        "row_1": both,
        "rack_r1": ["r1n01"],
        "rack_r_2": ["r1n02"],
        "chassis_c_7": both,
    }


@pytest.mark.parametrize(
    ("value", "group"),
    [
        ("1", "rack_1"),
        ("Halle 3 / links", "rack_halle_3_links"),
        ("Zürich", "rack_zürich"),
        ("東京", "rack_東京"),
        ("---", "rack__"),
        ("²", "rack_²"),
        ("A_B", "rack_a_b"),
        ("🙂", "rack__"),
        ("{{{{ 6 * 7 }}}}", "rack__6_7_"),
    ],
)
def test_values_as_names_of_groups(tmp_path: Path, value: str, group: str) -> None:
    put("node", "n1", {"location.rack": value})
    assert members(read(tmp_path, group_by=["rack"])) == {group: ["n1"]}
    assert members(read(tmp_path, hierarchy=True)) == {group: ["n1"]}


@given(st.text(min_size=1, max_size=30))
def test_a_name_of_a_group_is_one_for_ansible(text: str) -> None:
    from ansible.constants import INVALID_VARIABLE_NAMES

    assert not INVALID_VARIABLE_NAMES.search(safe(f"rack_{text}"))
    assert safe(safe(text)) == safe(text)


def test_values_that_differ_in_case_only_share_a_group(tmp_path: Path) -> None:
    for name, model in (("n1", "PowerEdge R660"), ("n2", "POWEREDGE-R660")):
        put("node", name, {"system.model": model})
    assert members(read(tmp_path, group_by=["model"])) == {"model_poweredge_r660": ["n1", "n2"]}


@pytest.mark.parametrize(
    ("options", "group"),
    [
        ({"group_by": ["rack"]}, "rack-r1"),
        ({"hierarchy": True}, "room_a_row_1_rack_r1"),
        ({"bmc_hosts": True}, "bmcs"),
    ],
)
def test_a_group_that_a_node_group_is_called_like(tmp_path: Path, options: dict[str, Any], group: str) -> None:
    make_rack(1, **PLACED)
    put("group", group)
    option = next(iter(options))
    assert (
        f"{option} would make a group {safe(group)}, and that is the node group {group!r}; "
        f"rename that, or do without {option}"
    ) in fails(tmp_path, **options)
    assert group.replace("-", "_") in read(tmp_path).groups


def test_a_group_that_a_node_is_called_like(tmp_path: Path) -> None:
    put("node", "rack_r1", {"location.rack": "r1"})
    sentence = "'rack_r1' would be the name of a host and of a group; rename one of them, or make other groups"
    assert sentence in fails(tmp_path, group_by=["rack"])
    keyed = [{"key": "metal_location_rack", "prefix": "rack"}]
    assert sentence in fails(tmp_path, keyed_groups=keyed)


# -- hierarchy -----------------------------------------------------------------------------------------------------


def test_rooms_rows_and_racks_contain_each_other(tmp_path: Path) -> None:
    for name, room, row, rack in (
        ("n1", "a", "1", "r1"),
        ("n2", "b", "1", "r1"),
        ("n3", "a", "2", "r1"),
        ("n4", "a", None, "r9"),
        ("n5", None, None, "r1"),
        ("n6", "a", "1", None),
        ("n7", None, None, None),
    ):
        put("node", name, {"location.room": room, "location.row": row, "location.rack": rack})
    inventory = read(tmp_path, hierarchy=True)
    direct = {name: [host.name for host in group.hosts] for name, group in inventory.groups.items() if group.hosts}
    assert direct == {
        "ungrouped": ["n7"],
        "room_a_row_1_rack_r1": ["n1"],
        "room_b_row_1_rack_r1": ["n2"],
        "room_a_row_2_rack_r1": ["n3"],
        "room_a_rack_r9": ["n4"],
        "rack_r1": ["n5"],
        "room_a_row_1": ["n6"],
    }
    assert sorted(members(inventory)["room_a"]) == ["n1", "n3", "n4", "n6"]
    assert children(inventory, "room_a") == ["room_a_rack_r9", "room_a_row_1", "room_a_row_2"]
    assert children(inventory, "room_a_row_1") == ["room_a_row_1_rack_r1"]


# -- state ---------------------------------------------------------------------------------------------------------


def test_groups_and_variables_by_state(tmp_path: Path) -> None:
    make_rack(3)
    make_profile(tmp_path / "esxi-8.0.iso", name="esxi8")
    ok("arm", nodes=["r1n01"], profile="esxi8")
    with store() as opened:
        opened.observe("power", {"r1n02": "on"})
    inventory = read(tmp_path, group_by=["deployment", "profile", "image", "power"])
    assert members(inventory) == {
        "rack1": ["r1n01", "r1n02", "r1n03"],
        "deployment_armed": ["r1n01"],
        "profile_esxi8": ["r1n01"],
        "image_esxi_8_0_iso": ["r1n01"],
        "power_on": ["r1n02"],
    }
    found = variables(inventory, "r1n01")
    state = ("metal_deployment_state", "metal_deployment_profile", "metal_deployment_image")
    assert [found[name] for name in state] == ["armed", "esxi8", "esxi-8.0.iso"]
    assert variables(inventory, "r1n02")["metal_power"] == "on"
    assert isinstance(variables(inventory, "r1n02")["metal_power_at"], int)
    named = {*state, "metal_power", "metal_power_at"}
    assert not named & variables(inventory, "r1n03").keys()
    assert not named & variables(read(tmp_path), "r1n01").keys()
    assert variables(read(tmp_path, state=True), "r1n01")["metal_deployment_state"] == "armed"


def test_the_state_of_many_nodes_is_read_in_few_statements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_rack(6)
    with store() as opened:
        opened.observe("power", {"r1n01": "on", "r1n06": "off"})
    monkeypatch.setattr(rooms, "STREAM", 2)
    asked: list[str] = []
    monkeypatch.setattr(reading.Reader, "known", _counted(reading.Reader.known, asked))
    monkeypatch.setattr(Deployments, "latest", _counted(Deployments.latest, asked))
    inventory = read(tmp_path, group_by=["power"], bmc_hosts=True)
    assert members(inventory)["power_off"] == ["r1n06"]
    assert len(members(inventory)["bmcs"]) == 6
    assert asked.count("latest") == 3
    assert asked.count("known") < 10


def _counted(method: Any, asked: list[str]) -> Any:
    def counted(*arguments: Any) -> Any:
        asked.append(method.__name__)
        return method(*arguments)

    return counted


# -- BMCs as hosts -------------------------------------------------------------------------------------------------


def test_bmcs_as_hosts(tmp_path: Path) -> None:
    make_rack(2)
    put("node", "r1n02", {"bmc.address": None})
    inventory = read(tmp_path, bmc_hosts=True, secrets=["bmc.password", "deploy.root_password_hash"])
    assert sorted(inventory.hosts) == ["r1n01", "r1n01-bmc", "r1n02"]
    assert members(inventory)["bmcs"] == ["r1n01-bmc"]
    assert variables(inventory, "r1n01-bmc") == {
        "ansible_host": "10.2.1.1",
        "metal_node": "r1n01",
        "metal_bmc_address": "10.2.1.1",
        "metal_bmc_port": 623,
        "metal_bmc_user": "admin",
        "metal_bmc_driver": "ipmi",
        "metal_bmc_password": "correct-horse-7",
    }
    assert "metal_bmc_password" not in variables(read(tmp_path, bmc_hosts=True), "r1n01-bmc")


@pytest.mark.parametrize(
    ("rule", "name"),
    [("bmc-{node}.example.com", "bmc-r1n01.example.com"), ("bmc.address", "10.2.1.1"), ("site.bmc", "b1")],
)
def test_what_bmcs_are_called(tmp_path: Path, rule: str, name: str) -> None:
    make_rack(1, **{"site.bmc": "b{n1}"})
    assert name in read(tmp_path, bmc_hosts=True, bmc_name=rule).hosts


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("{node}", "r1n01: its BMC would be called r1n01, as a node is; change bmc_name"),
        ("r1n{n2:02d}", "r1n01: its BMC would be called r1n01, as a node is; change bmc_name"),
        ("bmc.user", "r1n02: its BMC would be called admin, as that of r1n01 is; change bmc_name"),
        ("net.hostname", "r1n01: its BMC would be called None, which is no name for a host; change bmc_name"),
        ("{n2}", "r1n01: its BMC would be called 1, which is no name for a host; change bmc_name"),
        ("{node} bmc", "r1n01: its BMC would be called 'r1n01 bmc', which is no name for a host; change bmc_name"),
        ("site.local", "r1n01: its BMC would be called 'localhost', which is no name for a host; change bmc_name"),
        ("{n9}-bmc", "r1n01: '{n9}-bmc' needs n9, but the name r1n01 has 2 numbers only"),
        ("{net.hostname}-bmc", "r1n01: '{net.hostname}-bmc' needs net.hostname, which is not set"),
        ("bmcs{n9}", "r1n01: 'bmcs{n9}' needs n9, but the name r1n01 has 2 numbers only"),
    ],
)
def test_names_that_bmcs_cannot_have(tmp_path: Path, rule: str, sentence: str) -> None:
    make_rack(2, **{"site.local": "localhost"})
    assert sentence in fails(tmp_path, bmc_hosts=True, bmc_name=rule)


# -- Ansible's own ways --------------------------------------------------------------------------------------------


def test_constructed_groups_and_variables(tmp_path: Path) -> None:
    make_rack(3, **{"site.owner": "ops", "net.dns": "10.0.0.1, 10.0.0.2"})
    put("node", "r1n02", {"site.owner": "lab"})
    inventory = read(
        tmp_path,
        compose={"url": "'https://' ~ metal_bmc_address", "missing": "nothing.here"},
        groups={"labs": "metal_site_owner == 'lab'"},
        keyed_groups=[
            {"key": "metal_site_owner", "prefix": "owner", "parent_group": "owners"},
            {"key": "metal_net_dns", "prefix": "dns"},
        ],
    )
    groups = members(inventory)
    assert groups["labs"] == ["r1n02"]
    assert (groups["owner_ops"], groups["owner_lab"]) == (["r1n01", "r1n03"], ["r1n02"])
    assert children(inventory, "owners") == ["owner_lab", "owner_ops"]
    assert sorted(name for name in groups if name.startswith("dns_")) == ["dns_10_0_0_1", "dns_10_0_0_2"]
    host = inventory.get_host("r1n03")
    assert host is not None
    assert host.vars["url"] == "https://10.2.1.3"
    assert "missing" not in host.vars


def test_constructed_is_strict_if_asked(tmp_path: Path) -> None:
    make_rack(1)
    assert "missing for host r1n01" in fails(tmp_path, strict=True, compose={"missing": "nothing.here"})
