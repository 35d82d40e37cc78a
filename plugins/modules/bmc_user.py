#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_user
short_description: Set up accounts of BMCs, and change their passwords without losing one
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Make, change or remove an account on the BMCs of many nodes, in one task.
  - A password that becomes a node's own is written to its attribute C(bmc.password_next) before any BMC is touched. It becomes
    C(bmc.password) once the task has logged in with it. So whenever a task ends, be it by a loss of power, the node database
    has the password that works, and the next run of the task finds out which of the two it is.
options:
  name:
    description:
      - The account, of at most 16 bytes. By default each node's own, which is C(bmc.user).
      - Where a task with O(store) was cut off, its account is in C(bmc.user_next). A task with neither O(name) nor O(password)
        nor O(generate) finishes that one in place of the node's own.
    type: str
  state:
    description:
      - Whether there is such an account. With V(present) it is enabled, and made if it is missing.
      - With V(absent) it is disabled and its name taken from it. The account that the task logs in with is refused.
    type: str
    choices: [present, absent]
    default: present
  password:
    description:
      - The password that the account is to have, of at most 20 bytes; many BMCs take no more than 16. By default it stays as it is.
      - An account that has it already is left alone.
      - Text or a whole number. Anything else, such as a list or a truth value, is refused.
    type: raw
  generate:
    description:
      - Give the account a random password of letters and digits, another one on each node and at each run.
      - For another account than the node's own it needs O(store).
    type: bool
    default: false
  length:
    description: How long passwords of O(generate) are, from 8 to 20.
    type: int
    default: 16
  level:
    description: What the account may do. What the task logs in with, now or from now on, has to be V(administrator).
    type: str
    choices: [user, operator, administrator]
    default: administrator
  store:
    description:
      - Whether the account becomes the node's own, so that C(bmc.user) and C(bmc.password) are set to it.
      - A new password of the account that is the node's own is always stored, since nobody could log in otherwise.
    type: bool
    default: false
attributes:
  idempotent:
    support: partial
    details: O(generate) makes another password at each run.
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
  - stage0.metal._options.NODES
  - stage0.metal._options.BATCH
  - stage0.metal._options.FAILURES
  - stage0.metal._options.BMC
seealso:
  - module: stage0.metal.bmc_user_info
  - module: stage0.metal.node
"""

EXAMPLES = r"""
- name: A password of its own for each BMC
  stage0.metal.bmc_user:
    nodes: all
    generate: true

- name: An account of ours in place of the maker's
  stage0.metal.bmc_user:
    nodes: rack1
    name: metal
    generate: true
    store: true

- name: The maker's account goes
  stage0.metal.bmc_user:
    nodes: rack1
    name: ADMIN
    state: absent

- name: An account for monitoring
  stage0.metal.bmc_user:
    nodes: rack1
    name: monitor
    password: "{{ vault_monitor_password }}"
    level: user
"""

RETURN = r"""
nodes:
  description:
    - The nodes that did not fail, each with the account before and after. No password is ever shown.
    - RV(ignore:password) among what is after is V(changed) where the BMC was given one, V(stored) where it had it already and
      the node database did not. RV(ignore:password_next) is V(dropped) where one that an earlier run left is not needed any more.
    - RV(ignore:stored) says whether the node's C(bmc.user) or C(bmc.password) are changed.
  returned: unless the request was refused
  type: dict
  sample:
    r1n01:
      changed: true
      before: {level: administrator, enabled: true, bmc.user: ADMIN}
      after: {level: administrator, enabled: true, bmc.user: metal, password: changed}
      account: metal
      stored: true
      seconds: 0.8
      tries: 1
      identity:
        name: r1n01
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
"""

from ansible_collections.stage0.metal.plugins.module_utils._module.run import run
from ansible_collections.stage0.metal.plugins.module_utils._module.spec import FLEET, ArgumentSpec
from ansible_collections.stage0.metal.plugins.module_utils._operations.bmc_user import bmc_user

ARGUMENT_SPEC = ArgumentSpec(
    {
        **FLEET,
        "name": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "password": {"type": "raw", "no_log": True},
        "generate": {"type": "bool", "default": False},
        "length": {"type": "int", "default": 16},
        "level": {"type": "str", "choices": ["user", "operator", "administrator"], "default": "administrator"},
        "store": {"type": "bool", "default": False},
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, bmc_user)


if __name__ == "__main__":
    main()
