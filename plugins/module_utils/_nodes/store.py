# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: nodes and groups in the database: reading, and changes with their events.

Every function works inside a transaction that the caller opened; a change returns what was and what is, with
secrets masked, which is also what the event says.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import noderange
from .errors import ErrorCode, MetalError
from .libraries import lazy
from .names import check_name, natural
from .schema import MASK, attribute, check_values, masked
from .secrets import Keyring
from .tables import tables
from .view import View, resolve

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

CHUNK = 500
"""Names in one IN (...): SQLite and PostgreSQL both take more, plans get no better."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a write did: the document ``before`` and ``after`` it; {} where there is none."""

    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def changed(self) -> bool:
        """Whether anything differs."""
        return self.before != self.after


@dataclass(slots=True)
class Wish:
    """What a node or group should be: ``values`` to set, names to ``unset``, ``groups`` in order (None: leave)."""

    values: dict[str, Any] = field(default_factory=dict)
    unset: Sequence[str] = ()
    groups: Sequence[str] | None = None


class Store:
    """Nodes and groups, as seen in one transaction. ``who`` is named in events."""

    def __init__(self, connection: sa.Connection, keyring: Keyring, who: str) -> None:
        self.connection = connection
        self.keyring = keyring
        self.who = who
        self.t = tables()

    # -- reading -----------------------------------------------------------------------------------------------

    def node_names(self) -> list[str]:
        """All nodes, in natural order."""
        return sorted(self.connection.execute(sa.select(self.t.nodes.c.name)).scalars(), key=natural)

    def group_members(self) -> dict[str, list[str]]:
        """All groups, each with its members in natural order."""
        found: dict[str, list[str]] = {
            name: [] for name in self.connection.execute(sa.select(self.t.groups.c.name)).scalars()
        }
        for node, group in self.connection.execute(sa.select(self.t.members.c.node, self.t.members.c.group_name)):
            found[group].append(node)
        return {group: sorted(found[group], key=natural) for group in sorted(found, key=natural)}

    def expand(self, wanted: str | Sequence[str]) -> list[str]:
        """Return the nodes that a noderange, or a list of noderanges, names.

        Raises: MetalError as noderange.expand does.
        """
        expression = wanted if isinstance(wanted, str) else ",".join(str(item) for item in wanted)
        return noderange.expand(expression, self.node_names(), self.group_members())

    def views(self, names: Iterable[str]) -> dict[str, View]:
        """Return the effective values of the nodes ``names``, in that order."""
        names = list(names)
        groups = self._groups_of(names)
        own = self._own("node", names)
        of_groups = self._own("group", sorted({group for listed in groups.values() for group in listed}))
        return {n: resolve(n, groups.get(n, []), own.get(n, {}), of_groups, self.keyring) for n in names}

    def document(self, kind: str, name: str) -> dict[str, Any]:
        """Return the own values of a node or group, secrets masked, with its groups; {} if it does not exist."""
        table = self._table(kind)
        if self.connection.execute(sa.select(table.c.name).where(table.c.name == name)).first() is None:
            return {}
        values = {key: masked(key, value) for key, value in sorted(self._own(kind, [name]).get(name, {}).items())}
        if kind == "group":
            return {"name": name, "values": values}
        return {"name": name, "groups": self._groups_of([name]).get(name, []), "values": values}

    def owners_of(self, name: str, value: Any) -> list[str]:
        """Return the nodes whose own value of attribute ``name`` is ``value``."""
        t = self.t.own_values
        query = sa.select(t.c.owner).where(t.c.kind == "node", t.c.attribute == name, t.c.value == json.dumps(value))
        return sorted(self.connection.execute(query).scalars(), key=natural)

    def _groups_of(self, names: Sequence[str]) -> dict[str, list[str]]:
        t = self.t.members
        found: dict[str, list[str]] = {}
        for chunk in _chunks(names):
            query = sa.select(t.c.node, t.c.group_name).where(t.c.node.in_(chunk)).order_by(t.c.node, t.c.position)
            for node, group in self.connection.execute(query):
                found.setdefault(node, []).append(group)
        return found

    def _own(self, kind: str, owners: Sequence[str]) -> dict[str, dict[str, Any]]:
        t = self.t.own_values
        found: dict[str, dict[str, Any]] = {}
        for chunk in _chunks(owners):
            query = sa.select(t.c.owner, t.c.attribute, t.c.value).where(t.c.kind == kind, t.c.owner.in_(chunk))
            for owner, name, value in self.connection.execute(query):
                found.setdefault(owner, {})[name] = json.loads(value)
        return found

    # -- writing -----------------------------------------------------------------------------------------------

    def put(self, kind: str, name: str, wish: Wish, *, unique_later: bool = False) -> Change:
        """Make the node or group ``name`` if it is missing, and give it what ``wish`` says.

        ``unique_later``: the caller runs check_unique() itself when all nodes are written, as two may swap addresses.
        Raises: MetalError ``invalid``, ``unknown`` or ``conflict``; nothing is written then.
        """
        before = self.document(kind, name)
        values = check_values(wish.values)
        for key in wish.unset:
            attribute(key)
        if not before:
            check_name(name, kind)
            self._check_free(kind, name)
        if kind == "node" and not unique_later:
            self.check_unique(name, values)
        if not before:
            self.connection.execute(self._table(kind).insert().values(name=name))
        written = self._write_values(kind, name, values, wish.unset)
        if kind == "node" and wish.groups is not None:
            self._write_groups(name, wish.groups)
        after = self.document(kind, name)
        if written and before == after:  # a secret got another value: both sides look alike when masked
            after = {**after, "values": {**after["values"], **dict.fromkeys(written, f"{MASK} (changed)")}}
        return self._record(kind, name, Change(before, after))

    def remove(self, kind: str, name: str) -> Change:
        """Remove a node or group with its own values."""
        before = self.document(kind, name)
        if before:
            t, own = self._table(kind), self.t.own_values
            self.connection.execute(own.delete().where(own.c.kind == kind, own.c.owner == name))
            self.connection.execute(t.delete().where(t.c.name == name))
        return self._record(kind, name, Change(before, {}))

    def event(self, what: str, subject: str, before: Any, after: Any) -> None:
        """Write an event: ``what`` happened to ``subject``. Never hand a secret to it."""
        row = {"at": time.time(), "who": self.who, "what": what, "subject": subject}
        sides = {"before": json.dumps(before), "after": json.dumps(after)}
        self.connection.execute(self.t.events.insert().values(**row, **sides))

    def _record(self, kind: str, name: str, change: Change) -> Change:
        if change.changed:
            verb = "changed" if change.before and change.after else "added" if change.after else "removed"
            self.event(f"{kind} {verb}", name, change.before, change.after)
        return change

    def _table(self, kind: str) -> sa.Table:
        return {"node": self.t.nodes, "group": self.t.groups}[kind]

    def _check_free(self, kind: str, name: str) -> None:
        other = {"node": "group", "group": "node"}[kind]
        if self.document(other, name):
            raise MetalError(
                ErrorCode.CONFLICT,
                f"{name!r} cannot be a {kind}: it is a {other} already, and a noderange could not tell which",
            )

    def check_unique(self, name: str, values: dict[str, Any]) -> None:
        """Raise MetalError ``conflict`` if another node has one of the ``values`` that identify a machine."""
        for key, value in values.items():
            if value is None or not attribute(key).unique:
                continue
            others = [owner for owner in self.owners_of(key, value) if owner != name]
            if others:
                raise MetalError(ErrorCode.CONFLICT, f"{key} {value} is already that of node {others[0]}", node=name)

    def _write_values(self, kind: str, name: str, values: dict[str, Any], unset: Sequence[str]) -> list[str]:
        """Write what differs and return the secrets that got another value."""
        t = self.t.own_values
        own = self._own(kind, [name]).get(name, {})
        secrets: list[str] = []
        for key, value in values.items():
            secret = attribute(key).secret and value is not None
            if (
                key in own
                and (self.keyring.decrypt(own[key]) if secret and own[key] is not None else own[key]) == value
            ):
                continue
            stored = json.dumps(self.keyring.encrypt(value) if secret else value)
            where = (t.c.kind == kind, t.c.owner == name, t.c.attribute == key)
            if key in own:
                self.connection.execute(t.update().where(*where).values(value=stored))
                secrets += [key] if secret else []
            else:
                self.connection.execute(t.insert().values(kind=kind, owner=name, attribute=key, value=stored))
        for key in unset:
            self.connection.execute(t.delete().where(t.c.kind == kind, t.c.owner == name, t.c.attribute == key))
        return secrets

    def _write_groups(self, name: str, groups: Sequence[str]) -> None:
        t = self.t.members
        known = set(self.connection.execute(sa.select(self.t.groups.c.name)).scalars())
        if self._groups_of([name]).get(name, []) == list(groups):
            return
        for group in groups:
            if group not in known:
                self.put("group", group, Wish())
        self.connection.execute(t.delete().where(t.c.node == name))
        for position, group in enumerate(dict.fromkeys(groups)):
            self.connection.execute(t.insert().values(node=name, group_name=group, position=position))


def _chunks(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + CHUNK] for start in range(0, len(names), CHUNK))
