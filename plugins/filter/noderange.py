# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter stage0.metal.noderange."""

from __future__ import annotations

DOCUMENTATION = r"""
name: noderange
short_description: Names of the nodes that a noderange means
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Expands a noderange, such as V(rack1,-r1n07), to a list of names in natural order, each once.
  - By default it asks the node database. With O(groups) it asks a mapping, for instance Ansible's own variable C(groups).
  - An unknown name, an empty group and a noderange that names nobody are errors.
positional: _input
options:
  _input:
    description: The noderange, or a list of them, which means what its items joined with commas mean.
    type: raw
    required: true
  database:
    description: URL of the node database, such as C(sqlite:////var/lib/stage0/metal.db). By default as for modules.
    type: str
  groups:
    description:
      - Groups with their members, to be asked in place of the node database.
      - The group V(all), where there is one, has every node. Else every member of any group is a node.
      - There are no attributes then, so none can be tested.
    type: dict
notes:
  - It runs on the machine that runs Ansible. Every call reads the database anew; keep a result that is used often in a variable.
requirements:
  - SQLAlchemy >= 2.0.20, without O(groups)
  - regex >= 2022.10.31, for regular expressions
seealso:
  - plugin: stage0.metal.fold
    plugin_type: filter
  - plugin: stage0.metal.in_noderange
    plugin_type: test
"""

EXAMPLES = r"""
- name: Rack 1 without one node, by the node database
  ansible.builtin.debug:
    msg: "{{ 'rack1,-r1n07' | stage0.metal.noderange }}"

- name: The same by Ansible's inventory
  ansible.builtin.debug:
    msg: "{{ 'rack1,-r1n07' | stage0.metal.noderange(groups=groups) }}"

- name: How many nodes are not locked
  ansible.builtin.debug:
    msg: "{{ 'all,-deploy.lock==locked' | stage0.metal.noderange | length }}"
"""

RETURN = r"""
_value:
  description: The names, in natural order.
  type: list
  elements: str
  sample: [r1n01, r1n02, r1n10]
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.stage0.metal.plugins.module_utils._nodes.noderange import expand
from ansible_collections.stage0.metal.plugins.plugin_utils._noderange import names, said_by, texts


def noderange(value: Any, database: str | None = None, groups: Any = None) -> list[str]:
    """Return the names of the nodes that ``value`` means. Raises: AnsibleFilterError."""
    with said_by("noderange"), names(database, groups) as found:
        return expand(value if isinstance(value, str) else texts(value, "a noderange"), found)


class FilterModule:
    """What ansible-core asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to filter."""
        return {"noderange": noderange}
