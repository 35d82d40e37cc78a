#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: restore
short_description: Put a backup in the place of the node database's content
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Replaces all that is in the node database of stage0.metal by what M(stage0.metal.backup) has written, in one
    transaction; if anything goes wrong, the database is as it was.
  - The file is read to its end before the database is touched; one that is cut off or damaged, that comes from a newer
    release, or whose secrets the keys here do not decrypt, is refused.
  - A backup from SQLite can be restored into PostgreSQL, and the other way round; so a site moves between them.
options:
  path:
    description: The file, on the machine where the module runs.
    type: path
    required: true
  force:
    description:
      - Whether to replace the content of a database that is in use and differs from the backup. It is lost then.
      - A database that holds just what the backup holds, leaving events aside, stays as it is without this.
    type: bool
    default: false
  deployments:
    description:
      - What becomes of deployments that were armed or under way when the backup was made. V(cancel) cancels them, with an
        event and a line in their timeline, since their machines may long have been installed, and would be again at
        their next boot from the network.
      - V(keep) lets them go on. It is meant for moving a site to another database while nobody boots.
    type: str
    choices: [cancel, keep]
    default: cancel
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
seealso:
  - module: stage0.metal.backup
  - module: stage0.metal.database_info
"""

EXAMPLES = r"""
- name: Back to yesterday
  stage0.metal.restore:
    path: /var/backups/metal-2026-05-01.gz
    force: true

- name: Move to PostgreSQL
  stage0.metal.restore:
    path: /var/backups/metal-2026-05-01.gz
    deployments: keep
    database: "postgresql://stage0:{{ vault_database_password }}@db.example/stage0"
"""

RETURN = r"""
created:
  description: When the backup was made, in UTC.
  returned: success
  type: str
  sample: '2026-05-01T12:00:00.000Z'
rows:
  description: How many rows each table of the backup has, or of the database if it stays as it is.
  returned: success
  type: dict
  sample:
    groups: 12
    nodes: 4000
cancelled:
  description: The nodes whose deployments were cancelled.
  returned: success
  type: list
  elements: str
  sample: [r1n07]

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
from ansible_collections.stage0.metal.plugins.module_utils._operations.database import restore

ARGUMENT_SPEC = ArgumentSpec(
    {
        "path": {"type": "path", "required": True},
        "force": {"type": "bool", "default": False},
        "deployments": {"type": "str", "choices": ["cancel", "keep"], "default": "cancel"},
    }
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, restore)


if __name__ == "__main__":
    main()
