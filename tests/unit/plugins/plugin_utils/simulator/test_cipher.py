# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import hashlib
import hmac
import struct

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import wire
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.cipher import (
    SUITES,
    BadPacket,
    Exchange,
    Refusal,
    Seal,
    find_suite,
    suite_records,
)

HASHES = {3: hashlib.sha1, 17: hashlib.sha256}
KEY = bytes(range(20))


def exchange(number: int) -> Exchange:
    return Exchange(
        suite=SUITES[number],
        console_id=b"\xa4\xa3\xa2\xa0",
        bmc_id=b"\x04\x03\x02\x01",
        console_random=bytes(range(16)),
        bmc_random=bytes(range(16, 32)),
        guid=bytes(range(32, 48)),
        role=0x14,
        user=b"admin",
    )


@pytest.mark.parametrize("number", [3, 17])
def test_codes_and_keys_follow_the_formulas_of_the_standard(number: int) -> None:
    def mac(key: bytes, data: bytes) -> bytes:
        return hmac.new(key, data, HASHES[number]).digest()

    sidm, sidc = b"\xa4\xa3\xa2\xa0", b"\x04\x03\x02\x01"
    rm, rc, guid, name = bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 48)), b"\x14\x05admin"
    found = exchange(number)
    assert found.rakp2_code(b"secret") == mac(b"secret", sidm + sidc + rm + rc + guid + name)
    assert found.rakp3_code(b"secret") == mac(b"secret", rc + sidm + name)
    sik = mac(b"secret", rm + rc + name)
    assert found.session_key(b"secret") == sik
    length = {3: 12, 17: 16}[number]
    assert found.rakp4_code(sik) == mac(sik, rm + sidc + guid)[:length]
    assert Seal(SUITES[number], sik).sign(b"data") == mac(mac(sik, b"\x01" * 20), b"data")[:length]


@pytest.mark.parametrize("number", [3, 17])
@pytest.mark.parametrize("length", [0, 1, 14, 15, 16, 31, 200])
def test_a_packet_goes_there_and_back(number: int, length: int) -> None:
    seal = Seal(SUITES[number], KEY)
    message = bytes(value % 256 for value in range(length))
    datagram = seal.pack(0x01020304, 9, message)
    # what is signed is a multiple of four bytes long (section 13.28.4)
    assert (len(datagram) - 4 - SUITES[number].code_length) % 4 == 0
    packet = wire.parse_packet(datagram)
    assert (packet.session_id, packet.sequence, packet.payload_type) == (0x01020304, 9, wire.PAYLOAD_IPMI)
    assert seal.unpack(packet) == message


@pytest.mark.parametrize("position", [5, 10, 20, 40, -1])
def test_a_changed_byte_is_noticed(position: int) -> None:
    seal = Seal(SUITES[17], KEY)
    datagram = bytearray(seal.pack(7, 1, b"a message of some length"))
    datagram[position] ^= 1
    with pytest.raises(BadPacket):
        seal.unpack(wire.parse_packet(bytes(datagram)))


def test_a_packet_without_code_is_refused() -> None:
    seal = Seal(SUITES[17], KEY)
    plain = wire.build_packet(wire.PAYLOAD_IPMI, 7, 1, b"in the clear")
    with pytest.raises(BadPacket, match="signed and encrypted"):
        seal.unpack(wire.parse_packet(plain))


@pytest.mark.parametrize("payload", [b"", bytes(16), bytes(33), bytes(32)])
def test_a_payload_that_no_encryption_gives_is_refused(payload: bytes) -> None:
    with pytest.raises(BadPacket):
        Seal(SUITES[3], KEY).decrypt(payload)


def test_suites_are_found_by_their_algorithms() -> None:
    assert find_suite((3, 17), 1, 1, 1) is SUITES[3]
    assert find_suite((3, 17), 3, 4, 1) is SUITES[17]
    assert find_suite((3,), 3, 4, 1) is Refusal.AUTHENTICATION
    assert find_suite((3, 8, 17), 2, 2, 1) is Refusal.AUTHENTICATION
    assert find_suite((3, 17), 1, 2, 1) is Refusal.INTEGRITY
    assert find_suite((3, 17), 1, 1, 0) is Refusal.CONFIDENTIALITY
    assert find_suite((3, 17), 1, 4, 1) is Refusal.COMBINATION
    assert suite_records((3, 17)) == bytes.fromhex("c003014181c011034481")
    assert suite_records((8, 12)) == bytes.fromhex("c008024281c00c024381")


def test_checksums_and_lengths_of_messages_are_verified() -> None:
    good = bytes((0x20, 0x18, 0xC8, 0x81, 0x04, 0x38, 0x0E, 0x04, 0x31))
    message = wire.parse_message(good)
    assert (message.netfn, message.command, message.sequence, message.data) == (6, 0x38, 1, b"\x0e\x04")
    for bad in (good[:6], good[:-1] + b"\x00", b"\x21" + good[1:]):
        with pytest.raises(wire.WireError):
            wire.parse_message(bad)


@pytest.mark.parametrize("length", [0, 3, 5, 15, 30])
def test_a_packet_that_is_cut_short_is_refused(length: int) -> None:
    datagram = Seal(SUITES[3], KEY).pack(7, 1, b"message")
    with pytest.raises(wire.WireError):
        wire.parse_packet(datagram[:length])


def test_presence_ping_gets_a_pong_with_its_tag() -> None:
    ping = bytes.fromhex("0600ff06000011be80170000")
    pong = wire.presence_pong(ping)
    assert pong[:4] == b"\x06\x00\xff\x06"
    assert struct.unpack(">IBBBB", pong[4:12]) == (0x11BE, 0x40, 0x17, 0, 16)
    assert pong[20] == 0x81
    assert len(pong) == 28
