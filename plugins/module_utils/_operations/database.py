# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operations ``database_info``, ``event_info``, ``backup``, ``restore`` and ``secret_key``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._deploy.deployments import Deployments
from .._deploy.states import State
from .._nodes import dump, events, rotation
from .._nodes.database import schema_version
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.libraries import lazy
from .._nodes.reading import Reader
from .._nodes.schema import UNIQUE
from .._nodes.secrets import Keyring
from .._nodes.store import Store
from .._nodes.tables import tables
from .context import Context

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

ASIDE = ("events", "meta")
"""Tables that do not count when a database is compared with a backup: what happened, and our own notes."""
RESTORED = "restored"
"""The key of our note about the last restore that cancelled deployments."""
MOST_PROBLEMS = 100
"""Contradictions that are told."""
TOLD = ("nodes", "groups", "networks", "profiles", "deployments")
"""Tables whose rows somebody would miss."""
DAY = 86400.0


# -- database_info -------------------------------------------------------------------------------------------------


def database_info(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Say what the database is, what is in it, and with ``verify`` whether it is sound."""
    database = context.database
    with database.read() as connection:
        found: dict[str, Any] = {
            "kind": database.backend.kind,
            "url": database.url,
            "product": database.backend.product(connection),
            "schema_version": schema_version(connection),
            "bytes": database.backend.size(connection),
            "rows": _counts(connection),
            "secrets": _secrets(connection, context.keyring),
        }
        if parameters["verify"]:
            found["problems"] = _problems(connection, context)
    return {"changed": False, "database": found}


def _counts(connection: sa.Connection) -> dict[str, int]:
    """How many rows each table has but that of our own notes."""
    return {
        table.name: int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() or 0)
        for table in tables().metadata.sorted_tables
        if table.name != "meta"
    }


def _secrets(connection: sa.Connection, keyring: Keyring) -> dict[str, Any]:
    """Where the keys are, what names them, and whether they fit; ``fit`` is null if there is no secret to try."""
    found: dict[str, Any] = {"keys_from": keyring.place, "keys": [], "readable": None, "problem": None}
    try:
        found["keys"] = keyring.fingerprints()
        tried = rotation.fit(connection, keyring)
    except MetalError as exc:
        return {**found, "readable": False, "problem": exc.message}
    if tried.secrets:
        found["readable"] = not tried.unreadable
    if tried.unreadable:
        found["problem"] = f"{tried.unreadable} of {tried.secrets} secrets cannot be decrypted with these keys"
    return {**found, "count": tried.secrets}


def _problems(connection: sa.Connection, context: Context) -> list[str]:
    """What the database's own check says, then what reading every row says."""
    found = context.database.backend.problems(connection)
    try:
        dump.scan(connection)
    except ValueError as exc:
        found.append(f"a document is no JSON ({exc})")
        return found
    return found + list(islice(_contradictions(connection, context.keyring), MOST_PROBLEMS))


def _contradictions(connection: sa.Connection, keyring: Keyring) -> Iterator[str]:
    """Yield where nodes say what no change would be allowed to say: older releases looked less closely."""
    reader, t = Reader(connection, keyring), tables().identities
    owners = {(a, v): node for a, v, node in connection.execute(sa.select(t.c.attribute, t.c.value, t.c.node))}
    seen: dict[tuple[str, str], str] = {}
    for view in reader.stream(reader.node_names()):
        try:
            view.plain()
            mine = [(name, view[name]) for name in UNIQUE if view[name] is not None]
        except MetalError as exc:
            yield str(exc)
            continue
        for name, value in mine:
            other = owners.get((name, value)) or seen.setdefault((name, value), view.name)
            if other != view.name:
                yield f"{name} {value} of node {view.name} is also that of node {other}"


# -- event_info ----------------------------------------------------------------------------------------------------


def event_info(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return events. One more than wanted is read, to see whether there are more."""
    limit = parameters["limit"]
    if limit < 1:
        raise MetalError(ErrorCode.INVALID, f"limit {limit} is not a number of events; write 1 or more")
    since, until = (events.moment(parameters[name]) if parameters[name] else None for name in ("since", "until"))
    if since is not None and until is not None and since > until:
        raise MetalError(
            ErrorCode.INVALID, f"since ({parameters['since']}) is later than until ({parameters['until']})"
        )
    with context.read() as store:
        question = events.Question(
            _subjects(store, parameters),
            since,
            until,
            parameters["what"],
            parameters["who"],
            limit + 1,
            parameters["order"] == "newest",
        )
        found = events.find(store.connection, question)
    return {"changed": False, "events": found[:limit], "count": len(found[:limit]), "more": len(found) > limit}


def _subjects(store: Store, parameters: Mapping[str, Any]) -> set[str] | None:
    nodes, subjects = parameters["nodes"], parameters["subjects"]
    if nodes is None and subjects is None:
        return None
    return {*(store.expand(nodes) if nodes is not None else ()), *(subjects or ())}


# -- backup and restore --------------------------------------------------------------------------------------------


def backup(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Write all of the database into one file, unless the file there holds just that."""
    path = Path(parameters["path"]).expanduser()
    _check_place(path)
    context.refuse_own_files(path)
    if not parameters["force"] and not dump.replaceable(path):
        raise MetalError(
            ErrorCode.CONFLICT,
            f"{path} is there already and is no backup; name another file, or set force: true to replace it",
        )
    before = _whole_backup(path)
    keys = context.keyring.fingerprints()
    with context.database.read() as connection:
        if context.check_mode:
            parts = dump.scan(connection)
            changed = before is None or before.keys != keys or not before.same(parts)
            return _backed_up(path, before, None if changed else before, parts, keys)
        with dump.draft(connection, path, keys) as (made, after):
            if before is not None and before.keys == keys and before.same(after.parts):
                return _backed_up(path, before, before, before.parts, keys)
            dump.put_in_place(made, path)
    return _backed_up(path, before, after, after.parts, keys)


def _check_place(path: Path) -> None:
    """Raises: MetalError ``invalid`` if no file can be made at ``path``."""
    cause = ""
    if path.is_dir():
        cause = "that is a folder; name a file"
    elif path.exists() and not path.is_file():
        cause = "that is no ordinary file"
    elif not path.parent.is_dir():
        cause = f"there is no folder {path.parent}"
    elif not os.access(path.parent, os.W_OK):
        cause = f"the folder {path.parent} cannot be written by this user"
    if cause:
        raise MetalError(ErrorCode.INVALID, f"the backup {path} cannot be written: {cause}")


def _whole_backup(path: Path) -> dump.Summary | None:
    """Return what the file holds; None if it is not there or no good."""
    try:
        return dump.check(path)
    except MetalError:
        return None


def _backed_up(
    path: Path, before: dump.Summary | None, after: dump.Summary | None, parts: dict[str, dump.Part], keys: list[str]
) -> dict[str, Any]:
    """The result. ``after`` is None in check mode if a file would be written."""
    diff = _difference(before.parts if before else {}, parts)
    if before is None or before.keys != keys:
        diff["before"]["keys"], diff["after"]["keys"] = before.keys if before else None, keys
    return {
        "changed": after is None or after is not before,
        "file": str(path),  # of "path", Ansible would make a result with owner and mode
        "created": after.created if after else None,
        "rows": {name: part.rows for name, part in parts.items() if name != "meta"},
        "diff": diff,
    }


def _difference(before: Mapping[str, dump.Part], after: Mapping[str, dump.Part]) -> dict[str, Any]:
    """What differs, as rows and hash of each table."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {
        "before": {name: asdict(before[name]) for name in names if name in before},
        "after": {name: asdict(after[name]) for name in names if name in after},
    }


def restore(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Put a backup in the place of all that is in the database; the file is read to its end before that."""
    path = Path(parameters["path"]).expanduser()
    found = dump.check(path, _Secrets(path, context.keyring).look)
    with context.write() as store:
        parts = dump.scan(store.connection)
        changed = not found.same(parts, but=ASIDE) and _note(found.parts, parts) != _noted(store.connection)
        cancelled: list[str] = []
        if changed:
            if not parameters["force"]:
                _refuse_to_replace(context, parts)
            if dump.load(store.connection, path) != found:
                raise MetalError(ErrorCode.CONFLICT, f"the backup {path} was changed while it was read; try again")
            counts = {name: part.rows for name, part in found.parts.items() if part.rows and name != "meta"}
            store.event("database restored", "database", None, {"created": found.created, "rows": counts})
            if parameters["deployments"] == "cancel":
                cancelled = _cancel(store, found)
    after = found.parts if changed else parts
    diff = _difference(parts, after)
    if cancelled:
        diff["after"]["cancelled"] = cancelled
    return {
        "changed": changed,
        "created": found.created,
        "rows": {name: part.rows for name, part in after.items() if name != "meta"},
        "cancelled": cancelled,
        "diff": diff,
    }


def _cancel(store: Store, found: dump.Summary) -> list[str]:
    """Cancel what is armed or under way in the backup: its machines have gone on since, and would install themselves.

    A note tells the next restore of the same backup that the database is what became of it.
    """
    deployments = Deployments(store)
    active = deployments.active()
    for one in active:
        deployments.move(one, State.CANCELLED, "database restored", message="cancelled: a backup was restored")
    if active:
        meta, note = tables().meta, _note(found.parts, dump.scan(store.connection))
        store.connection.execute(meta.delete().where(meta.c.key == RESTORED))
        store.connection.execute(meta.insert().values(key=RESTORED, value=note))
    return list(dict.fromkeys(one.node for one in active))


def _note(backup: Mapping[str, dump.Part], database: Mapping[str, dump.Part]) -> str:
    """Return what names a backup and what a database became by it."""
    return " ".join(
        f"{name} {parts[name].sha256}" for parts in (backup, database) for name in sorted(parts) if name not in ASIDE
    )


def _noted(connection: sa.Connection) -> str | None:
    meta = tables().meta
    found: str | None = connection.execute(sa.select(meta.c.value).where(meta.c.key == RESTORED)).scalar()
    return found


def _refuse_to_replace(context: Context, parts: Mapping[str, dump.Part]) -> None:
    """Raises: MetalError ``conflict`` if anybody would miss what is in the database."""
    there = [f"{parts[name].rows} {name}" for name in TOLD if parts[name].rows]
    if there:
        raise MetalError(
            ErrorCode.CONFLICT,
            f"the node database {context.database.url} holds other things than the backup ({', '.join(there)}); "
            "to lose that, set force: true, best after a backup of it",
        )


class _Secrets:
    """Looks whether the keys fit the secrets of a backup, before anything is touched."""

    def __init__(self, path: Path, keyring: Keyring) -> None:
        self.path = path
        self.keyring = keyring

    def look(self, table: sa.Table, rows: dump.Rows) -> None:
        """Raises: MetalError ``database`` at the first secret that no key decrypts."""
        if table.name not in ("nodes", "groups"):
            return
        place = list(table.columns.keys()).index("document")
        for row in rows:
            for stored in rotation.secrets_of(row[place]).values():
                if not self.keyring.fits(stored):
                    raise MetalError(
                        ErrorCode.DATABASE,
                        f"the backup {self.path} holds secrets that the keys of {self.keyring.place} do not decrypt; "
                        "restore it with the keys of the site that it was made at",
                    )


# -- secret_key ----------------------------------------------------------------------------------------------------


def secret_key(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """See that there is a key, not too old, with which all secrets are encrypted, and no other."""
    keyring, days = context.keyring, parameters["rotate_after"]
    if days is not None and not 0 <= days < 100_000:
        raise MetalError(ErrorCode.INVALID, f"rotate_after {days} is not a number of days; write 0 or more")
    if days is not None and keyring.from_environment:
        raise MetalError(
            ErrorCode.INVALID,
            f"the keys come from {keyring.place}, where nothing can be added; put a new key in front there, and leave out "
            "rotate_after to have all secrets encrypted with it",
        )
    with context.write() as store:
        before, age = keyring.fingerprints(), keyring.age()
        _check_all_readable(store.connection, keyring)
        new = not before or (days is not None and age is not None and age > days * DAY)
        if new:
            keyring.add()
        rewritten = rotation.rewrite(store.connection, keyring)
        if rewritten:
            store.event("secrets encrypted", "secret key", before[:1], keyring.fingerprints()[:1])
    if not context.check_mode and not keyring.from_environment:
        _drop_old_keys(context)
    after = before[:1] if not new else ["a new key"]
    spare = 0 if keyring.from_environment else len(before) - 1
    return {
        "changed": new or spare > 0 or rewritten > 0,
        "keys": before if context.check_mode else keyring.fingerprints(),
        "keys_from": keyring.place,
        "rewritten": rewritten,
        "diff": {
            "before": {"key": before[:1], "old_keys": max(spare, 0), "secrets_of_old_keys": rewritten},
            "after": {"key": after, "old_keys": 0, "secrets_of_old_keys": 0},
        },
    }


def _check_all_readable(connection: sa.Connection, keyring: Keyring) -> None:
    """Raises: MetalError ``database`` if a secret would be lost, before any key is touched."""
    found = rotation.fit(connection, keyring)
    if found.unreadable:
        raise MetalError(
            ErrorCode.DATABASE,
            f"{found.unreadable} of {found.secrets} secrets in the node database cannot be decrypted with the keys of "
            f"{keyring.place}; bring the right key back before you rotate",
        )


def _drop_old_keys(context: Context) -> None:
    """Remove the old keys, in a transaction in which nobody writes and that finds no secret of theirs committed."""
    while len(context.keyring.fingerprints()) > 1:
        with context.write() as store:
            if not rotation.rewrite(store.connection, context.keyring):
                context.keyring.keep_first()
