# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: argument specifications, built from parts that modules share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._fleet.results import DETAILS

Options = dict[str, dict[str, Any]]

DATABASE: Options = {"database": {"type": "str"}}
"""Where the node database is; every module has it."""

NODES: Options = {"nodes": {"type": "list", "elements": "str", "required": True}}

BATCH: Options = {
    "detail": {"type": "str", "choices": list(DETAILS), "default": "all"},
    "max_nodes": {"type": "int"},
}
"""What every task over many nodes has."""

FAILURES: Options = {"max_failed": {"type": "str", "default": "0"}}

FLEET: Options = {
    **NODES,
    **BATCH,
    **FAILURES,
    "timeout": {"type": "float", "default": 20.0},
    "deadline": {"type": "float", "default": 900.0},
}
"""What every task on BMCs has."""


STAGGER: Options = {
    "stagger": {
        "type": "dict",
        "options": {
            "count": {"type": "int", "required": True},
            "interval": {"type": "float", "required": True},
            "per": {"type": "str"},
        },
    }
}
"""What a task that draws current has."""


@dataclass(frozen=True, slots=True)
class ArgumentSpec:
    """What a module hands to AnsibleModule. ``rules``: required_if, mutually_exclusive and their like.

    ``existing``: it works on a database that is there, and makes none: whoever mistypes where it lies is told.
    """

    options: Options
    supports_check_mode: bool = True
    rules: dict[str, Any] = field(default_factory=dict)
    existing: bool = False

    def to_kwargs(self) -> dict[str, Any]:
        """Return the keyword arguments of AnsibleModule."""
        return {
            "argument_spec": {**self.options, **DATABASE},
            "supports_check_mode": self.supports_check_mode,
            **self.rules,
        }
