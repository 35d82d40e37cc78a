# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operation ``event_log``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .._drivers.base import Capability
from .._drivers.facts import plain
from .._drivers.sensing import EventLog, LogEntry, Since
from .._fleet.fleet import Done, Halfway, Limits
from .._nodes.errors import RETRYABLE, ErrorCode, MetalError
from .._nodes.events import moment
from . import log_file
from .context import Context
from .hardware import Bmc, run

ROUNDS = 4
"""How often a log is read and saved again because entries came before it could be cleared."""

_UNSURE = RETRYABLE | {ErrorCode.NOT_REACHED}
"""Codes with which a log may be cleared all the same."""


def event_log(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read the event log of every node's BMC; save what is new of it, and clear what is saved, if that is wanted."""
    since = _since(parameters)
    folder = Path(parameters["save"]).expanduser() if parameters["save"] else None
    if folder is not None:
        log_file.check_folder(folder)
    savings: dict[str, _Saving] = {}

    async def verb(bmc: Bmc) -> Done:
        if folder is None:
            return _read(await bmc.driver.event_log(bmc.target, parameters["timeout"], since))
        name = bmc.view.name
        saving = savings.get(name)
        if saving is None:
            saving = savings[name] = _Saving(log_file.path_of(folder, name), parameters, check_mode=context.check_mode)
        try:
            return await saving.run(bmc)
        except MetalError as exc:
            raise saving.halfway(exc) from exc

    return run(context, parameters, Capability.EVENT_LOG, verb, Limits(deadline=parameters["deadline"]))


def _since(parameters: Mapping[str, Any]) -> Since:
    if parameters["last"] is not None and parameters["last"] < 1:
        raise MetalError(ErrorCode.INVALID, f"last: {parameters['last']} is no number of entries; 1 is the least")
    if parameters["since"] is None:
        return Since(last=parameters["last"])
    at = datetime.fromtimestamp(moment(parameters["since"]), UTC)
    return Since(time=at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _shown(log: EventLog, entries: Sequence[LogEntry]) -> dict[str, Any]:
    return {
        "entries": [{**asdict(entry), "severity": str(entry.severity)} for entry in entries],
        "total": log.total,
        "overflow": log.overflow,
        "clock_offset": log.clock_offset,
        "warnings": plain(log.warnings),
    }


def _read(log: EventLog) -> Done:
    return Done(more={**_shown(log, log.entries), "saved": 0, "cleared": 0})


@dataclass(slots=True)
class _State:
    """What was done for a node, in all tries. ``sent``: entries of a clearing whose answer has not come."""

    in_file: int = 0
    in_log: int = 0
    saved: int = 0
    cleared: int = 0
    sent: int = 0


class _Saving:
    """Saving the log of one node, and clearing it."""

    def __init__(self, path: Path, parameters: Mapping[str, Any], *, check_mode: bool) -> None:
        self._path, self._clear = path, bool(parameters["clear"])
        self._seconds, self._check_mode = parameters["timeout"], check_mode
        self._state = _State()
        self._new: list[LogEntry] = []
        self._begun = False
        self._file = log_file.LogFile(path)
        self._sent_for: EventLog | None = None

    def halfway(self, error: MetalError) -> MetalError:
        """Return the error, saying what had been done before it."""
        state = self._state
        if self._check_mode or not (state.saved or state.cleared or state.sent):
            return error
        return Halfway(error.code, error.message, {"saved": state.saved, "cleared": state.cleared})

    async def run(self, bmc: Bmc) -> Done:
        """Do it, with the file for ourselves. May be called again after an error. Raises: MetalError."""
        if self._check_mode:
            return await self._run(bmc)
        async with log_file.alone(self._path, self._seconds) as self._file:
            return await self._run(bmc)

    async def _run(self, bmc: Bmc) -> Done:
        log = await self._read_and_save(bmc)
        if self._clear and _worth(log.entries):
            log = await self._cleared(bmc, log)
        state = self._state
        before = {"in_file": state.in_file, "in_log": state.in_log}
        after = {"in_file": state.in_file + state.saved, "in_log": 0 if state.cleared else state.in_log}
        more = {**_shown(log, self._new), "saved": state.saved, "cleared": state.cleared, "file": str(self._path)}
        return Done(bool(state.saved or state.cleared), before, after, more)

    async def _cleared(self, bmc: Bmc, log: EventLog) -> EventLog:
        """Clear the log, all of which is saved; return what is in it then."""
        for _turn in range(ROUNDS):
            _check_whole(log)
            count = _worth(log.entries)
            if self._check_mode:
                self._state.cleared = count
                return log
            self._state.sent, self._sent_for = count, log
            try:
                await bmc.driver.clear_event_log(bmc.target, self._seconds, log.mark)
            except MetalError as error:
                if error.code is not ErrorCode.CONFLICT:
                    self._state.sent = count if error.code in _UNSURE else 0
                    raise
                log = await self._read_and_save(bmc)
                if _worth(log.entries):
                    continue
                return log
            await self._note_cleared()
            return await self._read_and_save(bmc)
        raise MetalError(
            ErrorCode.CONFLICT,
            f"entries came into the event log each of {ROUNDS} times that it was saved and about to be cleared; "
            "all that was read is saved, nothing was cleared",
        )

    async def _note_cleared(self) -> None:
        state = self._state
        state.sent, state.cleared, count = 0, state.cleared + state.sent, state.sent
        await log_file.in_thread(self._file.note_cleared, count)

    async def _read_and_save(self, bmc: Bmc) -> EventLog:
        """Read the log, all of it before it may be cleared, and save what is not saved yet."""
        kept = await log_file.in_thread(self._file.read)
        after = kept.raw[-1] if kept.timed and not self._clear else None
        log = await bmc.driver.event_log(bmc.target, self._seconds, Since(after=after))
        if self._state.sent and self._sent_for is not None:
            if was_cleared(self._sent_for, log):
                await self._note_cleared()  # before what came since is saved
            self._state.sent = 0
        if not self._begun:
            self._begun = True
            self._state.in_file, self._state.in_log = kept.entries, log.total
        if self._check_mode:
            new = log_file.new_entries(kept, log.entries)
        else:
            new = await log_file.in_thread(self._file.add, log.entries)
        self._new += new
        self._state.saved += len(new)
        return log


def was_cleared(before: EventLog, now: EventLog) -> bool:
    """Return whether a log, which was read whole both times, was cleared in between: nothing else takes entries out."""
    return now.total < before.total or {entry.raw for entry in before.entries}.isdisjoint(
        entry.raw for entry in now.entries
    )


def _worth(entries: Sequence[LogEntry]) -> int:
    """Return how many entries there are, not counting that the log was cleared, which many BMCs log after clearing."""
    return sum(not entry.housekeeping for entry in entries)


def _check_whole(log: EventLog) -> None:
    """Raises: MetalError ``protocol`` if not all of the log was read."""
    read = len({entry.raw for entry in log.entries})
    if log.total > read:
        why = "; ".join(log.warnings) or "it did not return all of them"
        raise MetalError(
            ErrorCode.PROTOCOL,
            f"the BMC says that its event log has {log.total} entries, but {read} could be read: {why}; "
            "they are saved, nothing was cleared",
        )
