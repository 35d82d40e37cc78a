# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the engine: thousands of conversations with BMCs in one thread, on a few sockets.

Conversations are generators, not tasks, and the sockets are read until they are empty: a task and a future for every
packet, or asyncio's transports, which read one packet a turn, cost more than twice as much (docs/why/engine.md).

Timers: an answer is waited for three times the BMC's own round trip, measured as RFC 6298 and Karn say, twice as long
each time none came. A request has a deadline, a silence has a limit, and both hold whatever the BMC does.
"""

from __future__ import annotations

import asyncio
import errno
import heapq
import itertools
import socket
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from ..._nodes.errors import ErrorCode, MetalError
from ..base import Target, Withdrawn
from .conversation import Conversation
from .login import Level, Packets, Wait, account
from .resolver import Address, Resolver
from .script import Script
from .window import Window

SOCKETS = 8
"""Of each address family: each has a receive buffer of its own, which holds some 250 packets by Linux's default."""
RECEIVE_BUFFER = 4 << 20
DRAIN = 256
"""Packets read from one socket in one turn of the loop."""
LONGEST = 2048

FIRST_WAIT, LEAST_WAIT, MOST_WAIT = 0.5, 0.25, 3.0
"""Seconds to wait for an answer: before anything is known of the BMC, at least, at most."""
PATIENCE = 3.0
"""How many of the BMC's round trips to wait."""
UNREACHED_SECONDS = 5.0
"""After so long without a first answer a BMC is unreachable; it was asked four times then."""
SILENT_SECONDS = 10.0
"""After so long without an answer in mid-session a BMC has stopped answering; some take seconds over a power command."""
CLOSING_WAIT = 0.5
CLOSING_SECONDS = 4.0
"""Most to wait for the answer to one Close Session, and for all of it."""
TICK = 0.02
"""Seconds between two looks at the timers."""

LOST = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.ECONNREFUSED, errno.EINTR})
"""Errors of sending that are the same as a packet that got lost."""

NO_ANSWER = "no answer from the BMC at {place}; is it cabled and powered, and is IPMI over LAN enabled on it?"


def no_script() -> Script[None]:
    """The script of a conversation that says nothing once it is logged in."""
    yield from ()


class _Talk:
    """A conversation under way, with its timers; times are monotonic seconds."""

    __slots__ = (
        "address",
        "closing",
        "conversation",
        "deadline",
        "due",
        "future",
        "heard",
        "limit",
        "queued",
        "seconds",
        "sent",
        "sock",
        "steps",
        "target",
        "tries",
        "wait",
        "waiting",
    )

    def __init__(
        self,
        target: Target,
        address: Address,
        conversation: Conversation,
        steps: Packets[Any],
        future: asyncio.Future[Any],
        seconds: float,
    ) -> None:
        now = monotonic()
        self.target, self.address, self.conversation, self.future = target, address, conversation, future
        self.steps = steps
        self.sock: socket.socket
        self.seconds, self.deadline = seconds, now + seconds
        self.wait, self.tries = FIRST_WAIT, 0
        self.sent = self.heard = now
        self.limit = UNREACHED_SECONDS
        self.due = self.queued = float("inf")
        self.waiting = self.closing = False


class Engine:
    """Belongs to one event loop. At each BMC there is one conversation at a time; others wait for their turn."""

    def __init__(self) -> None:
        self._window = Window()
        self._resolver = Resolver()
        self._talks: dict[Address, _Talk] = {}
        self._turns: dict[Address, deque[asyncio.Future[None]]] = {}
        self._timers: list[tuple[float, int, _Talk]] = []
        self._serial = itertools.count()
        self._sockets: dict[int, list[socket.socket]] = {}
        self._ticking: asyncio.TimerHandle | None = None
        self._idle: asyncio.Future[None] | None = None

    async def run(self, target: Target, program: Callable[[], Script[Any]], level: Level, seconds: float) -> Any:
        """Log in at the BMC with the privilege ``level``, run the script that ``program`` makes, return its result.

        The session is closed behind the caller's back, also if the caller is cancelled. ``seconds`` count from the
        conversation's turn. Raises: MetalError; Withdrawn if the script does.
        """
        who = account(target.user, target.password, target.kg, level, target.suite)
        conversation = Conversation(who, program)
        return await self._converse(target, conversation, conversation.packets(), seconds)

    async def proof(self, target: Target, passwords: Sequence[str], seconds: float) -> str | None:
        """Return which of ``passwords`` the BMC's account ``target.user`` has, or None; see LogIn.proof().

        Raises: MetalError; code ``auth`` if there is no such account.
        """
        who = account(target.user, "", target.kg, Level.USER, target.suite)
        coded = tuple(password.encode() for password in passwords)
        conversation = Conversation(who, no_script)
        found = await self._converse(target, conversation, conversation.proof(coded), seconds)
        return None if found is None else passwords[coded.index(found)]

    async def _converse(self, target: Target, conversation: Conversation, steps: Packets[Any], seconds: float) -> Any:
        address, family = await self._resolver.resolve(target, seconds)
        async with self._window:
            await self._turn(address)
            future = asyncio.get_running_loop().create_future()
            talk = _Talk(target, address, conversation, steps, future, seconds)
            self._begin(talk, family)
            try:
                return await future
            except asyncio.CancelledError:
                if not talk.closing:
                    self._close(talk)
                raise

    async def close(self) -> None:
        """Wait until the sessions are closed, for CLOSING_SECONDS at most, and give the sockets back."""
        if self._talks:
            self._idle = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._idle], timeout=CLOSING_SECONDS)
        if self._ticking is not None:
            self._ticking.cancel()
        for sockets in self._sockets.values():
            for sock in sockets:
                asyncio.get_running_loop().remove_reader(sock.fileno())
                sock.close()
        self._sockets.clear()

    # -- beginning ---------------------------------------------------------------------------------------------

    async def _turn(self, address: Address) -> None:
        while address in self._talks:
            turn = asyncio.get_running_loop().create_future()
            self._turns.setdefault(address, deque()).append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._next_turn(address)  # it was ours, and nobody else would be told
                raise

    def _begin(self, talk: _Talk, family: int) -> None:
        self._talks[talk.address] = talk
        try:
            sockets = self._open(family)
        except OSError as exc:
            self._over(talk, None, MetalError(ErrorCode.UNREACHABLE, f"no UDP socket to be had: {exc.strerror}"))
            return
        talk.sock = sockets[next(self._serial) % SOCKETS]
        self._step(talk, None)
        if self._ticking is None:
            self._tick_later()

    def _open(self, family: int) -> list[socket.socket]:
        loop, sockets = asyncio.get_running_loop(), self._sockets.setdefault(family, [])
        for _number in range(SOCKETS - len(sockets)):
            sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            loop.add_reader(sock.fileno(), self._readable, sock)
        return sockets

    # -- packets -----------------------------------------------------------------------------------------------

    def _readable(self, sock: socket.socket) -> None:
        talks = self._talks
        for _number in range(DRAIN):
            try:
                datagram, sender = sock.recvfrom(LONGEST)
            except BlockingIOError:
                return
            except OSError:  # an error that an earlier packet met; the next ones may be there all the same
                continue
            talk = talks.get(sender)
            if talk is not None:
                self._step(talk, datagram)

    def _step(self, talk: _Talk, datagram: bytes | None) -> None:
        """Let the conversation have a datagram (None: the time is over), and do what it says."""
        try:
            said = talk.steps.send(datagram)
        except StopIteration as end:
            self._over(talk, end.value, None)
            return
        except (MetalError, Withdrawn) as exc:
            self._over(talk, None, exc)
            return
        except Exception as exc:
            defect = f"a defect in stage0.metal, please report it: {type(exc).__name__}: {exc}"
            self._over(talk, None, MetalError(ErrorCode.INTERNAL, defect))
            return
        if said is not None:
            self._say(talk, said, answered=datagram is not None)

    def _say(self, talk: _Talk, said: bytes | Wait, *, answered: bool) -> None:
        now = monotonic()
        if answered:
            if not talk.tries and not talk.waiting:  # else it is not known which of the packets was answered
                talk.wait = max(LEAST_WAIT, min(MOST_WAIT, PATIENCE * (now - talk.sent)))
            talk.tries, talk.heard, talk.limit = 0, now, SILENT_SECONDS
        if isinstance(said, Wait):
            talk.waiting, packet, wait = True, said.packet, said.seconds
        else:
            talk.waiting, packet, wait = False, said, talk.wait
        talk.sent = now
        talk.due = due = min(now + wait, talk.deadline)
        if due < talk.queued:
            talk.queued = due
            heapq.heappush(self._timers, (due, next(self._serial), talk))
        if packet:
            self._send(talk, packet)

    def _send(self, talk: _Talk, packet: bytes) -> None:
        try:
            talk.sock.sendto(packet, talk.address)
        except OSError as exc:
            if exc.errno not in LOST:
                heard = talk.limit != UNREACHED_SECONDS
                why = f"the BMC at {talk.target.place} cannot be reached from here{' any more' if heard else ''}: {exc.strerror}"
                self._over(talk, None, MetalError(ErrorCode.TIMEOUT if heard else ErrorCode.UNREACHABLE, why))

    # -- timers ------------------------------------------------------------------------------------------------

    def _tick_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._ticking = loop.call_at(loop.time() + TICK, self._tick)

    def _tick(self) -> None:
        now, timers = monotonic(), self._timers
        if self._ticking is not None:
            self._window.late(asyncio.get_running_loop().time() - self._ticking.when())
        while timers and timers[0][0] <= now:
            queued, _serial, talk = heapq.heappop(timers)
            if queued != talk.queued or self._talks.get(talk.address) is not talk:
                continue
            talk.queued = float("inf")
            if talk.due > now:
                talk.queued = talk.due
                heapq.heappush(timers, (talk.due, next(self._serial), talk))
            else:
                self._late(talk, now)
        if self._talks:
            self._tick_later()
        else:
            self._ticking = None

    def _late(self, talk: _Talk, now: float) -> None:
        """No answer came in time, or a wait is over."""
        if now >= talk.deadline:
            why = f"no answer from the BMC at {talk.target.place} within {talk.seconds:.0f} s"
            self._over(talk, None, MetalError(ErrorCode.TIMEOUT, why))
            return
        if talk.waiting:
            talk.heard = now
        else:
            talk.tries += 1
            talk.wait = min(CLOSING_WAIT if talk.closing else MOST_WAIT, talk.wait * 2)
            if now - talk.heard >= talk.limit and not talk.closing:
                self._over(talk, None, self._silent(talk))
                return
        self._step(talk, None)

    def _silent(self, talk: _Talk) -> MetalError:
        if talk.limit == UNREACHED_SECONDS:
            return MetalError(ErrorCode.UNREACHABLE, NO_ANSWER.format(place=talk.target.place))
        return MetalError(ErrorCode.TIMEOUT, f"the BMC at {talk.target.place} stopped answering in mid-session")

    # -- ending ------------------------------------------------------------------------------------------------

    def _over(self, talk: _Talk, value: Any, error: Exception | None) -> None:
        if talk.closing:
            self._gone(talk)
            return
        if not talk.future.done():
            if error is None:
                talk.future.set_result(value)
            else:
                talk.future.set_exception(error)
        self._close(talk)

    def _close(self, talk: _Talk) -> None:
        """Begin to close the session; nobody waits for it but the next conversation with this BMC, and close()."""
        talk.closing = True
        talk.steps.close()
        talk.steps = talk.conversation.closing()
        talk.tries, talk.wait = 0, min(talk.wait, CLOSING_WAIT)
        talk.deadline = monotonic() + CLOSING_SECONDS
        self._step(talk, None)

    def _gone(self, talk: _Talk) -> None:
        if self._talks.get(talk.address) is not talk:
            return
        del self._talks[talk.address]
        self._next_turn(talk.address)
        if self._idle is not None and not self._talks and not self._idle.done():
            self._idle.set_result(None)

    def _next_turn(self, address: Address) -> None:
        turns = self._turns.get(address)
        while turns:
            turn = turns.popleft()
            if not turn.done():
                turn.set_result(None)
                break
        if turns is not None and not turns:
            del self._turns[address]
