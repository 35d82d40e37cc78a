# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what a sensor data record says (IPMI v2.0, chapter 43)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from . import sdr_values, severity, text, words
from .sdr_values import Analog, Levels

BMC = 0x20
"""The owner of the sensors that can be asked without going over another bus."""
_VERSIONS = (0x51, 0x02)
"""1.5 by the specification; some makers write the version of IPMI itself."""
_FULL, _COMPACT, _EVENT_ONLY, _FRU, _CONTROLLER = 0x01, 0x02, 0x03, 0x11, 0x12
_MOST_SHARED = 16
_ALPHABET = 26


@dataclass(frozen=True, slots=True)
class SensorRecord:
    """A sensor: who owns it (``owner``, ``lun``), its ``number``, what it is about (``kind``, table 42-3).

    ``reading``: event/reading type (table 42-1). ``entity``: what part of the machine (table 43-13) and which of them.
    ``analog``: how numbers are made of its readings, None if it has none. ``levels``: its thresholds, raw.
    ``readable``: False if it only sends events.
    """

    name: str
    owner: int
    lun: int
    number: int
    entity: tuple[int, int]
    kind: int
    reading: int
    unit: str = ""
    base_unit: int = 0
    modified: bool = False
    analog: Analog | None = None
    levels: Levels | None = None
    readable: bool = True

    @property
    def key(self) -> tuple[int, int, int]:
        """What events name it by."""
        return self.owner, self.lun, self.number

    @property
    def place(self) -> str:
        """What part of the machine it belongs to, in words."""
        name = words.constants.entity_ids.get(self.entity[0], f"entity {self.entity[0]}")
        instance = self.entity[1] & 0x7F
        return f"{name} {instance}" if instance else str(name)


@dataclass(frozen=True, slots=True)
class Locator:
    """A FRU device, or a management controller: its name, where it is asked for, and what part of the machine it is."""

    name: str
    controller: bool
    address: int
    device: int
    entity: tuple[int, int]


Decoded: TypeAlias = "SensorRecord | Locator"


def _name(data: bytes, at: int) -> str:
    """The ID string at ``at`` (43.15): a type/length byte and up to 31 bytes, of which there may be fewer or more."""
    if at >= len(data):
        return ""
    value = data[at + 1 : at + 1 + (data[at] & 0x1F)]
    return text.printable(_DECODERS[data[at] >> 6](value))


_DECODERS: dict[int, Callable[[bytes], str]] = {
    text.BINARY: lambda data: data.decode("utf-8", errors="replace"),
    text.BCD_PLUS: text.bcd_plus,
    text.SIX_BIT: text.six_bit,
    text.EIGHT_BIT: text.eight_bit,
}
"""The specification says "Unicode" for the first, and not which: UTF-8, as pyghmi has it."""


def _sensor(data: bytes, *, kind_at: int, name_at: int) -> SensorRecord:
    return SensorRecord(
        name=_name(data, name_at),
        owner=data[5],
        lun=data[6] & 0x03,
        number=data[7],
        entity=(data[8], data[9]),
        kind=data[kind_at],
        reading=data[kind_at + 1] & 0x7F,
    )


def _with_unit(record: SensorRecord, data: bytes) -> SensorRecord:
    return replace(record, unit=sdr_values.unit(data[20:23]), base_unit=data[21], modified=bool(data[20] & 0x06))


def _full(data: bytes) -> Iterator[SensorRecord]:
    record = _with_unit(_sensor(data, kind_at=12, name_at=47), data)
    analog = sdr_values.analog(data)
    if analog is not None and record.reading != severity.THRESHOLD and not data[21] and not data[20] & 1:
        # Discrete sensors ought to say that they have no number; many do not, but then they have no unit either.
        analog = None
    levels = sdr_values.levels(data) if record.reading == severity.THRESHOLD and analog is not None else None
    yield _named(replace(record, analog=analog, levels=levels))


def _compact(data: bytes) -> Iterator[SensorRecord]:
    yield from _shared(_with_unit(_sensor(data, kind_at=12, name_at=31), data), data[23:25])


def _event_only(data: bytes) -> Iterator[SensorRecord]:
    yield from _shared(replace(_sensor(data, kind_at=10, name_at=16), readable=False), data[12:14])


def _shared(record: SensorRecord, sharing: bytes) -> Iterator[SensorRecord]:
    """One record for several sensors (43.2): numbers count up, and so do the names' endings, from an offset on."""
    count, letters, offset = sharing[0] & 0x0F, sharing[0] >> 4 & 0x03, sharing[1] & 0x7F
    if count < 2:
        yield _named(record)
        return
    entity, instance = record.entity
    for step in range(min(count, _MOST_SHARED, 0x100 - record.number)):
        shared = replace(
            record,
            number=record.number + step,
            entity=(entity, instance + step if sharing[1] & 0x80 else instance),
        )
        yield _named(shared, _letters(offset + step) if letters == 1 else str(offset + step))


def _named(record: SensorRecord, ending: str = "") -> SensorRecord:
    """Return it with a name that ends so; a blank in front of the ending is part of the name."""
    name = (record.name + ending).strip() if record.name.strip() else f"Sensor {record.number}"
    return replace(record, name=name)


def _letters(number: int) -> str:
    """0 is A, 25 is Z, 26 is AA."""
    high, low = divmod(number, _ALPHABET)
    return (chr(ord("A") + high - 1) if high else "") + chr(ord("A") + low)


def _fru(data: bytes) -> Iterator[Locator]:
    yield Locator(_name(data, 15).strip(), False, data[5], data[6], (data[12], data[13]))


def _controller(data: bytes) -> Iterator[Locator]:
    yield Locator(_name(data, 15).strip(), True, data[5], 0, (data[12], data[13]))


_KINDS: dict[int, tuple[int, Callable[[bytes], Iterator[Decoded]]]] = {
    _FULL: (48, _full),
    _COMPACT: (32, _compact),
    _EVENT_ONLY: (17, _event_only),
    _FRU: (16, _fru),
    _CONTROLLER: (16, _controller),
}
"""By record type: the fewest bytes it has, and what decodes it."""


def decode(data: bytes) -> tuple[Decoded, ...] | None:
    """Return what a record describes: several sensors for one that is shared, nothing for kinds that are of no use here.

    None: it is too short for its kind, or of another version. Never raises.
    """
    if len(data) < 5 or data[2] not in _VERSIONS:
        return None
    least, decoder = _KINDS.get(data[3], (0, lambda _data: iter(())))
    return tuple(decoder(data)) if len(data) >= least else None
