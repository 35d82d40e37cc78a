#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: sensors_info
short_description: Read the sensors of nodes, and how healthy they are
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Read temperatures, voltages, fans, power supplies, drives and whatever else the BMCs of many nodes measure, in one task.
  - Each sensor has a health, each node that of its worst sensor, and the result says which nodes have which.
options:
  kinds:
    description: Only sensors of these kinds. By default all.
    type: list
    elements: str
    choices:
      [temperature, voltage, current, fan, physical_security, platform_security, processor, power_supply, power_unit, cooling_device,
       other, memory, drive_bay, post_memory_resize, system_firmware, event_log_disabled, watchdog, system_event, critical_interrupt,
       button_switch, module_board, microcontroller_coprocessor, add_in_card, chassis, chip_set, other_fru, cable_interconnect,
       terminator, system_boot, boot_error, os_boot, os_stop, slot_connector, system_acpi_power_state, platform_alert, entity_presence,
       monitor_asic_ic, lan, management_subsystem_health, battery, session, version_change, fru_state, power, energy, oem, unknown]
  names:
    description: Only sensors whose name one of these patterns fits, such as V(CPU*); case does not count. By default all.
    type: list
    elements: str
  unhealthy:
    description:
      - List only sensors whose health is V(warning) or V(critical).
      - The health of a node is that of all sensors that O(kinds) and O(names) select, listed or not.
    type: bool
    default: false
  timeout:
    description: Seconds within which a BMC has to tell of all its sensors, log-in included. It takes two to three answers a sensor.
    type: float
    default: 60.0
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.INFO
  - stage0.metal._options
  - stage0.metal._options.NODES
  - stage0.metal._options.BATCH
  - stage0.metal._options.FAILURES
  - stage0.metal._options.BMC
seealso:
  - module: stage0.metal.event_log
  - module: stage0.metal.bios_inventory
"""

EXAMPLES = r"""
- name: Temperatures of a rack
  stage0.metal.sensors_info:
    nodes: rack1
    kinds: [temperature]
  register: found

- name: No inlet is warmer than 35 degrees
  ansible.builtin.assert:
    that: warm | length == 0
    fail_msg: "{{ warm }} of {{ item.key }}"
    quiet: true
  vars:
    warm: "{{ item.value.sensors | selectattr('available') | selectattr('place', 'match', 'Air inlet') | selectattr('value', 'gt', 35) }}"
  loop: "{{ found.nodes | dict2items }}"
  loop_control:
    label: "{{ item.key }}"

- name: What is wrong anywhere
  stage0.metal.sensors_info:
    nodes: all
    unhealthy: true
    max_failed: 100%
  register: found

- name: Nothing is critical
  ansible.builtin.assert:
    that: found.health.critical == ""
    fail_msg: "critical: {{ found.health.critical }}"
"""

RETURN = r"""
nodes:
  description:
    - The nodes whose BMC answered, each with RV(ignore:health), RV(ignore:sensors) and the number of sensors that were
      RV(ignore:skipped), since they belong to other controllers.
    - A sensor without a number has RV(ignore:value) null; one that cannot be read now is not RV(ignore:available).
    - RV(ignore:place) is the part of the machine, which tells sensors of the same name from each other.
    - Of the thresholds those are listed that there are.
  returned: unless the request was refused
  type: dict
  sample:
    r1n01:
      changed: false
      health: warning
      sensors:
        - name: Inlet Temp
          kind: temperature
          place: Air inlet 1
          value: 39.0
          unit: °C
          states: [upper_non_critical]
          health: warning
          available: true
          thresholds:
            lower_critical: -5.0
            lower_non_critical: 3.0
            upper_non_critical: 38.0
            upper_critical: 42.0
            hysteresis_up: 2.0
            hysteresis_down: 2.0
        - name: PSU1
          kind: power_supply
          place: Power supply 1
          value: null
          unit: ''
          states: [Present]
          health: ok
          available: true
          thresholds: {}
      skipped: 0
      warnings: []
      seconds: 0.8
      tries: 1
      identity:
        name: r1n01
        serial: SN0001
        uuid: 11112222-3333-4444-5555-666600000001
        mac: 52:54:00:99:00:01
health:
  description: The nodes of each health, as noderanges; empty if there is none.
  returned: unless the request was refused
  type: dict
  sample:
    ok: r1n[01-06,08-24]
    warning: ''
    critical: r1n07
    unknown: ''
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

from ansible_collections.stage0.metal.plugins.module_utils._drivers.sensing import KINDS
from ansible_collections.stage0.metal.plugins.module_utils._module.run import run
from ansible_collections.stage0.metal.plugins.module_utils._module.spec import FLEET, ArgumentSpec
from ansible_collections.stage0.metal.plugins.module_utils._operations.sensors import sensors_info

ARGUMENT_SPEC = ArgumentSpec(
    {
        **FLEET,
        "kinds": {"type": "list", "elements": "str", "choices": list(KINDS)},
        "names": {"type": "list", "elements": "str"},
        "unhealthy": {"type": "bool", "default": False},
        "timeout": {"type": "float", "default": 60.0},
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, sensors_info)


if __name__ == "__main__":
    main()
