# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: CSV files of nodes (RFC 4180, UTF-8, first line names the columns).

Columns: ``name`` (required), ``groups`` (several separated by ';' or blanks) and attribute names. An empty cell
says nothing about its attribute. The whole file is checked before any of it is used.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from .errors import ErrorCode, MetalError
from .names import check_name
from .schema import attribute

_NOT_ATTRIBUTES = ("name", "groups")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the ``line`` number in the file, the node's ``name``, its ``groups`` (None: no such cell), its values."""

    line: int
    name: str
    groups: list[str] | None
    values: dict[str, Any]


def read(path: Path) -> list[Row]:
    """Return the rows of the CSV file ``path``.

    Raises: MetalError with file, line and column: ``unknown`` for a column that is no attribute, ``invalid`` for a bad
    value or an unreadable file, ``conflict`` for a node or a unique value that appears twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(_lines(file))
    except OSError as exc:
        raise MetalError(ErrorCode.INVALID, f"the CSV file {path} cannot be read: {exc.strerror}") from exc
    except (UnicodeDecodeError, csv.Error) as exc:
        raise MetalError(ErrorCode.INVALID, f"{path} is not a CSV file in UTF-8: {exc}") from exc
    if not lines or not any(cell.strip() for cell in lines[0][1]):
        raise MetalError(
            ErrorCode.INVALID, f"{path}: the first line must name the columns, as in name,groups,bmc.address"
        )
    columns = _columns(path, [cell.strip() for cell in lines[0][1]])
    rows = [_row(path, number, columns, cells) for number, cells in lines[1:] if any(c.strip() for c in cells)]
    _check_twice(path, rows)
    return rows


def _lines(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of the line on which it begins; a quoted cell may go over several."""
    reader, number = csv.reader(file, strict=True), 1
    for cells in reader:
        yield number, cells
        number = reader.line_num + 1


def _columns(path: Path, columns: list[str]) -> list[str]:
    if "name" not in columns:
        raise MetalError(ErrorCode.INVALID, f"{path}: line 1: there is no column 'name'")
    for column in columns:
        if columns.count(column) > 1:
            raise MetalError(ErrorCode.CONFLICT, f"{path}: line 1: column {column!r} appears twice")
        if column in _NOT_ATTRIBUTES:
            continue
        try:
            attribute(column)
        except MetalError as exc:
            raise MetalError(exc.code, f"{path}: line 1: column {exc.message}") from None
    return columns


def _row(path: Path, number: int, columns: list[str], cells: list[str]) -> Row:
    if len(cells) > len(columns):
        raise MetalError(ErrorCode.INVALID, f"{path}: line {number}: {len(cells)} cells for {len(columns)} columns")
    given = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if cell.strip()}
    if "name" not in given:
        raise MetalError(ErrorCode.INVALID, f"{path}: line {number}: column 'name' is empty")
    try:
        name = check_name(given["name"])
        groups = (
            [check_name(group, "group") for group in re.split(r"[;\s]+", given["groups"])]
            if "groups" in given
            else None
        )
        values = {key: attribute(key).check(value) for key, value in given.items() if key not in _NOT_ATTRIBUTES}
    except MetalError as exc:
        raise MetalError(exc.code, f"{path}: line {number} ({given['name']}): {exc.message}") from None
    return Row(number, name, groups, values)


def _check_twice(path: Path, rows: list[Row]) -> None:
    seen: dict[tuple[str, Any], Row] = {}
    for row in rows:
        keys = [("name", row.name)] + [(key, value) for key, value in row.values.items() if attribute(key).unique]
        for key in keys:
            first = seen.setdefault(key, row)
            if first is not row:
                what = f"node {row.name}" if key[0] == "name" else f"{key[0]} {key[1]}"
                raise MetalError(
                    ErrorCode.CONFLICT, f"{path}: line {row.line} ({row.name}): {what} is on line {first.line} already"
                )
