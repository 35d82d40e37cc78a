# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: UDP sockets of the simulated BMCs, and what is wrong with the wires to them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket

from ...module_utils._nodes.errors import ErrorCode, MetalError
from .bmc import Bmc
from .faults import Fault, FaultSet
from .sessions import Peer

_LONGEST = 2048
_TICK_SECONDS = 0.02
"""So often a BMC is asked what it sends by itself, while it does."""
_HELD_SECONDS = 2.0
"""An answer that is held back goes out after this time if no other does."""
_DRAIN = 32
"""Datagrams read from one socket in one turn of the loop; asyncio's own transports read one."""


class BmcSocket:
    """The sockets of one BMC. ``chance`` decides, repeatably, which packets a lossy wire loses."""

    def __init__(self, bmc: Bmc, faults: FaultSet, chance: random.Random) -> None:
        self._bmc = bmc
        self._faults = faults
        self._chance = chance
        self._sockets: list[socket.socket] = []
        bmc.wake = self._wake
        self._ticking: asyncio.TimerHandle | None = None
        self._held: tuple[bytes, Peer, socket.socket] | None = None

    def open(self) -> None:
        """Bind the BMC's addresses and begin to answer. Raises MetalError (conflict) if one is taken."""
        identity = self._bmc.identity
        self._open(identity.address, identity.port)
        if identity.address6 is not None:
            self._open(identity.address6, identity.port6)

    def close(self) -> None:
        """Stop answering."""
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock.fileno())
            sock.close()
        self._sockets.clear()
        if self._ticking is not None:
            self._ticking.cancel()

    def _open(self, address: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        except OSError as exc:
            raise self._unusable(address, port, exc) from exc
        try:
            sock.bind((address, port))
        except OSError as exc:
            sock.close()
            raise self._unusable(address, port, exc) from exc
        self._sockets.append(sock)
        asyncio.get_running_loop().add_reader(sock.fileno(), self._readable, sock)

    def _unusable(self, address: str, port: int, exc: OSError) -> MetalError:
        return MetalError(
            ErrorCode.CONFLICT,
            f"the BMC address {address}:{port} cannot be used ({exc.strerror}); "
            "is another simulator running? choose another --bind or --port",
            node=self._bmc.identity.name,
        )

    def _readable(self, sock: socket.socket) -> None:
        for _turn in range(_DRAIN):
            try:
                datagram, peer = sock.recvfrom(_LONGEST)
            except OSError:
                return
            if self._faults:
                self._arrived(datagram, peer, sock)
            else:
                self._answer(datagram, peer, sock)

    def _arrived(self, datagram: bytes, peer: Peer, sock: socket.socket) -> None:
        if self._faults.active(Fault.DEAD) or self._happens(Fault.LOSSY):
            return
        delay = self._faults.value(Fault.SLOW)
        if delay is None:
            self._answer(datagram, peer, sock)
            return
        asyncio.get_running_loop().call_later(delay, self._answer, datagram, peer, sock)

    def _answer(self, datagram: bytes, peer: Peer, sock: socket.socket) -> None:
        reply = self._bmc.receive(datagram, peer)
        if reply is None:
            return
        if self._faults:
            self._send_badly(reply, peer, sock)
        else:
            self._send(reply, peer, sock)

    def _send(self, reply: bytes, peer: Peer, sock: socket.socket) -> None:
        # the client or the socket may be gone, or its buffer full: the datagram is lost, as on a real network
        with contextlib.suppress(OSError):
            sock.sendto(reply, peer)

    def _send_badly(self, reply: bytes, peer: Peer, sock: socket.socket) -> None:
        """Send under faults of the way back: lost, noise, late, twice."""
        if self._happens(Fault.LOSSY):
            return
        if self._happens(Fault.GARBAGE):
            reply = noise(reply, self._chance)
        if self._held is None and self._happens(Fault.LATE):
            self._held = (reply, peer, sock)
            asyncio.get_running_loop().call_later(_HELD_SECONDS, self._let_go)
            return
        self._send(reply, peer, sock)
        if self._faults.active(Fault.DUPLICATE):
            self._send(reply, peer, sock)
        self._let_go()

    def _wake(self) -> None:
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._ticking = None
        found = self._bmc.tick()
        if found is None:
            return
        for datagram, peer in found:
            sock = self._sockets[-1 if ":" in peer[0] else 0]
            if not self._faults.active(Fault.DEAD):
                self._send_badly(datagram, peer, sock)
        self._wake()

    def _let_go(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self._send(*held)

    def _happens(self, fault: Fault) -> bool:
        percent = self._faults.value(fault)
        if percent is None or self._chance.random() * 100.0 >= percent:
            return False
        self._bmc.counters.packets_lost += fault is Fault.LOSSY
        return True


def _flipped(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _turn in range(chance.randint(1, 3)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _random(data: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(chance.randint(1, 2 * len(data)))


def _random_behind_its_head(data: bytes, chance: random.Random) -> bytes:
    kept = min(16, len(data))
    return data[:kept] + chance.randbytes(len(data) - kept)


_NOISES = (_flipped, _cut, _random, _random_behind_its_head)


def noise(data: bytes, chance: random.Random) -> bytes:
    """Return ``data`` as a broken BMC might send it; ``chance`` decides how."""
    return chance.choice(_NOISES)(data, chance)
