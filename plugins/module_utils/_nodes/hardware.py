# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what machines are made of, and were: a document a node, kept each time that it changes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .bulk import insert
from .libraries import lazy
from .reading import chunks
from .store import Store

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

TICK = 0.001
"""Seconds by which a document is later than the one before, whatever the clock says: their order is that of time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A document, and when it was kept (seconds since the epoch)."""

    at: float
    document: dict[str, Any]


def history(store: Store, names: Sequence[str], most: int = 1) -> dict[str, list[Kept]]:
    """Return by node the documents kept of it, the newest first and ``most`` of them; nodes without any are left out."""
    t = store.t.hardware
    rank = sa.func.row_number().over(partition_by=t.c.node, order_by=t.c.at.desc()).label("rank")
    found: dict[str, list[Kept]] = {}
    for chunk in chunks(list(names)):
        ranked = sa.select(t, rank).where(t.c.node.in_(chunk)).subquery()
        query = sa.select(ranked).where(ranked.c.rank <= most).order_by(ranked.c.node, ranked.c.rank)
        for row in store.connection.execute(query):
            found.setdefault(row.node, []).append(Kept(row.at, row.document))
    return found


def keep(store: Store, documents: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Keep what differs from what was kept last of the node, each with an event; return those nodes.

    Nodes that are not there (any more) are ignored.
    """
    names = [name for name in documents if name in store.known("node", documents)]
    before, now = history(store, names), time.time()
    rows, events = [], []
    for name in names:
        last = before[name][0] if name in before else None
        old, new = difference(last.document if last else {}, documents[name])
        if last is None or old != new:
            rows.append((name, max(now, last.at + TICK) if last else now, dict(documents[name])))
            events.append(("hardware changed", name, old if last else None, new))
    insert(store.connection, store.t.hardware, ("node", "at", "document"), rows)
    store.event_many(events)
    return [name for name, _at, _document in rows]


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what differs between two documents, as dotted names: what it was, and what it is; None for what is absent."""
    old, new = dict(_flat(before)), dict(_flat(after))
    changed = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    return {name: old.get(name) for name in changed}, {name: new.get(name) for name in changed}


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
