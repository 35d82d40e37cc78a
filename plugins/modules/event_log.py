#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: event_log
short_description: Read, save and clear the event logs of nodes
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Read the event logs that the BMCs of many nodes keep of their machines, in one task.
  - Save them in a file a node, each entry once, and clear them when all that is in them is safely saved.
options:
  since:
    description:
      - List only entries of this time or later, as in V(2026-05-01T12:00:00Z), or of so long ago, as in V(12h).
      - Times are the BMC's; RV(ignore:clock_offset) tells how wrong its clock is.
      - Entries without a time that stand just before are listed too.
    type: str
  last:
    description: List only so many entries, the last ones.
    type: int
  save:
    description:
      - Folder in which the file C(NODE.jsonl) of each node gets those entries that it does not have yet, a line of JSON each.
      - The file is written under another name, flushed, renamed and read back. The result lists what was new.
    type: path
  clear:
    description:
      - Clear the BMC's log. It is read as a whole and saved before, and cleared only if nothing was added meanwhile.
      - If something was added, it is read and saved again, up to four times.
      - The entry that many BMCs write when their log is cleared is saved, and no reason to clear it again.
    type: bool
    default: false
  timeout:
    description: Seconds within which a BMC has to return its log, log-in included. It takes an answer an entry and one a sensor.
    type: float
    default: 120.0
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
  - stage0.metal._options.NODES
  - stage0.metal._options.BATCH
  - stage0.metal._options.FAILURES
  - stage0.metal._options.BMC
seealso:
  - module: stage0.metal.sensors_info
"""

EXAMPLES = r"""
- name: What happened today
  stage0.metal.event_log:
    nodes: rack1
    since: 24h
  register: found

- name: In short
  ansible.builtin.debug:
    msg: "{{ item.0.identity.name }} {{ item.1.time }} {{ item.1.severity }} {{ item.1.sensor }}: {{ item.1.event }}"
  loop: "{{ found.nodes.values() | subelements('entries') }}"
  loop_control:
    label: "{{ item.1.id }}"

- name: Save and clear all logs
  stage0.metal.event_log:
    nodes: all
    save: /var/log/bmc
    clear: true
    detail: none
    max_failed: 5%
"""

RETURN = r"""
nodes:
  description:
    - The nodes whose BMC answered, each with the RV(ignore:entries) that were asked for, or that were new in the file, oldest first.
    - RV(ignore:total) is how many entries the log has, RV(ignore:overflow) whether some were lost because it was full,
      RV(ignore:clock_offset) by how many seconds the BMC's clock is ahead, null if it is not set.
    - RV(ignore:saved) and RV(ignore:cleared) are how many entries were, or in check mode would be.
    - An entry has RV(ignore:time) null if the BMC's clock was not set, and RV(ignore:asserted) false if a state was left.
  returned: unless the request was refused
  type: dict
  sample:
    r1n01:
      changed: true
      before:
        in_file: 12
        in_log: 13
      after:
        in_file: 13
        in_log: 0
      entries:
        - id: 13
          time: '2026-05-01T12:00:00Z'
          sensor: Inlet Temp
          number: 1
          kind: temperature
          event: Upper critical
          detail: reading 43 °C, threshold 42 °C
          asserted: true
          severity: critical
          raw: 0d0002a01bf46920000401010159442a
          housekeeping: false
      total: 0
      overflow: false
      clock_offset: 0
      warnings: []
      saved: 1
      cleared: 13
      file: /var/log/bmc/r1n01.jsonl
      seconds: 0.8
      tries: 1
      identity:
        name: r1n01
        serial: SN0001
        uuid: 11112222-3333-4444-5555-666600000001
        mac: 52:54:00:99:00:01
failed_nodes:
  description:
    - The nodes that failed, each with the reason, and how many entries were RV(ignore:saved) and RV(ignore:cleared) before.
  returned: unless the request was refused
  type: dict
  sample:
    r1n07:
      code: conflict
      msg: >-
        r1n07: entries came into the event log each of 4 times that it was saved and about to be cleared; all that was read is saved,
        nothing was cleared
      retryable: false
      saved: 7
      cleared: 0
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
from ansible_collections.stage0.metal.plugins.module_utils._operations.event_log import event_log

ARGUMENT_SPEC = ArgumentSpec(
    {
        **FLEET,
        "since": {"type": "str"},
        "last": {"type": "int"},
        "save": {"type": "path"},
        "clear": {"type": "bool", "default": False},
        "timeout": {"type": "float", "default": 120.0},
    },
    rules={
        "mutually_exclusive": [("since", "last", "save")],
        "required_if": [("clear", True, ("save",))],
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, event_log)


if __name__ == "__main__":
    main()
