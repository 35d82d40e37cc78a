# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: one conversation with a BMC: log in, raise the privilege level, run a script, close.

Like the log-in it is a generator of packets and knows no socket (see engine.py). Standard: IPMI v2.0 revision 1.1,
sections 13.28, 15 (serial over LAN), 22.18 and 22.19.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from ..._nodes.errors import ErrorCode, MetalError
from . import frames
from .login import LEVEL_ADVICE, Account, Level, LoggedIn, LogIn, Packets, Wait
from .script import APP, BUSY, BUSY_PAUSES, TIMED_OUT, Listen, Pause, Refused, Reply, Request, Script

SET_PRIVILEGE = 0x3B
CLOSE_SESSION = 0x3C
ONCE_SECONDS = 4.0
"""How long the answer to what must not be done twice is waited for: some BMCs take seconds over a power command, and
not all of them know a repetition by its number."""
CLOSE_TRIES = 5
"""How often Close Session is sent: where 5 % of the packets are lost, one session in 3 million stays open."""


class Conversation:
    """``program``: makes the script. Run packets(); whatever comes of it, closing() after it leaves no session behind."""

    __slots__ = ("_account", "_log_in", "_number", "_program", "_sequence", "_session")

    def __init__(self, account: Account, program: Callable[[], Script[Any]]) -> None:
        self._account = account
        self._program = program
        self._log_in = LogIn(account)
        self._session: LoggedIn | None = None
        self._sequence = 0
        self._number = 0

    def packets(self) -> Packets[Any]:
        """Log in and run the script; return its result. Raises: MetalError."""
        self._session = yield from self._log_in.packets()
        if self._account.level > Level.USER:  # a session begins at that level (22.18)
            yield from self._raise_level()
        script = self._program()
        try:
            step = next(script)
            while True:
                step = script.send((yield from self._do(step)))
        except StopIteration as end:
            return end.value
        finally:
            script.close()

    def proof(self, passwords: tuple[bytes, ...]) -> Packets[bytes | None]:
        """Return which of ``passwords`` the account has; see LogIn.proof(). Run in place of packets()."""
        return self._log_in.proof(passwords)

    def closing(self) -> Packets[None]:
        """Give the session back to the BMC, also one that it may hold without our knowing, or the slot of a log-in."""
        held = [*self._log_in.unsure, *([self._session] if self._session else [])]
        self._session = None
        if self._log_in.half_open:
            yield Wait(0.0, self._log_in.abort())
        for session in held:
            yield from self._exchange(
                session, Request(APP, CLOSE_SESSION, struct.pack("<I", session.theirs)), CLOSE_TRIES
            )

    def _do(self, step: Request | Pause | Listen) -> Packets[Reply]:
        session = self._session
        if session is None:
            raise MetalError(ErrorCode.INTERNAL, "a script runs without a session")
        if isinstance(step, Request):
            return (yield from self._exchange(session, step))
        if isinstance(step, Listen):
            return (yield from self._listen(session, step))
        datagram = yield Wait(step.seconds)
        while datagram is not None:  # a late packet does not end a pause
            datagram = yield None
        return Reply(0, b"")

    def _raise_level(self) -> Packets[None]:
        level = self._account.level
        request = Request(APP, SET_PRIVILEGE, bytes((level,)))
        reply = yield from self._do(request)
        for seconds in BUSY_PAUSES:
            if reply.completion != BUSY:
                break
            yield from self._do(Pause(seconds))
            reply = yield from self._do(request)
        if reply.completion == BUSY:
            raise Refused(request, BUSY)
        if reply.completion:
            user = self._account.user.decode(errors="replace")
            raise MetalError(
                ErrorCode.PRIVILEGE,
                f"the BMC does not give user {user!r} the privilege level {level.name}; {LEVEL_ADVICE}",
            )

    def _exchange(self, session: LoggedIn, request: Request, tries: int = 0) -> Packets[Reply]:
        """Send a request until its answer comes; after ``tries`` without one (0: no end) return TIMED_OUT.

        A repetition carries the same request number, by which BMCs know it for one (section 5.2, "rqSeq"), in a packet
        of a new session sequence number.
        """
        self._number = (self._number + 1) % 64
        raw = frames.message(request, self._number)

        def packet() -> bytes | Wait:
            packed = self._pack(session, frames.IPMI, raw)
            return Wait(ONCE_SECONDS, packed) if request.once else packed

        datagram, sent = (yield packet()), 1
        while True:
            if datagram is None:
                if sent == tries:
                    return TIMED_OUT
                datagram, sent = (yield packet()), sent + 1
                continue
            payload = session.seal.unpack(datagram, frames.IPMI, session.ours)
            reply = frames.reply(payload, request, self._number) if payload else None
            if reply is not None:
                return reply if sent == 1 else reply._replace(repeated=True)
            datagram = yield None

    def _listen(self, session: LoggedIn, step: Listen) -> Packets[Reply]:
        packet = self._pack(session, frames.SOL, step.payload) if step.payload else b""
        datagram = yield Wait(step.seconds, packet)
        while datagram is not None:
            payload = session.seal.unpack(datagram, frames.SOL, session.ours)
            if payload is not None:
                return Reply(0, payload)
            datagram = yield None
        return TIMED_OUT

    def _pack(self, session: LoggedIn, kind: int, payload: bytes) -> bytes:
        self._sequence += 1
        return session.seal.pack(kind, session.theirs, self._sequence, payload)
