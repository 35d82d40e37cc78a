# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: IPMI commands of network function Storage: FRU, SDR repository, event log.

Standard: IPMI v2.0 revision 1.1, chapters 31 (SEL), 33 (SDR), 34 (FRU). A model says how many bytes one answer holds.
"""

from __future__ import annotations

import struct

from .command_table import NETFN_STORAGE, Command, CommandError, Completion, Privilege, Request, Table
from .sel import ENTRY_LENGTH

_VERSION = 0x51
_LAST_RECORD = 0xFFFF
_MADE = 0x65A00000
"""When the SDR repository was made: early in 2024."""
_SDR_RESERVE = 0x02
_SEL_RESERVE_AND_DELETE = 0x0A
_SEL_OVERFLOW = 0x80
_ERASE = 0xAA
_IN_PROGRESS, _COMPLETED = 0, 1


def _area(request: Request) -> bytearray:
    area = request.board.frus.get(request.data[0])
    if area is None:
        raise CommandError(Completion.NOT_PRESENT)
    return area


def _fru_info(request: Request) -> bytes:
    return struct.pack("<HB", len(_area(request)), 0)


def _fru_read(request: Request) -> bytes:
    area = _area(request)
    offset, count = struct.unpack_from("<HB", request.data, 1)
    if offset >= len(area):
        raise CommandError(Completion.OUT_OF_RANGE)
    if count > request.board.model.most_bytes:
        raise CommandError(Completion.CANNOT_RETURN)
    part = bytes(area[offset : offset + count])
    return bytes((len(part),)) + part


def _fru_write(request: Request) -> bytes:
    area, part = _area(request), request.data[3:]
    (offset,) = struct.unpack_from("<H", request.data, 1)
    if offset + len(part) > len(area):
        raise CommandError(Completion.OUT_OF_RANGE)
    area[offset : offset + len(part)] = part
    return bytes((len(part),))


def _piece(request: Request, record: bytes, offset: int, count: int) -> bytes:
    if offset >= len(record):
        raise CommandError(Completion.OUT_OF_RANGE)
    part = record[offset:] if count == 0xFF else record[offset : offset + count]
    if len(part) > request.board.model.most_bytes:
        raise CommandError(Completion.CANNOT_RETURN)
    return part


def _sdr_info(request: Request) -> bytes:
    count = len(request.board.model.records)
    return struct.pack("<BHHIIB", _VERSION, count, 0xFFFF, _MADE, _MADE, _SDR_RESERVE)


def _sdr_reserve(request: Request) -> bytes:
    request.board.reservation = request.board.reservation % 0xFFFF + 1
    return struct.pack("<H", request.board.reservation)


def _sdr_get(request: Request) -> bytes:
    reservation, wanted, offset, count = struct.unpack_from("<HHBB", request.data)
    if offset and reservation != request.board.reservation:
        raise CommandError(Completion.RESERVATION_CANCELLED)
    records = request.board.model.repository
    number = {0: records[0][0], _LAST_RECORD: records[-1][0]}.get(wanted, wanted)
    place = next((place for place, found in enumerate(records) if found[0] == number), None)
    if place is None:
        raise CommandError(Completion.NOT_PRESENT)
    following = records[place + 1][0] if place + 1 < len(records) else _LAST_RECORD
    return struct.pack("<H", following) + _piece(request, records[place][1], offset, count)


def _sel_info(request: Request) -> bytes:
    log = request.board.log
    support = _SEL_RESERVE_AND_DELETE | (_SEL_OVERFLOW if log.overflow else 0)
    return struct.pack("<BHHIIB", _VERSION, len(log), min(log.free_bytes, 0xFFFF), log.added, log.erased, support)


def _sel_reserve(request: Request) -> bytes:
    return struct.pack("<H", request.board.log.reserve())


def _sel_get(request: Request) -> bytes:
    reservation, wanted, offset, count = struct.unpack_from("<HHBB", request.data)
    log = request.board.log
    if (offset or reservation) and reservation != log.reservation:
        raise CommandError(Completion.RESERVATION_CANCELLED)
    found = log.entry(wanted)
    if found is None:
        raise CommandError(Completion.NOT_PRESENT)
    return struct.pack("<H", found[1]) + _piece(request, found[0], offset, count)


def _sel_add(request: Request) -> bytes:
    number = request.board.log.add(request.data[:ENTRY_LENGTH])
    if number is None:
        raise CommandError(Completion.OUT_OF_SPACE)
    return struct.pack("<H", number)


def _sel_delete(request: Request) -> bytes:
    reservation, wanted = struct.unpack_from("<HH", request.data)
    log = request.board.log
    if reservation != log.reservation:
        raise CommandError(Completion.RESERVATION_CANCELLED)
    number = log.delete(wanted)
    if number is None:
        raise CommandError(Completion.NOT_PRESENT)
    return struct.pack("<H", number)


def _sel_clear(request: Request) -> bytes:
    log = request.board.log
    (reservation,) = struct.unpack_from("<H", request.data)
    if request.data[2:5] != b"CLR" or request.data[5] not in (0, _ERASE):
        raise CommandError(Completion.INVALID_FIELD)
    if request.data[5] == 0:
        # the erasure itself ended the reservation, so whoever asks how far it is need not hold one
        erasing, log.erasing = log.erasing, False
        return bytes((_IN_PROGRESS if erasing else _COMPLETED,))
    if reservation != log.reservation:
        raise CommandError(Completion.RESERVATION_CANCELLED)
    log.clear()
    return bytes((_IN_PROGRESS,))


def _sel_time(request: Request) -> bytes:
    return struct.pack("<I", request.board.log.now)


def _sel_set_time(request: Request) -> bytes:
    (request.board.log.now,) = struct.unpack_from("<I", request.data)
    return b""


TABLE: Table = {
    (NETFN_STORAGE, 0x10): Command("get_fru_inventory_area_info", _fru_info, least=1),
    (NETFN_STORAGE, 0x11): Command("read_fru_data", _fru_read, least=4),
    (NETFN_STORAGE, 0x12): Command("write_fru_data", _fru_write, Privilege.OPERATOR, least=4),
    (NETFN_STORAGE, 0x20): Command("get_sdr_repository_info", _sdr_info),
    (NETFN_STORAGE, 0x22): Command("reserve_sdr_repository", _sdr_reserve),
    (NETFN_STORAGE, 0x23): Command("get_sdr", _sdr_get, least=6),
    (NETFN_STORAGE, 0x40): Command("get_sel_info", _sel_info),
    (NETFN_STORAGE, 0x42): Command("reserve_sel", _sel_reserve),
    (NETFN_STORAGE, 0x43): Command("get_sel_entry", _sel_get, least=6),
    (NETFN_STORAGE, 0x44): Command("add_sel_entry", _sel_add, Privilege.OPERATOR, least=ENTRY_LENGTH),
    (NETFN_STORAGE, 0x46): Command("delete_sel_entry", _sel_delete, Privilege.OPERATOR, least=4),
    (NETFN_STORAGE, 0x47): Command("clear_sel", _sel_clear, Privilege.OPERATOR, least=6),
    (NETFN_STORAGE, 0x48): Command("get_sel_time", _sel_time),
    (NETFN_STORAGE, 0x49): Command("set_sel_time", _sel_set_time, Privilege.OPERATOR, least=4),
}
