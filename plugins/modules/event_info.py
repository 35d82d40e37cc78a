#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: event_info
short_description: What has happened in the node database
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Every change of the node database of stage0.metal leaves an event that says when, who, what, before and after.
  - This module returns those that are asked for. Secrets are masked in them.
options:
  nodes:
    description: Only events of these nodes, as a noderange or a list of noderanges.
    type: list
    elements: str
  subjects:
    description: Only events of these names, which need not exist any more; together with O(nodes), those of either.
    type: list
    elements: str
  since:
    description:
      - Only events of this time or later, in the form of ISO 8601; it is in UTC unless it says otherwise.
      - Or how long ago, such as V(90s), V(30m), V(12h), V(7d) or V(2w).
    type: str
  until:
    description: Only events of this time or earlier, written as for O(since).
    type: str
  what:
    description: Only events of these kinds, such as V(node changed); V(*) stands for anything, as in V(node *).
    type: list
    elements: str
    default: []
  who:
    description: Only events of this person or program; V(*) stands for anything.
    type: str
  limit:
    description: How many events to return at most.
    type: int
    default: 100
  order:
    description: Whether the newest or the oldest events come first, and are kept if there are more than O(limit).
    type: str
    choices: [newest, oldest]
    default: newest
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.INFO
  - stage0.metal._options
seealso:
  - module: stage0.metal.database_info
  - module: stage0.metal.node_info
"""

EXAMPLES = r"""
- name: What happened to a rack in the last day
  stage0.metal.event_info:
    nodes: rack1
    since: 24h
  register: found

- name: Who has removed nodes
  stage0.metal.event_info:
    what: [node removed]

- name: All that is known of a node that is gone
  stage0.metal.event_info:
    subjects: [r9n99]
    order: oldest
    limit: 1000
"""

RETURN = r"""
events:
  description: The events.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its number; later events have higher ones.
      type: int
      returned: always
      sample: 71
    at:
      description: When, in UTC.
      type: str
      returned: always
      sample: '2026-05-01T12:00:00.000Z'
    who:
      description: Who did it.
      type: str
      returned: always
      sample: operator
    what:
      description: What was done.
      type: str
      returned: always
      sample: node changed
    subject:
      description: The name of what it was done to.
      type: str
      returned: always
      sample: r1n01
    before:
      description: What was there before; its form depends on RV(events[].what).
      type: raw
      returned: always
      sample:
        net.ip: 10.1.1.1
    after:
      description: What was there afterwards.
      type: raw
      returned: always
      sample:
        net.ip: 10.1.1.2
count:
  description: How many are returned.
  returned: success
  type: int
  sample: 1
more:
  description: Whether there are more than O(limit).
  returned: success
  type: bool
  sample: false

error:
  description: What kind of failure it is, if the task as a whole failed.
  returned: if the request was refused before anything was touched
  type: dict
  contains:
    code:
      description: The class of the failure, such as V(invalid), V(conflict) or V(database).
      type: str
      returned: always
      sample: database
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
from ansible_collections.stage0.metal.plugins.module_utils._operations.database import event_info

ARGUMENT_SPEC = ArgumentSpec(
    {
        "nodes": {"type": "list", "elements": "str"},
        "subjects": {"type": "list", "elements": "str"},
        "since": {"type": "str"},
        "until": {"type": "str"},
        "what": {"type": "list", "elements": "str", "default": []},
        "who": {"type": "str"},
        "limit": {"type": "int", "default": 100},
        "order": {"type": "str", "choices": ["newest", "oldest"], "default": "newest"},
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, event_info)


if __name__ == "__main__":
    main()
