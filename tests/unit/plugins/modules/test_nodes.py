# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The modules node, group, node_info and node_import, run for real on a database of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.tests.unit.support import events, make_rack, ok, refused, three_runs

MASK = "********"


def test_a_group_is_made_changed_and_removed() -> None:
    real = three_runs("group", name="rack1", attributes={"bmc": {"user": "admin"}, "location.rack": "1"})
    assert real["group"] == {"name": "rack1", "values": {"bmc.user": "admin", "location.rack": "1"}}
    changed = three_runs("group", name="rack1", unset=["location.rack"], attributes={"bmc.port": "6230"})
    assert changed["diff"]["after"]["values"] == {"bmc.user": "admin", "bmc.port": 6230}
    gone = three_runs("group", name="rack1", state="absent")
    assert gone["group"] == {}
    assert [event["what"] for event in events("rack1")] == ["group added", "group changed", "group removed"]


def test_a_node_is_made_with_its_groups_changed_and_removed() -> None:
    ok("group", name="rack1", attributes={"net.gateway": "10.1.0.1"})
    values = {"net.mac": "52-54-00-AA-00-01", "net.dns": "10.0.0.1, 10.0.0.2", "site.owner": "team a"}
    real = three_runs("node", name="r1n01", groups=["rack1", "esx"], attributes=values)
    stored = {"net.mac": "52:54:00:aa:00:01", "net.dns": ["10.0.0.1", "10.0.0.2"], "site.owner": "team a"}
    assert real["node"] == {"name": "r1n01", "groups": ["rack1", "esx"], "values": stored}
    assert three_runs("node", name="r1n01", groups=["esx", "rack1"])["node"]["groups"] == ["esx", "rack1"]
    blanked = three_runs("node", name="r1n01", attributes={"net.gateway": None}, unset=["site.owner"])
    assert blanked["node"]["values"]["net.gateway"] is None
    assert "site.owner" not in blanked["node"]["values"]
    three_runs("node", name="r1n01", state="absent")
    assert ok("node_info")["nodes"] == {}


def test_what_is_not_named_stays_as_it_is() -> None:
    make_rack(1)
    before = ok("node_info", nodes=["r1n01"])["nodes"]["r1n01"]
    ok("node", name="r1n01", attributes={"location.rack": "7"})
    after = ok("node_info", nodes=["r1n01"])["nodes"]["r1n01"]
    assert after["groups"] == before["groups"] == ["rack1"]
    assert after["values"] == {**before["values"], "location.rack": "7"}


def test_inheritance_with_origin() -> None:
    ok("group", name="a", attributes={"bmc.user": "of-a", "net.gateway": None})
    ok("group", name="b", attributes={"bmc.user": "of-b", "net.gateway": "10.1.0.1", "location.room": "3"})
    ok("node", name="n1", groups=["a", "b"], attributes={"bmc.port": 6230})
    ok("node", name="n2", groups=["b", "a"], attributes={"location.room": None})
    shown = ok("node_info", nodes=["n1,n2"], attributes=["bmc.user", "net.gateway", "location.room", "bmc.port"])
    assert shown["count"] == 2
    assert shown["nodes"]["n1"]["values"] == {
        "bmc.user": "of-a",
        "net.gateway": None,
        "location.room": "3",
        "bmc.port": 6230,
    }
    origins = {"bmc.user": "group:a", "net.gateway": "group:a", "location.room": "group:b", "bmc.port": "node"}
    assert shown["nodes"]["n1"]["origins"] == origins
    assert shown["nodes"]["n2"]["values"]["bmc.user"] == "of-b"
    assert shown["nodes"]["n2"]["values"]["location.room"] is None
    assert shown["nodes"]["n2"]["origins"]["bmc.port"] == "default"
    ok("node", name="n2", unset=["location.room"])
    assert ok("node_info", nodes=["n2"])["nodes"]["n2"]["values"]["location.room"] == "3"


def test_secrets_are_masked_and_a_new_one_is_a_change(home: Path) -> None:
    real = three_runs("node", name="n1", secrets={"bmc.password": "first-secret"})
    assert real["node"]["values"] == {"bmc.password": MASK}
    changed = three_runs("node", name="n1", secrets={"bmc": {"password": "second-secret"}})
    assert changed["diff"]["before"]["values"] == {"bmc.password": MASK}
    assert changed["diff"]["after"]["values"] == {"bmc.password": f"{MASK} (changed)"}
    assert ok("node_info", nodes=["n1"])["nodes"]["n1"]["values"]["bmc.password"] == MASK
    written = b"".join(path.read_bytes() for path in home.iterdir())
    assert b"first-secret" not in written
    assert b"second-secret" not in written
    assert "secret" not in repr([(event["before"], event["after"]) for event in events()])


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"name": "N1"}, "invalid", "'N1' cannot be the name of a node: use lower-case letters"),
    ({"name": "all"}, "invalid", "name spells out names, as in r1n[01-20]; what selects among nodes belongs into"),
    ({"name": "n1", "groups": ["-x"]}, "invalid", "'-x' cannot be the name of a group"),
    ({"name": "n1", "attributes": {"bmc.addr": "x"}}, "unknown", "did you mean bmc.address?"),
    (
        {"name": "n1", "attributes": {"zzz": "x"}},
        "unknown",
        "a site's own attributes are named site.NAME or custom.NAME",
    ),
    ({"name": "n1", "attributes": {"net.mac": "52:54"}}, "invalid", "net.mac: '52:54' is not a MAC address; write six"),
    ({"name": "n1", "unset": ["bmc.addr"]}, "unknown", "did you mean bmc.address?"),
    (
        {"name": "n1", "attributes": {"bmc.password": "open"}},
        "invalid",
        "bmc.password is a secret; give it by the option",
    ),
    (
        {"name": "n1", "secrets": {"bmc.user": "hidden-one"}},
        "invalid",
        "bmc.user is not a secret; give it by the option",
    ),
    (
        {"name": "n1", "attributes": {"bmc.user": "x"}, "unset": ["bmc.user"]},
        "invalid",
        "bmc.user is both set and unset",
    ),
]


@pytest.mark.parametrize(("arguments", "code", "says"), REFUSED)
def test_bad_input_is_one_sentence_and_nothing_is_written(arguments: dict[str, Any], code: str, says: str) -> None:
    failed = refused("node", **arguments)
    assert says in failed["msg"]
    assert failed["error"]["code"] == code
    assert failed["error"]["retryable"] is False
    assert ok("node_info")["count"] == 0
    assert events() == []


def test_a_secret_does_not_stand_in_the_error() -> None:
    failed = refused("node", name="n1", secrets={"deploy.root_password_hash": "not-a-hash-1"})
    assert "not-a-hash-1" not in failed["msg"]
    assert "deploy.root_password_hash: ******** is not a crypt(3) hash" in failed["msg"]


def test_two_nodes_cannot_have_one_mac_address() -> None:
    make_rack(2)
    failed = refused("node", name="r1n02", attributes={"net.mac": "52:54:00:01:00:01"})
    assert failed["error"] == {"code": "conflict", "node": "r1n02", "retryable": False}
    assert failed["msg"] == "r1n02: net.mac 52:54:00:01:00:01 is already that of node r1n01"


def test_a_node_and_a_group_cannot_share_a_name() -> None:
    make_rack(1)
    assert "'r1n01' cannot be a group: it is a node already" in refused("group", name="r1n01")["msg"]
    assert "'rack1' cannot be a node: it is a group already" in refused("node", name="rack1")["msg"]
    assert "'r1n01' cannot be a group" in refused("node", name="n9", groups=["r1n01"])["msg"]


@pytest.mark.parametrize(
    ("nodes", "code", "says"),
    [
        (["r1n09"], "unknown", "noderange 'r1n09': there is no node or group named 'r1n09'"),
        (["rack1,-rack1"], "missing", "noderange 'rack1,-rack1' names no node"),
        (
            ["r1n[03-01]"],
            "invalid",
            "noderange 'r1n[03-01]': character 5: '03-01' descends; write the smaller number first",
        ),
        ([""], "invalid", "noderange '': it is empty; write all for every node"),
        ([], "invalid", "the list of noderanges is empty; write all for every node"),
    ],
)
def test_a_bad_noderange_is_refused(nodes: list[str], code: str, says: str) -> None:
    make_rack(3)
    failed = refused("node_info", nodes=nodes)
    assert (failed["error"]["code"], failed["msg"]) == (code, says)


def test_info_of_an_attribute_that_does_not_exist_is_refused() -> None:
    make_rack(1)
    assert "did you mean net.mac?" in refused("node_info", nodes=["all"], attributes=["net.macs"])["msg"]


CSV = '\ufeffname,groups,bmc.address,net.mac,net.dns\nr1n01,rack1,10.2.1.1,525400010001,"10.0.0.1,10.0.0.2"\n\nr1n02,rack1;esx,,,\n'


def counts(result: dict[str, Any]) -> tuple[str, str, int]:
    """Return which nodes an import added and changed, and how many it left alone."""
    summary = result["summary"]
    return summary["added_range"], summary["changed_range"], summary["unchanged"]


def test_a_csv_file_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "nodes.csv"
    path.write_text(CSV, encoding="utf-8")
    real = three_runs("node_import", path=str(path))
    assert counts(real) == ("r1n[01-02]", "", 0)
    found = ok("node_info", nodes=["all"], attributes=["net.dns", "net.mac"])["nodes"]
    assert found["r1n01"]["values"] == {"net.dns": ["10.0.0.1", "10.0.0.2"], "net.mac": "52:54:00:01:00:01"}
    assert found["r1n02"]["groups"] == ["rack1", "esx"]
    path.write_text("name,bmc.address\nr1n01,10.2.1.1\nr1n02,10.2.1.2\n", encoding="utf-8")
    changed = three_runs("node_import", path=str(path))
    assert counts(changed) == ("", "r1n02", 1)
    assert ok("node_info", nodes=["r1n02"])["nodes"]["r1n02"]["groups"] == ["rack1", "esx"]


def test_of_a_csv_file_with_one_wrong_line_nothing_is_imported(tmp_path: Path) -> None:
    make_rack(1)
    path = tmp_path / "nodes.csv"
    path.write_text("name,net.mac\nn1,52:54:00:09:00:01\nn2,52:54:00:01:00:01\n", encoding="utf-8")
    failed = refused("node_import", path=str(path))
    assert failed["msg"] == f"{path}: line 3 (n2): net.mac 52:54:00:01:00:01 is already that of node r1n01"
    assert failed["error"]["code"] == "conflict"
    assert list(ok("node_info")["nodes"]) == ["r1n01"]


def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    failed = refused("node", name="n1", database=f"sqlite:///{tmp_path}/file/metal.db")
    assert failed["error"]["code"] == "database"
    assert failed["msg"].startswith(f"the node database {tmp_path}/file/metal.db cannot be made: ")
    failed = refused("node_info", database="mysql://host/x")
    assert (
        failed["msg"]
        == "a database URL of kind 'mysql' is not supported; write sqlite:///PATH or postgresql://USER@HOST/NAME"
    )
