# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what makes the packets of a session secret and genuine.

Standard: IPMI v2.0 revision 1.1, sections 13.28 (integrity), 13.29 (AES-CBC-128), 13.31 and 13.32 (keys), 6.12.13
(sequence numbers).
"""

from __future__ import annotations

import hmac
import os
from typing import TYPE_CHECKING

from ..._nodes.libraries import lazy
from . import frames
from .suites import Suite

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import ciphers
    from cryptography.hazmat.primitives.ciphers import algorithms, modes
else:
    ciphers = lazy("cryptography.hazmat.primitives.ciphers")
    algorithms = lazy("cryptography.hazmat.primitives.ciphers.algorithms")
    modes = lazy("cryptography.hazmat.primitives.ciphers.modes")

BLOCK = 16
_PADS = [bytes(range(1, count + 1)) + bytes((count,)) for count in range(BLOCK)]
"""Confidentiality pads with their length byte (table 13-20)."""
_TAILS = [b"\xff" * count + bytes((count, 0x07)) for count in range(4)]
"""Integrity pads with their length byte and the next header (table 13-8)."""
WINDOW = 32
"""How many sequence numbers below the highest one seen are still taken, once each."""
AHEAD = 4096
"""How far a sequence number may leap forward. The specification says 15; BMCs that skip some are no danger."""


class Window:
    """Which sequence numbers have been seen, so that no packet counts twice (section 6.12.13)."""

    __slots__ = ("_highest", "_seen")

    def __init__(self) -> None:
        self._highest = 0
        self._seen = 0

    def take(self, number: int) -> bool:
        """Return whether the packet with this number is new and not far off, and remember it."""
        step = number - self._highest
        if step > 0:
            if step > AHEAD and self._highest:
                return False
            self._seen = (self._seen << min(step, WINDOW) | 1) & ((1 << WINDOW) - 1)
            self._highest = number
            return True
        if step <= -WINDOW or self._seen >> -step & 1:
            return False
        self._seen |= 1 << -step
        return True


class Seal:
    """The keys of one session. ``key``: the session integrity key (SIK)."""

    __slots__ = ("_aes", "_code", "_digest", "_integrity", "_window")

    def __init__(self, suite: Suite, key: bytes) -> None:
        self._digest = suite.digest
        self._code = suite.code
        self._integrity = hmac.digest(key, b"\x01" * 20, suite.digest)
        self._aes = algorithms.AES(hmac.digest(key, b"\x02" * 20, suite.digest)[:BLOCK])
        self._window = Window()

    def pack(self, kind: int, session: int, sequence: int, payload: bytes) -> bytes:
        """Return the encrypted and signed packet. ``session``: the BMC's number of it."""
        initial = os.urandom(BLOCK)
        clear = payload + _PADS[-(len(payload) + 1) % BLOCK]
        secret = initial + ciphers.Cipher(self._aes, modes.CBC(initial)).encryptor().update(clear)
        datagram = frames.plus(frames.SEALED | kind, session, sequence, secret)
        signed = datagram[4:] + _TAILS[-(len(datagram) - 2) % 4]
        return frames.RMCP + signed + hmac.digest(self._integrity, signed, self._digest)[: self._code]

    def unpack(self, datagram: bytes, kind: int, session: int) -> bytes | None:
        """Return the payload of a packet to us, of this kind; None for any that is not genuine, or was seen before."""
        packet = frames.of_plus(datagram)
        if packet is None or packet.kind != frames.SEALED | kind or packet.session != session:
            return None
        secret, end = packet.payload, len(datagram) - self._code
        if len(secret) < 2 * BLOCK or len(secret) % BLOCK or end < frames.HEADER + len(secret) + 2:
            return None
        code = hmac.digest(self._integrity, datagram[4:end], self._digest)[: self._code]
        if not hmac.compare_digest(code, datagram[end:]) or not self._window.take(packet.sequence):
            return None
        clear = ciphers.Cipher(self._aes, modes.CBC(secret[:BLOCK])).decryptor().update(secret[BLOCK:])
        # Some BMCs count the length byte into the pad, or fill it with anything: only its length matters.
        return clear[: max(0, len(clear) - 1 - clear[-1])]
