# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: questions about the JSON documents of nodes and groups, in the SQL of each database.

Documents are flat, and their text has one form only (backends.to_json). A quote inside of a value is escaped, so the
text ``"net.ip":`` stands in a document if and only if it has that attribute: SQLite finds it without parsing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .backend import to_json
from .libraries import lazy

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")


class Documents(Protocol):
    """The questions."""

    def has(self, column: sa.Column[Any], key: str) -> sa.ColumnElement[bool]:
        """Whether a document says anything of ``key``, be it null."""

    def value(self, column: sa.Column[Any], key: str) -> sa.ColumnElement[Any]:
        """The value of ``key``: text, a number, or the JSON of a list. NULL for null, and where there is none."""

    def may_be(self, column: sa.Column[Any], key: str, text: str) -> sa.ColumnElement[bool]:
        """Whether the value of ``key`` may be ``text`` or an expression; a few others may slip through."""

    def may_begin(self, column: sa.Column[Any], key: str, text: str) -> sa.ColumnElement[bool]:
        """Whether the value of ``key`` may begin with ``text``, or be an expression; a few others may slip through."""


class SqliteDocuments:
    """Documents as text, with the functions that SQLite has had since 3.9 (https://www.sqlite.org/json1.html)."""

    def has(self, column: sa.Column[Any], key: str) -> sa.ColumnElement[bool]:
        return sa.func.instr(column, f'"{key}":') > 0

    def value(self, column: sa.Column[Any], key: str) -> sa.ColumnElement[Any]:
        return sa.func.json_extract(column, f'$."{key}"', type_=sa.Text())

    def may_be(self, column: sa.Column[Any], key: str, text: str) -> sa.ColumnElement[bool]:
        return self._holds(column, key, to_json(text), text)

    def may_begin(self, column: sa.Column[Any], key: str, text: str) -> sa.ColumnElement[bool]:
        return self._holds(column, key, to_json(text)[:-1], text)

    @staticmethod
    def _holds(column: sa.Column[Any], key: str, *forms: str) -> sa.ColumnElement[bool]:
        same = [sa.func.instr(column, f'"{key}":{form}') > 0 for form in forms]
        # of the braces that a document ends and begins with, neither stands between a key and the end of its value
        braces = [column.op("GLOB")(f'*"{key}":"*{end}') for end in ("{*", "}*}")]
        return sa.or_(*same, *braces)


class PostgresqlDocuments:
    """Documents of the type json (https://www.postgresql.org/docs/current/functions-json.html)."""

    def has(self, column: sa.Column[Any], key: str) -> sa.ColumnElement[bool]:
        return column.op("->", return_type=sa.JSON())(key).is_not(None)

    def value(self, column: sa.Column[Any], key: str) -> sa.ColumnElement[Any]:
        return column.op("->>", return_type=sa.Text())(key)

    def may_be(self, column: sa.Column[Any], key: str, text: str) -> sa.ColumnElement[bool]:
        value = self.value(column, key)
        return sa.or_(value == text, value.contains("{"), value.contains("}"))

    def may_begin(self, column: sa.Column[Any], key: str, text: str) -> sa.ColumnElement[bool]:
        value = self.value(column, key)
        return sa.or_(value.startswith(text, autoescape=True), value.contains("{"), value.contains("}"))


DIALECTS: dict[str, Documents] = {"sqlite": SqliteDocuments(), "postgresql": PostgresqlDocuments()}
"""By the name of SQLAlchemy's dialect."""
