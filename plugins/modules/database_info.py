#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: database_info
short_description: What the node database is, and whether it is sound
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Tells where the node database of stage0.metal is, what is in it, and whether the keys fit its secrets.
  - With O(verify) it also looks for damage, which reads all of it.
options:
  verify:
    description:
      - Whether to have the database check its structure, to read every row, and to look for nodes that contradict each
        other, as an older release let them. Of those, 100 are told at most.
    type: bool
    default: false
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.INFO
  - stage0.metal._options
seealso:
  - module: stage0.metal.backup
  - module: stage0.metal.event_info
  - module: stage0.metal.secret_key
"""

EXAMPLES = r"""
- name: Where is it, and what is in it
  stage0.metal.database_info:
  register: found

- name: It is sound
  stage0.metal.database_info:
    verify: true
  register: sound
  failed_when: sound.database.problems != [] or sound.database.secrets.problem is not none
"""

RETURN = r"""
database:
  description: The database.
  returned: success
  type: dict
  contains:
    kind:
      description: V(sqlite) or V(postgresql).
      type: str
      returned: always
      sample: sqlite
    url:
      description: Where it is; a password is left out.
      type: str
      returned: always
      sample: sqlite:////var/lib/stage0/metal.db
    product:
      description: The program behind it, with its version.
      type: str
      returned: always
      sample: SQLite 3.40.1
    schema_version:
      description: Version of its tables.
      type: int
      returned: always
      sample: 2
    bytes:
      description: How much room it takes on disk.
      type: int
      returned: always
      sample: 5279744
    rows:
      description: How many rows each table has; nodes, groups, networks, deployments and events among them.
      type: dict
      returned: always
      sample:
        nodes: 4000
        groups: 12
    secrets:
      description: The keys, and whether they fit.
      type: dict
      returned: always
      contains:
        keys_from:
          description: The key file, or the environment variable that gives the keys.
          type: str
          returned: always
          sample: /var/lib/stage0/secret.key
        keys:
          description: Fingerprints of the keys, the one that encrypts first; a key cannot be computed from them.
          type: list
          elements: str
          returned: always
          sample: [ba7816bf8f01]
        count:
          description: How many secrets there are.
          type: int
          returned: if the keys could be read or there is nothing to read with them
          sample: 12
        readable:
          description: Whether all secrets can be decrypted; null if there are none.
          type: bool
          returned: always
          sample: true
        problem:
          description: What is wrong with the keys, if anything.
          type: str
          returned: always
          sample: null
    problems:
      description: What the check found; empty if all is well.
      type: list
      elements: str
      returned: if O(verify)
      sample: []

error:
  description: What kind of failure it is, if the task as a whole failed.
  returned: if the request was refused before anything was touched
  type: dict
  contains:
    code:
      description: The class of the failure, such as V(invalid), V(conflict) or V(database).
      type: str
      returned: always
      sample: database
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
from ansible_collections.stage0.metal.plugins.module_utils._operations.database import database_info

ARGUMENT_SPEC = ArgumentSpec({"verify": {"type": "bool", "default": False}}, existing=True)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, database_info)


if __name__ == "__main__":
    main()
