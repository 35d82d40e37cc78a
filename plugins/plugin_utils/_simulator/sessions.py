# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: session slots of a BMC and their sequence numbers.

Standard: IPMI v2.0 revision 1.1, sections 6.12.13 and 6.12.14 (session sequence window), 6.12.15 (inactivity
timeout of 60 s), 13.15 (session activation).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from .cipher import CipherSuite, Seal

Peer = tuple[str, int]
"""Address and port that a datagram came from."""

WINDOW = 16
"""How many sequence numbers before the highest one seen are still taken, if they were not seen yet."""
AHEAD = 4096
"""How far a sequence number may leap forward. The standard says 15, which real BMCs do not insist on."""
DUPLICATE_SECONDS = 5.0
"""For so long a repeated request gets the answer of the first (IPMB: sequence number expiration)."""
HALF_OPEN_SECONDS = 2.0
"""A log-in that went on no further may lose its slot to another after this time."""


class SessionState(Enum):
    """How far a log-in has come."""

    OPENED = "opened"
    RAKP = "rakp"
    ACTIVE = "active"


class Sequence(Enum):
    """What a session sequence number says about its packet."""

    NEW = "new"
    SEEN = "seen"
    STRAY = "stray"


@dataclass(slots=True)
class Session:
    """One session slot in use. ``opening`` is the request that opened it, without tag, to know its repetition."""

    session_id: int
    console_id: int
    suite: CipherSuite
    peer: Peer
    opening: bytes
    touched: float
    state: SessionState = SessionState.OPENED
    privilege: int = 0
    limit: int = 0
    user: int = 0
    seal: Seal | None = None
    rakp1: bytes = b""
    rakp2: bytes = b""
    rakp3_code: bytes = b""
    rakp4: bytes = b""
    pending_key: bytes = b""
    out_sequence: int = 0
    last_request: bytes = b""
    last_response: bytes = b""
    last_time: float = 0.0
    _highest: int = 0
    _window: int = field(default=0)

    def check_sequence(self, number: int) -> Sequence:
        """Judge the session sequence ``number`` of a verified packet, and remember it."""
        if not self._highest:
            self._highest, self._window = number, 1
            return Sequence.NEW
        distance = number - self._highest
        if distance > 0:
            if distance > AHEAD:
                return Sequence.STRAY
            self._window = (self._window << min(distance, WINDOW) | 1) & ((1 << WINDOW) - 1)
            self._highest = number
            return Sequence.NEW
        if distance <= -WINDOW:
            return Sequence.STRAY
        bit = 1 << -distance
        if self._window & bit:
            return Sequence.SEEN
        self._window |= bit
        return Sequence.NEW

    def answer_again(self, request: bytes, now: float) -> bytes | None:
        """Return the response given to the same message a moment ago, or None."""
        if request == self.last_request and now - self.last_time < DUPLICATE_SECONDS:
            return self.last_response
        return None

    def remember(self, request: bytes, response: bytes, now: float) -> None:
        """Keep the response for a repetition of the request."""
        self.last_request, self.last_response, self.last_time = request, response, now


class SessionTable:
    """The slots. ``expired`` is called for each session, active or half open, that its silence ended."""

    def __init__(
        self, slots: int, timeout: float, clock: Callable[[], float], expired: Callable[[Session], None]
    ) -> None:
        self.slots = slots
        self._timeout = timeout
        self._clock = clock
        self._expired = expired
        self._sessions: dict[int, Session] = {}

    def open(self, console_id: int, suite: CipherSuite, peer: Peer, opening: bytes) -> Session | None:
        """Take a slot; the same one again for a repeated request; None if all are taken."""
        for session in self._sessions.values():
            if session.state is SessionState.OPENED and session.peer == peer and session.opening == opening:
                return session
        self.expire()
        if len(self._sessions) >= self.slots and not self._drop_half_open():
            return None
        session = Session(self._new_id(), console_id, suite, peer, opening, self._clock())
        self._sessions[session.session_id] = session
        return session

    def find(self, session_id: int) -> Session | None:
        """Return the session with this number (the BMC's), or None."""
        return self._sessions.get(session_id)

    def close(self, session: Session) -> None:
        """Free the slot."""
        self._sessions.pop(session.session_id, None)

    def expire(self) -> None:
        """Free the slots of sessions that were silent for too long."""
        limit = self._clock() - self._timeout
        for session in [known for known in self._sessions.values() if known.touched < limit]:
            self.close(session)
            self._expired(session)

    def active(self) -> list[Session]:
        """Return the sessions that are logged in now."""
        self.expire()
        return [session for session in self._sessions.values() if session.state is SessionState.ACTIVE]

    def half_open(self) -> int:
        """Return how many log-ins have begun and not come to an end."""
        return sum(session.state is not SessionState.ACTIVE for session in self._sessions.values())

    def clear(self) -> None:
        """Forget every session, as a restart does."""
        self._sessions.clear()

    def _drop_half_open(self) -> bool:
        limit = self._clock() - HALF_OPEN_SECONDS
        stale = [s for s in self._sessions.values() if s.state is not SessionState.ACTIVE and s.touched < limit]
        if not stale:
            return False
        oldest = min(stale, key=lambda session: session.touched)
        self.close(oldest)
        self._expired(oldest)
        return True

    def _new_id(self) -> int:
        while True:
            number = random.getrandbits(32)
            if number and number not in self._sessions:
                return number
