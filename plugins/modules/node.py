#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: node
short_description: Manage nodes in the node database
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - The node database of stage0.metal keeps nodes, groups and their attributes; a node inherits from its groups.
  - This module makes, changes, renames or removes nodes, one or many in one task, all of them or, if anything is wrong, none.
    Attributes that are not named stay as they are.
options:
  name:
    description:
      - Names of nodes, which need not exist; lower-case letters, digits, V(-), V(_) and V(.).
        Brackets spell out many, as in V(r[1-2]n[01-20]).
      - Exactly one of O(name) and O(nodes) has to be given.
    type: list
    elements: str
  nodes:
    description:
      - Existing nodes, as a noderange or a list of noderanges, such as V(rack1,-r1n07). A name that does not exist is an error,
        so that a slip of the keyboard makes no new node.
    type: list
    elements: str
  state:
    description:
      - Whether the nodes are to exist. With V(renamed) the node is to be called O(new_name); what it has and had comes along.
    type: str
    choices: [present, absent, renamed]
    default: present
  new_name:
    description: What the node is to be called, for O(state=renamed).
    type: str
  groups:
    description:
      - The nodes' groups, in the order in which they inherit from them. A group that does not exist is made.
      - If this is not given, the nodes' groups stay as they are.
    type: list
    elements: str
  groups_mode:
    description: Whether O(groups) are all groups of the nodes, or are appended to those that they have, or removed from them.
    type: str
    choices: [set, append, remove]
    default: set
  attributes:
    description:
      - Values to set, by attribute name, dotted or nested. The attribute reference lists them.
      - Text with braces is an expression, which is evaluated for each node, as in C(10.1.{n1}.{n2}).
      - A null value blanks what the node would inherit; O(unset) lets it inherit again.
    type: dict
    default: {}
  secrets:
    description: Values of attributes that are secret, such as C(bmc.password). They are encrypted in the database.
    type: dict
  unset:
    description: Attributes whose own value is removed, so that the nodes inherit.
    type: list
    elements: str
    default: []
  detail:
    description: Which nodes the result lists in RV(nodes).
    type: str
    choices: [all, changed, none]
    default: all
  max_nodes:
    description: Refuse the task if it means more nodes than this.
    type: int
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
seealso:
  - module: stage0.metal.group
  - module: stage0.metal.node_info
  - module: stage0.metal.node_import
"""

EXAMPLES = r"""
- name: A rack's first node
  stage0.metal.node:
    name: r1n01
    groups: [rack1]
    attributes:
      bmc.address: 10.2.1.1
      net.mac: "52:54:00:01:00:01"
      net.ip: 10.1.1.1

- name: Its BMC has a password of its own
  stage0.metal.node:
    name: r1n01
    secrets:
      bmc.password: "{{ vault_bmc_password }}"

- name: It has no gateway, whatever its groups say, and inherits its user again
  stage0.metal.node:
    name: r1n01
    attributes:
      net.gateway: null
    unset: [bmc.user]

- name: Two more racks, whose addresses follow from the names
  stage0.metal.node:
    name: r[2-3]n[01-20]
    groups: [compute]
    attributes:
      location.rack: "{n1}"
      bmc.address: 10.2.{n1}.{n2}
      net.ip: 10.1.{n1}.{n2}

- name: All of rack 3 but one stand in another room, and are in one more group
  stage0.metal.node:
    nodes: location.rack==3,-r3n07
    groups: [storage]
    groups_mode: append
    attributes:
      location.room: B2

- name: A node gets another name
  stage0.metal.node:
    name: r3n20
    state: renamed
    new_name: spare-3-20

- name: It is gone
  stage0.metal.node:
    name: spare-3-20
    state: absent
"""

RETURN = r"""
nodes:
  description: The nodes by name, as they are now, with their own values; secrets are masked. O(detail) says which.
  returned: success
  type: dict
  sample:
    r1n01:
      changed: true
      groups: [rack1]
      values:
        bmc.address: 10.2.1.1
        bmc.password: '********'
summary:
  description: How many nodes the task meant, and what became of them, counted and as noderanges.
  returned: success
  type: dict
  contains:
    total:
      description: How many there are in all.
      type: int
      returned: always
      sample: 40
    unchanged:
      description: How many needed no change.
      type: int
      returned: always
      sample: 38
    added:
      description: How many are new.
      type: int
      returned: always
      sample: 2
    changed:
      description: How many were there and are different now.
      type: int
      returned: always
      sample: 0
    removed:
      description: How many are gone.
      type: int
      returned: always
      sample: 0
    added_range:
      description: Those that are new.
      type: str
      returned: always
      sample: r1n[01-02]
    changed_range:
      description: Those that are different now.
      type: str
      returned: always
      sample: ''
    removed_range:
      description: Those that are gone.
      type: str
      returned: always
      sample: ''
node:
  description: The node as it is now, with its own values; empty if it is absent. Secrets are masked.
  returned: if the task means one node
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: if present
      sample: r1n01
    groups:
      description: Its groups, in the order in which it inherits from them.
      type: list
      elements: str
      returned: if present
      sample: [rack1]
    values:
      description: Its own values by attribute name.
      type: dict
      returned: if present
      sample:
        bmc.address: 10.2.1.1
        bmc.password: '********'

error:
  description: What kind of failure it is, if the task as a whole failed.
  returned: if the request was refused before any node was touched
  type: dict
  contains:
    code:
      description: The class of the failure, such as V(invalid), V(unknown) or V(missing).
      type: str
      returned: always
      sample: unknown
    node:
      description: The node that it concerns, if it is one.
      type: str
      returned: always
      sample: r1n07
    retryable:
      description: Whether the same task may succeed a moment later.
      type: bool
      returned: always
      sample: false
"""

from ansible_collections.stage0.metal.plugins.module_utils._module.run import run
from ansible_collections.stage0.metal.plugins.module_utils._module.spec import ArgumentSpec
from ansible_collections.stage0.metal.plugins.module_utils._operations.nodes import node

ARGUMENT_SPEC = ArgumentSpec(
    {
        "name": {"type": "list", "elements": "str"},
        "nodes": {"type": "list", "elements": "str"},
        "state": {"type": "str", "choices": ["present", "absent", "renamed"], "default": "present"},
        "new_name": {"type": "str"},
        "groups": {"type": "list", "elements": "str"},
        "groups_mode": {"type": "str", "choices": ["set", "append", "remove"], "default": "set"},
        "attributes": {"type": "dict", "default": {}},
        "secrets": {"type": "dict", "no_log": True},
        "unset": {"type": "list", "elements": "str", "default": []},
        "detail": {"type": "str", "choices": ["all", "changed", "none"], "default": "all"},
        "max_nodes": {"type": "int"},
    },
    rules={
        "mutually_exclusive": [("name", "nodes")],
        "required_one_of": [("name", "nodes")],
        "required_if": [("state", "renamed", ("new_name",))],
    },
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, node)


if __name__ == "__main__":
    main()
