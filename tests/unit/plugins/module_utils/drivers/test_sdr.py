# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sensor data records (IPMI v2.0, chapters 33 and 43), beside pyghmi's reading of the same bytes."""

from __future__ import annotations

import math
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import sdr, sdr_records, sdr_values
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.script import Request
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.sdr_records import Locator, SensorRecord
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.play import attempt, noise, run
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.sensor_bytes import (
    CELSIUS,
    RPM,
    VOLTS,
    WATTS,
    Full,
    Repository,
    compact,
    controller_locator,
    event_only,
    fru_locator,
    text,
)
from hypothesis import given
from hypothesis import strategies as st
from pyghmi.ipmi.private import constants
from pyghmi.ipmi.sdr import SDREntry

ALL = (Full().bytes(), compact(), event_only(), fru_locator(), controller_locator())


def one(data: bytes) -> SensorRecord:
    decoded = sdr_records.decode(data)
    assert decoded is not None
    (record,) = decoded
    assert isinstance(record, SensorRecord)
    return record


def by_pyghmi(data: bytes) -> Any:
    return SDREntry(bytearray(data), constants)


@pytest.mark.parametrize("data", ALL[:3])
def test_sensors_as_pyghmi_reads_them(data: bytes) -> None:
    ours, theirs = one(data), by_pyghmi(data)
    assert (ours.name, ours.number, ours.kind) == (theirs.name, theirs.sensor_number, theirs.sensor_type_number)
    assert (ours.owner, ours.lun, ours.readable) == (theirs.sensor_owner, theirs.sensor_lun, theirs.readable)
    assert ours.place == f"{theirs.entity} 1"
    assert ours.key == (0x20, 0, ours.number)


def test_locators() -> None:
    assert sdr_records.decode(fru_locator()) == (Locator("PSU 1 FRU", False, 0x20, 4, (0x0A, 1)),)
    assert by_pyghmi(fru_locator()).name == "PSU 1 FRU"
    assert sdr_records.decode(controller_locator()) == (Locator("BMC", True, 0x20, 0, (0x2E, 1)),)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (b"\x42\x12\xa3", "12 3"),
        (b"\x83\x29\xdc\xa6", "IPMI"),  # pyghmi never comes back from this one: it does not shorten what is left
        (b"\x05Caf\xc3\xa9", "Café"),
        (b"\x02\xff\xfe", "\N{REPLACEMENT CHARACTER}" * 2),  # pyghmi stops with UnicodeDecodeError
        (b"\xc8Temp\x00\x00\x00\x00", "Temp"),
        (b"\xc4Temp and what a maker leaves behind it", "Temp"),  # pyghmi takes all there is
        (b"\xdfTemp", "Temp"),
        (b"\xc4T\x1bmp", "Tmp"),
        (b"\xc0", "Sensor 1"),
        (b"", "Sensor 1"),
    ],
)
def test_names(name: bytes, wanted: str) -> None:
    assert one(Full(name=name).bytes()).name == wanted if name else sdr_records.decode(Full(name=name).bytes()) is None


@pytest.mark.parametrize(
    ("sharing", "names", "places"),
    [
        ((0x03, 0x05), ["PSU 5", "PSU 6", "PSU 7"], [1, 1, 1]),
        ((0x13, 0x80), ["PSU A", "PSU B", "PSU C"], [1, 2, 3]),
        ((0x12, 25), ["PSU Z", "PSU AA"], [1, 1]),
        ((0x01, 0x05), ["PSU"], [1]),
    ],
)
def test_shared_records(sharing: tuple[int, int], names: list[str], places: list[int]) -> None:
    """Of pyghmi's there is one sensor only, the first."""
    for data in (compact(text("PSU "), sharing=sharing), event_only(text("PSU "), sharing=sharing)):
        found = [record for record in sdr_records.decode(data) or () if isinstance(record, SensorRecord)]
        assert [record.name for record in found] == names
        assert [record.number - found[0].number for record in found] == list(range(len(names)))
        assert [record.entity[1] for record in found] == places


UNITS = [
    ((0x00, CELSIUS, 0), "°C"),
    ((0x00, RPM, 0), "RPM"),
    ((0x01, 0, 0), "%"),
    ((0x02, VOLTS, 22), "V/s"),
    ((0x04, WATTS, 24), "W hr"),
    ((0x01, 47, 0), "% oz-in"),
]


@pytest.mark.parametrize(("units", "wanted"), UNITS)
def test_units_as_pyghmi_has_them(units: tuple[int, int, int], wanted: str) -> None:
    data = Full(units=units).bytes()
    assert one(data).unit == wanted == by_pyghmi(data).unit_suffix.strip()


def test_units_that_pyghmi_does_not_have() -> None:
    """It leaves out the time, and stops with a KeyError at numbers that table 43-15 leaves out."""
    assert one(Full(units=(0x18, 84, 0)).bytes()).unit == "collision per s"
    assert by_pyghmi(Full(units=(0x18, 84, 0)).bytes()).unit_suffix == "collision"
    assert one(Full(units=(0x38, 59, 0)).bytes()).unit == "unit 59"


@pytest.mark.parametrize("form", [0, 1, 2])
@pytest.mark.parametrize("curve", range(12))
@pytest.mark.parametrize("raw", [1, 3, 0x7F])
def test_values_as_pyghmi_has_them(form: int, curve: int, raw: int) -> None:
    record = Full(units=(form << 6, CELSIUS, 0), curve=curve, m=2, b=5, b_exponent=-1, exponent=-1)
    analog = one(record.bytes()).analog
    assert analog is not None
    assert analog.value(raw) == pytest.approx(by_pyghmi(record.bytes()).decode_value(None, raw), rel=1e-9)


@given(
    st.integers(0, 255),
    st.integers(0, 2),
    st.integers(-512, 511),
    st.integers(-512, 511),
    st.integers(-8, 7),
    st.integers(-8, 7),
)
def test_any_linear_value_as_pyghmi_has_it(raw: int, form: int, m: int, b: int, b_exponent: int, exponent: int) -> None:
    record = Full(units=(form << 6, CELSIUS, 0), m=m, b=b, b_exponent=b_exponent, exponent=exponent)
    analog = one(record.bytes()).analog
    assert analog is not None
    theirs = by_pyghmi(record.bytes())
    number = {0: raw, 1: raw - 255 if raw > 127 else raw, 2: raw - 256 if raw > 127 else raw}[form]
    assert analog.number(raw) == number
    assert analog.value(raw) == pytest.approx(theirs.decode_value(None, number), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("curve", "m", "b", "raw", "wanted"),
    [
        (1, 1, 0, 0, None),
        (7, 1, 0, 0, None),
        (10, -1, 0, 4, None),
        (4, 511, 0, 255, None),
        (11, -1, 0, 27, -3.0),  # the cube root of a negative number; pyghmi's value is a complex one
        (0, 1, 0, 10, 10.0),
    ],
)
def test_where_a_formula_has_no_value(curve: int, m: int, b: int, raw: int, wanted: float | None) -> None:
    analog = one(Full(curve=curve, m=m, b=b).bytes()).analog
    assert analog is not None
    assert analog.value(raw) == wanted


def test_decimal_factors_give_decimal_values() -> None:
    analog = one(Full(m=6, exponent=-2).bytes()).analog
    assert analog is not None
    assert analog.value(201) == 12.06


@pytest.mark.parametrize(
    ("reading", "units", "numeric"),
    [
        (0x6F, (0x00, 0, 0), False),  # a discrete sensor that does not say that it has no number
        (0x6F, (0xC0, CELSIUS, 0), False),
        (0x03, (0x00, WATTS, 0), True),
        (0x03, (0x01, 0, 0), True),
        (0x01, (0xC0, CELSIUS, 0), False),
        (0x01, (0x00, 0, 0), True),
    ],
)
def test_which_sensors_have_numbers(reading: int, units: tuple[int, int, int], numeric: bool) -> None:
    assert (one(Full(reading=reading, units=units).bytes()).analog is not None) is numeric


def test_thresholds_and_their_masks() -> None:
    record = one(Full(readable=0b011010, capabilities=0x18, settable=0x3F).bytes())
    assert record.levels == sdr_values.Levels((None, 5, None, 70, 80, None), True, 2, 3)
    assert one(Full(capabilities=0x0C).bytes()).levels is None
    assert one(Full(capabilities=0x04).bytes()).levels == sdr_values.Levels((2, 5, 10, 70, 80, 90), False, 0, 0)


@pytest.mark.parametrize(
    "data",
    [b"", ALL[0][:4], ALL[0][:47], ALL[1][:31], ALL[2][:16], ALL[3][:15], ALL[0][:2] + b"\x01" + ALL[0][3:]],
)
def test_records_that_cannot_be_read(data: bytes) -> None:
    assert sdr_records.decode(data) is None


def test_records_of_other_kinds_are_left_out() -> None:
    assert sdr_records.decode(b"\x01\x00\x51\xc0\x03abc") == ()


@given(st.binary(max_size=70), st.sampled_from([1, 2, 3, 0x11, 0x12, 0xC0]))
def test_any_record_is_read_without_an_error(body: bytes, kind: int) -> None:
    for record in sdr_records.decode(bytes((1, 0, 0x51, kind, len(body))) + body) or ():
        assert record.name.isprintable()
        if isinstance(record, SensorRecord) and record.analog is not None:
            values = {raw: record.analog.value(raw) for raw in range(256)}
            assert all(value is None or math.isfinite(value) for value in values.values())
            if record.levels is not None:
                sdr_values.thresholds(record.levels, values, record.analog)


READERS = [
    Repository(*ALL),
    Repository(*ALL, strict=True),
    *(Repository(*ALL, most=most) for most in (64, 33, 16, 5)),
    *(Repository(*ALL, most=20, refusal=refusal) for refusal in (0xC7, 0xC8, 0xC9, 0xFF)),
    Repository(*ALL, most=20, losses=3),
    Repository(*ALL, netfn=0x04),
    Repository(*ALL, netfn=0x04, most=16),
]


@pytest.mark.parametrize("bmc", READERS)
def test_every_way_of_reading_gives_the_same(bmc: Repository) -> None:
    found = run(sdr.records(), bmc)
    assert found.warnings == ()
    assert [data[2:] for data in found.found] == [data[2:] for data in ALL]


def test_whole_records_need_no_reservation() -> None:
    bmc = Repository(*ALL)
    run(sdr.records(), bmc)
    assert bmc.reservation == 7
    assert bmc.asked == [(0, 0, 255), *((number, 0, 255) for number in (2, 3, 4, 5))]


def test_size_of_parts_is_learned_once() -> None:
    bmc = Repository(*ALL[:2], most=20)
    run(sdr.records(), bmc)
    refused = [count for _number, _at, count in bmc.asked if count > 20]
    assert refused == [255, 53, 32]


def test_reservation_that_is_lost_each_time() -> None:
    with pytest.raises(MetalError, match="changed, or somebody else reserved them, 5 times") as caught:
        run(sdr.records(), Repository(*ALL, most=20, losses=99))
    assert caught.value.code is ErrorCode.BUSY


def test_records_that_go_round() -> None:
    def bmc(request: Request) -> bytes:
        number = int.from_bytes(request.data[2:4], "little")
        return bytes((number % 3 + 1, 0)) + ALL[1]

    found = run(sdr.records(), bmc)
    assert (len(found.found), found.warnings) == (4, ("the sensor data records come round to record 1 again",))


def test_records_without_end() -> None:
    def bmc(request: Request) -> bytes:
        number = int.from_bytes(request.data[2:4], "little")
        return (number + 1).to_bytes(2, "little") + ALL[1]

    found = run(sdr.records(), bmc)
    assert (len(found.found), found.warnings) == (1000, ("only the first 1000 sensor data records were read",))


def test_parts_that_are_empty() -> None:
    def bmc(request: Request) -> bytes | int:
        if request.command == 0x22:
            return b"\x01\x00"
        at, count = request.data[4:6]
        return 0xCA if count == 0xFF else b"\xff\xff" + (ALL[0][:5] if at == 0 else b"x" * (at == 5))

    with pytest.raises(MetalError, match=r"answers IPMI command 0ah/23h with 2 bytes in place of 3$"):
        run(sdr.records(), bmc)


def test_no_records() -> None:
    found = run(sdr.records(), Repository())
    assert found == sdr.Records((), ("the BMC has no sensor data records",))


def test_records_that_may_not_be_read() -> None:
    with pytest.raises(MetalError) as caught:
        run(sdr.records(), lambda _request: 0xD4)
    assert caught.value.code is ErrorCode.PRIVILEGE


REPLIES = st.lists(
    st.tuples(st.sampled_from([0, 0, 0, 0, 0xC0, 0xC5, 0xC7, 0xCA, 0xCB]), st.binary(max_size=70)),
    min_size=1,
    max_size=20,
)


@given(REPLIES)
def test_any_answers_end_in_a_value_or_an_error(replies: list[tuple[int, bytes]]) -> None:
    assert isinstance(attempt(sdr.records(), noise(replies)), sdr.Records | MetalError)
