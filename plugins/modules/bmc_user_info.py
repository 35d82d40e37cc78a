#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_user_info
short_description: List the accounts of BMCs, and find those that let anybody in
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - List the accounts of the BMCs of many nodes, in one task.
  - With O(factory_defaults) it also finds the BMCs in which an account still has the password that its maker gave it.
options:
  factory_defaults:
    description:
      - Ask each BMC for the accounts that BMCs are known to be delivered with.
      - A BMC proves that it knows a password before it wants to hear it. That is looked at, and nobody tries to log in, so
        that no account is locked and no failed log-in is counted. Each user name is one question, whatever the number of passwords.
      - It is found out where the node's own account is refused, too.
    type: bool
    default: false
  logins:
    description: More accounts to ask for, such as those that a site once set up its machines with.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the user, of at most 16 bytes.
        type: str
        required: true
      password:
        description: The password, of at most 20 bytes.
        type: str
        required: true
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.INFO
  - stage0.metal._options
  - stage0.metal._options.NODES
  - stage0.metal._options.BATCH
  - stage0.metal._options.FAILURES
  - stage0.metal._options.BMC
seealso:
  - module: stage0.metal.bmc_user
"""

EXAMPLES = r"""
- name: Who may log in?
  stage0.metal.bmc_user_info:
    nodes: rack1
  register: found

- name: Which BMCs let in whoever has read a manual?
  stage0.metal.bmc_user_info:
    nodes: all
    factory_defaults: true
    max_failed: 100%
  register: found

- name: None
  ansible.builtin.assert:
    that: found.factory_range == ""
    fail_msg: "{{ found.factory_range }}"
"""

RETURN = r"""
nodes:
  description:
    - The nodes whose BMC answered, each with its accounts.
    - RV(ignore:accounts) is null and RV(ignore:refused) says why where the node's own account may not read them, which is
      no failure with O(factory_defaults).
    - RV(ignore:enabled) says whether an account may log in over the network; null if the BMC does not tell.
    - RV(ignore:factory) has the names of the accounts with a factory password; null without O(factory_defaults).
  returned: unless the request was refused
  type: dict
  sample:
    r1n01:
      changed: false
      accounts:
        - {number: 2, name: ADMIN, level: administrator, enabled: true}
        - {number: 3, name: monitor, level: user, enabled: null}
      refused: null
      factory: [ADMIN]
      seconds: 0.8
      tries: 1
      identity:
        name: r1n01
        serial: SN0001
        uuid: 11112222-3333-4444-5555-666600000001
        mac: 52:54:00:99:00:01
    r1n02:
      changed: false
      accounts: null
      refused: the BMC refuses the password of user 'ADMIN'; see bmc.user and bmc.password
      factory: []
      seconds: 0.8
      tries: 1
      identity:
        name: r1n02
        serial: SN0001
        uuid: 11112222-3333-4444-5555-666600000001
        mac: 52:54:00:99:00:01
failed_nodes:
  description: The nodes that failed, each with the reason.
  returned: unless the request was refused
  type: dict
  sample:
    r1n07:
      code: unreachable
      msg: 'r1n07: no answer from the BMC at 10.2.1.7:623; is it cabled and powered, and is IPMI over LAN enabled on it? (3 tries)'
      retryable: true
summary:
  description: The outcome in numbers, and as noderanges.
  returned: unless the request was refused
  type: dict
  contains:
    total:
      description: How many nodes the task meant.
      type: int
      returned: always
      sample: 24
    changed:
      description: How many were changed.
      type: int
      returned: always
      sample: 23
    unchanged:
      description: How many needed nothing.
      type: int
      returned: always
      sample: 0
    failed:
      description: How many failed.
      type: int
      returned: always
      sample: 1
    ok_range:
      description: The nodes that did not fail, as a noderange.
      type: str
      returned: always
      sample: r1n[01-06,08-24]
    failed_range:
      description: The nodes that failed, as a noderange.
      type: str
      returned: always
      sample: r1n07
    seconds:
      description: How long it took.
      type: float
      returned: always
      sample: 4.1
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
factory_range:
  description: The nodes that have an account with a factory password, as a noderange; null without O(factory_defaults).
  returned: unless the request was refused
  type: str
  sample: r1n[01,17]
"""

from ansible_collections.stage0.metal.plugins.module_utils._module.run import run
from ansible_collections.stage0.metal.plugins.module_utils._module.spec import FLEET, ArgumentSpec
from ansible_collections.stage0.metal.plugins.module_utils._operations.bmc_user_info import bmc_user_info

ARGUMENT_SPEC = ArgumentSpec(
    {
        **FLEET,
        "factory_defaults": {"type": "bool", "default": False},
        "logins": {
            "type": "list",
            "elements": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "password": {"type": "str", "required": True, "no_log": True},
            },
        },
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, bmc_user_info)


if __name__ == "__main__":
    main()
