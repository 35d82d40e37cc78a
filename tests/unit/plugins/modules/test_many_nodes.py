# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every option of node and group that is about more than one node: check, real run and second run agree."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stage0.metal.tests.unit.support import (
    PASSWORD,
    begin_installing,
    events,
    make_profile,
    make_rack,
    ok,
    refused,
    run_module,
    store,
    three_runs,
)


def groups() -> dict[str, list[str]]:
    """Return all nodes with their groups."""
    return {name: body["groups"] for name, body in ok("node_info")["nodes"].items()}


def test_brackets_spell_out_names() -> None:
    real = three_runs("node", name="r[1-2]n[01-03]", groups=["compute"], attributes={"bmc.address": "10.2.{n1}.{n2}"})
    assert real["summary"] == {
        "total": 6,
        "unchanged": 0,
        "added": 6,
        "changed": 0,
        "removed": 0,
        "added_range": "r[1-2]n[01-03]",
        "changed_range": "",
        "removed_range": "",
    }
    assert "node" not in real
    found = ok("node_info", nodes=["r2n03"], attributes=["bmc.address"])["nodes"]["r2n03"]
    assert found == {"groups": ["compute"], "values": {"bmc.address": "10.2.2.3"}, "origins": {"bmc.address": "node"}}


@pytest.mark.parametrize(
    "name", ["n[1-4]", "n1-n4", ["n1", "n[2-4]"], ["n1,n2", "n3-n4"], ["n[1-6]", "-n[5-6]"], "n1,n2,n3,n4"]
)
def test_the_ways_to_name_four(name: Any) -> None:
    assert three_runs("node", name=name)["summary"]["added_range"] == "n[1-4]"


def test_a_name_with_dashes_is_a_name() -> None:
    assert three_runs("node", name=["rack-1-node", "a-1"])["summary"]["added_range"] == "a-1,rack-1-node"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("all", "name spells out names, as in r1n[01-20]; what selects among nodes belongs into the option nodes"),
        ("/n.*/", "name spells out names, as in r1n[01-20]"),
        ("location.rack==r1", "name spells out names, as in r1n[01-20]"),
        ("n[3-1]", "noderange 'n[3-1]': character 3: '3-1' descends; write the smaller number first"),
        ("n[1-2", "noderange 'n[1-2'"),
        ("N[1-2]", "'N1' cannot be the name of a node"),
        ("n[1-2000000]", "noderange 'n[1-2000000]'"),
        ("n1,-n1", "noderange 'n1,-n1' names no node"),
        ([], ""),
    ],
)
def test_names_that_are_refused(name: Any, says: str) -> None:
    assert says in refused("node", name=name)["msg"]
    assert groups() == {}


def test_nodes_selects_among_those_that_exist() -> None:
    make_rack(4)
    ok("node", name="lone")
    real = three_runs("node", nodes=["rack1,-r1n04", "lone"], attributes={"location.room": "B2"})
    assert (real["summary"]["changed_range"], real["summary"]["total"]) == ("lone,r1n[01-03]", 4)
    assert "there is no node or group named 'r1n05'" in refused("node", nodes=["r1n05"])["msg"]
    assert ok("node", nodes=["location.room==B2"], unset=["location.room"])["summary"]["changed"] == 4
    assert three_runs("node", nodes=["all"], attributes={"location.room": None})["summary"]["changed"] == 5


def test_exactly_one_of_name_and_nodes() -> None:
    assert "mutually exclusive" in run_module("node", name="n1", nodes=["n1"])["msg"]
    assert "one of the following is required: name, nodes" in run_module("node", attributes={"site.x": "y"})["msg"]


def test_groups_are_set_appended_and_removed() -> None:
    ok("node", name="n1", groups=["a", "b"])
    ok("node", name="n2", groups=["b", "c"])
    ok("node", name="n3")
    three_runs("node", nodes=["all"], groups=["c", "d"], groups_mode="append")
    assert groups() == {"n1": ["a", "b", "c", "d"], "n2": ["b", "c", "d"], "n3": ["c", "d"]}
    three_runs("node", nodes=["all"], groups=["c", "a"], groups_mode="remove")
    assert groups() == {"n1": ["b", "d"], "n2": ["b", "d"], "n3": ["d"]}
    three_runs("node", nodes=["n[1-2]"], groups=["d", "b", "d"])
    assert groups() == {"n1": ["d", "b"], "n2": ["d", "b"], "n3": ["d"]}
    three_runs("node", nodes=["all"], groups=[])
    assert groups() == {"n1": [], "n2": [], "n3": []}
    assert three_runs("node", name="n[3-4]", groups=["e"], groups_mode="append")["summary"]["added_range"] == "n4"
    assert groups()["n4"] == ["e"]
    assert ok("node", nodes=["all"], groups=["nobody"], groups_mode="remove")["changed"] is False


def test_a_wrong_group_changes_nothing() -> None:
    ok("node", name="n[1-2]", groups=["a"])
    for mode in ("set", "append", "remove"):
        said = refused("node", nodes=["all"], groups=["b", "-x"], groups_mode=mode)["msg"]
        assert said.startswith("'-x' cannot be the name of a group")
    assert groups() == {"n1": ["a"], "n2": ["a"]}


def test_detail_says_which_nodes_the_result_lists() -> None:
    ok("node", name="n[1-3]")
    ok("node", name="n1", attributes={"site.x": "y"})
    listed = {}
    for detail in ("all", "changed", "none"):
        real = ok("node", nodes=["all"], attributes={"site.x": "y"}, detail=detail, check=True)
        assert real["summary"]["changed_range"] == "n[2-3]"
        listed[detail] = list(real["nodes"])
    assert listed == {"all": ["n1", "n2", "n3"], "changed": ["n2", "n3"], "none": []}
    told = ok("node", nodes=["all"], attributes={"site.x": "y"})["nodes"]
    assert told["n1"] == {"changed": False, "groups": [], "values": {"site.x": "y"}}
    assert told["n2"]["changed"] is True


@pytest.mark.parametrize("given", [{"name": "n[1-3]"}, {"nodes": ["all"]}])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_max_nodes_refuses_what_is_larger_than_meant(given: dict[str, Any], state: str) -> None:
    ok("node", name="n[1-3]")
    said = refused("node", **given, state=state, max_nodes=2)["msg"]
    assert said == "the task means 3 nodes, more than its max_nodes 2"
    assert list(groups()) == ["n1", "n2", "n3"]
    ok("node", **given, state=state, max_nodes=3)


def test_many_are_removed_or_none() -> None:
    make_rack(3)
    real = three_runs("node", name="r1n[01-02],r1n09", state="absent")
    assert (real["summary"]["removed_range"], real["summary"]["unchanged"]) == ("r1n[01-02]", 1)
    assert list(groups()) == ["r1n03"]
    with store() as opened:
        assert opened.owner_of("net.ip", "10.1.1.1") is None


def test_one_that_is_wrong_stops_all() -> None:
    make_rack(3)
    before = ok("node_info", show=["own"])["nodes"]
    told = len(events())
    said = refused("node", nodes=["rack1"], attributes={"net.ip": "10.1.1.1"})["msg"]
    assert said == "r1n03: net.ip 10.1.1.1 is already that of node r1n02"
    said = refused("node", name="r1n01,spare", attributes={"location.u": "{n2}"})["msg"]
    assert said == "spare: location.u '{n2}': needs n2, but the name spare has no number"
    assert ok("node_info", show=["own"])["nodes"] == before
    assert len(events()) == told


def test_addresses_move_along_a_rack() -> None:
    make_rack(3)
    real = three_runs("node", nodes=["rack1"], attributes={"net.ip": "10.1.1.{n2 + 1}"})
    assert real["summary"]["changed"] == 3
    with store() as opened:
        assert [opened.owner_of("net.ip", f"10.1.1.{number}") for number in (1, 2, 3, 4)] == [
            None,
            "r1n01",
            "r1n02",
            "r1n03",
        ]


# -- renamed ---------------------------------------------------------------------------------------------------------------


def test_a_node_gets_another_name_and_keeps_all_it_has(tmp_path: Any) -> None:
    make_rack(2)
    make_profile(tmp_path / "media")
    before = ok("node_info", nodes=["r1n01"], show=["values", "own"])["nodes"]["r1n01"]
    real = three_runs("node", name="r1n01", state="renamed", new_name="spare7")
    assert real["node"]["name"] == "spare7"
    assert (real["diff"]["before"]["name"], real["diff"]["after"]["name"]) == ("r1n01", "spare7")
    assert ok("node_info", show=["values", "own"])["nodes"]["spare7"] == before
    with store() as opened:
        assert opened.owner_of("net.ip", "10.1.1.1") == "spare7"
        assert opened.views(["spare7"])["spare7"]["bmc.password"] == PASSWORD
    assert [event["what"] for event in events("spare7")] == ["node changed"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"name": "r1n01", "new_name": "r1n02"}, "'r1n01' cannot be renamed to 'r1n02': there is such a node already"),
        ({"name": "r1n01", "new_name": "rack1"}, "'rack1' cannot be a node: it is a group already"),
        ({"name": "r1n01", "new_name": "R1"}, "'R1' cannot be the name of a node"),
        ({"name": "r1n09", "new_name": "x"}, "there is no node named 'r1n09' that could be renamed to 'x'"),
        ({"nodes": ["rack1"], "new_name": "x"}, "2 nodes cannot all be renamed to 'x'; name one"),
        ({"nodes": ["rack9"], "new_name": "x"}, "there is no node or group named 'rack9'"),
    ],
)
def test_names_that_cannot_be_given(arguments: dict[str, Any], says: str) -> None:
    make_rack(2)
    assert says in refused("node", state="renamed", **arguments)["msg"]
    assert list(groups()) == ["r1n01", "r1n02"]


def test_an_expression_that_does_not_fit_the_new_name() -> None:
    ok("group", name="g", attributes={"net.ip": "10.0.0.{n1}"})
    ok("node", name="n1", groups=["g"])
    said = refused("node", name="n1", state="renamed", new_name="spare")["msg"]
    assert "net.ip '10.0.0.{n1}' of group:g: needs n1, but the name spare has no number" in said
    three_runs("node", name="n1", state="renamed", new_name="n2")
    with store() as opened:
        assert (opened.owner_of("net.ip", "10.0.0.1"), opened.owner_of("net.ip", "10.0.0.2")) == (None, "n2")


def test_a_node_that_is_being_installed_keeps_its_name(tmp_path: Any) -> None:
    make_rack(1)
    make_profile(tmp_path / "media")
    ok("arm", nodes=["r1n01"], profile="lab")
    begin_installing("r1n01")
    said = refused("node", name="r1n01", state="renamed", new_name="x")["msg"]
    assert said.startswith("r1n01: it is booting, and its installer knows it by this name; wait for it, or disarm it")


def test_new_name_is_needed_for_a_new_name() -> None:
    assert (
        "state is renamed but all of the following are missing: new_name"
        in run_module("node", name="n1", state="renamed")["msg"]
    )
    assert (
        "state is renamed but all of the following are missing: new_name"
        in run_module("group", name="g", state="renamed")["msg"]
    )


def test_a_group_gets_another_name_and_keeps_its_nodes() -> None:
    make_rack(2)
    ok("node", name="r1n02", groups=["first", "rack1", "last"])
    real = three_runs("group", name="rack1", state="renamed", new_name="row1")
    assert real["group"]["name"] == "row1"
    assert groups() == {"r1n01": ["row1"], "r1n02": ["first", "row1", "last"]}
    assert ok("node_info", nodes=["row1"], attributes=["bmc.user"])["nodes"]["r1n02"]["origins"] == {
        "bmc.user": "group:row1"
    }
    assert "there is such a group already" in refused("group", name="row1", state="renamed", new_name="last")["msg"]
    assert "'r1n01' cannot be a group" in refused("group", name="row1", state="renamed", new_name="r1n01")["msg"]
    assert "there is no group named 'rack7'" in refused("group", name="rack7", state="renamed", new_name="x")["msg"]


# -- groups ----------------------------------------------------------------------------------------------------------------


def test_what_a_group_gives_is_checked_for_each_of_its_nodes() -> None:
    ok("node", name="n[1-3],spare", groups=["g"])
    said = refused("group", name="g", attributes={"net.ip": "10.0.0.{n1}"})["msg"]
    assert said == "spare: net.ip '10.0.0.{n1}' of group:g: needs n1, but the name spare has no number"
    said = refused("group", name="g", attributes={"net.ip": "10.0.0.7"})["msg"]
    assert "net.ip 10.0.0.7 is already that of node n1" in said
    ok("node", name="spare", attributes={"net.ip": None})
    three_runs("group", name="g", attributes={"net.ip": "10.0.0.{n1}"})
    said = refused("group", name="g", attributes={"net.ip": "10.0.0.{n1 * 200}"})["msg"]
    assert said.startswith("n2: net.ip '10.0.0.{n1 * 200}' of group:g: '10.0.0.400' is not an IP address")


def test_a_group_that_an_expression_needs_cannot_go() -> None:
    ok("group", name="g", attributes={"site.base": "7"})
    ok("node", name="n1", groups=["g"], attributes={"site.x": "{site.base}"})
    said = refused("group", name="g", state="absent")["msg"]
    assert "n1: site.x '{site.base}'" in said
    assert "site.base" in refused("group", name="g", unset=["site.base"])["msg"]
    assert "site.base" in refused("node", name="n1", groups=[])["msg"]
    three_runs("node", name="n1", unset=["site.x"])
    three_runs("group", name="g", state="absent")
    assert groups() == {"n1": []}
