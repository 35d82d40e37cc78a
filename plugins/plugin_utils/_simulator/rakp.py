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
from enum import IntEnum

from . import wire
from .bmc_data import Counters
from .cipher import Exchange, Refusal, Seal, find_suite
from .command_table import Board
from .faults import Fault
from .sessions import Peer, Session, SessionState
from .users import User


class Status(IntEnum):
    """RMCP+ and RAKP message status codes, table 13-15."""

    OK = 0x00
    NO_RESOURCES = 0x01
    INVALID_SESSION = 0x02
    INVALID_ROLE = 0x09
    UNAUTHORIZED_ROLE = 0x0A
    INVALID_NAME_LENGTH = 0x0C
    UNAUTHORIZED_NAME = 0x0D
    INVALID_CHECK_VALUE = 0x0F


USER_LEVEL = 2
"""Privilege that a session starts with, whatever it may rise to."""
_NONCE = 16
_OPEN_LENGTH = 32
_RAKP1_LENGTH = 28
_RAKP3_LENGTH = 8
_NAME_ONLY = 0x10
"""Role byte of RAKP message 1: the account is looked up by its name alone, not by name and privilege limit."""
_HIGHEST_ROLE = 5
_ANY_ROLE_GRANTS = 4
WRONG_SUFFIX = b"!"
"""What the BMC's passwords have behind them under the fault wrong_password."""


class LogIn:
    """The log-in side of one BMC."""

    def __init__(self, board: Board, counters: Counters) -> None:
        self._board = board
        self._table = board.sessions
        self._guid = board.identity.guid
        self._faults = board.faults
        self._clock = board.clock
        self._count = counters
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
        suite = find_suite(self._board.suites, payload[12] & 0x3F, payload[20] & 0x3F, payload[28] & 0x3F)
        if isinstance(suite, Refusal):
            return _refusal(tag, suite, console_id)
        if role > _HIGHEST_ROLE:
            return _refusal(tag, Status.INVALID_ROLE, console_id)
        full = self._faults.active(Fault.SESSION_TABLE_FULL)
        session = None if full else self._table.open(console_id, suite, peer, payload[1:])
        if session is None:
            self._count.sessions_refused += 1
            return _refusal(tag, Status.NO_RESOURCES, console_id)
        session.touched = self._clock()
        head = struct.pack("<BBBBII", tag, Status.OK, role or _ANY_ROLE_GRANTS, 0, console_id, session.session_id)
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
        user = self._judge(payload)
        if isinstance(user, Status):
            self._count.refused_log_ins += 1
            self._table.close(session)
            return _refusal(tag, user, session.console_id)
        self._count.log_ins += 1
        self._prepare(session, payload, user)
        return bytes((tag,)) + session.rakp2

    def _judge(self, payload: bytes) -> User | Status:
        """Return the account that logs in, or why nobody does."""
        length, role = payload[27], payload[24] & 0x0F
        if length > 16 or len(payload) < _RAKP1_LENGTH + length:
            return Status.INVALID_NAME_LENGTH
        if role > _HIGHEST_ROLE:
            return Status.INVALID_ROLE
        by_role = role if role and not payload[24] & _NAME_ONLY else None
        user = self._board.users.named(payload[28 : 28 + length], by_role)
        if user is None or self._locked():
            return Status.UNAUTHORIZED_NAME
        if role > user.privilege or role > self._board.channel_limit or user.privilege > _HIGHEST_ROLE:
            return Status.UNAUTHORIZED_ROLE
        return user

    def _locked(self) -> bool:
        # OpenBMC tells of a locked account with the status of one that is not there
        tries = self._faults.value(Fault.LOCKED)
        return tries is not None and self._count.wrong_passwords >= tries

    def _prepare(self, session: Session, payload: bytes, user: User) -> None:
        """Work out everything that follows from RAKP message 1: the answer, and what message 3 must bring."""
        password = user.password
        if self._faults.active(Fault.WRONG_PASSWORD):
            password += WRONG_SUFFIX
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
        session.user = user.number
        session.limit = min((payload[24] & 0x0F) or user.privilege, user.privilege, self._board.channel_limit)
        session.pending_key = exchange.session_key(self._board.k_g or password)
        session.rakp1 = payload[1:]
        head = struct.pack("<BHI", Status.OK, 0, session.console_id)
        session.rakp2 = head + exchange.bmc_random + self._guid + exchange.rakp2_code(password)
        session.rakp3_code = exchange.rakp3_code(password)
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
            self._count.given_up += bool(status)
            self._count.wrong_passwords += not status
            self._table.close(session)
            # a console that gave up says so in the status and expects no answer
            return None if status else _refusal(tag, Status.INVALID_CHECK_VALUE, session.console_id)
        session.seal = Seal(session.suite, session.pending_key)
        session.privilege = min(USER_LEVEL, session.limit)
        session.state = SessionState.ACTIVE
        session.touched = self._clock()
        self._count.sessions_opened += 1
        return bytes((tag,)) + session.rakp4


def _refusal(tag: int, status: Status | Refusal, console_id: int) -> bytes:
    return struct.pack("<BBHI", tag, status, 0, console_id)
