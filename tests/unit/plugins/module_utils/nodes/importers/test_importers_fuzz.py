# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever the input, an importer returns a batch of checked values, or raises one sentence."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.stage0.metal.plugins.module_utils._nodes._importers import confluent, inventory, xcat
from ansible_collections.stage0.metal.plugins.module_utils._nodes._importers.draft import custom_name, looks_secret
from ansible_collections.stage0.metal.plugins.module_utils._nodes.batch import Batch
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.names import check_name
from ansible_collections.stage0.metal.plugins.module_utils._nodes.schema import attribute
from hypothesis import given
from hypothesis import strategies as st

COLUMNS = {
    "nodelist": ["node", "groups", "status", "comments", "disable"],
    "ipmi": ["node", "bmc", "username", "password", "comments", "disable"],
    "hosts": ["node", "ip", "hostnames", "otherinterfaces", "disable"],
    "mac": ["node", "interface", "mac", "disable"],
    "nodehm": ["node", "mgt", "cons", "disable"],
    "nodepos": ["node", "rack", "u", "room", "disable"],
    "nodegroup": ["groupname", "grouptype", "membergroups", "wherevals"],
    "passwd": ["key", "username", "password", "disable"],
    "networks": ["netname", "net", "mask", "gateway", "dynamicrange", "vlanid"],
    "site": ["key", "value"],
}
WORDS = [
    *("n1", "n02", "N1", "r1n2", "rack1", "all", "compute,all", "localhost", "-", "", "", "", "ipmi", "yes", "0"),
    *(
        "10.0.0.1",
        "255.255.0.0",
        "52:54:00:00:00:01",
        "52:54:00:00:00:01!n1|x",
        "{n1}",
        "{",
        "}}",
        "a\nb",
        "\x00",
        "\u2028",
    ),
    *("|n(\\d+)|10.0.0.($1+0)|", "/\\z/-bmc/", "/install/custom/", "||", "|((|", "x+=NEXTRECORD", "$6$abcdefgh", "é"),
]
cells = st.sampled_from(WORDS) | st.text(max_size=12)
tables = st.fixed_dictionaries(
    {"nodelist": st.lists(st.lists(cells, max_size=5), max_size=6)},
    optional={
        name: st.lists(st.lists(cells, max_size=len(columns)), max_size=4)
        for name, columns in COLUMNS.items()
        if name != "nodelist"
    },
)


def read(reader: Callable[[Path], Batch], path: Path) -> Batch | MetalError:
    try:
        return reader(path)
    except MetalError as exc:
        return exc


def check(found: Batch | MetalError) -> None:
    """A sentence, or a batch of which the store can take every value."""
    if isinstance(found, MetalError):
        assert found.code in (ErrorCode.INVALID, ErrorCode.CONFLICT, ErrorCode.MISSING)
        assert "\n" not in found.message
        return
    names = [entry.name for entry in [*found.nodes, *found.groups]]
    assert len(set(names)) == len(names)
    groups = {entry.name for entry in found.groups}
    for entry in [*found.nodes, *found.groups]:
        check_name(entry.name)
        assert set(entry.groups or ()) <= groups
        for name, value in entry.values.items():
            assert attribute(name).check(value) == value
            assert not name.startswith("custom.") or not looks_secret(name)
    assert all("\n" not in one.reason for one in found.unmapped)


@given(tables)
def test_any_cells_in_tables_of_xcat(found: dict[str, list[list[str]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in found.items():
            with (Path(folder) / f"{name}.csv").open("w", encoding="utf-8", errors="replace", newline="") as file:
                file.write("#" + ",".join(COLUMNS[name]) + "\n")
                csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
        check(read(xcat.read, Path(folder)))


@given(st.binary(max_size=200) | st.text("n1:=\n #|/objtypegroupmac ", max_size=120).map(str.encode))
def test_any_bytes_as_stanzas_or_as_a_table(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nodelist.csv"
        path.write_bytes(content)
        check(read(xcat.read, path))
        check(read(xcat.read, path.parent))


scalars = st.none() | st.booleans() | st.integers() | st.floats() | cells
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(cells, inner, max_size=3), max_leaves=6
)
held = trees | st.builds(lambda key, value: {key: value}, st.sampled_from(["value", "expression", "cryptvalue"]), trees)
keys = st.sampled_from(
    [
        *("groups", "nodes", "noderange", "id.uuid", "net.hwaddr", "net.e0.hwaddr", "net.e0.ipv4_address", "custom.x"),
        *("hardwaremanagement.manager", "location.u", "deployment.lock", "secret.x", "custom.password", "dns.servers"),
    ]
)
areas = st.dictionaries(cells, st.dictionaries(keys | cells, held, max_size=5), max_size=4)


def as_json(reader: Callable[[Path], Batch], name: str, content: Any) -> Batch | MetalError:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return read(reader, path)


@given(areas, areas)
def test_any_dump_of_confluent(nodes: dict[str, Any], groups: dict[str, Any]) -> None:
    check(as_json(confluent.read, "main.json", {"nodes": nodes, "nodegroups": groups}))


variables = st.dictionaries(st.sampled_from(list(inventory.VARIABLES)) | cells, trees, max_size=5)
parts = st.fixed_dictionaries(
    {}, optional={"hosts": st.lists(cells, max_size=3), "children": st.lists(cells, max_size=3), "vars": variables}
)


@given(st.dictionaries(cells, parts, max_size=4), st.dictionaries(cells, variables, max_size=3))
def test_any_inventory(groups: dict[str, Any], hostvars: dict[str, Any]) -> None:
    check(as_json(inventory.read, "list.json", {"_meta": {"hostvars": hostvars}, **groups}))


@given(trees)
def test_any_json(tree: Any) -> None:
    check(as_json(inventory.read, "list.json", tree))
    check(as_json(confluent.read, "main.json", tree))


@given(st.lists(st.text(max_size=10), min_size=1, max_size=3))
def test_every_name_has_an_attribute_of_its_own(names: list[str]) -> None:
    name = custom_name("source", *names)
    assert attribute(name).name == name
