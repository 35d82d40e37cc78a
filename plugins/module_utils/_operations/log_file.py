# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the files in which event logs are kept: one a node, a line of JSON an entry.

An entry stands in it once. When the BMC's log is cleared the file gets a line that says so: record numbers begin anew
then, and an entry that looks like an earlier one is another. Nothing is ever taken out of it. What consoles say is
kept in files of bytes, with the same lock.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import stat
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from .._drivers.sensing import LogEntry
from .._nodes import files
from .._nodes.backend import settle_folder
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.events import written

ENDING = ".jsonl"
LOCK_PAUSE = 0.1
"""Seconds between two tries to lock a file."""

T = TypeVar("T")


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
    _check_regular(path)
    return _kept(path, files.current(path))


_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (lambda mode: not stat.S_ISREG(mode), "no regular file"),
)


def _check_regular(path: Path, kind: str = "an event log") -> None:
    """Raises: MetalError ``invalid`` for what is no regular file: a pipe would never end, a link leads anywhere."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as exc:
        raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be read: {exc.strerror}") from exc
    what = next((told for test, told in _KINDS if test(mode)), None)
    if what is not None:
        raise MetalError(ErrorCode.INVALID, f"{path} is no file of {kind}: it is {what}; name another folder")


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


class LogFile:
    """A node's file. Nobody else changes it between alone() and close(): the lock goes along when it is replaced."""

    def __init__(self, path: Path, handle: int | None = None, *, made: bool = False) -> None:
        self._path, self._handle, self._made = path, handle, made

    @classmethod
    def locked(cls, path: Path, kind: str = "an event log") -> LogFile | None:
        """Return the file for ourselves alone, made if it is not there; None if somebody else has it. Raises: MetalError."""
        _check_regular(path, kind)
        made, flags = False, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            try:
                handle = os.open(path, flags)
            except FileNotFoundError:
                handle, made = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o640), True
        except FileExistsError:
            return None
        except OSError as exc:
            raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be written: {exc.strerror}") from exc
        if _lock(path, handle):
            return cls(path, handle, made=made)
        os.close(handle)
        return None

    def read(self) -> Kept:
        """See read()."""
        return read(self._path)

    def add(self, found: Sequence[LogEntry]) -> list[LogEntry]:
        """Put what is not kept yet into the file, and return it once it is safely there. Raises: MetalError."""
        new = new_entries(self.read(), found)
        if new:
            saved = written(time.time())
            self._append([{**asdict(entry), "saved": saved} for entry in new])
        return new

    def note_cleared(self, entries: int) -> None:
        """Say in the file that the BMC's log was cleared after all that stands before. Raises: MetalError."""
        self._append([{"cleared": written(time.time()), "entries": entries}])

    def add_bytes(self, data: bytes) -> int:
        """Put all of ``data`` at the end of the file, or nothing; return how many bytes stood before. Raises: MetalError."""
        if self._handle is None:
            raise MetalError(ErrorCode.INTERNAL, f"the file {self._path} is not ours to write")
        try:
            size, left = os.lseek(self._handle, 0, os.SEEK_END), memoryview(data)
            try:
                while left:
                    left = left[os.write(self._handle, left) :]
                os.fsync(self._handle)
            except OSError:
                os.ftruncate(self._handle, size)
                raise
        except OSError as exc:
            raise MetalError(ErrorCode.INVALID, f"the file {self._path} cannot be written: {exc.strerror}") from exc
        return size

    def close(self) -> None:
        """Let others have it. An empty file that was made to be locked goes."""
        if self._handle is not None:
            if self._made and _is_at(self._path, self._handle) and not os.fstat(self._handle).st_size:
                with suppress(OSError):
                    os.unlink(self._path)
            os.close(self._handle)
            self._handle = None

    def _append(self, lines: Sequence[dict[str, Any]]) -> None:
        """Write the file anew with ``lines`` at its end, under another name; rename it; read it back."""
        before = files.current(self._path) or ""
        text = before + "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        locked: list[int] = []
        try:
            files.replace(self._path, text, ready=lambda handle: locked.append(_locked_copy(handle)))
            settle_folder(self._path.parent)
        except OSError as exc:
            raise MetalError(ErrorCode.INVALID, f"the file {self._path} cannot be written: {exc.strerror}") from exc
        finally:
            self._take(locked)
        if files.current(self._path) != text:
            raise MetalError(
                ErrorCode.CONFLICT, f"{self._path} is not what was just written to it; who else writes there?"
            )

    def _take(self, locked: list[int]) -> None:
        """Go over to the lock of the file that is at the path now."""
        for handle in locked:
            if not _is_at(self._path, handle):
                os.close(handle)
                continue
            if self._handle is not None:
                os.close(self._handle)
            self._handle, self._made = handle, False


def _lock(path: Path, handle: int) -> bool:
    """Lock a file that was opened; return whether we have it, and it is at ``path`` still: it is replaced each time."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as exc:
        os.close(handle)
        raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be locked: {exc.strerror}") from exc
    return _is_at(path, handle)


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except OSError:
        return False


def _locked_copy(handle: int) -> int:
    """Return another descriptor of a file that nobody knows yet; it holds the lock when the first one is closed."""
    copy = os.dup(handle)
    fcntl.flock(copy, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return copy


@asynccontextmanager
async def alone(path: Path, seconds: float, kind: str = "an event log") -> AsyncIterator[LogFile]:
    """Have the file, which is that of ``kind``, for ourselves, waiting ``seconds`` for it at most.

    Raises: MetalError ``busy`` if somebody else has it as long, also when a deadline ends the waiting.
    """
    end = time.monotonic() + seconds
    taken = MetalError(
        ErrorCode.BUSY, f"the file {path} is locked by somebody else; does another task save this node's log?"
    )
    while (file := LogFile.locked(path, kind)) is None:
        if time.monotonic() >= end:
            raise taken
        try:
            await asyncio.sleep(LOCK_PAUSE)
        except asyncio.CancelledError:
            raise taken from None
    try:
        yield file
    finally:
        file.close()


async def in_thread(call: Callable[..., T], *given: Any) -> T:
    """Do what takes the disk a while; it is done also if we are cancelled: the file is ours until then."""
    work = asyncio.ensure_future(asyncio.to_thread(call, *given))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
