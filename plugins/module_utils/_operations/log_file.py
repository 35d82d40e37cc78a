# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the files in which event logs are kept: one a node, a line of JSON an entry.

An entry stands in it once. When the BMC's log is cleared the file gets a line that says so: record numbers begin anew
then, and an entry that looks like an earlier one is another. Nothing is ever taken out of it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .._drivers.sensing import LogEntry
from .._nodes import files
from .._nodes.backend import settle_folder
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.events import written

ENDING = ".jsonl"
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file holds: how many entries in all; the ``raw`` ones since the log was last cleared, in their order."""

    entries: int
    raw: tuple[str, ...]
    timed: bool
    """Whether the last entry has a time, so that it can be told from any other."""


def check_folder(folder: Path, what: str = "event logs") -> None:
    """Raises: MetalError ``missing`` or ``invalid`` unless files can be made in ``folder``."""
    if not folder.is_dir():
        raise MetalError(ErrorCode.MISSING, f"there is no folder {folder} to save {what} in; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise MetalError(ErrorCode.INVALID, f"{what} cannot be saved in {folder}: this user cannot write there")


def path_of(folder: Path, node: str) -> Path:
    """Return the file of ``node``."""
    return folder / f"{node}{ENDING}"


def read(path: Path) -> Kept:
    """Return what is kept. Raises: MetalError ``invalid`` that names file and line if that is something else."""
    return _kept(path, files.current(path))


def _kept(path: Path, text: str | None) -> Kept:
    if text is None:
        raise MetalError(ErrorCode.INVALID, f"{path} is no file of an event log: it is no text; name another folder")
    entries, raw, timed = 0, list[str](), False
    for number, line in enumerate(text.splitlines(), 1):
        found = _line(path, number, line)
        if "cleared" in found:
            raw.clear()
        else:
            entries += 1
            raw.append(found["raw"])
            timed = found.get("time") is not None
    return Kept(entries, tuple(raw), timed and bool(raw))


def _line(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not ("cleared" in found or isinstance(found.get("raw"), str)):
        raise MetalError(
            ErrorCode.INVALID, f"{path} is no file of an event log: line {number} is no entry; name another folder"
        )
    return found


def new_entries(kept: Kept, found: Sequence[LogEntry]) -> list[LogEntry]:
    """Return the entries that are not kept yet."""
    known = set(kept.raw)
    return [entry for entry in found if entry.raw not in known]


def add(path: Path, found: Sequence[LogEntry]) -> list[LogEntry]:
    """Put what is not kept yet into the file, and return it once it is safely there. Raises: MetalError."""
    if not new_entries(read(path), found):
        return []
    with _alone(path):
        new = new_entries(read(path), found)
        if new:
            saved = written(time.time())
            _append(path, [{**asdict(entry), "saved": saved} for entry in new])
    return new


def note_cleared(path: Path, entries: int) -> None:
    """Say in the file that the BMC's log was cleared after all that stands before. Raises: MetalError."""
    with _alone(path):
        _append(path, [{"cleared": written(time.time()), "entries": entries}])


def _append(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Write the file anew with ``lines`` at its end, under another name; rename it; read it back."""
    before = files.current(path) or ""
    text = before + "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    files.replace(path, text)
    try:
        settle_folder(path.parent)
    except OSError as exc:
        raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be written: {exc.strerror}") from exc
    if files.current(path) != text:
        raise MetalError(ErrorCode.CONFLICT, f"{path} is not what was just written to it; who else writes there?")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Be the only one who changes the file. It is replaced each time, so what is locked has to be what is there then."""
    for _turn in range(_TRIES):
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as exc:
            raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be written: {exc.strerror}") from exc
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
                yield
                return
        except OSError as exc:
            raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be locked: {exc.strerror}") from exc
        finally:
            os.close(handle)
    raise MetalError(ErrorCode.BUSY, f"the file {path} was replaced {_TRIES} times by others; try again")
