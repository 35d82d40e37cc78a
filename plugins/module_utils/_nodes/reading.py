# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: reading nodes and groups, as few statements as can be for one node as for 100,000."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .libraries import lazy
from .names import natural
from .schema import shown
from .secrets import Keyring
from .tables import tables
from .view import Inherited, View

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

CHUNK = 500
"""Names in one IN (...): SQLite and PostgreSQL both take more, plans get no better."""

STREAM = 5_000
"""Nodes that are read at a time when all are wanted: memory stays flat."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is stored of a node or group: its own ``values`` and, of a node, its ``groups`` in order."""

    values: Mapping[str, Any] = field(default_factory=dict)
    groups: tuple[str, ...] = ()


class Reader:
    """Nodes and groups, as seen in one transaction."""

    def __init__(self, connection: sa.Connection, keyring: Keyring) -> None:
        self.connection = connection
        self.keyring = keyring
        self.t = tables()

    def node_names(self) -> list[str]:
        """All nodes, in natural order."""
        t = self.t.nodes
        return list(self.connection.execute(sa.select(t.c.name).order_by(t.c.sort, t.c.name)).scalars())

    def group_names(self) -> list[str]:
        """All groups, in natural order."""
        return sorted(self.connection.execute(sa.select(self.t.groups.c.name)).scalars(), key=natural)

    def group_members(self) -> dict[str, list[str]]:
        """All groups, each with its members in natural order."""
        found: dict[str, list[str]] = {name: [] for name in self.group_names()}
        m, n = self.t.members, self.t.nodes
        query = sa.select(m.c.group_name, m.c.node).join(n, n.c.name == m.c.node).order_by(n.c.sort, n.c.name)
        for group, node in self.connection.execute(query):
            found[group].append(node)
        return found

    def members(self, groups: Collection[str]) -> list[str]:
        """Return the nodes that are in one or more of ``groups``."""
        t = self.t.members
        found: set[str] = set()
        for chunk in chunks(list(groups)):
            query = sa.select(t.c.node).where(t.c.group_name.in_(chunk))
            found.update(self.connection.execute(query).scalars())
        return sorted(found, key=natural)

    def known(self, kind: str, names: Collection[str]) -> set[str]:
        """Return those of ``names`` that are nodes or groups (``kind``)."""
        t = self.table(kind)
        return {name for (name,) in self._rows(kind, sa.select(t.c.name), t.c.name, names)}

    def records(self, kind: str, names: Collection[str]) -> dict[str, Record]:
        """Return what is stored of those of ``names`` that exist."""
        t = self.table(kind)
        groups = self._groups_of(names) if kind == "node" else {}
        rows = self._rows(kind, sa.select(t.c.name, t.c.document), t.c.name, names)
        return {name: Record(document, groups.get(name, ())) for name, document in rows}

    def views(self, names: Iterable[str]) -> dict[str, View]:
        """Return the effective values of the nodes ``names``, in that order; unknown ones have defaults only."""
        names = list(names)
        records = self.records("node", names)
        make = self.maker(record.groups for record in records.values())
        return {name: make(name, records.get(name, _NOTHING)) for name in names}

    def stream(self, names: Sequence[str]) -> Iterator[View]:
        """Yield the effective values of the nodes ``names``, in that order, without holding all of them."""
        for start in range(0, len(names), STREAM):
            yield from self.views(names[start : start + STREAM]).values()

    def maker(self, groups: Iterable[Sequence[str]]) -> Maker:
        """Return what makes views of nodes whose groups are among ``groups``."""
        lists = set(map(tuple, groups))
        wanted = {group for one in lists for group in one}
        return Maker({name: found.values for name, found in self.records("group", wanted).items()}, self.keyring)

    def document(self, kind: str, name: str) -> dict[str, Any]:
        """Return the own values of a node or group, secrets masked, with its groups; {} if it does not exist."""
        found = self.records(kind, [name]).get(name)
        return as_document(kind, name, found) if found else {}

    def owner_of(self, attribute: str, value: str) -> str | None:
        """Return the node of whose identity ``value`` is a part: net.mac, net.ip or system.uuid."""
        t = self.t.identities
        query = sa.select(t.c.node).where(t.c.attribute == attribute, t.c.value == value)
        found: str | None = self.connection.execute(query).scalar()
        return found

    def table(self, kind: str) -> sa.Table:
        """Return the table of nodes or groups."""
        return {"node": self.t.nodes, "group": self.t.groups}[kind]

    def _groups_of(self, names: Collection[str]) -> dict[str, tuple[str, ...]]:
        t = self.t.members
        found: dict[str, list[str]] = {}
        query = sa.select(t.c.node, t.c.group_name).order_by(t.c.node, t.c.position)
        for node, group in self._rows("node", query, t.c.node, names):
            found.setdefault(node, []).append(group)
        return {node: tuple(groups) for node, groups in found.items()}

    def _rows(
        self, kind: str, query: sa.Select[Any], column: sa.ColumnElement[str], names: Collection[str]
    ) -> Iterator[Any]:
        """Yield the rows of ``query`` whose ``column`` is one of ``names``: in pieces, or in one go if most are wanted."""
        if len(names) > CHUNK and len(names) * 3 > self.count(kind):
            wanted = names if isinstance(names, (set, frozenset, dict)) else set(names)
            yield from [row for row in self.connection.execute(query).all() if row[0] in wanted]
            return
        for chunk in chunks(list(names)):
            yield from self.connection.execute(query.where(column.in_(chunk)))

    def count(self, kind: str) -> int:
        """Return how many nodes or groups (``kind``) there are."""
        query = sa.select(sa.func.count()).select_from(self.table(kind))
        return int(self.connection.execute(query).scalar_one())


class Maker:
    """Makes views; what nodes with the same groups inherit is put together once."""

    def __init__(self, of_groups: Mapping[str, Mapping[str, Any]], keyring: Keyring) -> None:
        """``of_groups``: group name to its own values."""
        self._of_groups = of_groups
        self._keyring = keyring
        self._made: dict[tuple[str, ...], Inherited] = {}

    def __call__(self, name: str, record: Record) -> View:
        inherited = self._made.get(record.groups)
        if inherited is None:
            inherited = self._made[record.groups] = Inherited(record.groups, self._of_groups)
        return View(name, record.values, inherited, self._keyring)


_NOTHING = Record()


def as_document(kind: str, name: str, record: Record) -> dict[str, Any]:
    """Return what people see of a node or group: secrets masked, names sorted."""
    groups = {"groups": list(record.groups)} if kind == "node" else {}
    return {"name": name, **groups, "values": shown(record.values)}


def chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield ``names`` in pieces that fit into one statement."""
    return (names[start : start + CHUNK] for start in range(0, len(names), CHUNK))
