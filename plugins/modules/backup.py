#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: backup
short_description: Write the whole node database into one file
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Writes nodes, groups, networks, profiles, deployments and events of the node database of stage0.metal into one
    compressed file, as they were at one moment, while others go on writing.
  - The file is written under another name, read back and checked, and then takes its name; if anything goes wrong, the
    file that was there is as it was.
  - If the file holds just that already, it stays.
  - Secrets are in the file as they are in the database, encrypted; the keys are not. Keep those too, in another place.
options:
  path:
    description: The file, on the machine where the module runs. Its folder has to exist.
    type: path
    required: true
  force:
    description:
      - Whether to replace a file that does not begin as a backup does. A backup, whole or damaged, and an empty file are
        replaced without this.
      - The files of the node database and of its keys are never replaced.
    type: bool
    default: false
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
seealso:
  - module: stage0.metal.restore
  - module: stage0.metal.database_info
  - module: stage0.metal.secret_key
"""

EXAMPLES = r"""
- name: A backup of tonight
  stage0.metal.backup:
    path: "/var/backups/metal-{{ now(utc=true).strftime('%Y-%m-%d') }}.gz"
"""

RETURN = r"""
file:
  description: The file.
  returned: success
  type: str
  sample: /var/backups/metal-2026-05-01.gz
created:
  description: When its content was written, in UTC; null in check mode if it would be written anew.
  returned: success
  type: str
  sample: '2026-05-01T12:00:00.000Z'
rows:
  description: How many rows each table has in it.
  returned: success
  type: dict
  sample:
    groups: 12
    nodes: 4000

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
from ansible_collections.stage0.metal.plugins.module_utils._operations.database import backup

ARGUMENT_SPEC = ArgumentSpec(
    {"path": {"type": "path", "required": True}, "force": {"type": "bool", "default": False}}, existing=True
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, backup)


if __name__ == "__main__":
    main()
