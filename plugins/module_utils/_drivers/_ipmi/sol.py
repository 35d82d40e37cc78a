# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a script that listens to the machine's serial console for a time (serial over LAN).

Standard: IPMI v2.0 revision 1.1, sections 15.9 (packets), 15.11 (acknowledgement), 24.1 and 24.2 (payload activation).
Nothing is ever typed: the packets that go to the BMC carry acknowledgements only.
"""

from __future__ import annotations

from collections.abc import Callable

from ..._nodes.errors import ErrorCode, MetalError
from ..hearing import Recording
from .script import APP, TIMED_OUT, Listen, Pause, Refused, Request, Script, ask

_ACTIVATE, _DEACTIVATE = 0x48, 0x49
_SOL, _INSTANCE = 0x01, 0x01
_SECURE = 0xC0
"""Activate Payload, auxiliary byte 1: encrypted and authenticated, as the whole session is."""
_IN_USE = frozenset({0x80, 0x82})
"""The console is another's, or as many listen as may (24.1)."""
_ELSEWHERE = frozenset({0x81, 0x83, 0x84})
"""Disabled, or encryption that cannot be had, or not be had without (24.1)."""
_WHOSE = Request(APP, 0x4B, bytes((_SOL, _INSTANCE)))
"""Get Payload Instance Info (24.5): the number of the session that has the console."""
_HEADER = 4
_NUMBERS = 15
"""Packets are numbered 1 to 15 and 1 again; 0 carries no characters."""
_AHEAD = 7
"""A packet that is so many numbers ahead at most is new; any other comes late, and was heard before."""
_OVERRUN, _DEACTIVATING = 0x08, 0x10
"""Of the status byte (table 15-2): characters were lost on the BMC's side; it takes the console away."""
_MOST_CHARACTERS = 0xFF
LOOK_SECONDS = 1.0
"""Longest wait for a packet, so that the end of the time is seen."""
ALIVE_SECONDS = 15.0
"""A request is sent so often: BMCs end sessions in which there was none for 60 s, whatever goes over the console."""
TAKEN = "the BMC took the console away: another session wants it, or it was switched off"
TAKE_PAUSES = (0.5, 1.0, 2.0)
"""Seconds between tries to have a console that was just taken from another: some BMCs need a moment."""


def listen(
    port: int, seconds: float, recording: Recording, clock: Callable[[], float], *, take: bool = False
) -> Script[None]:
    """Put into ``recording`` what the console says within ``seconds``, or until it is full.

    ``port``: the UDP port that we reach the BMC at. ``take``: end another's use of the console first.
    Raises: MetalError ``busy`` if another uses it, ``unsupported`` if the BMC does not give it.
    """
    theirs = yield from _activate(take=take)
    recording.opened = True
    if theirs not in (port, 0):
        recording.note(
            f"the BMC says that its console is at port {theirs}; it was listened to at port {port}, as some that say so want it"
        )
    ours = yield from _owner()
    yield from _hear(clock() + seconds, recording, clock, ours)
    if recording.ended is None and (yield from _owner()) not in (ours, None):  # not every BMC tells whom it robs
        recording.ended = TAKEN
    if recording.ended is None:  # else it is another's by now
        recording.over = True
        yield from _deactivate()


def _owner() -> Script[int | None]:
    """Return which session has the console, 0 for none; None if the BMC does not tell."""
    reply = yield _WHOSE
    return None if reply.completion or len(reply.data) < 4 else int.from_bytes(reply.data[:4], "little")


def _hear(end: float, recording: Recording, clock: Callable[[], float], ours: int | None) -> Script[None]:
    last, had, answer, alive = 0, 0, b"", clock()
    while not recording.full and recording.ended is None:
        left = end - clock()
        if left <= 0:
            break
        if clock() - alive >= ALIVE_SECONDS:
            if (yield from _owner()) not in (ours, None):
                recording.ended = TAKEN
                break
            alive = clock()  # a packet that came meanwhile comes again: it was not acknowledged
        reply = yield Listen(answer, min(LOOK_SECONDS, left))
        answer = b""
        if reply == TIMED_OUT or len(reply.data) < _HEADER:
            continue
        number, status, said = reply.data[0] & 0x0F, reply.data[3], reply.data[_HEADER:]
        if status & _OVERRUN:
            recording.note("the BMC says that it lost characters")
        if status & _DEACTIVATING:
            recording.ended = TAKEN
        ahead = (number - last) % _NUMBERS if last else 1
        if not number or ahead > _AHEAD:
            continue
        recording.add(said if ahead else said[had:])  # a repetition may have more in it
        last, had = number, len(said) if ahead else max(had, len(said))
        answer = bytes((0, number, min(len(said), _MOST_CHARACTERS), 0))
    if answer:
        yield Listen(answer, 0.0)


def _activate(*, take: bool) -> Script[int]:
    """Return the port at which the BMC wants its console to be read."""
    pauses = list(TAKE_PAUSES) if take else []
    while True:
        if take:
            yield from _deactivate()
        try:
            data = yield from ask(APP, _ACTIVATE, bytes((_SOL, _INSTANCE, _SECURE, 0, 0, 0)), least=10)
        except Refused as exc:
            if exc.completion not in _IN_USE or not pauses:
                raise _not_given(exc) from exc
            yield Pause(pauses.pop(0))
        else:
            return int.from_bytes(data[8:10], "little")


def _not_given(exc: Refused) -> MetalError:
    if exc.completion in _IN_USE:
        return MetalError(ErrorCode.BUSY, "the console is in use by another session; end that, or say take_over: true")
    if exc.completion in _ELSEWHERE or exc.code is ErrorCode.UNSUPPORTED:
        return MetalError(
            ErrorCode.UNSUPPORTED,
            "the BMC gives no serial console: serial over LAN is disabled on it, or for this account"
            f" (completion code {exc.completion:02x}h)",
        )
    return exc


def _deactivate() -> Script[None]:
    try:
        yield from ask(APP, _DEACTIVATE, bytes((_SOL, _INSTANCE, 0, 0, 0, 0)))
    except Refused as exc:
        if exc.code is ErrorCode.PRIVILEGE:
            raise
