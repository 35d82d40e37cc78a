# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what tests of the inventory plugin share: it as Ansible makes it, and what it read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.constants import config
from ansible.inventory.data import InventoryData
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.doc_fragments import constructed, inventory_cache
from ansible_collections.stage0.metal.plugins.inventory import nodes
from ansible_collections.stage0.metal.plugins.inventory.nodes import InventoryModule
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Wish
from ansible_collections.stage0.metal.tests.unit.support import store


def plugin() -> InventoryModule:
    """Return the plugin as ansible-core's loader makes it, its options known to the configuration."""
    texts = [module.ModuleDocFragment.DOCUMENTATION for module in (constructed, inventory_cache)]
    options = {name: about for text in [*texts, nodes.DOCUMENTATION] for name, about in _options(text).items()}
    config.initialize_plugin_configuration_definitions("inventory", InventoryModule.NAME, options)
    made = InventoryModule()
    made._load_name = made._original_path = made.ansible_name = InventoryModule.NAME
    made._redirected_names = [InventoryModule.NAME]
    return made


def _options(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)["options"]
    return found


def write(folder: Path, **options: Any) -> str:
    """Write a source with ``options``; returns its path."""
    source = folder / "site.stage0.yml"
    source.write_text(yaml.safe_dump({"plugin": InventoryModule.NAME, **options}, allow_unicode=True))
    return str(source)


def read(folder: Path, **options: Any) -> InventoryManager:
    """Return the inventory that a source with ``options`` gives."""
    return InventoryManager(loader=DataLoader(), sources=[write(folder, **options)])


def variables(inventory: InventoryManager, name: str) -> dict[str, Any]:
    """Return the host's variables that the plugin set."""
    host = inventory.get_host(name)
    assert host is not None
    return {key: value for key, value in host.vars.items() if key.startswith(("metal_", "ansible_host"))}


def listing(inventory: InventoryManager) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return what people see of an inventory: variables of hosts, and hosts of groups."""
    return {name: variables(inventory, name) for name in inventory.hosts}, inventory.get_groups_dict()


def fails(folder: Path, **options: Any) -> str:
    """Read a source that ends Ansible; returns the sentence."""
    source = write(folder, **options)
    with pytest.raises(SystemExit) as caught:
        plugin().parse(InventoryData(), DataLoader(), source)
    said = str(caught.value.code)
    begins = f"[ERROR]: {InventoryModule.NAME}: {source}: "
    assert said.startswith(begins)
    return said.removeprefix(begins)


def put(kind: str, name: str, values: dict[str, Any] | None = None, groups: Sequence[str] | None = None) -> None:
    """Put a node or group into the database."""
    with store() as opened:
        opened.put(kind, name, Wish(values or {}, groups=groups))
