# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import struct

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.bmc import SESSION_TIMEOUT_SECONDS
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.command_table import PowerAction
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.model_ss240 import SS240
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.console import (
    PEER,
    SYSTEM,
    Clock,
    Console,
    Refused,
    make_bmc,
    summed,
)

CHASSIS_STATUS = (0, 1)


def power(console: Console) -> bool:
    code, data = console.command(*CHASSIS_STATUS)
    assert code == 0
    return bool(data[0] & 1)


@pytest.mark.parametrize("suite", [3, 17])
def test_a_session_from_log_in_to_close(suite: int) -> None:
    bmc, switch = make_bmc()
    console = Console(bmc, suite).log_in().administrator()
    assert console.guid == SYSTEM.bytes_le
    assert not power(console)
    assert console.command(0, 2, b"\x01") == (0, b"")
    assert power(console)
    assert switch.actions == [PowerAction.ON]
    assert len(bmc.sessions.active()) == 1
    assert console.command(6, 0x3C, struct.pack("<I", console.bmc_id)) == (0, b"")
    assert bmc.sessions.active() == []
    assert console.send(console.datagram(console.message(*CHASSIS_STATUS))) is None
    assert (bmc.counters.sessions_opened, bmc.counters.sessions_closed) == (1, 1)


def test_what_is_asked_before_a_session() -> None:
    bmc, _switch = make_bmc()
    message = summed(bytes((0x20, 0x18))) + summed(bytes((0x81, 0x04, 0x38, 0x8E, 0x04)))
    reply = bmc.receive(bytes((6, 0, 0xFF, 7)) + bytes(9) + bytes((len(message),)) + message, PEER)
    assert reply is not None
    # channel 1, IPMI 2.0 data, names are not null, RMCP+
    assert reply[20:25] == bytes((0x00, 0x01, 0x80, 0x04, 0x02))
    forbidden = summed(bytes((0x20, 0x00))) + summed(bytes((0x81, 0x04, 0x01)))
    reply = bmc.receive(bytes((6, 0, 0xFF, 7)) + bytes(9) + bytes((len(forbidden),)) + forbidden, PEER)
    assert reply is not None
    assert reply[20] == 0xD4


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"password": b"wrong"}, 0x0F),
        ({"user": b"nobody"}, 0x0D),
        ({"role": 0x15}, 0x0A),
        ({"user": b"a-name-of-more-than-16"}, 0x0C),
        ({"role": 0x16}, 0x09),
        ({"auth": 2}, 0x04),
        ({"integrity": 2}, 0x05),
        ({"confidentiality": 0}, 0x10),
        ({"auth": 1}, 0x11),
    ],
)
def test_a_log_in_that_must_not_succeed(change: dict[str, object], status: int) -> None:
    bmc, _switch = make_bmc()
    console = Console(bmc)
    for name, value in change.items():
        setattr(console, name, value)
    with pytest.raises(Refused) as caught:
        console.log_in()
    assert caught.value.status == status
    assert bmc.sessions.active() == []


def test_a_wrong_code_in_message_three_ends_the_log_in() -> None:
    bmc, _switch = make_bmc()
    console = Console(bmc)
    console.open()
    answer = console.exchange(0x12, console.rakp1_message())
    assert answer is not None
    console.password = b"guess"
    answer = console.exchange(0x14, console.rakp3_message(answer[8:24]))
    assert answer is not None
    assert answer[1] == 0x0F
    assert bmc.counters.bad_auth == 1
    assert bmc.sessions.find(console.bmc_id) is None


def test_a_console_that_gives_up_gets_its_slot_freed() -> None:
    bmc, _switch = make_bmc()
    console = Console(bmc)
    console.open()
    assert console.exchange(0x12, console.rakp1_message()) is not None
    assert console.exchange(0x14, struct.pack("<BBHI", 2, 0x0F, 0, console.bmc_id)) is None
    assert bmc.sessions.find(console.bmc_id) is None


def test_repeated_log_in_messages_get_the_same_answers() -> None:
    bmc, _switch = make_bmc(slots=1)
    console = Console(bmc)
    console.open()
    first = console.bmc_id
    console.open(tag=5)
    assert console.bmc_id == first
    one = console.exchange(0x12, console.rakp1_message(tag=1))
    two = console.exchange(0x12, console.rakp1_message(tag=9))
    assert one is not None
    assert two is not None
    assert two[0] == 9
    assert two[1:] == one[1:]
    console.check_rakp2(one)
    message = console.rakp3_message(one[8:24])
    answers = [console.exchange(0x14, message) for _turn in range(2)]
    assert answers[0] == answers[1]
    assert answers[0] is not None
    console.check_rakp4(answers[0])
    assert bmc.counters.sessions_opened == 1
    # a stray message 3 does not disturb the session that stands
    console.exchange(0x14, message[:-1] + b"\x00")
    assert not power(console)


def test_a_wrong_authentication_code_is_dropped() -> None:
    bmc, _switch = make_bmc()
    console = Console(bmc).log_in()
    datagram = console.datagram(console.message(*CHASSIS_STATUS))
    assert console.send(datagram[:-1] + bytes((datagram[-1] ^ 1,))) is None
    assert bmc.counters.bad_auth == 1
    assert console.send(datagram) is not None


def test_a_repeated_request_is_answered_the_same_and_done_once() -> None:
    bmc, switch = make_bmc()
    console = Console(bmc).log_in().administrator()
    message = console.message(0, 2, b"\x01")
    datagram = console.datagram(message)
    replies = [console.send(datagram), console.send(datagram), console.send(console.datagram(message))]
    assert replies[0] is not None
    assert replies[0] == replies[1] == replies[2]
    assert switch.actions == [PowerAction.ON]
    assert bmc.counters.repeated == 2


def test_an_old_packet_is_not_carried_out_again() -> None:
    clock = Clock()
    bmc, switch = make_bmc(clock=clock)
    console = Console(bmc).log_in().administrator()
    recorded = console.datagram(console.message(0, 2, b"\x01"))
    assert console.send(recorded) is not None
    console.command(*CHASSIS_STATUS)
    assert console.send(recorded) is None
    for _turn in range(20):
        console.command(*CHASSIS_STATUS)
    assert console.send(recorded) is None
    assert switch.actions == [PowerAction.ON]


def test_packets_may_overtake_each_other_within_the_window() -> None:
    bmc, _switch = make_bmc()
    console = Console(bmc).log_in()
    late = console.datagram(console.message(*CHASSIS_STATUS))
    assert console.send(console.datagram(console.message(*CHASSIS_STATUS))) is not None
    assert console.send(late) is not None
    assert console.send(console.datagram(console.message(*CHASSIS_STATUS), sequence=1_000_000)) is None


def test_reply_sequence_numbers_count_up() -> None:
    bmc, _switch = make_bmc()
    console = Console(bmc).log_in()
    numbers = []
    for _turn in range(3):
        reply = bmc.receive(console.datagram(console.message(*CHASSIS_STATUS)), PEER)
        assert reply is not None
        numbers.append(console.read(reply)[0])
    assert numbers == [1, 2, 3]


def test_slots_run_out_and_come_back_by_silence() -> None:
    clock = Clock()
    bmc, _switch = make_bmc(clock=clock, slots=2)
    for _turn in range(2):
        Console(bmc).log_in()
    with pytest.raises(Refused) as caught:
        Console(bmc).log_in()
    assert caught.value.status == 0x01
    clock.now += SESSION_TIMEOUT_SECONDS + 1
    Console(bmc).log_in()
    assert bmc.counters.sessions_expired == 2
    assert bmc.counters.sessions_refused == 1
    assert len(bmc.sessions.active()) == 1


def test_a_half_open_log_in_gives_way() -> None:
    clock = Clock()
    bmc, _switch = make_bmc(clock=clock, slots=1)
    Console(bmc).open()
    with pytest.raises(Refused):
        Console(bmc).open()
    clock.now += 3
    Console(bmc).log_in()


def test_privileges_are_kept_apart() -> None:
    bmc, switch = make_bmc()
    console = Console(bmc).log_in()
    assert console.command(*CHASSIS_STATUS)[0] == 0
    assert console.command(0, 2, b"\x01") == (0xD4, b"")
    assert switch.actions == []
    limited = Console(bmc)
    limited.role = 0x12
    limited.log_in()
    assert limited.command(6, 0x3B, b"\x04") == (0x81, b"")
    assert limited.command(6, 0x3B, b"\x00") == (0, b"\x02")


@pytest.mark.parametrize(
    ("netfn", "command", "data", "code"),
    [
        (0x30, 0x30, b"", 0xC1),
        (0x00, 0x7F, b"", 0xC1),
        (0x00, 0x02, b"", 0xC7),
        (0x00, 0x02, b"\x09", 0xCC),
        (0x00, 0x02, b"\x03", 0xD5),
        (0x00, 0x02, b"\x02", 0xD5),
        (0x00, 0x08, b"\x63\x01", 0x80),
        (0x00, 0x08, b"\x05\x80", 0xC7),
        (0x00, 0x09, b"\x63\x00\x00", 0x80),
        (0x06, 0x3C, b"\x01\x02\x03\x04", 0x87),
        (0x06, 0x44, b"\x01\x3f", 0xCC),
        (0x0A, 0x10, b"\x07", 0xCB),
        (0x0A, 0x11, b"\x00\xff\xff\x10", 0xC9),
        (0x0A, 0x11, b"\x00\x00\x00\xff", 0xCA),
        (0x0A, 0x23, b"\x00\x00\x63\x00\x00\xff", 0xCB),
        (0x0A, 0x43, b"\x00\x00\x00\x00\x00\xff", 0xCB),
        (0x04, 0x2D, b"\x63", 0xCB),
        (0x0C, 0x02, b"\x01\x63\x00\x00", 0x80),
    ],
)
def test_completion_codes(netfn: int, command: int, data: bytes, code: int) -> None:
    bmc, _switch = make_bmc()
    console = Console(bmc).log_in().administrator()
    assert console.command(netfn, command, data) == (code, b"")


def test_boot_flags_over_the_wire() -> None:
    bmc, _switch = make_bmc()
    console = Console(bmc).log_in().administrator()
    assert console.command(0, 8, bytes((5, 0xE0, 0x04, 0, 0, 0))) == (0, b"")
    assert console.command(0, 9, bytes((5, 0, 0))) == (0, bytes((1, 5, 0xE0, 0x04, 0, 0, 0)))


def test_identify_lamp() -> None:
    clock = Clock()
    bmc, _switch = make_bmc(clock=clock)
    console = Console(bmc).log_in().administrator()

    def lamp() -> int:
        return console.command(*CHASSIS_STATUS)[1][2] >> 4 & 3

    assert lamp() == 0
    console.command(0, 4)
    assert lamp() == 1
    clock.now += 16
    assert lamp() == 0
    console.command(0, 4, b"\x00\x01")
    assert lamp() == 2
    console.command(0, 4, b"\x00")
    assert lamp() == 0


def test_fru_and_records_can_be_read_in_pieces() -> None:
    bmc, _switch = make_bmc()
    console = Console(bmc).log_in()
    code, data = console.command(0x0A, 0x10, b"\x00")
    assert code == 0
    (size,) = struct.unpack_from("<H", data)
    area = b""
    while len(area) < size:
        code, data = console.command(0x0A, 0x11, struct.pack("<BHB", 0, len(area), 20))
        assert code == 0
        area += data[1:]
    assert len(area) == size
    assert b"SIM0001" in area
    assert sum(area[:8]) % 256 == 0
    number, records = 0, []
    while number != 0xFFFF:
        code, data = console.command(0x0A, 0x23, struct.pack("<HHBB", 0, number, 0, 0xFF))
        assert code == 0
        (number,) = struct.unpack_from("<H", data)
        assert data[6] == len(data) - 7
        records.append(data)
    assert len(records) == len(SS240.records)


def test_faults_of_the_log_in() -> None:
    bmc, _switch = make_bmc("wrong_password")
    with pytest.raises(Refused) as caught:
        Console(bmc).log_in()
    assert caught.value.status == 0x0F
    bmc, _switch = make_bmc("session_table_full")
    with pytest.raises(Refused) as caught:
        Console(bmc).log_in()
    assert caught.value.status == 0x01


@pytest.mark.parametrize("junk", [b"", b"\x06", b"\x06\x00\xff\x07", b"\x06\x00\xff\x07\x02" + bytes(40), bytes(64)])
def test_junk_is_not_answered(junk: bytes) -> None:
    bmc, _switch = make_bmc()
    assert bmc.receive(junk, PEER) is None
    assert bmc.counters.packets_refused == 1
