# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory plugin stage0.metal.nodes."""

from __future__ import annotations

DOCUMENTATION = r"""
name: nodes
short_description: Nodes of the node database as inventory
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Makes a host of every node in the node database of stage0.metal, and a group of every node group.
  - Each attribute becomes a variable, C(net.ip) for instance C(metal_net_ip). Secrets become none.
  - The source is a YAML file whose name ends in C(stage0.yml) or C(stage0.yaml).
options:
  plugin:
    description: Name of this plugin.
    type: str
    required: true
    choices: [stage0.metal.nodes]
  database:
    description: URL of the node database, such as C(sqlite:////var/lib/stage0/metal.db). By default as for modules.
    type: str
    env:
      - name: STAGE0_DATABASE
  nodes:
    description: The nodes to take, as a noderange.
    type: str
    default: all
  address_attribute:
    description: The attribute that becomes C(ansible_host), where a node has it.
    type: str
    default: net.ip
"""

EXAMPLES = r"""
# site.stage0.yml: everything
plugin: stage0.metal.nodes

# rack1.stage0.yml: one rack
# plugin: stage0.metal.nodes
# nodes: rack1,-r1n07
"""

from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.schema import attribute
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store
from ansible_collections.stage0.metal.plugins.module_utils._nodes.view import View


class InventoryModule(BaseInventoryPlugin):
    """Reads the database once; what it cannot read is an error, never an empty inventory."""

    NAME = "stage0.metal.nodes"

    def verify_file(self, path: str) -> bool:
        """Take files whose name ends in stage0.yml or stage0.yaml."""
        return bool(super().verify_file(path)) and path.endswith(("stage0.yml", "stage0.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill ``inventory``. Raises: AnsibleParserError."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            views, groups = self._read()
        except MetalError as exc:
            raise AnsibleParserError(f"stage0.metal.nodes: {exc}") from exc
        for group in groups:
            inventory.add_group(group)
        for view in views.values():
            self._add(inventory, view)

    def _read(self) -> tuple[dict[str, View], list[str]]:
        if attribute(self.get_option("address_attribute")).secret:
            raise MetalError(
                ErrorCode.INVALID, f"{self.get_option('address_attribute')} is a secret, which no inventory may hold"
            )
        database = open_database(self.get_option("database"), missing="refuse")
        try:
            with database.read() as connection:
                store = Store(connection, Keyring(), "inventory")
                wanted = self.get_option("nodes")
                names = store.expand(wanted) if store.node_names() or wanted != "all" else []
                return store.views(names), _group_names(store)
        finally:
            database.close()

    def _add(self, inventory: Any, view: View) -> None:
        inventory.add_host(view.name)
        for group in view.groups:
            inventory.add_child(_group_name(group), view.name)
        for name, value in view.shown().items():
            found = attribute(name)
            if not found.secret and value is not None:
                inventory.set_variable(view.name, found.variable, wrap_var(value))
        address = view[self.get_option("address_attribute")]
        if address:
            inventory.set_variable(view.name, "ansible_host", wrap_var(address))


def _group_name(name: str) -> str:
    """Return the name as Ansible allows it: dots and dashes become underscores."""
    return name.replace("-", "_").replace(".", "_")


def _group_names(store: Store) -> list[str]:
    """Return what the groups are called in Ansible. Raises: MetalError ``conflict`` where that would mix up two things."""
    nodes, taken = set(store.node_names()), dict[str, str]()
    for group in store.group_members():
        name = _group_name(group)
        if name in nodes:
            raise MetalError(
                ErrorCode.CONFLICT,
                f"group {group!r} would be called {name} in Ansible, as a node is; rename one of them",
            )
        if name in taken:
            raise MetalError(
                ErrorCode.CONFLICT,
                f"groups {taken[name]!r} and {group!r} would both be called {name} in Ansible; rename one of them",
            )
        taken[name] = group
    return list(taken)
