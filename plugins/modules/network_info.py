#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: network_info
short_description: Which networks the node database has
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - The node database of stage0.metal keeps the site's networks beside its nodes.
  - This module returns all of them by name.
options: {}
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.INFO
  - stage0.metal._options
seealso:
  - module: stage0.metal.network
  - module: stage0.metal.node_info
"""

EXAMPLES = r"""
- name: The networks
  stage0.metal.network_info:
  register: found

- name: The one that nodes boot from
  ansible.builtin.debug:
    msg: "{{ found.networks.boot.subnet | default('there is none') }}"
"""

RETURN = r"""
networks:
  description: What each network has, by its name, in natural order. What is not set is not there.
  returned: success
  type: dict
  sample:
    boot:
      subnet: 10.1.0.0/16
      vlan: 101
      gateway: 10.1.0.1
      dns: [10.0.0.53]
      ntp: [ntp1.example.com]
      domain: boot.example.com
      dynamic_range: 10.1.200.1-10.1.200.99
count:
  description: How many there are.
  returned: success
  type: int
  sample: 1

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
from ansible_collections.stage0.metal.plugins.module_utils._operations.exchange import network_info

ARGUMENT_SPEC = ArgumentSpec({}, existing=True)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, network_info)


if __name__ == "__main__":
    main()
