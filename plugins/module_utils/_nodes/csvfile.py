# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: nodes and groups as CSV (RFC 4180), read and written without loss.

The columns: ``name``, ``groups`` (separated by ";"), then attributes. A name that begins with ``group:`` is a group's.
An empty cell says nothing, ``{null}`` is an explicit null, ``[]`` an empty list. All else is as in the database, so
that a literal brace is doubled.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from .batch import Batch, Entry
from .errors import ErrorCode, MetalError
from .expression import is_expression
from .names import check_name
from .reading import Record
from .schema import MASK, SECRETS, UNIQUE, attribute

_NOT_ATTRIBUTES = ("name", "groups")
_GROUP = "group:"
_NULL = "{null}"
_EMPTY_LIST = "[]"


BLOCK = 2_000
"""Lines that are taken together: a column is checked as a whole, and each text in it once."""

_ABSENT = object()


@dataclass(slots=True)
class _Column:
    """A column: its ``name``, what turns a text into a value, and what became of each cell so far: most repeat."""

    name: str
    check: Callable[[str], Any]
    seen: dict[str, Any]
    wrong: bool = False
    """Whether a cell could not be right."""

    def values(self, cells: Iterable[str]) -> list[Any]:
        """Return the values of ``cells``; _ABSENT where there is none, a MetalError where it cannot be right."""
        cells = list(cells)
        for cell in set(cells).difference(self.seen):
            self.seen[cell] = self._value(cell.strip())
        seen = self.seen
        return [seen[cell] for cell in cells]

    def _value(self, text: str) -> Any:
        if text in self.seen:
            return self.seen[text]
        try:
            return self.check(text) if text else _ABSENT
        except MetalError as exc:
            self.wrong = True
            return exc


def read(path: Path) -> Batch:
    """Return what the CSV file ``path`` holds.

    Raises: MetalError with file, line and column: ``unknown`` for a column that is no attribute, ``invalid`` for a bad
    value or an unreadable file, ``conflict`` for a node or a unique value that appears twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(path, _lines(file))
    except OSError as exc:
        raise MetalError(ErrorCode.INVALID, f"the CSV file {path} cannot be read: {exc.strerror}") from exc
    except (UnicodeDecodeError, csv.Error) as exc:
        raise MetalError(ErrorCode.INVALID, f"{path} is not a CSV file in UTF-8: {exc}") from exc


def write(
    nodes: Mapping[str, Record], groups: Mapping[str, Record], _networks: Mapping[str, Mapping[str, Any]] | None = None
) -> str:
    """Return nodes and groups, in the order given, as CSV, which has no place for networks.

    Columns are sorted, so that equal data are equal text.
    """
    used = {name for record in [*groups.values(), *nodes.values()] for name in record.values}
    columns = sorted(used)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_NOT_ATTRIBUTES, *columns])
    for name, record in groups.items():
        writer.writerow([_GROUP + name, "", *_cells(record, columns)])
    for name, record in nodes.items():
        writer.writerow([name, ";".join(record.groups), *_cells(record, columns)])
    return text.getvalue()


def is_ours(text: str) -> bool:
    """Whether ``text`` begins as these files do: with a line of columns that are all known."""
    try:
        return bool(_columns(Path(), [cell.strip() for cell in next(_rows(text), [])]))
    except (MetalError, csv.Error):
        return False


def masked(text: str) -> str | None:
    """Return ``text`` with secrets masked; None if a line does not fit the columns: who knows what stands where."""
    try:
        rows = list(_rows(text))
    except csv.Error:
        return None
    heading = [cell.strip() for cell in rows[0]] if rows else []
    if any(row and len(row) != len(heading) for row in rows):
        return None
    hidden = [place for place, name in enumerate(heading) if name in SECRETS]
    if not hidden:
        return text
    for row in filter(None, rows[1:]):
        for place in hidden:
            row[place] = row[place] if row[place].strip() in ("", _NULL) else MASK
    found = io.StringIO()
    csv.writer(found, lineterminator="\n").writerows(rows)
    return found.getvalue()


def _rows(text: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)


def _cells(record: Record, columns: Iterable[str]) -> Iterator[str]:
    for column in columns:
        if column not in record.values:
            yield ""
            continue
        value = record.values[column]
        if value is None:
            yield _NULL
        elif isinstance(value, list):
            yield ";".join(map(str, value)) if value else _EMPTY_LIST
        else:
            yield str(value)


def _lines(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of the line on which it begins; a quoted cell may go over several."""
    reader, number = csv.reader(file, strict=True), 1
    for cells in reader:
        yield number, cells
        number = reader.line_num + 1


def _read(path: Path, lines: Iterator[tuple[int, list[str]]]) -> Batch:
    heading = next(lines, (1, []))[1]
    if not any(cell.strip() for cell in heading):
        raise MetalError(
            ErrorCode.INVALID, f"{path}: the first line must name the columns, as in name,groups,bmc.address"
        )
    columns = _columns(path, [cell.strip() for cell in heading])
    batch, seen = Batch(str(path)), _Seen(path)
    while block := list(islice(lines, BLOCK)):
        for kind, entry in _entries(path, columns, block):
            seen.check(kind, entry)
            (batch.groups if kind == "group" else batch.nodes).append(entry)
    return batch


def _columns(path: Path, names: list[str]) -> list[_Column]:
    if "name" not in names:
        raise MetalError(ErrorCode.INVALID, f"{path}: line 1: there is no column 'name'")
    columns: list[_Column] = []
    for place, name in enumerate(names):
        if name in names[:place]:
            raise MetalError(ErrorCode.CONFLICT, f"{path}: line 1: column {name!r} appears twice")
        try:
            columns.append(_column(name))
        except MetalError as exc:
            raise MetalError(exc.code, f"{path}: line 1: column {exc.message}") from None
    return columns


def _column(name: str) -> _Column:
    if name in _NOT_ATTRIBUTES:
        return _Column(name, _groups if name == "groups" else _name, {})
    found = attribute(name)
    return _Column(name, found.check, {_NULL: None, _EMPTY_LIST: []} if found.is_list else {_NULL: None})


def _entries(path: Path, columns: list[_Column], block: list[tuple[int, list[str]]]) -> Iterator[tuple[str, Entry]]:
    """Yield what each line of ``block`` says, with its kind. Raises: MetalError for the first line that is wrong."""
    width, names = len(columns), [column.name for column in columns]
    full = [cells if len(cells) == width else (cells + [""] * width)[:width] for _number, cells in block]
    table = [column.values(cells) for column, cells in zip(columns, zip(*full, strict=True), strict=True)]
    wrong = any(column.wrong for column in columns)
    for (number, cells), row in zip(block, zip(*table, strict=True), strict=True):
        place = f"{path}: line {number}"
        if len(cells) > width and any(map(str.strip, cells)):
            raise MetalError(ErrorCode.INVALID, f"{place}: {len(cells)} cells for {width} columns")
        if wrong:
            _check_row(place, dict(zip(names, cells, strict=False)).get("name", ""), row)
        values = {name: value for name, value in zip(names, row, strict=True) if value is not _ABSENT}
        if not values:
            continue
        kind, name = values.pop("name", ("", ""))
        if not name:
            raise MetalError(ErrorCode.INVALID, f"{place}: column 'name' is empty")
        yield kind, Entry(f"line {number}", name, values.pop("groups", None), values)


def _check_row(place: str, name: str, row: Iterable[Any]) -> None:
    for value in row:
        if isinstance(value, MetalError):
            label = name.strip()
            label = label if label.isprintable() and len(label) < 100 else repr(label[:100])
            raise MetalError(value.code, f"{place} ({label}): {value.message}")


def _name(cell: str) -> tuple[str, str]:
    """Return the kind and the name of what a line is about."""
    if cell.startswith(_GROUP):
        return "group", check_name(cell.removeprefix(_GROUP), "group")
    return "node", check_name(cell)


def _groups(cell: str) -> list[str]:
    return [check_name(one, "group") for one in re.split(r"[;\s]+", cell) if one]


class _Seen:
    """What earlier lines hold that no other may."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[tuple[str, Any], str] = {}

    def check(self, kind: str, entry: Entry) -> None:
        """Raise MetalError ``conflict`` if an earlier line has what this one has."""
        keys = [(kind, entry.name)]
        if kind == "node":
            values = ((key, entry.values.get(key)) for key in UNIQUE)
            keys += [(key, value) for key, value in values if value is not None and not is_expression(value)]
        for key in keys:
            first = self._lines.setdefault(key, entry.place)
            if first is not entry.place:
                what = f"{kind} {entry.name}" if key[0] == kind else f"{key[0]} {key[1]}"
                raise MetalError(
                    ErrorCode.CONFLICT, f"{self._path}: {entry.place} ({entry.name}): {what} is on {first} already"
                )
