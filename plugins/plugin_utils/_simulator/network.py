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
_DRAIN = 32
"""Datagrams read from one socket in one turn of the loop; asyncio's own transports read one."""


class BmcSocket:
    """The socket of one BMC. ``chance`` decides, repeatably, which packets a lossy wire loses."""

    def __init__(self, bmc: Bmc, faults: FaultSet, chance: random.Random) -> None:
        self._bmc = bmc
        self._faults = faults
        self._chance = chance
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Bind the BMC's address and begin to answer. Raises MetalError (conflict) if the address is taken."""
        identity = self._bmc.identity
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            sock.bind((identity.address, identity.port))
        except OSError as exc:
            sock.close()
            raise MetalError(
                ErrorCode.CONFLICT,
                f"the BMC address {identity.address}:{identity.port} cannot be used ({exc.strerror}); "
                "is another simulator running? choose another --bind or --port",
                node=identity.name,
            ) from exc
        self._socket = sock
        asyncio.get_running_loop().add_reader(sock.fileno(), self._readable, sock)

    def close(self) -> None:
        """Stop answering."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _readable(self, sock: socket.socket) -> None:
        for _turn in range(_DRAIN):
            try:
                datagram, peer = sock.recvfrom(_LONGEST)
            except OSError:
                return
            self._arrived(datagram, peer)

    def _arrived(self, datagram: bytes, peer: Peer) -> None:
        if self._faults.active(Fault.DEAD) or self._lost():
            return
        delay = self._faults.value(Fault.SLOW)
        if delay is None:
            self._answer(datagram, peer)
            return
        asyncio.get_running_loop().call_later(delay, self._answer, datagram, peer)

    def _answer(self, datagram: bytes, peer: Peer) -> None:
        if self._socket is None:
            return
        reply = self._bmc.receive(datagram, peer)
        if reply is None or self._lost():
            return
        # the client may be gone, or the socket's buffer full: the datagram is lost, as on a real network
        with contextlib.suppress(OSError):
            self._socket.sendto(reply, peer)

    def _lost(self) -> bool:
        percent = self._faults.value(Fault.LOSSY)
        if percent is None or self._chance.random() * 100.0 >= percent:
            return False
        self._bmc.counters.packets_lost += 1
        return True
