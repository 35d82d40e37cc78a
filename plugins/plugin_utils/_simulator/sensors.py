# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the sensors of a simulated machine: what they read now, and their thresholds.

Standard: IPMI v2.0 revision 1.1, chapter 35. Readings follow the machine's power, and the fault ``hot``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .faults import Fault, FaultSet
from .model import Model
from .sdr import EVENT_BITS, Analog, Discrete, Limit

_EVENTS_AND_SCANNING = 0xC0
_UNAVAILABLE = 0x20
_RESERVED = 0xC0
_IN_COMMAND = tuple(Limit)


@dataclass(frozen=True)
class Crossing:
    """A threshold that a reading went over for the worse, or (``worse`` false) came back from."""

    sensor: Analog
    limit: Limit
    worse: bool
    reading: int
    threshold: int

    @property
    def offset(self) -> int:
        """Offset of the event."""
        return EVENT_BITS[self.limit]


class Sensors:
    """The sensors of one BMC. ``powered`` says whether the machine is on."""

    def __init__(self, model: Model, faults: FaultSet, powered: Callable[[], bool]) -> None:
        self._model = model
        self._faults = faults
        self._powered = powered
        self._set: dict[int, dict[Limit, int]] = {}
        self._crossed: set[Limit] = set()

    def reading(self, number: int) -> bytes | None:
        """Return the data of Get Sensor Reading, or None for a sensor that is not there or only sends events."""
        sensor, place = self._model.sensors.get(number, (None, 0))
        if isinstance(sensor, Analog):
            return self._analog(sensor)
        return self._discrete(sensor, place) if isinstance(sensor, Discrete) else None

    def analog(self, number: int) -> Analog | None:
        """Return the sensor with this number if it has thresholds or a number for a reading, else None."""
        sensor, _place = self._model.sensors.get(number, (None, 0))
        return sensor if isinstance(sensor, Analog) else None

    def thresholds(self, sensor: Analog) -> bytes:
        """Return the data of Get Sensor Thresholds: which there are, and their raw values."""
        values = [self._threshold(sensor, limit) if limit in sensor.limits else 0 for limit in _IN_COMMAND]
        return bytes((sensor.mask, *values))

    def set_thresholds(self, sensor: Analog, mask: int, values: bytes) -> bool:
        """Change the thresholds whose bits are set; False if there is none for one of them."""
        if mask & ~sensor.mask:
            return False
        chosen = {limit: values[place] for place, limit in enumerate(_IN_COMMAND) if mask >> place & 1}
        self._set.setdefault(sensor.number, {}).update(chosen)
        return True

    def crossings(self) -> list[Crossing]:
        """Return what the inlet's temperature has crossed since this was last asked."""
        sensor = self.analog(self._model.inlet)
        if sensor is None:
            return []
        raw = sensor.factors.raw(self._value(sensor) or 0.0)
        now = {limit for limit in sensor.limits if self._beyond(sensor, limit, raw)}
        changed = [limit for limit in sensor.limits if (limit in now) != (limit in self._crossed)]
        self._crossed = now
        return [Crossing(sensor, limit, limit in now, raw, self._threshold(sensor, limit)) for limit in changed]

    def _value(self, sensor: Analog) -> float | None:
        if sensor.hot is not None and self._faults.active(Fault.HOT):
            return sensor.hot
        return sensor.on if self._powered() else sensor.off

    def _analog(self, sensor: Analog) -> bytes:
        value = self._value(sensor)
        if value is None:
            return bytes((0, _EVENTS_AND_SCANNING | _UNAVAILABLE, _RESERVED))
        raw = sensor.factors.raw(value)
        # a fan that stands because the machine is off is no failure, so its thresholds sleep until it is on
        awake = self._powered() or sensor.off != 0
        states = sum(
            1 << place
            for place, limit in enumerate(_IN_COMMAND)
            if awake and limit in sensor.limits and self._beyond(sensor, limit, raw)
        )
        return bytes((raw, _EVENTS_AND_SCANNING, _RESERVED | states))

    def _discrete(self, sensor: Discrete, place: int) -> bytes:
        states = sensor.on if self._powered() else sensor.off
        if states is None:
            return bytes((0, _EVENTS_AND_SCANNING | _UNAVAILABLE, 0, 0x80))
        mask = states[place]
        return bytes((0, _EVENTS_AND_SCANNING, mask & 0xFF, 0x80 | mask >> 8))

    def _threshold(self, sensor: Analog, limit: Limit) -> int:
        return self._set.get(sensor.number, {}).get(limit, sensor.factors.raw(sensor.limits[limit]))

    def _beyond(self, sensor: Analog, limit: Limit, raw: int) -> bool:
        value, threshold = sensor.factors.value(raw), sensor.factors.value(self._threshold(sensor, limit))
        return value <= threshold if limit.low else value >= threshold
