#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: node_export
short_description: Export nodes and their groups to a CSV or YAML file
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - The node database of stage0.metal keeps nodes, groups and their attributes; a node inherits from its groups.
  - This module writes own values, not inherited ones, so that M(stage0.metal.node_import) makes the same again.
    The order is natural and one change in the database is one line in the file, fit for git.
  - The file is written under another name and renamed when it is whole. If nothing differs, it is not touched.
    A symbolic link stays, and the file that it leads to is replaced.
  - A CSV file holds nodes and groups, a YAML file the networks as well.
options:
  path:
    description: The file, on the machine where the module runs. Its folder has to exist.
    type: path
    required: true
  format:
    description: What to write. By default the suffix tells; what is neither C(.yml) nor C(.yaml) becomes CSV.
    type: str
    choices: [csv, yaml]
  nodes:
    description:
      - The nodes, as a noderange or a list of noderanges. Groups without a node among them are left out, and so are networks.
        Such a file is not for O(stage0.metal.node_import#module:state=overridden).
    type: list
    elements: str
    default: [all]
  secrets:
    description:
      - Whether secrets are left out, or written as they are stored, which only the key of this site can read.
        A file with secrets can be read by its owner only.
      - They cannot be imported any more once the key that they were written with is gone, as after M(stage0.metal.secret_key)
        has made a new one and dropped the old one. Export again then.
    type: str
    choices: [omit, encrypted]
    default: omit
  force:
    description:
      - Whether to replace a file that is no export. By default only a file that is empty or begins as an export does
        is replaced. Files of the database and of its keys never are.
    type: bool
    default: false
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
seealso:
  - module: stage0.metal.node_import
"""

EXAMPLES = r"""
- name: The database as a file for git
  stage0.metal.node_export:
    path: /srv/site/nodes.yml

- name: One rack for the integrator
  stage0.metal.node_export:
    path: /srv/site/rack1.csv
    nodes: rack1
"""

RETURN = r"""
file:
  description: The file.
  returned: success
  type: str
  sample: /srv/site/nodes.yml
summary:
  description: How much is in the file.
  returned: success
  type: dict
  contains:
    nodes:
      description: Nodes.
      type: int
      returned: always
      sample: 4000
    groups:
      description: Groups.
      type: int
      returned: always
      sample: 102
    networks:
      description: Networks.
      type: int
      returned: always
      sample: 3

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
from ansible_collections.stage0.metal.plugins.module_utils._operations.exchange import node_export

ARGUMENT_SPEC = ArgumentSpec(
    {
        "path": {"type": "path", "required": True},
        "format": {"type": "str", "choices": ["csv", "yaml"]},
        "nodes": {"type": "list", "elements": "str", "default": ["all"]},
        "secrets": {"type": "str", "choices": ["omit", "encrypted"], "default": "omit", "no_log": False},
        "force": {"type": "bool", "default": False},
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, node_export)


if __name__ == "__main__":
    main()
