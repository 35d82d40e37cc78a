#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: power
short_description: Switch nodes on and off
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Bring the power of many nodes to a state, in one task, through their BMCs.
  - The task waits until the machines are in the state, not until the BMCs took the command.
options:
  state:
    description:
      - What to do. Nothing is sent to a machine that is in the state already.
      - V(off) is at once; V(shutdown) asks the operating system by ACPI; V(reset) and V(cycle) switch a machine on that is off;
        V(boot) switches on what is off and resets what is on.
      - V(nmi) sends a diagnostic interrupt, at which an operating system dumps its memory or stops. It fails on a machine that is off,
        and there is nothing to wait for.
    type: str
    required: true
    choices: ['on', 'off', shutdown, reset, cycle, boot, nmi]
  wait:
    description: Whether to wait until the machine is in the state.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for the state.
    type: float
    default: 120.0
  force:
    description: With O(state=shutdown), cut the power of machines that are still on after O(wait_timeout).
    type: bool
    default: false
  only_armed:
    description:
      - Leave nodes alone that are not armed for deployment at this very moment.
      - If the BMC of one that is armed fails, its deployment is marked as failed, with the reason.
    type: bool
    default: false
attributes:
  idempotent:
    support: partial
    details: With O(state=on), O(state=off) and O(state=shutdown). The others act each time.
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
  - stage0.metal._options.NODES
  - stage0.metal._options.BATCH
  - stage0.metal._options.FAILURES
  - stage0.metal._options.BMC
  - stage0.metal._options.STAGGER
seealso:
  - module: stage0.metal.power_info
  - module: stage0.metal.boot_device
"""

EXAMPLES = r"""
- name: A rack on
  stage0.metal.power:
    nodes: rack1
    state: 'on'

- name: Shut down by the operating system, and cut the power of those that are still on after five minutes
  stage0.metal.power:
    nodes: r1n[01-20],-r1n07
    state: shutdown
    wait_timeout: 300
    force: true

- name: A room on, at most ten nodes of each power feed every five seconds
  stage0.metal.power:
    nodes: room1
    state: 'on'
    stagger:
      count: 10
      interval: 5
      per: location.feed

- name: The hosts of a play, in one task
  stage0.metal.power:
    nodes: "{{ ansible_play_batch }}"
    state: boot
    max_failed: 2%
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
nodes:
  description: The nodes that did not fail, each with the power state before and after.
  returned: unless the request was refused
  type: dict
  sample:
    r1n01:
      changed: false
      before: {}
      after: {}
      sent: null
      left_alone: no armed deployment
      seconds: 0.0
      tries: 1
      identity:
        name: r1n01
        serial: SN0001
        uuid: 11112222-3333-4444-5555-666600000001
        mac: 52:54:00:99:00:01
    r1n02:
      changed: true
      before: {power: 'on'}
      after: {power: 'on', by: reset}
      sent: reset
      forced: false
      seconds: 0.8
      tries: 1
      identity:
        name: r1n02
        serial: SN0002
        uuid: 11112222-3333-4444-5555-666600000002
        mac: 52:54:00:99:00:02
failed_nodes:
  description:
    - The nodes that failed, each with the reason.
    - If a node failed after its BMC took a command, C(sent) says which. It is not sent again then, and the task is C(changed).
  returned: unless the request was refused
  type: dict
  sample:
    r1n05:
      code: not_reached
      msg: 'r1n05: the BMC took the command, but the machine is not on after 120 s; look at its event log'
      retryable: false
      sent: reset
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
      description: How many were changed, without those that failed.
      type: int
      returned: always
      sample: 22
    unchanged:
      description: How many needed nothing.
      type: int
      returned: always
      sample: 0
    failed:
      description: How many failed.
      type: int
      returned: always
      sample: 2
    ok_range:
      description: The nodes that did not fail, as a noderange.
      type: str
      returned: always
      sample: r1n[01-04,06,08-24]
    failed_range:
      description: The nodes that failed, as a noderange.
      type: str
      returned: always
      sample: r1n[05,07]
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

from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import PowerAction
from ansible_collections.stage0.metal.plugins.module_utils._module.run import run
from ansible_collections.stage0.metal.plugins.module_utils._module.spec import FLEET, STAGGER, ArgumentSpec
from ansible_collections.stage0.metal.plugins.module_utils._operations.power import power

ARGUMENT_SPEC = ArgumentSpec(
    {
        **FLEET,
        **STAGGER,
        "state": {"type": "str", "required": True, "choices": [str(action) for action in PowerAction]},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "float", "default": 120.0},
        "force": {"type": "bool", "default": False},
        "only_armed": {"type": "bool", "default": False},
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, power)


if __name__ == "__main__":
    main()
