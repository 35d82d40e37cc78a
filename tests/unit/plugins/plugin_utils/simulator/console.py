# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a remote console for tests, written from the standard and not from the BMC's code.

IPMI v2.0 revision 1.1, chapter 13: this side of the log-in, one request at a time, bytes in and bytes out.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
import uuid
from collections.abc import Callable

from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.bmc import Bmc
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.bmc_data import Account, BmcIdentity
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.boot_options import BootOptions
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.command_table import PowerAction
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.faults import FaultSet, parse_fault
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.model import Model
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.model_ss240 import SS240
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SYSTEM = uuid.UUID("11223344-5566-4788-99aa-bbccddeeff00")
ALGORITHMS = {3: (1, 1, 1, hashlib.sha1, 12), 17: (3, 4, 1, hashlib.sha256, 16)}
PEER = ("127.0.0.1", 40000)


class Clock:
    """Time that only a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Switch:
    """A machine of which only the power switch is there."""

    def __init__(self) -> None:
        self.powered = False
        self.power_on_seconds = 7300.0
        self.actions: list[PowerAction] = []

    def control(self, action: PowerAction) -> None:
        """Switch, and remember."""
        self.actions.append(action)
        self.powered = action in (PowerAction.ON, PowerAction.CYCLE, PowerAction.RESET)


def make_bmc(
    *faults: str,
    clock: Callable[[], float] | None = None,
    slots: int = 5,
    model: Model = SS240,
    accounts: tuple[Account, ...] = (),
    k_g: bytes = b"",
    history: Callable[[], list[str]] = list,
) -> tuple[Bmc, Switch]:
    """Return a BMC with user admin, password secret, and its machine."""
    clock = clock or Clock()
    switch = Switch()
    identity = BmcIdentity("n01", "127.24.0.1", 6230, "56:54:00:00:00:01", SYSTEM, "SIM0001")
    settings = FaultSet(tuple(parse_fault(fault) for fault in faults))
    boot = BootOptions(clock)
    everybody = [Account(b"admin", b"secret"), *accounts]
    bmc = Bmc(
        identity,
        everybody,
        switch,
        boot,
        settings,
        model=model,
        slots=slots,
        k_g=k_g,
        clock=clock,
        wall=lambda: 1_800_000_000.0 + clock() - 1000.0,
        history=history,
    )
    return bmc, switch


def summed(part: bytes) -> bytes:
    """Return ``part`` with its checksum behind it."""
    return part + bytes(((256 - sum(part)) % 256,))


class Refused(Exception):
    """The BMC answered a log-in message with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status:#x}")
        self.status = status


class Console:
    """A remote console that talks to ``bmc`` without a network."""

    def __init__(
        self, bmc: Bmc, suite: int = 17, user: bytes = b"admin", password: bytes = b"secret", k_g: bytes = b""
    ) -> None:
        self.bmc = bmc
        self.k_g = k_g
        self.auth, self.integrity, self.confidentiality, self.hash, self.cut = ALGORITHMS[suite]
        self.user = user
        self.password = password
        self.role = 0x14
        self.console_id = int.from_bytes(os.urandom(4), "little") | 1
        self.bmc_id = 0
        self.random = os.urandom(16)
        self.sequence = 0
        self.request_sequence = 0
        self.k1 = self.k2 = b""

    def mac(self, key: bytes, *parts: bytes) -> bytes:
        """Return the HMAC of the parts."""
        return hmac.new(key, b"".join(parts), self.hash).digest()

    def exchange(self, payload_type: int, payload: bytes) -> bytes | None:
        """Send a log-in message; return the payload of the answer."""
        header = bytes((6, 0, 0xFF, 7, 6, payload_type)) + bytes(8) + struct.pack("<H", len(payload))
        reply = self.bmc.receive(header + payload, PEER)
        if reply is None:
            return None
        assert reply[:6] == bytes((6, 0, 0xFF, 7, 6, payload_type + 1))
        assert struct.unpack_from("<H", reply, 14)[0] == len(reply) - 16
        return reply[16:]

    def open_message(self, tag: int = 0) -> bytes:
        """Return an Open Session request."""
        head = struct.pack("<BBHI", tag, 0, 0, self.console_id)
        numbers = (self.auth, self.integrity, self.confidentiality)
        return head + b"".join(bytes((kind, 0, 0, 8, number, 0, 0, 0)) for kind, number in enumerate(numbers))

    def rakp1_message(self, tag: int = 1) -> bytes:
        """Return RAKP message 1."""
        head = struct.pack("<BBHI", tag, 0, 0, self.bmc_id)
        return head + self.random + bytes((self.role, 0, 0, len(self.user))) + self.user

    def open(self, tag: int = 0) -> None:
        """Do the first step of the log-in. Raises Refused."""
        answer = self.exchange(0x10, self.open_message(tag))
        assert answer is not None
        assert answer[0] == tag
        if answer[1]:
            raise Refused(answer[1])
        assert struct.unpack_from("<I", answer, 4)[0] == self.console_id
        (self.bmc_id,) = struct.unpack_from("<I", answer, 8)

    def log_in(self) -> Console:
        """Log in. Raises Refused."""
        self.open()
        answer = self.exchange(0x12, self.rakp1_message())
        assert answer is not None
        if answer[1]:
            raise Refused(answer[1])
        self.check_rakp2(answer)
        answer = self.exchange(0x14, self.rakp3_message(answer[8:24]))
        assert answer is not None
        if answer[1]:
            raise Refused(answer[1])
        self.check_rakp4(answer)
        return self

    def check_rakp2(self, answer: bytes) -> None:
        """Verify RAKP message 2. Raises Refused (status 0Fh) if the BMC has another password."""
        bmc_random, guid, code = answer[8:24], answer[24:40], answer[40:]
        ids = struct.pack("<II", self.console_id, self.bmc_id)
        name = bytes((self.role, len(self.user))) + self.user
        if code != self.mac(self.password, ids, self.random, bmc_random, guid, name):
            raise Refused(0x0F)
        self.bmc_random, self.guid = bmc_random, guid
        self.sik = self.mac(self.k_g or self.password, self.random, bmc_random, name)

    def rakp3_message(self, bmc_random: bytes, tag: int = 2) -> bytes:
        """Return RAKP message 3."""
        name = bytes((self.role, len(self.user))) + self.user
        code = self.mac(self.password, bmc_random, struct.pack("<I", self.console_id), name)
        return struct.pack("<BBHI", tag, 0, 0, self.bmc_id) + code

    def check_rakp4(self, answer: bytes) -> None:
        """Verify RAKP message 4 and derive the keys."""
        code = self.mac(self.sik, self.random, struct.pack("<I", self.bmc_id), self.guid)[: self.cut]
        assert answer[8:] == code
        self.k1 = self.mac(self.sik, b"\x01" * 20)
        self.k2 = self.mac(self.sik, b"\x02" * 20)[:16]

    def message(self, netfn: int, command: int, data: bytes = b"") -> bytes:
        """Return the next IPMI request message."""
        self.request_sequence = (self.request_sequence + 1) % 64
        head = bytes((0x20, netfn << 2))
        return summed(head) + summed(bytes((0x81, self.request_sequence << 2, command)) + data)

    def datagram(self, message: bytes, sequence: int | None = None, payload_type: int = 0) -> bytes:
        """Return ``message`` encrypted and signed, with the next session sequence number."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        pad = (16 - (len(message) + 1) % 16) % 16
        plain = message + bytes(range(1, pad + 1)) + bytes((pad,))
        iv = os.urandom(16)
        encryptor = Cipher(algorithms.AES(self.k2), modes.CBC(iv)).encryptor()
        payload = iv + encryptor.update(plain) + encryptor.finalize()
        covered = struct.pack("<BBIIH", 6, 0xC0 | payload_type, self.bmc_id, sequence, len(payload)) + payload
        fill = (4 - (len(covered) + 2) % 4) % 4
        covered += b"\xff" * fill + bytes((fill, 7))
        return bytes((6, 0, 0xFF, 7)) + covered + self.mac(self.k1, covered)[: self.cut]

    def read(self, datagram: bytes) -> tuple[int, bytes]:
        """Return session sequence number and IPMI message of a reply, verified."""
        covered, code = datagram[4 : -self.cut], datagram[-self.cut :]
        assert code == self.mac(self.k1, covered)[: self.cut]
        assert datagram[5] in (0xC0, 0xC1)
        session, sequence, length = struct.unpack_from("<IIH", datagram, 6)
        assert session == self.console_id
        decryptor = Cipher(algorithms.AES(self.k2), modes.CBC(datagram[16:32])).decryptor()
        plain = decryptor.update(datagram[32 : 16 + length]) + decryptor.finalize()
        return sequence, plain[: -1 - plain[-1]]

    def send(self, datagram: bytes) -> bytes | None:
        """Send a datagram; return the IPMI message of the reply, or None for silence."""
        reply = self.bmc.receive(datagram, PEER)
        return None if reply is None else self.read(reply)[1]

    def command(self, netfn: int, command: int, data: bytes = b"") -> tuple[int, bytes]:
        """Carry out a command; return completion code and data."""
        reply = self.send(self.datagram(self.message(netfn, command, data)))
        assert reply is not None
        assert reply[0] == 0x81
        assert reply[1] == (netfn | 1) << 2
        assert reply[4] == self.request_sequence << 2
        assert reply[5] == command
        assert sum(reply[:3]) % 256 == 0
        assert sum(reply[3:]) % 256 == 0
        return reply[6], reply[7:-1]

    def administrator(self) -> Console:
        """Raise the session's privilege to administrator."""
        assert self.command(6, 0x3B, b"\x04") == (0, b"\x04")
        return self
