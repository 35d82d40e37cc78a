# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: IPMI commands of network function Chassis.

Standard: IPMI v2.0 revision 1.1, chapter 28.
"""

from __future__ import annotations

import struct

from .command_table import (
    NETFN_CHASSIS,
    Command,
    CommandError,
    Completion,
    PowerAction,
    Privilege,
    Request,
    Table,
)

_NEEDS_POWER = frozenset({PowerAction.CYCLE, PowerAction.RESET, PowerAction.DIAGNOSTIC})
_IDENTIFY_DEFAULT_SECONDS = 15
_MINUTES_PER_COUNT = 60


def _capabilities(_request: Request) -> bytes:
    return bytes((0x00, 0x20, 0x20, 0x20, 0x20))


def _status(request: Request) -> bytes:
    board = request.board
    power = int(board.chassis.powered) | board.restore_policy << 5
    last_event = 0x10 if board.chassis.powered else 0x00
    return bytes((power, last_event, 0x40 | board.lamp.state << 4, 0x00))


def _control(request: Request) -> bytes:
    number = request.data[0] & 0x0F
    if number not in list(PowerAction):
        raise CommandError(Completion.INVALID_FIELD)
    action = PowerAction(number)
    if action in _NEEDS_POWER and not request.board.chassis.powered:
        raise CommandError(Completion.NOT_NOW)
    request.board.boot.chassis_command()
    request.board.chassis.control(action)
    return b""


def _identify(request: Request) -> bytes:
    seconds = request.data[0] if request.data else _IDENTIFY_DEFAULT_SECONDS
    forced = len(request.data) > 1 and bool(request.data[1] & 1)
    request.board.lamp.light(seconds, forced)
    return b""


def _restore_policy(request: Request) -> bytes:
    wanted = request.data[0] & 0x07
    if wanted < 3:
        request.board.restore_policy = wanted
    return bytes((0x07,))


def _restart_cause(_request: Request) -> bytes:
    return bytes((0x01, 0x01))


def _set_boot_options(request: Request) -> bytes:
    try:
        request.board.boot.set(request.data[0], request.data[1:])
    except KeyError:
        raise CommandError(Completion.PARAMETER_NOT_SUPPORTED) from None
    except ValueError:
        raise CommandError(Completion.TRUNCATED) from None
    return b""


def _get_boot_options(request: Request) -> bytes:
    try:
        selector, data = request.board.boot.get(request.data[0] & 0x7F)
    except KeyError:
        raise CommandError(Completion.PARAMETER_NOT_SUPPORTED) from None
    return bytes((0x01, selector)) + data


def _power_on_hours(request: Request) -> bytes:
    hours = int(request.board.chassis.power_on_seconds // 3600)
    return struct.pack("<BI", _MINUTES_PER_COUNT, hours)


TABLE: Table = {
    (NETFN_CHASSIS, 0x00): Command("get_chassis_capabilities", _capabilities),
    (NETFN_CHASSIS, 0x01): Command("get_chassis_status", _status),
    (NETFN_CHASSIS, 0x02): Command("chassis_control", _control, Privilege.OPERATOR, least=1),
    (NETFN_CHASSIS, 0x04): Command("chassis_identify", _identify, Privilege.OPERATOR),
    (NETFN_CHASSIS, 0x06): Command("set_power_restore_policy", _restore_policy, Privilege.OPERATOR, least=1),
    (NETFN_CHASSIS, 0x07): Command("get_system_restart_cause", _restart_cause),
    (NETFN_CHASSIS, 0x08): Command("set_system_boot_options", _set_boot_options, Privilege.OPERATOR, least=1),
    (NETFN_CHASSIS, 0x09): Command("get_system_boot_options", _get_boot_options, Privilege.OPERATOR, least=3),
    (NETFN_CHASSIS, 0x0F): Command("get_poh_counter", _power_on_hours),
}
