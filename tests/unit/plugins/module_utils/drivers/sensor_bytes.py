# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: sensor data records for tests, byte by byte as IPMI v2.0, chapter 43, has them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.script import Request

BMC = 0x20
TEMPERATURE, VOLTAGE, FAN, POWER_SUPPLY, OTHER, DRIVE = 0x01, 0x02, 0x04, 0x08, 0x0B, 0x0D
CELSIUS, VOLTS, WATTS, RPM = 1, 4, 6, 18
THRESHOLD, SPECIFIC = 0x01, 0x6F


def record(kind: int, body: bytes, number: int = 1) -> bytes:
    return struct.pack("<HBBB", number, 0x51, kind, len(body)) + body


def text(name: str) -> bytes:
    return bytes((0xC0 | len(name),)) + name.encode("latin-1")


@dataclass(frozen=True)
class Full:
    """A full sensor record; ``limits``: raw thresholds UNR, UC, UNC, LNR, LC, LNC; masks as in bytes 19 and 20."""

    name: bytes = text("Inlet Temp")
    owner: int = BMC
    lun: int = 0
    number: int = 1
    entity: tuple[int, int] = (0x37, 1)
    capabilities: int = 0x14
    kind: int = TEMPERATURE
    reading: int = THRESHOLD
    readable: int = 0x3F
    settable: int = 0
    units: tuple[int, int, int] = (0, CELSIUS, 0)
    curve: int = 0
    m: int = 1
    b: int = 0
    b_exponent: int = 0
    exponent: int = 0
    limits: tuple[int, ...] = (90, 80, 70, 2, 5, 10)
    hysteresis: tuple[int, int] = (2, 3)

    def factors(self) -> bytes:
        """Bytes 25 to 30."""
        m, b = self.m & 0x3FF, self.b & 0x3FF
        exponents = (self.exponent & 0x0F) << 4 | self.b_exponent & 0x0F
        return bytes((m & 0xFF, m >> 2 & 0xC0, b & 0xFF, b >> 2 & 0xC0, 0, exponents))

    def bytes(self, number: int = 1) -> bytes:
        body = bytes(
            (self.owner, self.lun, self.number, *self.entity, 0x7F, self.capabilities, self.kind, self.reading)
        )
        body += bytes(4) + bytes((self.readable, self.settable)) + bytes((*self.units, self.curve)) + self.factors()
        body += bytes((0, 0, 0, 0, 255, 0, *self.limits, *self.hysteresis, 0, 0, 0)) + self.name
        return record(0x01, body, number)


def compact(
    name: bytes = text("PSU Status"),
    *,
    sensor: int = 3,
    owner: int = BMC,
    kind: int = POWER_SUPPLY,
    reading: int = SPECIFIC,
    sharing: tuple[int, int] = (0, 0),
    number: int = 2,
) -> bytes:
    body = bytes((owner, 0, sensor, 0x0A, 1, 0x7F, 0x40, kind, reading)) + bytes(6) + bytes((0xC0, 0, 0))
    return record(0x02, body + bytes((*sharing, 0, 0, 0, 0, 0, 0)) + name, number)


def event_only(
    name: bytes = text("BIOS"), *, sensor: int = 9, kind: int = 0x0F, sharing: tuple[int, int] = (0, 0)
) -> bytes:
    return record(0x03, bytes((BMC, 0, sensor, 0x22, 1, kind, SPECIFIC, *sharing, 0, 0)) + name, 3)


def fru_locator(name: bytes = text("PSU 1 FRU"), *, device: int = 4) -> bytes:
    return record(0x11, bytes((BMC, device, 0x80, 0, 0, 0x10, 0, 0x0A, 1, 0)) + name, 4)


def controller_locator(name: bytes = text("BMC")) -> bytes:
    return record(0x12, bytes((BMC, 0, 0, 0xBF, 0, 0, 0, 0x2E, 1, 0)) + name, 5)


class Repository:
    """A BMC with sensor data records, and readings by sensor number.

    ``netfn``: 0Ah for a repository, 04h for device SDRs. ``most``: bytes that it returns at a time, else ``refusal``.
    ``losses``: how many times a reservation is lost.
    """

    def __init__(
        self,
        *records: bytes,
        readings: dict[int, bytes | int] | None = None,
        thresholds: dict[int, bytes | int] | None = None,
        factors: dict[tuple[int, int], bytes | int] | None = None,
        netfn: int = 0x0A,
        most: int = 255,
        refusal: int = 0xCA,
        losses: int = 0,
        strict: bool = False,
    ) -> None:
        self.records = [number.to_bytes(2, "little") + data[2:] for number, data in enumerate(records, 1)]
        self.readings, self.thresholds, self.factors = readings or {}, thresholds or {}, factors or {}
        self.netfn, self.most, self.refusal, self.losses, self.strict = netfn, most, refusal, losses, strict
        self.reservation = 7
        self.asked: list[tuple[int, int, int]] = []

    def __call__(self, request: Request) -> bytes | int:
        get = 0x23 if self.netfn == 0x0A else 0x21
        if (request.netfn, request.command) == (self.netfn, 0x22):
            self.reservation += 1
            return struct.pack("<H", self.reservation)
        if (request.netfn, request.command) == (self.netfn, get):
            return self._get(*struct.unpack("<HHBB", request.data))
        tables: dict[tuple[int, int], Any] = {
            (0x04, 0x2D): lambda: self.readings.get(request.data[0], 0xCB),
            (0x04, 0x27): lambda: self.thresholds.get(request.data[0], 0xCB),
            (0x04, 0x23): lambda: self.factors.get((request.data[0], request.data[1]), 0xCB),
        }
        answer: bytes | int = tables.get((request.netfn, request.command), lambda: 0xC1)()
        return answer

    def _get(self, reservation: int, number: int, at: int, count: int) -> bytes | int:
        self.asked.append((number, at, count))
        if not self.records:
            return 0xCB
        if (at or self.strict) and (reservation != self.reservation or self.losses):
            self.losses -= bool(self.losses)
            return 0xC5
        index = number - 1 if number else 0
        data = self.records[index]
        if count > self.most and (count == 0xFF or count > self.most):
            return self.refusal
        following = index + 2 if index + 1 < len(self.records) else 0xFFFF
        return struct.pack("<H", following) + data[at : at + count]
