# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the node database on a PostgreSQL server, by psycopg 3.

A write locks a table first and holds the lock until its transaction ends; each of its statements sees all that is
committed, and nobody else commits meanwhile. A read sees the state at its first statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from .backend import BUSY, FULL, Backend, Install, to_json
from .errors import ErrorCode, MetalError
from .libraries import lazy, require

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

CONNECT_SECONDS = 10
"""How long a server may take to answer; an option connect_timeout in the URL overrules it."""
ADVISORY_LOCK = 0x73746167653000
"""The key of the lock of those who make the tables among a PostgreSQL database's advisory locks: "stage0" in ASCII."""


class PostgresqlBackend(Backend):
    """A database of a server, by psycopg 3; its tables lie in the first schema of the user's search path."""

    kind = "postgresql"
    codes: ClassVar[Mapping[str | None, str]] = {
        "25006": "cannot be written; is the server a standby? ({cause})",
        "42501": "does not let this user do that; see the owner of the database ({cause})",
        "53100": FULL,
        "55P03": BUSY,
    }
    # When a connection is refused, psycopg has no SQLSTATE.
    advice = (
        ("password authentication failed", "refused user or password; see the URL and ~/.pgpass ({cause})"),
        ("no password supplied", "asks for a password; write one into the URL or ~/.pgpass ({cause})"),
        ("does not exist", "is not there for this user; createdb makes a database, createuser a user ({cause})"),
        ("failed to resolve host", "cannot be found; is the name of its host right? ({cause})"),
        ("connection to server", "cannot be reached; does it run, and are host and port right? ({cause})"),
        ("connection timeout expired", "does not answer; are host and port right? ({cause})"),
        (
            "Multiple connection attempts failed",
            "cannot be reached; does it run, and are host and port right? ({cause})",
        ),
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
            self._begin(connection, f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")  # there is no table yet
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
        """Each statement sees what is committed, and nobody but us commits while we hold the lock.

        Who waits in LOCK TABLE holds no snapshot, as one does who waits for an advisory lock in a SELECT: rows that
        are dead are cleared away while fifty wait. The server lets them in as they came. Reading goes on meanwhile.
        """
        self._begin(connection, "LOCK TABLE meta IN EXCLUSIVE MODE")

    def _begin(self, connection: sa.Connection, lock: str) -> None:
        connection.execution_options(isolation_level="READ COMMITTED", postgresql_readonly=False)
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(self.lock_wait_seconds * 1000)}; {lock}")

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


def _parse(url: str) -> sa.URL:
    """Raises: MetalError ``invalid``. The URL may hold a password, so that no message shows it."""
    try:
        place = sa.engine.make_url(url)
        (place.host or "").encode("idna")  # which psycopg does later, with an error of another kind
        if "@" in (place.host or ""):  # a part of the password would pass for one of the host, and be shown
            raise ValueError
    except (sa.exc.ArgumentError, ValueError):
        raise MetalError(
            ErrorCode.INVALID,
            "the database URL cannot be read; write postgresql://USER:PASSWORD@HOST:PORT/NAME, "
            "with other characters than letters and digits of the password percent-encoded",
        ) from None
    if any("password" in name.lower() for name in place.query):
        raise MetalError(
            ErrorCode.INVALID,
            "a password does not belong behind the ? of a database URL; write USER:PASSWORD@HOST, and give the key of a "
            "client's certificate (sslkey) none",
        )
    return place
