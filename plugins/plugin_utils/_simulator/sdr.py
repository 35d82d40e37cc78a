# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: writing sensor data records, and the raw values that go with them.

Standard: IPMI v2.0 revision 1.1, chapters 36 (conversion of readings), 42 (types) and 43 (records).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol

BMC_ADDRESS = 0x20
_SDR_VERSION = 0x51
_SCANNED_AND_EVENTS = 0x7F
_THRESHOLDS_SETTABLE = 0x68
"""Sensor capabilities: re-arms itself, hysteresis and thresholds can be read and set, an event for each threshold."""
_DISCRETE_CAPABILITIES = 0x40


class Entity(IntEnum):
    """Entity numbers, table 43-13."""

    PROCESSOR = 3
    DISK_BAY = 4
    SYSTEM_BOARD = 7
    MEMORY = 8
    POWER_SUPPLY = 10
    FAN = 29
    MEMORY_DEVICE = 32
    CONTROLLER = 6
    SYSTEM = 23
    AIR_INLET = 55


class Kind(IntEnum):
    """Sensor types, table 42-3."""

    TEMPERATURE = 0x01
    VOLTAGE = 0x02
    CURRENT = 0x03
    FAN = 0x04
    INTRUSION = 0x05
    POWER_SUPPLY = 0x08
    POWER_UNIT = 0x09
    OTHER_UNITS = 0x0B
    MEMORY = 0x0C
    DRIVE = 0x0D
    EVENT_LOG = 0x10
    CRITICAL_INTERRUPT = 0x13
    BUTTON = 0x14
    SYSTEM_BOOT = 0x1D
    OS_BOOT = 0x1F
    PROCESSOR = 0x07


class Unit(IntEnum):
    """Units, table 43-15."""

    NONE = 0
    CELSIUS = 1
    VOLTS = 4
    AMPERES = 5
    WATTS = 6
    RPM = 18


class Signed(IntEnum):
    """How a raw value is a number (sensor units 1, bits 7 and 6)."""

    NO = 0x00
    ONES = 0x40
    TWOS = 0x80


class Limit(StrEnum):
    """Thresholds, by the names that tools give them; in the order of their bits in masks and readings."""

    LNC = "lower non-critical"
    LCR = "lower critical"
    LNR = "lower non-recoverable"
    UNC = "upper non-critical"
    UCR = "upper critical"
    UNR = "upper non-recoverable"

    @property
    def low(self) -> bool:
        """Whether a reading must not fall to it."""
        return self.value.startswith("lower")


EVENT_BITS = {Limit.LNC: 0, Limit.LCR: 2, Limit.LNR: 4, Limit.UNC: 7, Limit.UCR: 9, Limit.UNR: 11}
"""Offset of the event that a threshold was crossed for the worse (table 42-2)."""
_IN_RECORD = (Limit.UNR, Limit.UCR, Limit.UNC, Limit.LNR, Limit.LCR, Limit.LNC)
_DO: dict[int, Callable[[float], float]] = {
    0: lambda x: x,
    7: lambda x: 1.0 / x if x else math.inf,
    8: lambda x: x * x,
}
_UNDO: dict[int, Callable[[float], float]] = {
    0: lambda y: y,
    7: lambda y: 1.0 / y if y else 0.0,
    8: math.sqrt,
}
"""Linearization (table 43-1, byte 24) to its function, and to the inverse."""


class Record(Protocol):
    """Something that has a sensor data record."""

    def record(self, number: int) -> bytes:
        """Return the record with this number."""


@dataclass(frozen=True)
class Factors:
    """y = f((m * x + b * 10^b_exponent) * 10^exponent), f by the number ``linear``."""

    m: int = 1
    b: int = 0
    b_exponent: int = 0
    exponent: int = 0
    linear: int = 0
    signed: Signed = Signed.NO

    def raw(self, value: float) -> int:
        """Return the byte that stands for ``value``; the nearest one that there is."""
        plain = _UNDO[self.linear](value) / 10.0**self.exponent
        x = round((plain - self.b * 10.0**self.b_exponent) / self.m)
        low, high = {Signed.NO: (0, 255), Signed.ONES: (-127, 127), Signed.TWOS: (-128, 127)}[self.signed]
        x = min(max(x, low), high)
        return (x - 1 if self.signed is Signed.ONES and x < 0 else x) & 0xFF

    def value(self, raw: int) -> float:
        """Return what a byte stands for."""
        x = {
            Signed.NO: raw,
            Signed.ONES: raw - 255 if raw & 0x80 else raw,
            Signed.TWOS: raw - 256 if raw & 0x80 else raw,
        }
        plain = (self.m * x[self.signed] + self.b * 10.0**self.b_exponent) * 10.0**self.exponent
        return _DO[self.linear](plain)

    def encode(self) -> bytes:
        """Return the bytes 24 to 30 of a full record."""
        m, b = self.m & 0x3FF, self.b & 0x3FF
        exponents = (self.exponent & 0xF) << 4 | self.b_exponent & 0xF
        return bytes((self.linear, m & 0xFF, m >> 8 << 6, b & 0xFF, b >> 8 << 6, 0, exponents))


@dataclass(frozen=True, kw_only=True)
class Analog:
    """A sensor with a number for a reading, in ``unit``.

    ``on``: its reading while the machine is on; ``off``: while it is off, None for not available; ``hot``: under the
    fault of that name.
    """

    number: int
    name: str
    kind: Kind
    unit: Unit
    entity: Entity
    on: float
    off: float | None = None
    hot: float | None = None
    instance: int = 1
    percent: bool = False
    factors: Factors = Factors()
    limits: Mapping[Limit, float] = field(default_factory=dict)

    def record(self, number: int) -> bytes:
        """Return the full sensor record (section 43.1)."""
        bits = [EVENT_BITS[limit] for limit in self.limits]
        events = sum(1 << bit for bit in bits)
        lower = sum(1 << 12 + place for place, limit in enumerate(list(Limit)[:3]) if limit in self.limits)
        upper = sum(1 << 12 + place for place, limit in enumerate(list(Limit)[3:]) if limit in self.limits)
        mask = self.mask
        key = bytes((BMC_ADDRESS, 0, self.number, self.entity, self.instance, _SCANNED_AND_EVENTS))
        what = bytes((_THRESHOLDS_SETTABLE if mask else _DISCRETE_CAPABILITIES, self.kind, 0x01))
        masks = struct.pack("<HHBB", events | lower, events | upper, mask, mask)
        units = bytes((self.factors.signed | int(self.percent), self.unit, 0))
        raw = self.factors.raw
        normal = bytes((0x01, raw(self.on), 0, 0))
        ends = {Signed.NO: b"\xff\x00", Signed.ONES: b"\x7f\x80", Signed.TWOS: b"\x7f\x80"}[self.factors.signed]
        limits = bytes(raw(self.limits[limit]) if limit in self.limits else 0 for limit in _IN_RECORD)
        tail = bytes((2 if mask else 0, 2 if mask else 0, 0, 0, 0)) + name_field(self.name)
        return pack(number, 0x01, key + what + masks + units + self.factors.encode() + normal + ends + limits + tail)

    @property
    def mask(self) -> int:
        """Which thresholds there are: bits in the order of :class:`Limit`."""
        return sum(1 << place for place, limit in enumerate(Limit) if limit in self.limits)


@dataclass(frozen=True, kw_only=True)
class Discrete:
    """A sensor with states for a reading: bit n is the event offset n of its type.

    ``share``: so many sensors, with numbers that follow, share the one record; ``on`` has a mask for each.
    """

    number: int
    name: str
    kind: Kind
    entity: Entity
    on: tuple[int, ...]
    off: tuple[int, ...] | None = None
    possible: int = 0xFF
    event_type: int = 0x6F
    instance: int = 1
    share: int = 1

    def record(self, number: int) -> bytes:
        """Return the compact sensor record (section 43.2)."""
        key = bytes((BMC_ADDRESS, 0, self.number, self.entity, self.instance, _SCANNED_AND_EVENTS))
        what = bytes((_DISCRETE_CAPABILITIES, self.kind, self.event_type))
        masks = struct.pack("<HHH", self.possible, self.possible, self.possible)
        # names of sharers: the text and a number that counts from 1; each is an entity instance of its own
        shared = bytes((self.share, 0x81 if self.share > 1 else 0x00))
        tail = bytes((0xC0, 0, 0)) + shared + bytes(6) + name_field(self.name)
        return pack(number, 0x02, key + what + masks + tail)


@dataclass(frozen=True, kw_only=True)
class EventOnly:
    """A sensor that has no reading and only ever sends events."""

    number: int
    name: str
    kind: Kind
    entity: Entity
    instance: int = 1

    def record(self, number: int) -> bytes:
        """Return the event-only record (section 43.3)."""
        key = bytes((BMC_ADDRESS, 0, self.number, self.entity, self.instance, self.kind, 0x6F))
        return pack(number, 0x03, key + bytes((1, 0, 0, 0)) + name_field(self.name))


@dataclass(frozen=True, kw_only=True)
class FruLocator:
    """Says that there is a FRU device ``device`` behind the BMC."""

    device: int
    name: str
    entity: Entity
    instance: int = 1

    def record(self, number: int) -> bytes:
        """Return the FRU device locator record (section 43.8)."""
        body = bytes((BMC_ADDRESS, self.device, 0x80, 0, 0, 0x10, 0, self.entity, self.instance, 0))
        return pack(number, 0x11, body + name_field(self.name))


@dataclass(frozen=True, kw_only=True)
class Controller:
    """The BMC itself."""

    name: str
    capabilities: int = 0xBF

    def record(self, number: int) -> bytes:
        """Return the management controller locator record (section 43.9)."""
        body = bytes((BMC_ADDRESS, 0, 0, self.capabilities, 0, 0, 0, Entity.CONTROLLER, 1, 0))
        return pack(number, 0x12, body + name_field(self.name))


@dataclass(frozen=True, kw_only=True)
class OemRecord:
    """A record that only its maker understands."""

    manufacturer: int
    data: bytes

    def record(self, number: int) -> bytes:
        """Return the OEM record (section 43.12)."""
        return pack(number, 0xC0, self.manufacturer.to_bytes(3, "little") + self.data)


def name_field(name: str) -> bytes:
    """Return type and length byte and text of an ID string: 8-bit characters, at most 16."""
    return bytes((0xC0 | len(name[:16]),)) + name[:16].encode("latin-1")


def pack(number: int, kind: int, body: bytes) -> bytes:
    """Return a record: header and body."""
    return struct.pack("<HBBB", number, _SDR_VERSION, kind, len(body)) + body
