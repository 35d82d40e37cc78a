# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: reading a BMC's sensors (IPMI v2.0, 35.5, 35.9, 35.14), and what they mean."""

from __future__ import annotations

from collections.abc import Sequence

from ..._nodes.errors import ErrorCode
from ..sensing import Health, Readings, Sensor, Thresholds, worst
from . import sdr, sdr_records, sdr_values, severity, words
from .script import SENSOR, Refused, Script, ask
from .sdr_records import SensorRecord
from .sdr_values import Analog

_GET_FACTORS = 0x23
_GET_THRESHOLDS = 0x27
_GET_READING = 0x2D
_SCANNING = 0x40
_UNAVAILABLE = 0x20
_OFFSETS = 15
_WATTS = 6
_OTHER = 0x0B


def decode(records: Sequence[bytes]) -> tuple[list[SensorRecord], list[str]]:
    """Return the sensors of sensor data records, and what was wrong with the records."""
    found, wrong = [], 0
    for data in records:
        parts = sdr_records.decode(data)
        wrong += parts is None
        found += [part for part in parts or () if isinstance(part, SensorRecord)]
    return found, [f"{wrong} of {len(records)} sensor data records cannot be read"] if wrong else []


def sensors() -> Script[Readings]:
    """Return the readings of all sensors that belong to the BMC itself. Raises: MetalError."""
    records = yield from sdr.records()
    found, warnings = decode(records.found)
    readable = [record for record in found if record.readable]
    own = [record for record in readable if record.owner == sdr_records.BMC]
    read = []
    for record in own:
        read.append((yield from sensor(record)))
    return Readings(tuple(read), len(readable) - len(own), (*records.warnings, *warnings))


def sensor(record: SensorRecord) -> Script[Sensor]:
    """Return the reading of one sensor, not available where the BMC refuses it. Raises: MetalError."""
    try:
        data = yield from ask(SENSOR, _GET_READING, bytes((record.number,)), least=2, lun=record.lun)
    except Refused as refused:
        if refused.code is ErrorCode.PRIVILEGE:
            raise
        return _sensor(record, None, (), None, Health.UNKNOWN, available=False)
    available = bool(data[1] & _SCANNING) and not data[1] & _UNAVAILABLE
    values: dict[int, float | None] = {}
    limits = yield from _limits(record, values)
    if not available:
        return _sensor(record, None, (), limits, Health.UNKNOWN, available=False)
    value = None
    if record.analog is not None:
        value = yield from _value(record, record.analog, data[0], values)
    states, health = _state(record, data[2:4])
    return _sensor(record, value, states, limits, health, available=True)


def _sensor(
    record: SensorRecord,
    value: float | None,
    states: tuple[str, ...],
    limits: Thresholds | None,
    health: Health,
    *,
    available: bool,
) -> Sensor:
    return Sensor(record.name, kind(record), record.place, value, record.unit, states, limits, health, available)


def _value(record: SensorRecord, form: Analog, raw: int, values: dict[int, float | None]) -> Script[float | None]:
    """Return the value of a raw reading; of sensors that are not linear, with factors that are asked for."""
    if raw not in values:
        if form.varies:
            request = bytes((record.number, raw))
            try:
                data = yield from ask(SENSOR, _GET_FACTORS, request, least=7, lun=record.lun)
            except Refused:
                values[raw] = None
                return None
            form = form.with_factors(data[1:7])
        values[raw] = form.value(raw)
    return values[raw]


def _limits(record: SensorRecord, values: dict[int, float | None]) -> Script[Thresholds | None]:
    """Return a sensor's thresholds: the record's, or, where they can be set, those of now."""
    levels, form = record.levels, record.analog
    if levels is None or form is None:
        return None
    if levels.settable:
        try:
            data = yield from ask(SENSOR, _GET_THRESHOLDS, bytes((record.number,)), least=7, lun=record.lun)
            levels = sdr_values.with_answer(levels, data)
        except Refused:
            pass  # those of the record are what it starts with
    for raw in levels.raw:
        if raw is not None:
            yield from _value(record, form, raw, values)
    return sdr_values.thresholds(levels, values, form)


def _state(record: SensorRecord, data: bytes) -> tuple[tuple[str, ...], Health]:
    """Return the states that the third and fourth byte of a reading tell, and how bad they are."""
    bits = int.from_bytes(data, "little")
    if record.reading == severity.THRESHOLD:
        falling = record.analog is not None and record.analog.falling
        crossed = [place for place, bit in enumerate(sdr_values.BITS) if bits >> bit & 1]
        names = [sdr_values.NAMES[place] for place in crossed]
        states = [sdr_values.opposite(name) if falling else name for name in names]
        return tuple(states), worst((Health.OK, *(severity.OF_THRESHOLDS[place] for place in crossed)))
    offsets = [offset for offset in range(_OFFSETS) if bits >> offset & 1]
    texts = tuple(words.state(record.kind, record.reading, offset) for offset in offsets)
    return texts, severity.of_states(record.kind, record.reading, offsets)


def kind(record: SensorRecord) -> str:
    """Return what a sensor is about, one of sensing.KINDS.

    Power meters are sensors of the type "other units-based" (0Bh) in watts.
    """
    if record.kind == _OTHER and record.base_unit == _WATTS:
        return "energy" if record.modified else "power"
    return words.kind(record.kind)
