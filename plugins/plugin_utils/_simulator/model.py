# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what tells one model of simulated machine from another; the table is :mod:`models`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from .sdr import Analog, Discrete, EventOnly, Kind, Record

Sensor = Analog | Discrete | EventOnly


@dataclass(frozen=True)
class Firmware:
    """What Get Device ID tells of a BMC: firmware version (``minor`` as two decimal digits), further bytes."""

    major: int
    minor: int
    auxiliary: bytes = bytes(4)


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model of machine.

    ``frus``: makes the inventory of each FRU device from the machine's serial number. ``most_bytes``: the longest
    part of a FRU or record that one command returns. ``record_step``: from one SDR record number to the next.
    ``marks_clear``: whether a cleared event log begins with an entry that says so. ``factory``: name and password
    that the maker ships the BMC with.
    """

    name: str
    manufacturer: int
    product: int
    firmware: Firmware
    frus: Callable[[str], dict[int, bytes]]
    records: tuple[Record, ...]
    inlet: int
    most_bytes: int = 224
    record_step: int = 1
    log_entries: int = 512
    marks_clear: bool = False
    factory: tuple[bytes, bytes] = (b"admin", b"admin")

    @cached_property
    def repository(self) -> tuple[tuple[int, bytes], ...]:
        """The sensor data records with their numbers."""
        numbers = [1 + place * self.record_step for place in range(len(self.records))]
        return tuple((number, record.record(number)) for number, record in zip(numbers, self.records, strict=True))

    @cached_property
    def sensors(self) -> dict[int, tuple[Sensor, int]]:
        """Sensor number to the sensor, and which of those that share its record it is."""
        found: dict[int, tuple[Sensor, int]] = {}
        for record in self.records:
            if isinstance(record, Analog | Discrete | EventOnly):
                share = record.share if isinstance(record, Discrete) else 1
                found.update({record.number + place: (record, place) for place in range(share)})
        return found

    def number_of(self, kind: Kind) -> int | None:
        """Return the number of the first sensor of this type without thresholds, or None: such events need one."""
        for number, (sensor, _place) in self.sensors.items():
            if sensor.kind is kind and not isinstance(sensor, Analog):
                return number
        return None
