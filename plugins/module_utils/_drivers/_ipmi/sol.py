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
from .script import APP, TIMED_OUT, Listen, Refused, Script, ask

_ACTIVATE, _DEACTIVATE = 0x48, 0x49
_SOL, _INSTANCE = 0x01, 0x01
_SECURE = 0xC0
"""Activate Payload, auxiliary byte 1: encrypted and authenticated, as the whole session is."""
_ALREADY = 0x80
_ELSEWHERE = frozenset({0x81, 0x82, 0x83, 0x84})
"""Disabled, or limits, or encryption that cannot be had (24.1)."""
_HEADER = 4
_MOST_CHARACTERS = 0xFF
LOOK_SECONDS = 1.0
"""Longest wait for a packet, so that the end of the time is seen."""


def listen(port: int, seconds: float, most: int, clock: Callable[[], float], *, take: bool = False) -> Script[bytes]:
    """Return what the console says within ``seconds``, at most ``most`` bytes.

    ``port``: the UDP port that we reach the BMC at. ``take``: end another's use of the console first.
    Raises: MetalError ``busy`` if another uses it, ``unsupported`` if the BMC has it not, or at another port.
    """
    yield from _activate(port, take=take)
    end, heard, last = clock() + seconds, bytearray(), 0
    answer = b""
    while len(heard) < most:
        left = end - clock()
        if left <= 0:
            break
        reply = yield Listen(answer, min(LOOK_SECONDS, left))
        answer = b""
        if reply == TIMED_OUT or len(reply.data) < _HEADER:
            continue
        number, said = reply.data[0] & 0x0F, reply.data[_HEADER:]
        if number and number != last:  # a repetition of one that we have is acknowledged, and not taken twice
            heard += said
            last = number
        if number:
            answer = bytes((0, number, min(len(said), _MOST_CHARACTERS), 0))
    if answer:
        yield Listen(answer, 0.0)
    yield from _deactivate()
    return bytes(heard[:most])


def _activate(port: int, *, take: bool) -> Script[None]:
    if take:
        yield from _deactivate()
    try:
        data = yield from ask(APP, _ACTIVATE, bytes((_SOL, _INSTANCE, _SECURE, 0, 0, 0)), least=10)
    except Refused as exc:
        if exc.completion == _ALREADY:
            raise MetalError(
                ErrorCode.BUSY, "the console is in use by another session; end that, or say take_over: true"
            ) from exc
        if exc.completion in _ELSEWHERE or exc.code is ErrorCode.UNSUPPORTED:
            raise MetalError(
                ErrorCode.UNSUPPORTED,
                "the BMC gives no serial console: serial over LAN is disabled on it, or for this account"
                f" (completion code {exc.completion:02x}h)",
            ) from exc
        raise
    theirs = int.from_bytes(data[8:10], "little")
    if theirs not in (port, 623):  # BMCs behind a translated port tell their own
        yield from _deactivate()
        raise MetalError(ErrorCode.UNSUPPORTED, f"the BMC wants its console to be read at port {theirs}, not {port}")


def _deactivate() -> Script[None]:
    try:
        yield from ask(APP, _DEACTIVATE, bytes((_SOL, _INSTANCE, 0, 0, 0, 0)))
    except Refused as exc:
        if exc.code is ErrorCode.PRIVILEGE:
            raise
