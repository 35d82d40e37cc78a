#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_key
short_description: Make and rotate the key of the node database's secrets
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Secrets in the node database of stage0.metal are encrypted with the first key of the key file, C(secret.key) in the
    folder that E(STAGE0_HOME) names, or of E(STAGE0_SECRET_KEY).
  - This module sees that there is a key, that it is not older than O(rotate_after), that all secrets are encrypted with
    it, and that the key file holds no other. Interrupted at any point, it leaves all secrets readable, and the next
    run goes on.
  - With E(STAGE0_SECRET_KEY) it encrypts all secrets with the first key that is given there, and writes no file.
options:
  state:
    description: The key is to be there.
    type: str
    choices: [present]
    default: present
  rotate_after:
    description:
      - Age in days after which a new key takes the place of the old one; V(0) makes one each time.
      - The age is that of the key file. By default no key is too old.
    type: float
notes:
  - Backups that were made before need the old key. Make a new backup afterwards, or keep the old key with the old ones.
  - Where several management nodes with key files of their own share a PostgreSQL, copy the key file to the others
    afterwards; until then they cannot read secrets.
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
seealso:
  - module: stage0.metal.database_info
  - module: stage0.metal.backup
"""

EXAMPLES = r"""
- name: A new key each quarter
  stage0.metal.secret_key:
    rotate_after: 90
"""

RETURN = r"""
keys:
  description: Fingerprints of the keys, the one that encrypts first; in check mode, those that are there now.
  returned: success
  type: list
  elements: str
  sample: [ba7816bf8f01]
keys_from:
  description: The key file, or the environment variable that gives the keys.
  returned: success
  type: str
  sample: /var/lib/stage0/secret.key
rewritten:
  description: How many secrets were encrypted anew.
  returned: success
  type: int
  sample: 12

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
from ansible_collections.stage0.metal.plugins.module_utils._operations.database import secret_key

ARGUMENT_SPEC = ArgumentSpec(
    {
        "state": {"type": "str", "choices": ["present"], "default": "present"},
        "rotate_after": {"type": "float"},
    }
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, secret_key)


if __name__ == "__main__":
    main()
