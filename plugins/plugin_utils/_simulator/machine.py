# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a simulated machine: power, firmware, boot order, disk.

The machine's life runs in one task from power on to power off; switching it off at any moment ends that task.
What it does on the network stands in :mod:`bootway`.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from .boot_options import BootDevice, BootOptions, Override
from .command_table import PowerAction
from .faults import Fault, FaultSet

MOST_EVENTS = 200


class Phase(StrEnum):
    """What the machine does now."""

    OFF = "off"
    POST = "power-on self test"
    SETUP = "firmware setup"
    NETWORK_BOOT = "network boot"
    INSTALLING = "installing"
    DISK_BOOT = "booting from disk"
    RUNNING = "running"
    STOPPED = "stopped"


class Happening(StrEnum):
    """What happens to a machine that its BMC notices."""

    POWER_ON = "power on"
    POWER_OFF = "power off"
    BOOT = "boot"
    RUNNING = "operating system is up"
    BUTTON = "power button"
    DIAGNOSTIC = "diagnostic interrupt"


class Firmware(StrEnum):
    """How the firmware boots unless an override says otherwise."""

    UEFI = "uefi"
    BIOS = "bios"


class BootOrder(StrEnum):
    """Disk first (an empty disk is passed over) or network first."""

    DISK = "disk"
    NETWORK = "network"


class BootFailure(Exception):
    """This boot device leads nowhere; the text says why."""


class Halt(Exception):
    """The machine stands still, switched on, with this on its screen."""


class Reboot(Exception):
    """The machine resets itself."""


@dataclass(frozen=True)
class Timing:
    """How long things take, in seconds. ``fetch_patience`` and ``report_patience``: for how long HTTP is retried."""

    post: float = 1.0
    install: float = 10.0
    disk_boot: float = 0.5
    shutdown: float = 1.0
    cycle: float = 0.3
    fetch_patience: float = 20.0
    report_patience: float = 600.0
    report_steps: int = 10


@dataclass
class InstalledSystem:
    """What is on the disk: the answer file it was made by, and whether it has reported ready."""

    hostname: str | None
    answer: str
    report: str | None
    installed_at: float
    reported_ready: bool = False


@dataclass(frozen=True)
class Event:
    """Something that happened to the machine: seconds since the epoch, and a sentence."""

    time: float
    text: str


@dataclass(frozen=True)
class MachineIdentity:
    """What the machine tells the network about itself."""

    name: str
    mac: str
    system: uuid.UUID
    serial: str


Boot = Callable[["Machine", bool], Awaitable[None]]
"""Boots from the network (second argument: in EFI mode). Raises BootFailure, Halt or Reboot; may fill the disk."""
Start = Callable[["Machine"], Awaitable[None]]
"""What the installed system does once it is up."""


def _unnoticed(_what: Happening) -> None:
    """Nobody is there to notice."""


def _unread(_line: str) -> None:
    """Nobody is there to read."""


class Machine:
    """One machine. ``network_boot`` and ``start_system`` are its ways over the network."""

    def __init__(
        self,
        identity: MachineIdentity,
        boot: BootOptions,
        faults: FaultSet,
        timing: Timing,
        network_boot: Boot,
        start_system: Start,
        *,
        firmware: Firmware = Firmware.UEFI,
        order: BootOrder = BootOrder.DISK,
    ) -> None:
        self.identity = identity
        self.faults = faults
        self.timing = timing
        self.phase = Phase.OFF
        self.reason = ""
        self.disk: InstalledSystem | None = None
        self.installs = 0
        self.installs_begun = 0
        self.boots = 0
        self.percent: int | None = None
        self.events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self.notice: Callable[[Happening], None] = _unnoticed
        """Told of what happens; the BMC's, once there is one."""
        self.printed: Callable[[str], None] = _unread
        """Told of each line that the console prints; the BMC's, once there is one."""
        self._boot = boot
        self._network_boot = network_boot
        self._start_system = start_system
        self._firmware = firmware
        self._order = order
        self._life: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None
        self._on_since: float | None = None
        self._on_before = 0.0
        self._actions: dict[PowerAction, Callable[[], None]] = {
            PowerAction.ON: self.power_on,
            PowerAction.OFF: self.power_off,
            PowerAction.CYCLE: self.power_cycle,
            PowerAction.RESET: self.reset,
            PowerAction.DIAGNOSTIC: self.interrupt,
            PowerAction.SOFT: self.shut_down,
        }
        self._devices: dict[int, Callable[[bool], Awaitable[None]]] = {
            BootDevice.NETWORK: self._from_network,
            BootDevice.DISK: self._from_disk,
            BootDevice.DISK_SAFE_MODE: self._from_disk,
            BootDevice.SETUP: self._setup,
        }

    @property
    def powered(self) -> bool:
        """Whether the power is on."""
        return self._on_since is not None

    @property
    def power_on_seconds(self) -> float:
        """For how many seconds the power has been on in all."""
        return self._on_before + (time.monotonic() - self._on_since if self._on_since is not None else 0.0)

    def log(self, text: str) -> None:
        """Remember that something happened, and print it on the console."""
        self.events.append(Event(time.time(), text))
        self.printed(text)

    def history(self) -> list[str]:
        """Return the lines that the console has printed."""
        return [event.text for event in self.events]

    def control(self, action: PowerAction) -> None:
        """Carry out a chassis command of the BMC."""
        self._actions[action]()

    def power_on(self) -> None:
        """Switch on; nothing happens to a machine that is on, or (fault power_stuck) that cannot be switched on."""
        if self.powered:
            return
        if self.faults.active(Fault.POWER_STUCK):
            self.log("power on was asked for, but the power stays off")
            return
        self._on_since = time.monotonic()
        self.log("power on")
        self.notice(Happening.POWER_ON)
        self._begin_life()

    def power_off(self) -> None:
        """Switch off, whatever the machine is doing."""
        self._cancel()
        if self._on_since is None:
            return
        self._on_before += time.monotonic() - self._on_since
        self._on_since = None
        self.phase, self.reason, self.percent = Phase.OFF, "", None
        self.log("power off")
        self.notice(Happening.POWER_OFF)

    def interrupt(self) -> None:
        """Send the diagnostic interrupt (NMI); what runs takes note and goes on."""
        self.log("diagnostic interrupt")
        self.notice(Happening.DIAGNOSTIC)

    def reset(self) -> None:
        """Start again without switching off."""
        if self.powered:
            self._cancel()
            self.log("reset")
            self._begin_life()

    def power_cycle(self) -> None:
        """Switch off, and on again after a moment."""
        if self.powered:
            self.power_off()
            self._later = asyncio.get_running_loop().call_later(self.timing.cycle, self.power_on)

    def shut_down(self) -> None:
        """Press the power button: what runs shuts down and switches off, unless it ignores the button."""
        if not self.powered:
            return
        self.notice(Happening.BUTTON)
        if self.faults.active(Fault.SOFT_IGNORED):
            self.log("shutdown was asked for, and is ignored")
            return
        self.log("shutting down")
        self._cancel_later()
        self._later = asyncio.get_running_loop().call_later(self.timing.shutdown, self.power_off)

    async def close(self) -> None:
        """End the machine's task, for the end of the simulation."""
        life = self._life
        self._cancel()
        if life is not None:
            await asyncio.gather(life, return_exceptions=True)

    def _begin_life(self) -> None:
        self._life = asyncio.get_running_loop().create_task(self._live(), name=self.identity.name)

    def _cancel(self) -> None:
        self._cancel_later()
        if self._life is not None:
            self._life.cancel()
            self._life = None

    def _cancel_later(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None

    async def _live(self) -> None:
        while True:
            try:
                await self._boot_once()
            except Reboot as why:
                self.log(f"reboot: {why}")
                continue
            except (BootFailure, Halt) as why:
                self.enter(Phase.STOPPED, str(why))
            return

    async def _boot_once(self) -> None:
        self.boots += 1
        self.notice(Happening.BOOT)
        self.enter(Phase.POST)
        # a boot takes a moment even if the test wants none, or a reboot loop would leave the others no time
        await asyncio.sleep(max(self.timing.post, 0.02))
        override = self._boot.take()
        efi = self._firmware is Firmware.UEFI or bool(override and override.efi)
        problems: list[str] = []
        for device in self._candidates(override):
            try:
                await self._devices.get(device, self._nothing_there)(efi)
                return
            except BootFailure as why:
                problems.append(str(why))
                self.log(str(why))
        raise BootFailure(f"no bootable device ({'; '.join(problems)})")

    def _candidates(self, override: Override | None) -> list[int]:
        """Return the devices in the order in which they are tried: the override first, then the order."""
        disk_first = self._order is BootOrder.DISK and self.disk is not None
        order: list[int] = [BootDevice.NETWORK, BootDevice.DISK]
        if disk_first:
            order.reverse()
        if override is None:
            return order
        # a network boot that fails goes on to the disk; it is not tried twice
        rest = [BootDevice.DISK] if override.device == BootDevice.NETWORK else []
        return [override.device, *rest]

    async def _from_network(self, efi: bool) -> None:
        self.enter(Phase.NETWORK_BOOT)
        try:
            await self._network_boot(self, efi)
        finally:
            self.percent = None

    async def _from_disk(self, _efi: bool) -> None:
        if self.disk is None:
            raise BootFailure("disk: nothing is installed on it")
        self.enter(Phase.DISK_BOOT)
        await asyncio.sleep(self.timing.disk_boot)
        self.enter(Phase.RUNNING, self.disk.hostname or "")
        self.notice(Happening.RUNNING)
        await self._start_system(self)

    async def _setup(self, _efi: bool) -> None:
        self.enter(Phase.SETUP)

    async def _nothing_there(self, _efi: bool) -> None:
        raise BootFailure("the boot override's device: no medium in it")

    def enter(self, phase: Phase, reason: str = "") -> None:
        """Begin a phase; ``reason`` says more about it."""
        self.phase, self.reason = phase, reason
        self.log(f"{phase.value}: {reason}" if reason else phase.value)
