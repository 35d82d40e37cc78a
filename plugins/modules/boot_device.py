#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_device
short_description: Set what nodes boot from
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Set the boot override of many nodes, in one task, through their BMCs, and read it back.
options:
  device:
    description: What to boot from. V(none) removes the override, so that the firmware's own order counts.
    type: str
    required: true
    choices: [network, disk, cd, setup, none]
  persistent:
    description: Whether the override stays, or is for the next boot only.
    type: bool
    default: false
  mode:
    description: Whether to ask for a UEFI or a legacy boot. By default the node's attribute C(boot.firmware) decides.
    type: str
    choices: [uefi, legacy]

  only_armed:
    description:
      - Leave nodes alone that are not armed for deployment at this very moment.
      - If the BMC of one that is armed fails, its deployment is marked as failed, with the reason.
    type: bool
    default: false
attributes:
  idempotent:
    support: partial
    details: Where the BMC keeps what it is told. Some forget the UEFI bit, or never mark the override as valid; it is set again then.
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
  - stage0.metal._options.NODES
  - stage0.metal._options.BATCH
  - stage0.metal._options.FAILURES
  - stage0.metal._options.BMC
seealso:
  - module: stage0.metal.boot_device_info
  - module: stage0.metal.power
"""

EXAMPLES = r"""
- name: From the network, once
  stage0.metal.boot_device:
    nodes: rack1
    device: network

- name: From disk, for good, in legacy mode
  stage0.metal.boot_device:
    nodes: r1n07
    device: disk
    persistent: true
    mode: legacy
"""

RETURN = r"""
nodes:
  description: The nodes that did not fail, each with the override before and after.
  returned: unless the request was refused
  type: dict
  sample:
    r1n01:
      changed: false
      before: {}
      after: {}
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
      before: {device: none, persistent: false, mode: null}
      after: {device: network, persistent: false, mode: uefi}
      seconds: 0.8
      tries: 1
      identity:
        name: r1n02
        serial: SN0002
        uuid: 11112222-3333-4444-5555-666600000002
        mac: 52:54:00:99:00:02
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

from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import BootDevice, BootMode
from ansible_collections.stage0.metal.plugins.module_utils._module.run import run
from ansible_collections.stage0.metal.plugins.module_utils._module.spec import FLEET, ArgumentSpec
from ansible_collections.stage0.metal.plugins.module_utils._operations.boot_device import boot_device

ARGUMENT_SPEC = ArgumentSpec(
    {
        **FLEET,
        "device": {"type": "str", "required": True, "choices": [str(device) for device in BootDevice]},
        "persistent": {"type": "bool", "default": False},
        "mode": {"type": "str", "choices": [str(mode) for mode in BootMode]},
        "only_armed": {"type": "bool", "default": False},
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, boot_device)


if __name__ == "__main__":
    main()
