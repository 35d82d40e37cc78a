# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the log-in to a BMC by RMCP+, as a generator of packets.

It yields a datagram to send, None to go on waiting, or a Wait, and is sent the next datagram from the BMC, or None when the
time for an answer is over. Standard: IPMI v2.0 revision 1.1, sections 13.17 to 13.24, 13.31 and 22.13.

The password is proved by the BMC first (RAKP message 2): a wrong one is found without the BMC seeing a failed log-in,
so that nothing here ever locks an account.
"""

from __future__ import annotations

import hmac
import itertools
import os
import struct
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple, TypeVar

from ..._nodes.errors import ErrorCode, MetalError
from . import frames
from .script import APP, Refused, Request
from .seal import Seal
from .suites import Suite, candidates

T = TypeVar("T")
Packets = Generator["bytes | Wait | None", "bytes | None", T]


class Wait(NamedTuple):
    """Yielded in place of a packet: send ``packet``, if any, and come back after so many seconds; silence is no failure."""

    seconds: float
    packet: bytes = b""


class Level(IntEnum):
    """Privilege levels of a session (table 22-15)."""

    USER = 2
    OPERATOR = 3
    ADMINISTRATOR = 4


@dataclass(frozen=True, slots=True)
class Account:
    """Who logs in: name to 16 bytes, password and K_g to 20 bytes, the level that is needed, the suites to try."""

    user: bytes
    password: bytes
    kg: bytes
    level: Level
    suites: tuple[Suite, ...]


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A session: the BMC's number of it, ours, and its keys."""

    theirs: int
    ours: int
    seal: Seal


class Challenge(NamedTuple):
    """What both sides know after RAKP message 2: session numbers, random numbers, the BMC's GUID, and its ``code``."""

    digest: str
    ours: bytes
    theirs: bytes
    our_random: bytes
    their_random: bytes
    guid: bytes
    user: bytes
    code: bytes

    def proved_by(self, password: bytes) -> bool:
        """Return whether the BMC's code was made with this password (13.21)."""
        said = self.ours + self.theirs + self.our_random + self.their_random + self.guid + self.user
        return hmac.compare_digest(hmac.digest(password, said, self.digest), self.code)

    def key(self, key: bytes) -> bytes:
        """The session integrity key, made with K_g or, where there is none, the password (13.31)."""
        return hmac.digest(key, self.our_random + self.their_random + self.user, self.digest)

    def answer(self, password: bytes) -> bytes:
        """The code of RAKP message 3 (13.22)."""
        return hmac.digest(password, self.their_random + self.ours + self.user, self.digest)

    def last(self, key: bytes) -> bytes:
        """The code of RAKP message 4, uncut (13.23)."""
        return hmac.digest(key, self.our_random + self.theirs + self.guid, self.digest)


class Refusal(Exception):
    """A status of Open Session or RAKP other than 0."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


LEVEL_ADVICE = "give the account that level on the LAN channel, or name another in bmc.user"
STATUSES: dict[int, tuple[ErrorCode, str]] = {
    0x01: (ErrorCode.BUSY, "the BMC has no free session slot; others are connected to it"),
    0x02: (ErrorCode.BUSY, "the BMC forgot the session while it was set up"),
    0x08: (ErrorCode.BUSY, "the BMC forgot the session while it was set up"),
    0x09: (ErrorCode.PRIVILEGE, "the BMC does not give user {user!r} the privilege level {level}; {advice}"),
    0x0A: (ErrorCode.PRIVILEGE, "the BMC does not give user {user!r} the privilege level {level}; {advice}"),
    0x0B: (ErrorCode.BUSY, "the BMC has no free session slot of the level {level}; others are connected to it"),
    0x0C: (ErrorCode.INVALID, "the BMC takes no user name as long as {user!r}; see bmc.user"),
    0x0D: (ErrorCode.AUTH, "the BMC has no user {user!r}, or has locked it or does not let it in; see bmc.user"),
    0x0F: (ErrorCode.AUTH, "the BMC refuses the password of user {user!r}; see bmc.user and bmc.password"),
}
"""Status codes (table 13-15) that mean something to people; others are told by their number."""
NO_SUITE = frozenset({0x04, 0x05, 0x06, 0x07, 0x10, 0x11})
"""Status codes that refuse the algorithms."""
FORGOTTEN = frozenset({0x02, 0x08, 0x12})
"""Status codes by which a BMC answers a repeated message of a log-in that it has gone on with."""

CHANNEL_CAPABILITIES = 0x38
_THIS_CHANNEL_EXTENDED = 0x8E
_NAME_ONLY = 0x10
"""The user is looked up by name alone, not by name and level (table 13-11)."""
UNKNOWN_FORM = frozenset({0xC1, 0xC7, 0xC8, 0xC9, 0xCC})
"""How BMCs of IPMI 1.5 answer to a question in the form of IPMI 2.0."""
RESTARTS = 4
"""How often a log-in that the BMC forgot is begun anew."""
REPEATS = 2
"""How often a RAKP message is sent again before the log-in is begun anew."""
_INTEGRITY = 0x0F
_numbers = itertools.count(struct.unpack("<I", os.urandom(4))[0])


class LogIn:
    """A log-in under way. ``half_open``: the number of a session that the BMC holds a slot for, if any.

    ``unsure``: sessions whose last message stayed without an answer, so that the BMC may or may not hold them.
    """

    __slots__ = ("_account", "_tag", "half_open", "unsure")

    def __init__(self, account: Account) -> None:
        self._account = account
        self._tag = 0
        self.half_open = 0
        self.unsure: list[LoggedIn] = []

    def packets(self) -> Packets[LoggedIn]:
        """Log in. Raises: MetalError."""
        two_keys = yield from self._capabilities()
        return (yield from self._restarted(lambda suite: self._attempt(suite, two_keys)))

    def proof(self, passwords: tuple[bytes, ...]) -> Packets[bytes | None]:
        """Return which of ``passwords`` the account has, or None: told by RAKP message 2, without any attempt to log in.

        Raises: MetalError; code ``auth`` if there is no such account, or it may not log in.
        """
        yield from self._capabilities()
        challenge = yield from self._restarted(self._challenge)
        return next((password for password in passwords if challenge.proved_by(password)), None)

    def _restarted(self, attempt: Callable[[Suite], Packets[T]]) -> Packets[T]:
        """Run an attempt with each suite, and again where the BMC forgot a part of it. Raises: MetalError."""
        suites = list(self._account.suites)
        for _attempt in range(RESTARTS + len(suites)):
            try:
                return (yield from attempt(suites[0]))
            except Refusal as refusal:
                status = refusal.status
                if status in NO_SUITE and len(suites) > 1:
                    suites.pop(0)
                elif status not in FORGOTTEN:
                    break
                if self.half_open:
                    yield Wait(0.0, self.abort())
        raise self._error(status)

    def abort(self) -> bytes:
        """Return the packet that tells the BMC to forget a half-open session (RAKP message 3 with a status)."""
        return frames.plus(frames.RAKP_3, 0, 0, struct.pack("<BBHI", self._tag, _INTEGRITY, 0, self.half_open))

    def _error(self, status: int) -> MetalError:
        account = self._account
        if status in NO_SUITE:
            numbers = " and ".join(str(suite.number) for suite in account.suites)
            return MetalError(ErrorCode.CIPHER, f"the BMC refuses cipher suite {numbers}; enable one of 17 and 3 on it")
        code, text = STATUSES.get(status, (ErrorCode.PROTOCOL, "the BMC refuses the log-in with status {status:02x}h"))
        user, level = account.user.decode(errors="replace"), account.level.name
        return MetalError(code, text.format(user=user, level=level, advice=LEVEL_ADVICE, status=status))

    def _capabilities(self) -> Packets[bool]:
        """Get Channel Authentication Capabilities (22.13). Returns whether the BMC says that it has a K_g."""
        request = Request(APP, CHANNEL_CAPABILITIES, bytes((_THIS_CHANNEL_EXTENDED, self._account.level)))
        asked = frames.outside(frames.message(request, 0))
        datagram = yield asked
        while True:
            raw = frames.of_outside(datagram) if datagram else None
            answer = frames.reply(raw, request, 0) if raw else None
            if answer is None:
                datagram = yield asked if datagram is None else None
                continue
            data = answer.data
            if answer.completion and answer.completion not in UNKNOWN_FORM:
                raise Refused(request, answer.completion)
            if answer.completion or len(data) < 4 or not (data[1] & 0x80 and data[3] & 0x02):
                raise MetalError(
                    ErrorCode.UNSUPPORTED,
                    "the BMC speaks IPMI 1.5 only, whose log-in anybody on the wire can read; this needs IPMI 2.0",
                )
            return bool(data[2] & 0x20)

    def _challenge(self, suite: Suite) -> Packets[Challenge]:
        """Open Session and RAKP 1 and 2 (13.17 to 13.21). Raises: MetalError, Refusal."""
        account = self._account
        number = next(_numbers)
        self._tag, ours = number & 0xFF, struct.pack("<I", (number & 0xFFFFFFFF) or 1)
        proposal = bytes((self._tag, 0, 0, 0)) + ours + suite.proposal
        opened = yield from self._say(frames.OPEN_REQUEST, proposal, frames.OPEN_RESPONSE, 36, None)
        theirs = opened[8:12]
        self.half_open = struct.unpack("<I", theirs)[0]
        if opened[4:8] != ours or not self.half_open or opened[12:36] != suite.proposal:
            raise MetalError(ErrorCode.PROTOCOL, "the BMC opens another session than the one that was asked for")
        role = bytes((_NAME_ONLY | account.level, 0, 0, len(account.user))) + account.user
        random = os.urandom(16)
        first = bytes((self._tag, 0, 0, 0)) + theirs + random + role
        second = yield from self._say(frames.RAKP_1, first, frames.RAKP_2, 40 + suite.full, REPEATS)
        if second[4:8] != ours:
            raise MetalError(ErrorCode.PROTOCOL, "the BMC goes on with another session than the one that was asked for")
        code = second[40 : 40 + suite.full]
        return Challenge(suite.digest, ours, theirs, random, second[8:24], second[24:40], role[:1] + role[3:], code)

    def _attempt(self, suite: Suite, two_keys: bool) -> Packets[LoggedIn]:
        """One way through Open Session and RAKP 1 to 4. Raises: MetalError, Refusal."""
        account = self._account
        challenge = yield from self._challenge(suite)
        if not challenge.proved_by(account.password):
            raise Refusal(_INTEGRITY)
        key = challenge.key(account.kg or account.password)
        third = bytes((self._tag, 0, 0, 0)) + challenge.theirs + challenge.answer(account.password)
        session = LoggedIn(self.half_open, struct.unpack("<I", challenge.ours)[0], Seal(suite, key))
        self.half_open = 0
        self.unsure.append(session)  # from here on the BMC may take it for open, whether we hear of it or not
        fourth = yield from self._say(frames.RAKP_3, third, frames.RAKP_4, 8 + suite.code, REPEATS)
        proof = challenge.last(key)[: suite.code]
        if fourth[4:8] != challenge.ours or not hmac.compare_digest(proof, fourth[8 : 8 + suite.code]):
            raise MetalError(ErrorCode.AUTH, self._about_kg(two_keys))
        self.unsure.pop()
        return session

    def _about_kg(self, two_keys: bool) -> str:
        if not self._account.kg and two_keys:
            return "the BMC has a key of its own (K_g), which bmc.kg does not give"
        if self._account.kg:
            return "the password is right, but the BMC has another key of its own (K_g) than bmc.kg"
        return "the BMC does not prove its own key (RAKP message 4); if it has a K_g, give it in bmc.kg"

    def _say(self, kind: int, payload: bytes, awaited: int, least: int, repeats: int | None) -> Packets[bytes]:
        """Send a message of the log-in; return the payload of its answer. Repeated it is ``repeats`` times (None: always).

        Raises: Refusal for a status; also FORGOTTEN's, after so many repetitions without an answer: a BMC that has
        gone on may answer the repetition of an earlier message with an error, or not at all.
        """
        packet = frames.plus(kind, 0, 0, payload)
        datagram = yield packet
        while True:
            if datagram is None:
                if repeats == 0:
                    raise Refusal(0x02)
                repeats = repeats - 1 if repeats is not None else None
                datagram = yield packet
                continue
            answer = frames.handshake(datagram, awaited, self._tag)
            if answer is not None and answer[1]:
                raise Refusal(answer[1])
            if answer is not None and len(answer) >= least:
                return answer
            datagram = yield None


@lru_cache(maxsize=4096)
def account(user: str, password: str, kg: str, level: Level, suite: int | None) -> Account:
    """Return who logs in. Raises: MetalError ``invalid`` for what IPMI has no room for, ``cipher`` for the suite.

    ``kg``: text, or ``0x`` with hexadecimal digits.
    """
    name, secret = user.encode(), password.encode()
    if len(name) > 16:
        raise MetalError(ErrorCode.INVALID, f"the user name {user!r} is longer than IPMI's 16 bytes; see bmc.user")
    if len(secret) > 20:
        raise MetalError(ErrorCode.INVALID, f"the password has {len(secret)} bytes, IPMI takes 20; see bmc.password")
    return Account(name, secret, _key(kg), level, candidates(suite))


def _key(kg: str) -> bytes:
    try:
        key = bytes.fromhex(kg[2:]) if kg[:2].lower() == "0x" else kg.encode()
    except ValueError:
        raise MetalError(ErrorCode.INVALID, "bmc.kg begins with 0x, but is not hexadecimal") from None
    if len(key) > 20:
        raise MetalError(ErrorCode.INVALID, f"bmc.kg has {len(key)} bytes, IPMI takes 20")
    return key.ljust(20, b"\0") if key.strip(b"\0") else b""
