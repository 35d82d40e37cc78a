# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: reading a FRU inventory area from a BMC (IPMI v2.0, chapter 34), and the whole inventory.

Only the header and the areas that are wanted are read: the rest of a device is padding, of four kilobytes and more.
"""

from __future__ import annotations

import struct

from ..._nodes.errors import ErrorCode, MetalError
from ..facts import PARTS, Inventory
from . import device, fru_fields
from .script import STORAGE, Refused, Script, ask

_GET_AREA_INFO = 0x10
_READ = 0x11
_MAIN_DEVICE = 0
"""FRU device 0 describes the machine itself; the others are its power supplies, modules and the like."""

MOST = 224
"""Bytes asked for at first. Some BMCs lose more, or break their session, instead of refusing it."""
LEAST = 8
_TOO_MUCH = (0xC7, 0xC8, 0xC9, 0xCA, 0xFF)
"""Completion codes by which BMCs say that they cannot return so many bytes at a time."""
_MOST_REQUESTS = 600
_NOT_THERE = (0xC1, 0xC9, 0xCB)
"""Completion codes by which BMCs say that there is no FRU device: no such command, number out of range, not present."""
_DEVICE_BUSY = 0x81
"""Of Read FRU Data (table 34-3)."""
_UNREADABLE = (ErrorCode.PROTOCOL, ErrorCode.UNSUPPORTED)
"""What does not pass when it is tried again, but says nothing of what the machine is made of."""


class _Device:
    """A FRU device, of which more and more is known. Some are addressed by words of two bytes."""

    def __init__(self, number: int, size: int, *, words: bool) -> None:
        self._number = number
        self._unit = 2 if words else 1
        self.image = bytearray(size)
        self._known = bytearray(size)
        self._most = MOST
        self._requests = 0

    def need(self, start: int, stop: int) -> Script[None]:
        """Read what is not known yet of bytes ``start`` to ``stop``, with as many behind as come in one go."""
        stop = min(stop, len(self.image))
        while (at := self._known.find(0, start, stop)) >= 0:
            at -= at % self._unit
            data = yield from self._read(at, min(self._most, len(self.image) - at))
            self.image[at : at + len(data)] = data
            self._known[at : at + len(data)] = b"\x01" * len(data)

    def _read(self, at: int, count: int) -> Script[bytes]:
        while True:
            self._requests += 1
            if self._requests > _MOST_REQUESTS:
                raise MetalError(
                    ErrorCode.PROTOCOL, f"the FRU device is not at an end after {_MOST_REQUESTS} reads of it"
                )
            units = -(-count // self._unit)
            request = struct.pack("<BHB", self._number, at // self._unit, units)
            try:
                answer = yield from ask(STORAGE, _READ, request, least=1)
            except Refused as refused:
                if refused.completion == _DEVICE_BUSY:
                    raise MetalError(ErrorCode.BUSY, "the BMC says that its FRU device is busy") from refused
                if refused.completion not in _TOO_MUCH or count <= LEAST:
                    raise
                count = self._most = max(LEAST, count // 2 // 2 * 2)
                continue
            return self._data(answer, at, count)

    def _data(self, answer: bytes, at: int, count: int) -> bytes:
        """The bytes of an answer, whose first says how many (words, by some BMCs) there are."""
        data = answer[1 : 1 + min(count, answer[0] * self._unit)]
        if not data:
            raise MetalError(ErrorCode.PROTOCOL, f"the BMC answers a read of FRU data at byte {at} with no data")
        return data


def read(number: int = _MAIN_DEVICE) -> Script[bytes]:
    """Return a FRU device from its first byte to the end of the last area that fru_fields knows; zeros in the gaps.

    Raises: Refused where there is no such device or it cannot be read; MetalError ``protocol``.
    """
    return (yield from _areas((yield from _open(number))))


def _open(number: int) -> Script[_Device]:
    """Return a FRU device with its header."""
    info = yield from ask(STORAGE, _GET_AREA_INFO, bytes((number,)), least=3)
    size, access = struct.unpack_from("<HB", info)
    fru = _Device(number, size, words=bool(access & 1))
    yield from fru.need(0, fru_fields.UNIT)
    return fru


def _areas(fru: _Device) -> Script[bytes]:
    """Read the areas that the header names."""
    for place in fru_fields.places(fru.image)[0]:
        yield from fru.need(place.start, place.start + 2)
        yield from fru.need(place.start, place.start + fru_fields.length(fru.image, place.start))
    return bytes(fru.image)


def inventory() -> Script[Inventory]:
    """Return what the machine says of itself. A FRU device that is absent or unreadable is a warning.

    Raises: MetalError, also for what may pass: a BMC that is busy with its FRU device has one.
    """
    controller = yield from device.controller()
    uuid = yield from device.system_uuid()
    fru = yield from _main()
    return Inventory(controller, uuid, fru.chassis, fru.board, fru.product, fru.warnings, fru.unread)


def _main() -> Script[fru_fields.FruData]:
    there = False
    try:
        opened = yield from _open(_MAIN_DEVICE)
        there = True
        return fru_fields.decode((yield from _areas(opened)))
    except MetalError as error:
        if not there and isinstance(error, Refused) and error.completion in _NOT_THERE:
            return fru_fields.FruData(warnings=(f"there is no FRU data: {error.message}",))
        if error.code not in _UNREADABLE:
            raise
        return fru_fields.FruData(warnings=(f"the FRU data cannot be read: {error.message}",), unread=PARTS)
