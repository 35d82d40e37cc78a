#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: node
short_description: Manage one node in the node database
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - The node database of stage0.metal keeps nodes, groups and their attributes; a node inherits from its groups.
  - This module makes, changes or removes one node. Attributes that are not named stay as they are.
options:
  name:
    description: Name of the node; lower-case letters, digits, V(-), V(_) and V(.).
    type: str
    required: true
  state:
    description: Whether the node is to exist.
    type: str
    choices: [present, absent]
    default: present
  groups:
    description:
      - The node's groups, in the order in which it inherits from them. A group that does not exist is made.
      - If this is not given, the node's groups stay as they are.
    type: list
    elements: str
  attributes:
    description:
      - Values to set, by attribute name, dotted or nested. The attribute reference lists them.
      - A null value blanks what the node would inherit; O(unset) lets it inherit again.
    type: dict
    default: {}
  secrets:
    description: Values of attributes that are secret, such as C(bmc.password). They are encrypted in the database.
    type: dict
  unset:
    description: Attributes whose own value is removed, so that the node inherits.
    type: list
    elements: str
    default: []
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

- name: It is gone
  stage0.metal.node:
    name: r1n01
    state: absent
"""

RETURN = r"""
node:
  description: The node as it is now, with its own values; empty if it is absent. Secrets are masked.
  returned: success
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
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "groups": {"type": "list", "elements": "str"},
        "attributes": {"type": "dict", "default": {}},
        "secrets": {"type": "dict", "no_log": True},
        "unset": {"type": "list", "elements": "str", "default": []},
    }
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, node)


if __name__ == "__main__":
    main()
