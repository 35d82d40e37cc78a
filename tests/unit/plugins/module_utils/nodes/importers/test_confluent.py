# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The importer for Confluent: a dump as confluentdbutil writes it, its expressions, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes._importers import confluent
from ansible_collections.stage0.metal.plugins.module_utils._nodes._importers.confluent_expression import translate
from ansible_collections.stage0.metal.plugins.module_utils._nodes._importers.perl_sum import Unclear
from ansible_collections.stage0.metal.plugins.module_utils._nodes.batch import Batch
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
from ansible_collections.stage0.metal.tests.unit.support import ok, store

DUMP = Path(__file__).parents[5] / "unit" / "fixtures" / "importers" / "confluent"


def values_of(batch: Batch, name: str) -> dict[str, object]:
    return next(entry.values for entry in [*batch.nodes, *batch.groups] if entry.name == name)


def reasons(batch: Batch) -> dict[tuple[str, str], str]:
    return {(one.name, one.source): one.reason for one in batch.unmapped}


def test_a_dump() -> None:
    batch = confluent.read(DUMP)
    assert {entry.name: entry.groups for entry in batch.nodes} == {
        "d1n01": ["d1", "defaults", "everything"],
        "d1n02": ["d1", "defaults", "everything"],
        "d2n01": ["defaults", "everything"],
    }
    assert values_of(batch, "d1n01") == {
        "system.uuid": "7c9e6679-7425-40de-944b-e07fc1f90a01",
        "system.serial": "J30001",
        "system.model": "7X02",
        "net.mac": "52:54:00:0d:01:01",
        "net.hostname": "{node}-pxe",
        "location.u": "{n2:02d}",
        "custom.confluent.pubkeys.tls_hardwaremanager": "sha512$0123456789abcdef",
    }
    assert values_of(batch, "defaults") == {
        "bmc.address": "10.6.{n1}.{n2}",
        "bmc.driver": "ipmi",
        "net.ip": "10.5.{n1}.{(n2 - 1) // 2 + n2 % 2}",
        "net.netmask": "255.255.0.0",
        "net.gateway": "10.5.0.1",
        "location.rack": None,
        "location.room": "hall {{A}}",
        "deploy.lock": "auto",
        "custom.label": "{{node}}@{{location.u}}",
        "custom.flags": "{{n1 << 2}}",
        "custom.confluent.location.rack": "{{node[0:2]}}",
        "custom.confluent.net.pxe.bootable": "True",
        "custom.confluent.net.ib.ipv4_address": "10.7.{n1}.{n2}/16",
        "custom.confluent.console.method": "ipmi",
    }
    assert values_of(batch, "d1") == {"location.rack": "d1", "location.row": None}
    assert values_of(batch, "everything") == {"net.dns": ["10.5.0.2", "10.5.0.3"]}
    assert values_of(batch, "d2n01")["bmc.driver"] is None
    assert "lenovo" not in {entry.name for entry in batch.groups}


def test_what_is_named() -> None:
    named = reasons(confluent.read(DUMP))
    hidden = "encrypted or hashed by Confluent; set it"
    assert named["defaults", "nodegroups: secret.hardwaremanagementuser"] == hidden
    assert named["defaults", "nodegroups: secret.hardwaremanagementpassword"] == hidden
    assert named["defaults", "nodegroups: crypted.rootpassword"] == hidden
    assert named["d2n01", "nodes: hardwaremanagement.method"] == "'redfish' is none of ipmi"
    assert named["lenovo", "nodegroups"].startswith("a dynamic group")
    assert "Confluent noted '7' for d1n02, and here it comes to '2'" in named["d1n02", "nodes: location.u"]
    assert "needs location.u, which is not set" in named["defaults", "nodegroups: custom.label"]
    assert "'n1 << 2' is more than whole-number arithmetic" in named["defaults", "nodegroups: custom.flags"]


def test_the_store_takes_it_and_computes_the_values() -> None:
    real = ok("node_import", path=str(DUMP))
    assert real["summary"]["added_range"] == "d1n[01-02],d2n01"
    assert ok("node_import", path=str(DUMP))["changed"] is False
    with store() as opened:
        views = opened.views(["d1n01", "d1n02"])
        shown = {name: (view["bmc.address"], view["net.ip"], view["net.hostname"]) for name, view in views.items()}
    assert shown == {"d1n01": ("10.6.1.1", "10.5.1.1", "d1n01-pxe"), "d1n02": ("10.6.1.2", "10.5.1.0", None)}


NAMES = {"location.rack": "location.rack", "hardwaremanagement.manager": "bmc.address", "custom.slot": "custom.slot"}
TRANSLATED = [
    ("10.1.{n1}.{n2}", "10.1.{n1}.{n2}"),
    ("{nodename}-{n0:02d}", "{node}-{n0:02d}"),
    ("{bmc}", "{bmc.address}"),
    ("{ location.rack }{custom.slot:03x}", "{location.rack}{custom.slot:03x}"),
    ("{(n1-1)/4+1}", "{(n1 - 1) // 4 + 1}"),
    ("{-n1 % 3 * (2)}", "{- n1 % 3 * (2)}"),
    ("{{{n1}}}", "{{{n1}}}"),
    ("plain", "plain"),
]


@pytest.mark.parametrize(("text", "expression"), TRANSLATED, ids=[text for text, expression in TRANSLATED])
def test_expressions_that_mean_the_same(text: str, expression: str) -> None:
    assert translate(text, NAMES.get) == expression


LEFT = [
    ("{n1 // 2}", "'n1 // 2' is more than whole-number arithmetic on names"),
    ("{n1**2}", "'n1**2' is more than whole-number arithmetic on names"),
    ("{n1 << 2}", "'n1 << 2' is more than whole-number arithmetic on names"),
    ("{node[1:3]}", "'node[1:3]' is more than whole-number arithmetic on names"),
    ("{node.upper()}", "it needs node.upper, which expressions here cannot refer to"),
    ("{secret.snmpcommunity}", "it needs secret.snmpcommunity, which expressions here cannot refer to"),
    ("{__class__}", "it needs __class__, which expressions here cannot refer to"),
    ("{n1!r}", "'n1' is more than whole-number arithmetic on names"),
    ("{0x10}", "'0x10' is more than whole-number arithmetic on names"),
    ("{007}", "'007' is more than whole-number arithmetic on names"),
    ("{'a'}", "is more than whole-number arithmetic on names"),
    ("{n1:>5}", "a format is 02d, 4, x or alike"),
    ("{n1", "it cannot be read: expected '}' before end of string"),
    ("}", "it cannot be read: Single '}' encountered in format string"),
    ("{}", "there is nothing between { and }"),
    ("{+n1}", "here a number, a name, - or ( is right"),
    ("{" + "(" * 1000, "it has more than 1000 characters"),
    ("{" + "(" * 400 + "}", "there are more than 50 operators and parentheses"),
]


@pytest.mark.parametrize(("text", "why"), LEFT, ids=[text[:20] for text, why in LEFT])
def test_expressions_that_are_not_translated(text: str, why: str) -> None:
    with pytest.raises(Unclear) as caught:
        translate(text, NAMES.get)
    assert why in str(caught.value)


def dump(path: Path, nodes: dict[str, Any], groups: dict[str, Any] | None = None) -> Batch:
    (path / "main.json").write_text(json.dumps({"nodes": nodes, "nodegroups": groups or {}}))
    return confluent.read(path)


def test_what_confluent_itself_could_not_evaluate(tmp_path: Path) -> None:
    broken = {"expression": "{location.rack:02d}", "broken": "Unknown format code 'd'"}
    batch = dump(tmp_path, {"n1": {"location.u": broken, "location.rack": {"value": "7"}}})
    assert values_of(batch, "n1")["location.u"] is None
    assert "Confluent noted that it is broken" in reasons(batch)["n1", "nodes: location.u"]


def test_a_board_without_a_uuid_of_its_own(tmp_path: Path) -> None:
    batch = dump(tmp_path, {"n1": {"id.uuid": {"value": "03000200-0400-0500-0006-000700080009"}}})
    assert values_of(batch, "n1") == {}
    assert reasons(batch) == {("n1", "nodes: id.uuid"): "the board has no UUID of its own: many have this one"}


def test_an_interface_without_a_name_is_the_one_to_boot_from(tmp_path: Path) -> None:
    batch = dump(
        tmp_path,
        {"n1": {"net.hwaddr": {"value": "52:54:00:00:00:01"}, "net.ib0.hwaddr": {"value": "52:54:00:00:00:02"}}},
    )
    assert values_of(batch, "n1") == {
        "net.mac": "52:54:00:00:00:01",
        "custom.confluent.net.ib0.hwaddr": "52:54:00:00:00:02",
    }


def test_the_only_interface_is_the_one_to_boot_from(tmp_path: Path) -> None:
    batch = dump(tmp_path, {"n1": {"net.1.ipv4_address": {"value": "10.0.0.7/8"}, "net.1.switch": {"value": "s1"}}})
    assert values_of(batch, "n1") == {
        "net.ip": "10.0.0.7",
        "net.netmask": "255.0.0.0",
        "custom.confluent.net.x1.switch": "s1",
    }


def test_several_interfaces_of_which_none_boots(tmp_path: Path) -> None:
    batch = dump(
        tmp_path, {"n1": {f"net.e{number}.hwaddr": {"value": f"52:54:00:00:00:0{number}"} for number in (1, 2)}}
    )
    assert set(values_of(batch, "n1")) == {"custom.confluent.net.e1.hwaddr", "custom.confluent.net.e2.hwaddr"}
    assert reasons(batch)["net.*", "nodes"].startswith("which of e1, e2 the nodes boot from is not clear; set net.mac")


def test_the_areas_in_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "nodes.json").write_text('{"n1": {"groups": ["a"]}}')
    (tmp_path / "nodegroups.json").write_text('{"a": {"location.room": {"value": "x"}}}')
    batch = confluent.read(tmp_path)
    assert batch.nodes[0].groups == ["a"]
    assert values_of(batch, "a") == {"location.room": "x"}


def test_a_bad_value_is_named_kept_and_blanks_its_attribute(tmp_path: Path) -> None:
    path = tmp_path / "main.json"
    path.write_text(
        '{"nodes": {"n1": {"id.uuid": {"value": "0"}, "hardwaremanagement.manager": {"value": "no host"}, '
        '"net.ipv4_address": {"value": "10.0.0.1/99"}, "location.u": {"value": 7}}}}'
    )
    batch = confluent.read(path)
    assert batch.nodes[0].values == {
        "system.uuid": None,
        "custom.confluent.id.uuid": "0",
        "bmc.address": None,
        "custom.confluent.hardwaremanagement.manager": "no host",
        "net.netmask": None,
        "net.ip": "10.0.0.1",
        "location.u": "7",
    }
    assert {(one.source, one.reason.partition(" is ")[0]) for one in batch.unmapped} == {
        ("nodes: id.uuid", "system.uuid: '0'"),
        ("nodes: hardwaremanagement.manager", "bmc.address: 'no host'"),
        ("nodes: net.ipv4_address", "net.netmask: '99'"),
    }


WRONG = [
    ("{", "{p}/main.json cannot be read as what confluentdbutil dump writes: Expecting property name"),
    ("[" * 100_000, "{p}/main.json cannot be read as what confluentdbutil dump writes: maximum recursion depth"),
    ("[]", "{p} holds neither nodes nor nodegroups of Confluent's"),
    ("{}", "{p} holds neither nodes nor nodegroups of Confluent's"),
    ('{"nodes": []}', "{p}: nodes must be an object of objects, as Confluent writes it"),
    ('{"nodes": {"n1": 7}}', "{p}: nodes must be an object of objects, as Confluent writes it"),
    ('{"nodes": {"n1": {"groups": [1]}}}', "{p}: nodes: n1: groups must be a list of names"),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG, ids=[text[:30] for text, sentence in WRONG])
def test_wrong_dumps(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "main.json").write_text(text)
    with pytest.raises(MetalError) as caught:
        confluent.read(tmp_path)
    assert caught.value.message.startswith(sentence.replace("{p}", str(tmp_path)))
