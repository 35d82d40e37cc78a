#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: node_import
short_description: Import nodes from a CSV file
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - The node database of stage0.metal keeps nodes, groups and their attributes; a node inherits from its groups.
  - This module takes a CSV file of nodes, all of it or, if anything in it is wrong, nothing.
  - The first line names the columns. C(name) has to be there; C(groups) holds groups separated by semicolons; all others are attributes.
  - An empty cell says nothing; nodes that are not in the file stay as they are.
options:
  path:
    description: The CSV file, in UTF-8, on the machine where the module runs.
    type: path
    required: true
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
seealso:
  - module: stage0.metal.node
  - module: stage0.metal.node_info
"""

EXAMPLES = r"""
- name: The nodes as the integrator listed them
  stage0.metal.node_import:
    path: /srv/site/nodes.csv
"""

RETURN = r"""
added:
  description: Nodes that are new.
  returned: success
  type: list
  elements: str
  sample: [r1n01, r1n02]
updated:
  description: Nodes that were there and are different now.
  returned: success
  type: list
  elements: str
  sample: []
unchanged:
  description: How many nodes of the file needed no change.
  returned: success
  type: int
  sample: 22

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
from ansible_collections.stage0.metal.plugins.module_utils._operations.nodes import node_import

ARGUMENT_SPEC = ArgumentSpec({"path": {"type": "path", "required": True}})


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, node_import)


if __name__ == "__main__":
    main()
