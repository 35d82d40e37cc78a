# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: scripts: what is said to a BMC, apart from how it travels.

A script is a generator. It yields a Request and is sent the Reply to it, or yields a Pause and is sent an empty Reply
when it is over, or a Listen and is sent what came. It knows no socket, no session and no time, so that it can be run
over the engine or over bytes in a test. Standard: IPMI v2.0 revision 1.1, chapter 5.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple, TypeVar

from ..._nodes.errors import ErrorCode, MetalError

CHASSIS = 0x00
SENSOR = 0x04
APP = 0x06
STORAGE = 0x0A
TRANSPORT = 0x0C
"""Network functions of requests (table 5-1)."""

T = TypeVar("T")


class Request(NamedTuple):
    """An IPMI request: network function, command, data behind the command byte, logical unit.

    ``once``: it must not be carried out twice.
    """

    netfn: int
    command: int
    data: bytes = b""
    lun: int = 0
    once: bool = False


class Pause(NamedTuple):
    """Wait so many seconds before going on; the session is held meanwhile."""

    seconds: float


class Reply(NamedTuple):
    """The answer to a request: completion code (0: carried out) and the data behind it."""

    completion: int
    data: bytes
    repeated: bool = False
    """Whether the request was sent more than once: the answer may be to a repetition of what was done already."""


class Listen(NamedTuple):
    """Send this payload of the kind serial over LAN, if any, and wait so many seconds for the next one from the BMC."""

    payload: bytes
    seconds: float


TIMED_OUT = Reply(-1, b"")
"""What a script is sent for a Listen to which nothing came."""

Script = Generator["Request | Pause | Listen", Reply, T]

BUSY = 0xC0
REPETITION = 0xCF
"""The BMC has done this already, and takes what it got for a repetition of it."""
BUSY_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between the repetitions of a command to which the BMC says "node busy": it did nothing, by table 5-2."""

MEANINGS: dict[int, tuple[ErrorCode, str]] = {
    0xC0: (ErrorCode.BUSY, "the BMC says that it is busy"),
    0xC1: (ErrorCode.UNSUPPORTED, "the BMC does not know this command"),
    0xC2: (ErrorCode.UNSUPPORTED, "the BMC does not know this command for the unit that was asked"),
    0xC3: (ErrorCode.TIMEOUT, "the BMC timed out on its own command"),
    0xC4: (ErrorCode.BUSY, "the BMC is out of space"),
    0xC5: (ErrorCode.BUSY, "somebody else changed what was being read"),
    0xC9: (ErrorCode.UNSUPPORTED, "the BMC does not know this parameter"),
    0xCB: (ErrorCode.UNSUPPORTED, "the BMC has no such sensor, record or device"),
    0xCC: (ErrorCode.UNSUPPORTED, "the BMC refuses a field of this request"),
    0xCE: (ErrorCode.TIMEOUT, "the BMC cannot give its answer; it may have carried the command out"),
    0xCF: (ErrorCode.BUSY, "the BMC takes this for a repetition"),
    0xD0: (ErrorCode.BUSY, "the BMC is updating its sensor records"),
    0xD1: (ErrorCode.BUSY, "the BMC is updating its firmware"),
    0xD2: (ErrorCode.BUSY, "the BMC is starting"),
    0xD3: (ErrorCode.UNREACHABLE, "the BMC cannot reach the part of the machine that would have to act"),
    0xD4: (ErrorCode.PRIVILEGE, "the account's privilege level is too low for this command"),
    0xD5: (ErrorCode.BUSY, "the BMC cannot do this in the machine's present state"),
    0xD6: (ErrorCode.UNSUPPORTED, "a part of the BMC that this needs is disabled"),
    0x80: (ErrorCode.UNSUPPORTED, "the BMC does not support this parameter"),
}
"""Completion codes (table 5-2) that mean something to people; others are told by their number."""


UNSURE = frozenset({0xC3, 0xCE})
"""Completion codes by which a command may have been carried out all the same."""


class Refused(MetalError):
    """A BMC's answer with another completion code than 0, which is kept as ``completion``.

    ``unsure``: whether the command may have been carried out.
    """

    def __init__(self, request: Request, completion: int, *, repeated: bool = False) -> None:
        code, text = MEANINGS.get(completion, (ErrorCode.PROTOCOL, "the BMC refuses"))
        super().__init__(
            code,
            f"{text} (IPMI command {request.netfn:02x}h/{request.command:02x}h, completion code {completion:02x}h)",
        )
        self.completion = completion
        self.unsure = completion in UNSURE or (repeated and completion == BUSY)


def ask(
    netfn: int, command: int, data: bytes = b"", *, least: int = 0, lun: int = 0, once: bool = False
) -> Script[bytes]:
    """Send a request; return the data of its answer, of at least ``least`` bytes. A busy BMC is asked again.

    ``once``: it is late before it is taken for lost, and a busy BMC is not asked again if an earlier copy of the
    request stayed without an answer: it may have been carried out.

    Raises: Refused for a completion code; MetalError ``protocol`` for an answer that is too short.
    """
    request = Request(netfn, command, data, lun, once)
    reply = yield request
    if reply.completion == BUSY:
        for seconds in BUSY_PAUSES:
            if once and reply.repeated:
                break
            yield Pause(seconds)
            reply = yield request
            if reply.completion != BUSY:
                break
    if reply.completion:
        raise Refused(request, reply.completion, repeated=reply.repeated)
    if len(reply.data) < least:
        raise MetalError(
            ErrorCode.PROTOCOL,
            f"the BMC answers IPMI command {netfn:02x}h/{command:02x}h with {len(reply.data)} bytes in place of {least}",
        )
    return reply.data
