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

from .documents import DIALECTS
from .expression import is_expression
from .libraries import lazy
from .names import natural
from .noderange import Test
from .reading import CHUNK, Reader, chunks
from .schema import DEFAULTS, attribute

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
        self._documents = DIALECTS[reader.connection.dialect.name]

    def known(self, names: Collection[str]) -> set[str]:
        """Return those of ``names`` that are nodes."""
        if len(names) > 4 * CHUNK:
            return set(names) & self._all
        return self.reader.known("node", names)

    def members(self, group: str) -> Collection[str] | None:
        """Return the nodes of ``group``; None if there is no such group."""
        t = self.t.members
        found = [node for (node,) in self._fetch(sa.select(t.c.node).where(t.c.group_name == group))]
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
        return self._owning(attribute, test) | self._inheriting(attribute, test)

    @cached_property
    def _everyone(self) -> list[str]:
        t = self.t.nodes
        return [name for (name,) in self._fetch(sa.select(t.c.name).order_by(t.c.sort, t.c.name))]

    @cached_property
    def _all(self) -> set[str]:
        return set(self._everyone)

    def _owning(self, attribute: str, test: Test) -> set[str]:
        """Return the nodes whose own value passes."""
        t, found = self.t.nodes, Attribute(attribute)
        conditions = [self._documents.has(t.c.document, attribute)]
        if test.operator == "==" and not found.is_list:
            conditions.append(self._documents.may_be(t.c.document, attribute, test.value))
        rows = self._fetch(sa.select(t.c.name, self._documents.value(t.c.document, attribute)).where(*conditions))
        verdicts, doubtful = self._verdicts({value for _name, value in rows}, found, test)
        passing = {name for name, value in rows if verdicts[value]}
        for expression in doubtful:
            passing |= self._evaluated([name for name, value in rows if value == expression], attribute, test)
        return passing

    @staticmethod
    def _verdicts(values: Iterable[Any], attribute: Attribute, test: Test) -> tuple[dict[Any, bool], set[str]]:
        """Return which values pass, and those that are expressions, of which the text alone tells nothing."""
        verdicts: dict[Any, bool] = {}
        doubtful: set[str] = set()
        for value in values:
            if is_expression(value):
                doubtful.add(value)
            verdicts[value] = value not in doubtful and test.passes(attribute.from_sql(value))
        return verdicts, doubtful

    def _inheriting(self, attribute: str, test: Test) -> set[str]:
        """Return the nodes without an own value that inherit one that passes."""
        groups, nodes, documents = self.t.groups, self.t.nodes, self._documents
        value = documents.value(groups.c.document, attribute)
        giving = dict(self._fetch(sa.select(groups.c.name, value).where(documents.has(groups.c.document, attribute))))
        verdicts, doubtful = self._verdicts(set(giving.values()), Attribute(attribute), test)
        by_default = test.passes(DEFAULTS.get(attribute))
        if not (any(verdicts.values()) or doubtful or by_default):
            return set()
        has = documents.has(nodes.c.document, attribute)
        owning = {name for (name,) in self._fetch(sa.select(nodes.c.name).where(has))}
        first = self._first_giving(list(giving), owning)
        found = {node for node, group in first.items() if verdicts[giving[group]]}
        for expression in doubtful:
            unsure = [node for node, group in first.items() if giving[group] == expression]
            found |= self._evaluated(unsure, attribute, test)
        return found | (self._all - owning - first.keys()) if by_default else found

    def _first_giving(self, groups: Sequence[str], owning: set[str]) -> dict[str, str]:
        """Node to the first of its groups that is one of ``groups``, for those not in ``owning``."""
        t = self.t.members
        if len(groups) == 1:
            nodes = (name for (name,) in self._fetch(sa.select(t.c.node).where(t.c.group_name == groups[0])))
            return {node: groups[0] for node in nodes if node not in owning}
        first: dict[str, tuple[int, str]] = {}
        for chunk in chunks(groups):
            query = sa.select(t.c.node, t.c.position, t.c.group_name).where(t.c.group_name.in_(chunk))
            for node, position, group in self._fetch(query):
                if node not in owning and (node not in first or position < first[node][0]):
                    first[node] = (position, group)
        return {node: group for node, (_position, group) in first.items()}

    def _evaluated(self, names: Sequence[str], attribute: str, test: Test) -> set[str]:
        """Return those of ``names`` whose value, an expression, passes."""
        return {view.name for view in self.reader.stream(names) if test.passes(view[attribute])}

    def _fetch(self, query: sa.Select[Any]) -> list[Any]:
        """Return plain rows of text, straight from the driver: of 100,000 each costs as much as its search."""
        cursor: Any = self.reader.connection.execute(query).cursor
        rows: list[Any] = cursor.fetchall()
        return rows


class Attribute:
    """What a test has to know of an attribute: how its value comes out of SQL."""

    def __init__(self, name: str) -> None:
        self.type = attribute(name).type
        self.is_list = attribute(name).is_list

    def from_sql(self, value: Any) -> Any:
        """Return ``value`` as it is in the document: lists come as JSON, truth as a number or a word."""
        if value is not None and self.is_list:
            return json.loads(value)
        return value in (1, "true") if value is not None and self.type == "bool" else value
