#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: profile
short_description: Manage what can be deployed
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - A profile says what a deployment puts on a node, with media, the template of the answer file and kernel arguments.
  - A deployment keeps the profile as it was when the node was armed; a change counts from the next arming on.
options:
  name:
    description: Name of the profile.
    type: str
    required: true
  state:
    description: Whether the profile is to exist.
    type: str
    choices: [present, absent]
    default: present
  installer:
    description: Which installer it is; it decides how machines are booted and how the answer file is checked. Required if present.
    type: str
    choices: [esxi, lab]
  media:
    description: Folder with the unpacked medium, on the hub's machine. Required if present.
    type: path
  answer:
    description:
      - Template of the answer file, in Jinja2. A variable that is not defined is an error when a node is armed.
      - Ansible itself would render a template given here before the module sees it; mark it C(!unsafe), or use O(answer_file).
      - Exactly one of O(answer) and O(answer_file) is required if present.
    type: str
  answer_file:
    description: File with the template of the answer file, on the machine where the module runs.
    type: path
  kernel:
    description: The kernel, in the media folder. ESXi's media name their own.
    type: str
    default: vmlinuz
  initrd:
    description: The initial RAM disks, in the media folder. ESXi's media name their own.
    type: list
    elements: str
    default: [initrd.gz]
  kernel_arguments:
    description:
      - Arguments for the kernel; each is a template, like the answer file.
      - Mark those with braces C(!unsafe), lest Ansible itself renders them.
    type: list
    elements: str
    default: []
  done:
    description: The state that counts as success. V(ready) needs a report from the installed system.
    type: str
    choices: [installed, ready]
    default: ready
  deadlines:
    description: Seconds that a deployment may spend in a state before silence counts as failure.
    type: dict
    suboptions:
      armed:
        description: Until the node is booted; 14400 by default.
        type: int
      booting:
        description: From the boot script to the installer; 900 by default.
        type: int
      installing:
        description: From the start of the installer, or its last progress, to its end; 3600 by default.
        type: int
      installed:
        description: Until the installed system reports; 1800 by default.
        type: int
  max_boots:
    description: How often the boot script is served to a node before its deployment is given up.
    type: int
    default: 3
  variables:
    description: Values for the templates, which see them as C(deployment.NAME).
    type: dict
    default: {}
extends_documentation_fragment:
  - stage0.metal._attributes
  - stage0.metal._attributes.CHANGES
  - stage0.metal._options
seealso:
  - module: stage0.metal.arm
"""

EXAMPLES = r"""
- name: ESXi 8 from unpacked media
  stage0.metal.profile:
    name: esxi8
    installer: esxi
    media: /srv/media/esxi-8.0u3
    answer_file: /srv/site/esxi8.ks.j2
    variables:
      ntp_servers: [10.1.0.1]

- name: It is no longer offered
  stage0.metal.profile:
    name: esxi8
    state: absent
"""

RETURN = r"""
profile:
  description: The profile as it is now; empty if it is absent.
  returned: success
  type: dict
  sample:
    name: esxi8
    installer: esxi
    media: /srv/media/esxi-8.0u3
    done: ready

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

from ansible_collections.stage0.metal.plugins.module_utils._deploy.installers import INSTALLERS
from ansible_collections.stage0.metal.plugins.module_utils._deploy.profile import DEADLINES
from ansible_collections.stage0.metal.plugins.module_utils._module.run import run
from ansible_collections.stage0.metal.plugins.module_utils._module.spec import ArgumentSpec
from ansible_collections.stage0.metal.plugins.module_utils._operations.deployment import profile

ARGUMENT_SPEC = ArgumentSpec(
    {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "installer": {"type": "str", "choices": sorted(INSTALLERS)},
        "media": {"type": "path"},
        "answer": {"type": "str"},
        "answer_file": {"type": "path"},
        "kernel": {"type": "str", "default": "vmlinuz"},
        "initrd": {"type": "list", "elements": "str", "default": ["initrd.gz"]},
        "kernel_arguments": {"type": "list", "elements": "str", "default": []},
        "done": {"type": "str", "choices": ["installed", "ready"], "default": "ready"},
        "deadlines": {
            "type": "dict",
            "options": {str(state): {"type": "int"} for state in DEADLINES},
        },
        "max_boots": {"type": "int", "default": 3},
        "variables": {"type": "dict", "default": {}},
    },
    rules={
        "required_if": [
            ("state", "present", ("installer", "media")),
            ("state", "present", ("answer", "answer_file"), True),
        ],
        "mutually_exclusive": [("answer", "answer_file")],
    },
)


def main() -> None:
    """Run the operation of this module's name."""
    run(ARGUMENT_SPEC, profile)


if __name__ == "__main__":
    main()
