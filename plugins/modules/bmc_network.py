#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_network
short_description: Read and set the network of BMCs
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Read where the BMCs of many nodes have their addresses from, and set it, in one task.
  - After a change the task looks for each BMC, at its new address first, until it tells what was set. A node counts as changed only then.
  - Without any setting it only reads.
  - Where something was sent and the rest failed, the entry in RV(failed_nodes) has RV(ignore:sent), and the task is changed.
options:
  source:
    description: Where the BMC has its address from. By default it stays as it is; with O(address), it becomes V(static).
    type: str
    choices: [static, dhcp]
  address:
    description:
      - IPv4 address of the BMC. For many nodes it is an expression such as V(10.2.{n1}.{n2}), as attributes may be.
      - Two nodes with the same address are refused, and one that is the C(bmc.address) of another node.
    type: str
  netmask:
    description: Its netmask, or an expression.
    type: str
  gateway:
    description: Its default gateway, or an expression. One that lies outside of the BMC's subnet is refused.
    type: str
  vlan:
    description: Number of the VLAN that the BMC is in, V(0) for none.
    type: int
  store:
    description: Whether the attribute C(bmc.address) becomes the new address where the BMC is found there.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to look for the BMC after a change.
    type: float
    default: 60.0
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
  - stage0.metal._options.NODES
  - stage0.metal._options.BATCH
  - stage0.metal._options.FAILURES
  - stage0.metal._options.BMC
seealso:
  - module: stage0.metal.bmc_user
  - module: stage0.metal.bmc_reset
"""

EXAMPLES = r"""
- name: Where do the BMCs have their addresses from?
  stage0.metal.bmc_network:
    nodes: rack1
    detail: all
  register: networks

- name: Fixed addresses by the numbers in the nodes' names
  stage0.metal.bmc_network:
    nodes: r1n[01-20]
    address: 10.2.{n1}.{n2}
    netmask: 255.255.0.0
    gateway: 10.2.0.1
"""

RETURN = r"""
nodes:
  description: The nodes that did not fail, each with its BMC's network before and after.
  returned: unless the request was refused
  type: dict
  sample:
    r1n01:
      changed: true
      before: {source: dhcp, address: 10.2.200.17, netmask: 255.255.0.0, gateway: 10.2.0.1, vlan: null}
      after: {source: static, address: 10.2.1.1, netmask: 255.255.0.0, gateway: 10.2.0.1, vlan: null}
      mac: 56:54:00:99:00:01
      seconds: 3.8
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
      msg: 'r1n08: the new network was sent, but the BMC does not tell it at 10.2.1.8 or 10.2.200.18 after 60 s: no answer'
      retryable: false
      sent: {source: static, address: 10.2.1.8, netmask: 255.255.0.0}
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
from ansible_collections.stage0.metal.plugins.module_utils._operations.bmc_network import bmc_network

ARGUMENT_SPEC = ArgumentSpec(
    {
        **FLEET,
        "source": {"type": "str", "choices": ["static", "dhcp"]},
        "address": {"type": "str"},
        "netmask": {"type": "str"},
        "gateway": {"type": "str"},
        "vlan": {"type": "int"},
        "store": {"type": "bool", "default": True},
        "wait_timeout": {"type": "float", "default": 60.0},
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, bmc_network)


if __name__ == "__main__":
    main()
