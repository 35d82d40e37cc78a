# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory plugin, read by ansible-core's own InventoryManager."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.constants import config
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.stage0.metal.plugins.inventory import nodes
from ansible_collections.stage0.metal.plugins.inventory.nodes import InventoryModule
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Wish
from ansible_collections.stage0.metal.tests.unit.support import PASSWORD, make_rack, store


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin alone, found without a collection loader; what it cannot parse is an error."""
    monkeypatch.setattr("ansible.constants.INVENTORY_ANY_UNPARSED_IS_FAILED", True, raising=False)
    monkeypatch.setattr(InventoryManager, "_fetch_inventory_plugins", lambda _self: [plugin()])


def plugin() -> InventoryModule:
    """Return the plugin as ansible-core's loader makes it, its options known to the configuration."""
    options = yaml.safe_load(nodes.DOCUMENTATION)["options"]
    config.initialize_plugin_configuration_definitions("inventory", InventoryModule.NAME, options)
    made = InventoryModule()
    made._load_name = made._original_path = InventoryModule.NAME
    return made


def write(folder: Path, **options: Any) -> str:
    source = folder / "site.stage0.yml"
    lines = ["plugin: stage0.metal.nodes", *(f"{key}: {value!r}" for key, value in options.items())]
    source.write_text("\n".join(lines) + "\n")
    return str(source)


def read(folder: Path, **options: Any) -> InventoryManager:
    return InventoryManager(loader=DataLoader(), sources=[write(folder, **options)])


def variables(inventory: InventoryManager, name: str) -> dict[str, Any]:
    host = inventory.get_host(name)
    assert host is not None
    return {key: value for key, value in host.vars.items() if key.startswith(("metal_", "ansible_host"))}


def fails(folder: Path, **options: Any) -> str:
    source = write(folder, **options)
    with pytest.raises(AnsibleParserError, match=r"^stage0\.metal\.nodes: ") as caught:
        plugin().parse(InventoryData(), DataLoader(), source)
    with pytest.raises(AnsibleError):
        read(folder, **options)
    return str(caught.value)


def test_nodes_groups_and_variables(tmp_path: Path) -> None:
    make_rack(2)
    with store() as opened:
        opened.put("group", "dc-1.row_2", Wish())
        opened.put("node", "r1n02", Wish({"net.gateway": None, "net.ip": None}, groups=["rack1", "dc-1.row_2"]))
    inventory = read(tmp_path)
    assert sorted(inventory.hosts) == ["r1n01", "r1n02"]
    groups = inventory.get_groups_dict()
    assert (groups["rack1"], groups["dc_1_row_2"]) == (["r1n01", "r1n02"], ["r1n02"])
    found = variables(inventory, "r1n01")
    expected = {"metal_net_mac": "52:54:00:01:00:01", "metal_net_ip": "10.1.1.1", "metal_bmc_user": "admin"}
    assert {key: found[key] for key in expected} == expected
    assert found["ansible_host"] == "10.1.1.1"
    assert found["metal_bmc_port"] == 623
    assert found["metal_net_dns"] == []
    other = variables(inventory, "r1n02")
    assert "metal_net_ip" not in other
    assert "ansible_host" not in other


def test_secrets_become_no_variables(tmp_path: Path) -> None:
    make_rack(1)
    found = variables(read(tmp_path), "r1n01")
    assert "metal_bmc_password" not in found
    assert "metal_deploy_root_password_hash" not in found
    assert PASSWORD not in repr(found)


def test_values_are_not_templates(tmp_path: Path) -> None:
    make_rack(1)
    with store() as opened:
        opened.put("node", "r1n01", Wish({"site.x": "{{ lookup('pipe', 'id') }}"}))
    inventory = read(tmp_path)
    found = variables(inventory, "r1n01")
    assert found["metal_site_x"] == "{{ lookup('pipe', 'id') }}"
    assert Templar(loader=DataLoader(), variables=found).template(found["metal_site_x"]) == "{{ lookup('pipe', 'id') }}"


def test_a_noderange_and_another_address(tmp_path: Path) -> None:
    make_rack(3)
    inventory = read(tmp_path, nodes="rack1,-r1n02", address_attribute="bmc.address")
    assert sorted(inventory.hosts) == ["r1n01", "r1n03"]
    assert variables(inventory, "r1n03")["ansible_host"] == "10.2.1.3"


@pytest.mark.sqlite
def test_another_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_rack(1)
    monkeypatch.setenv("STAGE0_DATABASE", f"sqlite:///{tmp_path}/other.db")
    assert f"there is no node database {tmp_path}/other.db; see STAGE0_HOME" in fails(tmp_path)
    assert not (tmp_path / "other.db").exists()
    home = tmp_path / "stage0-home"
    assert sorted(read(tmp_path, database=f"sqlite:///{home}/metal.db").hosts) == ["r1n01"]


def test_an_empty_database_is_an_empty_inventory(tmp_path: Path) -> None:
    with store() as opened:
        assert opened.node_names() == []
    assert sorted(read(tmp_path).hosts) == []


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    assert "there is no node database /nowhere/metal.db" in fails(tmp_path, database="sqlite:////nowhere/metal.db")
    assert "is not supported; write sqlite:///PATH" in fails(tmp_path, database="mysql://x")
    make_rack(1)
    assert "there is no node or group named 'r9'" in fails(tmp_path, nodes="r9")
    assert "'net.addr' is not an attribute; " in fails(tmp_path, address_attribute="net.addr")
    assert "bmc.password is a secret, which no inventory may hold" in fails(tmp_path, address_attribute="bmc.password")


def test_two_groups_that_ansible_cannot_tell_apart(tmp_path: Path) -> None:
    make_rack(1)
    with store() as opened:
        opened.put("node", "r1n01", Wish(groups=["a-b", "a.b"]))
    assert "groups 'a-b' and 'a.b' would both be called a_b in Ansible; rename one of them" in fails(tmp_path)


def test_a_group_that_would_be_called_like_a_host(tmp_path: Path) -> None:
    make_rack(1)
    with store() as opened:
        opened.put("node", "a_b", Wish(groups=["a-b"]))
    assert "group 'a-b' would be called a_b in Ansible, as a node is; rename one of them" in fails(tmp_path)


@pytest.mark.parametrize(
    ("name", "taken"),
    [("site.stage0.yml", True), ("stage0.yaml", True), ("site.yml", False), ("stage0.ini", False), ("nothing", False)],
)
def test_which_files_it_takes(tmp_path: Path, name: str, taken: bool) -> None:
    if name != "nothing":
        (tmp_path / name).write_text("plugin: stage0.metal.nodes\n")
    assert InventoryModule().verify_file(str(tmp_path / name)) is taken
