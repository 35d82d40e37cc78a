# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finding BMCs, packet by packet: what is sent to whom and how fast, what answers mean, and that any bytes do no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import discovery, frames
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.discovery import Found, Scan
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.console import SYSTEM, make_bmc
from hypothesis import given
from hypothesis import strategies as st

PORT = 623
ONE, TWO = "10.2.0.1", "10.2.0.2"
Answer = Callable[[bytes], Iterable[bytes]]


class Wire:
    """In the place of the sockets: ``bmcs`` by address say what comes back. Time passes when somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, bmcs: dict[str, Answer]) -> None:
        self.bmcs, self.sent, self.now = bmcs, list[tuple[float, str, bytes]](), 0.0
        self.scan: Scan
        monkeypatch.setattr(Scan, "_socket", lambda _scan, _family: self)
        monkeypatch.setattr(discovery, "monotonic", lambda: self.now)
        monkeypatch.setattr(discovery, "ANSWER_SECONDS", 0.001)
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def sendto(self, packet: bytes, place: tuple[str, int]) -> None:
        self.sent.append((self.now, place[0], packet))
        for answer in self.bmcs.get(place[0], lambda _packet: ())(packet):
            self.scan.take(answer, *place)

    def run(self, *addresses: str, rate: float = 1000.0) -> dict[str, Found]:
        async def scan() -> dict[str, Found]:
            self.scan = Scan(PORT, rate)
            return await self.scan.run(addresses)

        return asyncio.run(scan())

    def count(self, address: str) -> int:
        return sum(to == address for _time, to, _packet in self.sent)


def simulated() -> Answer:
    bmc, _switch = make_bmc()

    def answer(packet: bytes) -> list[bytes]:
        found = bmc.receive(packet, ("10.9.9.9", 40000))
        return [found] if found is not None else []

    return answer


def without_pings(packet: bytes) -> Iterable[bytes]:
    return () if packet == frames.PRESENCE_PING else simulated()(packet)


def pings_only(packet: bytes) -> Iterable[bytes]:
    return simulated()(packet) if packet == frames.PRESENCE_PING else ()


def test_a_bmc(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, {ONE: simulated()})
    assert wire.run(TWO, ONE) == {ONE: Found(ONE, PORT, "2.0", str(SYSTEM), None)}
    assert wire.count(ONE) == 3  # a ping, and what it was asked once it had answered
    assert wire.count(TWO) == discovery.PACKETS


def test_a_bmc_that_answers_no_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, {ONE: without_pings})
    assert wire.run(ONE)[ONE].uuid == str(SYSTEM)


def test_something_that_answers_pings_only(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, {ONE: pings_only})
    assert wire.run(ONE) == {ONE: Found(ONE, PORT)}
    assert wire.count(ONE) == 1 + 2 * (discovery.ROUNDS - 1)


def test_answers_that_come_several_times_are_one_bmc(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = simulated()
    wire = Wire(monkeypatch, {ONE: lambda packet: list(answer(packet)) * 3})
    assert list(wire.run(ONE, ONE, ONE)) == [ONE]
    assert wire.count(ONE) == 3


@pytest.mark.parametrize("lost", range(12))
def test_packets_that_get_lost(monkeypatch: pytest.MonkeyPatch, lost: int) -> None:
    """One in three, whichever they are."""
    answer, count = simulated(), iter(range(lost, 1000))
    wire = Wire(monkeypatch, {ONE: lambda packet: () if next(count) % 3 == 0 else answer(packet)})
    assert wire.run(ONE)[ONE].whole


def test_others_than_those_that_were_asked_are_not_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, {})
    answer = simulated()

    def spoofed(packet: bytes) -> Iterable[bytes]:
        for found in answer(packet):
            wire.scan.take(found, "10.2.0.99", PORT)
            wire.scan.take(found, ONE, PORT + 1)
        return ()

    wire.bmcs[ONE] = spoofed
    assert wire.run(ONE) == {}


def changed(packet: bytes, command: int, data: bytes) -> list[bytes]:
    """The answer to a question: the completion code and what follows it."""
    if packet == frames.PRESENCE_PING or packet[-2] == 0 or packet[14 + 5] != command:
        return []
    raw = frames.of_outside(packet)
    assert raw is not None
    body = bytes((0x20, raw[4], command)) + data
    head = bytes((0x81, 0x1C))
    return [frames.outside(head + bytes((-sum(head) & 0xFF,)) + body + bytes((-sum(body) & 0xFF,)))]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("00 01 97 04 03 00 00 00 00", ("2.0", None)),
        ("00 01 97 04 03 a2 02 00 00", ("2.0", 674)),
        ("00 01 97 04 01 00 00 00 00", ("1.5", None)),
        ("00 01 17 04 03 00 00 00 00", ("1.5", None)),
        ("00 01 97 04 03 ff ff ff ff", ("2.0", 0xFFFFF)),
        ("00 01 97", ("1.5", None)),
        ("c1", ("1.5", None)),
        ("00", ("1.5", None)),
    ],
)
def test_versions(monkeypatch: pytest.MonkeyPatch, data: str, found: tuple[str, int | None]) -> None:
    wire = Wire(monkeypatch, {ONE: lambda packet: changed(packet, 0x38, bytes.fromhex(data))})
    told = wire.run(ONE)[ONE]
    assert (told.ipmi, told.maker) == found


@pytest.mark.parametrize(
    ("data", "uuid"),
    [
        ("00 00112233445566778899aabbccddeeff", "33221100-5544-7766-8899-aabbccddeeff"),
        ("00 00112233445566778899aabbccddee", ""),
        ("00 00000000000000000000000000000000", ""),
        ("00 ffffffffffffffffffffffffffffffff", ""),
        ("c1", ""),
        ("cb 00112233445566778899aabbccddeeff", ""),
    ],
)
def test_uuids(monkeypatch: pytest.MonkeyPatch, data: str, uuid: str) -> None:
    def answer(packet: bytes) -> list[bytes]:
        return [*pings_only(packet), *changed(packet, 0x37, bytes.fromhex(data))]

    assert Wire(monkeypatch, {ONE: answer}).run(ONE)[ONE].uuid == uuid


@pytest.mark.parametrize("rate", [10, 1000, 20_000])
def test_the_rate_holds(monkeypatch: pytest.MonkeyPatch, rate: int) -> None:
    """In any second, and at once, whatever is late."""
    wire = Wire(monkeypatch, {})
    wire.run(*(f"10.2.{number // 250}.{number % 250 + 1}" for number in range(rate // 4)), rate=rate)
    times = [time for time, _to, _packet in wire.sent]
    burst = max(1, min(discovery.BURST, int(rate * discovery.BURST_SECONDS)))
    slack = 2 * burst + rate * discovery.BURST_SECONDS
    for first in range(0, len(times), max(1, len(times) // 50)):
        inside = sum(times[first] <= time <= times[first] + 0.5 for time in times[first:])
        assert inside <= rate * 0.5 + slack
    assert times[-1] >= (len(times) - slack) / rate


def test_nothing_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch, {})
    refused = OSError(101, "Network is unreachable")

    def sendto(_packet: bytes, _place: Any) -> None:
        raise refused

    monkeypatch.setattr(wire, "sendto", sendto)
    with pytest.raises(MetalError, match="networks: no packet could be sent from here: Network is unreachable"):
        wire.run(ONE)


def scan_of(*addresses: str) -> Scan:
    scan = Scan(PORT, 1000.0)
    scan._wanted = dict.fromkeys(addresses)
    return scan


@given(st.lists(st.binary(max_size=60) | st.binary(max_size=40).map(frames.outside)))
def test_any_bytes(datagrams: list[bytes]) -> None:
    scan = scan_of(ONE)
    for datagram in datagrams:
        scan.take(datagram, ONE, PORT)
    assert set(scan._found) <= {ONE}


@given(st.binary(max_size=40), st.sampled_from([0x37, 0x38]))
def test_any_answer(data: bytes, command: int) -> None:
    scan = scan_of(ONE)
    for packet in scan._asked:
        for answer in changed(packet, command, data):
            scan.take(answer, ONE, PORT)
    found = scan._found.get(ONE, Found(ONE, PORT))
    assert found.ipmi in ("2.0", "1.5", None)
    assert found.uuid in (None, "") or len(found.uuid or "") == 36
