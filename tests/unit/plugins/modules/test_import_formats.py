# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What node_import does with what was there before, in each state and format; and that documents survive the way there."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._module.run import execute
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.networks import Networks
from ansible_collections.stage0.metal.plugins.module_utils._nodes.reading import Record
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store, Wish
from ansible_collections.stage0.metal.plugins.module_utils._operations.exchange import node_export, node_import
from ansible_collections.stage0.metal.tests.unit.support import (
    PASSWORD,
    events,
    ok,
    refused,
    run_module,
    store,
    three_runs,
)
from hypothesis import given
from hypothesis import strategies as st

HEAD = "format: stage0.metal\nversion: 1\n"
CSV = "name,groups,bmc.user,net.gateway\ngroup:rack1,,admin,\nn1,rack1;esx,,{null}\nn2,,root,\n"
YAML = (
    "format: stage0.metal\nversion: 1\ngroups:\n  rack1: {bmc.user: 'admin'}\n"
    "nodes:\n  n1: {groups: [rack1, esx], values: {net.gateway: null}}\n  n2: {values: {bmc.user: root}}\n"
)


@pytest.fixture(params=["csv", "yaml"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The same nodes in either format."""
    found = tmp_path / f"site.{request.param}"
    found.write_text({"csv": CSV, "yaml": YAML}[request.param])
    return found


def make_former() -> None:
    """Make what is there before the import."""
    ok("group", name="rack1", attributes={"location.rack": "1"})
    ok("node", name="n1", groups=["old"], attributes={"bmc.port": 7}, secrets={"bmc.password": PASSWORD})
    ok("node", name="n2", groups=["old"], attributes={"bmc.user": "root"})
    ok("node", name="n3", attributes={"site.x": "stays or goes"})


def documents() -> dict[str, Any]:
    """Return the own groups and values of all nodes and groups."""
    with store() as opened:
        nodes = opened.records("node", opened.node_names())
        groups = opened.records("group", opened.group_names())
        return {
            **{name: (list(record.groups), sorted(record.values)) for name, record in nodes.items()},
            **{f"group:{name}": sorted(record.values) for name, record in groups.items()},
        }


def test_merged_keeps_what_the_file_does_not_say(path: Path) -> None:
    make_former()
    real = three_runs("node_import", path=str(path))
    assert (real["summary"]["changed_range"], real["summary"]["unchanged"]) == ("n1", 1)
    assert (real["groups"]["changed_range"], real["groups"]["total"]) == ("rack1", 1)
    assert documents() == {
        "n1": (["rack1", "esx"], ["bmc.password", "bmc.port", "net.gateway"]),
        "n2": (["old"], ["bmc.user"]),
        "n3": ([], ["site.x"]),
        "group:esx": [],
        "group:old": [],
        "group:rack1": ["bmc.user", "location.rack"],
    }


def test_replaced_makes_nodes_and_groups_what_the_file_says(path: Path) -> None:
    make_former()
    real = three_runs("node_import", path=str(path), state="replaced")
    assert (real["summary"]["changed_range"], real["summary"]["removed"]) == ("n[1-2]", 0)
    assert documents() == {
        "n1": (["rack1", "esx"], ["bmc.password", "net.gateway"]),
        "n2": ([], ["bmc.user"]),
        "n3": ([], ["site.x"]),
        "group:esx": [],
        "group:old": [],
        "group:rack1": ["bmc.user"],
    }


def test_overridden_removes_the_other_nodes(path: Path) -> None:
    make_former()
    real = three_runs("node_import", path=str(path), state="overridden")
    assert (real["summary"]["changed_range"], real["summary"]["removed_range"]) == ("n[1-2]", "n3")
    assert {kind: list(names) for kind, names in real["diff"]["after"].items()} == {
        "groups": ["rack1"],
        "nodes": ["n1", "n2"],
    }
    assert real["diff"]["before"]["nodes"]["n3"]["values"] == {"site.x": "stays or goes"}
    assert real["groups"]["removed_range"] == "old"
    assert documents() == {
        "n1": (["rack1", "esx"], ["bmc.password", "net.gateway"]),
        "n2": ([], ["bmc.user"]),
        "group:esx": [],
        "group:rack1": ["bmc.user"],
    }
    assert ok("node_info", show=["own"])["nodes"].keys() == {"n1", "n2"}
    assert [event["what"] for event in events("n3")] == ["node added", "node removed"]


def test_the_format_is_recognised_or_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "nodes.txt"
    path.write_text(CSV)
    said = refused("node_import", path=str(path))["msg"]
    assert (
        said
        == f"what format {path} is in is not plain to see; give format, one of csv, yaml, xcat, confluent, inventory"
    )
    assert (
        refused("node_import", path=f"{path}x")["msg"]
        == f"there is no file {path}x on the machine where the module runs"
    )
    three_runs("node_import", path=str(path), format="csv")


def test_networks_come_along(tmp_path: Path) -> None:
    path = tmp_path / "site.yml"
    path.write_text(HEAD + "networks:\n  boot: {subnet: 10.1.0.0/16, vlan: 7}\n  bmc: {subnet: 10.2.0.0/16}\n")
    real = three_runs("node_import", path=str(path))
    assert (real["networks"]["added_range"], real["summary"]["total"]) == ("bmc,boot", 0)
    path.write_text(HEAD + "networks:\n  boot: {vlan: 8}\n")
    assert three_runs("node_import", path=str(path))["diff"]["after"]["networks"]["boot"]["values"] == {
        "subnet": "10.1.0.0/16",
        "vlan": 8,
    }
    path.write_text(HEAD + "networks:\n  third: {subnet: 10.2.7.0/24}\nnodes:\n  n1: {}\n")
    assert "network third 10.2.7.0/24 overlaps network bmc 10.2.0.0/16" in refused("node_import", path=str(path))["msg"]
    assert ok("node_info")["count"] == 0


def networks() -> dict[str, Any]:
    """Return all networks."""
    with store() as opened:
        return Networks(opened).all()


def test_null_takes_away_from_a_network(tmp_path: Path) -> None:
    path = tmp_path / "site.yml"
    ok("network", name="boot", subnet="10.1.0.0/16", gateway="10.1.0.1", dns=["10.0.0.1"], vlan=7)
    path.write_text(f"{HEAD}networks:\n  boot: {{gateway: null, dns: []}}\n")
    three_runs("node_import", path=str(path))
    assert networks() == {"boot": {"subnet": "10.1.0.0/16", "vlan": 7}}


def test_replaced_makes_networks_what_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "site.yml"
    ok("network", name="boot", subnet="10.1.0.0/24", dynamic_range="10.1.0.100-10.1.0.200", vlan=7)
    ok("network", name="bmc", subnet="10.2.0.0/24")
    path.write_text(f"{HEAD}networks:\n  boot: {{subnet: 10.1.0.0/24, vlan: 5}}\n")
    real = three_runs("node_import", path=str(path), state="replaced")
    assert (real["networks"]["changed_range"], real["networks"]["removed"]) == ("boot", 0)
    assert networks() == {"bmc": {"subnet": "10.2.0.0/24"}, "boot": {"subnet": "10.1.0.0/24", "vlan": 5}}


def make_more() -> None:
    """Make what overridden may remove."""
    ok("network", name="boot", subnet="10.1.0.0/24")
    ok("network", name="bmc", subnet="10.2.0.0/24")
    ok("group", name="rack1")
    ok("group", name="rack2")
    ok("node", name="n1")


OVERRIDDEN: list[tuple[str, list[str], list[str]]] = [
    ("csv:name\nn1\n", ["bmc", "boot"], ["rack1", "rack2"]),
    ("csv:name\nn1\ngroup:rack1\n", ["bmc", "boot"], ["rack1"]),
    ("yml:nodes: {n1: {}}\n", ["bmc", "boot"], ["rack1", "rack2"]),
    ("yml:nodes: {n1: {groups: [rack2]}}\ngroups: {}\n", ["bmc", "boot"], ["rack2"]),
    ("yml:nodes: {n1: {}}\nnetworks:\n", [], ["rack1", "rack2"]),
    ("yml:nodes: {n1: {}}\nnetworks: {boot: {subnet: 10.1.0.0/24}}\ngroups: {rack1: {}}\n", ["boot"], ["rack1"]),
    # what goes makes room
    ("yml:nodes: {n1: {}}\nnetworks: {new: {subnet: 10.1.0.0/16}}\n", ["new"], ["rack1", "rack2"]),
    ("yml:nodes: {n1: {}, rack2: {groups: [rack1]}}\ngroups: {}\n", ["bmc", "boot"], ["rack1"]),
]


@pytest.mark.parametrize(("given", "left", "groups"), OVERRIDDEN)
def test_overridden_removes_what_the_file_can_tell_of(
    given: str, left: list[str], groups: list[str], tmp_path: Path
) -> None:
    make_more()
    form, text = given.split(":", 1)
    path = tmp_path / f"site.{form}"
    path.write_text(HEAD * (form == "yml") + text)
    ok("node_import", path=str(path), state="overridden")
    assert ok("node_import", path=str(path), state="overridden")["changed"] is False
    assert list(networks()) == left
    with store() as opened:
        assert opened.group_names() == groups


@pytest.mark.parametrize("text", ["name,net.mac\n", f"{HEAD}nodes: {{}}\n", f"{HEAD}groups: {{rack1: {{}}}}\n"])
def test_overridden_by_a_file_without_nodes_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / ("site.yml" if text.startswith("format") else "site.csv")
    path.write_text(text)
    ok("node", name="n[1-3]")
    said = refused("node_import", path=str(path), state="overridden", max_removed=99)["msg"]
    assert said == (
        f"{path} names no node, so that all 3 would be removed; if that is meant, do it with stage0.metal.node"
    )
    assert ok("node_info")["count"] == 3


def test_how_many_nodes_overridden_may_remove(tmp_path: Path) -> None:
    path = tmp_path / "site.csv"
    ok("node", name="n[1-24]")

    def overridden(kept: int, **more: Any) -> dict[str, Any]:
        path.write_text("name\n" + "".join(f"n{number}\n" for number in range(1, kept + 1)))
        return run_module("node_import", path=str(path), state="overridden", **more)

    assert overridden(11)["msg"] == (
        f"{path} leaves out 13 of 24 nodes, which would be removed; if that is meant, allow it by max_removed: 13 "
        "(it is 12 by default)"
    )
    assert overridden(23, max_removed=0)["msg"].endswith("allow it by max_removed: 1 (it is 0)")
    assert ok("node_info")["count"] == 24
    assert overridden(12)["summary"]["removed"] == 12
    assert overridden(2)["summary"]["removed"] == 10
    ok("node", name="n[1-24]")
    assert overridden(1, max_removed=23)["summary"]["removed"] == 23


def test_what_identifies_a_node_moves_to_another(tmp_path: Path) -> None:
    path = tmp_path / "nodes.csv"
    ok("node", name="n1", attributes={"net.mac": "52:54:00:00:00:01"})
    path.write_text("name,net.mac\nn2,52:54:00:00:00:01\n")
    three_runs("node_import", path=str(path), state="overridden")
    path.write_text("name,net.mac\nn2,52:54:00:00:00:02\nn3,52:54:00:00:00:01\n")
    three_runs("node_import", path=str(path))
    path.write_text("name\ngroup:n3\nn2\n")
    three_runs("node_import", path=str(path), state="overridden")
    assert documents() == {"n2": ([], []), "group:n3": []}


def test_networks_and_nodes_move_together(tmp_path: Path) -> None:
    """Neither order of the two would do: a range gives an address away, and takes one that its node gives away."""
    path = tmp_path / "site.yml"
    ok("network", name="boot", subnet="10.1.0.0/24", dynamic_range="10.1.0.100-10.1.0.200")
    ok("node", name="n1", attributes={"net.ip": "10.1.0.50"})
    body = "networks: {boot: {dynamic_range: 10.1.0.20-10.1.0.90}}\nnodes: {n1: {values: {net.ip: 10.1.0.150}}}\n"
    path.write_text(HEAD + body)
    three_runs("node_import", path=str(path))
    ok("node", name="n2", attributes={"net.ip": "10.1.0.15"})
    path.write_text(HEAD + body.replace("0.20-", "0.10-"))
    said = refused("node_import", path=str(path))["msg"]
    assert said.startswith("n2: net.ip 10.1.0.15 lies in the dynamic range 10.1.0.10-10.1.0.90 of network boot")
    path.write_text(HEAD + body.replace("0.150}", "0.30}"))
    said = refused("node_import", path=str(path))["msg"]
    assert said.startswith(f"{path}: (n1): net.ip 10.1.0.30 lies in the dynamic range 10.1.0.20-10.1.0.90 of network")
    assert networks() == {"boot": {"subnet": "10.1.0.0/24", "dynamic_range": "10.1.0.20-10.1.0.90"}}


def test_secrets_that_a_file_does_not_name_stay(tmp_path: Path) -> None:
    """With and without the column, an empty cell, a null, and a cipher."""
    site, path = tmp_path / "site.csv", tmp_path / "nodes.csv"
    ok("node", name="n1", secrets={"bmc.password": PASSWORD})
    ok("group", name="g1", secrets={"bmc.password": PASSWORD})
    ok("node_export", path=str(site), secrets="encrypted")
    for text in ("name\ngroup:g1\nn1\n", "name,bmc.password\ngroup:g1,\nn1,\n", site.read_text()):
        path.write_text(text)
        for state in ("merged", "replaced", "overridden"):
            assert ok("node_import", path=str(path), state=state)["changed"] is False
    path.write_text("name,bmc.password\ngroup:g1,{null}\nn1,another-1\n")
    three_runs("node_import", path=str(path), state="replaced")
    three_runs("node_import", path=str(site), state="replaced")
    with store() as opened:
        assert opened.views(["n1"])["n1"]["bmc.password"] == PASSWORD


def test_what_a_node_needs_may_stand_anywhere_in_the_file(tmp_path: Path) -> None:
    """A group's expression needs what the nodes bring, and a node's what its groups do; addresses move around."""
    path = tmp_path / "nodes.csv"
    path.write_text("name,groups,net.ip,site.base\nn1,g,,7\nn2,g,{site.base}.1.1.1,\ngroup:g,,10.0.0.{n1},10\n")
    real = three_runs("node_import", path=str(path))
    assert real["summary"]["added"] == 2
    values = ok("node_info", attributes=["net.ip"], show=["values"])["nodes"]
    assert [body["values"]["net.ip"] for body in values.values()] == ["10.0.0.1", "10.1.1.1"]
    path.write_text("name,net.ip\ngroup:g,10.0.0.{n1 % 2 + 1}\nn1,\nn2,{null}\n")
    three_runs("node_import", path=str(path))
    path.write_text("name,net.ip\ngroup:g,10.0.0.9\nn2,10.0.0.9\n")
    said = refused("node_import", path=str(path))["msg"]
    assert "net.ip 10.0.0.9 is already that of node n" in said


def test_an_expression_that_the_rest_of_the_site_does_not_fit(path: Path) -> None:
    """What the file gives a group has to be right for nodes that are not in the file, too."""
    ok("node", name="spare", groups=["rack1"])
    text = path.read_text().replace("admin", "user-{n1}")
    path.write_text(text)
    said = refused("node_import", path=str(path))["msg"]
    assert "spare" in said
    assert "bmc.user 'user-{n1}' of group:rack1: needs n1, but the name spare has no number" in said
    assert documents() == {"spare": (["rack1"], []), "group:rack1": []}


def test_a_node_that_is_a_group_already_and_the_other_way_round(path: Path) -> None:
    ok("group", name="n1")
    assert "'n1' cannot be a node: it is a group already" in refused("node_import", path=str(path))["msg"]
    ok("group", name="n1", state="absent")
    ok("node", name="rack1")
    assert "'rack1' cannot be a group: it is a node already" in refused("node_import", path=str(path))["msg"]
    with store() as opened:
        assert opened.node_names() == ["rack1"]


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\nb", "x" * 5000, "a\u2028b"])
def test_a_name_that_is_none_cannot_spoil_the_message(name: str, tmp_path: Path) -> None:
    path = tmp_path / "nodes.csv"
    path.write_text(f'name,net.mac\n"{name}",x\n', encoding="utf-8", newline="")
    said = refused("node_import", path=str(path))["msg"]
    assert said.startswith(f"{path}: line 2 ({name[:100]!r}): ")
    assert said.isprintable()


# -- documents there and back -------------------------------------------------------------------------------------------

LETTERS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl"], exclude_characters="{}\u2029"), min_size=1, max_size=12
)
TEXT = LETTERS.map(str.strip).filter(bool)
LITERAL = st.builds("{}{{{{{}}}}}".format, TEXT, st.integers(0, 9))
COMPUTED = st.sampled_from(["{node}", "{n1}", "x{n1:03d}-{location.rack}", "{n1 * 2 + 1}", "{{{n1}}}"])
ADDRESS = st.ip_addresses(v=4).map(str)
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "site.a": st.none() | TEXT | LITERAL | COMPUTED,
    "site.b_2": st.none() | TEXT | LITERAL,
    "custom.deep.name": TEXT | COMPUTED,
    "bmc.port": st.none() | st.integers(1, 65535),
    "net.dns": st.none() | st.lists(ADDRESS, max_size=3),
    "net.gateway": st.none() | ADDRESS,
    "net.netmask": st.integers(0, 32).map(str),
    "deploy.lock": st.none() | st.sampled_from(["locked", "unlocked", "auto"]),
}
OWN = st.fixed_dictionaries({}, optional=dict(VALUES))
GROUPS = ["g1", "g2", "rack-1", "a.b"]
SITE = st.fixed_dictionaries(
    {
        "groups": st.dictionaries(st.sampled_from(GROUPS), OWN),
        "nodes": st.dictionaries(
            st.sampled_from(["n1", "n2", "n10", "r1.example.org", "x-7"]),
            st.tuples(OWN, st.lists(st.sampled_from(GROUPS), unique=True)),
        ),
    }
)


def records(url: str) -> dict[str, Record]:
    """Return all that is stored."""
    with closing(open_database(url)) as database, database.read() as connection:
        opened = Store(connection, Keyring(), "test")
        return {**opened.records("group", opened.group_names()), **opened.records("node", opened.node_names())}


def operate(operation: Any, url: str, **parameters: Any) -> dict[str, Any]:
    result = execute(operation, {"database": url, **parameters}, check_mode=False, diff=False)
    assert not result.get("failed"), result["msg"]
    return result


@pytest.mark.sqlite
@given(site=SITE, form=st.sampled_from(["csv", "yaml"]))
def test_any_site_survives_export_and_import(site: dict[str, Any], form: str) -> None:
    with tempfile.TemporaryDirectory(prefix="stage0-") as folder:
        urls = [f"sqlite:///{folder}/{name}.db" for name in ("one", "other")]
        file, again = Path(folder) / "site", Path(folder) / "again"
        with closing(open_database(urls[0])) as database, database.write() as connection:
            opened = Store(connection, Keyring(), "test")
            opened.put_many(
                "group", {name: Wish({"location.rack": "r", **values}) for name, values in site["groups"].items()}
            )
            everyone = {
                name: Wish({"location.rack": "r", **values}, groups=groups)
                for name, (values, groups) in site["nodes"].items()
            }
            opened.put_many("node", everyone)
        before = records(urls[0])
        operate(node_export, urls[0], path=str(file), format=form, nodes=["all"], secrets="omit", force=False)
        operate(node_import, urls[1], path=str(file), format=form, state="merged")
        assert records(urls[1]) == before
        for state in ("merged", "replaced", "overridden"):
            for url in urls:
                parameters = {"path": str(file), "format": form, "state": state, "max_removed": None}
                assert operate(node_import, url, **parameters)["changed"] is False
        operate(node_export, urls[1], path=str(again), format=form, nodes=["all"], secrets="omit", force=False)
        assert again.read_bytes() == file.read_bytes()
