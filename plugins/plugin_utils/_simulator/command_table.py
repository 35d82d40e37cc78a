# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what an IPMI command of the simulated BMC is: a row of a table.

Standard: IPMI v2.0 revision 1.1, section 5.2 (completion codes) and appendix G (privileges). The rows stand in
:mod:`commands_app`, :mod:`commands_users`, :mod:`commands_chassis`, :mod:`commands_storage`, :mod:`commands_sensor`,
:mod:`commands_transport` and :mod:`commands_payload`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Protocol

from .bmc_data import BmcIdentity
from .boot_options import BootOptions
from .faults import FaultSet
from .lan import Lan
from .model import Model
from .sel import EventLog
from .sensors import Sensors
from .sessions import Session, SessionTable
from .sol import Sol
from .users import Users


class Completion(IntEnum):
    """Completion codes, table 5-2; 80h to 87h belong to the single command and have several names here."""

    OK = 0x00
    PARAMETER_NOT_SUPPORTED = 0x80
    PASSWORD_DIFFERS = 0x80
    ALREADY_ACTIVE = 0x80
    NOT_ACTIVE = 0x80
    EXCEEDS_LIMIT = 0x81
    PASSWORD_SIZE = 0x81
    BEING_ERASED = 0x81
    SET_IN_PROGRESS = 0x81
    READ_ONLY = 0x82
    NOT_WITHOUT_ENCRYPTION = 0x84
    INVALID_SESSION = 0x87
    NODE_BUSY = 0xC0
    INVALID_COMMAND = 0xC1
    OUT_OF_SPACE = 0xC4
    RESERVATION_CANCELLED = 0xC5
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
    """What commands work on: one BMC, seen from inside. What takes room is made when it is first asked for."""

    identity: BmcIdentity
    model: Model
    chassis: Chassis
    boot: BootOptions
    sessions: SessionTable
    suites: tuple[int, ...]
    users: Users
    faults: FaultSet
    closed: Callable[[], None]
    """Called when a client has closed a session."""
    restart: Callable[[bool], None]
    """Called to restart the BMC, coldly or not, once the answer is out."""
    wall: Callable[[], float]
    """Seconds since 1970."""
    clock: Callable[[], float]
    """Seconds, steadily."""
    history: Callable[[], Iterable[str]]
    """What the machine's console has printed."""
    woken: Callable[[], None]
    """Called when there will be something to send without being asked."""
    k_g: bytes = b""
    restore_policy: int = 0
    reservation: int = 0
    channel_limit: int = Privilege.ADMINISTRATOR

    @cached_property
    def lamp(self) -> Lamp:
        """The identify lamp."""
        return Lamp(self.clock)

    @cached_property
    def frus(self) -> dict[int, bytearray]:
        """The inventory of each FRU device."""
        return {number: bytearray(area) for number, area in self.model.frus(self.identity.serial).items()}

    @cached_property
    def sensors(self) -> Sensors:
        """The sensors."""
        return Sensors(self.model, self.faults, lambda: self.chassis.powered)

    @cached_property
    def log(self) -> EventLog:
        """The system event log."""
        return EventLog(self.model, self.wall)

    @cached_property
    def lan(self) -> Lan:
        """The LAN configuration."""
        return Lan(self.identity, self.suites)

    @cached_property
    def sol(self) -> Sol:
        """Serial over LAN."""
        return Sol(self.identity.name, self.history, self._uptime, self.clock)

    def _uptime(self) -> float | None:
        return self.chassis.power_on_seconds if self.chassis.powered else None

    def reset(self) -> None:
        """Forget what does not outlive a restart of the BMC."""
        if "sol" in self.__dict__:
            self.sol.deactivate(told=False)
        self.lamp.light(0, forced=False)
        self.reservation = 0
        if "log" in self.__dict__:
            self.log.reservation = 0

    def check_thresholds(self) -> None:
        """Log what the inlet's temperature has crossed."""
        for crossing in self.sensors.crossings():
            self.log.crossed(crossing)


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
