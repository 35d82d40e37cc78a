# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: questions about the JSON documents of nodes and groups, in the SQL of each database.

Documents are flat, and their text has one form only (backend.to_json). A quote inside of a value is escaped, so the
text ``"net.ip":`` stands in a document if and only if it has that attribute: SQLite finds it without parsing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .libraries import lazy

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")


@dataclass(frozen=True, slots=True)
class Documents:
    """How a database asks a document in ``column``.

    ``has``: whether it says anything of a key, be it null. ``value``: the value of a key as text, a list as JSON; NULL
    for null, and where there is none.
    """

    has: Callable[[sa.Column[Any], str], sa.ColumnElement[bool]]
    value: Callable[[sa.Column[Any], str], sa.ColumnElement[Any]]

    def may_be(self, column: sa.Column[Any], key: str, text: str) -> sa.ColumnElement[bool]:
        """Whether the value of ``key`` is ``text``, or may be an expression."""
        value = self.value(column, key)
        return sa.or_(value == text, value.contains("{"), value.contains("}"))

    def may_begin(self, column: sa.Column[Any], key: str, text: str) -> sa.ColumnElement[bool]:
        """Whether the value of ``key`` begins with ``text``, or may be an expression; SQLite takes a for A."""
        value = self.value(column, key)
        return sa.or_(value.startswith(text, autoescape=True), value.contains("{"), value.contains("}"))


DIALECTS: dict[str, Documents] = {
    # JSON as text, with functions that SQLite has had since 3.9: https://www.sqlite.org/json1.html
    "sqlite": Documents(
        has=lambda column, key: sa.func.instr(column, f'"{key}":') > 0,
        value=lambda column, key: sa.cast(sa.func.json_extract(column, f'$."{key}"'), sa.Text()),
    ),
    # https://www.postgresql.org/docs/current/functions-json.html
    "postgresql": Documents(
        has=lambda column, key: column.op("->", return_type=sa.JSON())(key).is_not(None),
        value=lambda column, key: column.op("->>", return_type=sa.Text())(key),
    ),
}
"""By the name of SQLAlchemy's dialect."""
