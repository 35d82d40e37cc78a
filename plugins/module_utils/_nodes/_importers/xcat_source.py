# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: xCAT's tables, read from ``tabdump`` files or from ``lsdef -z`` stanzas alike.

Nothing is mapped here. A stanza's attributes become cells of the tables that xCAT keeps them in.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ErrorCode, MetalError
from .draft import unreadable

_TABLE = re.compile(r"[a-z][a-z0-9_]*")
_ENABLED = frozenset({"", "0", "no"})
_STANZA = re.compile(r"(?P<name>\S.*?):\s*")
_ASSIGNED = re.compile(r"\s+(?P<key>[A-Za-z][\w.-]*)=(?P<value>.*)", re.DOTALL)

STANZA: dict[str, tuple[str, str]] = {
    "groups": ("nodelist", "groups"),
    "bmc": ("ipmi", "bmc"),
    "bmcport": ("ipmi", "bmcport"),
    "bmcusername": ("ipmi", "username"),
    "bmcpassword": ("ipmi", "password"),
    "mgt": ("nodehm", "mgt"),
    "mac": ("mac", "mac"),
    "ip": ("hosts", "ip"),
    "hostnames": ("hosts", "hostnames"),
    "serial": ("vpd", "serial"),
    "mtm": ("vpd", "mtm"),
    "uuid": ("vpd", "uuid"),
    "rack": ("nodepos", "rack"),
    "unit": ("nodepos", "u"),
    "chassis": ("nodepos", "chassis"),
    "slot": ("nodepos", "slot"),
    "room": ("nodepos", "room"),
}
"""Attribute of lsdef to the table and column that hold it; all others are kept as of table ``node``."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: of ``owner`` (a node's or group's name), in ``table`` and ``column``; ``place`` is for messages."""

    owner: str
    table: str
    column: str
    value: str
    place: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table that is not about nodes."""

    values: dict[str, str]
    place: str


@dataclass(slots=True)
class Source:
    """What a dump holds.

    ``nodes``: name to its groups; ``places``: node to where it is defined; ``groups``: groups that are defined as such,
    to where; ``tables``: those not about nodes; ``left``: (name, source, reason) of what is left out already.
    """

    nodes: dict[str, list[str]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    tables: dict[str, list[Row]] = field(default_factory=dict)
    left: list[tuple[str, str, str]] = field(default_factory=list)

    def add_node(self, name: str, groups: str, place: str) -> None:
        """Add a node. Raises: MetalError ``conflict`` if there is one of this name."""
        if name in self.nodes:
            raise MetalError(ErrorCode.CONFLICT, f"{place}: node {name!r} is at {self.places[name]} already")
        self.places[name] = place
        self.nodes[name] = list(dict.fromkeys(group for group in re.split(r"[,\s]+", groups) if group))


def read_source(path: Path) -> Source:
    """Read a directory of TABLE.csv files, or a file of stanzas. Raises: MetalError with file and line."""
    return _read_tables(path) if path.is_dir() else _read_stanzas(path)


def _read_tables(path: Path) -> Source:
    files = {file.stem: file for file in sorted(path.glob("*.csv")) if _TABLE.fullmatch(file.stem)}
    if "nodelist" not in files:
        raise MetalError(
            ErrorCode.MISSING,
            f"{path} has no nodelist.csv; write each table to a file of its own, as tabdump nodelist > nodelist.csv does",
        )
    source = Source()
    for name in ("nodelist", *(name for name in files if name != "nodelist")):
        _read_table(files[name], name, source)
    return source


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader, number = csv.reader(file, strict=True), 1
        for cells in reader:
            yield number, cells
            number = reader.line_num + 1


def _read_table(path: Path, table: str, source: Source) -> None:
    try:
        lines = list(_lines(path))
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise unreadable(path, "a table of tabdump", exc) from exc
    if not lines or not lines[0][1] or not lines[0][1][0].startswith("#"):
        raise MetalError(ErrorCode.INVALID, f"{path}: line 1 must name the columns, as in #node,groups,status")
    columns = [cell.strip().lstrip("#") for cell in lines[0][1]]
    for column in columns:
        if columns.count(column) > 1:
            raise MetalError(ErrorCode.CONFLICT, f"{path}: line 1: column {column!r} appears twice")
    seen: dict[str, int] = {}
    for number, cells in lines[1:]:
        if not any(cells) or cells[0].startswith("#"):
            continue
        place = f"{path.name}: line {number}"
        if len(cells) > len(columns):
            raise MetalError(ErrorCode.INVALID, f"{path}: line {number}: {len(cells)} cells for {len(columns)} columns")
        values = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if cell.strip()}
        if values.pop("disable", "").lower() not in _ENABLED:
            source.left.append((values.get(columns[0], table), place, "the row is disabled in xCAT"))
        elif columns[0] == "node":
            _add_row(source, table, values, place, seen)
        else:
            source.tables.setdefault(table, []).append(Row(values, place))


def _add_row(source: Source, table: str, values: dict[str, str], place: str, seen: dict[str, int]) -> None:
    """Add the cells of one row; the second row of a node is kept as of a table TABLE_2."""
    owner = values.pop("node", "")
    if not owner:
        source.left.append((table, place, "the row names no node"))
        return
    if table == "nodelist":
        source.add_node(owner, values.pop("groups", ""), place)
    seen[owner] = seen.get(owner, 0) + 1
    called = table if seen[owner] == 1 else f"{table}_{seen[owner]}"
    source.cells.extend(Cell(owner, called, column, value, f"{place}: {column}") for column, value in values.items())


def _read_stanzas(path: Path) -> Source:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise unreadable(path, "stanzas of lsdef -z", exc) from exc
    source = Source()
    for name, line, values in _stanzas(path, text):
        _add_stanza(source, path, name, values, line)
    if not source.places and not source.tables and not source.left:
        raise MetalError(ErrorCode.INVALID, f"{path} holds no stanza; write one as lsdef -z does")
    return source


def _stanzas(path: Path, text: str) -> Iterator[tuple[str, int, dict[str, str]]]:
    """Yield the name, the line and the attributes of each stanza."""
    name, begin, values = "", 0, dict[str, str]()
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        head = _STANZA.fullmatch(line.rstrip())
        assigned = None if head else _ASSIGNED.fullmatch(line.rstrip())
        if head:
            if name:
                yield name, begin, values
            name, begin, values = head["name"], number, {}
        elif assigned and name:
            values[assigned["key"]] = assigned["value"].strip()
        else:
            raise MetalError(
                ErrorCode.INVALID,
                f"{path}: line {number} is not part of a stanza: write NAME: and below it, indented, ATTRIBUTE=VALUE",
            )
    if name:
        yield name, begin, values


def _add_stanza(source: Source, path: Path, name: str, values: dict[str, str], line: int) -> None:
    place = f"{path.name}: line {line}"
    kind = values.pop("objtype", "")
    given = {key: value for key, value in values.items() if value}
    if kind in ("node", "group"):
        if kind == "node":
            source.add_node(name, given.pop("groups", ""), place)
        else:
            _add_group(source, name, given, place)
        for key, value in given.items():
            table, column = STANZA.get(key, ("node", key))
            source.cells.append(Cell(name, table, column, value, f"{place}: {key}"))
    elif kind == "network":
        source.tables.setdefault("networks", []).append(Row({"netname": name, **given}, place))
    elif kind:
        source.left.append((name, place, f"an object of type {kind} is not about nodes"))
    else:
        raise MetalError(ErrorCode.INVALID, f"{path}: line {line} ({name}): there is no objtype=")


def _add_group(source: Source, name: str, given: dict[str, str], place: str) -> None:
    """Add a group; who its members are, the nodes say."""
    given.pop("members", None)
    if given.pop("grouptype", "static") == "dynamic" or "wherevals" in given:
        source.left.append((name, place, DYNAMIC))
        given.clear()
        return
    source.groups[name] = place


DYNAMIC = "a dynamic group: write its condition as a noderange, such as location.rack==r1, where the group was named"
