# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: whose turn it is among those who wait for a SQLite database: first come, first served.

Who waits locks one byte of an empty file beside the database: the byte whose number is the time at which it came. It is
its turn when no byte before that is locked. The locks are those of Linux on open files (F_OFD_SETLK in fcntl(2)): they
end with the process, whatever ends it, and hold between threads too. Nothing depends on them but who is first: where
they cannot be had, or somebody in front sleeps, everybody tries at once, and SQLite's own lock lets one in.
"""

from __future__ import annotations

import fcntl
import os
import random
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SET = getattr(fcntl, "F_OFD_SETLK", None)
GET = getattr(fcntl, "F_OFD_GETLK", None)
LONGEST_PAUSE_SECONDS = 0.012
"""Between two looks; the next one in the queue is then up before a short transaction ends."""
_FLOCK = "hhqqi4x"
"""The C type ``struct flock``: kind, from where, first byte, bytes, process."""


@contextmanager
def turn(beside: Path, seconds: float) -> Iterator[None]:
    """Wait for our turn at the file ``beside``, for at most ``seconds``, and keep it while the block runs."""
    handle = _queue(beside)
    if handle is None:
        yield
        return
    try:
        _wait(handle, time.monotonic() + seconds)
        yield
    finally:
        os.close(handle)


def _queue(beside: Path) -> int | None:
    """Open the file of the queue, made with the rights of the file that it is for; None if that cannot be."""
    if SET is None or GET is None:
        return None
    path = f"{beside}-queue"
    try:
        owner = beside.stat()
        try:
            return os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.fchmod(handle, owner.st_mode & 0o777)
        if os.geteuid() == 0:
            os.fchown(handle, owner.st_uid, owner.st_gid)
        return handle
    except OSError:
        return None


def _wait(handle: int, deadline: float) -> None:
    try:
        ours = _take(handle)
        while _somebody_before(handle, ours) and time.monotonic() < deadline:
            time.sleep(random.uniform(LONGEST_PAUSE_SECONDS / 6, LONGEST_PAUSE_SECONDS))
    except OSError:  # a file system without such locks
        return


def _take(handle: int) -> int:
    """Lock the byte of this moment, or the next that is free, and return its number."""
    ours = time.monotonic_ns()  # the same clock for all processes
    while True:
        try:
            fcntl.fcntl(handle, SET or 0, struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, ours, 1, 0))
            return ours
        except (BlockingIOError, PermissionError):
            ours += 1


def _somebody_before(handle: int, ours: int) -> bool:
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, ours, 0)
    found: int = struct.unpack(_FLOCK, fcntl.fcntl(handle, GET or 0, asked))[0]
    return found != fcntl.F_UNLCK
