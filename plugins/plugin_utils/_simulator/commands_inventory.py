# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: IPMI commands that read inventory: FRU, SDR, SEL, sensors, LAN configuration.

Standard: IPMI v2.0 revision 1.1, chapters 23 (LAN), 31 (SEL), 33 (SDR), 34 (FRU), 35 (sensors).
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable

from . import fru, sensors
from .bmc_data import BmcIdentity
from .command_table import (
    NETFN_SENSOR,
    NETFN_STORAGE,
    NETFN_TRANSPORT,
    Command,
    CommandError,
    Completion,
    Privilege,
    Request,
    Table,
)

MOST_BYTES = 224
"""The longest answer that fits a client's buffer; a longer read ends with completion code CAh."""
_REPOSITORY_VERSION = 0x51
_LAST_RECORD = 0xFFFF
_RESERVE_SUPPORTED = 0x02
_NEVER = 0
_LAN_REVISION = 0x11
_STATIC_ADDRESS = 1
_NETMASK = ipaddress.IPv4Address("255.0.0.0").packed


def _area(request: Request) -> bytes:
    if request.data[0] != 0:
        raise CommandError(Completion.NOT_PRESENT)
    return fru.inventory(request.board.identity.serial)


def _fru_info(request: Request) -> bytes:
    return struct.pack("<HB", len(_area(request)), 0)


def _fru_read(request: Request) -> bytes:
    area = _area(request)
    offset, count = struct.unpack_from("<HB", request.data, 1)
    if offset >= len(area):
        raise CommandError(Completion.OUT_OF_RANGE)
    if count > MOST_BYTES:
        raise CommandError(Completion.CANNOT_RETURN)
    part = area[offset : offset + count]
    return bytes((len(part),)) + part


def _sdr_info(_request: Request) -> bytes:
    head = struct.pack("<BHH", _REPOSITORY_VERSION, len(sensors.RECORDS), 0xFFFF)
    return head + struct.pack("<II", _NEVER, _NEVER) + bytes((_RESERVE_SUPPORTED,))


def _reserve(request: Request) -> bytes:
    request.board.reservation = request.board.reservation % 0xFFFF + 1
    return struct.pack("<H", request.board.reservation)


def _sdr_get(request: Request) -> bytes:
    _reservation, wanted, offset, count = struct.unpack_from("<HHBB", request.data)
    last = len(sensors.RECORDS)
    number = {0: 1, _LAST_RECORD: last}.get(wanted, wanted)
    if not 1 <= number <= last:
        raise CommandError(Completion.NOT_PRESENT)
    record = sensors.RECORDS[number - 1]
    if offset >= len(record):
        raise CommandError(Completion.OUT_OF_RANGE)
    part = record[offset:] if count == 0xFF else record[offset : offset + count]
    return struct.pack("<H", _LAST_RECORD if number == last else number + 1) + part


def _sel_info(_request: Request) -> bytes:
    head = struct.pack("<BHH", _REPOSITORY_VERSION, 0, 0xFFFF)
    return head + struct.pack("<II", _NEVER, _NEVER) + bytes((_RESERVE_SUPPORTED,))


def _sel_get(_request: Request) -> bytes:
    raise CommandError(Completion.NOT_PRESENT)


def _sensor_reading(request: Request) -> bytes:
    data = sensors.reading(request.data[0])
    if data is None:
        raise CommandError(Completion.NOT_PRESENT)
    return data


def _sensor_thresholds(request: Request) -> bytes:
    if sensors.reading(request.data[0]) is None:
        raise CommandError(Completion.NOT_PRESENT)
    return bytes(7)


_LAN_PARAMETERS: dict[int, Callable[[BmcIdentity], bytes]] = {
    0: lambda _identity: bytes(1),
    3: lambda identity: ipaddress.IPv4Address(identity.address).packed,
    4: lambda _identity: bytes((_STATIC_ADDRESS,)),
    5: lambda identity: bytes.fromhex(identity.mac.replace(":", "")),
    6: lambda _identity: _NETMASK,
    12: lambda _identity: bytes(4),
    20: lambda _identity: bytes(2),
}
"""LAN configuration parameters, table 23-4: set in progress, address, its source, MAC, mask, gateway, VLAN."""


def _lan_parameter(request: Request) -> bytes:
    value = _LAN_PARAMETERS.get(request.data[1])
    if value is None:
        raise CommandError(Completion.PARAMETER_NOT_SUPPORTED)
    return bytes((_LAN_REVISION,)) + value(request.board.identity)


TABLE: Table = {
    (NETFN_SENSOR, 0x27): Command("get_sensor_thresholds", _sensor_thresholds, least=1),
    (NETFN_SENSOR, 0x2D): Command("get_sensor_reading", _sensor_reading, least=1),
    (NETFN_STORAGE, 0x10): Command("get_fru_inventory_area_info", _fru_info, least=1),
    (NETFN_STORAGE, 0x11): Command("read_fru_data", _fru_read, least=4),
    (NETFN_STORAGE, 0x20): Command("get_sdr_repository_info", _sdr_info),
    (NETFN_STORAGE, 0x22): Command("reserve_sdr_repository", _reserve),
    (NETFN_STORAGE, 0x23): Command("get_sdr", _sdr_get, least=6),
    (NETFN_STORAGE, 0x40): Command("get_sel_info", _sel_info),
    (NETFN_STORAGE, 0x42): Command("reserve_sel", _reserve),
    (NETFN_STORAGE, 0x43): Command("get_sel_entry", _sel_get, least=6),
    (NETFN_TRANSPORT, 0x02): Command("get_lan_configuration", _lan_parameter, Privilege.OPERATOR, least=4),
}
