# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what an IPMI command of the simulated BMC is: a row of a table.

Standard: IPMI v2.0 revision 1.1, section 5.2 (completion codes) and appendix G (privileges). The rows stand in
:mod:`commands_app`, :mod:`commands_chassis` and :mod:`commands_inventory`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from .bmc_data import Account, BmcIdentity
from .boot_options import BootOptions
from .sessions import Session, SessionTable


class Completion(IntEnum):
    """Completion codes, table 5-2; 80h to 82h belong to the single command."""

    OK = 0x00
    PARAMETER_NOT_SUPPORTED = 0x80
    EXCEEDS_LIMIT = 0x81
    INVALID_SESSION = 0x87
    INVALID_COMMAND = 0xC1
    TRUNCATED = 0xC7
    OUT_OF_RANGE = 0xC9
    CANNOT_RETURN = 0xCA
    NOT_PRESENT = 0xCB
    INVALID_FIELD = 0xCC
    PRIVILEGE = 0xD4
    NOT_NOW = 0xD5


class Privilege(IntEnum):
    """Privilege levels, table 22-15's numbers; NONE: also outside of a session."""

    NONE = 0
    CALLBACK = 1
    USER = 2
    OPERATOR = 3
    ADMINISTRATOR = 4


class PowerAction(IntEnum):
    """Chassis Control, table 28-4."""

    OFF = 0
    ON = 1
    CYCLE = 2
    RESET = 3
    DIAGNOSTIC = 4
    SOFT = 5


class CommandError(Exception):
    """The command ends with this completion code and no data."""

    def __init__(self, code: Completion) -> None:
        super().__init__(code.name)
        self.code = code


class Chassis(Protocol):
    """What the BMC's commands need of the machine."""

    @property
    def powered(self) -> bool:
        """Whether the power is on."""

    @property
    def power_on_seconds(self) -> float:
        """For how long the power has been on in all."""

    def control(self, action: PowerAction) -> None:
        """Carry out a chassis command."""


class Lamp:
    """The identify lamp. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = 0.0
        self._forced = False

    def light(self, seconds: int, forced: bool) -> None:
        """Light for so many seconds (0 puts it out), or, forced, until told otherwise."""
        self._until = self._clock() + seconds
        self._forced = forced

    @property
    def state(self) -> int:
        """0 off, 1 lit for a time, 2 lit until told otherwise (Get Chassis Status, byte 4, bits 5 and 4)."""
        if self._forced:
            return 2
        return int(self._clock() < self._until)


@dataclass
class Board:
    """What commands work on: one BMC, seen from inside."""

    identity: BmcIdentity
    chassis: Chassis
    boot: BootOptions
    lamp: Lamp
    sessions: SessionTable
    suites: tuple[int, ...]
    account: Callable[[], Account]
    closed: Callable[[], None]
    """Called when a client has closed a session."""
    restore_policy: int = 0
    reservation: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """A command that has passed the checks of its row. ``session`` is None outside of a session."""

    board: Board
    session: Session | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Command:
    """A row: name for the counters, handler (returns the data behind completion code 0), privilege, least length."""

    name: str
    handler: Callable[[Request], bytes]
    privilege: Privilege = Privilege.USER
    least: int = 0


Table = dict[tuple[int, int], Command]
"""Network function and command number to row."""

NETFN_CHASSIS = 0x00
NETFN_SENSOR = 0x04
NETFN_APP = 0x06
NETFN_STORAGE = 0x0A
NETFN_TRANSPORT = 0x0C
