# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: reading the sensor data records of a BMC (IPMI v2.0, chapters 33 and 35).

Most BMCs have a repository for all records of the machine; where there is none, or nothing in it, the records of the
BMC's own sensors are read instead (device SDRs), by commands of the same form.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ..._nodes.errors import ErrorCode, MetalError
from .script import SENSOR, STORAGE, Refused, Script, ask


class _Source(NamedTuple):
    """Where records come from: the commands that reserve and read them."""

    netfn: int
    reserve: int
    get: int


_REPOSITORY = _Source(STORAGE, 0x22, 0x23)
_DEVICE = _Source(SENSOR, 0x22, 0x21)

MOST_RECORDS = 1000
_FIRST, _LAST = 0x0000, 0xFFFF
_WHOLE = 0xFF
_HEADER = 5
_NOT_RESERVED = 0
_MOST_OFFSET = 0xFF
_MOST_PARTS = 64
_RESTARTS = 5
_LOST_RESERVATION = 0xC5
_TOO_MUCH = (0xC7, 0xC8, 0xC9, 0xCA, 0xFF)
_ABSENT = (0xC1, 0xC2, 0xC9, 0xCB, 0xD6)
"""Completion codes by which BMCs say that they have no such command or no record."""
_SIZES = (64, 32, 16, 8, 4)
"""Bytes of a part, one after the other, where a whole record is too much. Parts of 64 fit every message buffer."""


class Records(NamedTuple):
    """Sensor data records as they are stored, and what was wrong in reading them."""

    found: tuple[bytes, ...]
    warnings: tuple[str, ...] = ()


class _Changed(Exception):
    """Somebody changed the records, or reserved them too, while parts of one were being read."""


class _Reader:
    """Reads records of one source. What size of parts the BMC can return is learned and kept."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._reservation = _NOT_RESERVED
        self._whole = True
        self._sizes = list(_SIZES)

    def reserve(self) -> Script[None]:
        """Reserve the records; only parts of a record need it (33.11), and some BMCs for everything."""
        data = yield from ask(self._source.netfn, self._source.reserve, least=2)
        (self._reservation,) = struct.unpack_from("<H", data)

    def record(self, number: int) -> Script[tuple[int, bytes]]:
        """Return the number of the next record, and this one. Raises: _Changed, MetalError."""
        if self._whole:
            try:
                return (yield from self._part(number, 0, _WHOLE))
            except Refused as refused:
                if refused.completion not in _TOO_MUCH:
                    raise
                self._whole = False
                yield from self.reserve()
        following, record = yield from self._part(number, 0, _HEADER)
        wanted = _length(record)
        for _turn in range(_MOST_PARTS):
            if len(record) >= wanted:
                return following, record[:wanted]
            record += yield from self._more(number, len(record), wanted)
        raise MetalError(ErrorCode.PROTOCOL, f"sensor data record {number} is not at an end after {_MOST_PARTS} parts")

    def _more(self, number: int, at: int, wanted: int) -> Script[bytes]:
        while True:
            try:
                _following, part = yield from self._part(number, at, min(self._sizes[0], wanted - at))
            except Refused as refused:
                if refused.completion not in _TOO_MUCH or len(self._sizes) == 1:
                    raise
                self._sizes.pop(0)
                continue
            return part

    def _part(self, number: int, at: int, count: int) -> Script[tuple[int, bytes]]:
        if at > _MOST_OFFSET:
            raise MetalError(
                ErrorCode.PROTOCOL, f"sensor data record {number} is longer than IPMI can read: more than {at} bytes"
            )
        request = struct.pack("<HHBB", self._reservation, number, at, count)
        try:
            data = yield from ask(self._source.netfn, self._source.get, request, least=3)
        except Refused as refused:
            if refused.completion != _LOST_RESERVATION:
                raise
            raise _Changed from refused
        return int.from_bytes(data[:2], "little"), data[2:]


def _length(header: bytes) -> int:
    if len(header) < _HEADER:
        raise MetalError(
            ErrorCode.PROTOCOL, f"the BMC returns {len(header)} bytes of a sensor data record's five first"
        )
    return _HEADER + header[_HEADER - 1]


def _walk(reader: _Reader) -> Script[Records]:
    """Follow the records from the first to the last, each telling the next one's number."""
    found: list[bytes] = []
    seen: set[int] = set()
    number = _FIRST
    while number != _LAST:
        if number in seen:
            return Records(tuple(found), (f"the sensor data records come round to record {number} again",))
        if len(found) == MOST_RECORDS:
            return Records(tuple(found), (f"only the first {MOST_RECORDS} sensor data records were read",))
        seen.add(number)
        number, record = yield from reader.record(number)
        found.append(record)
    return Records(tuple(found))


def _all(source: _Source) -> Script[Records]:
    reader = _Reader(source)
    for _turn in range(_RESTARTS):
        try:
            return (yield from _walk(reader))
        except _Changed:
            # Numbers may mean other records now: from the beginning.
            yield from reader.reserve()
    raise MetalError(
        ErrorCode.BUSY,
        f"the sensor data records changed, or somebody else reserved them, {_RESTARTS} times while they were read",
    )


def records() -> Script[Records]:
    """Return all sensor data records. Raises: MetalError; a BMC that has none at all gives an empty list."""
    for source in (_REPOSITORY, _DEVICE):
        try:
            found = yield from _all(source)
        except Refused as refused:
            if refused.completion not in _ABSENT:
                raise
            continue
        if found.found:
            return found
    return Records((), ("the BMC has no sensor data records",))
