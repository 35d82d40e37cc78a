# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: IPMI commands about payloads, and the configuration of serial over LAN.

Standard: IPMI v2.0 revision 1.1, chapter 24 (payloads) and 26 (SOL).
"""

from __future__ import annotations

import struct

from .command_table import (
    NETFN_APP,
    NETFN_TRANSPORT,
    Command,
    CommandError,
    Completion,
    Privilege,
    Request,
    Table,
)
from .sol import HEAD, MOST_CHARACTERS

_SOL = 1
_INSTANCE = 1
_WANTS_ENCRYPTION = 0x80
_REVISION = 0x11
_REVISION_ONLY = 0x80
_SUPPORTED = bytes((0x03, 0x00, 0x3F, 0x00, 0, 0, 0, 0))
_VERSION = 0x10
_NO_VLAN = 0xFFFF


def _is_sol(number: int) -> None:
    if number & 0x3F != _SOL:
        raise CommandError(Completion.INVALID_FIELD)


def _activate(request: Request) -> bytes:
    _is_sol(request.data[0])
    sol, session = request.board.sol, request.session
    if session is None or session.privilege < sol.privilege:
        raise CommandError(Completion.PRIVILEGE)
    if not sol.enabled:
        raise CommandError(Completion.EXCEEDS_LIMIT)
    if sol.session is not None and request.board.sessions.find(sol.session.session_id) is sol.session:
        raise CommandError(Completion.ALREADY_ACTIVE)
    if sol.encrypted and not request.data[2] & _WANTS_ENCRYPTION:
        raise CommandError(Completion.NOT_WITHOUT_ENCRYPTION)
    sol.activate(session)
    request.board.woken()
    size = MOST_CHARACTERS + HEAD
    return bytes(4) + struct.pack("<HHHH", size, size, request.board.identity.port, _NO_VLAN)


def _deactivate(request: Request) -> bytes:
    _is_sol(request.data[0])
    sol = request.board.sol
    if sol.session is None:
        raise CommandError(Completion.NOT_ACTIVE)
    sol.deactivate(told=sol.session is not request.session)
    return b""


def _activation_status(request: Request) -> bytes:
    _is_sol(request.data[0])
    return bytes((1, int(request.board.sol.session is not None), 0))


def _instance_info(request: Request) -> bytes:
    _is_sol(request.data[0])
    session = request.board.sol.session
    return struct.pack("<I", session.session_id if session else 0) + bytes((_INSTANCE,)) + bytes(7)


def _set_user_access(_request: Request) -> bytes:
    return b""


def _user_access(_request: Request) -> bytes:
    return bytes((0x02, 0, 0, 0))


def _support(_request: Request) -> bytes:
    return _SUPPORTED


def _version(_request: Request) -> bytes:
    return bytes((_VERSION,))


def _get(request: Request) -> bytes:
    if request.data[0] & _REVISION_ONLY:
        return bytes((_REVISION,))
    try:
        return bytes((_REVISION,)) + request.board.sol.get(request.data[1])
    except KeyError:
        raise CommandError(Completion.PARAMETER_NOT_SUPPORTED) from None


def _set(request: Request) -> bytes:
    try:
        done = request.board.sol.set(request.data[1], request.data[2:])
    except KeyError:
        raise CommandError(Completion.PARAMETER_NOT_SUPPORTED) from None
    except ValueError:
        raise CommandError(Completion.TRUNCATED) from None
    if not done:
        raise CommandError(Completion.READ_ONLY)
    return b""


TABLE: Table = {
    (NETFN_APP, 0x48): Command("activate_payload", _activate, least=6),
    (NETFN_APP, 0x49): Command("deactivate_payload", _deactivate, least=2),
    (NETFN_APP, 0x4A): Command("get_payload_activation_status", _activation_status, least=1),
    (NETFN_APP, 0x4B): Command("get_payload_instance_info", _instance_info, least=2),
    (NETFN_APP, 0x4C): Command("set_user_payload_access", _set_user_access, Privilege.ADMINISTRATOR, least=6),
    (NETFN_APP, 0x4D): Command("get_user_payload_access", _user_access, Privilege.OPERATOR, least=2),
    (NETFN_APP, 0x4E): Command("get_channel_payload_support", _support, least=1),
    (NETFN_APP, 0x4F): Command("get_channel_payload_version", _version, least=2),
    (NETFN_TRANSPORT, 0x21): Command("set_sol_configuration", _set, Privilege.ADMINISTRATOR, least=3),
    (NETFN_TRANSPORT, 0x22): Command("get_sol_configuration", _get, least=4),
}
