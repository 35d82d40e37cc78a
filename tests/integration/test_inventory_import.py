# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The importer for Ansible inventories, by way of the real ansible-inventory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes._importers import inventory
from ansible_collections.stage0.metal.plugins.module_utils._nodes.batch import Batch
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError

from tests.integration.site import Site

HOSTS = """\
[rack_a]
web01 ansible_host=10.4.1.1 mac_address=52:54:00:04:01:01 ipmi_address=10.4.2.1
web02 ansible_host=10.4.1.2 ipmi_address=10.4.2.2 metal_net_ip=10.4.9.2 metal_site_cost_center=r+d
[rack_b]
Db01.example.com ansible_host=db01.mgmt.example.com rack=override
[web]
web[01:02]
[datacenter:children]
rack_a
rack_b
[datacenter:vars]
rack=unknown
room="hall {A}"
[rack_a:vars]
rack=a
[web:vars]
listen=[80, 443]
api_token=abcdef
backend={"url": "http://u:hidden@x/"}
[Odd_:children]
web
"""

GROUP_VARS = """\
---
ipmi_user: admin
ipmi_password: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  33363965326261303234643962623962663932363235303065613635353361
  3862333164
dns_domain: example.com
bmc_port:
motd: "welcome to {{ inventory_hostname }}"
"""


def values_of(batch: Batch, name: str) -> dict[str, object]:
    return next(entry.values for entry in [*batch.nodes, *batch.groups] if entry.name == name)


def reasons(batch: Batch) -> dict[tuple[str, str], str]:
    return {(one.name, one.source): one.reason for one in batch.unmapped}


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    path = tmp_path / "hosts"
    path.write_text(HOSTS)
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text(GROUP_VARS)
    return path


def test_an_ini_file_with_group_vars(hosts: Path) -> None:
    batch = inventory.read(hosts)
    assert {entry.name: entry.groups for entry in batch.nodes} == {
        "web01": ["web", "rack_a", "datacenter", "ansible-all"],
        "web02": ["web", "rack_a", "datacenter", "ansible-all"],
        "db01.example.com": ["rack_b", "datacenter", "ansible-all"],
    }
    assert values_of(batch, "web01") == {
        "net.ip": "10.4.1.1",
        "net.mac": "52:54:00:04:01:01",
        "bmc.address": "10.4.2.1",
    }
    assert values_of(batch, "web02") == {
        "net.ip": "10.4.9.2",
        "custom.ansible.ansible_host": "10.4.1.2",
        "bmc.address": "10.4.2.2",
        "site.cost_center": "r+d",
    }
    assert values_of(batch, "db01.example.com") == {
        "custom.ansible.ansible_host": "db01.mgmt.example.com",
        "location.rack": "override",
    }
    assert values_of(batch, "datacenter") == {"location.rack": "unknown", "location.room": "hall {{A}}"}
    assert values_of(batch, "web") == {"custom.ansible.listen": "[80, 443]"}
    assert values_of(batch, "ansible-all") == {
        "bmc.user": "admin",
        "bmc.password": None,
        "custom.ansible.dns_domain": "example.com",
    }
    assert reasons(batch) == {
        ("Db01.example.com", "hosts"): "the node is called db01.example.com here: names are in lower case",
        ("Odd_", "groups"): (
            "the group is left out: 'odd_' cannot be the name of a group: use lower-case letters, digits, "
            "'-', '_' and '.', beginning and ending with a letter or digit"
        ),
        ("web", "groups: api_token"): "it looks like a secret, which is never kept under custom.*",
        ("web", "groups: backend"): "it looks like a secret, which is never kept under custom.*",
        ("ansible-all", "groups: ipmi_password"): "it is encrypted or masked; set it",
        ("ansible-all", "groups: motd"): "it is a template, and what it comes to only a play knows",
    }


def test_the_store_takes_it_and_inherits_as_ansible_does(hosts: Path) -> None:
    site = Site(hosts.parent)
    first = site.module("node_import", path=str(hosts), format="inventory")
    assert first["summary"]["added_range"] == "db01.example.com,web[01-02]"
    assert site.module("node_import", path=str(hosts), format="inventory")["changed"] is False
    nodes = site.module("node_info", attributes=["location.rack"])["nodes"]
    racks = {name: node["values"]["location.rack"] for name, node in nodes.items()}
    assert racks == {"web01": "a", "web02": "a", "db01.example.com": "override"}


def test_a_yaml_file_and_priorities(tmp_path: Path) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text(
        "all:\n  children:\n"
        "    aaa: {hosts: {n1: {}}, vars: {room: a, ansible_group_priority: 10}}\n"
        "    zzz: {hosts: {n1: {metal_net_dns: [10.0.0.1], enabled: true, size: 7}}, vars: {room: z}}\n"
    )
    batch = inventory.read(path)
    assert batch.nodes[0].groups == ["aaa", "zzz"]
    assert batch.nodes[0].values == {
        "net.dns": ["10.0.0.1"],
        "custom.ansible.enabled": "true",
        "custom.ansible.size": "7",
    }


def test_a_script(tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_text('#!/bin/sh\necho \'{"web": {"hosts": ["w1"]}, "_meta": {"hostvars": {"w1": {"rack": "r1"}}}}\'\n')
    path.chmod(0o700)
    batch = inventory.read(path)
    assert values_of(batch, "w1") == {"location.rack": "r1"}
    assert batch.nodes[0].groups == ["web"]


OF_PLUGINS = """\
---
all:
  hosts:
    q1: {rack: r1, token_of: x}
"""
CONSTRUCTED = """\
---
plugin: ansible.builtin.constructed
strict: true
compose:
  bmc_address: "'10.0.0.' ~ (1 + 1)"
  note: "rack ~ '{' ~ '{ x }' ~ '}'"
  parts: "[rack, {'in': rack ~ 'y'}]"
"""


def test_text_that_a_plugin_made(tmp_path: Path) -> None:
    """ansible-inventory wraps such text, since it is no template; what looks like one means itself."""
    (tmp_path / "1.yml").write_text(OF_PLUGINS)
    (tmp_path / "2.yml").write_text(CONSTRUCTED)
    batch = inventory.read(tmp_path)
    assert values_of(batch, "q1") == {
        "location.rack": "r1",
        "bmc.address": "10.0.0.2",
        "custom.ansible.note": "r1{{{{ x }}}}",
        "custom.ansible.parts": '["r1", {{"in": "r1y"}}]',
    }
    assert all(isinstance(value, str) for value in values_of(batch, "q1").values())
    assert reasons(batch) == {("q1", "hosts: token_of"): "it looks like a secret, which is never kept under custom.*"}


def test_our_own_plugin_and_what_it_saved(tmp_path: Path) -> None:
    site = Site(tmp_path)
    own = {
        "net.ip": "10.0.0.1",
        "bmc.address": "{node}-bmc",
        "net.dns": ["10.0.0.53"],
        "site.owner": "{n1}}} of {bmc.address}",
        "custom.x": "y",
    }
    made = site.module("node", name="n1", attributes=own, groups=["g"], secrets={"bmc.password": "calvin"})
    assert not made["failed"], made["msg"]
    source = tmp_path / "a.stage0.yml"
    source.write_text("plugin: stage0.metal.nodes\nsecrets: [bmc.password]\n")
    command = [str(Path(sys.executable).parent / "ansible-inventory"), "-i", str(source), "--list", "--export"]
    saved = tmp_path / "saved.json"
    done = subprocess.run(command, env=site.environment, capture_output=True, text=True, check=True, timeout=120)
    saved.write_text(done.stdout)
    assert "__ansible_unsafe" in done.stdout
    for path in (source, saved):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in site.environment.items():
                patch.setenv(name, value)
            batch = inventory.read(path)
        assert [(entry.name, entry.groups) for entry in batch.nodes] == [("n1", ["g"])]
        values = values_of(batch, "n1")
        assert values["net.ip"] == "10.0.0.1"
        assert values["bmc.address"] == "n1-bmc"
        assert values["net.dns"] == ["10.0.0.53"]
        assert values["site.owner"] == "1}} of n1-bmc"
        assert values["custom.x"] == "y"
        assert not [name for name in values if name.startswith("custom.ansible.")]
        assert values["bmc.password"] == "calvin"
        assert not batch.unmapped


def test_only_our_own_plugin_gets_our_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE0_SECRET_KEY", "the-key")
    monkeypatch.setenv("STAGE0_DATABASE", "sqlite:////nowhere")
    script = tmp_path / "script"
    listing = '{"web": {"hosts": ["w1"], "vars": {"row": "x%s%s"}}}'
    script.write_text(f"#!/bin/sh\nprintf '{listing}' $STAGE0_SECRET_KEY $STAGE0_DATABASE\n")
    script.chmod(0o700)
    assert values_of(inventory.read(script), "web") == {"location.row": "x"}
    source = tmp_path / "a.stage0.yml"
    source.write_text("plugin: stage0.metal.nodes\n")
    for path in (source, tmp_path):
        with pytest.raises(MetalError) as caught:
            inventory.read(path)
        said = (
            f"ansible-inventory cannot list {path}: stage0.metal.nodes: {source}: there is no node database /nowhere; "
        )
        assert caught.value.message.startswith(said)


HIDDEN = "hunter2"
UNREADABLE = [
    (
        "hosts",
        "[web\n",
        "YAML parsing failed: While parsing a flow sequence did not find expected ',' or ']'",
    ),
    (
        "a.yml",
        f"---\nall:\n  hosts:\n    h1:\n      ansible_password: {HIDDEN}: x\n",
        "{p}: line 5: YAML parsing failed: Colons in unquoted values must be followed by a non-space character",
    ),
    (
        "a.yml",
        f"---\nall:\n  hosts:\n    h1:\n      ansible_password: {HIDDEN}\n      bad: [1,\n",
        "{p}: line 7: YAML parsing failed: While parsing a flow node did not find expected node content",
    ),
    ("hosts.ini", f'[g]\nh1 ansible_password="{HIDDEN} ansible_x\n', "it is no inventory"),
    ("list.txt", f'{{"all": {{"hosts": {{"h1": {{"p": "{HIDDEN}"}}}}}}', "it is no inventory"),
    ("script", f"#!/bin/sh\necho {HIDDEN} >&2\nexit 3\n", "Inventory script returned non-zero exit code 3"),
    ("a.yml", f"---\nplugin: nosuch.foo.bar\npassword: {HIDDEN}\n", "it is no inventory"),
]


@pytest.mark.parametrize(("name", "text", "cause"), UNREADABLE, ids=[name for name, _text, _cause in UNREADABLE])
def test_what_ansible_cannot_read_is_not_quoted(name: str, text: str, cause: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    path.chmod(0o700 if text.startswith("#!") else 0o600)
    with pytest.raises(MetalError) as caught:
        inventory.read(path)
    assert HIDDEN not in caught.value.message
    assert caught.value.message == (
        f"ansible-inventory cannot list {path}: {cause.replace('{p}', str(path))}; "
        f"ansible-inventory -i {path} --list tells more"
    )


def test_an_empty_file_is_an_inventory_without_hosts(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("")
    assert inventory.read(path).nodes == []
