# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: IPMI commands of network function App that are about channels and users.

Standard: IPMI v2.0 revision 1.1, sections 22.22 to 22.30.
"""

from __future__ import annotations

from .command_table import NETFN_APP, Command, CommandError, Completion, Privilege, Request, Table
from .commands_app import LAN_CHANNEL
from .users import LONG_PASSWORD, NAME_LENGTH, NO_ACCESS, SHORT_PASSWORD, SLOTS, User

_THIS_CHANNEL = 0x0E
_LONG = 0x80
_CHANGE = 0x80
_VOLATILE, _SAVED = 1, 2
_FIXED_NAMES = 1
_ALWAYS_AVAILABLE = 0x22


def _channel(number: int) -> None:
    if number & 0x0F not in (LAN_CHANNEL, _THIS_CHANNEL):
        raise CommandError(Completion.INVALID_FIELD)


def _user(request: Request, place: int) -> tuple[int, User]:
    number = request.data[place] & 0x3F
    user = request.board.users.slot(number)
    if user is None:
        raise CommandError(Completion.INVALID_FIELD)
    return number, user


def _get_channel_access(request: Request) -> bytes:
    _channel(request.data[0])
    if request.data[1] >> 6 not in (_VOLATILE, _SAVED):
        raise CommandError(Completion.INVALID_FIELD)
    return bytes((_ALWAYS_AVAILABLE, request.board.channel_limit))


def _set_channel_access(request: Request) -> bytes:
    _channel(request.data[0])
    limit = request.data[2] & 0x0F
    if request.data[2] >> 6 and not Privilege.CALLBACK <= limit <= Privilege.ADMINISTRATOR:
        raise CommandError(Completion.INVALID_FIELD)
    if request.data[2] >> 6:
        request.board.channel_limit = limit
    return b""


def _channel_info(request: Request) -> bytes:
    if request.data:
        _channel(request.data[0])
    # 802.3 LAN, IPMB-1.0 protocol, multi-session, vendor number of the IPMI Forum
    active = len(request.board.sessions.active())
    return bytes((LAN_CHANNEL, 0x04, 0x01, 0x80 | active & 0x3F)) + (7154).to_bytes(3, "little") + bytes(2)


def _get_access(request: Request) -> bytes:
    _channel(request.data[0])
    _number, user = _user(request, 1)
    users = request.board.users
    return bytes((SLOTS, (0x40 if user.enabled else 0x80) | users.enabled, _FIXED_NAMES, user.access))


def _set_access(request: Request) -> bytes:
    _channel(request.data[0])
    _number, user = _user(request, 1)
    limit = request.data[2] & 0x0F
    if limit != NO_ACCESS and not Privilege.CALLBACK <= limit <= Privilege.ADMINISTRATOR + 1:
        raise CommandError(Completion.INVALID_FIELD)
    user.privilege = limit
    if request.data[0] & _CHANGE:
        user.messaging, user.link = bool(request.data[0] & 0x10), bool(request.data[0] & 0x20)
    return b""


def _get_name(request: Request) -> bytes:
    return _user(request, 0)[1].name.ljust(NAME_LENGTH, b"\0")


def _set_name(request: Request) -> bytes:
    number, user = _user(request, 0)
    name = request.data[1 : 1 + NAME_LENGTH].split(b"\0")[0]
    # the name of slot 1 is fixed (empty), and two accounts of one name would leave a log-in to chance
    if number <= _FIXED_NAMES or (name and request.board.users.taken(name, number)):
        raise CommandError(Completion.INVALID_FIELD)
    user.name = name
    return b""


def _password(request: Request) -> tuple[bytes, bool]:
    long = bool(request.data[0] & _LONG)
    data = request.data[2:]
    if len(data) < (LONG_PASSWORD if long else SHORT_PASSWORD):
        raise CommandError(Completion.TRUNCATED)
    return data[: LONG_PASSWORD if long else SHORT_PASSWORD].rstrip(b"\0"), long


def _disable(_request: Request, user: User) -> None:
    user.enabled = False


def _enable(_request: Request, user: User) -> None:
    user.enabled = True


def _set_password(request: Request, user: User) -> None:
    user.password, user.long = _password(request)


def _test_password(request: Request, user: User) -> None:
    given, long = _password(request)
    if long != user.long:
        raise CommandError(Completion.PASSWORD_SIZE)
    if given != user.password:
        raise CommandError(Completion.PASSWORD_DIFFERS)


_OPERATIONS = (_disable, _enable, _set_password, _test_password)


def _set_user_password(request: Request) -> bytes:
    _number, user = _user(request, 0)
    _OPERATIONS[request.data[1] & 3](request, user)
    return b""


TABLE: Table = {
    (NETFN_APP, 0x40): Command("set_channel_access", _set_channel_access, Privilege.ADMINISTRATOR, least=3),
    (NETFN_APP, 0x41): Command("get_channel_access", _get_channel_access, least=2),
    (NETFN_APP, 0x42): Command("get_channel_info", _channel_info),
    (NETFN_APP, 0x43): Command("set_user_access", _set_access, Privilege.ADMINISTRATOR, least=3),
    (NETFN_APP, 0x44): Command("get_user_access", _get_access, Privilege.OPERATOR, least=2),
    (NETFN_APP, 0x45): Command("set_user_name", _set_name, Privilege.ADMINISTRATOR, least=17),
    (NETFN_APP, 0x46): Command("get_user_name", _get_name, Privilege.OPERATOR, least=1),
    (NETFN_APP, 0x47): Command("set_user_password", _set_user_password, Privilege.ADMINISTRATOR, least=2),
}
