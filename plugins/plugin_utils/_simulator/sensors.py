# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the sensor data records of a simulated machine: an inlet temperature and a controller.

Standard: IPMI v2.0 revision 1.1, sections 43.1 (full sensor record) and 43.9 (management controller locator).
"""

from __future__ import annotations

import struct

INLET_TEMPERATURE = 1
"""Sensor number."""
_SDR_VERSION = 0x51
_FULL_SENSOR = 0x01
_CONTROLLER_LOCATOR = 0x12
_BMC_ADDRESS = 0x20
_ENTITY_AIR_INLET = 0x37
_ENTITY_CONTROLLER = 6
_TEMPERATURE = 0x01
_THRESHOLD_TYPE = 0x01
_DEGREES_CELSIUS = 1
_ROOM_CELSIUS = 22


def _text(name: str) -> bytes:
    return bytes((0xC0 | len(name),)) + name.encode("ascii")


def _record(number: int, kind: int, body: bytes) -> bytes:
    return struct.pack("<HBBB", number, _SDR_VERSION, kind, len(body)) + body


def _temperature_record(number: int) -> bytes:
    key = bytes((_BMC_ADDRESS, 0, INLET_TEMPERATURE))
    # no thresholds and no events; the reading y = 1 * x + 0, unsigned
    what = bytes((_ENTITY_AIR_INLET, 1, 0x7F, 0x40, _TEMPERATURE, _THRESHOLD_TYPE)) + bytes(6)
    units = bytes((0, _DEGREES_CELSIUS, 0))
    factors = bytes((0, 1, 0, 0, 0, 0, 0))
    ranges = bytes((0x00, _ROOM_CELSIUS, 60, 0, 255, 0)) + bytes(11)
    return _record(number, _FULL_SENSOR, key + what + units + factors + ranges + _text("Inlet Temp"))


def _controller_record(number: int) -> bytes:
    body = bytes((_BMC_ADDRESS, 0, 0, 0x8B, 0, 0, 0, _ENTITY_CONTROLLER, 1, 0)) + _text("SimBMC")
    return _record(number, _CONTROLLER_LOCATOR, body)


RECORDS = (_temperature_record(1), _controller_record(2))
"""The repository; record numbers count from 1."""


def reading(sensor: int) -> bytes | None:
    """Return the data of Get Sensor Reading, or None for a sensor that is not there."""
    return bytes((_ROOM_CELSIUS, 0xC0, 0xC0)) if sensor == INLET_TEMPERATURE else None
