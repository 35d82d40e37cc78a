# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what an entry of the system event log says (IPMI v2.0, chapter 32 and table 29-6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace

from ..._nodes.libraries import lazy
from ..sensing import Health, LogEntry
from . import severity, text, words
from .sdr_records import SensorRecord
from .sensors import kind

_events = lazy("pyghmi.ipmi.events")

Names = Mapping[tuple[int, int, int], SensorRecord]
"""Sensors by owner, logical unit and number."""

SIZE = 16
_SENSOR_EVENT = range(0x00, 0xC0)
"""Record types: 02h by the specification; what is below the makers' own is read the same way."""
_TIMED_OEM = range(0xC0, 0xE0)
_LINUX_PANIC = 0xF0
_SET_CLOCK = 0x2000_0000
"""Times below count from the BMC's start: its clock was not set (table 37-1)."""
_NO_TIME = 0xFFFF_FFFF
_DEASSERTED = 0x80
_TRIGGER, _SPECIFIC_CODE = 1, 3
"""What the second and third byte of event data are, by bits 7:6 and 5:4 of the first (table 29-6)."""
_LOG_DISABLED, _CLEARED = 0x10, 2
_NO_FRUS = SimpleNamespace(fru={})


def time(seconds: int) -> str | None:
    """Return a time of the BMC's, taken for UTC, as ISO 8601; None if its clock was not set."""
    if seconds <= _SET_CLOCK or seconds == _NO_TIME:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def decode(data: bytes, names: Names) -> LogEntry:
    """Return what an entry says; kinds that only their maker can read as they are. Never raises."""
    number = int.from_bytes(data[:2], "little")
    if len(data) < SIZE:
        return _other(number, None, data, f"an entry of {len(data)} bytes")
    data = data[:SIZE]
    when = time(int.from_bytes(data[3:7], "little"))
    if data[2] in _SENSOR_EVENT:
        return _sensor_event(number, when, data, names)
    if data[2] in _TIMED_OEM:
        maker = int.from_bytes(data[7:10], "little")
        return _other(number, when, data, f"entry of type {data[2]:02x}h of maker {maker}: {data[10:].hex()}")
    if data[2] == _LINUX_PANIC:
        said = text.clean(data[5:].partition(b"\0")[0].decode("utf-8", errors="replace"))
        return _other(number, None, data, f"Linux kernel panic: {said}", Health.CRITICAL)
    return _other(number, None, data, f"entry of type {data[2]:02x}h: {data[3:].hex()}")


def _other(number: int, when: str | None, data: bytes, event: str, health: Health = Health.UNKNOWN) -> LogEntry:
    return LogEntry(number, when, None, None, "oem", event, None, None, health, data.hex())


def _sensor_event(number: int, when: str | None, data: bytes, names: Names) -> LogEntry:
    kind_number, sensor, reading, offset = data[10], data[11], data[12] & 0x7F, data[13] & 0x0F
    asserted = not data[12] & _DEASSERTED
    record = names.get((data[7], data[8] & 0x03, sensor))
    known = record is not None and record.kind == kind_number
    specific = reading == severity.SENSOR_SPECIFIC
    return LogEntry(
        id=number,
        time=when,
        sensor=record.name if record is not None else None,
        number=sensor,
        kind=kind(record) if record is not None and known else words.kind(kind_number),
        event=words.event(kind_number, reading, offset, asserted=asserted),
        detail=_detail(kind_number, reading, data[13:16], record),
        asserted=asserted,
        severity=severity.of_event(kind_number, reading, offset, asserted=asserted),
        raw=data.hex(),
        housekeeping=specific and asserted and (kind_number, offset) == (_LOG_DISABLED, _CLEARED),
    )


def _detail(kind_number: int, reading: int, data: bytes, record: SensorRecord | None) -> str | None:
    """Return what the event data say besides: reading and threshold, or what the sensor's type makes of them."""
    second, third = data[0] >> 6, data[0] >> 4 & 0x03
    if reading == severity.THRESHOLD:
        parts = (("reading", second, data[1]), ("threshold", third, data[2]))
        said = [f"{name} {_amount(raw, record)}" for name, what, raw in parts if what == _TRIGGER]
        return ", ".join(said) or None
    if _SPECIFIC_CODE in (second, third):
        found = _events.decode_eventdata(kind_number, data[0] & 0x0F, data, words.constants, _NO_FRUS)
        return str(found) if found else None
    return None


def _amount(raw: int, record: SensorRecord | None) -> str:
    form = record.analog if record is not None else None
    value = form.value(raw) if form is not None and not form.varies else None
    if record is None or value is None:
        return f"{raw:02x}h"
    return f"{value:g} {record.unit}".rstrip()
