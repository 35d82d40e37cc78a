# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The test stage0.metal.noderange."""

from __future__ import annotations

DOCUMENTATION = r"""
name: noderange
short_description: Whether something is a well-formed noderange
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Judges the grammar alone. Whether there are such nodes and groups is not asked, and no database is read.
  - For checking a variable before anything is done with it.
options:
  _input:
    description: What may be a noderange, or a list of them. What is neither text nor a list of text is none.
    type: raw
    required: true
seealso:
  - plugin: stage0.metal.noderange
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Refuse what is no noderange
  ansible.builtin.assert:
    that: metal_nodes is stage0.metal.noderange
  vars:
    metal_nodes: r1n[01-20],-r1n07
"""

RETURN = r"""
_value:
  description: Whether it is one.
  type: bool
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.noderange import check
from ansible_collections.stage0.metal.plugins.plugin_utils._noderange import said_by, texts

NO_NODERANGE = (ErrorCode.INVALID, ErrorCode.UNKNOWN)


def noderange(value: Any) -> bool:
    """Whether ``value`` is a well-formed noderange. Raises: AnsibleFilterError if that cannot be told (a missing library)."""
    with said_by("noderange"):
        try:
            check(value if isinstance(value, str) else texts(value, "a noderange"))
        except MetalError as exc:
            if exc.code in NO_NODERANGE:
                return False
            raise
    return True


class TestModule:
    """What ansible-core asks for the tests of this file."""

    def tests(self) -> dict[str, Callable[..., bool]]:
        """Name to test."""
        return {"noderange": noderange}
