#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dhcp_config
short_description: Configure dnsmasq for network boot
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Write dnsmasq's configuration for the boot network; subnets, a reservation for each node, and the way by iPXE to the hub.
  - The new file is tested by dnsmasq itself, then put in the old one's place, then dnsmasq is restarted.
  - If nothing changed, nothing happens.
  - If dnsmasq refuses the new file, the old one stays; if it does not start with it, the old one is put back.
options:
  path:
    description: The file to write. It has to be one that dnsmasq reads, such as one in its C(conf-dir).
    type: path
    default: /etc/dnsmasq.d/stage0.conf
  interfaces:
    description: Network interfaces on which DHCP is answered. There is no default, so that no office network is served by mistake.
    type: list
    elements: str
    required: true
  subnets:
    description: The subnets on these interfaces.
    type: list
    elements: dict
    required: true
    suboptions:
      network:
        description: The subnet, such as V(10.1.0.0/16).
        type: str
        required: true
      gateway:
        description: Default gateway for the machines. Without it they are told none.
        type: str
      dns:
        description: Name servers for the machines.
        type: list
        elements: str
      range_start:
        description: First address for machines that are not in the node database. Without a range they get none.
        type: str
      range_end:
        description: Last address for machines that are not in the node database.
        type: str
      lease_seconds:
        description: Seconds that a lease lasts.
        type: int
        default: 3600
  nodes:
    description:
      - The nodes that get a reservation, as a noderange. Each has to have C(net.mac) and C(net.ip) then.
      - By default, all nodes that have both.
    type: list
    elements: str
  hub_url:
    description: URL of the hub as the machines reach it, such as V(http://10.1.0.1:8480). iPXE speaks no HTTPS.
    type: str
    required: true
  tftp_root:
    description: Folder with C(undionly.kpxe) and C(snponly.efi), which dnsmasq serves by TFTP. Without it, dnsmasq serves no TFTP.
    type: path
  next_server:
    description: Address of the TFTP server, if it is not this machine.
    type: str
  extra:
    description: Lines to add at the end of the file, as they are.
    type: list
    elements: str
    default: []
  program:
    description: The dnsmasq program that tests the file.
    type: str
    default: dnsmasq
  restart_command:
    description: Program and arguments that restart dnsmasq; no shell. An empty list restarts nothing.
    type: list
    elements: str
    default: [systemctl, restart, dnsmasq]
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
seealso:
  - module: stage0.metal.node
  - module: stage0.metal.arm
"""

EXAMPLES = r"""
- name: DHCP and TFTP for the boot network
  stage0.metal.dhcp_config:
    interfaces: [eth1]
    hub_url: http://10.1.0.1:8480
    tftp_root: /usr/lib/ipxe
    subnets:
      - network: 10.1.0.0/16
        gateway: 10.1.0.1
        dns: [10.1.0.1]
"""

RETURN = r"""
file:
  description: The file that was written, or would be.
  returned: success
  type: str
  sample: /etc/dnsmasq.d/stage0.conf
reservations:
  description: How many nodes have a reservation in it.
  returned: success
  type: int
  sample: 24
restarted:
  description: Whether dnsmasq was restarted.
  returned: success
  type: bool
  sample: true

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
from ansible_collections.stage0.metal.plugins.module_utils._operations.dhcp import dhcp_config

ARGUMENT_SPEC = ArgumentSpec(
    {
        "path": {"type": "path", "default": "/etc/dnsmasq.d/stage0.conf"},
        "interfaces": {"type": "list", "elements": "str", "required": True},
        "subnets": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "network": {"type": "str", "required": True},
                "gateway": {"type": "str"},
                "dns": {"type": "list", "elements": "str"},
                "range_start": {"type": "str"},
                "range_end": {"type": "str"},
                "lease_seconds": {"type": "int", "default": 3600},
            },
        },
        "nodes": {"type": "list", "elements": "str"},
        "hub_url": {"type": "str", "required": True},
        "tftp_root": {"type": "path"},
        "next_server": {"type": "str"},
        "extra": {"type": "list", "elements": "str", "default": []},
        "program": {"type": "str", "default": "dnsmasq"},
        "restart_command": {"type": "list", "elements": "str", "default": ["systemctl", "restart", "dnsmasq"]},
    }
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, dhcp_config)


if __name__ == "__main__":
    main()
