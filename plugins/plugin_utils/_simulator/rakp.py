# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: how a console logs in to a BMC (Open Session and RAKP messages 1 to 4).

Standard: IPMI v2.0 revision 1.1, sections 13.17 to 13.24. A repeated message gets the answer of the first one, so
that a lost reply costs the client nothing but its time.
"""

from __future__ import annotations

import hmac
import os
import struct
from collections.abc import Callable
from enum import IntEnum

from . import wire
from .bmc_data import Account, Counters
from .cipher import Exchange, Seal, find_suite
from .sessions import Peer, Session, SessionState, SessionTable


class Status(IntEnum):
    """RMCP+ and RAKP message status codes, table 13-15."""

    OK = 0x00
    NO_RESOURCES = 0x01
    INVALID_SESSION = 0x02
    UNAUTHORIZED_ROLE = 0x0A
    INVALID_NAME_LENGTH = 0x0C
    UNAUTHORIZED_NAME = 0x0D
    INVALID_CHECK_VALUE = 0x0F
    NO_CIPHER_SUITE = 0x11


USER_LEVEL = 2
"""Privilege that a session starts with, whatever it may rise to."""
_NONCE = 16
_OPEN_LENGTH = 32
_RAKP1_LENGTH = 28
_RAKP3_LENGTH = 8


class LogIn:
    """The log-in side of one BMC.

    ``account``: returns the account that the BMC holds now. ``full``: says whether every slot is to be taken as
    occupied by others.
    """

    def __init__(
        self,
        table: SessionTable,
        guid: bytes,
        suites: tuple[int, ...],
        account: Callable[[], Account],
        full: Callable[[], bool],
        counters: Counters,
        clock: Callable[[], float],
    ) -> None:
        self._table = table
        self._guid = guid
        self._suites = suites
        self._account = account
        self._full = full
        self._count = counters
        self._clock = clock
        self._steps = {
            wire.PAYLOAD_OPEN_REQUEST: self._open,
            wire.PAYLOAD_RAKP1: self._rakp1,
            wire.PAYLOAD_RAKP3: self._rakp3,
        }

    def answer(self, packet: wire.Packet, peer: Peer) -> bytes | None:
        """Return the datagram that answers a log-in message, or None where silence is the answer."""
        step = self._steps.get(packet.payload_type)
        if step is None:
            return None
        reply = step(packet.payload, peer)
        if reply is None:
            return None
        return wire.build_packet(packet.payload_type + 1, 0, 0, reply)

    def _open(self, payload: bytes, peer: Peer) -> bytes | None:
        if len(payload) < _OPEN_LENGTH:
            return None
        tag, role = payload[0], payload[1] & 0x0F
        (console_id,) = struct.unpack_from("<I", payload, 4)
        suite = find_suite(self._suites, payload[12] & 0x3F, payload[20] & 0x3F, payload[28] & 0x3F)
        if suite is None:
            return _refusal(tag, Status.NO_CIPHER_SUITE, console_id)
        session = None if self._full() else self._table.open(console_id, suite, peer, payload[1:])
        if session is None:
            self._count.sessions_refused += 1
            return _refusal(tag, Status.NO_RESOURCES, console_id)
        session.touched = self._clock()
        privilege = role or self._account().privilege
        head = struct.pack("<BBBBII", tag, Status.OK, privilege, 0, console_id, session.session_id)
        return head + payload[8:32]

    def _rakp1(self, payload: bytes, _peer: Peer) -> bytes | None:
        if len(payload) < _RAKP1_LENGTH:
            return None
        tag = payload[0]
        session = self._table.find(struct.unpack_from("<I", payload, 4)[0])
        if session is None or session.state is SessionState.ACTIVE:
            return _refusal(tag, Status.INVALID_SESSION, 0)
        if session.rakp1 == payload[1:]:
            return bytes((tag,)) + session.rakp2
        problem = self._judge(payload)
        if problem is not Status.OK:
            self._count.bad_auth += 1
            self._table.close(session)
            return _refusal(tag, problem, session.console_id)
        self._prepare(session, payload)
        return bytes((tag,)) + session.rakp2

    def _judge(self, payload: bytes) -> Status:
        length = payload[27]
        if length > 16 or len(payload) < _RAKP1_LENGTH + length:
            return Status.INVALID_NAME_LENGTH
        account = self._account()
        if payload[28 : 28 + length] != account.name:
            return Status.UNAUTHORIZED_NAME
        if payload[24] & 0x0F > account.privilege:
            return Status.UNAUTHORIZED_ROLE
        return Status.OK

    def _prepare(self, session: Session, payload: bytes) -> None:
        """Work out everything that follows from RAKP message 1: the answer, and what message 3 must bring."""
        account = self._account()
        exchange = Exchange(
            suite=session.suite,
            console_id=struct.pack("<I", session.console_id),
            bmc_id=struct.pack("<I", session.session_id),
            console_random=payload[8:24],
            bmc_random=os.urandom(_NONCE),
            guid=self._guid,
            role=payload[24],
            user=payload[28 : 28 + payload[27]],
        )
        session.limit = (payload[24] & 0x0F) or account.privilege
        session.pending_key = exchange.session_key(account.password)
        session.rakp1 = payload[1:]
        head = struct.pack("<BHI", Status.OK, 0, session.console_id)
        session.rakp2 = head + exchange.bmc_random + self._guid + exchange.rakp2_code(account.password)
        session.rakp3_code = exchange.rakp3_code(account.password)
        session.rakp4 = head + exchange.rakp4_code(session.pending_key)
        session.state = SessionState.RAKP
        session.touched = self._clock()

    def _rakp3(self, payload: bytes, _peer: Peer) -> bytes | None:
        if len(payload) < _RAKP3_LENGTH:
            return None
        tag, status = payload[0], payload[1]
        session = self._table.find(struct.unpack_from("<I", payload, 4)[0])
        if session is None or session.state is SessionState.OPENED:
            return _refusal(tag, Status.INVALID_SESSION, 0)
        right = hmac.compare_digest(payload[8 : 8 + len(session.rakp3_code)], session.rakp3_code)
        if session.state is SessionState.ACTIVE:
            # a repeated message 3; anything else must not disturb the session that stands
            return bytes((tag,)) + session.rakp4 if right else _refusal(tag, Status.INVALID_SESSION, 0)
        if status != Status.OK or not right:
            self._count.bad_auth += 1
            self._table.close(session)
            # a console that gave up says so in the status and expects no answer
            return None if status else _refusal(tag, Status.INVALID_CHECK_VALUE, session.console_id)
        session.seal = Seal(session.suite, session.pending_key)
        session.privilege = min(USER_LEVEL, session.limit)
        session.state = SessionState.ACTIVE
        session.touched = self._clock()
        self._count.sessions_opened += 1
        return bytes((tag,)) + session.rakp4


def _refusal(tag: int, status: Status, console_id: int) -> bytes:
    return struct.pack("<BBHI", tag, status, 0, console_id)
