# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what SQLite and PostgreSQL do differently: making, beginning, waiting, and their errors.

Writers are one at a time on both, so that a transaction that reads, decides and writes needs no other care. SQLite's
BEGIN IMMEDIATE does it (https://www.sqlite.org/lang_transaction.html); on PostgreSQL an advisory lock that is held
until the transaction ends. Readers see one state of the data on both, and wait for nobody.
"""

from __future__ import annotations

import json
import os
import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .errors import ErrorCode, MetalError
from .libraries import lazy, require

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

LOCK_WAIT_SECONDS = 30.0
"""How long a writer waits for others before it gives up."""
CONNECT_SECONDS = 10
"""How long a server may take to answer; an option connect_timeout in the URL overrules it."""
FIRST_PAUSE_SECONDS = 0.002
LONGEST_PAUSE_SECONDS = 0.05
"""Pauses of a writer that finds the SQLite database locked: doubled each time up to the longest."""
LEAST_ROOM = 256 * 1024
"""Bytes on the disk of a SQLite database below which its errors are for want of room."""
ADVISORY_LOCK = 0x73746167653000
"""The key of our lock among a PostgreSQL database's advisory locks: "stage0" in ASCII."""

Install = Callable[["sa.Connection"], None]
"""Makes all tables, in a transaction that is open."""

to_json = partial(json.dumps, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
"""JSON in the one form in which the database holds it, so that equal values are equal text."""


def hand_over(path: Path) -> None:
    """Give a file that root made to the owner of its folder: the hub runs as that user. SQLite does so with its own files."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def _first(exc: Exception) -> Exception:
    """Return the error that came first: after it, undoing half of a transaction fails too."""
    found, inner = exc, exc.__context__
    while inner is not None:
        if isinstance(inner, sa.exc.SQLAlchemyError):
            found = inner
        inner = inner.__context__
    return found


def _cause(exc: Exception) -> str:
    return " ".join(str(getattr(exc, "orig", None) or exc).split())


def settle_folder(folder: Path) -> None:
    """Have the names in ``folder`` written to disk, so that a file renamed there is found after a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Backend:
    """A kind of database, at one place. ``url`` names it for people, without password; ``advice``: cause to a way out."""

    kind: str
    url: str
    absent: str
    """The sentence that says that there is none."""
    engine: sa.Engine
    advice: tuple[tuple[str, str], ...]

    def exists(self) -> bool:
        """Whether there is something to open."""
        raise NotImplementedError

    def make(self, install: Install) -> None:
        """Make it, or take what somebody else has made in the meantime."""
        raise NotImplementedError

    def begin_read(self, connection: sa.Connection) -> None:
        """Begin a transaction that sees one state."""
        raise NotImplementedError

    def begin_write(self, connection: sa.Connection) -> None:
        """Begin a transaction when no other writes, within LOCK_WAIT_SECONDS."""
        raise NotImplementedError

    def product(self, connection: sa.Connection) -> str:
        """Name and version of the program behind it."""
        raise NotImplementedError

    def size(self, connection: sa.Connection) -> int:
        """Bytes that it takes on disk."""
        raise NotImplementedError

    def problems(self, connection: sa.Connection) -> list[str]:
        """What the database's own check of its structure finds."""
        raise NotImplementedError

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """Connect, with errors as sentences. Raises: MetalError ``database``."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except (sa.exc.SQLAlchemyError, sqlite3.Error) as exc:
            raise MetalError(ErrorCode.DATABASE, self.explain(exc)) from exc

    def explain(self, exc: Exception) -> str:
        """Return the sentence for an error of the database."""
        exc = _first(exc)
        cause = _cause(exc)
        for sign, advice in self.advice:
            if sign in cause:
                return f"the node database {self.url} {advice.format(cause=cause)}"
        if getattr(exc, "connection_invalidated", False):
            return f"the connection to the node database {self.url} broke off, and what was not yet committed is undone: {cause}"
        return f"the node database {self.url} refused: {cause}"


BUSY = f"is busy: others have been writing for {LOCK_WAIT_SECONDS:.0f} seconds; try again ({{cause}})"
FULL = "has no space left on its disk; nothing of this change is kept ({cause})"
DAMAGED = "is damaged; restore a backup of it ({cause})"


class SqliteBackend(Backend):
    """A file, in WAL mode."""

    kind = "sqlite"
    advice = (
        ("database is locked", BUSY),
        ("disk is full", FULL),
        ("file is not a database", DAMAGED),
        ("malformed", DAMAGED),
        ("readonly database", "cannot be written by this user; see the owner of the file and of its folder ({cause})"),
        ("unable to open", "cannot be opened; see the rights of the file and of its folder ({cause})"),
    )

    def __init__(self, url: str) -> None:
        self.path = Path(url.removeprefix("sqlite:///")).expanduser()
        self.url = f"sqlite:///{self.path}"
        self.absent = f"there is no node database {self.path}; see STAGE0_HOME and STAGE0_DATABASE"
        self.engine = _sqlite_engine(self.path)

    def exists(self) -> bool:
        """A file. Raises: MetalError ``database`` for one that is empty, which none of ours ever is."""
        try:
            size = self.path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as exc:
            raise MetalError(
                ErrorCode.DATABASE, f"the node database {self.path} cannot be opened: {exc.strerror}"
            ) from exc
        if size == 0:
            raise MetalError(
                ErrorCode.DATABASE,
                f"the node database {self.path} is an empty file, so it was cut off or is not ours; "
                "restore a backup, or remove the file to begin anew",
            )
        return True

    def make(self, install: Install) -> None:
        """Make it under another name, whole, and link it into place: whoever opens it sees all of it or nothing."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            draft = self.path.with_name(f".{self.path.name}.{token_hex(8)}")
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o660))  # rights that SQLite would not give it
            try:
                self._fill(draft, install)
                hand_over(draft)
                with suppress(FileExistsError):  # which a rename would overwrite
                    os.link(draft, self.path)
            finally:
                for end in ("", "-wal", "-shm"):  # the last two are left if the disk is full
                    Path(f"{draft}{end}").unlink(missing_ok=True)
        except OSError as exc:
            raise MetalError(
                ErrorCode.DATABASE, f"the node database {self.path} cannot be made: {exc.strerror}"
            ) from exc

    def _fill(self, draft: Path, install: Install) -> None:
        engine = _sqlite_engine(draft)
        try:
            with engine.connect() as connection:
                self.begin_write(connection)
                install(connection)
                connection.commit()
        except sa.exc.SQLAlchemyError as exc:
            raise MetalError(ErrorCode.DATABASE, self.explain(exc)) from exc
        finally:
            engine.dispose()  # the last connection writes the log back and removes it

    def explain(self, exc: Exception) -> str:
        """As for any, but SQLite has several words for a disk that is full: its files beside the database need room too."""
        with suppress(OSError):
            if os.statvfs(self.path.parent).f_bavail * os.statvfs(self.path.parent).f_frsize < LEAST_ROOM:
                cause = _cause(_first(exc))
                if cause in ("disk I/O error", "unable to open database file"):
                    return f"the node database {self.url} {FULL.format(cause=cause)}"
        return super().explain(exc)

    def begin_read(self, connection: sa.Connection) -> None:
        """The state at the first statement."""
        connection.exec_driver_sql("BEGIN")

    def begin_write(self, connection: sa.Connection) -> None:
        """Ask again and again, with pauses of random length.

        SQLite's own way of waiting ends in pauses of 0.1 seconds each: with fifty writers some waited for 10 seconds,
        with these pauses for 1.5. Shorter ones cost more processor time than the writing.
        """
        raw: Any = connection.connection.dbapi_connection
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        pause = FIRST_PAUSE_SECONDS
        raw.execute("PRAGMA busy_timeout=0")
        try:
            while True:
                try:
                    raw.execute("BEGIN IMMEDIATE")
                    break
                except sqlite3.OperationalError as exc:
                    if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                        raise
                time.sleep(random.uniform(pause / 10, pause))
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        finally:
            raw.execute(_BUSY_TIMEOUT)
        connection.begin()

    def product(self, connection: sa.Connection) -> str:
        """The library's version."""
        return f"SQLite {connection.exec_driver_sql('SELECT sqlite_version()').scalar()}"

    def size(self, connection: sa.Connection) -> int:
        """Pages that the file has, or will have when the log is written back."""
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
        return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar() or 0)

    def problems(self, connection: sa.Connection) -> list[str]:
        """Pages and indexes, then references between tables."""
        found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check") if row[0] != "ok"]
        for table, row, other, _key in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            found.append(f"row {row} of {table} refers to a row of {other} that is not there")
        return found


class MemoryBackend(SqliteBackend):
    """An empty one in memory, for check mode where there is none yet."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _sqlite_engine(None)

    def exists(self) -> bool:
        """Each is new."""
        return False

    def make(self, install: Install) -> None:
        """Nobody else sees it."""
        with self.engine.connect() as connection:
            self.begin_write(connection)
            install(connection)
            connection.commit()


_BUSY_TIMEOUT = f"PRAGMA busy_timeout={int(LOCK_WAIT_SECONDS * 1000)}"


def _sqlite_engine(path: Path | None) -> sa.Engine:
    """Return an engine for the file, or for a memory of its own."""
    settings: dict[str, Any] = {"connect_args": {"check_same_thread": False}, "json_serializer": to_json}
    if path is None:
        settings["poolclass"] = sa.pool.StaticPool  # one connection, since each would have a memory of its own
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path) if path else None), **settings)
    sa.event.listen(engine, "connect", _sqlite_settings)
    return engine


def _sqlite_settings(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver's own is too late for reads
    cursor = connection.cursor()
    cursor.execute(_BUSY_TIMEOUT)
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


class PostgresqlBackend(Backend):
    """A database of a server, by psycopg 3; its tables lie in the first schema of the user's search path."""

    kind = "postgresql"
    advice = (
        ("canceling statement due to lock timeout", BUSY),
        ("No space left on device", FULL),
        ("password authentication failed", "refused user or password; see the URL and ~/.pgpass ({cause})"),
        ("no password supplied", "asks for a password; write one into the URL or ~/.pgpass ({cause})"),
        ("does not exist", "is not there for this user; createdb makes a database, createuser a user ({cause})"),
        ("permission denied", "does not let this user do that; see the owner of the database ({cause})"),
        ("failed to resolve host", "cannot be found; is the name of its host right? ({cause})"),
        ("connection to server", "cannot be reached; does it run, and are host and port right? ({cause})"),
        ("connection timeout expired", "does not answer; are host and port right? ({cause})"),
        (
            "Multiple connection attempts failed",
            "cannot be reached; does it run, and are host and port right? ({cause})",
        ),
        ("read-only transaction", "cannot be written; is the server a standby? ({cause})"),
    )

    def __init__(self, url: str) -> None:
        place = _parse(url)
        require("psycopg")
        self.url = place.render_as_string(hide_password=True).replace("+psycopg", "", 1)
        self.absent = f"{self.url} holds no node database; any task that changes something makes its tables"
        given = {"connect_timeout": CONNECT_SECONDS, "application_name": "stage0.metal", **LIVELINESS}
        self.engine = sa.create_engine(
            place.set(drivername="postgresql+psycopg"),
            connect_args={name: value for name, value in given.items() if name not in place.query},
            json_serializer=to_json,
            pool_pre_ping=True,  # the hub outlives restarts of the server
            use_native_hstore=False,
        )

    def exists(self) -> bool:
        """Tables. Raises: MetalError ``database`` if the server cannot be asked."""
        with self.connect() as connection:
            return bool(sa.inspect(connection).has_table("meta"))

    def make(self, install: Install) -> None:
        """Make the tables in one transaction. Raises: MetalError ``database`` if others have tables there."""
        with self.connect() as connection:
            self.begin_write(connection)
            there = set(sa.inspect(connection).get_table_names())
            if "meta" in there:
                return
            if there:
                raise MetalError(
                    ErrorCode.DATABASE,
                    f"{self.url} holds tables of something else ({sorted(there)[0]}); "
                    "give the node database a database or a schema of its own",
                )
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
            if encoding != "UTF8":
                raise MetalError(
                    ErrorCode.DATABASE,
                    f"{self.url} has encoding {encoding}; make it with: createdb --encoding=UTF8 --template=template0",
                )
            install(connection)
            connection.commit()

    def begin_read(self, connection: sa.Connection) -> None:
        """The state at the first statement; a write in it is an error."""
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def begin_write(self, connection: sa.Connection) -> None:
        """Each statement sees what is committed, and nobody but us commits while we hold the lock."""
        connection.execution_options(isolation_level="READ COMMITTED", postgresql_readonly=False)
        connection.exec_driver_sql(
            f"SET LOCAL lock_timeout = {int(LOCK_WAIT_SECONDS * 1000)}; SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"
        )

    def product(self, connection: sa.Connection) -> str:
        """The server's version."""
        return f"PostgreSQL {connection.exec_driver_sql('SHOW server_version').scalar()}"

    def size(self, connection: sa.Connection) -> int:
        """Our tables with their indexes."""
        names = sa.inspect(connection).get_table_names()
        return sum(connection.execute(sa.select(sa.func.pg_total_relation_size(name))).scalar() or 0 for name in names)

    def problems(self, connection: sa.Connection) -> list[str]:
        """PostgreSQL has no check of its own without the extension amcheck; reading all rows is the caller's."""
        return []


LIVELINESS = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
"""Options of libpq: a server that vanished without a word is noticed within a minute or so."""


_PASSWORD = re.compile(r"[^:]+://[^:/]*:([^@]*)@")


def _parse(url: str) -> sa.URL:
    """Raises: MetalError ``invalid``. The URL may hold a password, so that no message shows it."""
    try:
        place = sa.engine.make_url(url)
        (place.host or "").encode("idna")  # which psycopg does later, with an error of another kind
    except (sa.exc.ArgumentError, ValueError):
        raise MetalError(
            ErrorCode.INVALID,
            "the database URL cannot be read; write postgresql://USER:PASSWORD@HOST:PORT/NAME, "
            "with other characters than letters and digits of the password percent-encoded",
        ) from None
    if "password" in place.query:
        raise MetalError(
            ErrorCode.INVALID, "a password does not belong behind the ? of a database URL; write USER:PASSWORD@HOST"
        )
    return place


def passwords(url: str) -> set[str]:
    """Return the password in a database URL, in each form in which a text could show it."""
    found = _PASSWORD.match(url)
    return {text for text in (found[1], unquote(found[1])) if text} if found else set()


BACKENDS: dict[str, type[SqliteBackend | PostgresqlBackend]] = {
    "sqlite": SqliteBackend,
    "postgresql": PostgresqlBackend,
    "postgresql+psycopg": PostgresqlBackend,
}
"""The scheme of a URL to what speaks to such a database."""


def backend(url: str) -> Backend:
    """Return what speaks to the database at ``url``. Raises: MetalError ``invalid``."""
    scheme, _colon, rest = url.partition(":")
    known = BACKENDS.get(scheme)
    if known is None or not rest.startswith("///" if scheme == "sqlite" else "//") or not url.isprintable():
        raise MetalError(
            ErrorCode.INVALID,
            f"a database URL of kind {scheme!r} is not supported; write sqlite:///PATH or postgresql://USER@HOST/NAME",
        )
    return known(url)
