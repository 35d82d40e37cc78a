# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: backups: the whole database in one file, the same from SQLite and from PostgreSQL.

A gzip file of lines of JSON: a header; for each table its rows, some hundreds a line, in the order of the primary key;
a trailer with the number of rows and the SHA-256 of each table, and the SHA-256 of all lines before it. Secrets are
in it as they are in the database, encrypted; the keys are not, only what names them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .backend import settle_folder, to_json
from .errors import ErrorCode, MetalError
from .events import written
from .libraries import lazy
from .tables import SCHEMA_VERSION, tables

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

FORMAT = "stage0.metal backup"
PAGE = 500
"""Rows in a line. Part of the format: the SHA-256 of a table depends on it."""
LONGEST_HEADER = 64 * 1024
LONGEST_LINE = 256 * 1024 * 1024
"""Bytes; a line that is longer is none of ours."""

Rows = Sequence[Sequence[Any]]

ADDED = {3: ("hardware",)}
"""Version to the tables that it added, where that is all that it changed: without their rows, a backup of the version
before is one of that version. Backups of what is older than the first of them are refused."""
OLDEST = min(ADDED) - 1
_NOTHING = hashlib.sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class Part:
    """A table: how many ``rows``, and the ``sha256`` of its lines."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup holds. ``keys``: the fingerprints of the keys with which its secrets may be encrypted."""

    created: str
    schema_version: int
    keys: list[str]
    parts: dict[str, Part]

    def same(self, parts: Mapping[str, Part], *, but: Collection[str] = ()) -> bool:
        """Whether it holds what ``parts`` says, leaving aside the tables ``but``."""
        return {name: part for name, part in self.parts.items() if name not in but} == {
            name: part for name, part in parts.items() if name not in but
        }


def scan(connection: sa.Connection, keep: Callable[[bytes], object] = lambda _line: None) -> dict[str, Part]:
    """Read all tables, hand each line of a backup to ``keep``, and return the parts."""
    parts = {}
    for table in tables().metadata.sorted_tables:
        digest, count = hashlib.sha256(), 0
        for rows in _pages(connection, table):
            line = to_json([table.name, [list(row) for row in rows]]).encode() + b"\n"
            digest.update(line)
            count += len(rows)
            keep(line)
        parts[table.name] = Part(count, digest.hexdigest())
    return parts


def _pages(connection: sa.Connection, table: sa.Table) -> Iterator[Rows]:
    """Yield the rows in the order of code points of their primary key, whatever order the server prefers."""
    plain = connection.dialect.name == "sqlite"
    order = [
        column if plain or not isinstance(column.type, sa.String) else sa.collate(column, "C")
        for column in table.primary_key
    ]
    query = sa.select(table).order_by(*order).execution_options(yield_per=PAGE)
    yield from connection.execute(query).partitions(PAGE)


def _columns(version: int = SCHEMA_VERSION) -> dict[str, list[str]]:
    later = {name for since, names in ADDED.items() if since > version for name in names}
    found = [table for table in tables().metadata.sorted_tables if table.name not in later]
    return {table.name: [column.name for column in table.columns] for table in found}


@contextmanager
def draft(connection: sa.Connection, path: Path, keys: list[str]) -> Iterator[tuple[Path, Summary]]:
    """Write a backup beside ``path`` under another name and yield it, read back and checked; it is gone afterwards.

    Raises: MetalError ``database`` if it cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    except OSError as exc:
        raise _unwritable(path, exc) from exc
    made = Path(name)
    try:
        try:
            with os.fdopen(handle, "wb") as raw:
                _write(connection, raw, keys)
        except OSError as exc:
            raise _unwritable(path, exc) from exc
        yield made, check(made)
    finally:
        made.unlink(missing_ok=True)


def put_in_place(made: Path, path: Path) -> None:
    """Give a draft its name, in one step. Raises: MetalError ``database``."""
    try:
        os.replace(made, path)
        settle_folder(path.parent)
    except OSError as exc:
        raise _unwritable(path, exc) from exc


def _write(connection: sa.Connection, raw: IO[bytes], keys: list[str]) -> None:
    digest = hashlib.sha256()
    with gzip.GzipFile("", "wb", 5, raw, mtime=0) as file:

        def keep(line: bytes) -> None:
            digest.update(line)
            file.write(line)

        header = {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            "created": written(time.time()),
            "keys": keys,
            "tables": _columns(),
        }
        keep(to_json(header).encode() + b"\n")
        parts = scan(connection, keep)
        trailer = {"parts": {name: asdict(part) for name, part in parts.items()}, "sha256": digest.hexdigest()}
        file.write(to_json(trailer).encode() + b"\n")
    raw.flush()
    os.fsync(raw.fileno())


def _unwritable(path: Path, exc: OSError) -> MetalError:
    return MetalError(ErrorCode.DATABASE, f"the backup {path} cannot be written: {exc.strerror}")


def check(path: Path, look: Callable[[sa.Table, Rows], object] = lambda _table, _rows: None) -> Summary:
    """Read a backup to its end, hand its rows to ``look``, and return what it holds.

    Raises: MetalError ``invalid`` if it is cut off, damaged, not a backup, or of another version; ``missing`` if it
    cannot be read.
    """
    try:
        with gzip.open(path, "rb") as file:
            return _read(path, file, look)
    except EOFError:
        raise _refused(path, "is cut off; take another one") from None
    except (gzip.BadGzipFile, zlib.error, ValueError, LookupError, TypeError, AttributeError, RecursionError) as exc:
        raise _refused(path, f"is damaged, or no backup ({' '.join(str(exc).split())})") from exc
    except OSError as exc:
        raise MetalError(ErrorCode.MISSING, f"the backup {path} cannot be read: {exc.strerror}") from exc


def replaceable(path: Path) -> bool:
    """Whether nobody would miss the file: it is not there, or empty, or begins as a backup does, whole or not."""
    try:
        if path.stat().st_size == 0:
            return True
        with gzip.open(path, "rb") as file:
            header = json.loads(file.readline(LONGEST_HEADER))
    except FileNotFoundError:
        return True
    except (OSError, EOFError, zlib.error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and header.get("format") == FORMAT


def _refused(path: Path, why: str) -> MetalError:
    return MetalError(ErrorCode.INVALID, f"the backup {path} {why}")


def _read(path: Path, file: gzip.GzipFile, look: Callable[[sa.Table, Rows], object]) -> Summary:
    whole = hashlib.sha256()
    line = file.readline(LONGEST_LINE)
    if not line:
        raise EOFError
    header = _header(path, json.loads(line))
    digests = {name: hashlib.sha256() for name in header["tables"]}
    counts = dict.fromkeys(digests, 0)
    while True:
        whole.update(line)
        line = file.readline(LONGEST_LINE)
        if not line:
            raise EOFError
        found = json.loads(line)
        if isinstance(found, dict):
            break
        name, rows = found
        if any(len(row) != len(header["tables"][name]) for row in rows):
            raise ValueError(f"a row of {name} has not as many values as columns")
        digests[name].update(line)
        counts[name] += len(rows)
        look(tables().metadata.tables[name], rows)
    parts = {name: Part(counts[name], digest.hexdigest()) for name, digest in digests.items()}
    whole_parts = {name: parts.get(name, Part(0, _NOTHING)) for name in _columns()}
    expected = {name: asdict(part) for name, part in parts.items()}
    if found != {"parts": expected, "sha256": whole.hexdigest()} or file.read(1):
        raise ValueError("its content is not what its end says")
    return Summary(header["created"], header["schema_version"], header["keys"], whole_parts)


def _header(path: Path, header: Any) -> dict[str, Any]:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError("it does not begin as one")
    version = int(header["schema_version"])
    if version > SCHEMA_VERSION:
        raise _refused(
            path, f"has schema version {version}, this collection knows {SCHEMA_VERSION}; update the collection here"
        )
    if version < OLDEST:
        raise _refused(
            path,
            f"has schema version {version}, this collection writes {SCHEMA_VERSION}; restore it with the release that "
            "made it, into a new database, and open that with this one",
        )
    if header["tables"] != _columns(version):
        raise ValueError("its tables are not those of its version")
    return header


def load(connection: sa.Connection, path: Path) -> Summary:
    """Put the backup in the place of all that is in the database, inside the caller's transaction. Raises: as check()."""
    for table in reversed(tables().metadata.sorted_tables):
        connection.execute(table.delete())

    def insert(table: sa.Table, rows: Rows) -> None:
        names = [column.name for column in table.columns]
        connection.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in rows])

    found = check(path, insert)
    meta = tables().meta
    connection.execute(meta.update().where(meta.c.key == "schema_version").values(value=str(SCHEMA_VERSION)))
    if connection.dialect.name == "postgresql":
        _continue_numbers(connection)
    return found


def _continue_numbers(connection: sa.Connection) -> None:
    """Have new rows numbered after those restored; SQLite does so by itself.

    A sequence is never set back: setval() outlives a rollback, and the rows that have the numbers would be there again.
    """
    for table in tables().metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            last = connection.execute(sa.select(sa.func.max(column))).scalar()
            sequence = connection.execute(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name))).scalar()
            query = sa.text("SELECT pg_sequence_last_value(CAST(:sequence AS regclass))")
            reached = connection.execute(query, {"sequence": sequence}).scalar()
            if last is not None and last > (reached or 0):
                connection.execute(sa.select(sa.func.setval(sequence, last)))
