# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what every importer returns: nodes, groups and networks, and what could not be mapped.

A reader is a function ``(path) -> Batch``. It reads and checks; it never writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Entry:
    """One node, group or network.

    ``place``: where it stands in its file, for messages ("line 12"). ``groups``: of a node, the first wins; None if
    the file says nothing of them. ``values``: attribute name to own value, checked, or an expression.
    """

    place: str
    name: str
    groups: list[str] | None
    values: dict[str, Any]


@dataclass(slots=True)
class Unmapped:
    """What was not taken over, or only as text under ``custom.*``; never a secret.

    ``name``: of the node or group. ``source``: where it stood ("ipmi.csv: bmc"). ``reason``: why, a sentence.
    """

    name: str
    source: str
    reason: str


@dataclass(slots=True)
class Batch:
    """All that one file or directory holds; ``path`` names it in messages.

    ``sections``: "groups" and "networks" if the file has a place for them, so that naming none means that there is none.
    """

    path: str
    nodes: list[Entry] = field(default_factory=list)
    groups: list[Entry] = field(default_factory=list)
    networks: list[Entry] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)
    sections: frozenset[str] = frozenset()
