# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operation ``console_log``: what serial consoles say within a time. It types nothing."""

from __future__ import annotations

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
KIND = "a console"


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
        self._recordings: dict[str, Recording] = {}

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
        """Listen to one node. Raises: MetalError unless its console was opened, and its file written."""
        timeout, name = self._parameters["timeout"], bmc.view.name
        path = self._folder / f"{name}{ENDING}" if self._folder is not None else None
        recording = self._recordings.setdefault(name, Recording(self._parameters["max_bytes"]))
        if self._context.check_mode:
            await bmc.driver.power_state(bmc.target, timeout)
            return _done(recording, path, _size(path))
        patience = 0.0
        try:
            if not recording.opened:  # else it was heard in an earlier try, and the file was another's
                if path is not None:
                    async with log_file.alone(path, timeout, KIND):
                        pass  # what cannot be saved is not listened to
                await self._listen(bmc, recording)
            patience = timeout
        finally:  # also if the deadline came, or a signal; then the file is not waited for
            before = await _save(path, recording, patience)
        return _done(recording, path, before)

    async def _listen(self, bmc: Bmc, recording: Recording) -> None:
        take, seconds, timeout = (self._parameters[name] for name in ("take_over", "seconds", "timeout"))
        try:
            await bmc.driver.console(bmc.target, recording, seconds, timeout, take=take)
        except MetalError as exc:
            if not recording.opened:
                raise
            if not (recording.over or recording.full):  # what was heard is true all the same, and is not heard again
                recording.ended = recording.ended or exc.message


async def _save(path: Path | None, recording: Recording, seconds: float) -> int:
    """Put what was heard behind what is in the file; return how many bytes that is. Raises: MetalError."""
    if path is None or not recording.data:
        return _size(path)
    async with log_file.alone(path, seconds, KIND) as file:
        return await log_file.in_thread(file.add_bytes, bytes(recording.data))


def _size(path: Path | None) -> int:
    size = 0
    if path is not None:
        with suppress(OSError):
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
