# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: reading a FRU inventory area from a BMC (IPMI v2.0, chapter 34), and the whole inventory.

Only the header and the areas that are wanted are read: the rest of a device is padding, of four kilobytes and more.
"""

from __future__ import annotations

import struct

from ..._nodes.errors import ErrorCode, MetalError
from ..facts import Inventory
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
_NO_DEVICE = (0xC1, 0xC2, 0xC3, 0xC9, 0xCB, 0xCC, 0xCE, 0xD5, 0xD6, 0x81)
"""Completion codes by which BMCs say that a FRU device is not there, or not now."""


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
    info = yield from ask(STORAGE, _GET_AREA_INFO, bytes((number,)), least=3)
    size, access = struct.unpack_from("<HB", info)
    fru = _Device(number, size, words=bool(access & 1))
    yield from fru.need(0, fru_fields.UNIT)
    for place in fru_fields.places(fru.image)[0]:
        yield from fru.need(place.start, place.start + 2)
        yield from fru.need(place.start, place.start + fru_fields.length(fru.image, place.start))
    return bytes(fru.image)


def inventory() -> Script[Inventory]:
    """Return what the machine says of itself. A FRU device that is absent or unreadable is a warning.

    Raises: MetalError.
    """
    controller = yield from device.controller()
    uuid = yield from device.system_uuid()
    try:
        image = yield from read()
        fru = fru_fields.decode(image)
    except Refused as refused:
        if refused.completion not in _NO_DEVICE:
            raise
        fru = fru_fields.FruData(warnings=(f"there is no FRU data: {refused.message}",))
    except MetalError as error:
        if error.code is not ErrorCode.PROTOCOL:
            raise
        fru = fru_fields.FruData(warnings=(f"the FRU data cannot be read: {error.message}",))
    return Inventory(controller, uuid, fru.chassis, fru.board, fru.product, fru.warnings)
