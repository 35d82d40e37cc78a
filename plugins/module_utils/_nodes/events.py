# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: reading what has happened. Store writes events, with secrets masked."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .errors import ErrorCode, MetalError
from .libraries import lazy
from .tables import tables

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

_AGO = re.compile(r"(\d{1,9})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
FEW = 500
"""Subjects that are asked for by name; of more, all events are read and most passed over."""
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Question:
    """Which events. ``since`` and ``until``: seconds since the epoch; ``what``, ``who``: patterns in which * stands for
    anything; ``subjects``: None for all; at most ``limit``, the newest or the oldest of them first."""

    subjects: Collection[str] | None = None
    since: float | None = None
    until: float | None = None
    what: Collection[str] = ()
    who: str | None = None
    limit: int = 100
    newest: bool = True


def moment(text: str) -> float:
    """Return the time that ``text`` means, in seconds since the epoch.

    A date or time in the form of ISO 8601, in UTC unless it says otherwise; or how long ago: 90s, 30m, 12h, 7d, 2w.
    Raises: MetalError ``invalid``.
    """
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return time.time() - int(ago[1]) * _SECONDS[ago[2]]
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise MetalError(
            ErrorCode.INVALID, f"{text!r} is no time; write one as in 2026-05-01T12:00:00Z, or how long ago, as in 12h"
        ) from None


def written(at: float) -> str:
    """Return a time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def find(connection: sa.Connection, question: Question) -> list[dict[str, Any]]:
    """Return the events that the ``question`` asks for."""
    found: list[dict[str, Any]] = []
    for row in _matching(connection, question):
        if len(found) == question.limit:
            break
        found.append(
            {
                "id": row.id,
                "at": written(row.at),
                "who": row.who,
                "what": row.what,
                "subject": row.subject,
                "before": json.loads(row.before or "null"),
                "after": json.loads(row.after or "null"),
            }
        )
    return found


def _matching(connection: sa.Connection, question: Question) -> Iterator[sa.Row[Any]]:
    t = tables().events
    query = sa.select(t).order_by(t.c.id.desc() if question.newest else t.c.id)
    if question.since is not None:
        query = query.where(t.c.at >= question.since)
    if question.until is not None:
        query = query.where(t.c.at <= question.until)
    if question.what:
        query = query.where(sa.or_(*(_like(t.c.what, pattern) for pattern in question.what)))
    if question.who is not None:
        query = query.where(_like(t.c.who, question.who))
    wanted = None if question.subjects is None else frozenset(question.subjects)
    if wanted is not None and len(wanted) <= FEW:
        query = query.where(t.c.subject.in_(wanted))
    for row in connection.execute(query.execution_options(yield_per=min(PAGE, question.limit + 1))):
        if wanted is None or row.subject in wanted:
            yield row


def _like(column: sa.ColumnElement[str], pattern: str) -> sa.ColumnElement[bool]:
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return column.ilike(escaped.replace("*", "%"), escape="\\")
