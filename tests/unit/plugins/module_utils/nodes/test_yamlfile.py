# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""YAML files of networks, groups and nodes: what is wrong is one sentence with its line, and nothing of it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stage0.metal.plugins.module_utils._nodes import yamlfile
from ansible_collections.stage0.metal.plugins.module_utils._nodes.batch import Entry
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.reading import Record
from hypothesis import given
from hypothesis import strategies as st

HEAD = "format: stage0.metal\nversion: 1\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "site.yml"


def test_a_good_file(path: Path) -> None:
    path.write_text(
        "\ufeff" + HEAD + "networks:\n  boot: {subnet: 10.1.0.0/16, vlan: 7, gateway: null}\n"
        "groups:\n  rack1: {bmc: {user: admin}, net.ip: '10.1.{n1}.{n2}'}\n  empty:\n"
        "nodes:\n"
        "  r1n01: {groups: [rack1, esx], values: {net.gateway: null, net: {dns: [10.0.0.1], mac: 52-54-00-00-00-01}}}\n"
        "  r1n02: {groups: []}\n"
        "  r1n03:\n",
        encoding="utf-8",
    )
    batch = yamlfile.read(path)
    assert batch.networks == [Entry("boot", "boot", None, {"subnet": "10.1.0.0/16", "vlan": 7, "gateway": None})]
    assert batch.sections == {"networks", "groups"}
    assert batch.groups == [
        Entry("rack1", "rack1", None, {"bmc.user": "admin", "net.ip": "10.1.{n1}.{n2}"}),
        Entry("empty", "empty", None, {}),
    ]
    values = {"net.gateway": None, "net.dns": ["10.0.0.1"], "net.mac": "52:54:00:00:00:01"}
    assert batch.nodes == [
        Entry("r1n01", "r1n01", ["rack1", "esx"], values),
        Entry("r1n02", "r1n02", [], {}),
        Entry("r1n03", "r1n03", None, {}),
    ]


def test_a_file_of_nothing(path: Path) -> None:
    path.write_text(HEAD)
    batch = yamlfile.read(path)
    assert (batch.nodes, batch.groups, batch.networks) == ([], [], [])


WRONG = [
    ("", "invalid", "{p} does not begin with 'format: stage0.metal' and 'version: 1'"),
    ("- a\n", "invalid", "{p} does not begin with 'format: stage0.metal' and 'version: 1'"),
    (
        "format: stage0.metal\nversion: 2\n",
        "invalid",
        "{p} does not begin with 'format: stage0.metal' and 'version: 1'",
    ),
    ("format: other\nversion: 1\n", "invalid", "{p} does not begin with"),
    (HEAD + "node: {}\n", "unknown", "{p}: 'node' is none of networks, groups, nodes"),
    (HEAD + "1: {}\n", "unknown", "{p}: '1' is none of networks, groups, nodes"),
    (HEAD + "nodes: [n1]\n", "invalid", "{p}: nodes is not a mapping of names; put names of digits in quotes"),
    (HEAD + "nodes: {1: {}}\n", "invalid", "{p}: nodes is not a mapping of names; put names of digits in quotes"),
    (HEAD + "nodes: {n1: [a]}\n", "invalid", "{p}: nodes: n1: is not a mapping of names to values"),
    (HEAD + "nodes: {n1: {1: a}}\n", "invalid", "{p}: nodes: n1: is not a mapping of names to values"),
    (HEAD + "nodes: {n1: {value: {}}}\n", "unknown", "{p}: nodes: n1: 'value' is neither groups nor values"),
    (HEAD + "nodes: {n1: {groups: a}}\n", "invalid", "{p}: nodes: n1: groups is not a list of names"),
    (HEAD + "nodes: {n1: {groups: [1]}}\n", "invalid", "{p}: nodes: n1: groups is not a list of names"),
    (HEAD + "nodes: {n1: {groups: [-a]}}\n", "invalid", "{p}: nodes: n1: '-a' cannot be the name of a group"),
    (HEAD + "nodes: {n1: {values: [a]}}\n", "invalid", "{p}: nodes: n1: is not a mapping of names to values"),
    (HEAD + "nodes: {N1: {}}\n", "invalid", "{p}: nodes: N1: 'N1' cannot be the name of a node"),
    (HEAD + "groups: {all: {}}\n", "invalid", "{p}: groups: all: 'all' cannot be the name of a group"),
    (HEAD + "groups: {g: {bmc.addr: x}}\n", "unknown", "{p}: groups: g: 'bmc.addr' is not an attribute; did you mean"),
    (HEAD + "groups: {g: {net.dns: [1]}}\n", "invalid", "{p}: groups: g: net.dns: [1] is not an IP address"),
    (HEAD + "groups: {g: {site.x: true}}\n", "invalid", "{p}: groups: g: site.x: True is not text"),
    (HEAD + "groups: {g: {site.x: ''}}\n", "invalid", "{p}: groups: g: site.x: empty text is no value; give null"),
    (
        HEAD + "groups: {g: {site.x: 2026-01-01}}\n",
        "invalid",
        "{p}: groups: g: site.x: datetime.date(2026, 1, 1) is not text",
    ),
    (HEAD + "groups: {g: {net.mac: 12:34:56:01:23:45}}\n", "invalid", "{p}: groups: g: net.mac: "),
    (
        HEAD + 'groups: {g: {bmc.password: "a\\tb"}}\n',
        "invalid",
        "{p}: groups: g: bmc.password: ******** contains a control",
    ),
    (HEAD + "groups: {g: {site.x: '{n1'}}\n", "invalid", "{p}: groups: g: site.x: '{{n1' cannot be read at character"),
    (HEAD + "networks: {boot: {mtu: 1}}\n", "unknown", "{p}: networks: boot: network boot: 'mtu' is none of subnet"),
    (
        HEAD + "networks: {boot: {subnet: x}}\n",
        "invalid",
        "{p}: networks: boot: network boot: subnet 'x' is not a subnet",
    ),
    (HEAD + "nodes:\n  n1: {}\n  n1: {}\n", "invalid", "{p}: line 5: 'n1' stands twice"),
    (HEAD + "nodes:\n  n1: {}\n  'n1': {}\n", "invalid", "{p}: line 5: 'n1' stands twice"),
    (HEAD + "nodes: {}\nnodes: {}\n", "invalid", "{p}: line 4: 'nodes' stands twice"),
    (HEAD + "nodes:\n  n1:\n    values: {site.x: a, site.x: b}\n", "invalid", "{p}: line 5: 'site.x' stands twice"),
    (HEAD + "nodes:\n  ? [a, b]\n  : {}\n", "invalid", "{p}: line 4: a key is no name"),
    (HEAD + "nodes:\n  ? {a: b}\n  : {}\n", "invalid", "{p}: line 4: a key is no name"),
    (HEAD + "nodes: {\n", "invalid", "{p}: line 4: did not find expected node content"),
    (HEAD + "nodes: {}\n---\nnodes: {}\n", "invalid", "{p}: line 4: but found another document"),
    (HEAD + "nodes: {\x00}\n", "invalid", "{p}: "),
    (HEAD + "groups: {g: {site.x: 2026-99-99}}\n", "invalid", "{p}: month must be in 1..12"),
    (
        HEAD + f"groups: {{g: {{site.x: {'9' * 5000}}}}}\n",
        "invalid",
        "{p}: Exceeds the limit (4300 digits) for integer",
    ),
    (
        HEAD + "nodes: !!python/object/apply:os.system ['id']\n",
        "invalid",
        "{p}: line 3: could not determine a constructor",
    ),
    (HEAD + "nodes: !!set {n1, n2}\n", "invalid", "{p}: nodes is not a mapping of names"),
]


@pytest.mark.parametrize(("text", "code", "says"), WRONG)
def test_a_wrong_file_is_one_sentence(path: Path, text: str, code: str, says: str) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MetalError) as caught:
        yamlfile.read(path)
    assert caught.value.message.startswith(says.format(p=path))
    assert str(caught.value.code) == code
    assert caught.value.message.isprintable()


BOMBS = {
    "mappings of mappings": "groups:\n  g0: &a0 {site: {x: '1'}}\n"
    + "".join(f"  g{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}}}\n" for n in range(1, 60)),
    "lists of lists": "groups:\n  g:\n    site.a0: &a0 ['1']\n"
    + "".join(f"    site.a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)),
    "itself": "nodes:\n  n1:\n    values: &a\n      site: *a\n",
    "a merge": "nodes:\n  n1: &a {groups: []}\n  n2: {<<: *a}\n",
    "text": "nodes:\n  n1: {values: {site.a: &a x, site.b: *a}}\n",
}


@pytest.mark.parametrize("bomb", list(BOMBS))
def test_an_alias_is_refused_before_it_grows(bomb: str, path: Path) -> None:
    path.write_text(HEAD + BOMBS[bomb])
    with pytest.raises(MetalError, match=r"site.yml: line [0-9]+: \*a0? is an alias; write out what it stands for$"):
        yamlfile.read(path)


@pytest.mark.parametrize(
    "deep",
    ["[" * 100_000, "{a: " * 100_000, "\n  " + "- " * 100_000, "\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 900))],
)
def test_what_is_nested_too_deeply_is_refused(deep: str, path: Path) -> None:
    path.write_text(HEAD + "nodes: " + deep + "\n")
    with pytest.raises(MetalError, match=r"site.yml: it is nested too deeply$"):
        yamlfile.read(path)


def test_what_is_no_text_and_what_is_not_there(path: Path) -> None:
    with pytest.raises(MetalError, match=r"^the YAML file .*site.yml cannot be read: No such file or directory$"):
        yamlfile.read(path)
    path.write_bytes(b"format: \xe9")
    with pytest.raises(MetalError, match=r"site.yml is not text in UTF-8: "):
        yamlfile.read(path)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6) | st.integers(), inner, max_size=4),
    max_leaves=12,
)


@given(section=st.sampled_from(["networks", "groups", "nodes"]), name=st.sampled_from(["n1", "boot"]), body=ANYTHING)
def test_whatever_stands_there_is_read_or_refused_with_a_sentence(
    section: str, name: str, body: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "anything.yml"
    document = {"format": "stage0.metal", "version": 1, section: {name: body}}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    try:
        said = f"{path}: {len(yamlfile.read(path).nodes)} nodes"
    except MetalError as exc:
        said = exc.message
    assert said.startswith(f"{path}: ")
    assert "\n" not in said


def test_what_is_written_is_read_again(path: Path) -> None:
    nodes = {"n1": Record({"net.dns": ["10.0.0.1"], "site.x": "{{a}}"}, ("g",)), "n2": Record()}
    groups = {"g": Record({"site.y": "yes", "net.gateway": None})}
    networks = {"boot": {"subnet": "10.1.0.0/16", "dns": ["10.0.0.1"]}}
    path.write_text(yamlfile.write(nodes, groups, networks))
    batch = yamlfile.read(path)
    assert [(one.name, one.values) for one in batch.networks] == list(networks.items())
    assert [(one.name, Record(one.values)) for one in batch.groups] == list(groups.items())
    assert [(one.name, Record(one.values, tuple(one.groups or ()))) for one in batch.nodes] == list(nodes.items())
