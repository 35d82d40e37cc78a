# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: one simulated BMC: datagram in, datagram (or silence) out.

Standard: IPMI v2.0 revision 1.1, chapters 6 and 13. It knows no sockets (see :mod:`network`), so that a test can
feed it bytes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable

from . import (
    commands_app,
    commands_chassis,
    commands_payload,
    commands_sensor,
    commands_storage,
    commands_transport,
    commands_users,
    wire,
)
from .bmc_data import Account, BmcIdentity, Counters
from .boot_options import BootOptions, Override
from .cipher import BadPacket
from .command_table import NETFN_APP, Board, Chassis, Command, CommandError, Completion, Privilege, Request
from .faults import Fault, FaultSet
from .machine import Happening
from .model import Model
from .rakp import LogIn
from .sdr import Kind
from .sel import Event
from .sessions import Peer, Sequence, Session, SessionState, SessionTable
from .users import Users

COMMANDS: dict[tuple[int, int], Command] = {
    **commands_app.TABLE,
    **commands_users.TABLE,
    **commands_chassis.TABLE,
    **commands_storage.TABLE,
    **commands_sensor.TABLE,
    **commands_transport.TABLE,
    **commands_payload.TABLE,
}
"""Every command that is carried out; any other ends with completion code C1h."""

SESSION_TIMEOUT_SECONDS = 60.0
DEFAULT_SLOTS = 5
DEFAULT_SUITES = (3, 17)
RESET_SECONDS = 5.0
"""For so long a BMC that restarts is silent, if nothing else is asked for; real ones take a minute."""
_WARM = 0.5
"""How much of that a warm reset takes."""
_NEVER_BUSY = frozenset({(NETFN_APP, 0x3C)})
"""Close Session: a busy BMC that kept its sessions would not be just busy."""
_TOLD = {
    Happening.POWER_ON: Event(Kind.POWER_UNIT, 0, ended=True),
    Happening.POWER_OFF: Event(Kind.POWER_UNIT, 0),
    Happening.BOOT: Event(Kind.SYSTEM_BOOT, 0),
    Happening.RUNNING: Event(Kind.OS_BOOT, 1),
    Happening.BUTTON: Event(Kind.BUTTON, 0),
    Happening.DIAGNOSTIC: Event(Kind.CRITICAL_INTERRUPT, 0),
}
"""What the machine does, to what its event log says of it (table 42-3)."""


def _asleep() -> None:
    """Nobody sends for this BMC."""


class Bmc:
    """A BMC. ``accounts``: who may log in; ``chassis``: the machine; ``clock``: seconds, steadily; ``wall``: since 1970.

    ``history``: the lines that the machine's console has printed. ``k_g``: the BMC's key, if one is set.
    ``reset_seconds``: for how long it is silent when it restarts.
    """

    def __init__(
        self,
        identity: BmcIdentity,
        accounts: Iterable[Account],
        chassis: Chassis,
        boot: BootOptions,
        faults: FaultSet,
        *,
        model: Model,
        slots: int = DEFAULT_SLOTS,
        suites: tuple[int, ...] = DEFAULT_SUITES,
        k_g: bytes = b"",
        reset_seconds: float = RESET_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        history: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self.identity = identity
        self.counters = Counters()
        self.wake: Callable[[], None] = _asleep
        """Called when :meth:`tick` will have something to send; who has a socket sets it."""
        self._faults = faults
        self._clock = clock
        self._reset_seconds = reset_seconds
        self._chance: random.Random | None = None
        self._silent_until: float | None = None
        self._restart_wanted: float | None = None
        self.sessions = SessionTable(slots, SESSION_TIMEOUT_SECONDS, clock, self._expired)
        self.board = Board(
            identity=identity,
            model=model,
            chassis=chassis,
            boot=boot,
            sessions=self.sessions,
            suites=suites,
            users=Users(accounts),
            faults=faults,
            closed=self._closed,
            restart=self._want_restart,
            wall=wall,
            clock=clock,
            history=history,
            woken=self._woken,
            k_g=k_g,
        )
        self._log_in = LogIn(self.board, self.counters)
        self._formats = {wire.FORMAT_NONE: self._outside, wire.FORMAT_RMCPPLUS: self._plus}
        self._hot = False
        faults.watch(self._faults_changed)
        self._faults_changed()

    def _woken(self) -> None:
        """Wake whoever has given itself as ``wake`` since."""
        self.wake()

    def receive(self, datagram: bytes, peer: Peer) -> bytes | None:
        """Return the answer to a datagram, or None where a BMC would stay silent."""
        if self._silent_until is not None and not self._back():
            return None
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
        return self.board.boot.override()

    @property
    def log_entries(self) -> int:
        """How many entries the event log has."""
        return len(self.board.log)

    def happened(self, what: Happening) -> None:
        """Something happened to the machine: the event log may have to tell of it."""
        self.board.log.happened(_TOLD[what])

    def restart(self, seconds: float) -> None:
        """Restart now: sessions are gone, and for so many seconds nothing is answered."""
        self.sessions.clear()
        self.board.reset()
        self._silent_until = self._clock() + seconds
        self.counters.resets += 1

    def _back(self) -> bool:
        if self._silent_until is not None and self._clock() < self._silent_until:
            return False
        self._silent_until = None
        return True

    def _want_restart(self, cold: bool) -> None:
        self._restart_wanted = self._reset_seconds * (1.0 if cold else _WARM)

    def _faults_changed(self) -> None:
        hot = self._faults.active(Fault.HOT)
        if hot != self._hot:
            self._hot = hot
            self.board.check_thresholds()

    def _expired(self, session: Session) -> None:
        self.counters.sessions_expired += session.state is SessionState.ACTIVE
        self.counters.unfinished += session.state is SessionState.RAKP

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
        if verdict is Sequence.STRAY:
            raise wire.WireError("far outside the sequence window")
        if packet.payload_type != wire.PAYLOAD_IPMI:
            return self._console(session, packet.payload_type, raw, verdict)
        if self._faults:
            self._misfortune(session)
        now = self._clock()
        session.touched = now
        response = session.answer_again(raw, now)
        if response is not None:
            self.counters.repeated += 1
        elif verdict is Sequence.SEEN:
            raise wire.WireError("an old packet again")
        else:
            message = wire.parse_message(raw)
            if self._faults and self._busy(message):
                # not remembered: whoever asks again, with the same number or another, gets another chance
                response = wire.build_response(message, bytes((Completion.NODE_BUSY,)))
            else:
                response = wire.build_response(message, self._execute(message, session))
                session.remember(raw, response, now)
        session.out_sequence += 1
        reply = session.seal.pack(session.console_id, session.out_sequence, response)
        if self._restart_wanted is not None:
            seconds, self._restart_wanted = self._restart_wanted, None
            self.restart(seconds)
        return reply

    def _console(self, session: Session, payload_type: int, raw: bytes, verdict: Sequence) -> bytes | None:
        """Take a serial over LAN packet."""
        if payload_type != wire.PAYLOAD_SOL or self.board.sol.session is not session or verdict is Sequence.SEEN:
            raise wire.WireError("a payload that is not active in this session")
        session.touched = self._clock()
        answer = self.board.sol.receive(raw)
        return None if answer is None else self._packed(session, answer)

    def tick(self) -> list[tuple[bytes, Peer]] | None:
        """Return what serial over LAN has to send now, and to whom; None if it is not active any more."""
        sol = self.board.sol
        found = [(self._packed(session, packet), session.peer) for session, packet in sol.leaving]
        sol.leaving.clear()
        if sol.session is None:
            return found or None
        if self.sessions.find(sol.session.session_id) is not sol.session:
            sol.deactivate(told=False)
            return found or None
        packet = sol.tick()
        if packet is not None:
            found.append((self._packed(sol.session, packet), sol.session.peer))
        return found

    def said(self, text: str) -> None:
        """The machine's console printed a line."""
        if "sol" in self.board.__dict__:
            self.board.sol.line(text)

    def _packed(self, session: Session, packet: bytes) -> bytes:
        if session.seal is None:
            raise wire.WireError("a session that is not logged in has no console")
        session.out_sequence += 1
        return session.seal.pack(session.console_id, session.out_sequence, packet, wire.PAYLOAD_SOL)

    def _misfortune(self, session: Session) -> None:
        """Restart in mid-session, once, if that is the fault. Raises WireError: such a packet gets no answer."""
        limit = self._faults.value(Fault.RESET_MID_SESSION)
        if limit is not None and session.out_sequence >= limit:
            self._faults.clear(Fault.RESET_MID_SESSION)
            self.restart(self._reset_seconds)
            raise wire.WireError("the BMC restarts")

    def _busy(self, message: wire.Message) -> bool:
        percent = self._faults.value(Fault.BUSY)
        if percent is None or (message.netfn, message.command) in _NEVER_BUSY:
            return False
        # only a few BMCs of many ever need one, and it takes 2.5 kB
        self._chance = self._chance or random.Random(self.identity.serial)
        return self._chance.random() * 100.0 < percent

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
            return bytes((Completion.OK,)) + command.handler(Request(self.board, session, message.data))
        except CommandError as error:
            return bytes((error.code,))
