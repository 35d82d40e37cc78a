# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The test stage0.metal.in_noderange."""

from __future__ import annotations

DOCUMENTATION = r"""
name: in_noderange
short_description: Whether a node is one of those that a noderange means
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Whether the name is among those that a noderange, such as V(rack1,-r1n07), means.
  - An unknown name in the noderange and an empty group are errors. A noderange that names nobody is not; nobody is in it.
  - It runs on the machine that runs Ansible.
options:
  _input:
    description: The name of a node or host.
    type: str
    required: true
  noderange:
    description: The noderange, or a list of them. It is the first argument.
    type: raw
    required: true
  database:
    description: URL of the node database. By default as for modules.
    type: str
  groups:
    description: Groups with their members, to be asked in place of the node database, as in P(stage0.metal.noderange#filter).
    type: dict
notes:
  - Every call reads the database anew. For thousands of hosts, keep what P(stage0.metal.noderange#filter) gives in a variable.
seealso:
  - plugin: stage0.metal.noderange
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Only in rack 1, but not on this node
  ansible.builtin.debug:
    msg: "{{ inventory_hostname }} is meant"
  when: inventory_hostname is stage0.metal.in_noderange('rack1,-r1n07')

- name: The same by Ansible's inventory
  ansible.builtin.debug:
    msg: "{{ inventory_hostname }} is meant"
  when: inventory_hostname is stage0.metal.in_noderange('rack1,-r1n07', groups=groups)
"""

RETURN = r"""
_value:
  description: Whether it is one of them.
  type: bool
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.stage0.metal.plugins.module_utils._nodes.noderange import select
from ansible_collections.stage0.metal.plugins.plugin_utils._noderange import names, said_by, texts


def in_noderange(name: Any, noderange: Any, database: str | None = None, groups: Any = None) -> bool:
    """Whether ``name`` is one of the nodes that ``noderange`` means. Raises: AnsibleFilterError."""
    with said_by("in_noderange"), names(database, groups) as found:
        return name in select(noderange if isinstance(noderange, str) else texts(noderange, "a noderange"), found)


class TestModule:
    """What ansible-core asks for the tests of this file."""

    def tests(self) -> dict[str, Callable[..., bool]]:
        """Name to test."""
        return {"in_noderange": in_noderange}
