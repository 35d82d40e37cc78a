# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: numbers from raw sensor readings: factors, linearisation, units, thresholds.

Standard: IPMI v2.0, 36.3 (conversion formula), tables 43-1 (full sensor record), 43-15 (units), 35-5 and 35-9.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from ..._nodes.libraries import lazy
from ..sensing import Thresholds

_sdr = lazy("pyghmi.ipmi.sdr")

UNSIGNED, ONES_COMPLEMENT, TWOS_COMPLEMENT, NO_NUMBER = range(4)
"""Bits 7:6 of the first byte of units: how a raw reading is a number."""
_RECIPROCAL = 7
_LINEARISATIONS: tuple[Callable[[float], float], ...] = (
    lambda y: y,
    math.log,
    math.log10,
    math.log2,
    math.exp,
    lambda y: 10.0**y,
    lambda y: 2.0**y,
    lambda y: 1.0 / y,
    lambda y: y**2,
    lambda y: y**3,
    math.sqrt,
    math.cbrt,
)
"""By bits 6:0 of the linearisation byte. Above: not linear, the factors have to be asked for with each reading."""
_DIGITS = 10
"""Significant digits kept: the formula has ten bits, and 0.1 has no exact binary form."""


@dataclass(frozen=True, slots=True)
class Factors:
    """y = (m * raw + b * 10^b_exponent) * 10^exponent (36.3)."""

    m: int
    b: int
    b_exponent: int
    exponent: int


@dataclass(frozen=True, slots=True)
class Analog:
    """How a raw reading becomes a value: its ``form``, the ``factors`` and the ``curve`` (linearisation) behind them."""

    form: int
    factors: Factors
    curve: int

    @property
    def varies(self) -> bool:
        """Whether the factors differ from reading to reading and have to be asked for."""
        return self.curve >= len(_LINEARISATIONS)

    @property
    def falling(self) -> bool:
        """Whether a higher raw reading is a lower value. BMCs compare raw readings, so upper thresholds are lower ones (36.5)."""
        return (self.curve == _RECIPROCAL) != (self.factors.m < 0)

    def value(self, raw: int) -> float | None:
        """Return the value of a raw reading, None where the formula has none (the logarithm of 0, say)."""
        factors = self.factors
        y = (factors.m * self.number(raw) + factors.b * 10.0**factors.b_exponent) * 10.0**factors.exponent
        curve = _LINEARISATIONS[0 if self.varies else self.curve]
        return _number(curve, y)

    def distance(self, raw: int) -> float | None:
        """Return what a raw hysteresis is in the sensor's unit; None for 0 and where it depends on the reading."""
        if self.curve or raw in (0, 0xFF):
            return None
        return _number(_LINEARISATIONS[0], abs(self.factors.m) * raw * 10.0**self.factors.exponent)

    def number(self, raw: int) -> int:
        """Return the number that a raw byte stands for."""
        if self.form == UNSIGNED or raw < 0x80:
            return raw
        return raw - 0x100 if self.form == TWOS_COMPLEMENT else raw - 0xFF

    def with_factors(self, data: bytes) -> Analog:
        """Return it with the factors of an answer to Get Sensor Reading Factors, without its first byte."""
        return replace(self, factors=factors(data))


def _number(curve: Callable[[float], float], y: float) -> float | None:
    try:
        value = curve(y)
    except (ValueError, OverflowError, ZeroDivisionError):
        return None
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


def factors(data: bytes) -> Factors:
    """Return the factors from six bytes in the order of the full sensor record's bytes 25 to 30."""
    return Factors(
        m=_signed(data[0] | (data[1] & 0xC0) << 2, 10),
        b=_signed(data[2] | (data[3] & 0xC0) << 2, 10),
        b_exponent=_signed(data[5] & 0x0F, 4),
        exponent=_signed(data[5] >> 4, 4),
    )


def analog(record: bytes) -> Analog | None:
    """Return how readings of a full sensor record become values; None if they do not."""
    form = record[20] >> 6
    return None if form == NO_NUMBER else Analog(form, factors(record[24:30]), record[23] & 0x7F)


def unit(data: bytes) -> str:
    """Return the unit from the three bytes of units: percent, base unit, modifier unit, per time."""
    how, base, modifier = data
    name = str(_sdr.unit_types.get(base, f"unit {base}"))
    if how & 0x06 in (0x02, 0x04):
        name += ("/" if how & 0x06 == 0x02 else " ") + str(_sdr.unit_types.get(modifier, f"unit {modifier}"))
    name += str(_sdr.sensor_rates.get(how >> 3 & 0x07, ""))
    return " ".join((("% " if how & 1 else "") + name).split())


NAMES = tuple(field.name for field in fields(Thresholds))[:6]
"""The thresholds from the lowest to the highest."""
BITS = (2, 1, 0, 3, 4, 5)
"""Their bits in masks and in readings (table 35-9), in the order of NAMES."""
_FROM_RECORD = (39, 40, 41, 38, 37, 36)
_FROM_ANSWER = (3, 2, 1, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class Levels:
    """Thresholds as raw bytes in the order of NAMES; None: not there or not readable. ``settable``: may have changed."""

    raw: tuple[int | None, ...]
    settable: bool
    up: int
    down: int


def levels(record: bytes) -> Levels | None:
    """Return the thresholds of a full sensor record; None if its thresholds cannot be read (byte 12, bits 3:2)."""
    access = record[11] >> 2 & 0x03
    if access not in (1, 2):
        return None
    readable = record[18]
    raw = tuple(record[at] if readable >> bit & 1 else None for bit, at in zip(BITS, _FROM_RECORD, strict=True))
    hysteresis = record[11] >> 4 & 0x03 in (1, 2)
    up, down = (record[42], record[43]) if hysteresis else (0, 0)
    return Levels(raw, access == 2 and bool(record[19] & 0x3F), up, down)


def with_answer(known: Levels, data: bytes) -> Levels:
    """Return thresholds as they are now, by an answer to Get Sensor Thresholds (seven bytes)."""
    raw = tuple(data[at] if data[0] >> bit & 1 else None for bit, at in zip(BITS, _FROM_ANSWER, strict=True))
    return replace(known, raw=raw)


def thresholds(known: Levels, values: dict[int, float | None], form: Analog) -> Thresholds | None:
    """Return thresholds in the sensor's unit, ``values`` being those of all their raw bytes; None if there are none."""
    found = {name: values.get(raw) for name, raw in zip(NAMES, known.raw, strict=True) if raw is not None}
    if form.falling:
        found = {opposite(name): value for name, value in found.items()}
    if all(value is None for value in found.values()):
        return None
    return Thresholds(**found, hysteresis_up=form.distance(known.up), hysteresis_down=form.distance(known.down))


def opposite(name: str) -> str:
    """Return the threshold at the other end."""
    side, _mark, level = name.partition("_")
    return {"upper": "lower", "lower": "upper"}[side] + "_" + level
