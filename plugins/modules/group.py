#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: group
short_description: Manage one group in the node database
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - The node database of stage0.metal keeps nodes, groups and their attributes; a node inherits from its groups.
  - This module makes, changes, renames or removes one group. Its nodes stay when it goes.
  - A change is refused if it would leave a node of the group with an expression that cannot be evaluated.
options:
  name:
    description: Name of the group; lower-case letters, digits, V(-), V(_) and V(.).
    type: str
    required: true
  state:
    description: Whether the group is to exist. With V(renamed) it is to be called O(new_name).
    type: str
    choices: [present, absent, renamed]
    default: present
  new_name:
    description: What the group is to be called, for O(state=renamed).
    type: str
  attributes:
    description:
      - Values to set, by attribute name, dotted or nested. A null value blanks what later groups would give.
      - Text with braces is an expression, which is evaluated for each node of the group, as in C({node}-bmc).
    type: dict
    default: {}
  secrets:
    description: Values of attributes that are secret, such as C(bmc.password). They are encrypted in the database.
    type: dict
  unset:
    description: Attributes whose value is removed from the group.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
seealso:
  - module: stage0.metal.node
  - module: stage0.metal.node_info
"""

EXAMPLES = r"""
- name: What the nodes of a rack have in common
  stage0.metal.group:
    name: rack1
    attributes:
      bmc.user: admin
      net.gateway: 10.1.0.1
      location.rack: "1"
    secrets:
      bmc.password: "{{ vault_bmc_password }}"

- name: The addresses of all BMCs follow from the nodes' names
  stage0.metal.group:
    name: rack1
    attributes:
      bmc.address: 10.2.{n1}.{n2}

- name: Nobody is in it any more
  stage0.metal.group:
    name: rack1
    state: absent
"""

RETURN = r"""
group:
  description: The group as it is now, with its own values; empty if it is absent. Secrets are masked.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: if present
      sample: rack1
    values:
      description: Its own values by attribute name.
      type: dict
      returned: if present
      sample:
        bmc.user: admin

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
from ansible_collections.stage0.metal.plugins.module_utils._operations.nodes import group

ARGUMENT_SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent", "renamed"], "default": "present"},
        "new_name": {"type": "str"},
        "attributes": {"type": "dict", "default": {}},
        "secrets": {"type": "dict", "no_log": True},
        "unset": {"type": "list", "elements": "str", "default": []},
    },
    rules={"required_if": [("state", "renamed", ("new_name",))]},
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, group)


if __name__ == "__main__":
    main()
