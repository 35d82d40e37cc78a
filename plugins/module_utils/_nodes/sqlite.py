# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the node database in a file, by SQLite in WAL mode.

A write begins with BEGIN IMMEDIATE (https://www.sqlite.org/lang_transaction.html), so that it finds nothing changed
between its reading and its writing.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from .backend import BUSY, DAMAGED, FULL, Backend, Install, cause_of, first_error, hand_over, to_json
from .errors import ErrorCode, MetalError
from .libraries import lazy
from .turns import turn

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

FIRST_PAUSE_SECONDS = 0.002
LONGEST_PAUSE_SECONDS = 0.008
"""Pauses of a writer that finds the SQLite database locked: doubled each time up to the longest."""
ONLY_READABLE = (
    "can be read by this user but not written, and SQLite writes beside a file that it reads; "
    "give the user the right to write the file and its folder, or use PostgreSQL ({cause})"
)
LEAST_ROOM = 256 * 1024
"""Bytes on the disk of a SQLite database below which its errors are for want of room."""


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
        self.path = _place(url)
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
                raw: Any = connection.connection.dbapi_connection
                raw.execute("PRAGMA journal_mode=WAL")  # the file remembers it
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
                cause = cause_of(first_error(exc))
                if cause in ("disk I/O error", "unable to open database file"):
                    return f"the node database {self.url} {FULL.format(cause=cause)}"
            cause = cause_of(first_error(exc))
            denied = cause.endswith(("unable to open database file", "readonly database"))
            if denied and os.access(self.path, os.R_OK) and not os.access(self.path.parent, os.W_OK):
                return f"the node database {self.url} {ONLY_READABLE.format(cause=cause)}"
        return super().explain(exc)

    def files(self) -> list[Path]:
        """The database, and what SQLite and we put beside it."""
        return [Path(f"{self.path}{end}") for end in ("", "-wal", "-shm", "-journal", "-queue")]

    def begin_read(self, connection: sa.Connection) -> None:
        """The state at the first statement."""
        connection.exec_driver_sql("BEGIN")

    def begin_write(self, connection: sa.Connection) -> None:
        """Wait for our turn, then ask again and again, with pauses of random length.

        SQLite's own way of waiting ends in pauses of 0.1 seconds each, and knows no turns: with fifty writers of large
        changes some waited for many times as long as others.
        """
        raw: Any = connection.connection.dbapi_connection
        deadline = time.monotonic() + self.lock_wait_seconds
        pause = FIRST_PAUSE_SECONDS
        raw.execute("PRAGMA busy_timeout=0")
        try:
            with self.turn():
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

    def turn(self) -> AbstractContextManager[None]:
        """Wait for those who came before, but not so long that one of them who sleeps makes everybody fail."""
        return turn(self.path, self.lock_wait_seconds / 3)

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

    def files(self) -> list[Path]:
        """None."""
        return []

    def turn(self) -> AbstractContextManager[None]:
        """Nobody else is there."""
        return nullcontext()

    def make(self, install: Install) -> None:
        """Nobody else sees it."""
        with self.engine.connect() as connection:
            self.begin_write(connection)
            install(connection)
            connection.commit()


_BUSY_TIMEOUT = f"PRAGMA busy_timeout={int(Backend.lock_wait_seconds * 1000)}"


def _place(url: str) -> Path:
    """Return the file that the URL names. Raises: MetalError ``invalid``."""
    path = Path(url.removeprefix("sqlite:///")).expanduser()
    if "?" in url:
        raise MetalError(
            ErrorCode.INVALID, f"the database URL {url} has options behind a ?, and SQLite takes none here"
        )
    if not path.is_absolute():
        raise MetalError(
            ErrorCode.INVALID,
            f"the database URL {url} means another file in each folder; write the whole path, as in "
            "sqlite:////var/lib/stage0/metal.db (four slashes)",
        )
    return path


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
    cursor.execute("PRAGMA synchronous=FULL")  # what was reported as done is so after a loss of power
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
