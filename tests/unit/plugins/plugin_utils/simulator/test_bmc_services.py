# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import random
import struct

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.bmc import Bmc
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.network import noise
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.console import (
    PEER,
    Clock,
    Console,
    Switch,
    make_bmc,
)


def administrator(*faults: str, clock: Clock | None = None) -> tuple[Console, Bmc, Switch]:
    bmc, switch = make_bmc(*faults, clock=clock)
    return Console(bmc).log_in().administrator(), bmc, switch


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (3, "0a010203"),
        (4, "02"),
        (6, "ffff0000"),
        (12, "0a0100fe"),
        (20, "2a80"),
        (51, "01"),
        (65, "fd24000000000000000000000000000a"),
    ],
)
def test_a_lan_parameter_is_set_and_read(number: int, value: str) -> None:
    console, _bmc, _switch = administrator()
    assert console.command(0x0C, 1, bytes((1, number)) + bytes.fromhex(value)) == (0, b"")
    assert console.command(0x0C, 2, bytes((1, number, 0, 0))) == (0, b"\x11" + bytes.fromhex(value))
    # the rack's own address is still where it answers
    assert console.command(0, 1)[0] == 0


def test_sets_of_ipv6_addresses() -> None:
    console, _bmc, _switch = administrator()
    address = bytes((1, 0x80)) + bytes.fromhex("fd24000000000000000000000000000b") + b"\x40\x00"
    assert console.command(0x0C, 1, b"\x01\x38" + address) == (0, b"")
    assert console.command(0x0C, 2, b"\x01\x38\x01\x00") == (0, b"\x11" + address)
    assert console.command(0x0C, 2, b"\x01\x38\x00\x00")[1][2] == 0
    assert console.command(0x0C, 2, b"\x01\x38\x02\x00") == (0x80, b"")
    assert console.command(0x0C, 2, b"\x01\x3a\x00\x01")[1][:3] == b"\x11\x00\x01"
    assert console.command(0x0C, 2, b"\x01\x3a\x00\x02") == (0xC9, b"")


def test_what_a_lan_parameter_refuses() -> None:
    console, _bmc, _switch = administrator()
    assert console.command(0x0C, 1, b"\x01\x05" + bytes(6)) == (0x82, b"")
    assert console.command(0x0C, 1, b"\x01\x63" + bytes(6)) == (0x80, b"")
    assert console.command(0x0C, 1, b"\x01\x03\x0a\x01") == (0xC7, b"")
    assert console.command(0x0C, 2, b"\x07\x03\x00\x00") == (0xCC, b"")
    assert console.command(0x0C, 2, b"\x81\x00\x00\x00") == (0, b"\x11")
    assert [console.command(0x0C, 1, bytes((1, 0, state)))[0] for state in (1, 1, 2, 1, 0)] == [0, 0x81, 0, 0, 0]


@pytest.mark.parametrize(("command", "seconds"), [(2, 5.0), (3, 2.5)])
def test_a_reset_ends_sessions_and_is_silent(command: int, seconds: float) -> None:
    clock = Clock()
    console, bmc, _switch = administrator(clock=clock)
    console.command(0, 4, b"\x00\x01")
    assert console.command(6, command) == (0, b"")
    assert bmc.sessions.active() == []
    assert bmc.counters.resets == 1
    ping = bytes.fromhex("0600ff06000011be80170000")
    clock.now += seconds - 0.1
    assert bmc.receive(ping, PEER) is None
    clock.now += 0.2
    assert bmc.receive(ping, PEER) is not None
    assert console.send(console.datagram(console.message(0, 1))) is None
    assert Console(bmc).log_in().command(0, 1)[1][2] == 0x40


def test_a_reset_in_mid_session_comes_once() -> None:
    clock = Clock()
    bmc, _switch = make_bmc("reset_mid_session:2", clock=clock)
    console = Console(bmc).log_in()
    assert [console.command(0, 1)[0] for _turn in range(2)] == [0, 0]
    assert console.send(console.datagram(console.message(0, 1))) is None
    assert bmc._faults.names() == []
    clock.now += 10
    console = Console(bmc).log_in()
    assert [console.command(0, 1)[0] for _turn in range(5)] == [0] * 5


def test_busy_is_not_for_ever_and_not_for_closing() -> None:
    bmc, switch = make_bmc("busy:50")
    console = Console(bmc).log_in()
    codes = [console.command(0, 1)[0] for _turn in range(60)]
    assert set(codes) == {0, 0xC0}
    bmc._faults.clear()
    console.administrator()
    bmc, switch = make_bmc("busy:100")
    console = Console(bmc).log_in()
    message = console.message(0, 1)
    first = console.send(console.datagram(message))
    assert first is not None
    assert first[6] == 0xC0
    bmc._faults.clear()
    again = console.send(console.datagram(message))
    assert again is not None
    assert again[6] == 0
    assert switch.actions == []
    assert console.command(6, 0x3C, struct.pack("<I", console.bmc_id)) == (0, b"")


def test_noise_is_noise_and_the_same_for_the_same_seed() -> None:
    data = bytes(range(48))
    made = [noise(data, random.Random(seed)) for seed in range(200)]
    assert made == [noise(data, random.Random(seed)) for seed in range(200)]
    assert len(set(made)) > 150
    assert {len(found) < len(data) for found in made} == {True, False}


def sol_in(console: Console, packet: bytes) -> bytes | None:
    """Send a serial over LAN packet; return the one that answers it."""
    reply = console.bmc.receive(console.datagram(packet, payload_type=1), PEER)
    if reply is None:
        return None
    assert reply[5] == 0xC1
    return console.read(reply)[1]


def sol_out(console: Console) -> list[bytes]:
    found = console.bmc.tick()
    assert found is not None
    return [console.read(datagram)[1] for datagram, _peer in found]


ACTIVATE = bytes((1, 1, 0xC0, 0, 0, 0))


def test_a_console_prints_counts_and_echoes() -> None:
    clock = Clock()
    bmc, switch = make_bmc(clock=clock, history=lambda: ["POST", "loader"])
    console = Console(bmc).log_in().administrator()
    woken: list[bool] = []
    bmc.wake = lambda: woken.append(True)
    code, data = console.command(6, 0x48, ACTIVATE)
    assert (code, data[4:], woken) == (0, struct.pack("<HHHH", 204, 204, 6230, 0xFFFF), [True])
    (packet,) = sol_out(console)
    assert packet == b"\x01\x00\x00\x00POST\r\nloader\r\n"
    assert sol_out(console) == []
    clock.now += 0.11
    assert sol_out(console) == [packet]
    # only the first four characters arrived: the rest comes again under a new number
    assert sol_in(console, b"\x00\x01\x04\x00") is None
    assert sol_out(console) == [b"\x02\x00\x00\x00\r\nloader\r\n"]
    assert sol_in(console, b"\x00\x02\x0a\x00") is None
    switch.powered = True
    assert sol_out(console) == []
    assert sol_in(console, b"\x03\x00\x00\x00ls\r") == b"\x00\x03\x03\x00"
    assert sol_in(console, b"\x03\x00\x00\x00ls\r") == b"\x00\x03\x03\x00"
    bmc.said("kernel")
    switch.power_on_seconds += 1
    (packet,) = sol_out(console)
    assert packet[0] == 3
    assert packet[4:] == b"ls\r\nn01 login: kernel\r\nn01: 7301 s\r\n"
    sol_in(console, bytes((0, 3, 1, 0x40)))
    assert sol_out(console)[0][4:] == packet[5:]


def test_a_packet_that_nobody_acknowledges_is_given_up() -> None:
    clock = Clock()
    bmc, _switch = make_bmc(clock=clock, history=lambda: ["x" * 300])
    console = Console(bmc).log_in().administrator()
    console.command(6, 0x48, ACTIVATE)
    numbers = []
    for _turn in range(12):
        numbers += [packet[0] for packet in sol_out(console)]
        clock.now += 0.11
    assert numbers == [1] * 8 + [2] * 4


def test_who_has_the_console() -> None:
    bmc, _switch = make_bmc()
    one, two = Console(bmc).log_in().administrator(), Console(bmc).log_in().administrator()
    assert one.command(6, 0x49, b"\x01\x01" + bytes(4)) == (0x80, b"")
    assert one.command(6, 0x48, bytes((1, 1, 0, 0, 0, 0))) == (0x84, b"")
    assert one.command(6, 0x48, bytes((2, 1, 0xC0, 0, 0, 0))) == (0xCC, b"")
    assert one.command(6, 0x48, ACTIVATE)[0] == 0
    assert two.command(6, 0x48, ACTIVATE) == (0x80, b"")
    assert two.command(6, 0x4A, b"\x01") == (0, b"\x01\x01\x00")
    assert two.command(6, 0x4B, b"\x01\x01")[1][:4] == struct.pack("<I", one.bmc_id)
    assert two.bmc.receive(two.datagram(b"\x01\x00\x00\x00x", payload_type=1), PEER) is None
    assert two.command(6, 0x49, b"\x01\x01" + bytes(4)) == (0, b"")
    assert sol_out(one) == [b"\x00\x00\x00\x10"]
    assert bmc.tick() is None
    assert two.command(6, 0x48, ACTIVATE)[0] == 0
    two.command(6, 0x3C, struct.pack("<I", two.bmc_id))
    assert bmc.tick() is None
    assert one.command(6, 0x48, ACTIVATE)[0] == 0


def test_sol_configuration() -> None:
    console, _bmc, _switch = administrator()
    assert console.command(0x0C, 0x22, b"\x01\x02\x00\x00") == (0, b"\x11\xc4")
    assert console.command(0x0C, 0x21, b"\x01\x01\x00") == (0, b"")
    assert console.command(6, 0x48, ACTIVATE) == (0x81, b"")
    assert console.command(0x0C, 0x21, b"\x01\x07\x02") == (0x82, b"")
    assert console.command(0x0C, 0x21, b"\x01\x63\x02") == (0x80, b"")
    assert console.command(0x0C, 0x21, b"\x01\x04\x02") == (0xC7, b"")
    assert console.command(0x0C, 0x22, b"\x01\x63\x00\x00") == (0x80, b"")
    assert console.command(6, 0x4E, b"\x01")[1][0] == 0x03
