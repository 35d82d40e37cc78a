# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the groups that hosts of the inventory are in by what they are, beside their node groups."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ...module_utils._nodes.view import View

_UNSAFE = re.compile(r"\W+")

GroupsOf = Callable[[View, Mapping[str, Any]], list[str]]


@cache
def safe(text: str) -> str:
    """Return ``text`` as Ansible allows it in the name of a group: letters of any script, digits and underscores."""
    name = _UNSAFE.sub("_", text.lower())
    return f"_{name}" if name[:1].isdigit() else name


def _by_attribute(kind: str, name: str) -> GroupsOf:
    def groups(view: View, _variables: Mapping[str, Any]) -> list[str]:
        value = view[name]
        return [] if value is None else [safe(f"{kind}_{value}")]

    return groups


def _by_variable(kind: str) -> GroupsOf:
    def groups(_view: View, variables: Mapping[str, Any]) -> list[str]:
        value = variables.get(_VARIABLES[kind])
        return [] if value is None else [safe(f"{kind}_{value}")]

    return groups


_ATTRIBUTES = {
    "model": "system.model",
    "manufacturer": "system.manufacturer",
    "firmware": "boot.firmware",
    "driver": "bmc.driver",
    "room": "location.room",
    "row": "location.row",
    "rack": "location.rack",
    "chassis": "location.chassis",
}
_VARIABLES = {
    "deployment": "metal_deployment_state",
    "profile": "metal_deployment_profile",
    "image": "metal_deployment_image",
    "power": "metal_power",
}

STATE = frozenset(_VARIABLES)
"""Kinds of groups that need what we know of the nodes' state."""

GROUPS_BY: dict[str, GroupsOf] = {
    **{kind: _by_attribute(kind, name) for kind, name in _ATTRIBUTES.items()},
    **{kind: _by_variable(kind) for kind in _VARIABLES},
}
"""By kind, what tells the groups of a node: rack_r1, model_poweredge_r660, deployment_ready, power_on."""


def hierarchy(view: View, parents: dict[tuple[str, str], None]) -> list[str]:
    """Return the innermost place that the node stands in, and note in ``parents`` what contains what.

    A place's name is its whole path, as in room_a_row_1_rack_r1: each room may have a row 1.
    """
    path = ""
    for kind in ("room", "row", "rack"):
        value = view[_ATTRIBUTES[kind]]
        if value is None:
            continue
        inner = safe(f"{path}_{kind}_{value}" if path else f"{kind}_{value}")
        if path:
            parents[path, inner] = None
        path = inner
    return [path] if path else []
