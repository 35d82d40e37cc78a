# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: opening the node database: where it lies, its version, its transactions.

SQLite in WAL mode with one immediate transaction a write, so that writers of many processes wait for each other
in place of failing (https://www.sqlite.org/lang_transaction.html). PostgreSQL is not opened yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .errors import ErrorCode, MetalError
from .libraries import lazy
from .tables import SCHEMA_VERSION, tables

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

SQLITE = "sqlite:///"
Missing = Literal["make", "refuse", "memory"]
LOCK_WAIT_SECONDS = 30
"""How long a writer waits for another before it gives up."""


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


def hand_over(path: Path) -> None:
    """Give a file that root made to the owner of its folder: the hub runs as that user. SQLite does so with its own files."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


class Database:
    """An open node database."""

    def __init__(self, engine: sa.Engine, url: str) -> None:
        self.engine = engine
        self.url = url

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view of the data. Raises: MetalError ``database``."""
        with _translated(), self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def write(self, *, keep: bool = True) -> Iterator[sa.Connection]:
        """One transaction, rolled back if the block raises or if ``keep`` is false (check mode).

        Raises: MetalError ``database``.
        """
        with _translated(), self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            if keep:
                connection.commit()
            else:
                connection.rollback()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sa.exc.SQLAlchemyError as exc:
        cause = getattr(exc, "orig", None) or exc
        raise MetalError(ErrorCode.DATABASE, f"the node database refused: {cause}") from exc


def open_database(url: str | None = None, *, missing: Missing = "make") -> Database:
    """Open the database at ``url`` (default: default_url()), migrating its tables if it is older than this program.

    ``missing``: what to do if there is none: ``make`` it, ``refuse``, or take an empty one in ``memory`` (check mode).
    Raises: MetalError ``database`` if it cannot be opened, or is newer than this program; ``invalid`` for
    a URL of another kind.
    """
    url = url or default_url()
    if not url.startswith(SQLITE):
        scheme = url.split(":", 1)[0]
        raise MetalError(ErrorCode.INVALID, f"a database URL of kind {scheme!r} is not supported; write sqlite:///PATH")
    path = Path(url[len(SQLITE) :]).expanduser()
    settings: dict[str, Any] = {"connect_args": {"timeout": LOCK_WAIT_SECONDS, "check_same_thread": False}}
    if missing == "make":
        _make(path)
    elif not path.exists():
        if missing == "refuse":
            raise MetalError(
                ErrorCode.DATABASE, f"there is no node database {path}; see STAGE0_HOME and STAGE0_DATABASE"
            )
        settings["poolclass"] = sa.pool.StaticPool  # one connection, since each would have a memory of its own
    place = SQLITE if "poolclass" in settings else f"{SQLITE}{path}"
    engine = sa.create_engine(place, **settings)
    sa.event.listen(engine, "connect", _sqlite_settings)
    database = Database(engine, url)
    _migrate(database)
    return database


def _make(path: Path) -> None:
    """Make an empty file, if there is none, with rights that SQLite would not give it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o660))
            hand_over(path)
    except OSError as exc:
        raise MetalError(ErrorCode.DATABASE, f"the node database {path} cannot be made: {exc.strerror}") from exc


def _sqlite_settings(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver's own is too late for reads
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={LOCK_WAIT_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _migrate(database: Database) -> None:
    with database.read() as connection:
        if _version(connection) == SCHEMA_VERSION:
            return
    with database.write() as connection:
        version = _version(connection)
        if version > SCHEMA_VERSION:
            raise MetalError(
                ErrorCode.DATABASE,
                f"the node database {database.url} has schema version {version}, this collection knows {SCHEMA_VERSION}; "
                "update the collection on this machine",
            )
        if version == 0:
            tables().metadata.create_all(connection)
            connection.execute(tables().meta.insert().values(key="schema_version", value=str(SCHEMA_VERSION)))


def _version(connection: sa.Connection) -> int:
    if not sa.inspect(connection).has_table("meta"):
        return 0
    meta = tables().meta
    found = connection.execute(sa.select(meta.c.value).where(meta.c.key == "schema_version")).scalar()
    return int(found or 0)
