# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: one simulated BMC: datagram in, datagram (or silence) out.

Standard: IPMI v2.0 revision 1.1, chapters 6 and 13. It knows no sockets (see :mod:`network`), so that a test can
feed it bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from . import commands_app, commands_chassis, commands_inventory, wire
from .bmc_data import Account, BmcIdentity, Counters
from .boot_options import BootOptions, Override
from .cipher import BadPacket
from .command_table import Board, Chassis, Command, CommandError, Completion, Lamp, Privilege, Request
from .faults import Fault, FaultSet
from .rakp import LogIn
from .sessions import Peer, Sequence, Session, SessionState, SessionTable

COMMANDS: dict[tuple[int, int], Command] = {
    **commands_app.TABLE,
    **commands_chassis.TABLE,
    **commands_inventory.TABLE,
}
"""Every command that is carried out; any other ends with completion code C1h."""

SESSION_TIMEOUT_SECONDS = 60.0
DEFAULT_SLOTS = 5
DEFAULT_SUITES = (3, 17)
WRONG_SUFFIX = b"!"
"""What the BMC's password has behind it under the fault wrong_password."""


class Bmc:
    """A BMC. ``account``: who may log in; ``chassis``: the machine; ``clock``: seconds, steadily."""

    def __init__(
        self,
        identity: BmcIdentity,
        account: Account,
        chassis: Chassis,
        boot: BootOptions,
        faults: FaultSet,
        *,
        slots: int = DEFAULT_SLOTS,
        suites: tuple[int, ...] = DEFAULT_SUITES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.identity = identity
        self.counters = Counters()
        self._account = account
        self._faults = faults
        self._clock = clock
        self.sessions = SessionTable(slots, SESSION_TIMEOUT_SECONDS, clock, self._expired)
        self._board = Board(
            identity, chassis, boot, Lamp(clock), self.sessions, suites, self._current_account, self._closed
        )
        full = faults.checker(Fault.SESSION_TABLE_FULL)
        self._log_in = LogIn(self.sessions, identity.guid, suites, self._current_account, full, self.counters, clock)
        self._formats = {wire.FORMAT_NONE: self._outside, wire.FORMAT_RMCPPLUS: self._plus}

    def receive(self, datagram: bytes, peer: Peer) -> bytes | None:
        """Return the answer to a datagram, or None where a BMC would stay silent."""
        self.counters.packets_in += 1
        try:
            reply = self._dispatch(datagram, peer)
        except (wire.WireError, BadPacket):
            self.counters.packets_refused += 1
            return None
        if reply is not None:
            self.counters.packets_out += 1
        return reply

    @property
    def boot_override(self) -> Override | None:
        """The boot override that the next boot would obey."""
        return self._board.boot.override()

    def _current_account(self) -> Account:
        if self._faults.active(Fault.WRONG_PASSWORD):
            return Account(self._account.name, self._account.password + WRONG_SUFFIX, self._account.privilege)
        return self._account

    def _expired(self) -> None:
        self.counters.sessions_expired += 1

    def _closed(self) -> None:
        self.counters.sessions_closed += 1

    def _dispatch(self, datagram: bytes, peer: Peer) -> bytes | None:
        klass = wire.rmcp_class(datagram)
        if klass == wire.CLASS_ASF:
            return wire.presence_pong(datagram)
        if klass != wire.CLASS_IPMI or len(datagram) < 5:
            raise wire.WireError("neither ASF nor IPMI")
        handler = self._formats.get(datagram[4])
        if handler is None:
            raise wire.WireError("an IPMI 1.5 session, which is not offered")
        return handler(datagram, peer)

    def _outside(self, datagram: bytes, _peer: Peer) -> bytes:
        message = wire.parse_message(wire.parse_outside(datagram))
        return wire.build_outside(wire.build_response(message, self._execute(message, None)))

    def _plus(self, datagram: bytes, peer: Peer) -> bytes | None:
        packet = wire.parse_packet(datagram)
        if packet.session_id:
            return self._inside(packet)
        if packet.encrypted or packet.authenticated:
            raise wire.WireError("signed or encrypted, but of no session")
        if packet.payload_type == wire.PAYLOAD_IPMI:
            message = wire.parse_message(packet.payload)
            response = wire.build_response(message, self._execute(message, None))
            return wire.build_packet(wire.PAYLOAD_IPMI, 0, 0, response)
        return self._log_in.answer(packet, peer)

    def _inside(self, packet: wire.Packet) -> bytes | None:
        session = self.sessions.find(packet.session_id)
        if session is None or session.state is not SessionState.ACTIVE or session.seal is None:
            raise wire.WireError("no such session")
        try:
            raw = session.seal.unpack(packet)
        except BadPacket:
            self.counters.bad_auth += 1
            raise
        verdict = session.check_sequence(packet.sequence)
        if packet.payload_type != wire.PAYLOAD_IPMI or verdict is Sequence.STRAY:
            raise wire.WireError("not an IPMI payload, or far outside the sequence window")
        now = self._clock()
        session.touched = now
        response = session.answer_again(raw, now)
        if response is not None:
            self.counters.repeated += 1
        elif verdict is Sequence.SEEN:
            raise wire.WireError("an old packet again")
        else:
            message = wire.parse_message(raw)
            response = wire.build_response(message, self._execute(message, session))
            session.remember(raw, response, now)
        session.out_sequence += 1
        return session.seal.pack(session.console_id, session.out_sequence, response)

    def _execute(self, message: wire.Message, session: Session | None) -> bytes:
        command = COMMANDS.get((message.netfn, message.command))
        if command is None:
            self.counters.command(f"unknown_{message.netfn:02x}_{message.command:02x}")
            return bytes((Completion.INVALID_COMMAND if session else Completion.PRIVILEGE,))
        if command.privilege > (session.privilege if session else Privilege.NONE):
            return bytes((Completion.PRIVILEGE,))
        if len(message.data) < command.least:
            return bytes((Completion.TRUNCATED,))
        self.counters.command(command.name)
        try:
            return bytes((Completion.OK,)) + command.handler(Request(self._board, session, message.data))
        except CommandError as error:
            return bytes((error.code,))
