# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: writing many rows at once: the driver's executemany() without SQLAlchemy's work on each row.

Measured at 100,000 nodes, that work is a third of an import.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .backend import to_json
from .libraries import lazy

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

_MARKS = {"sqlite": "?", "postgresql": "%s"}
"""How each driver writes a parameter (PEP 249, paramstyle)."""


def insert(connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert ``rows`` of values for ``columns`` into ``table``; a document comes last and is written as JSON."""
    mark, names = _MARKS[connection.dialect.name], ", ".join(_quoted(connection, table, columns))
    text = f"INSERT INTO {table.name} ({names}) VALUES ({', '.join([mark] * len(columns))})"
    if isinstance(table.c[columns[-1]].type, sa.JSON):
        rows = ((*row[:-1], to_json(row[-1])) for row in rows)
    _execute(connection, text, rows)


def update(connection: sa.Connection, table: sa.Table, rows: Iterable[tuple[dict[str, Any], str]]) -> None:
    """Write documents to rows of ``table`` that are there: ``rows`` are pairs of a document and a name."""
    mark, (what, where) = _MARKS[connection.dialect.name], _quoted(connection, table, ("document", "name"))
    text = f"UPDATE {table.name} SET {what} = {mark} WHERE {where} = {mark}"
    _execute(connection, text, ((to_json(document), name) for document, name in rows))


def _quoted(connection: sa.Connection, table: sa.Table, columns: Sequence[str]) -> list[str]:
    return [connection.dialect.identifier_preparer.quote(table.c[name].name) for name in columns]


def _execute(connection: sa.Connection, text: str, rows: Iterable[tuple[Any, ...]]) -> None:
    ready = list(rows)
    if ready:
        connection.exec_driver_sql(text, ready)


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep Python's cycle collector from looking again and again through what is being read: no cycle is among it.

    Measured at 100,000 nodes, it takes a quarter of an import's time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
