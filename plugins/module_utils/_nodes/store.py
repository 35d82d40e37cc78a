# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: nodes and groups in the database: changes, with their events.

Every function works inside a transaction that the caller opened; a change returns what was and what is, with
secrets masked. Many are changed by the same few statements as one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from . import noderange
from .bulk import insert, update
from .change import Change
from .errors import ErrorCode, MetalError
from .identities import settle
from .libraries import lazy
from .lookup import Lookup
from .names import check_name, natural
from .reading import Reader, Record
from .rotation import stored
from .schema import ENCRYPTED, SECRETS, attribute, check_values
from .secrets import Keyring

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")


@dataclass(slots=True)
class Wish:
    """What a node or group should be: ``values`` to set, names to ``unset``, ``groups`` in order (None: leave).

    ``whole``: own values that are not among ``values`` go, except secrets. ``checked``: ``values`` are in their stored form.
    """

    values: dict[str, Any] = field(default_factory=dict)
    unset: Sequence[str] = ()
    groups: Sequence[str] | None = None
    whole: bool = False
    checked: bool = False


@dataclass(slots=True)
class _Unsettled:
    """Nodes whose values have changed in ways not checked yet: ``written`` themselves, or ``concerned`` by a group.

    ``new``: those of them that were not there before.
    """

    written: dict[str, Record] = field(default_factory=dict)
    concerned: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)


class Store(Reader):
    """Nodes and groups, as seen and changed in one transaction. ``who`` is named in events."""

    def __init__(self, connection: sa.Connection, keyring: Keyring, who: str) -> None:
        super().__init__(connection, keyring)
        self.who = who
        self._lookup: Lookup | None = None
        self._unsettled: _Unsettled | None = None

    def expand(self, wanted: str | Sequence[str]) -> list[str]:
        """Return the nodes that a noderange, or a list of noderanges, names.

        Raises: MetalError as noderange.expand does.
        """
        if self._lookup is None:
            self._lookup = Lookup(self)
        if not isinstance(wanted, str):
            wanted = [str(item) for item in wanted]
            if any(map(_is_a_piece, wanted)):
                wanted = ",".join(wanted)
        return noderange.expand(wanted, self._lookup)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Check what the changes inside mean for nodes once, at the end: what is half done may contradict itself."""
        self._unsettled = waiting = _Unsettled()
        try:
            yield
        finally:
            self._unsettled = None
        there = self.known("node", waiting.written.keys() | waiting.concerned)
        written = {name: record for name, record in waiting.written.items() if name in there}
        make = self.maker(record.groups for record in written.values())
        others = sorted(there - written.keys(), key=natural)
        views = chain((make(name, record) for name, record in written.items()), self.stream(others))
        settle(self, views, new=waiting.new)

    # -- one ---------------------------------------------------------------------------------------------------

    def put(self, kind: str, name: str, wish: Wish) -> Change:
        """Make the node or group ``name`` if it is missing, and give it what ``wish`` says. Raises: as put_many()."""
        return self.put_many(kind, {name: wish})[name]

    def remove(self, kind: str, name: str) -> Change:
        """Remove a node or group with its own values. Raises: as remove_many()."""
        return self.remove_many(kind, [name])[name]

    # -- many --------------------------------------------------------------------------------------------------

    def put_many(self, kind: str, wishes: Mapping[str, Wish]) -> dict[str, Change]:
        """Make the nodes or groups (``kind``) that are missing, and give each what its wish says.

        Raises: MetalError ``invalid``, ``unknown``, ``missing`` or ``conflict``; nothing is written then.
        """
        before = self.records(kind, wishes)
        new = [name for name in wishes if name not in before]
        self._check_new(kind, new)
        after: dict[str, Record] = {}
        renewed: dict[str, list[str]] = {}
        for name, wish in wishes.items():
            try:
                record, renewed[name] = self._fulfilled(kind, before.get(name), wish)
            except MetalError as exc:
                raise MetalError(exc.code, exc.message, node=exc.node or name) from None
            after[name] = before[name] if before.get(name) == record else record
        changed = {name: record for name, record in after.items() if before.get(name) is not record}
        with self.connection.begin_nested():
            self._write(kind, changed, new)
            if kind == "node":
                regrouped = {n: record.groups for n, record in changed.items() if _regrouped(before, n, record)}
                self._write_groups(regrouped, new)
            self._settle(kind, changed, new)
        changes = {}
        for name, record in after.items():
            was = (name, before[name]) if name in before else None
            changes[name] = Change(kind, was, (name, record), renewed[name] if was else ())
        self.record(kind, changes)
        return changes

    def remove_many(self, kind: str, names: Collection[str]) -> dict[str, Change]:
        """Remove nodes or groups with their own values. Names that are not there are no error.

        Raises: MetalError ``missing`` if an expression of a node needs what a removed group gave it.
        """
        before = self.records(kind, names)
        concerned = self.members(list(before)) if kind == "group" else []
        self._lookup = None
        with self.connection.begin_nested():
            if before:
                t = self.table(kind)
                gone: sa.BindParameter[str] = sa.bindparam("gone")
                self.connection.execute(t.delete().where(t.c.name == gone), [{"gone": name} for name in before])
            if concerned and self._unsettled is not None:
                self._unsettled.concerned.update(concerned)
            elif concerned:
                settle(self, self.stream(concerned), new=())
        changes = {name: Change(kind, (name, before[name]) if name in before else None, None) for name in names}
        self.record(kind, changes)
        return changes

    def rename(self, kind: str, old: str, new: str) -> Change:
        """Give the node or group ``old`` the name ``new``; what it has and had comes along, events but for.

        Raises: MetalError ``unknown`` or ``conflict``, ``missing`` for an expression that its new name does not fit.
        """
        found = self.records(kind, [old]).get(old)
        if found is None:
            raise MetalError(ErrorCode.UNKNOWN, f"there is no {kind} named {old!r} that could be renamed to {new!r}")
        if self.known(kind, [new]):
            raise MetalError(
                ErrorCode.CONFLICT, f"{old!r} cannot be renamed to {new!r}: there is such a {kind} already"
            )
        self._check_new(kind, [new])
        t = self.table(kind)
        with self.connection.begin_nested():
            self._write(kind, {new: found}, [new])
            for column in self._references(kind):
                update = column.table.update().where(column == old).values({column.name: new})
                self.connection.execute(update)
            self.connection.execute(t.delete().where(t.c.name == old))
            self._settle(kind, {new: found}, ())
        change = Change(kind, (old, found), (new, found))
        self.record(kind, {new: change})
        return change

    # -- events and observations -------------------------------------------------------------------------------

    def event(self, what: str, subject: str, before: Any, after: Any) -> None:
        """Write an event: ``what`` happened to ``subject``. Never hand a secret to it."""
        self.event_many([(what, subject, before, after)])

    def observe(self, what: str, values: Mapping[str, str]) -> None:
        """Remember what was seen of nodes: ``what``, such as power, and by node its value. Unknown nodes are ignored."""
        t, now = self.t.observations, time.time()
        known = self.known("node", values)
        if known:
            here = (t.c.node == sa.bindparam("n"), t.c.what == what)
            self.connection.execute(t.delete().where(*here), [{"n": name} for name in known])
            rows = [{"node": name, "what": what, "value": values[name], "at": now} for name in known]
            self.connection.execute(t.insert(), rows)

    def observed(self, what: str) -> dict[str, tuple[str, float]]:
        """Return by node what was seen of it last, and when (seconds since the epoch)."""
        t = self.t.observations
        rows = self.connection.execute(sa.select(t.c.node, t.c.value, t.c.at).where(t.c.what == what))
        return {node: (value, at) for node, value, at in rows}

    def record(self, kind: str, changes: Mapping[str, Change]) -> None:
        """Write the events of ``changes``, by name, of nodes, groups or networks (``kind``)."""
        self.event_many(
            (f"{kind} {change.verb}", name, *change.difference()) for name, change in changes.items() if change.changed
        )

    def event_many(self, events: Iterable[tuple[str, str, Any, Any]]) -> None:
        """Write events: what happened, to whom, before and after. Never hand a secret to it."""
        now, encode = time.time(), json.JSONEncoder().encode
        rows = ((now, self.who, what, subject, encode(old), encode(new)) for what, subject, old, new in events)
        insert(self.connection, self.t.events, ("at", "who", "what", "subject", "before", "after"), rows)

    # -- parts of a change -------------------------------------------------------------------------------------

    def _check_new(self, kind: str, names: Collection[str]) -> None:
        for name in names:
            check_name(name, kind)
        other = {"node": "group", "group": "node"}[kind]
        taken = sorted(self.known(other, names), key=natural)
        if taken:
            raise MetalError(
                ErrorCode.CONFLICT,
                f"{taken[0]!r} cannot be a {kind}: it is a {other} already, and a noderange could not tell which",
            )

    def _fulfilled(self, kind: str, was: Record | None, wish: Wish) -> tuple[Record, list[str]]:
        """Return what ``was`` becomes, and the secrets that get another value."""
        old = was.values if was else {}
        given = wish.values if wish.checked else check_values(wish.values)
        # a file that says all of a node is exported without secrets unless somebody asks for them
        values = {name: old[name] for name in SECRETS & old.keys()} if wish.whole else dict(old)
        renewed: list[str] = []
        for name, value in given.items():
            if name not in SECRETS or value is None:
                values[name] = value
                continue
            values[name] = self._cipher(old.get(name), value)
            renewed += [name] if old.get(name) not in (None, values[name]) else []
        for name in wish.unset:
            attribute(name)
            values.pop(name, None)
        groups = was.groups if was else ()
        if kind == "node" and wish.groups is not None:
            groups = tuple(dict.fromkeys(wish.groups))
        return Record(values, groups), renewed

    def _cipher(self, old: str | None, value: str) -> str:
        """Return the secret ``value`` as it is to be stored: as ``old``, if that is the same."""
        given = value.startswith(ENCRYPTED)  # from a file that was exported so: it stays as it is, here as there
        plain = self.keyring.decrypt(value) if given else value
        if old is not None and self.keyring.decrypt(old) == plain:
            return old
        return value if given else self.keyring.encrypt(plain, lambda: stored(self.connection))

    def _write(self, kind: str, records: Mapping[str, Record], new: Collection[str]) -> None:
        """Write documents: ``new`` ones are inserted, all others are there."""
        self._lookup = None
        t, fresh = self.table(kind), set(new)
        names = [name for name in records if name in fresh]
        if kind == "node":
            insert(
                self.connection, t, ("name", "sort", "document"), ((n, natural(n), records[n].values) for n in names)
            )
        else:
            insert(self.connection, t, ("name", "document"), ((name, records[name].values) for name in names))
        changed = ((dict(record.values), name) for name, record in records.items() if name not in fresh)
        update(self.connection, t, changed)

    def _write_groups(self, groups: Mapping[str, Sequence[str]], new: Collection[str]) -> None:
        """Write which groups nodes are in, ``new`` ones or not; groups that are not there are made."""
        t = self.t.members
        wanted = {group for listed in groups.values() for group in listed}
        missing = sorted(wanted - self.known("group", wanted), key=natural)
        if missing:
            self.put_many("group", {group: Wish() for group in missing})
        old = [{"n": node} for node in groups.keys() - set(new)]
        if old:
            self.connection.execute(t.delete().where(t.c.node == sa.bindparam("n")), old)
        rows = ((node, group, place) for node, listed in groups.items() for place, group in enumerate(listed))
        insert(self.connection, t, ("node", "group_name", "position"), rows)

    def _settle(self, kind: str, changed: Mapping[str, Record], new: Collection[str]) -> None:
        """Check what the change means for nodes, and write down what identifies them."""
        if self._unsettled is not None:
            if kind == "node":
                self._unsettled.written.update(changed)
                self._unsettled.new.update(new)
            else:
                self._unsettled.concerned.update(self.members(list(changed)))
        elif kind == "node":
            make = self.maker(record.groups for record in changed.values())
            settle(self, (make(name, record) for name, record in changed.items()), new=new)
        else:
            old = [name for name in changed if name not in set(new)]
            settle(self, self.stream(self.members(old)), new=())

    def _references(self, kind: str) -> list[sa.Column[Any]]:
        """Return the columns that hold names of nodes or groups."""
        t = self.t
        nodes = [t.members.c.node, t.identities.c.node, t.observations.c.node, t.hardware.c.node, t.deployments.c.node]
        return {"node": nodes, "group": [t.members.c.group_name]}[kind]


def _regrouped(before: Mapping[str, Record], name: str, record: Record) -> bool:
    return record.groups != (before[name].groups if name in before else ())


def _is_a_piece(item: str) -> bool:
    """Whether ``item`` is a piece of a noderange: Ansible splits text for a list at each comma, those in brackets too."""
    pairs = any(item.count(one) != item.count(other) for one, other in ("[]", "()", "{}"))
    return pairs or any(item.count(mark) % 2 for mark in ("/", '"', "'"))
