# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the packets that go to and come from UDP port 623.

Standards: IPMI v2.0 revision 1.1, sections 13.1 (RMCP), 13.6 (session header), 13.8 (IPMI message), 13.17 to 13.24
(Open Session, RAKP); ASF 2.0 (presence ping). What comes from the network may be anything: a function that takes a
packet apart returns None for what it cannot be, and raises nothing.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from .script import Reply, Request

RMCP = b"\x06\x00\xff\x07"
"""Version 1.0, no acknowledgement wanted, class IPMI."""
OUTSIDE = 0x00
"""Authentication type of an IPMI 1.5 packet outside of any session."""
PLUS = 0x06

IPMI, SOL = 0x00, 0x01
OPEN_REQUEST, OPEN_RESPONSE, RAKP_1, RAKP_2, RAKP_3, RAKP_4 = range(0x10, 0x16)
"""Payload types (table 13-16)."""
SEALED = 0xC0
"""Bits of the payload type: encrypted and authenticated."""
HEADER = 16
"""Bytes before the payload of an RMCP+ packet."""

PRESENCE_PING = b"\x06\x00\xff\x06\x00\x00\x11\xbe\x80\x00\x00\x00"
"""ASF 2.0, section 3.2.4.2: the answer is a presence pong."""

_BMC = 0x20
_CONSOLE = 0x81
_PLUS_HEADER = struct.Struct("<BBIIH")
_PONG = b"\x00\x00\x11\xbe\x40"


class Packet(NamedTuple):
    """An RMCP+ packet taken apart: its payload is as it came, perhaps encrypted."""

    kind: int
    session: int
    sequence: int
    payload: bytes


def message(request: Request, number: int) -> bytes:
    """Return the IPMI message of ``request`` with the request number ``number`` (0 to 63)."""
    first, second = _BMC, request.netfn << 2 | request.lun
    body = bytes((_CONSOLE, number << 2, request.command)) + request.data
    return bytes((first, second, -(first + second) & 0xFF)) + body + bytes((-sum(body) & 0xFF,))


def reply(raw: bytes, request: Request, number: int) -> Reply | None:
    """Return the answer to ``request``, sent with ``number``, that the IPMI message ``raw`` is; else None."""
    if len(raw) < 8 or raw[1] >> 2 != request.netfn | 1 or raw[4] >> 2 != number or raw[5] != request.command:
        return None
    if sum(raw[:3]) & 0xFF or sum(raw[3:]) & 0xFF:
        return None
    return Reply(raw[6], raw[7:-1])


def outside(raw: bytes) -> bytes:
    """Return the packet, of no session, that carries the IPMI message ``raw`` (the form that IPMI 1.5 BMCs know, too)."""
    return RMCP + bytes((OUTSIDE,)) + bytes(8) + bytes((len(raw),)) + raw


def of_outside(datagram: bytes) -> bytes | None:
    """Return the IPMI message of a packet of no session; else None."""
    if len(datagram) < 14 or datagram[3] & 0x1F != 0x07 or datagram[4] != OUTSIDE or datagram[5:13] != bytes(8):
        return None
    raw = datagram[14 : 14 + datagram[13]]
    return raw if len(raw) == datagram[13] else None


def plus(kind: int, session: int, sequence: int, payload: bytes) -> bytes:
    """Return an RMCP+ packet."""
    return RMCP + _PLUS_HEADER.pack(PLUS, kind, session, sequence, len(payload)) + payload


def of_plus(datagram: bytes) -> Packet | None:
    """Take an RMCP+ packet apart; None if it is none, or cut short."""
    if len(datagram) < HEADER or datagram[3] != 0x07 or datagram[4] != PLUS:
        return None
    kind, session, sequence, length = _PLUS_HEADER.unpack_from(datagram, 4)[1:]
    if len(datagram) < HEADER + length:
        return None
    return Packet(kind, session, sequence, datagram[HEADER : HEADER + length])


def handshake(datagram: bytes, kind: int, tag: int) -> bytes | None:
    """Return the payload of a packet of the log-in, of the kind that is waited for and with its ``tag``; else None."""
    packet = of_plus(datagram)
    if packet is None or packet.kind != kind or packet.session or len(packet.payload) < 2 or packet.payload[0] != tag:
        return None
    return packet.payload


def is_pong(datagram: bytes) -> bool:
    """Return whether this is the presence pong of something that speaks IPMI (ASF 2.0, section 3.2.4.3)."""
    return len(datagram) >= 28 and datagram[3] == 0x06 and datagram[4:9] == _PONG and bool(datagram[20] & 0x80)
