#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: node_import
short_description: Import nodes from a file, from xCAT, Confluent or an Ansible inventory
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - The node database of stage0.metal keeps nodes, groups and their attributes; a node inherits from its groups.
  - This module takes what a file or folder holds, all of it or, if anything in it is wrong, nothing.
    With C(--check --diff) it shows what it would do.
  - In a CSV file the first line names the columns. C(name) has to be there; C(groups) holds groups separated by semicolons;
    all others are attributes. An empty cell says nothing, C({null}) blanks what would be inherited.
    A name that begins with C(group:) is a group's.
  - A file that M(stage0.metal.node_export) wrote with O(stage0.metal.node_export#module:secrets=encrypted) needs the key that its
    secrets were written with. After a rotation that dropped that key it is refused.
options:
  path:
    description: The file or folder, on the machine where the module runs. Text is in UTF-8.
    type: path
    required: true
  format:
    description:
      - What it is. By default the suffix, or what is in the folder, tells C(csv), C(yaml), C(xcat) and C(confluent).
      - V(csv) and V(yaml) are what M(stage0.metal.node_export) writes.
      - V(xcat) is a folder with the output of C(tabdump), a file a table, or the output of C(lsdef -z).
      - V(confluent) is a folder that C(confluentdbutil dump) made.
      - V(inventory) is any inventory that C(ansible-inventory) can read, or the JSON that it printed.
    type: str
    choices: [csv, yaml, xcat, confluent, inventory]
  state:
    description:
      - With V(merged) what the file does not say stays as it is.
      - With V(replaced) the nodes, groups and networks of the file become what it says, so that an empty cell unsets;
        but secrets that the file does not name stay.
      - With V(overridden) nodes that are not in the file are removed besides; so are networks and groups, if the file can tell of them.
        A YAML file does if it has such a section, be it empty; any other if it describes at least one.
        A group that a node of the file is in stays.
    type: str
    choices: [merged, replaced, overridden]
    default: merged
  max_removed:
    description:
      - How many nodes O(state=overridden) may remove; if they are more, nothing is taken. It guards against a file that is cut short.
      - By default half of the nodes that there are, or 10 if that is more. A file without any node never removes one.
    type: int
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
seealso:
  - module: stage0.metal.node
  - module: stage0.metal.node_export
  - module: stage0.metal.node_info
"""

EXAMPLES = r"""
- name: The nodes as the integrator listed them
  stage0.metal.node_import:
    path: /srv/site/nodes.csv

- name: What xCAT knows; first with --check --diff
  stage0.metal.node_import:
    path: /srv/site/xcat-tables
    format: xcat

- name: The file in git is what counts
  stage0.metal.node_import:
    path: /srv/site/nodes.yml
    state: overridden
"""

RETURN = r"""
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
groups:
  description: How many groups the task meant, and what became of them, counted and as noderanges.
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
networks:
  description: How many networks the task meant, and what became of them, counted and as noderanges.
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
unmapped:
  description: What was not taken over, or only as text under C(custom.), put together by place and reason.
  returned: success
  type: list
  elements: dict
  contains:
    source:
      description: Where it stands.
      type: str
      returned: always
      sample: 'ipmi.csv: bmc'
    reason:
      description: Why it was not taken over.
      type: str
      returned: always
      sample: 'cannot be translated: it gives r1n07 for node r1n07, which has no number to match'
    count:
      description: How many nodes or groups it concerns.
      type: int
      returned: always
      sample: 1
    names:
      description: Which they are.
      type: str
      returned: always
      sample: r1n07

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
from ansible_collections.stage0.metal.plugins.module_utils._operations.exchange import node_import

ARGUMENT_SPEC = ArgumentSpec(
    {
        "path": {"type": "path", "required": True},
        "format": {"type": "str", "choices": ["csv", "yaml", "xcat", "confluent", "inventory"]},
        "state": {"type": "str", "choices": ["merged", "replaced", "overridden"], "default": "merged"},
        "max_removed": {"type": "int"},
    }
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, node_import)


if __name__ == "__main__":
    main()
