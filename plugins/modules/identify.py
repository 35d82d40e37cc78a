#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: identify
short_description: Light the lamp by which a machine is found
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Light the identify lamp of many nodes, in one task, through their BMCs, or put it out.
options:
  state:
    description: Whether the lamp is to be lit.
    type: str
    choices: ['on', 'off']
    default: 'on'
  duration:
    description:
      - Seconds for which it is lit, at most 255. By default it is lit until it is put out, which some BMCs cannot do.
      - With it the task acts each time.
    type: int
attributes:
  idempotent:
    support: partial
    details: Without O(duration), and with BMCs that tell whether the lamp is lit.
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
  - module: stage0.metal.bios_inventory
"""

EXAMPLES = r"""
- name: Show the technician which machine has lost its disk
  stage0.metal.identify:
    nodes: r1n07

- name: Done
  stage0.metal.identify:
    nodes: r1n07
    state: 'off'
"""

RETURN = r"""
nodes:
  description:
    - The nodes that did not fail, each with its lamp before and after.
    - One that is V(timed) goes out by itself; V(unknown) is one of which the BMC does not tell.
  returned: unless the request was refused
  type: dict
  sample:
    r1n01:
      changed: true
      before: {lamp: 'off'}
      after: {lamp: 'on', seconds: 60}
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
from ansible_collections.stage0.metal.plugins.module_utils._operations.identify import identify

ARGUMENT_SPEC = ArgumentSpec(
    {
        **FLEET,
        "state": {"type": "str", "choices": ["on", "off"], "default": "on"},
        "duration": {"type": "int"},
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, identify)


if __name__ == "__main__":
    main()
