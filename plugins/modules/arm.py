#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: arm
short_description: Arm nodes for deployment
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Arming is the only way by which a node comes to be installed. When it next asks the hub for a boot script, it gets the installer.
  - Before the first node is armed, everything is rendered and checked for all of them; if anything is wrong, nobody is armed.
  - A node that has the profile already, or is getting it, is left alone.
options:
  state:
    description: V(disarmed) cancels what is armed or under way. An installer that runs is not stopped, but the node boots its disk next.
    type: str
    choices: [armed, disarmed]
    default: armed
  profile:
    description: What to install. By default each node's attribute C(deploy.profile).
    type: str
  reinstall:
    description: Install nodes that are installed already. What is on their disks is lost.
    type: bool
    default: false
  reinstall_before:
    description:
      - With O(reinstall=true), leave nodes alone that were armed at or after this time, in seconds since the epoch.
      - So a reinstallation that was interrupted can go on without installing anything once more.
    type: float
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
  - stage0.metal._options.NODES
  - stage0.metal._options.BATCH
seealso:
  - module: stage0.metal.profile
  - module: stage0.metal.deployment_wait
  - module: stage0.metal.deployment_info
"""

EXAMPLES = r"""
- name: Install ESXi on a rack when it next boots
  stage0.metal.arm:
    nodes: rack1
    profile: esxi8

- name: Think better of it
  stage0.metal.arm:
    nodes: rack1
    state: disarmed
"""

RETURN = r"""
nodes:
  description: The nodes, each with its deployment before and after. The fingerprint changes with the profile's content.
  returned: unless the request was refused
  type: dict
  sample:
    r1n01:
      changed: true
      before: {state: null, profile: null, fingerprint: null}
      after: {state: armed, profile: esxi8, fingerprint: 5f1d3a0c9b7e}
      seconds: 0.8
      tries: 1
      identity:
        name: r1n01
        serial: SN0001
        uuid: 11112222-3333-4444-5555-666600000001
        mac: 52:54:00:99:00:01
failed_nodes:
  description: Always empty, since all nodes are armed or none is; here as in every task over many nodes.
  returned: unless the request was refused
  type: dict
  sample: {}
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
      sample: 24
    unchanged:
      description: How many needed nothing.
      type: int
      returned: always
      sample: 0
    failed:
      description: How many failed.
      type: int
      returned: always
      sample: 0
    ok_range:
      description: The nodes that did not fail, as a noderange.
      type: str
      returned: always
      sample: r1n[01-24]
    failed_range:
      description: The nodes that failed, as a noderange.
      type: str
      returned: always
      sample: ''
    seconds:
      description: How long it took.
      type: float
      returned: always
      sample: 4.1
hub_url:
  description: URL of the hub that was started last on this database; null if there was none yet.
  returned: unless the request was refused
  type: str
  sample: http://10.1.0.1:8480
armed_nodes:
  description: The nodes that are armed now and still have to be booted.
  returned: unless the request was refused
  type: list
  elements: str
  sample: [r1n01]
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
from ansible_collections.stage0.metal.plugins.module_utils._module.spec import BATCH, NODES, ArgumentSpec
from ansible_collections.stage0.metal.plugins.module_utils._operations.deployment import arm

ARGUMENT_SPEC = ArgumentSpec(
    {
        **NODES,
        **BATCH,
        "state": {"type": "str", "choices": ["armed", "disarmed"], "default": "armed"},
        "profile": {"type": "str"},
        "reinstall": {"type": "bool", "default": False},
        "reinstall_before": {"type": "float"},
    }
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, arm)


if __name__ == "__main__":
    main()
