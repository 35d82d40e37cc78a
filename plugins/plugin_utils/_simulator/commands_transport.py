# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: IPMI commands of network function Transport: the LAN configuration.

Standard: IPMI v2.0 revision 1.1, chapter 23.
"""

from __future__ import annotations

from .command_table import NETFN_TRANSPORT, Command, CommandError, Completion, Privilege, Request, Table
from .commands_app import LAN_CHANNEL
from .lan import InProgress, NotOffered, ReadOnly

_REVISION = 0x11
_REVISION_ONLY = 0x80
_CODES: dict[type[Exception], Completion] = {
    NotOffered: Completion.PARAMETER_NOT_SUPPORTED,
    InProgress: Completion.SET_IN_PROGRESS,
    ReadOnly: Completion.READ_ONLY,
    IndexError: Completion.OUT_OF_RANGE,
    ValueError: Completion.TRUNCATED,
}


def _channel(request: Request) -> None:
    if request.data[0] & 0x0F not in (LAN_CHANNEL, 0x0E):
        raise CommandError(Completion.INVALID_FIELD)


def _get(request: Request) -> bytes:
    _channel(request)
    if request.data[0] & _REVISION_ONLY:
        return bytes((_REVISION,))
    try:
        return bytes((_REVISION,)) + request.board.lan.get(*request.data[1:4])
    except (NotOffered, IndexError) as why:
        raise CommandError(_CODES[type(why)]) from None


def _set(request: Request) -> bytes:
    _channel(request)
    try:
        request.board.lan.set(request.data[1], request.data[2:])
    except (NotOffered, InProgress, ReadOnly, ValueError) as why:
        raise CommandError(_CODES[type(why)]) from None
    return b""


TABLE: Table = {
    (NETFN_TRANSPORT, 0x01): Command("set_lan_configuration", _set, Privilege.ADMINISTRATOR, least=3),
    (NETFN_TRANSPORT, 0x02): Command("get_lan_configuration", _get, Privilege.OPERATOR, least=4),
}
