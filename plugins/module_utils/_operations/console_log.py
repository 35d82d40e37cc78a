# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operation ``console_log``: what serial consoles say within a time. It types nothing."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .._drivers.base import Capability
from .._drivers.hearing import Recording, readable
from .._fleet.fleet import WINDOW, Done, Limits
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.view import View
from . import log_file
from .context import Context
from .hardware import Bmc, run

MOST_SECONDS = 3600
MOST_BYTES = 16 << 20
ENDING = ".log"


def console_log(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Listen to the console of every node for a time, and keep what it said, if that is wanted.

    In check mode it is not listened: the BMC has to answer and to let us in.
    """
    listening = _Listening(context, parameters)
    limits = Limits(deadline=parameters["deadline"])
    return run(
        context, parameters, Capability.CONSOLE, listening.one, limits, check=listening.count, ready=listening.check
    )


class _Listening:
    """One task."""

    def __init__(self, context: Context, parameters: Mapping[str, Any]) -> None:
        self._context, self._parameters = context, parameters
        self._folder = Path(parameters["save"]).expanduser() if parameters["save"] else None
        self._nodes = 0

    def count(self, _view: View) -> None:
        """Count the nodes."""
        self._nodes += 1

    def check(self) -> None:
        """Raises: MetalError ``invalid`` or ``missing``, before any BMC is touched."""
        seconds, most = self._parameters["seconds"], self._parameters["max_bytes"]
        if not 0 < seconds <= MOST_SECONDS:
            raise MetalError(ErrorCode.INVALID, f"seconds: {seconds:g} cannot be; write up to {MOST_SECONDS}")
        if not 1 <= most <= MOST_BYTES:
            raise MetalError(ErrorCode.INVALID, f"max_bytes: {most} cannot be; write 1 to {MOST_BYTES}")
        turns = -(-self._nodes // WINDOW)
        needed, deadline = turns * (seconds + self._parameters["timeout"]), self._parameters["deadline"]
        if needed > deadline:
            each = f", in {turns} turns for {self._nodes} nodes," if turns > 1 else ""
            raise MetalError(
                ErrorCode.INVALID,
                f"seconds: listening for {seconds:g} s and logging in within {self._parameters['timeout']:g} s{each}"
                f" takes up to {needed:g} s, more than the deadline of {deadline:g} s",
            )
        if self._folder is not None:
            log_file.check_folder(self._folder, "consoles")

    async def one(self, bmc: Bmc) -> Done:
        """Listen to one node. Raises: MetalError unless its console was opened."""
        timeout = self._parameters["timeout"]
        path = self._folder / f"{bmc.view.name}{ENDING}" if self._folder is not None else None
        recording = Recording(self._parameters["max_bytes"])
        if self._context.check_mode:
            await bmc.driver.power_state(bmc.target, timeout)
            return _done(recording, path, _size(path))
        take, seconds = self._parameters["take_over"], self._parameters["seconds"]
        try:
            await bmc.driver.console(bmc.target, recording, seconds, timeout, take=take)
        except MetalError as exc:
            if not recording.opened:
                raise
            if not (recording.over or recording.full):  # what was heard is true all the same, and is not heard again
                recording.ended = recording.ended or exc.message
        finally:  # also if the deadline came, or a signal
            before = _size(path)
            if path is not None and recording.data:
                append(path, bytes(recording.data))
        return _done(recording, path, before)


def _size(path: Path | None) -> int:
    size = 0
    if path is not None:
        with suppress(FileNotFoundError):
            size = path.stat().st_size
    return size


def _done(recording: Recording, path: Path | None, before: int) -> Done:
    heard = len(recording.data)
    more = {
        "text": readable(bytes(recording.data)),
        "bytes": heard,
        "truncated": recording.full,
        "ended": recording.ended,
        "warnings": recording.notes,
    }
    if path is None:
        return Done(more=more)
    sizes = {"file_bytes": before}, {"file_bytes": before + heard}
    return Done(bool(heard), *sizes, {**more, "file": str(path)})


def append(path: Path, data: bytes) -> None:
    """Add ``data`` to the file, all of it or nothing; nobody else adds meanwhile. Raises: MetalError ``invalid``."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o640)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            size, left = os.fstat(handle).st_size, memoryview(data)
            try:
                while left:
                    left = left[os.write(handle, left) :]
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
    except OSError as exc:
        raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be written: {exc.strerror}") from exc
