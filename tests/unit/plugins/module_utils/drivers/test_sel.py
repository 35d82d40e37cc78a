# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The system event log (IPMI v2.0, chapters 31 and 32), beside pyghmi's reading of the same bytes."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import sel, sel_text, sensors
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.script import Request
from ansible_collections.stage0.metal.plugins.module_utils._drivers.sensing import (
    EventLog,
    Health,
    LogEntry,
    LogMark,
    Since,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.play import (
    Bmc,
    Player,
    attempt,
    noise,
    run,
)
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.sensor_bytes import (
    Full,
    Repository,
    compact,
)
from hypothesis import given
from hypothesis import strategies as st
from pyghmi.constants import Health as TheirHealth
from pyghmi.ipmi.events import EventHandler
from pyghmi.ipmi.private import constants
from pyghmi.ipmi.sdr import SDREntry

START = 1_790_000_000
"""2026-09-21T13:33:20Z."""
RECORDS = (Full().bytes(), compact())
NAMES = {record.key: record for record in sensors.decode(RECORDS)[0]}


def entry(
    number: int = 1,
    *,
    seconds: int = START,
    kind: int = 0x01,
    sensor: int = 1,
    reading: int = 0x01,
    data: tuple[int, int, int] = (0x59, 85, 80),
    owner: int = 0x20,
    lun: int = 0,
    left: bool = False,
) -> bytes:
    head = struct.pack("<HBIBBB", number, 0x02, seconds, owner, lun, 0x04)
    return head + bytes((kind, sensor, reading | left << 7, *data))


class TheirSdr:
    """What pyghmi's event handler asks of an SDR."""

    fru: dict[int, Any] = {}  # noqa: RUF012

    def __init__(self) -> None:
        found = [SDREntry(bytearray(data), constants) for data in RECORDS]
        self.sensors = {f"{one.sensor_owner}.{one.sensor_number}.{one.sensor_lun}": one for one in found}


def by_pyghmi(data: bytes) -> dict[str, Any]:
    oem = SimpleNamespace(process_event=lambda *_: None)
    command = SimpleNamespace(get_event_constants=lambda: constants, _oem=oem)
    event: dict[str, Any] = EventHandler(TheirSdr(), command)._sel_decode(bytearray(data))
    return event


def health(event: dict[str, Any]) -> Health:
    severity = event.get("severity", 0)
    if severity & (TheirHealth.Critical | TheirHealth.Failed):
        return Health.CRITICAL
    return Health.WARNING if severity & TheirHealth.Warning else Health.OK


def test_threshold_event() -> None:
    data = entry(7)
    assert sel_text.decode(data, NAMES) == LogEntry(
        id=7,
        time="2026-09-21T14:13:20Z",
        sensor="Inlet Temp",
        number=1,
        kind="temperature",
        event="Upper critical",
        detail="reading 85 °C, threshold 80 °C",
        asserted=True,
        severity=Health.CRITICAL,
        raw=data.hex(),
    )


EVENTS = [
    entry(),
    entry(left=True),
    entry(kind=0x08, sensor=3, reading=0x6F, data=(0x01, 0xFF, 0xFF)),
    entry(kind=0x08, sensor=3, reading=0x6F, data=(0x01, 0xFF, 0xFF), left=True),
    entry(kind=0x08, sensor=3, reading=0x0B, data=(0x01, 0xFF, 0xFF)),
    entry(kind=0x08, sensor=3, reading=0x0B, data=(0x00, 0xFF, 0xFF), left=True),
    entry(kind=0x0F, sensor=99, reading=0x6F, data=(0xC2, 0x13, 0xFF), owner=0x21),
    entry(kind=0x12, sensor=98, reading=0x6F, data=(0xC5, 0x80, 0xFF)),
    entry(kind=0x08, sensor=3, reading=0x6F, data=(0x36, 0xFF, 0x02)),
]


@pytest.mark.parametrize("data", EVENTS)
def test_events_as_pyghmi_reads_them(data: bytes) -> None:
    ours, theirs = sel_text.decode(data, NAMES), by_pyghmi(data)
    assert (ours.id, ours.event, ours.severity) == (theirs["record_id"], theirs["event"], health(theirs))
    assert ours.asserted is not theirs["deassertion"]
    assert ours.sensor == (None if str(theirs["component"]).startswith("Sensor ") else theirs["component"])
    if "event_data" in theirs:
        assert ours.detail == theirs["event_data"]


@given(
    st.binary(min_size=3, max_size=3),
    st.integers(0, 0x2C),
    st.sampled_from([*range(1, 0x0D), 0x6F, 0x70]),
    st.booleans(),
)
def test_any_event_as_pyghmi_words_it(data: bytes, kind: int, reading: int, left: bool) -> None:
    """For what has no word, pyghmi says nothing and we say the number."""
    raw = entry(kind=kind, sensor=77, reading=reading, data=(data[0], data[1], data[2]), left=left)
    ours, theirs = sel_text.decode(raw, NAMES), by_pyghmi(raw)
    assert ours.event == theirs.get("event") or (not theirs.get("event") and f"of type {reading:02x}h" in ours.event)
    assert ours.event.isprintable()


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (0, None),
        (0x20000000, None),
        (0xFFFFFFFF, None),
        (0x20000001, "1987-01-05T18:48:33Z"),
        (0xFFFFFFFE, "2106-02-07T06:28:14Z"),
    ],
)
def test_times(seconds: int, wanted: str | None) -> None:
    assert sel_text.decode(entry(seconds=seconds), NAMES).time == wanted


def test_generator_decides_whose_sensor_it_is() -> None:
    assert sel_text.decode(entry(owner=0x2C), NAMES).sensor is None
    assert sel_text.decode(entry(lun=1), NAMES).sensor is None
    assert sel_text.decode(entry(lun=0x40), NAMES).sensor == "Inlet Temp"  # bits 7:4 are a channel


def test_sensor_of_another_type_keeps_its_name_and_the_event_its_kind() -> None:
    found = sel_text.decode(entry(kind=0x04), NAMES)
    assert (found.sensor, found.kind) == ("Inlet Temp", "fan")


def test_raw_values_where_nothing_is_known_of_the_sensor() -> None:
    assert sel_text.decode(entry(sensor=77), NAMES).detail == "reading 55h, threshold 50h"
    assert sel_text.decode(entry(data=(0x09, 85, 80)), NAMES).detail is None


def test_entries_of_makers() -> None:
    timed = struct.pack("<HBI", 5, 0xC1, START) + bytes.fromhex("a20200010203040506")
    found = sel_text.decode(timed, NAMES)
    assert (found.time, found.kind, found.asserted, found.severity) == (
        "2026-09-21T14:13:20Z",
        "oem",
        None,
        Health.UNKNOWN,
    )
    assert found.event == "entry of type c1h of maker 674: 010203040506"
    assert by_pyghmi(timed)["oemid"] == b"\xa2\x02\x00"
    untimed = struct.pack("<HB", 6, 0xE0) + bytes(range(13))
    assert sel_text.decode(untimed, NAMES).event == "entry of type e0h: 000102030405060708090a0b0c"
    assert sel_text.decode(untimed, NAMES).time is None


def test_kernel_panic() -> None:
    data = struct.pack("<HBBB", 9, 0xF0, 0x20, 0) + b"Oops: fat\x00l"
    found = sel_text.decode(data, NAMES)
    assert (found.event, found.severity) == ("Linux kernel panic: Oops: fat", Health.CRITICAL)
    assert by_pyghmi(data)["event"] == found.event


def test_entry_that_is_too_short() -> None:
    found = sel_text.decode(b"\x07\x00\x02abc", NAMES)
    assert (found.id, found.event, found.raw) == (7, "an entry of 6 bytes", "070002616263")


@given(st.binary(max_size=20))
def test_any_entry_is_read_without_an_error(data: bytes) -> None:
    found = sel_text.decode(data, NAMES)
    assert found.event.isprintable()
    assert found.raw == data[:16].hex()


class Log:
    """A BMC with an event log.

    ``strict``: entries need a reservation. ``exact``: entries are read by their size only. ``polls``: how often the
    erasure is still going on. ``incoming``: entries that come just before the log is cleared. ``tells``: it logs that
    it was cleared. ``reserves``: False for a BMC without reservations. ``loses``: the completion code that the repetition of
    the clearing meets, whose first answer got lost.
    """

    def __init__(self, *found: bytes, **how: Any) -> None:
        self.entries = list(found)
        self.strict, self.exact = how.get("strict", False), how.get("exact", False)
        self.polls, self.incoming = how.get("polls", 0), list(how.get("incoming", ()))
        self.tells, self.reserves = how.get("tells", False), how.get("reserves", True)
        self.overflow, self.clock = how.get("overflow", False), how.get("clock", START + 100)
        self.added = how.get("added", START)
        self.reservation: int | None = None
        self.sensors: Bmc = Repository(*RECORDS)
        self.erasing: int | None = None
        self.erased, self.loses = 0, how.get("loses", 0)

    def __call__(self, request: Request) -> bytes | int:
        verbs: dict[int, Any] = {
            0x40: self._info,
            0x42: self._reserve,
            0x43: self._get,
            0x47: self._clear,
            0x48: lambda _data: struct.pack("<I", self.clock),
        }
        if request.netfn == 0x0A and request.command in verbs:
            answer: bytes | int = verbs[request.command](request.data)
            return answer
        other = self.sensors(request)
        assert isinstance(other, bytes | int)
        return other

    def _info(self, _data: bytes) -> bytes:
        return struct.pack("<BHHIIB", 0x51, len(self.entries), 4096, self.added, self.erased, 0x02 | self.overflow << 7)

    def _reserve(self, _data: bytes) -> bytes | int:
        self.reservation = (self.reservation or 0) + 1
        return struct.pack("<H", self.reservation) if self.reserves else 0xC1

    def _get(self, data: bytes) -> bytes | int:
        reservation, number, _offset, count = struct.unpack("<HHBB", data)
        if self.strict and reservation != self.reservation:
            return 0xC5
        if self.exact and count == 0xFF:
            return 0xCA
        numbers = [int.from_bytes(found[:2], "little") for found in self.entries]
        number = {0: numbers[0], 0xFFFF: numbers[-1]}.get(number, number) if numbers else number
        if number not in numbers:
            return 0xCB
        at = numbers.index(number)
        following = numbers[at + 1] if at + 1 < len(numbers) else 0xFFFF
        return struct.pack("<H", following) + self.entries[at]

    def _clear(self, data: bytes) -> bytes | int:
        if self.incoming:
            self.add(self.incoming.pop(0))
        reservation, letters, action = struct.unpack("<H3sB", data)
        assert letters == b"CLR"
        if self.reserves and reservation != self.reservation:
            return 0xC5
        if action == 0xAA:
            self.entries, self.erasing = [], self.polls
            self.erased = self.clock if self.clock else 0
            if self.tells:
                self.add(entry(1, kind=0x10, sensor=9, reading=0x6F, data=(0x02, 0xFF, 0xFF)))
            self.reservation = None if self.loses else self.reservation
            if self.loses:
                return int(self.loses)
        self.erasing = (self.erasing or 0) - (action == 0)
        return bytes((0x01 if self.erasing <= 0 else 0x00,))

    def add(self, data: bytes) -> None:
        self.entries.append(data)
        self.added += 1
        self.reservation = None


def read(bmc: Any, **since: Any) -> EventLog:
    return run(sel.entries(Since(**since), lambda: START + 90.0), bmc)


def three(**how: Any) -> Log:
    return Log(*(entry(number, seconds=START + number) for number in (1, 2, 3)), **how)


@pytest.mark.parametrize("bmc", [three(), three(strict=True), three(exact=True), three(strict=True, exact=True)])
def test_reading(bmc: Log) -> None:
    found = read(bmc)
    assert [one.id for one in found.entries] == [1, 2, 3]
    assert {one.sensor for one in found.entries} == {"Inlet Temp"}
    assert (found.total, found.mark, found.clock_offset) == (3, LogMark(3, START), 10)
    assert (found.overflow, found.warnings) == (False, ())


def test_empty_log_costs_two_questions() -> None:
    player = Player(Log(clock=5, overflow=True))
    found = player.run(sel.entries(Since(), lambda: 0.0))
    assert (found.entries, found.clock_offset, found.overflow) == ((), None, True)
    assert [request.command for request in player.sent] == [0x40, 0x48]


def test_log_of_a_bmc_without_sensor_records() -> None:
    log = Log(entry(1, sensor=3, kind=0x08, reading=0x6F, data=(1, 0, 0)))
    log.sensors = lambda _request: 0xD0
    found = read(log)
    assert [(one.sensor, one.event) for one in found.entries] == [(None, "Failure")]
    assert found.warnings[0].startswith(
        "sensors have no names, since their records cannot be read: the BMC is updating"
    )


def numbers(*found: int, seconds: dict[int, int] | None = None) -> Log:
    return Log(*(entry(number, seconds=(seconds or {}).get(number, START + number)) for number in found))


@pytest.mark.parametrize(
    ("log", "last", "wanted", "most"),
    [
        (numbers(*range(10, 30)), 3, [27, 28, 29], 5),
        (numbers(1, 2, 5, 6), 2, [5, 6], 6),
        (numbers(7, 8, 1, 2), 3, [8, 1, 2], 6),
        (numbers(1, 2), 9, [1, 2], 4),
        (numbers(1, 2), 0, [], 4),
    ],
)
def test_last_entries(log: Log, last: int, wanted: list[int], most: int) -> None:
    """Only they are read where the numbers are without a gap."""
    player = Player(log)
    found = player.run(sel.entries(Since(last=last), lambda: 0.0))
    assert [one.id for one in found.entries] == wanted
    assert sum(request.command == 0x43 for request in player.sent) <= most


@pytest.mark.parametrize(
    ("after", "wanted"),
    [
        (entry(2, seconds=START + 2).hex(), [3]),
        (entry(3, seconds=START + 3).hex(), []),
        (entry(2, seconds=START + 77).hex(), [1, 2, 3]),
        (entry(9, seconds=START + 9).hex(), [1, 2, 3]),
        ("0000", [1, 2, 3]),
        ("what", [1, 2, 3]),
    ],
)
def test_entries_after_one(after: str, wanted: list[int]) -> None:
    assert [one.id for one in read(three(), after=after).entries] == wanted


@pytest.mark.parametrize(
    ("moment", "seconds", "wanted"),
    [
        ("2026-09-21T14:13:22Z", {}, [2, 3, 4]),
        ("2026-09-21T14:13:22Z", {1: 5}, [1, 2, 3, 4]),
        ("2027-01-01T00:00:00Z", {3: 5, 4: 6}, [3, 4]),
        ("2026-09-21T14:13:22Z", {3: 0x30000000}, [2, 3, 4]),
        ("2020-01-01T00:00:00Z", {}, [1, 2, 3, 4]),
        ("2027-01-01T00:00:00Z", {}, []),
    ],
)
def test_entries_since_a_time(moment: str, seconds: dict[int, int], wanted: list[int]) -> None:
    """Those without a time come from before the BMC's clock was set: they may be newer."""
    assert [one.id for one in read(numbers(1, 2, 3, 4, seconds=seconds), time=moment).entries] == wanted


def test_entries_that_go_round() -> None:
    def bmc(request: Request) -> bytes | int:
        if request.command == 0x43:
            number = int.from_bytes(request.data[2:4], "little")
            return struct.pack("<H", number % 3 + 1) + entry(number or 1)
        return Log(entry())(request)

    found = read(bmc)
    assert len(found.entries) == 4
    assert found.warnings == ("the entries of the event log come round to entry 1 again",)


def test_entry_that_disappears() -> None:
    def bmc(request: Request) -> bytes | int:
        if request.command == 0x43 and request.data[2:4] != b"\0\0":
            return 0xCB
        return three()(request)

    assert read(bmc).warnings == ("entry 2 of the event log is not there any more",)


def test_log_that_is_reserved_by_others_all_the_time() -> None:
    def bmc(request: Request) -> bytes | int:
        return 0xC5 if request.command == 0x43 else three()(request)

    with pytest.raises(MetalError, match="changed 4 times while one of its entries was read") as caught:
        read(bmc)
    assert caught.value.code is ErrorCode.BUSY


@pytest.mark.parametrize("how", [{}, {"polls": 3}, {"polls": 3, "tells": True}, {"reserves": False}])
def test_clearing(how: dict[str, Any]) -> None:
    log = three(**how)
    mark = read(log).mark
    run(sel.clear(mark), log)
    left = read(log).entries
    assert [one.housekeeping for one in left] == ([True] if how.get("tells") else [])


def test_nothing_to_clear() -> None:
    player = Player(Log())
    player.run(sel.clear(LogMark(0, START)))
    assert 0x47 not in [request.command for request in player.sent]


def test_entry_that_came_since_is_not_lost() -> None:
    log = three()
    mark = read(log).mark
    log.add(entry(4))
    with pytest.raises(MetalError, match=r"\(3 entries then, 4 now\); nothing was cleared$") as caught:
        run(sel.clear(mark), log)
    assert caught.value.code is ErrorCode.CONFLICT
    assert len(log.entries) == 4


def test_entry_that_comes_at_the_last_moment_is_not_lost() -> None:
    log = three(incoming=[entry(4)])
    with pytest.raises(MetalError, match="nothing was cleared") as caught:
        run(sel.clear(read(log).mark), log)
    assert caught.value.code is ErrorCode.CONFLICT
    assert len(log.entries) == 4


@pytest.mark.parametrize("completion", [0xC5, 0xCF])
@pytest.mark.parametrize(
    "how", [{}, {"polls": 3}, {"tells": True}, {"clock": 0}, {"clock": 0, "tells": True}, {"reserves": False}]
)
def test_clearing_whose_answer_got_lost_is_a_clearing(how: dict[str, Any], completion: int) -> None:
    log = three(loses=completion, **how)
    run(sel.clear(read(log).mark), log)
    assert len(log.entries) == bool(how.get("tells"))


class Slow(Log):
    """Refuses the clearing, as it would a repetition of it, and counts its entries until the end of the erasure."""

    def _clear(self, data: bytes) -> bytes | int:
        if data[5] == 0xAA:
            self.erasing = 3
            return 0xC5
        assert self.erasing is not None
        self.erasing -= 1
        if self.erasing:
            return b"\x00"
        self.entries = []
        return b"\x01"


def test_clearing_whose_answer_got_lost_and_that_goes_on() -> None:
    player = Player(Slow(entry(1), entry(2)))
    player.run(sel.clear(read(player.bmc).mark))
    assert read(player.bmc).total == 0
    assert player.paused == 1.0


def test_single_entry_in_whose_place_comes_the_one_of_the_clearing() -> None:
    log = Log(entry(1), loses=0xC5, tells=True)
    run(sel.clear(read(log).mark), log)
    assert read(log).entries[0].housekeeping


def test_erasure_without_end() -> None:
    log = three(polls=1000)
    player = Player(log)
    with pytest.raises(MetalError, match=r"^the BMC is still erasing its event log after 30 s$") as caught:
        player.run(sel.clear(read(log).mark))
    assert caught.value.code is ErrorCode.NOT_REACHED
    assert player.paused == 30


REPLIES = st.lists(
    st.tuples(st.sampled_from([0, 0, 0, 0, 0, 0xC0, 0xC5, 0xCA, 0xCB]), st.binary(max_size=24)), min_size=1, max_size=20
)


@given(REPLIES)
def test_any_answers_end_in_a_value_or_an_error(replies: list[tuple[int, bytes]]) -> None:
    for since in (Since(), Since(last=3), Since(after=entry().hex()), Since(time="2026-01-01T00:00:00Z")):
        found = attempt(sel.entries(since, lambda: 0.0), noise(replies))
        assert isinstance(found, EventLog | MetalError)
    assert isinstance(attempt(sel.clear(LogMark(1, 0)), noise(replies)), MetalError | None)
