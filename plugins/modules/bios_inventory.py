#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: bios_inventory
short_description: Read what nodes are made of, and what changed
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Read board, product, chassis, serial numbers, UUID, asset tag and the BMC's firmware of many nodes, in one task, through their BMCs.
  - Keep it in the node database, with history, and tell what changed since it was kept last.
  - A warning names each node whose C(system.serial), C(system.uuid), C(system.manufacturer) or C(system.model) in the node database is not
    what the machine says. It may have been replaced.
options:
  store:
    description:
      - Keep what was read in the node database, where it differs from what was kept last. An event tells what changed.
      - The task is changed where it differs. Without O(store) nothing is compared with what was kept.
    type: bool
    default: false
  oem:
    description:
      - Read also what the makers' own extensions tell of parts and firmware, as far as pyghmi knows them, into RV(ignore:inventory.oem).
      - It takes a second session with each BMC and some seconds, 40 BMCs at once. What cannot be read of it is a warning of the node.
      - With O(store), what was kept of it stays while it is not read.
    type: bool
    default: false
  history:
    description: List for each node so many of the inventories that were kept before this task, the newest first.
    type: int
    default: 0
  read:
    description: Whether to ask the BMCs. Otherwise the result shows what was kept last, null where nothing is.
    type: bool
    default: true
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
  - stage0.metal._options.NODES
  - stage0.metal._options.BATCH
  - stage0.metal._options.FAILURES
  - stage0.metal._options.BMC
seealso:
  - module: stage0.metal.event_info
  - module: stage0.metal.sensors_info
"""

EXAMPLES = r"""
- name: What is in the rack, and what changed since last time
  stage0.metal.bios_inventory:
    nodes: rack1
    store: true
  diff: true
  register: found

- name: Serial numbers
  ansible.builtin.debug:
    msg: "{{ item.key }} {{ item.value.inventory.serial }}"
  loop: "{{ found.nodes | dict2items }}"
  loop_control:
    label: "{{ item.key }}"

- name: What was in a node, without asking it
  stage0.metal.bios_inventory:
    nodes: r1n07
    read: false
    history: 10
"""

RETURN = r"""
nodes:
  description:
    - The nodes whose BMC answered, each with its RV(ignore:inventory), the RV(ignore:warnings) about it, and with O(history) what was
      kept before.
    - What a machine does not tell is null. RV(ignore:inventory.serial) is that of the product, else of the chassis, else of the board.
    - With O(oem), C(oem) has C(parts) and C(firmware), what the maker tells of each by its name, such as C(DIMM 1).
    - With O(store), RV(ignore:before) and RV(ignore:after) have what changed, by dotted names.
  returned: unless the request was refused
  type: dict
  sample:
    r1n01:
      changed: true
      before:
        controller.firmware: '2.21'
      after:
        controller.firmware: '2.23'
      inventory:
        serial: SN0001
        uuid: 11112222-3333-4444-5555-666600000001
        controller:
          firmware: '2.23'
          manufacturer_id: 674
          product_id: 256
          protocol: IPMI 2.0
          firmware_build: '00233607'
        chassis:
          kind: Rack Mount Chassis
          part_number: SC-1U
          serial: CSN0001
          custom: []
        board:
          manufacturer: Example Inc
          product: Board 2
          serial: BSN0001
          part_number: B-2
          made: '2025-05-28T14:56Z'
          custom: []
        product:
          manufacturer: Example Inc
          name: Server 240
          part_number: S-240
          version: '1.0'
          serial: SN0001
          asset_tag: AT-1
          custom: []
        oem:
          parts: {}
          firmware: {}
      history:
        - at: '2026-05-01T12:00:00.000Z'
          inventory:
            serial: SN0001
      warnings: []
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
from ansible_collections.stage0.metal.plugins.module_utils._operations.bios_inventory import bios_inventory

ARGUMENT_SPEC = ArgumentSpec(
    {
        **FLEET,
        "store": {"type": "bool", "default": False},
        "oem": {"type": "bool", "default": False},
        "history": {"type": "int", "default": 0},
        "read": {"type": "bool", "default": True},
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, bios_inventory)


if __name__ == "__main__":
    main()
