# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a wire between a conversation and a simulated BMC, without sockets and without waiting.

The BMC is written from the specification and not from the driver, with an implementation of its own of all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import login
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.chassis import power_state
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.conversation import Conversation
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.login import Level, Wait
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.script import Script
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.console import PEER, Clock

MOST = 400
"""Steps after which a conversation is taken for one without an end."""

Change = Callable[[bytes], Iterable[bytes]]


def the_same(datagram: bytes) -> Iterable[bytes]:
    return (datagram,)


@dataclass
class Wire:
    """``requests`` and ``replies`` say what becomes of a datagram: itself, nothing, several. ``clock``: the BMC's."""

    receive: Callable[[bytes], bytes | None]
    requests: Change = the_same
    replies: Change = the_same
    clock: Clock = field(default_factory=Clock)
    sent: list[bytes] = field(default_factory=list)

    def run(self, steps: Any, most: int = MOST, stop_after: int | None = None) -> Any:
        """Run a conversation's packets to their end and return what it returns; None if it is stopped before,
        behind the packet with the number ``stop_after``."""
        waiting: list[bytes] = []
        try:
            said = next(steps)
            for number in range(most):
                if isinstance(said, Wait):
                    self.clock.now += said.seconds
                    packet = said.packet
                else:
                    packet = said or b""
                if packet:
                    self.sent.append(packet)
                    waiting += self._carried(packet)
                if number == stop_after:
                    steps.close()
                    return None
                if waiting:
                    said = steps.send(waiting.pop(0))
                else:
                    self.clock.now += 0.5
                    said = steps.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError("the conversation comes to no end")

    def _carried(self, packet: bytes) -> list[bytes]:
        answers = (self.receive(each) for each in self.requests(packet))
        return [each for answer in answers if answer is not None for each in self.replies(answer)]


def wire_to(bmc: Any, clock: Clock | None = None, requests: Change = the_same, replies: Change = the_same) -> Wire:
    """Return the wire to a simulated BMC."""
    return Wire(lambda datagram: bmc.receive(datagram, PEER), requests, replies, clock or Clock())


def conversation(
    program: Callable[[], Script[Any]] = power_state,
    level: Level = Level.USER,
    *,
    user: str = "admin",
    password: str = "secret",
    kg: str = "",
    suite: int | None = None,
) -> Conversation:
    return Conversation(login.account(user, password, kg, level, suite), program)


def talk(wire: Wire, conversation_: Conversation, **how: Any) -> Any:
    """Run a conversation and close it, whatever comes of it."""
    try:
        return wire.run(conversation_.packets(), **how)
    finally:
        wire.run(conversation_.closing())


class Losing:
    """Loses the packets with these numbers, counted from 0."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers
        self.count = -1

    def __call__(self, datagram: bytes) -> Iterable[bytes]:
        self.count += 1
        return () if self.count in self.numbers else (datagram,)
