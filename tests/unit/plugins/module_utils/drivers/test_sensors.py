# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sensor readings and their health (IPMI v2.0, 35.14 and chapter 42), beside pyghmi's reading of the same bytes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import sensors, severity, words
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.script import Request
from ansible_collections.stage0.metal.plugins.module_utils._drivers.sensing import (
    KINDS,
    Health,
    Readings,
    Sensor,
    Thresholds,
    worst,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.play import Player, attempt, noise, run
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.sensor_bytes import (
    DRIVE,
    FAN,
    OTHER,
    RPM,
    THRESHOLD,
    VOLTAGE,
    VOLTS,
    WATTS,
    Full,
    Repository,
    compact,
    event_only,
    text,
)
from hypothesis import given
from hypothesis import strategies as st
from pyghmi.constants import Health as TheirHealth
from pyghmi.ipmi.private import constants
from pyghmi.ipmi.sdr import SDREntry

OK, WARNING, CRITICAL, UNKNOWN = Health.OK, Health.WARNING, Health.CRITICAL, Health.UNKNOWN


def read(*records: bytes, readings: dict[int, bytes | int], **more: Any) -> Readings:
    return run(sensors.sensors(), Repository(*records, readings=readings, **more))


def one(record: bytes, reading: bytes | int, **more: Any) -> Sensor:
    (found,) = read(record, readings={record[7]: reading}, **more).sensors
    return found


LIMITS = Thresholds(2, 5, 10, 70, 80, 90, hysteresis_up=2, hysteresis_down=3)


def test_a_temperature() -> None:
    assert one(Full().bytes(), b"\x16\xc0\xc0") == Sensor(
        name="Inlet Temp",
        kind="temperature",
        place="Air inlet 1",
        value=22.0,
        unit="°C",
        states=(),
        thresholds=LIMITS,
        health=OK,
        available=True,
    )


@pytest.mark.parametrize(
    ("bits", "states", "health"),
    [
        (0b000000, (), OK),
        (0b001000, ("upper_non_critical",), WARNING),
        (0b011000, ("upper_non_critical", "upper_critical"), CRITICAL),
        (0b111000, ("upper_non_critical", "upper_critical", "upper_non_recoverable"), CRITICAL),
        (0b000001, ("lower_non_critical",), WARNING),
        (0b000010, ("lower_critical",), CRITICAL),
        (0b000100, ("lower_non_recoverable",), CRITICAL),
        (0b11000000, (), OK),
    ],
)
def test_thresholds_that_are_crossed(bits: int, states: tuple[str, ...], health: Health) -> None:
    data = bytes((85, 0xC0, bits))
    ours = one(Full().bytes(), data)
    theirs = SDREntry(bytearray(Full().bytes()), constants).decode_sensor_reading(None, data)
    assert (ours.states, ours.health) == (states, health)
    spelt = [text.removesuffix(" threshold").replace(" ", "_").replace("-", "_") for text in theirs.states]
    assert sorted(ours.states) == sorted(spelt)
    assert ours.health == by_pyghmi(theirs.health)


def by_pyghmi(health: int) -> Health:
    """Their flags: failed and critical are one to us."""
    if health & (TheirHealth.Critical | TheirHealth.Failed):
        return CRITICAL
    return WARNING if health & TheirHealth.Warning else OK


@given(
    st.binary(min_size=3, max_size=4),
    st.booleans(),
    st.sampled_from([0, 1, 2]),
    st.integers(-512, 511),
    st.integers(-3, 2),
)
def test_any_reading_of_numbers_as_pyghmi_has_it(data: bytes, fast: bool, form: int, m: int, exponent: int) -> None:
    record = Full(
        kind=FAN if fast else VOLTAGE, units=(form << 6, RPM if fast else VOLTS, 0), m=m or 1, exponent=exponent
    )
    ours = one(record.bytes(), data)
    theirs = SDREntry(bytearray(record.bytes()), constants).decode_sensor_reading(None, data)
    assert ours.available is not bool(theirs.unavailable)
    assert (ours.name, ours.unit) == (theirs.name, theirs.units)
    if ours.available:
        assert ours.value == pytest.approx(theirs.value, rel=1e-6, abs=1e-9)
        assert ours.health == by_pyghmi(theirs.health)


@given(
    st.integers(0, 0x7FFF),
    st.sampled_from([*range(2, 0x0D), 0x6F]),
    st.sampled_from(sorted(constants.sensor_type_codes)),
)
def test_any_states_as_pyghmi_names_them(bits: int, reading: int, kind: int) -> None:
    record = compact(kind=kind, reading=reading)
    data = b"\x00\xc0" + bits.to_bytes(2, "little")
    ours = one(record, data)
    theirs = SDREntry(bytearray(record), constants).decode_sensor_reading(None, data)
    named = [text for text in theirs.states if not text.startswith("Unknown state")]
    assert [state for state in ours.states if not state.startswith("state ")] == named
    assert len(ours.states) == len(theirs.states) == bits.bit_count()


DIFFERENT = {
    (0x0A, 6): (WARNING, CRITICAL, "a unit that is degraded still runs"),
    **{(0x05, offset): (WARNING, CRITICAL, "the chassis was opened: somebody should look") for offset in range(7)},
    **{(0x06, offset): (WARNING, CRITICAL, "a wrong password was typed") for offset in range(6)},
    (0x08, 2): (WARNING, CRITICAL, "a power supply that is expected to fail"),
    (0x09, 3): (WARNING, OK, "an interlock took the power away"),
    (0x09, 4): (CRITICAL, WARNING, "no power comes in"),
    (0x10, 4): (WARNING, OK, "the log is full: events are lost"),
    (0x10, 5): (WARNING, OK, "the log is almost full"),
    (0x1D, 4): (OK, WARNING, "a boot into diagnostics was asked for"),
    (0x1F, 9): (WARNING, OK, "an installation was aborted"),
    (0x20, 4): (OK, WARNING, "a shutdown was asked for"),
    (0x21, 6): (OK, WARNING, "removal was asked for"),
    (0x21, 8): (OK, WARNING, "somebody disabled the slot"),
    **{(0x23, offset): (WARNING, OK, "the watchdog acted") for offset in (1, 2, 3)},
    (0x23, 0): (WARNING, CRITICAL, "the watchdog expired, and did nothing"),
    (0x2A, 3): (WARNING, CRITICAL, "an account was disabled for wrong passwords"),
}
"""Where pyghmi thinks otherwise: our health, theirs, why."""


def test_what_is_a_failure_beside_pyghmi() -> None:
    rows = [(row, 0x6F, offsets) for row, offsets in constants.sensor_type_offsets.items()]
    rows += [(row, row, offsets) for row, offsets in constants.generic_type_offsets.items()]
    for row, reading, offsets in rows:
        for offset, meaning in offsets.items():
            ours, theirs = severity.of_state(row, reading, offset), by_pyghmi(meaning["severity"])
            known = DIFFERENT.get((row, offset), (theirs, theirs, ""))
            if reading != 0x6F and row != 0x0A:
                known = (theirs, theirs, "")
            assert (ours, theirs) == known[:2], (hex(row), offset, meaning["desc"])


def test_every_kind_has_a_word() -> None:
    kinds = {re.sub("[^a-z]+", "_", name.lower()) for name in constants.sensor_type_codes.values()} - {"psu_redundancy"}
    assert kinds | {"power", "energy", "oem", "unknown"} == set(KINDS)
    assert {words.kind(number) for number in range(256)} == set(KINDS) - {"power", "energy"}


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (Full(kind=OTHER, units=(0, WATTS, 0)), "power"),
        (Full(kind=OTHER, units=(4, WATTS, 24)), "energy"),
        (Full(kind=OTHER, units=(1, 0, 0)), "other"),
        (Full(kind=0xC6), "oem"),
        (Full(kind=0x2F), "unknown"),
    ],
)
def test_kinds(record: Full, kind: str) -> None:
    assert one(record.bytes(), b"\x01\xc0\x00").kind == kind


@pytest.mark.parametrize("reading", [b"\x16\x80\x00", b"\x16\xe0\x00", 0xCB, 0xCE, 0xD5])
def test_sensors_that_cannot_be_read_now(reading: bytes | int) -> None:
    """Scanning disabled, reading unavailable, not there, cannot be told, not in this state."""
    found = one(Full().bytes(), reading)
    assert (found.available, found.value, found.states, found.health) == (False, None, (), UNKNOWN)


def test_sensors_that_may_not_be_read() -> None:
    with pytest.raises(MetalError) as caught:
        one(Full().bytes(), 0xD4)
    assert caught.value.code is ErrorCode.PRIVILEGE


def test_reading_of_two_bytes() -> None:
    assert one(Full().bytes(), b"\x16\xc0").value == 22.0


def test_discrete_sensor() -> None:
    found = one(compact(), b"\x00\xc0\x0b\x80")
    assert found.states == ("Present", "Failure", "Power input lost")
    assert (found.value, found.unit, found.health, found.kind) == (None, "", CRITICAL, "power_supply")


def test_drive_that_is_rebuilt() -> None:
    found = one(compact(kind=DRIVE), b"\x00\xc0\x81\x80")
    assert (found.states, found.health) == (("Present", "Rebuild in progress"), OK)


def test_thresholds_that_can_be_set_are_asked_for() -> None:
    """A threshold that somebody set counts, not the one that the record begins with."""
    record = Full(capabilities=0x18, settable=0x3F).bytes()
    now = bytes((0b010010, 0, 7, 0, 0, 75, 0))
    assert one(record, b"\x16\xc0\x00", thresholds={1: now}).thresholds == Thresholds(
        lower_critical=7.0, upper_critical=75.0, hysteresis_up=2.0, hysteresis_down=3.0
    )
    assert one(record, b"\x16\xc0\x00").thresholds == LIMITS


def test_hysteresis() -> None:
    found = one(Full(capabilities=0x24 | 0x10, m=5, exponent=-1).bytes(), b"\x16\xc0\x00").thresholds
    assert found is not None
    assert (found.hysteresis_up, found.hysteresis_down) == (None, None)
    found = one(Full(capabilities=0x24, m=5, exponent=-1).bytes(), b"\x16\xc0\x00").thresholds
    assert found is not None
    assert (found.hysteresis_up, found.hysteresis_down) == (1.0, 1.5)
    assert found.upper_critical == 40.0


@pytest.mark.parametrize("record", [Full(curve=7, m=1), Full(m=-1)])
def test_falling_sensors_have_their_thresholds_the_other_way_round(record: Full) -> None:
    """A higher raw reading is a lower value. pyghmi turns the names for 1/x, and not for a negative factor."""
    found = one(record.bytes(), b"\x50\xc0\x18")
    assert found.states == ("lower_non_critical", "lower_critical")
    assert found.thresholds is not None
    values = [getattr(found.thresholds, name) for name in ("lower_critical", "lower_non_critical", "upper_critical")]
    assert values == sorted(values)
    theirs = SDREntry(bytearray(record.bytes()), constants).decode_sensor_reading(None, b"\x50\xc0\x18")
    assert ("lower critical threshold" in theirs.states) is (record.curve == 7)


def test_sensor_that_is_not_linear_asks_for_its_factors() -> None:
    """Of any reading and of each threshold."""
    record = Full(curve=0x70, readable=0b010000)
    factors = {
        (1, 22): b"\x00" + Full(m=3, exponent=-1).factors(),
        (1, 80): b"\x00" + Full(m=2).factors(),
    }
    found = one(record.bytes(), b"\x16\xc0\x00", factors=factors)
    assert found.value == 6.6
    assert found.thresholds == Thresholds(upper_critical=160.0)
    assert one(record.bytes(), b"\x16\xc0\x00").value is None


def test_other_owners_are_counted() -> None:
    records = (Full().bytes(), Full(owner=0x2C).bytes(), compact(owner=0x41), event_only())
    found = read(*records, readings={1: b"\x16\xc0\x00"})
    assert (len(found.sensors), found.skipped) == (1, 2)


def test_sensors_of_another_unit() -> None:
    player = Player(Repository(Full(lun=1).bytes(), readings={1: b"\x16\xc0\x00"}))
    player.run(sensors.sensors())
    assert [request for request in player.sent if request.command == 0x2D] == [Request(4, 0x2D, b"\x01", 1)]


def test_shared_record_is_several_sensors() -> None:
    record = compact(text("PSU"), sharing=(0x02, 1))
    found = read(record, readings={3: b"\x00\xc0\x01\x80", 4: b"\x00\xc0\x03\x80"})
    assert [(sensor.name, sensor.health) for sensor in found.sensors] == [("PSU1", OK), ("PSU2", CRITICAL)]
    assert found.health is CRITICAL


def test_records_that_cannot_be_read_are_told() -> None:
    found = read(Full().bytes(), Full().bytes()[:20], readings={1: b"\x16\xc0\x00"})
    assert found.warnings == ("1 of 2 sensor data records cannot be read",)
    assert len(found.sensors) == 1


@pytest.mark.parametrize(
    ("healths", "health"),
    [
        ((), UNKNOWN),
        ((UNKNOWN,), UNKNOWN),
        ((OK, UNKNOWN), OK),
        ((OK, WARNING, UNKNOWN), WARNING),
        ((CRITICAL, WARNING), CRITICAL),
    ],
)
def test_health_of_a_machine(healths: tuple[Health, ...], health: Health) -> None:
    assert worst(healths) is health


@given(
    st.lists(st.binary(max_size=64), max_size=5),
    st.lists(st.tuples(st.sampled_from([0, 0, 0, 0xC0, 0xCB, 0xFF]), st.binary(max_size=9)), min_size=1, max_size=9),
)
def test_any_records_and_answers_end_in_a_value_or_an_error(
    bodies: list[bytes], replies: list[tuple[int, bytes]]
) -> None:
    records = [b"\x01\x00\x51" + bytes((1 + len(body) % 2, len(body))) + body for body in bodies]
    repository, other = Repository(*records), noise(replies)
    found = attempt(sensors.sensors(), lambda request: repository(request) if request.netfn == 0x0A else other(request))
    assert isinstance(found, Readings | MetalError)


def test_threshold_sensor_is_ok_without_thresholds() -> None:
    found = one(Full(capabilities=0, reading=THRESHOLD).bytes(), b"\x16\xc0\x00")
    assert (found.thresholds, found.health) == (None, OK)
