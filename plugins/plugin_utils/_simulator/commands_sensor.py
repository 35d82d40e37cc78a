# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: IPMI commands of network function Sensor/Event.

Standard: IPMI v2.0 revision 1.1, chapter 35.
"""

from __future__ import annotations

import struct

from .command_table import NETFN_SENSOR, Command, CommandError, Completion, Privilege, Request, Table
from .sdr import EVENT_BITS, Analog

_ENABLED = 0xC0
_COUNTS = 2
_FACTORS_FROM = 1


def _analog(request: Request) -> Analog:
    sensor = request.board.sensors.analog(request.data[0])
    if sensor is None:
        raise CommandError(Completion.NOT_PRESENT)
    return sensor


def _present(request: Request) -> None:
    if request.data[0] not in request.board.model.sensors:
        raise CommandError(Completion.NOT_PRESENT)


def _reading(request: Request) -> bytes:
    data = request.board.sensors.reading(request.data[0])
    if data is None:
        raise CommandError(Completion.NOT_PRESENT)
    return data


def _factors(request: Request) -> bytes:
    sensor = _analog(request)
    # the same for each reading: the next reading with other factors is this one
    return request.data[1:2] + sensor.factors.encode()[_FACTORS_FROM:]


def _hysteresis(request: Request) -> bytes:
    return bytes((_COUNTS, _COUNTS)) if _analog(request).limits else bytes(2)


def _thresholds(request: Request) -> bytes:
    sensor = _analog(request)
    return request.board.sensors.thresholds(sensor)


def _set_thresholds(request: Request) -> bytes:
    sensor = _analog(request)
    if not request.board.sensors.set_thresholds(sensor, request.data[1] & 0x3F, request.data[2:8]):
        raise CommandError(Completion.INVALID_FIELD)
    request.board.check_thresholds()
    return b""


def _event_enable(request: Request) -> bytes:
    _present(request)
    sensor = request.board.sensors.analog(request.data[0])
    bits = 0x7FFF if sensor is None else sum(1 << EVENT_BITS[limit] for limit in sensor.limits)
    return struct.pack("<BHH", _ENABLED, bits, bits)


def _event_status(request: Request) -> bytes:
    _present(request)
    return struct.pack("<BHH", _ENABLED, 0, 0)


def _type(request: Request) -> bytes:
    _present(request)
    sensor, _place = request.board.model.sensors[request.data[0]]
    return bytes((sensor.kind, getattr(sensor, "event_type", 0x01 if isinstance(sensor, Analog) else 0x6F)))


TABLE: Table = {
    (NETFN_SENSOR, 0x23): Command("get_sensor_reading_factors", _factors, least=2),
    (NETFN_SENSOR, 0x25): Command("get_sensor_hysteresis", _hysteresis, least=2),
    (NETFN_SENSOR, 0x26): Command("set_sensor_thresholds", _set_thresholds, Privilege.OPERATOR, least=8),
    (NETFN_SENSOR, 0x27): Command("get_sensor_thresholds", _thresholds, least=1),
    (NETFN_SENSOR, 0x29): Command("get_sensor_event_enable", _event_enable, least=1),
    (NETFN_SENSOR, 0x2B): Command("get_sensor_event_status", _event_status, least=1),
    (NETFN_SENSOR, 0x2D): Command("get_sensor_reading", _reading, least=1),
    (NETFN_SENSOR, 0x2F): Command("get_sensor_type", _type, least=1),
}
