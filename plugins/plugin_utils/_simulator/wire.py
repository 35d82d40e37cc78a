# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: framing of the BMC's UDP packets.

Standards: IPMI v2.0 revision 1.1, sections 13.1 (RMCP), 13.2.3 (ASF presence ping), 13.6 (session header of IPMI 1.5
and RMCP+), 13.8 (IPMI message); ASF 2.0. No cryptography here (see :mod:`cipher`) and no meaning (see :mod:`bmc`).
Numbers on the wire are least significant byte first.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

RMCP_VERSION = 6
RMCP_NO_ACK = 0xFF
CLASS_ASF = 6
CLASS_IPMI = 7
CLASS_MASK = 0x1F

FORMAT_NONE = 0
"""Authentication type byte of an IPMI 1.5 packet outside of any session."""
FORMAT_RMCPPLUS = 6

PAYLOAD_IPMI = 0x00
PAYLOAD_SOL = 0x01
PAYLOAD_OPEN_REQUEST = 0x10
PAYLOAD_OPEN_RESPONSE = 0x11
PAYLOAD_RAKP1 = 0x12
PAYLOAD_RAKP2 = 0x13
PAYLOAD_RAKP3 = 0x14
PAYLOAD_RAKP4 = 0x15
PAYLOAD_TYPE_MASK = 0x3F
PAYLOAD_AUTHENTICATED = 0x40
PAYLOAD_ENCRYPTED = 0x80

HEADER_LENGTH = 16
"""Bytes of an RMCP+ packet before its payload: RMCP 4, format 1, type 1, session 4, sequence 4, length 2."""

_RMCP = struct.Struct("<BBBB")
_OUTSIDE_HEADER = struct.Struct("<BIIB")
_PLUS_HEADER = struct.Struct("<BBIIH")
_IPMI_PREFIX = bytes((RMCP_VERSION, 0, RMCP_NO_ACK, CLASS_IPMI))
_ASF_IANA = bytes((0x00, 0x00, 0x11, 0xBE))
_ASF_PING = 0x80
_ASF_PONG = 0x40
_ASF_IPMI_SUPPORTED = 0x81


class WireError(Exception):
    """The packet is not what the standard allows; a BMC drops it without an answer."""


@dataclass(slots=True)
class Packet:
    """An RMCP+ packet: ``sealed`` are the bytes that its authentication code covers (empty if it has none)."""

    payload_type: int
    authenticated: bool
    encrypted: bool
    session_id: int
    sequence: int
    payload: bytes
    after: bytes
    """Everything behind the payload: integrity pad, pad length, next header, authentication code."""
    head: bytes
    """The header and payload from the format byte on, as they were received."""


@dataclass(slots=True)
class Message:
    """An IPMI request message."""

    target: int
    netfn: int
    target_lun: int
    source: int
    sequence: int
    source_lun: int
    command: int
    data: bytes


def rmcp_class(datagram: bytes) -> int:
    """Return the RMCP class of a datagram. Raises WireError if it is not RMCP version 1 (ASF 2.0: byte 06)."""
    if len(datagram) < _RMCP.size:
        raise WireError("shorter than an RMCP header")
    version, _reserved, _sequence, klass = _RMCP.unpack_from(datagram)
    if version != RMCP_VERSION:
        raise WireError("not RMCP")
    return int(klass) & CLASS_MASK


def presence_pong(datagram: bytes) -> bytes:
    """Answer an ASF presence ping. Raises WireError for any other ASF message."""
    if len(datagram) < 12 or datagram[8] != _ASF_PING:
        raise WireError("not a presence ping")
    tag = datagram[9]
    head = bytes((RMCP_VERSION, 0, RMCP_NO_ACK, CLASS_ASF)) + _ASF_IANA + bytes((_ASF_PONG, tag, 0, 16))
    return head + _ASF_IANA + bytes(4) + bytes((_ASF_IPMI_SUPPORTED,)) + bytes(7)


def checksum(data: bytes) -> int:
    """Return the two's complement checksum of IPMI section 13.8."""
    return -sum(data) & 0xFF


def parse_outside(datagram: bytes) -> bytes:
    """Return the IPMI message of an IPMI 1.5 packet that belongs to no session. Raises WireError."""
    if len(datagram) < 4 + _OUTSIDE_HEADER.size:
        raise WireError("shorter than an IPMI 1.5 session header")
    _format, _sequence, session, length = _OUTSIDE_HEADER.unpack_from(datagram, 4)
    if session or len(datagram) < 14 + length:
        raise WireError("an IPMI 1.5 session is not offered here, or the packet is cut short")
    return datagram[14 : 14 + length]


def build_outside(message: bytes) -> bytes:
    """Wrap an IPMI message into an IPMI 1.5 packet outside of any session."""
    return _IPMI_PREFIX + _OUTSIDE_HEADER.pack(FORMAT_NONE, 0, 0, len(message)) + message


def parse_packet(datagram: bytes) -> Packet:
    """Take an RMCP+ packet apart; nothing is verified yet. Raises WireError if it is cut short."""
    if len(datagram) < HEADER_LENGTH:
        raise WireError("shorter than an RMCP+ header")
    _format, kind, session, sequence, length = _PLUS_HEADER.unpack_from(datagram, 4)
    end = HEADER_LENGTH + length
    if len(datagram) < end:
        raise WireError("shorter than its payload length says")
    return Packet(
        payload_type=kind & PAYLOAD_TYPE_MASK,
        authenticated=bool(kind & PAYLOAD_AUTHENTICATED),
        encrypted=bool(kind & PAYLOAD_ENCRYPTED),
        session_id=session,
        sequence=sequence,
        payload=datagram[HEADER_LENGTH:end],
        after=datagram[end:],
        head=datagram[4:end],
    )


def build_packet(payload_type: int, session_id: int, sequence: int, payload: bytes) -> bytes:
    """Return RMCP and RMCP+ header and payload; ``payload_type`` carries the encrypted and authenticated bits."""
    header = _PLUS_HEADER.pack(FORMAT_RMCPPLUS, payload_type, session_id, sequence, len(payload))
    return _IPMI_PREFIX + header + payload


def integrity_pad(covered: int) -> bytes:
    """Return integrity pad, pad length and next header for ``covered`` bytes before them (section 13.28.4)."""
    pad = -(covered + 2) % 4
    return b"\xff" * pad + bytes((pad, CLASS_IPMI))


def parse_message(raw: bytes) -> Message:
    """Take an IPMI request apart. Raises WireError on a wrong checksum or a length below the least (7 bytes)."""
    if len(raw) < 7 or checksum(raw[:3]) or checksum(raw[3:]):
        raise WireError("IPMI message too short or with a wrong checksum")
    return Message(
        target=raw[0],
        netfn=raw[1] >> 2,
        target_lun=raw[1] & 3,
        source=raw[3],
        sequence=raw[4] >> 2,
        source_lun=raw[4] & 3,
        command=raw[5],
        data=raw[6:-1],
    )


def build_response(request: Message, body: bytes) -> bytes:
    """Return the response message to ``request``; ``body`` is completion code and data."""
    head = bytes((request.source, (request.netfn | 1) << 2 | request.source_lun))
    tail = bytes((request.target, request.sequence << 2 | request.target_lun, request.command)) + body
    return head + bytes((checksum(head),)) + tail + bytes((checksum(tail),))
