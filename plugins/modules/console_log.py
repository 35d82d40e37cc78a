#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: console_log
short_description: Listen to the serial consoles of nodes for a time
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Listen to the serial consoles of many nodes at once, by serial over LAN through their BMCs, for a bounded time.
  - Nothing is typed, and nothing is changed on the machine.
  - A BMC gives its console to one session at a time. While the task listens, others get nothing.
options:
  seconds:
    description: How long to listen, at most 3600 seconds. It has to fit into O(deadline), with O(timeout) for the log-in.
    type: float
    default: 10.0
  max_bytes:
    description: Stop listening to a node after so many bytes, at most 16777216.
    type: int
    default: 65536
  save:
    description: Folder in which the file C(NODE.log) of each node gets what was heard, byte by byte, behind what is in it.
    type: path
  take_over:
    description: If another session uses the console, end its use first.
    type: bool
    default: false
attributes:
  check_mode:
    support: partial
    details: In check mode the module logs in to the BMCs, but does not listen, and writes no file. What would be heard cannot be known.
  diff_mode:
    support: partial
    details: With O(save), tells the sizes of the files.
  idempotent:
    support: none
    details: Each run listens anew. It is changed if O(save) is given and something was heard.
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._options
  - stage0.metal._options.NODES
  - stage0.metal._options.BATCH
  - stage0.metal._options.FAILURES
  - stage0.metal._options.BMC
seealso:
  - module: stage0.metal.event_log
  - module: stage0.metal.power
"""

EXAMPLES = r"""
- name: What are the machines doing?
  stage0.metal.console_log:
    nodes: rack1
    seconds: 20
    max_failed: 100%
  register: consoles

- name: Show it
  ansible.builtin.debug:
    msg: "{{ item.value.text.splitlines()[-10:] }}"
  loop: "{{ consoles.nodes | dict2items }}"
  loop_control:
    label: "{{ item.key }}"

- name: Keep what machines say for ten minutes
  stage0.metal.console_log:
    nodes: rack1
    seconds: 600
    max_bytes: 1048576
    save: /var/log/consoles
    detail: none
"""

RETURN = r"""
nodes:
  description:
    - The nodes whose console was opened, each with the RV(ignore:text) that it said.
    - The text is UTF-8 with line feeds, without NULs, control sequences and other characters that could act on a terminal. The file has
      the bytes as they came.
    - RV(ignore:bytes) is how many bytes were heard, RV(ignore:truncated) whether O(max_bytes) ended the listening.
    - RV(ignore:ended) says why the listening ended before its time, such as that the BMC stopped answering; else it is null.
    - With O(save), RV(ignore:file) names the file, RV(ignore:before) and RV(ignore:after) tell its size.
  returned: unless the request was refused
  type: dict
  sample:
    r1n01:
      changed: true
      before:
        file_bytes: 5120
      after:
        file_bytes: 5185
      text: |
        [  OK  ] Reached target multi-user.target
        r1n01 login:
      bytes: 65
      truncated: false
      ended: null
      warnings: []
      file: /var/log/consoles/r1n01.log
      seconds: 10.3
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
from ansible_collections.stage0.metal.plugins.module_utils._operations.console_log import console_log

ARGUMENT_SPEC = ArgumentSpec(
    {
        **FLEET,
        "seconds": {"type": "float", "default": 10.0},
        "max_bytes": {"type": "int", "default": 65536},
        "save": {"type": "path"},
        "take_over": {"type": "bool", "default": False},
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, console_log)


if __name__ == "__main__":
    main()
