# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import struct

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.machine import Happening
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.models import MODELS
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.console import Clock, Console, make_bmc

NOW = 1_800_000_000
EVENT = bytes((0, 0, 2, 9, 9, 9, 9, 0x20, 0, 4, 1, 0x10, 1, 0x57, 30, 20))


def logged_in(name: str = "ss240", clock: Clock | None = None) -> Console:
    bmc, _switch = make_bmc(model=MODELS[name], clock=clock)
    return Console(bmc).log_in().administrator()


def info(console: Console) -> tuple[int, ...]:
    code, data = console.command(0x0A, 0x40)
    assert code == 0
    return struct.unpack("<BHHIIB", data)


def reserve(console: Console) -> bytes:
    code, data = console.command(0x0A, 0x42)
    assert code == 0
    return data


def entries(console: Console) -> list[bytes]:
    found: list[bytes] = []
    number = 0
    while number != 0xFFFF and len(found) < 100:
        code, data = console.command(0x0A, 0x43, struct.pack("<HHBB", 0, number, 0, 0xFF))
        if code == 0xCB and not found:
            return []
        assert code == 0
        (number,) = struct.unpack_from("<H", data)
        found.append(data[2:])
    return found


def test_the_life_of_the_machine_is_in_the_log() -> None:
    clock = Clock()
    console = logged_in(clock=clock)
    assert entries(console) == []
    assert info(console)[1:5] == (0, 512 * 16, 0xFFFFFFFF, 0xFFFFFFFF)
    for what in (Happening.POWER_ON, Happening.BOOT, Happening.POWER_OFF):
        console.bmc.happened(what)
        clock.now += 10
    found = entries(console)
    assert [struct.unpack("<HBI", entry[:7]) for entry in found] == [(1, 2, NOW), (2, 2, NOW + 10), (3, 2, NOW + 20)]
    # type, number, direction and event type, offset
    assert [entry[10:14].hex() for entry in found] == ["0930ef00", "1d406f00", "09306f00"]
    assert info(console)[1:5] == (3, 509 * 16, NOW + 20, 0xFFFFFFFF)


def test_a_model_without_such_a_sensor_does_not_log() -> None:
    console = logged_in("ss100")
    console.bmc.happened(Happening.DIAGNOSTIC)
    assert entries(console) == []


def test_an_entry_is_read_in_pieces() -> None:
    console = logged_in()
    assert console.command(0x0A, 0x44, EVENT) == (0, b"\x01\x00")
    reservation = reserve(console)
    part = console.command(0x0A, 0x43, reservation + b"\x01\x00\x0a\x03")
    assert part == (0, b"\xff\xff" + EVENT[10:13])
    console.command(0x0A, 0x44, EVENT)
    assert console.command(0x0A, 0x43, reservation + b"\x01\x00\x0a\x03") == (0xC5, b"")
    assert console.command(0x0A, 0x43, reserve(console) + b"\x01\x00\x10\xff") == (0xC9, b"")


def test_times_are_the_bmcs_own_unless_the_entry_has_none() -> None:
    console = logged_in()
    assert console.command(0x0A, 0x48) == (0, struct.pack("<I", NOW))
    assert console.command(0x0A, 0x49, struct.pack("<I", 1000)) == (0, b"")
    for kind in (0x02, 0xC5, 0xE1):
        console.command(0x0A, 0x44, EVENT[:2] + bytes((kind,)) + EVENT[3:])
    assert [entry[3:7] for entry in entries(console)] == [struct.pack("<I", 1000)] * 2 + [b"\x09\x09\x09\x09"]


def test_clearing_takes_a_moment_and_a_reservation() -> None:
    console = logged_in()
    console.command(0x0A, 0x44, EVENT)
    held = reserve(console)
    console.command(0x0A, 0x44, EVENT)
    assert console.command(0x0A, 0x47, held + b"CLR\xaa") == (0xC5, b"")
    assert console.command(0x0A, 0x47, reserve(console) + b"CLX\xaa") == (0xCC, b"")
    held = reserve(console)
    assert console.command(0x0A, 0x47, held + b"CLR\xaa") == (0, b"\x00")
    assert console.command(0x0A, 0x47, held + b"CLR\x00") == (0, b"\x00")
    assert console.command(0x0A, 0x47, held + b"CLR\x00") == (0, b"\x01")
    assert console.command(0x0A, 0x47, held + b"CLR\xaa") == (0xC5, b"")
    assert entries(console) == []
    assert info(console)[4] == NOW


def test_a_cleared_log_of_some_bmcs_says_so() -> None:
    console = logged_in("ss480")
    console.command(0x0A, 0x47, reserve(console) + b"CLR\xaa")
    (entry,) = entries(console)
    assert entry[10:14].hex() == "10616f02"


def test_a_full_log_loses_what_comes_and_says_so() -> None:
    console = logged_in("ss100")
    for _turn in range(32):
        assert console.command(0x0A, 0x44, EVENT)[0] == 0
    assert info(console)[5] == 0x0A
    assert console.command(0x0A, 0x44, EVENT) == (0xC4, b"")
    assert info(console)[1:3] == (32, 0)
    assert info(console)[5] == 0x8A
    console.command(0x0A, 0x47, reserve(console) + b"CLR\xaa")
    assert info(console)[5] == 0x0A


@pytest.mark.parametrize(("wanted", "gone"), [(0, 1), (2, 2), (0xFFFF, 3)])
def test_one_entry_is_deleted(wanted: int, gone: int) -> None:
    console = logged_in()
    for _turn in range(3):
        console.command(0x0A, 0x44, EVENT)
    held = reserve(console)
    assert console.command(0x0A, 0x46, held + struct.pack("<H", wanted)) == (0, struct.pack("<H", gone))
    assert console.command(0x0A, 0x46, held + struct.pack("<H", wanted)) == (0xC5, b"")
    assert console.command(0x0A, 0x46, reserve(console) + struct.pack("<H", gone)) == (0xCB, b"")
    assert [entry[0] for entry in entries(console)] == [number for number in (1, 2, 3) if number != gone]
