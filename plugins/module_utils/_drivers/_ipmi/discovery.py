# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: finding BMCs: who answers an RMCP presence ping or an IPMI question at all, at a bounded rate.

Standards: ASF 2.0, section 3.2.4 (presence ping and pong); IPMI v2.0 revision 1.1, sections 22.13 and 22.14 (Get
Channel Authentication Capabilities, Get System GUID), which a BMC answers to anybody. It reads only, logs in nowhere,
and sends each address no more than TRIES rounds of packets.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic

from . import frames
from .device import decode_guid
from .script import APP, Request

TRIES = 3
ANSWER_SECONDS = 2.0
"""How long answers are waited for after the last packet of a round."""
BURST = 64
"""Packets that are sent in one go; the rate holds over them."""
DRAIN = 512
_CAPABILITIES = Request(APP, 0x38, b"\x8e\x04")
_GUID = Request(APP, 0x37)
_ASKED = (frames.outside(frames.message(_CAPABILITIES, 1)), frames.outside(frames.message(_GUID, 2)))


@dataclass(slots=True)
class Found:
    """A BMC that answered. ``ipmi``: "2.0", "1.5", or None if it answers the ping only."""

    address: str
    port: int
    ipmi: str | None = None
    uuid: str | None = None
    maker: int | None = None
    """Enterprise number of its maker, by the OEM field of the capabilities."""


class Scan:
    """One scan over IPv4 and IPv6 addresses in text form. ``rate``: packets a second."""

    def __init__(self, port: int, rate: float) -> None:
        self._port = port
        self._rate = rate
        self._found: dict[str, Found] = {}
        self._sockets: dict[int, socket.socket] = {}

    async def run(self, addresses: Iterable[str]) -> dict[str, Found]:
        """Return what answered, by address; whoever answered everything is not asked again."""
        wanted = list(addresses)
        try:
            for _round in range(TRIES):
                silent = [address for address in wanted if not self._complete(address)]
                await self._ask(silent)
                if silent:
                    await asyncio.sleep(ANSWER_SECONDS)
        finally:
            for sock in self._sockets.values():
                asyncio.get_running_loop().remove_reader(sock.fileno())
                sock.close()
        return self._found

    def _complete(self, address: str) -> bool:
        found = self._found.get(address)
        return found is not None and found.ipmi is not None and found.uuid is not None

    async def _ask(self, addresses: list[str]) -> None:
        begun, sent = monotonic(), 0
        for address in addresses:
            for packet in (frames.PRESENCE_PING, *_ASKED) if address not in self._found else _ASKED:
                self._send(address, packet)
                sent += 1
                if sent % BURST == 0:
                    await asyncio.sleep(max(0.0, begun + sent / self._rate - monotonic()))

    def _send(self, address: str, packet: bytes) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = self._sockets.get(family)
        if sock is None:
            sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            asyncio.get_running_loop().add_reader(sock.fileno(), self._readable, sock)
            self._sockets[family] = sock
        try:
            sock.sendto(packet, (address, self._port))
        except OSError:
            return  # nobody there, as far as this packet can tell; the next round asks again

    def _readable(self, sock: socket.socket) -> None:
        for _number in range(DRAIN):
            try:
                datagram, sender = sock.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:
                continue
            self._take(datagram, sender[0], sender[1])

    def _take(self, datagram: bytes, address: str, port: int) -> None:
        if frames.is_pong(datagram):
            self._found.setdefault(address, Found(address, port))
            return
        raw = frames.of_outside(datagram)
        if raw is None:
            return
        capabilities, guid = frames.reply(raw, _CAPABILITIES, 1), frames.reply(raw, _GUID, 2)
        if capabilities is None and guid is None:
            return
        found = self._found.setdefault(address, Found(address, port))
        if capabilities is not None:
            data = capabilities.data
            two = not capabilities.completion and len(data) >= 4 and data[1] & 0x80 and data[3] & 0x02
            found.ipmi = "2.0" if two else "1.5"
            found.maker = (int.from_bytes(data[4:7], "little") or None) if len(data) >= 7 else None
        if guid is not None:
            found.uuid = (decode_guid(guid.data) if not guid.completion and len(guid.data) >= 16 else None) or ""
