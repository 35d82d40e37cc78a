# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: opening the node database: where it lies, its version, its transactions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .backend import Backend
from .backends import backend
from .errors import ErrorCode, MetalError
from .libraries import lazy
from .migrations import migrate
from .sqlite import MemoryBackend
from .tables import SCHEMA_VERSION, tables

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

Missing = Literal["make", "refuse", "memory"]


def home() -> Path:
    """Return STAGE0_HOME: the folder of database and key.

    The environment's value, else /var/lib/stage0 where that is writable, else the XDG data folder.
    """
    named = os.environ.get("STAGE0_HOME")
    if named:
        return Path(named).expanduser()
    system = Path("/var/lib/stage0")
    if os.access(system if system.exists() else system.parent, os.W_OK):
        return system
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "stage0"


def default_url() -> str:
    """Return the database's URL when no option names one: STAGE0_DATABASE, else metal.db in home()."""
    return os.environ.get("STAGE0_DATABASE") or f"sqlite:///{home() / 'metal.db'}"


class Database:
    """An open node database. ``url`` names it for people: it holds no password."""

    def __init__(self, behind: Backend) -> None:
        self.backend = behind
        self.engine = behind.engine
        self.url = behind.url
        self.first: Callable[[sa.Connection], None] | None = None
        """What to do at the beginning of each transaction, to be undone at its end: see open_database."""

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view of the data. Raises: MetalError ``database``."""
        with self.backend.connect() as connection:
            try:
                if self.first is None:
                    self.backend.begin_read(connection)
                else:
                    self.backend.begin_write(connection)
                    self.first(connection)
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def write(self, *, keep: bool = True) -> Iterator[sa.Connection]:
        """One transaction, rolled back if the block raises or if ``keep`` is false (check mode).

        Raises: MetalError ``database``.
        """
        with self.backend.connect() as connection:
            self.backend.begin_write(connection)
            try:
                if self.first is not None:
                    self.first(connection)
                yield connection
            except BaseException:
                connection.rollback()
                raise
            if keep and self.first is None:
                connection.commit()
            else:
                connection.rollback()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def open_database(url: str | None = None, *, missing: Missing = "make", keep: bool = True) -> Database:
    """Open the database at ``url`` (default: default_url()), migrating its tables if it is older than this program.

    ``missing``: what to do if there is none: ``make`` it, ``refuse``, or take an empty one in ``memory``. ``keep``: not so
    in check mode, which migrates an older one anew in each transaction and keeps nothing of it.
    Raises: MetalError ``database`` if it cannot be opened, or is newer than this program; ``invalid`` for
    a URL of another kind.
    """
    behind = backend(url or default_url())
    try:
        if not behind.exists():
            if missing == "refuse":
                raise MetalError(ErrorCode.DATABASE, behind.absent)
            if missing == "memory":
                behind = MemoryBackend(behind.url)
            behind.make(_install)
        database = Database(behind)
        _bring_up(database, keep=keep and missing != "memory")
    except BaseException:
        behind.engine.dispose()
        raise
    return database


def _install(connection: sa.Connection) -> None:
    tables().metadata.create_all(connection)
    connection.execute(tables().meta.insert().values(key="schema_version", value=str(SCHEMA_VERSION)))


def _bring_up(database: Database, *, keep: bool) -> None:
    """Migrate an older database. Raises: MetalError ``database`` for a newer one, and for one that is not ours."""
    with database.read() as connection:
        version = schema_version(connection)
    if version is None:
        raise MetalError(
            ErrorCode.DATABASE, f"{database.url} is a database, but none of ours: it has no schema version"
        )
    if version > SCHEMA_VERSION:
        raise MetalError(
            ErrorCode.DATABASE,
            f"the node database {database.url} has schema version {version}, this collection knows {SCHEMA_VERSION}; "
            "update the collection on this machine",
        )
    if version == SCHEMA_VERSION:
        return
    if keep:
        with database.write() as connection:
            _migrate(connection)
    else:
        database.first = _migrate


def _migrate(connection: sa.Connection) -> None:
    """Migrate, unless somebody else was faster."""
    version = schema_version(connection)
    if version is not None and version < SCHEMA_VERSION:
        migrate(connection, version)


def schema_version(connection: sa.Connection) -> int | None:
    """Return the version of the tables, or None if there are none of ours."""
    if not sa.inspect(connection).has_table("meta"):
        return None
    meta = tables().meta
    found = connection.execute(sa.select(meta.c.value).where(meta.c.key == "schema_version")).scalar()
    return int(found) if found and found.isdecimal() else None
