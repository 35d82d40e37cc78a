# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the system event log of a simulated BMC.

Standard: IPMI v2.0 revision 1.1, chapters 31 (commands) and 32 (entries).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from .model import Model
from .sdr import Kind
from .sensors import Crossing

ENTRY_LENGTH = 16
NEVER = 0xFFFFFFFF
_SYSTEM_EVENT = 0x02
_FIRST_OEM_TIMED, _FIRST_OEM = 0xC0, 0xE0
_GENERATOR = 0x0020
_REVISION = 0x04
_DEASSERTED = 0x80
_THRESHOLD_WITH_VALUES = 0x50
_SENSOR_SPECIFIC = 0x6F
_LOG_CLEARED = 2
_MOST_NUMBER = 0xFFFE
NO_SENSOR = 0xFF


@dataclass(frozen=True)
class Event:
    """Something that an event log tells of a sensor with states: sensor type, offset, whether it began or ended."""

    kind: Kind
    offset: int
    ended: bool = False


class EventLog:
    """The log of one BMC. ``wall`` gives seconds since the epoch; the log's own clock may be set apart from it."""

    def __init__(self, model: Model, wall: Callable[[], float]) -> None:
        self.added = NEVER
        self.erased = NEVER
        self.overflow = False
        self.reservation = 0
        self.erasing = False
        self._model = model
        self._wall = wall
        self._ahead = 0
        self._entries: dict[int, bytes] = {}
        self._next = 1

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def now(self) -> int:
        """The log's time, in seconds since 1970."""
        return int(self._wall()) + self._ahead & 0xFFFFFFFF

    @now.setter
    def now(self, seconds: int) -> None:
        self._ahead = seconds - int(self._wall())

    @property
    def free_bytes(self) -> int:
        """How much more goes in."""
        return (self._model.log_entries - len(self)) * ENTRY_LENGTH

    def reserve(self) -> int:
        """Return a new reservation; those before it end."""
        self.reservation = self.reservation % 0xFFFF + 1
        return self.reservation

    def entry(self, number: int) -> tuple[bytes, int] | None:
        """Return an entry (0: the first, FFFFh: the last) and the number of the next (FFFFh: none), or None."""
        numbers = list(self._entries)
        wanted = {0: numbers[0], 0xFFFF: numbers[-1]}.get(number, number) if numbers else number
        if wanted not in self._entries:
            return None
        place = numbers.index(wanted) + 1
        return self._entries[wanted], numbers[place] if place < len(numbers) else 0xFFFF

    def add(self, entry: bytes) -> int | None:
        """Store 16 bytes, with a number and, for a kind of entry that has one, a time. Return the number.

        None if the log is full; then the entry is lost and the log says so.
        """
        if len(self) >= self._model.log_entries:
            self.overflow = True
            return None
        number, self._next = self._next, self._next % _MOST_NUMBER + 1
        stamp = entry[3:7] if entry[2] >= _FIRST_OEM else struct.pack("<I", self.now)
        self._entries[number] = struct.pack("<H", number) + entry[2:3] + stamp + entry[7:ENTRY_LENGTH]
        self.added = self.now
        # what a client has learned of the log's numbers may be wrong now
        self.reservation = self.reservation % 0xFFFF + 1
        return number

    def delete(self, number: int) -> int | None:
        """Delete an entry and return its number, or None if there is none."""
        found = self.entry(number)
        if found is None:
            return None
        (known,) = struct.unpack_from("<H", found[0])
        del self._entries[known]
        self.erased = self.now
        self.reservation = self.reservation % 0xFFFF + 1
        return int(known)

    def clear(self) -> None:
        """Begin to erase everything; the first question afterwards is still answered with "erasing"."""
        self._entries.clear()
        self._next, self.overflow, self.erasing = 1, False, True
        self.erased = self.now
        self.reservation = self.reservation % 0xFFFF + 1
        if self._model.marks_clear:
            self.happened(Event(Kind.EVENT_LOG, _LOG_CLEARED))

    def happened(self, what: Event) -> None:
        """Log an event of a sensor that has states; a model without such a sensor does not notice."""
        number = self._model.number_of(what.kind)
        if number is not None:
            direction = _DEASSERTED if what.ended else 0
            self._event(what.kind, number, direction | _SENSOR_SPECIFIC, bytes((what.offset, 0xFF, 0xFF)))

    def crossed(self, crossing: Crossing) -> None:
        """Log that a reading crossed a threshold, with both."""
        data = bytes((_THRESHOLD_WITH_VALUES | crossing.offset, crossing.reading, crossing.threshold))
        self._event(crossing.sensor.kind, crossing.sensor.number, 0x01 if crossing.worse else _DEASSERTED | 0x01, data)

    def _event(self, kind: Kind, sensor: int, event: int, data: bytes) -> None:
        body = struct.pack("<HBBBB", _GENERATOR, _REVISION, kind, sensor, event) + data
        self.add(bytes((0, 0, _SYSTEM_EVENT, 0, 0, 0, 0)) + body)
