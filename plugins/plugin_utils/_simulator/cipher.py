# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the cryptography of RMCP+ sessions, as a BMC does it.

Standard: IPMI v2.0 revision 1.1, sections 13.20 to 13.32 and table 22-20 (cipher suites); HMAC is RFC 2104,
AES-128-CBC is FIPS 197 with SP 800-38A. Suites carried out: 3 (RAKP-HMAC-SHA1, HMAC-SHA1-96, AES-CBC-128) and 17
(RAKP-HMAC-SHA256, HMAC-SHA256-128, AES-CBC-128). Others can be listed, as firmware does that lists what it lacks.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from ...module_utils._nodes.libraries import lazy
from . import wire

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import ciphers
    from cryptography.hazmat.primitives.ciphers import algorithms, modes
else:
    ciphers = lazy("cryptography.hazmat.primitives.ciphers")
    algorithms = lazy("cryptography.hazmat.primitives.ciphers.algorithms")
    modes = lazy("cryptography.hazmat.primitives.ciphers.modes")

BLOCK = 16
_CONSTANT_1 = b"\x01" * 20
_CONSTANT_2 = b"\x02" * 20


class BadPacket(Exception):
    """The authentication code or the padding is wrong: drop the packet."""


@dataclass(frozen=True)
class CipherSuite:
    """A row of table 22-20: numbers of the algorithms, the hash's name, and the length of a cut authentication code."""

    number: int
    authentication: int
    integrity: int
    confidentiality: int
    hash_name: str
    code_length: int

    def digest(self, key: bytes, data: bytes) -> bytes:
        """Return the full HMAC of ``data``."""
        return hmac.digest(key, data, self.hash_name)


SUITES = {
    3: CipherSuite(3, authentication=1, integrity=1, confidentiality=1, hash_name="sha1", code_length=12),
    17: CipherSuite(17, authentication=3, integrity=4, confidentiality=1, hash_name="sha256", code_length=16),
}


LISTED = {
    0: (0, 0, 0),
    1: (1, 0, 0),
    2: (1, 1, 0),
    6: (2, 0, 0),
    7: (2, 2, 0),
    8: (2, 2, 1),
    11: (2, 3, 0),
    12: (2, 3, 1),
    15: (3, 0, 0),
    16: (3, 4, 0),
    **{suite.number: (suite.authentication, suite.integrity, suite.confidentiality) for suite in SUITES.values()},
}
"""Suites that a BMC may list, to their algorithms; a log-in with one that is not in SUITES is refused."""


class Refusal(IntEnum):
    """Status codes of Open Session for algorithms that cannot be, table 13-15."""

    AUTHENTICATION = 0x04
    INTEGRITY = 0x05
    CONFIDENTIALITY = 0x10
    COMBINATION = 0x11


def find_suite(
    offered: tuple[int, ...], authentication: int, integrity: int, confidentiality: int
) -> CipherSuite | Refusal:
    """Return the suite carried out among the numbers ``offered`` that has exactly these algorithms, or why not."""
    suites = [SUITES[number] for number in offered if number in SUITES]
    for suite in suites:
        if (suite.authentication, suite.integrity, suite.confidentiality) == (
            authentication,
            integrity,
            confidentiality,
        ):
            return suite
    if all(suite.authentication != authentication for suite in suites):
        return Refusal.AUTHENTICATION
    if all(suite.integrity != integrity for suite in suites):
        return Refusal.INTEGRITY
    if all(suite.confidentiality != confidentiality for suite in suites):
        return Refusal.CONFIDENTIALITY
    return Refusal.COMBINATION


def suite_records(offered: tuple[int, ...]) -> bytes:
    """Return the records of Get Channel Cipher Suites (table 22-18) for the suites ``offered``."""
    records = bytearray()
    for number in offered:
        authentication, integrity, confidentiality = LISTED[number]
        records += bytes((0xC0, number, authentication, 0x40 | integrity, 0x80 | confidentiality))
    return bytes(records)


@dataclass(frozen=True)
class Exchange:
    """What both sides know of one RAKP exchange: section 13.31's SIDM, SIDC, RM, RC, GUIDC, ROLEM, UNAMEM."""

    suite: CipherSuite
    console_id: bytes
    bmc_id: bytes
    console_random: bytes
    bmc_random: bytes
    guid: bytes
    role: int
    user: bytes

    @property
    def _who(self) -> bytes:
        return bytes((self.role, len(self.user))) + self.user

    def rakp2_code(self, password: bytes) -> bytes:
        """Return the key exchange authentication code of RAKP message 2."""
        data = self.console_id + self.bmc_id + self.console_random + self.bmc_random + self.guid + self._who
        return self.suite.digest(password, data)

    def rakp3_code(self, password: bytes) -> bytes:
        """Return the code that the console must send in RAKP message 3."""
        return self.suite.digest(password, self.bmc_random + self.console_id + self._who)

    def session_key(self, key: bytes) -> bytes:
        """Return the session integrity key SIK; ``key`` is K_g, or the password where none is set."""
        return self.suite.digest(key, self.console_random + self.bmc_random + self._who)

    def rakp4_code(self, session_key: bytes) -> bytes:
        """Return the integrity check value of RAKP message 4, cut to the suite's length."""
        code = self.suite.digest(session_key, self.console_random + self.bmc_id + self.guid)
        return code[: self.suite.code_length]


class Seal:
    """Keys K1 and K2 of one session: signs, verifies, encrypts and decrypts its packets."""

    def __init__(self, suite: CipherSuite, session_key: bytes) -> None:
        self._suite = suite
        self._k1 = suite.digest(session_key, _CONSTANT_1)
        self._aes = algorithms.AES(suite.digest(session_key, _CONSTANT_2)[:BLOCK])

    def sign(self, data: bytes) -> bytes:
        """Return the authentication code for ``data``."""
        return self._suite.digest(self._k1, data)[: self._suite.code_length]

    def encrypt(self, plain: bytes, iv: bytes | None = None) -> bytes:
        """Return initialization vector and AES-CBC text of ``plain``, padded 01 02 .. n, n (section 13.29)."""
        iv = os.urandom(BLOCK) if iv is None else iv
        pad = -(len(plain) + 1) % BLOCK
        padded = plain + bytes(range(1, pad + 1)) + bytes((pad,))
        encryptor = ciphers.Cipher(self._aes, modes.CBC(iv)).encryptor()
        return iv + encryptor.update(padded)

    def decrypt(self, payload: bytes) -> bytes:
        """Reverse :meth:`encrypt`. Raises BadPacket if length or padding cannot be."""
        if len(payload) < 2 * BLOCK or len(payload) % BLOCK:
            raise BadPacket("an encrypted payload is a multiple of 16 bytes, and at least 32")
        decryptor = ciphers.Cipher(self._aes, modes.CBC(payload[:BLOCK])).decryptor()
        padded = decryptor.update(payload[BLOCK:])
        pad = padded[-1]
        if pad >= BLOCK or padded[-1 - pad : -1] != bytes(range(1, pad + 1)):
            raise BadPacket("wrong confidentiality padding")
        return padded[: -1 - pad]

    def pack(self, session_id: int, sequence: int, message: bytes, payload_type: int = wire.PAYLOAD_IPMI) -> bytes:
        """Return the datagram that carries the IPMI ``message``, or another payload, encrypted and signed."""
        kind = payload_type | wire.PAYLOAD_ENCRYPTED | wire.PAYLOAD_AUTHENTICATED
        datagram = wire.build_packet(kind, session_id, sequence, self.encrypt(message))
        datagram += wire.integrity_pad(len(datagram) - 4)
        return datagram + self.sign(datagram[4:])

    def unpack(self, packet: wire.Packet) -> bytes:
        """Return the IPMI message in ``packet``. Raises BadPacket if it is not signed and encrypted as it must be."""
        if not (packet.authenticated and packet.encrypted):
            raise BadPacket("this session's packets are signed and encrypted")
        length = self._suite.code_length
        trailer, code = packet.after[:-length], packet.after[-length:]
        if len(code) < length or not hmac.compare_digest(self.sign(packet.head + trailer), code):
            raise BadPacket("wrong authentication code")
        return self.decrypt(packet.payload)
