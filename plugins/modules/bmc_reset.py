#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_reset
short_description: Start BMCs anew
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Reset the BMCs of many nodes, in one task. The machines run on.
  - The task waits until the BMCs let it in again.
options:
  kind:
    description:
      - How. V(cold) is as after its power came back, V(warm) keeps more, where the BMC makes a difference at all.
      - Sessions of others and serial consoles end.
    type: str
    choices: [cold, warm]
    default: cold
  wait:
    description: Whether to wait until the BMC lets the task in again.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait for it.
    type: float
    default: 300.0
attributes:
  idempotent:
    support: none
    details: It resets each time.
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
  - stage0.metal._options.NODES
  - stage0.metal._options.BATCH
  - stage0.metal._options.FAILURES
  - stage0.metal._options.BMC
seealso:
  - module: stage0.metal.power
  - module: stage0.metal.bmc_network
"""

EXAMPLES = r"""
- name: The BMC of a node does not get its sensors right any more
  stage0.metal.bmc_reset:
    nodes: r1n07
"""

RETURN = r"""
nodes:
  description:
    - The nodes that did not fail.
    - C(seen_away) says whether the BMC was seen to be away meanwhile, for which a warm reset may be too fast.
    - It is V(null) if nobody looked.
  returned: unless the request was refused
  type: dict
  sample:
    r1n01:
      changed: true
      before: {bmc: running}
      after: {bmc: cold reset}
      seen_away: true
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
    r1n08:
      code: not_reached
      msg: 'r1n08: the reset was sent, but the BMC does not let us in after 300 s: no answer from the BMC at 10.2.1.8:623'
      retryable: false
      sent: reset
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
from ansible_collections.stage0.metal.plugins.module_utils._operations.bmc_reset import bmc_reset

ARGUMENT_SPEC = ArgumentSpec(
    {
        **FLEET,
        "kind": {"type": "str", "choices": ["cold", "warm"], "default": "cold"},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "float", "default": 300.0},
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, bmc_reset)


if __name__ == "__main__":
    main()
