# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter stage0.metal.fold."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fold
short_description: A short noderange for a list of names
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Folds names into a noderange, in all their numbers, so that 4,000 names read V(r[01-40]n[001-100]).
  - The filter P(stage0.metal.noderange#filter) makes exactly the same names of it again.
options:
  _input:
    description: Names of nodes or hosts. They may have letters, digits, V(-), V(_) and V(.); others are refused.
    type: list
    elements: str
    required: true
seealso:
  - plugin: stage0.metal.noderange
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Say which hosts this play is for
  ansible.builtin.debug:
    msg: "{{ ansible_play_hosts | stage0.metal.fold }}"
"""

RETURN = r"""
_value:
  description: The noderange; empty text for an empty list.
  type: str
  sample: r1n[01-06,08-24]
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.stage0.metal.plugins.module_utils._nodes import noderange
from ansible_collections.stage0.metal.plugins.plugin_utils._noderange import said_by, texts


def fold(value: Any) -> str:
    """Return a short noderange for the names ``value``. Raises: AnsibleFilterError."""
    with said_by("fold"):
        return noderange.fold(texts(value, "what is folded"))


class FilterModule:
    """What ansible-core asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to filter."""
        return {"fold": fold}
