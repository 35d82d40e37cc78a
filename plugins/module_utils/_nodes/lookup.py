# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what a noderange asks of the database, asked as narrowly as the expression allows.

A task for one node must not read 100,000 names, and a test of one attribute must not read whole documents.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .documents import DIALECTS
from .expression import is_expression, parse
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
        if len(found) > 40 * CHUNK:  # fewer are sorted in less time than all names are read
            return [name for name in self._everyone if name in found]
        return sorted(found, key=natural)

    def having(self, attribute: str, test: Test) -> Collection[str]:
        """Return the nodes whose effective value of ``attribute`` passes ``test``."""
        positive = _NEGATIVE.get(test.operator)
        if positive is not None:
            return self._all - set(self.having(attribute, Test(positive, test.value)))
        passing, owning = self._owning(attribute, test)
        return passing | self._inheriting(attribute, test, owning)

    @cached_property
    def _everyone(self) -> list[str]:
        t = self.t.nodes
        return [name for (name,) in self._fetch(sa.select(t.c.name).order_by(t.c.sort, t.c.name))]

    @cached_property
    def _all(self) -> set[str]:
        return set(self._everyone)

    def _owning(self, attribute: str, test: Test) -> tuple[set[str], set[str] | None]:
        """Return the nodes whose own value passes, and all that have one, or an explicit null, if these were read too."""
        t, about, documents = self.t.nodes, Attribute(attribute), self._documents
        column = t.c.document
        narrow = None
        if test.operator == "==" and not about.is_list:
            narrow = documents.may_be(column, attribute, test.value)
        elif test.beginning and not about.is_list:
            narrow = documents.may_begin(column, attribute, test.beginning)
        where = documents.has(column, attribute) if narrow is None else narrow
        rows = self._fetch(sa.select(t.c.name, documents.value(column, attribute)).where(where))
        return self._passing(rows, about, test), {name for name, _value in rows} if narrow is None else None

    def _passing(self, rows: Iterable[tuple[str, Any]], attribute: Attribute, test: Test) -> set[str]:
        """Return the nodes whose value passes; ``rows`` are pairs of a node and its value as it is stored."""
        verdicts: dict[Any, bool] = {}
        passing: set[str] = set()
        unsure: dict[str, list[str]] = {}
        for name, value in rows:
            verdict = verdicts.get(value)
            if verdict is None:
                if is_expression(value):  # of which the text alone tells nothing
                    unsure.setdefault(value, []).append(name)
                    continue
                verdict = verdicts[value] = test.passes(attribute.from_sql(value))
            if verdict:
                passing.add(name)
        for expression, names in unsure.items():
            passing.update(self._evaluated(expression, names, attribute, test))
        return passing

    def _inheriting(self, attribute: str, test: Test, owning: set[str] | None) -> set[str]:
        """Return the nodes without an own value that inherit one that passes."""
        groups, nodes, documents = self.t.groups, self.t.nodes, self._documents
        value = documents.value(groups.c.document, attribute)
        giving = dict(self._fetch(sa.select(groups.c.name, value).where(documents.has(groups.c.document, attribute))))
        about, by_default = Attribute(attribute), test.passes(DEFAULTS.get(attribute))
        if not by_default and not any(
            is_expression(one) or test.passes(about.from_sql(one)) for one in set(giving.values())
        ):
            return set()
        if owning is None:
            has = documents.has(nodes.c.document, attribute)
            owning = {name for (name,) in self._fetch(sa.select(nodes.c.name).where(has))}
        first = self._first_giving(list(giving), owning)
        found = self._passing(((node, giving[group]) for node, group in first.items()), about, test)
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

    def _evaluated(self, expression: str, names: Sequence[str], attribute: Attribute, test: Test) -> Iterator[str]:
        """Yield those of ``names`` whose value, ``expression``, passes."""
        parsed = parse(expression)
        if parsed.names:
            yield from (view.name for view in self.reader.stream(names) if test.passes(view[attribute.name]))
            return
        for name in names:  # it depends on nothing but the name
            if test.passes(attribute.check(parsed.evaluate(name, _nothing))):
                yield name

    def _fetch(self, query: sa.Select[Any]) -> list[Any]:
        """Return plain rows of text, straight from the driver: of 100,000 each costs as much as its search."""
        cursor: Any = self.reader.connection.execute(query).cursor
        rows: list[Any] = cursor.fetchall()
        return rows


def _nothing(_name: str) -> None:
    """Stand for the values of other attributes where an expression asks for none."""


class Attribute:
    """What a test has to know of an attribute: how its value comes out of SQL."""

    def __init__(self, name: str) -> None:
        found = attribute(name)
        self.name, self.type, self.is_list, self.check = name, found.type, found.is_list, found.check_value

    def from_sql(self, value: Any) -> Any:
        """Return ``value`` as it is in the document: all comes as text, lists as JSON, truth as 1 or a word."""
        if value is not None and self.is_list:
            return json.loads(value)
        return value in ("1", "true") if value is not None and self.type == "bool" else value
