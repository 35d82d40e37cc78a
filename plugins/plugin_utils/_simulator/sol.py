# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: serial over LAN: the console of a simulated machine in a session of its BMC.

Standard: IPMI v2.0 revision 1.1, chapter 15 (packets) and 26 (configuration). It knows no sockets: whoever has one
asks :meth:`Sol.tick` from time to time what is to be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .sessions import Session

HEAD = 4
MOST_CHARACTERS = 200
"""Characters in one packet, either way."""
_NACK = 0x40
_DEACTIVATING = 0x10
_BREAK = 0x10
_HISTORY = 4096
_SEQUENCES = 15
_READ_ONLY = frozenset({7, 8})
_ENABLE, _AUTHENTICATION, _RETRY = 1, 2, 4
FORCE_ENCRYPTION = 0x80
_MOST_COUNTED = 3
"""After a pause no more counter lines than this are caught up with."""


class Sol:
    """The one payload instance of a BMC. ``history``: what the console printed so far, line by line.

    ``uptime``: for how many seconds the machine has been on, None while it is off. ``name``: who asks for a log-in.
    """

    def __init__(
        self,
        name: str,
        history: Callable[[], Iterable[str]],
        uptime: Callable[[], float | None],
        clock: Callable[[], float],
    ) -> None:
        self.session: Session | None = None
        self.leaving: list[tuple[Session, bytes]] = []
        """Packets that tell a session that its console was taken away."""
        self._name = name
        self._history = history
        self._uptime = uptime
        self._clock = clock
        self._parameters = {
            0: b"\x00",
            _ENABLE: b"\x01",
            _AUTHENTICATION: bytes((FORCE_ENCRYPTION | 0x40 | 4,)),
            3: b"\x0a\x60",
            _RETRY: b"\x07\x0a",
            5: b"\x0a",
            6: b"\x0a",
            7: b"\x01",
            8: (623).to_bytes(2, "little"),
        }
        self._pending = bytearray()
        self._unacknowledged: bytes | None = None
        self._sent = 0.0
        self._tries = 0
        self._sequence = 0
        self._heard = 0
        self._counted: int | None = None

    @property
    def enabled(self) -> bool:
        """Whether the payload may be activated."""
        return bool(self._parameters[_ENABLE][0] & 1)

    @property
    def privilege(self) -> int:
        """The privilege that activating it takes."""
        return self._parameters[_AUTHENTICATION][0] & 0x0F

    @property
    def encrypted(self) -> bool:
        """Whether it has to be encrypted."""
        return bool(self._parameters[_AUTHENTICATION][0] & FORCE_ENCRYPTION)

    def get(self, number: int) -> bytes:
        """Return a configuration parameter. Raises KeyError."""
        return self._parameters[number]

    def set(self, number: int, data: bytes) -> bool:
        """Change a configuration parameter; False if it is read-only. Raises KeyError, ValueError (too short)."""
        known = self._parameters[number]
        if number in _READ_ONLY:
            return False
        if len(data) < len(known):
            raise ValueError(f"SOL parameter {number} has {len(known)} bytes")
        self._parameters[number] = data[: len(known)]
        return True

    def activate(self, session: Session) -> None:
        """Give the console to a session: what was printed so far comes first."""
        self.session = session
        text = "".join(f"{line}\r\n" for line in self._history()).encode("utf-8", "replace")
        self._pending = bytearray(text[-_HISTORY:])
        self._unacknowledged, self._sequence, self._heard = None, 0, 0
        self._counted = None

    def deactivate(self, told: bool = True) -> None:
        """Take the console away; ``told``: the session is still there and hears of it."""
        session, self.session = self.session, None
        if session is not None and told:
            self.leaving.append((session, bytes((0, 0, 0, _DEACTIVATING))))

    def line(self, text: str) -> None:
        """The machine prints a line."""
        if self.session is not None:
            self._pending += f"{text}\r\n".encode("utf-8", "replace")

    def tick(self) -> bytes | None:
        """Return the packet that is to be sent now, if any."""
        self._count()
        now = self._clock()
        count, interval = self._parameters[_RETRY]
        if self._unacknowledged is not None:
            if now - self._sent < interval * 0.01:
                return None
            if self._tries > count & 7:
                # nobody has heard it after all these tries: it is lost, and the next one is sent
                self._unacknowledged = None
        if self._unacknowledged is None:
            if not self._pending:
                return None
            self._sequence = self._sequence % _SEQUENCES + 1
            part = bytes(self._pending[:MOST_CHARACTERS])
            del self._pending[:MOST_CHARACTERS]
            self._unacknowledged, self._tries = bytes((self._sequence, 0, 0, 0)) + part, 0
        self._sent, self._tries = now, self._tries + 1
        return self._unacknowledged

    def receive(self, packet: bytes) -> bytes | None:
        """Take a packet of the console's; return the packet that acknowledges it, if it has to be."""
        if len(packet) < HEAD:
            return None
        sequence, acknowledged, accepted, status = packet[:HEAD]
        self._acknowledge(acknowledged & 0x0F, accepted, bool(status & _NACK))
        sequence &= 0x0F
        if not sequence:
            return None
        typed = packet[HEAD:]
        if sequence != self._heard:
            # the same number again is the same characters again: its acknowledgement was lost
            self._heard = sequence
            self._type(typed, bool(status & _BREAK))
        return bytes((0, sequence, min(len(typed), 0xFF), 0))

    def _acknowledge(self, number: int, accepted: int, refused: bool) -> None:
        sent = self._unacknowledged
        if not number or sent is None or sent[0] != number:
            return
        self._unacknowledged = None
        if refused or accepted < len(sent) - HEAD:
            self._pending[:0] = sent[HEAD + accepted :]

    def _type(self, typed: bytes, line_break: bool) -> None:
        if self._uptime() is None:
            return
        if line_break:
            self._pending += b"[break]"
        self._pending += typed.replace(b"\r", f"\r\n{self._name} login: ".encode())

    def _count(self) -> None:
        seconds = self._uptime()
        if seconds is None or self._counted is None:
            self._counted = None if seconds is None else int(seconds)
            return
        self._counted = max(self._counted, int(seconds) - _MOST_COUNTED)
        while self._counted < int(seconds):
            self._counted += 1
            self.line(f"{self._name}: {self._counted} s")
