#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: discover_bmcs
short_description: Find BMCs, and tell whose they may be
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Find the BMCs in subnets and ranges of addresses, in one task, at a bounded rate of packets.
  - Every address is asked by RMCP presence pings and by questions that IPMI answers to anybody. Nobody logs in for that.
  - Compare them with the node database. A BMC is that of the node whose C(bmc.address) and C(bmc.port) it answers at, and may be that of
    nodes with the same UUID, serial number or MAC address.
  - Nothing is written, neither to the BMCs nor to the node database.
options:
  networks:
    description:
      - What to search, as subnets such as V(10.2.0.0/16), ranges such as V(10.2.0.1-10.2.3.254) and single addresses, of IPv4 or IPv6.
      - A subnet's own address and its broadcast address are left out.
    type: list
    elements: str
    required: true
  port:
    description: UDP port at which to ask.
    type: int
    default: 623
  rate:
    description:
      - Packets a second over all by which addresses are asked, at most 20000. A silent address takes five.
      - At most a twentieth of it as many BMCs are logged in to at once.
    type: int
    default: 1000
  max_addresses:
    description: Refuse the task if O(networks) means more addresses than this, at most 1048576.
    type: int
    default: 65536
  log_in:
    description:
      - Log in at the BMCs of nodes that the database knows by their address, each with its node's own account, and read serial number,
        maker, model and MAC address.
      - An account that is refused is not tried again.
    type: bool
    default: false
  user:
    description: Log in with this account at the other BMCs, or at all of them without O(log_in).
    type: str
  password:
    description: The password of O(user).
    type: str
  timeout:
    description: Seconds within which a BMC has to answer a request, log-in included.
    type: float
    default: 20.0
  deadline:
    description: Seconds within which the whole task ends. A search that would take longer is refused.
    type: float
    default: 900.0
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.INFO
  - stage0.metal._options
notes:
  - The module runs on the management node, near the BMCs. Use one task for all networks, with C(run_once) in a play over many hosts.
  - While the task runs on the controller, it tells how far it is after each round.
seealso:
  - module: stage0.metal.node
  - module: stage0.metal.bmc_network
  - module: stage0.metal.bios_inventory
"""

EXAMPLES = r"""
- name: What is there?
  stage0.metal.discover_bmcs:
    networks:
      - 10.2.0.0/22
    rate: 2000
  register: found

- name: BMCs that no node has
  ansible.builtin.debug:
    msg: "{{ item.address }} {{ item.uuid }} {{ item.candidates }}"
  loop: "{{ found.bmcs | rejectattr('node') }}"
  loop_control:
    label: "{{ item.address }}"

- name: Serial numbers and MAC addresses too
  stage0.metal.discover_bmcs:
    networks: 10.2.0.0/22
    log_in: true
    user: ADMIN
    password: "{{ factory_password }}"
"""

RETURN = r"""
bmcs:
  description:
    - The BMCs that answered, by address. What is not known is null.
    - RV(ignore:ipmi) is V(2.0) or V(1.5), null if it answered pings only. RV(ignore:manufacturer_id) is its maker's enterprise number.
    - RV(ignore:serial), RV(ignore:mac), RV(ignore:manufacturer) and RV(ignore:model) take a log-in.
    - RV(ignore:node) is whose BMC it is by its address. RV(ignore:candidates) are the nodes whose C(system.uuid), C(system.serial) or
      C(bmc.mac) is what it tells, the likeliest first. A node that is at its place is among its own candidates.
    - RV(ignore:code) and RV(ignore:msg) say why the log-in failed.
  returned: success
  type: list
  elements: dict
  sample:
    - address: 10.2.0.17
      port: 623
      ipmi: '2.0'
      uuid: 11112222-3333-4444-5555-666600000007
      serial: SN0007
      mac: 56:54:00:99:00:07
      manufacturer: Example Inc
      model: Server 240
      manufacturer_id: 674
      node: null
      candidates:
        - node: r1n07
          by: [uuid, serial]
      code: null
      msg: null
unknown:
  description: The addresses of BMCs that are no node's.
  returned: success
  type: list
  elements: str
  sample: [10.2.0.17]
silent:
  description: The nodes whose BMC was asked and did not answer, as a noderange.
  returned: success
  type: str
  sample: r1n[07,09]
summary:
  description: The outcome in numbers.
  returned: success
  type: dict
  contains:
    addresses:
      description: How many addresses were asked.
      type: int
      returned: always
      sample: 1022
    bmcs:
      description: How many BMCs answered.
      type: int
      returned: always
      sample: 21
    known:
      description: How many of them are a node's.
      type: int
      returned: always
      sample: 20
    unknown:
      description: How many of them are no node's.
      type: int
      returned: always
      sample: 1
    silent:
      description: How many nodes' BMCs did not answer.
      type: int
      returned: always
      sample: 2
    not_logged_in:
      description: At how many the log-in failed.
      type: int
      returned: always
      sample: 0
    seconds:
      description: How long it took.
      type: float
      returned: always
      sample: 11.2
error:
  description: What kind of failure it is.
  returned: if the task failed
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
from ansible_collections.stage0.metal.plugins.module_utils._module.spec import ArgumentSpec
from ansible_collections.stage0.metal.plugins.module_utils._operations.discover_bmcs import discover_bmcs

ARGUMENT_SPEC = ArgumentSpec(
    {
        "networks": {"type": "list", "elements": "str", "required": True},
        "port": {"type": "int", "default": 623},
        "rate": {"type": "int", "default": 1000},
        "max_addresses": {"type": "int", "default": 65536},
        "log_in": {"type": "bool", "default": False},
        "user": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "timeout": {"type": "float", "default": 20.0},
        "deadline": {"type": "float", "default": 900.0},
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, discover_bmcs)


if __name__ == "__main__":
    main()
