# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: finding BMCs: who answers an RMCP presence ping or an IPMI question at all, at a bounded rate.

Standards: ASF 2.0, section 3.2.4 (presence ping and pong); IPMI v2.0 revision 1.1, sections 22.13 and 22.14 (Get
Channel Authentication Capabilities, Get System GUID), which a BMC answers to anybody. It reads only and logs in
nowhere. An address that is silent gets PACKETS packets in all.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from ..._nodes.errors import ErrorCode, MetalError
from . import frames
from .device import decode_guid
from .script import APP, Reply, Request

ROUNDS = 5
"""How often those that did not tell everything are asked; whoever was never heard of only in the first three."""
SILENT_ROUNDS = 3
PACKETS = 5
"""To a silent address: a ping, then twice a ping and a question, as some BMCs do not answer pings."""
ANSWER_SECONDS = 2.0
"""How long answers are waited for after the last packet of a round."""
BURST = 64
"""Packets that are sent in one go at most; it is less at low rates."""
BURST_SECONDS = 0.01
DRAIN = 512
_CAPABILITIES = Request(APP, 0x38, b"\x8e\x04")
_GUID = Request(APP, 0x37)


@dataclass(slots=True)
class Found:
    """A BMC that answered. ``ipmi``: "2.0", "1.5", or None if it answers the ping only; ``uuid``: "" if it has none."""

    address: str
    port: int
    ipmi: str | None = None
    uuid: str | None = None
    maker: int | None = None
    """Enterprise number of its maker, by the OEM field of the capabilities, which many BMCs leave empty."""

    @property
    def whole(self) -> bool:
        """Whether it told everything."""
        return self.ipmi is not None and self.uuid is not None


Tell = Callable[[int, int], None]
"""Is told from time to time how many BMCs were found, and which round it is."""


class Scan:
    """One scan over IPv4 and IPv6 addresses, in the form of inet_ntop. ``rate``: packets a second over all."""

    def __init__(self, port: int, rate: float, tell: Tell | None = None) -> None:
        self._port = port
        self._rate = rate
        self._tell = tell
        self._wanted: dict[str, None] = {}
        self._found: dict[str, Found] = {}
        self._sockets: dict[int, socket.socket] = {}
        self._sent = 0
        self._refused = ""
        self._due = 0.0
        self._waiting: set[str] = set()
        self._heard = asyncio.Event()
        numbers = random.sample(range(64), 2)  # so that an answer that somebody made up is none of ours
        self._questions: tuple[tuple[Request, int, Callable[[Found, Reply], None]], ...] = (
            (_CAPABILITIES, numbers[0], _take_capabilities),
            (_GUID, numbers[1], _take_guid),
        )
        self._asked = [frames.outside(frames.message(request, number)) for request, number, _take in self._questions]

    async def run(self, addresses: Iterable[str]) -> dict[str, Found]:
        """Return what answered, by address, in the order of ``addresses``. Raises: MetalError if nothing can be sent."""
        self._wanted = dict.fromkeys(addresses)
        loop = asyncio.get_running_loop()
        try:
            for number in range(ROUNDS):
                if not await self._round(number):
                    break
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._heard.wait(), ANSWER_SECONDS)
        finally:
            for sock in self._sockets.values():
                loop.remove_reader(sock.fileno())
                sock.close()
        if not self._sent and self._refused:
            raise MetalError(ErrorCode.UNREACHABLE, f"networks: no packet could be sent from here: {self._refused}")
        return {address: self._found[address] for address in self._wanted if address in self._found}

    async def _round(self, number: int) -> bool:
        """Send a round's packets; return whether there were any."""
        self._heard.clear()
        self._waiting.clear()
        asked = 0
        for address in self._wanted:
            packets = self._packets(address, number)
            if packets:
                asked += 1
                self._waiting.add(address)
                for packet in packets:
                    await self._send(address, packet)
        if self._tell is not None:
            self._tell(len(self._found), number + 1)
        self._heard_of(None)
        return asked > 0

    def _heard_of(self, found: Found | None) -> None:
        """End the round's wait if nobody is waited for any more."""
        if found is not None and found.whole:
            self._waiting.discard(found.address)
        if not self._waiting:
            self._heard.set()

    def _packets(self, address: str, number: int) -> Sequence[bytes]:
        found = self._found.get(address)
        if found is not None:
            return () if found.whole else self._asked
        if number >= SILENT_ROUNDS:
            return ()
        return (frames.PRESENCE_PING, self._asked[0]) if number else (frames.PRESENCE_PING,)

    async def _send(self, address: str, packet: bytes) -> None:
        if self._sent % max(1, min(BURST, int(self._rate * BURST_SECONDS))) == 0:
            await asyncio.sleep(max(0.0, self._due - monotonic()))
            self._due = max(self._due, monotonic() - BURST_SECONDS)  # what was not sent in time is not made up for
        self._due += 1 / self._rate
        try:
            self._socket(socket.AF_INET6 if ":" in address else socket.AF_INET).sendto(packet, (address, self._port))
            self._sent += 1
        except OSError as exc:  # nobody there, as far as this packet can tell; the next round asks again
            self._refused = exc.strerror or type(exc).__name__

    def _socket(self, family: int) -> socket.socket:
        sock = self._sockets.get(family)
        if sock is None:
            sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            asyncio.get_running_loop().add_reader(sock.fileno(), self._readable, sock)
            self._sockets[family] = sock
        return sock

    def _readable(self, sock: socket.socket) -> None:
        for _number in range(DRAIN):
            try:
                datagram, sender = sock.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:  # an error that an earlier packet met
                continue
            self.take(datagram, sender[0], sender[1])

    def take(self, datagram: bytes, address: str, port: int) -> None:
        """Take what came. Whoever was not asked, or answers from another port, is not listened to."""
        if port != self._port or address not in self._wanted:
            return
        if frames.is_pong(datagram):
            self._found.setdefault(address, Found(address, port))
            return
        raw = frames.of_outside(datagram)
        if raw is None:
            return
        for request, number, take in self._questions:
            reply = frames.reply(raw, request, number)
            if reply is not None:
                found = self._found.setdefault(address, Found(address, port))
                take(found, reply)
                self._heard_of(found)


def _take_capabilities(found: Found, reply: Reply) -> None:
    data = reply.data
    two = not reply.completion and len(data) >= 4 and data[1] & 0x80 and data[3] & 0x02
    found.ipmi = "2.0" if two else "1.5"
    found.maker = (int.from_bytes(data[4:7], "little") & 0xFFFFF or None) if len(data) >= 7 else None


def _take_guid(found: Found, reply: Reply) -> None:
    found.uuid = (decode_guid(reply.data) if not reply.completion and len(reply.data) >= 16 else None) or ""
