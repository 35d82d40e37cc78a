# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A million mutated packets (``make fuzz``; some thousand otherwise): a value or a typed error each time, and an end.

One half is spoilt on the wire, where most of it fails its authentication code; the other half behind it, as by a BMC
that signs nonsense.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers import sensing
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import chassis, fru, sel, sensors
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.login import Level
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.script import Reply, Request, Script
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import (
    Attempt,
    BootDevice,
    BootOverride,
    PowerAction,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.line import Wire, conversation, wire_to
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.console import Clock, make_bmc
from hypothesis import settings

PACKETS = 50_000 if settings().max_examples < 500 else 1_000_000
"""Of each half."""
MOST_STEPS = 20_000
pytestmark = pytest.mark.hypothesis

PROGRAMS: list[Callable[[], Script[Any]]] = [
    chassis.power_state,
    lambda: chassis.power(PowerAction.ON, None, Attempt()),
    lambda: chassis.set_boot_override(BootOverride(BootDevice.NETWORK), None),
    fru.inventory,
    sensors.sensors,
    lambda: sel.entries(sensing.Since(), lambda: 1_700_000_000.0),
]


def spoilt(chance: random.Random, datagram: bytes) -> bytes:
    """Return a datagram with flipped bits, cut short, with bytes too many, or of noise."""
    kind = chance.randrange(6)
    data = bytearray(datagram)
    if kind == 0:
        return datagram[: chance.randrange(len(data) + 1)]
    if kind == 1:
        return bytes(data) + chance.randbytes(chance.randrange(1, 40))
    if kind == 2:
        return chance.randbytes(chance.randrange(0, 300))
    for _flip in range(chance.choice((1, 1, 1, 2, 8))):
        if data:
            data[chance.randrange(len(data))] = chance.choice((0, 0xFF, 0x7F, 0x80, chance.randrange(256)))
    return bytes(data)


def test_packets_that_are_spoilt_on_the_wire() -> None:
    chance, count, ends = random.Random(1), 0, {"value": 0, "error": 0}
    while count < PACKETS:
        clock = Clock()
        bmc, _switch = make_bmc(clock=clock)

        def replies(datagram: bytes) -> Iterable[bytes]:
            nonlocal count
            bad = [spoilt(chance, datagram) for _copy in range(chance.randrange(20))]
            count += len(bad)
            return bad if chance.random() < 0.02 else (*bad, datagram)

        talk = conversation(chance.choice(PROGRAMS), Level.OPERATOR)
        wire: Wire = wire_to(bmc, clock, replies=replies)
        try:
            wire.run(talk.packets(), most=MOST_STEPS)
            ends["value"] += 1
        except MetalError:
            ends["error"] += 1
        wire.run(talk.closing(), most=MOST_STEPS)
    assert ends["value"] > 10
    assert ends["error"] > 10


def spoilt_reply(chance: random.Random, reply: Reply) -> Reply:
    if chance.random() < 0.1:
        return Reply(chance.choice((0xC0, 0xC1, 0xC5, 0xC9, 0xCA, 0xCB, 0xD4, 0xFF, chance.randrange(256))), reply.data)
    return Reply(reply.completion, spoilt(chance, reply.data))


def honest(program: Callable[[], Script[Any]]) -> list[Reply]:
    """Return what the simulated BMC answers to a program, in order."""
    bmc, _switch = make_bmc()
    heard: list[Reply] = []

    class Overheard(Iterator[Any]):
        """The script, with somebody listening in."""

        def __init__(self) -> None:
            self._script = program()
            self._step: Any = None

        def __next__(self) -> Any:
            self._step = next(self._script)
            return self._step

        def send(self, reply: Reply) -> Any:
            if isinstance(self._step, Request):
                heard.append(reply)
            self._step = self._script.send(reply)
            return self._step

        def close(self) -> None:
            self._script.close()

    overheard: Any = Overheard
    wire_to(bmc).run(conversation(overheard, Level.OPERATOR).packets(), most=MOST_STEPS)
    return heard


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_answers_that_are_signed_nonsense(number: int) -> None:
    program, chance, count = PROGRAMS[number], random.Random(number), 0
    heard = honest(program)
    while count < PACKETS // len(PROGRAMS):
        script = program()
        spoil = chance.choice((0.02, 0.2, 0.9))
        try:
            step = next(script)
            for index in range(MOST_STEPS):
                reply = heard[index] if index < len(heard) else chance.choice(heard)
                if isinstance(step, Request) and chance.random() < spoil:
                    count += 1
                    reply = spoilt_reply(chance, reply)
                step = script.send(reply)
            raise AssertionError("the script comes to no end")
        except (StopIteration, MetalError):
            count += 1
