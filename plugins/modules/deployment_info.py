#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_info
short_description: Read how deployments go
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Return the newest deployment of each node, with its state and on request its timeline.
options:
  timeline:
    description: Whether to return each deployment's timeline.
    type: bool
    default: false
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.INFO
  - stage0.metal._options
  - stage0.metal._options.NODES
seealso:
  - module: stage0.metal.arm
  - module: stage0.metal.deployment_wait
"""

EXAMPLES = r"""
- name: What happened to this one?
  stage0.metal.deployment_info:
    nodes: r1n07
    timeline: true
  register: found
"""

RETURN = r"""
nodes:
  description: The newest deployment of each node, null for a node that never had one. Times are seconds since the epoch.
  returned: success
  type: dict
  sample:
    r1n07:
      id: 12
      profile: esxi8
      state: installing
      percent: 40
      message: null
      boots: 1
      armed_at: 1795334400.0
      changed_at: 1795334460.0
      heard_at: 1795334500.0
      deadline: 1795338060.0
      timeline:
        - at: 1795334400.0
          stage: armed
          detail: profile esxi8
states:
  description: How many deployments are in each state; C(none) counts nodes that never had one.
  returned: success
  type: dict
  sample:
    installing: 1

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
from ansible_collections.stage0.metal.plugins.module_utils._module.spec import NODES, ArgumentSpec
from ansible_collections.stage0.metal.plugins.module_utils._operations.deployment import deployment_info

ARGUMENT_SPEC = ArgumentSpec(
    {
        **NODES,
        "timeline": {"type": "bool", "default": False},
    },
    existing=True,
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, deployment_info)


if __name__ == "__main__":
    main()
