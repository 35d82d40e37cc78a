#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: network
short_description: Manage one network in the node database
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - The node database of stage0.metal keeps the site's networks beside its nodes.
  - This module makes, changes or removes one network. What is not named stays as it is; empty text or an empty list takes away.
  - Networks may not overlap, the gateway and the dynamic range have to be inside the subnet,
    and no node may have its fixed address C(net.ip) in a dynamic range.
options:
  name:
    description: Name of the network; lower-case letters, digits, V(-), V(_) and V(.).
    type: str
    required: true
  state:
    description: Whether the network is to exist.
    type: str
    choices: [present, absent]
    default: present
  subnet:
    description: The subnet with its prefix length, such as V(10.1.0.0/16). A new network needs it.
    type: str
  vlan:
    description: Its VLAN, from 1 to 4094.
    type: int
  gateway:
    description: Address of its gateway.
    type: str
  dns:
    description: Addresses of its name servers.
    type: list
    elements: str
  ntp:
    description: Names or addresses of its time servers.
    type: list
    elements: str
  domain:
    description: Its DNS domain.
    type: str
  dynamic_range:
    description: First and last address that DHCP gives to machines that it does not know, such as V(10.1.200.1-10.1.200.99).
    type: str
  unset:
    description: What the network is no longer to have.
    type: list
    elements: str
    choices: [vlan, gateway, dns, ntp, domain, dynamic_range]
    default: []
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
seealso:
  - module: stage0.metal.network_info
  - module: stage0.metal.dhcp_config
"""

EXAMPLES = r"""
- name: The network that nodes boot from
  stage0.metal.network:
    name: boot
    subnet: 10.1.0.0/16
    vlan: 101
    gateway: 10.1.0.1
    dns: [10.0.0.53, 10.0.1.53]
    ntp: [ntp1.example.com]
    domain: boot.example.com
    dynamic_range: 10.1.200.1-10.1.200.99

- name: It has no dynamic range any more
  stage0.metal.network:
    name: boot
    unset: [dynamic_range]

- name: It is gone
  stage0.metal.network:
    name: boot
    state: absent
"""

RETURN = r"""
network:
  description: The network as it is now; empty if it is absent.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: if present
      sample: boot
    values:
      description: What it has.
      type: dict
      returned: if present
      sample:
        subnet: 10.1.0.0/16
        vlan: 101

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
from ansible_collections.stage0.metal.plugins.module_utils._module.spec import ArgumentSpec
from ansible_collections.stage0.metal.plugins.module_utils._operations.exchange import network

ARGUMENT_SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "subnet": {"type": "str"},
        "vlan": {"type": "int"},
        "gateway": {"type": "str"},
        "dns": {"type": "list", "elements": "str"},
        "ntp": {"type": "list", "elements": "str"},
        "domain": {"type": "str"},
        "dynamic_range": {"type": "str"},
        "unset": {
            "type": "list",
            "elements": "str",
            "choices": ["vlan", "gateway", "dns", "ntp", "domain", "dynamic_range"],
            "default": [],
        },
    }
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, network)


if __name__ == "__main__":
    main()
