# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: IPMI commands of network function App: device, restart, session.

Standard: IPMI v2.0 revision 1.1, chapters 20 and 22.
"""

from __future__ import annotations

import ipaddress
import struct

from .cipher import suite_records
from .command_table import NETFN_APP, Command, CommandError, Completion, Privilege, Request, Table
from .sessions import Session

LAN_CHANNEL = 1
_CHUNK = 16


def _session(request: Request) -> Session:
    if request.session is None:
        raise CommandError(Completion.PRIVILEGE)
    return request.session


def _device_id(request: Request) -> bytes:
    model = request.board.model
    version = model.firmware
    minor = version.minor // 10 << 4 | version.minor % 10
    # device 20h, revision 1, IPMI 2.0; chassis, event receiver, FRU, SEL, SDR repository and sensor device
    head = bytes((0x20, 0x01, version.major, minor, 0x02, 0xAF))
    return head + model.manufacturer.to_bytes(3, "little") + struct.pack("<H", model.product) + version.auxiliary


def _self_test(_request: Request) -> bytes:
    return bytes((0x55, 0x00))


def _guid(request: Request) -> bytes:
    return request.board.identity.guid


def _auth_capabilities(request: Request) -> bytes:
    channel = request.data[0] & 0x0F
    if channel not in (LAN_CHANNEL, 0x0E):
        raise CommandError(Completion.INVALID_FIELD)
    extended = bool(request.data[0] & 0x80)
    # no IPMI 1.5 log-in of any type; names are not null; whether K_g is set; RMCP+ only
    status = 0x24 if request.board.k_g else 0x04
    return bytes((LAN_CHANNEL, 0x80 if extended else 0x00, status, 0x02 if extended else 0x00)) + bytes(4)


def _cipher_suites(request: Request) -> bytes:
    start = (request.data[2] & 0x3F) * _CHUNK
    return bytes((LAN_CHANNEL,)) + suite_records(request.board.suites)[start : start + _CHUNK]


def _set_privilege(request: Request) -> bytes:
    session, wanted = _session(request), request.data[0] & 0x0F
    if wanted == Privilege.CALLBACK or wanted > Privilege.ADMINISTRATOR + 1:
        raise CommandError(Completion.INVALID_FIELD)
    if wanted > session.limit:
        raise CommandError(Completion.EXCEEDS_LIMIT)
    session.privilege = wanted or session.privilege
    return bytes((session.privilege,))


def _cold_reset(request: Request) -> bytes:
    request.board.restart(True)
    return b""


def _warm_reset(request: Request) -> bytes:
    request.board.restart(False)
    return b""


def _close_session(request: Request) -> bytes:
    (number,) = struct.unpack_from("<I", request.data)
    session = request.board.sessions.find(number)
    if session is None or session.seal is None:
        raise CommandError(Completion.INVALID_SESSION)
    if session is not request.session and _session(request).privilege < Privilege.ADMINISTRATOR:
        raise CommandError(Completion.PRIVILEGE)
    request.board.sessions.close(session)
    request.board.closed()
    return b""


def _session_info(request: Request) -> bytes:
    sessions = request.board.sessions
    active = sessions.active()
    head = bytes((1, sessions.slots, len(active)))
    session = _session(request) if request.data[0] == 0 else _indexed(active, request.data[0])
    if session is None:
        return bytes((0,)) + head[1:]
    address, port = ipaddress.ip_address(session.peer[0]), session.peer[1]
    who = bytes((session.user, session.privilege, 0x10 | LAN_CHANNEL))
    # there is no room for an IPv6 address in this answer
    four = address.packed if isinstance(address, ipaddress.IPv4Address) else bytes(4)
    return head + who + four + bytes(6) + struct.pack("<H", port)


def _indexed(active: list[Session], index: int) -> Session | None:
    if index >= 0xFE:
        raise CommandError(Completion.NOT_PRESENT)
    return active[index - 1] if index <= len(active) else None


TABLE: Table = {
    (NETFN_APP, 0x01): Command("get_device_id", _device_id),
    (NETFN_APP, 0x02): Command("cold_reset", _cold_reset, Privilege.ADMINISTRATOR),
    (NETFN_APP, 0x03): Command("warm_reset", _warm_reset, Privilege.ADMINISTRATOR),
    (NETFN_APP, 0x04): Command("get_self_test_results", _self_test),
    (NETFN_APP, 0x08): Command("get_device_guid", _guid),
    (NETFN_APP, 0x37): Command("get_system_guid", _guid, Privilege.NONE),
    (NETFN_APP, 0x38): Command("get_channel_auth_capabilities", _auth_capabilities, Privilege.NONE, least=2),
    (NETFN_APP, 0x3B): Command("set_session_privilege", _set_privilege, Privilege.CALLBACK, least=1),
    (NETFN_APP, 0x3C): Command("close_session", _close_session, Privilege.CALLBACK, least=4),
    (NETFN_APP, 0x3D): Command("get_session_info", _session_info, least=1),
    (NETFN_APP, 0x54): Command("get_channel_cipher_suites", _cipher_suites, Privilege.NONE, least=3),
}
