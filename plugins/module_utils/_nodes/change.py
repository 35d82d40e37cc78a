# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what a write did, as people see it: secrets are masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .reading import Record, as_document
from .schema import MASK, shown

Side = tuple[str, Record]
"""A name, and what is stored under it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a node, group or network (``kind``) was and is; None where there is none.

    ``renewed``: secrets that got another value, which one would not see. Documents are put together when somebody asks:
    of 100,000 nodes nobody may.
    """

    kind: str
    was: Side | None
    now: Side | None
    renewed: Sequence[str] = ()

    @property
    def changed(self) -> bool:
        """Whether anything differs."""
        return self.was != self.now

    @property
    def before(self) -> dict[str, Any]:
        """The document before it; {} if there was none."""
        return as_document(self.kind, *self.was) if self.was else {}

    @property
    def after(self) -> dict[str, Any]:
        """The document after it; {} if there is none."""
        if self.now is None:
            return {}
        document = as_document(self.kind, *self.now)
        document["values"].update(dict.fromkeys(self.renewed, f"{MASK} (changed)"))
        return document

    @property
    def verb(self) -> str:
        """What happened, in a word."""
        return "changed" if self.was and self.now else "added" if self.now else "removed"

    def difference(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what differs only, before and after: what an event keeps."""
        if self.was is None or self.now is None:
            return _flat(self.kind, self.was), _flat(self.kind, self.now)
        old, new = self.was[1].values, self.now[1].values
        kept = {key for key in old.keys() & new.keys() if old[key] == new[key]}
        before = shown({key: old[key] for key in old.keys() - kept})
        after = shown({key: new[key] for key in new.keys() - kept}) | dict.fromkeys(self.renewed, f"{MASK} (changed)")
        for key, one, other in (("groups", self.was[1].groups, self.now[1].groups), ("name", self.was[0], self.now[0])):
            if one != other:
                before[key], after[key] = one, other
        return before, after


def _flat(kind: str, side: Side | None) -> dict[str, Any]:
    """Return all that there is, without the nesting of a document."""
    if side is None:
        return {}
    document = as_document(kind, *side)
    values = document.pop("values")
    return {**document, **values}
