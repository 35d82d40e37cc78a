#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: node_info
short_description: Read nodes from the node database
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - The node database of stage0.metal keeps nodes, groups and their attributes; a node inherits from its groups.
  - This module returns effective values and says where each comes from. Secrets are masked.
options:
  nodes:
    description: The nodes, as a noderange or a list of noderanges.
    type: list
    elements: str
    default: [all]
  attributes:
    description: Return only these attributes, null where a node has none.
    type: list
    elements: str
  show:
    description:
      - What to return of each node. V(values) are the effective ones; V(origins) say where each comes from, which is
        C(node), C(group:NAME) or C(default); V(own) are the values of the node itself, with expressions as they were written.
    type: list
    elements: str
    choices: [values, origins, own]
    default: [values, origins]
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.INFO
  - stage0.metal._options
seealso:
  - module: stage0.metal.node
  - module: stage0.metal.group
"""

EXAMPLES = r"""
- name: Everything about everybody
  stage0.metal.node_info:

- name: Where a rack's nodes get their BMC's user from
  stage0.metal.node_info:
    nodes: rack1
    attributes: [bmc.user]
  register: found

- name: The expressions from which addresses are made
  stage0.metal.node_info:
    nodes: compute@/r1.*/
    attributes: [net.ip]
    show: [values, own]
"""

RETURN = r"""
nodes:
  description: The nodes by name, each with what O(show) asks for.
  returned: success
  type: dict
  sample:
    r1n01:
      groups: [rack1]
      values:
        bmc.user: admin
      origins:
        bmc.user: 'group:rack1'
      own: {}
count:
  description: How many there are.
  returned: success
  type: int
  sample: 1

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
from ansible_collections.stage0.metal.plugins.module_utils._operations.nodes import node_info

ARGUMENT_SPEC = ArgumentSpec(
    {
        "nodes": {"type": "list", "elements": "str", "default": ["all"]},
        "attributes": {"type": "list", "elements": "str"},
        "show": {
            "type": "list",
            "elements": "str",
            "choices": ["values", "origins", "own"],
            "default": ["values", "origins"],
        },
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, node_info)


if __name__ == "__main__":
    main()
