# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what a noderange asks of the database, asked as narrowly as the expression allows.

A task for one node must not read 100,000 names, and a test of one attribute must not read whole documents.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .expression import is_expression
from .libraries import lazy
from .names import natural
from .noderange import Test
from .reading import CHUNK, Reader, chunks
from .schema import DEFAULTS

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

_NEGATIVE = {"!=": "==", "!~": "=~"}


class Lookup:
    """noderange.Names over the database, as seen in one transaction in which nobody writes."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.t = reader.t

    def known(self, names: Collection[str]) -> set[str]:
        """Return those of ``names`` that are nodes."""
        if len(names) > 4 * CHUNK:
            return set(names) & self._all
        return self.reader.known("node", names)

    def members(self, group: str) -> Collection[str] | None:
        """Return the nodes of ``group``; None if there is no such group."""
        t = self.t.members
        found = self.reader.connection.execute(sa.select(t.c.node).where(t.c.group_name == group)).scalars().all()
        return found if found or self.reader.known("group", [group]) else None

    def everyone(self) -> Sequence[str]:
        """All nodes, in natural order."""
        return self._everyone

    def ordered(self, found: set[str]) -> list[str]:
        """Return ``found`` in natural order."""
        if len(found) > 4 * CHUNK:
            return [name for name in self._everyone if name in found]
        return sorted(found, key=natural)

    def having(self, attribute: str, test: Test) -> Collection[str]:
        """Return the nodes whose effective value of ``attribute`` passes ``test``."""
        positive = _NEGATIVE.get(test.operator)
        if positive is not None:
            return self._all - set(self.having(attribute, Test(positive, test.value)))
        passing, owning = self._own(attribute, test)
        return passing | self._inheriting(attribute, test, owning)

    @cached_property
    def _everyone(self) -> list[str]:
        return self.reader.node_names()

    @cached_property
    def _all(self) -> set[str]:
        return set(self._everyone)

    def _own(self, attribute: str, test: Test) -> tuple[set[str], set[str]]:
        """Return the nodes whose own value passes, and all that have one (or an explicit null)."""
        nodes = self.t.nodes
        text = json_text(nodes.c.document, attribute, self.reader.connection.dialect.name)
        rows = self.reader.connection.execute(sa.select(nodes.c.name, text).where(text.is_not(None))).all()
        verdicts, doubtful = self._verdicts({found for _name, found in rows}, test)
        passing = {name for name, found in rows if verdicts[found]}
        if doubtful:
            passing |= self._evaluated([name for name, found in rows if found in doubtful], attribute, test)
        return passing, {name for name, _found in rows}

    @staticmethod
    def _verdicts(texts: Iterable[str], test: Test) -> tuple[dict[str, bool], set[str]]:
        """Return which JSON texts pass, and those that are expressions, of which the text alone tells nothing."""
        verdicts: dict[str, bool] = {}
        doubtful: set[str] = set()
        for text in texts:
            # most values are plain text without an escape, which is itself between its quotes
            value = text[1:-1] if text[0] == '"' and "\\" not in text else json.loads(text)
            expression = is_expression(value)
            verdicts[text] = not expression and test.passes(value)
            if expression:
                doubtful.add(text)
        return verdicts, doubtful

    def _inheriting(self, attribute: str, test: Test, owning: set[str]) -> set[str]:
        """Return the nodes without an own value that inherit one that passes."""
        groups = self.t.groups
        text = json_text(groups.c.document, attribute, self.reader.connection.dialect.name)
        rows = self.reader.connection.execute(sa.select(groups.c.name, text).where(text.is_not(None)))
        giving = dict[str, str](map(tuple, rows))
        verdicts, doubtful = self._verdicts(giving.values(), test)
        first = self._first_giving(list(giving), owning)
        found = {node for node, group in first.items() if verdicts[giving[group]]}
        if doubtful:
            unsure = [node for node, group in first.items() if giving[group] in doubtful]
            found |= self._evaluated(unsure, attribute, test)
        if test.passes(DEFAULTS.get(attribute)):
            found |= self._all - owning - first.keys()
        return found

    def _first_giving(self, groups: Sequence[str], owning: set[str]) -> dict[str, str]:
        """Node to the first of its groups that is one of ``groups``, for those not in ``owning``."""
        t = self.t.members
        first: dict[str, tuple[int, str]] = {}
        for chunk in chunks(groups):
            query = sa.select(t.c.node, t.c.position, t.c.group_name).where(t.c.group_name.in_(chunk))
            for node, position, group in self.reader.connection.execute(query):
                if node not in owning and (node not in first or position < first[node][0]):
                    first[node] = (position, group)
        return {node: group for node, (_position, group) in first.items()}

    def _evaluated(self, names: Sequence[str], attribute: str, test: Test) -> set[str]:
        return {view.name for view in self.reader.stream(names) if test.passes(view[attribute])}


def json_text(column: sa.Column[Any], key: str, dialect: str) -> sa.ColumnElement[str | None]:
    """Return the SQL for the JSON text of the value of ``key`` in a document; SQL's NULL if there is no such key."""
    if dialect == "sqlite":  # its operator -> came with 3.38 only: https://www.sqlite.org/json1.html
        path = f'$."{key}"'
        kind = sa.func.json_type(column, path)
        words = {kind == "true": "true", kind == "false": "false"}  # which json_extract turns into 1 and 0
        texts = [(test, sa.literal(word)) for test, word in words.items()]
        return sa.case(*texts, (kind.is_not(None), sa.func.json_quote(sa.func.json_extract(column, path))))
    return sa.cast(column.op("->", return_type=sa.JSON())(key), sa.Text())
