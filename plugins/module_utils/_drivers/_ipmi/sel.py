# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: reading and clearing a BMC's system event log (IPMI v2.0, chapter 31)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..._nodes.errors import ErrorCode, MetalError
from ..sensing import EventLog, LogEntry, LogMark, Since
from . import sdr, sel_text, sensors
from .script import REPETITION, STORAGE, Pause, Refused, Script, ask
from .sdr_records import SensorRecord

_GET_INFO, _RESERVE, _GET_ENTRY, _CLEAR, _GET_TIME = 0x40, 0x42, 0x43, 0x47, 0x48
MOST_ENTRIES = 20_000
_FIRST, _LAST = 0x0000, 0xFFFF
_WHOLE = 0xFF
_OVERFLOW = 0x80
_LOST_RESERVATION = 0xC5
_AGAIN = (_LOST_RESERVATION, REPETITION)
"""Completion codes that the repetition of a clearing may meet that was carried out."""
_TOO_MUCH = (0xC7, 0xC8, 0xC9, 0xCA, 0xFF)
_ABSENT = (0xC1, 0xC2, 0xC9, 0xCB)
_WITHOUT_NAMES = (ErrorCode.PROTOCOL, ErrorCode.BUSY, ErrorCode.UNSUPPORTED)
_TRIES = 4
_ERASE, _ASK_ERASURE = 0xAA, 0x00
_ERASED = 0x01
_ERASE_PAUSE = 0.5
_ERASE_POLLS = 60

Clock = Callable[[], float]
"""Seconds since 1970."""


class Info(NamedTuple):
    """Get SEL Info: which state the log is in, whether entries were lost, when it was cleared (the BMC's seconds)."""

    mark: LogMark
    overflow: bool
    cleared_at: int


def info() -> Script[Info]:
    """Return the state of the log. Raises: MetalError."""
    data = yield from ask(STORAGE, _GET_INFO, least=14)
    entries, last_added, cleared_at = struct.unpack_from("<H2xII", data, 1)
    return Info(LogMark(entries, last_added), bool(data[13] & _OVERFLOW), cleared_at)


def _reserve() -> Script[int]:
    """Return a reservation, 0 from a BMC that has none to give."""
    try:
        data = yield from ask(STORAGE, _RESERVE, least=2)
    except Refused as refused:
        if refused.completion not in _ABSENT:
            raise
        return 0
    return int.from_bytes(data[:2], "little")


class _Reader:
    """Reads entries, whole; what the BMC wants for it (a reservation, the exact size) is learned and kept."""

    def __init__(self) -> None:
        self._reservation = 0
        self._count = _WHOLE

    def entry(self, number: int) -> Script[tuple[int, bytes] | None]:
        """Return the number of the next entry, and this one; None if it is not there."""
        for _turn in range(_TRIES):
            request = struct.pack("<HHBB", self._reservation, number, 0, self._count)
            try:
                data = yield from ask(STORAGE, _GET_ENTRY, request, least=4)
            except Refused as refused:
                if refused.completion == _LOST_RESERVATION:
                    self._reservation = yield from _reserve()
                elif refused.completion in _TOO_MUCH and self._count == _WHOLE:
                    self._count = sel_text.SIZE
                elif refused.completion in _ABSENT:
                    return None
                else:
                    raise
                continue
            return int.from_bytes(data[:2], "little"), data[2 : 2 + sel_text.SIZE]
        raise MetalError(ErrorCode.BUSY, f"the event log changed {_TRIES} times while one of its entries was read")


def _walk(reader: _Reader, number: int) -> Script[tuple[list[bytes], list[str]]]:
    """Follow the entries from ``number`` to the last, each telling the next one's number."""
    found: list[bytes] = []
    seen: set[int] = set()
    while number != _LAST:
        if number in seen:
            return found, [f"the entries of the event log come round to entry {number} again"]
        if len(found) == MOST_ENTRIES:
            return found, [f"only the first {MOST_ENTRIES} entries of the event log were read"]
        seen.add(number)
        answer = yield from reader.entry(number)
        if answer is None:
            return found, [f"entry {number} of the event log is not there any more"] if found else []
        number, data = answer
        found.append(data)
    return found, []


def _number(data: bytes) -> int:
    return int.from_bytes(data[:2], "little")


def _after(reader: _Reader, raw: str) -> Script[tuple[list[bytes], list[str]]]:
    """Return what follows an entry; everything if that is not the entry with its number any more."""
    try:
        known = bytes.fromhex(raw)
    except ValueError:
        known = b""
    if _number(known) not in (_FIRST, _LAST):
        answer = yield from reader.entry(_number(known))
        if answer is not None and answer[1] == known:
            return ([], []) if answer[0] == _LAST else (yield from _walk(reader, answer[0]))
    return (yield from _walk(reader, _FIRST))


def _last(reader: _Reader, total: int, wanted: int) -> Script[tuple[list[bytes], list[str]]]:
    """Return the last entries, reading no more than those where the numbers of entries are without a gap."""
    first = yield from reader.entry(_FIRST)
    last = yield from reader.entry(_LAST)
    if first is not None and last is not None and 0 < wanted < total:
        begin, end = _number(first[1]), _number(last[1])
        if end - begin + 1 == total:
            found, warnings = yield from _walk(reader, end - wanted + 1)
            if len(found) >= wanted:
                return found[len(found) - wanted :], warnings
    found, warnings = yield from _walk(reader, _FIRST)
    return found[max(0, len(found) - wanted) :], warnings


def _part(reader: _Reader, total: int, since: Since) -> Script[tuple[list[bytes], list[str]]]:
    if total == 0:
        return [], []
    if since.after is not None:
        return (yield from _after(reader, since.after))
    if since.last is not None:
        return (yield from _last(reader, total, since.last))
    return (yield from _walk(reader, _FIRST))


def entries(since: Since, clock: Clock) -> Script[EventLog]:
    """Return the log, or a part of it; ``clock`` tells our time, to compare the BMC's with. Raises: MetalError.

    The state of the log (``mark``) is read first, so that an entry that comes while the others are read makes
    clear() refuse.
    """
    state = yield from info()
    found, warnings = yield from _part(_Reader(), state.mark.entries, since)
    names: dict[tuple[int, int, int], SensorRecord] = {}
    if found:
        try:
            records = yield from sdr.records()
            names = {record.key: record for record in sensors.decode(records.found)[0]}
        except MetalError as error:
            if error.code not in _WITHOUT_NAMES:
                raise
            warnings.append(f"sensors have no names, since their records cannot be read: {error.message}")
    offset = yield from _clock_offset(clock)
    decoded = [sel_text.decode(data, names) for data in found]
    if since.time is not None:
        decoded = later(decoded, since.time)
    return EventLog(tuple(decoded), state.mark, offset, state.overflow, tuple(warnings))


def later(found: Sequence[LogEntry], moment: str) -> list[LogEntry]:
    """Return the entries from the first at or after ``moment`` on, and those without a time just before it."""
    start = next((at for at, entry in enumerate(found) if entry.time and entry.time >= moment), len(found))
    while start and found[start - 1].time is None:
        start -= 1
    return list(found[start:])


def _clock_offset(clock: Clock) -> Script[int | None]:
    try:
        data = yield from ask(STORAGE, _GET_TIME, least=4)
    except Refused:
        return None
    (seconds,) = struct.unpack_from("<I", data)
    return None if sel_text.time(seconds) is None else round(seconds - clock())


def clear(expected: LogMark) -> Script[None]:
    """Clear the log, if it is still in the state in which it was read.

    The state is compared under a reservation, which the BMC takes back when an entry is added (31.4), so that nothing
    unread is lost. A BMC without reservations guards nothing between the comparison and the clearing, which follow each
    other at once. Raises: MetalError ``conflict`` if something was added; ``not_reached`` if it is not erased in time.
    """
    reservation = yield from _reserve()
    before = yield from info()
    mark = before.mark
    if mark != expected:
        raise MetalError(
            ErrorCode.CONFLICT,
            f"the event log changed since it was read ({expected.entries} entries then, {mark.entries} now); nothing was cleared",
        )
    if mark.entries == 0:
        return
    try:
        done = yield from _erase(reservation, _ERASE)
    except Refused as refused:
        if refused.completion not in _AGAIN:
            raise
        done = yield from _erased_before(before, refused)
    for _turn in range(_ERASE_POLLS):
        if done:
            return
        yield Pause(_ERASE_PAUSE)
        try:
            done = yield from _erase(reservation, _ASK_ERASURE)
        except Refused as refused:
            if refused.completion != _LOST_RESERVATION:
                raise
            # The entry that tells of the clearing takes the reservation back, too.
            reservation = yield from _reserve()
    seconds = _ERASE_PAUSE * _ERASE_POLLS
    raise MetalError(ErrorCode.NOT_REACHED, f"the BMC is still erasing its event log after {seconds:g} s")


def _erased_before(before: Info, refused: Refused) -> Script[bool]:
    """Return, after a refusal to clear, whether the log is cleared (True) or is being cleared (False) all the same.

    The answer to the first copy of the command may have got lost, and what was refused may be its repetition.
    Raises: MetalError ``conflict`` if nothing was cleared.
    """
    now = yield from info()
    if now.cleared_at != before.cleared_at or now.mark.entries < before.mark.entries:
        return True
    if (yield from _erase((yield from _reserve()), _ASK_ERASURE)):
        message = "an entry came, or somebody else reserved the event log, while it was about to be cleared; nothing was cleared"
        raise MetalError(ErrorCode.CONFLICT, message) from refused
    return False


def _erase(reservation: int, action: int) -> Script[bool]:
    """Send Clear SEL; return whether the erasure is at its end."""
    data = yield from ask(STORAGE, _CLEAR, struct.pack("<H3sB", reservation, b"CLR", action), least=1)
    return data[0] & 0x0F == _ERASED
