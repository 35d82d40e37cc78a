# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what every kind of database has to offer: sqlite.py and postgresql.py do.

Writers are one at a time on all of them, so that a transaction that reads, decides and writes needs no other care.
Readers see one state of the data, and wait for nobody.
"""

from __future__ import annotations

import json
import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from .errors import ErrorCode, MetalError
from .libraries import lazy

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

Install = Callable[["sa.Connection"], None]
"""Makes all tables, in a transaction that is open."""

to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
"""JSON in the one form in which the database holds it, so that equal values are equal text."""


def hand_over(path: Path) -> None:
    """Give a file that root made to the owner of its folder: the hub runs as that user. SQLite does so with its own files."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def first_error(exc: Exception) -> Exception:
    """Return the error that came first: after it, undoing half of a transaction fails too."""
    found, inner = exc, exc.__context__
    while inner is not None:
        if isinstance(inner, sa.exc.SQLAlchemyError):
            found = inner
        inner = inner.__context__
    return found


def cause_of(exc: Exception) -> str:
    """Return what the database said, in one line."""
    return " ".join(str(getattr(exc, "orig", None) or exc).split())


def settle_folder(folder: Path) -> None:
    """Have the names in ``folder`` written to disk, so that a file renamed there is found after a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Backend(ABC):
    """A kind of database, at one place. ``url`` names it for people, without password; ``advice``: cause to a way out."""

    kind: str
    url: str
    absent: str
    """The sentence that says that there is none."""
    engine: sa.Engine
    advice: tuple[tuple[str, str], ...]
    lock_wait_seconds: ClassVar[float] = 60.0
    """How long a writer waits for others before it gives up."""
    codes: ClassVar[Mapping[str | None, str]] = {}
    """As ``advice``, by SQLSTATE."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is something to open."""

    @abstractmethod
    def make(self, install: Install) -> None:
        """Make it, or take what somebody else has made in the meantime."""

    def files(self) -> list[Path]:
        """The files that it consists of on this machine, there or not."""
        return []

    @abstractmethod
    def begin_read(self, connection: sa.Connection) -> None:
        """Begin a transaction that sees one state."""

    @abstractmethod
    def begin_write(self, connection: sa.Connection) -> None:
        """Begin a transaction when no other writes, within lock_wait_seconds."""

    @abstractmethod
    def product(self, connection: sa.Connection) -> str:
        """Name and version of the program behind it."""

    @abstractmethod
    def size(self, connection: sa.Connection) -> int:
        """Bytes that it takes on disk."""

    @abstractmethod
    def problems(self, connection: sa.Connection) -> list[str]:
        """What the database's own check of its structure finds."""

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
        exc = first_error(exc)
        cause = cause_of(exc)
        known = self.codes.get(getattr(getattr(exc, "orig", None), "sqlstate", None))
        if known is not None:
            return f"the node database {self.url} {known.format(cause=cause)}"
        for sign, advice in self.advice:
            if sign in cause:
                return f"the node database {self.url} {advice.format(cause=cause)}"
        if getattr(exc, "connection_invalidated", False):
            return f"the connection to the node database {self.url} broke off, and what was not yet committed is undone: {cause}"
        return f"the node database {self.url} refused: {cause}"


BUSY = f"is busy: others have been writing for {Backend.lock_wait_seconds:.0f} seconds; try again ({{cause}})"
FULL = "has no space left on its disk; nothing of this change is kept ({cause})"
DAMAGED = "is damaged; move it away with its -wal and -shm files, and restore a backup ({cause})"
