# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what every driver offers: the verbs, their words, and what a family can do.

A driver knows one protocol and nothing of Ansible or of the node database. Its methods are coroutines, each with
its own time limit; whoever calls them (an operation, through the fleet) cannot tell which engine answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from .._nodes.errors import ErrorCode, MetalError
from .facts import Inventory
from .hearing import Recording
from .managing import AccountWish, BmcAccount, BmcNetwork
from .sensing import EventLog, LogMark, Readings, Since

T = TypeVar("T")


class PowerState(StrEnum):
    """Whether the machine is powered (ACPI S0) or not."""

    ON = "on"
    OFF = "off"


class PowerAction(StrEnum):
    """What can be asked of a machine's power."""

    ON = "on"
    OFF = "off"
    """At once, as by holding the power button."""
    SHUTDOWN = "shutdown"
    """Ask the operating system by ACPI."""
    RESET = "reset"
    CYCLE = "cycle"
    """Off, a pause of the BMC's choice, and on."""
    BOOT = "boot"
    """On if it is off, reset if it is on."""
    NMI = "nmi"
    """A diagnostic interrupt, by which an operating system dumps its memory or stops. The power stays on."""


@dataclass(frozen=True, slots=True)
class PowerRule:
    """What an action means: what to send ``if_on`` and ``if_off`` (None: nothing to do) and the state ``wanted``."""

    if_on: PowerAction | None
    if_off: PowerAction | None
    wanted: PowerState


POWER_RULES = {
    PowerAction.ON: PowerRule(None, PowerAction.ON, PowerState.ON),
    PowerAction.OFF: PowerRule(PowerAction.OFF, None, PowerState.OFF),
    PowerAction.SHUTDOWN: PowerRule(PowerAction.SHUTDOWN, None, PowerState.OFF),
    # A reset or cycle of a machine that is off is an error on some BMCs and ignored on others: it means "on" here.
    PowerAction.RESET: PowerRule(PowerAction.RESET, PowerAction.ON, PowerState.ON),
    PowerAction.CYCLE: PowerRule(PowerAction.CYCLE, PowerAction.ON, PowerState.ON),
    PowerAction.BOOT: PowerRule(PowerAction.RESET, PowerAction.ON, PowerState.ON),
    # A machine that is off has nothing to interrupt; operations refuse it (see power_command).
    PowerAction.NMI: PowerRule(PowerAction.NMI, None, PowerState.ON),
}


def power_command(action: PowerAction, state: PowerState) -> PowerAction | None:
    """Return what has to be sent to a machine in ``state`` so that ``action`` is done; None: nothing.

    Raises: MetalError ``conflict`` for an interrupt of a machine that is off.
    """
    if action is PowerAction.NMI and state is PowerState.OFF:
        raise MetalError(ErrorCode.CONFLICT, "the machine is off: there is no operating system to interrupt")
    rule = POWER_RULES[action]
    return rule.if_on if state is PowerState.ON else rule.if_off


@dataclass(frozen=True, slots=True)
class PowerStep:
    """What a power request met and did: the state ``before``, and what was ``sent`` (None: nothing was needed)."""

    before: PowerState
    sent: PowerAction | None


class BootDevice(StrEnum):
    """Where firmware is told to boot from."""

    NETWORK = "network"
    DISK = "disk"
    CD = "cd"
    SETUP = "setup"
    NONE = "none"
    """No override: the firmware's own order."""


class BootMode(StrEnum):
    """Which kind of boot the override asks for."""

    UEFI = "uefi"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class BootOverride:
    """A boot override. ``marked``: whether the BMC calls it valid (IPMI table 28-14, parameter 5, data 1 bit 7)."""

    device: BootDevice
    persistent: bool = False
    mode: BootMode = BootMode.LEGACY
    marked: bool = True

    @property
    def effective(self) -> BootOverride:
        """The override as the specification reads it: what is not marked valid is none."""
        return self if self.marked and self.device is not BootDevice.NONE else BootOverride(BootDevice.NONE)


class ResetKind(StrEnum):
    """How a BMC itself starts anew."""

    COLD = "cold"
    """As after its power came back: sessions are gone, and on some BMCs settings that were not stored."""
    WARM = "warm"


class Capability(StrEnum):
    """What a driver's family can do; an operation refuses in check mode what is not declared."""

    POWER = "power"
    NMI = "nmi"
    BOOT_DEVICE = "boot_device"
    IDENTIFY = "identify"
    BMC_RESET = "bmc_reset"
    INVENTORY = "inventory"
    SENSORS = "sensors"
    EVENT_LOG = "event_log"
    PARTS = "parts"
    NETWORK = "network"
    ACCOUNTS = "accounts"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class Target:
    """A BMC: where it is and who we are to it. ``password`` and ``kg`` are kept out of repr().

    ``kg`` and ``suite`` are IPMI's: the BMC's own key, empty if it has none, and the cipher suite, None if any will do.
    """

    address: str
    port: int
    user: str
    password: str
    kg: str = ""
    suite: int | None = None

    def __repr__(self) -> str:
        return f"Target({self.address}:{self.port})"

    @property
    def place(self) -> str:
        """Address and port, as error messages show them."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(slots=True)
class Attempt(Generic[T]):
    """What a driver tells while it acts: ``sent``, what has left for the BMC; None as long as nothing has, and again if
    the BMC refused it. So whoever gets an error, or is cancelled, knows whether the machine may have been acted on."""

    sent: T | None = None


class Lamp(StrEnum):
    """The lamp that shows where a machine is."""

    ON = "on"
    TIMED = "timed"
    """Lit, and goes out by itself."""
    OFF = "off"
    UNKNOWN = "unknown"


Still = Callable[[], bool]
"""Whether a request still holds. A driver asks it at the last moment: a request may wait long for its turn."""


class Withdrawn(Exception):
    """The request did not hold any more when its turn came; nothing was sent. Not an error, and never retried."""


class Driver(Protocol):
    """One family of hardware. Every method raises MetalError, and none takes longer than ``seconds``.

    ``seconds`` count from the request's turn: a driver may let it wait until the BMC is free of another. Where there is
    a ``still``, it is called just before anything is changed, in the caller's thread; if it returns False, Withdrawn is
    raised.
    """

    name: str
    capabilities: frozenset[Capability]

    def check(self, target: Target) -> None:
        """Raise MetalError for what can be seen to be wrong with ``target`` without asking anybody."""

    async def power_state(self, target: Target, seconds: float) -> PowerState:
        """Return whether the machine is on."""

    async def power(
        self,
        target: Target,
        action: PowerAction,
        seconds: float,
        still: Still | None = None,
        attempt: Attempt[PowerStep] | None = None,
    ) -> PowerStep:
        """Send what ``action`` needs and return at once; the caller waits for the state. Raises: Withdrawn."""

    async def boot_override(self, target: Target, seconds: float) -> BootOverride:
        """Return the boot override as the BMC tells it."""

    async def set_boot_override(
        self, target: Target, wish: BootOverride, seconds: float, still: Still | None = None
    ) -> BootOverride:
        """Set the override and return it as read back. Raises: Withdrawn."""

    async def identify(self, target: Target, lamp: int | None, seconds: float) -> None:
        """Light the lamp that shows where the machine is: for ``lamp`` seconds (0: put it out), None: until told otherwise."""

    async def identify_state(self, target: Target, seconds: float) -> Lamp:
        """Return whether that lamp is lit."""

    async def reset_bmc(
        self, target: Target, kind: ResetKind, seconds: float, attempt: Attempt[ResetKind] | None = None
    ) -> None:
        """Start the BMC itself anew; the machine runs on."""

    async def inventory(self, target: Target, seconds: float) -> Inventory:
        """Return what the machine is made of. What is wrong with the data is among its warnings."""

    async def sensors(self, target: Target, seconds: float) -> Readings:
        """Return the readings of all sensors."""

    async def event_log(self, target: Target, seconds: float, since: Since) -> EventLog:
        """Return the event log, or the part of it that is wanted."""

    async def clear_event_log(self, target: Target, seconds: float, expected: LogMark) -> None:
        """Clear the event log. Raises: MetalError ``conflict`` unless it is still as ``expected``, so that nothing is lost."""

    async def parts(self, target: Target, seconds: float) -> dict[str, dict[str, Any]]:
        """Return what a maker's own extensions tell: parts and firmware, each by its name."""

    async def network(self, target: Target, seconds: float) -> BmcNetwork:
        """Return the BMC's own network."""

    async def set_network(
        self, target: Target, wish: BmcNetwork, seconds: float, attempt: Attempt[BmcNetwork] | None = None
    ) -> None:
        """Set what ``wish`` names; a new address may cut the way to the BMC before it can answer."""

    async def accounts(self, target: Target, seconds: float) -> tuple[BmcAccount, ...]:
        """Return the BMC's accounts."""

    async def set_account(self, target: Target, wish: AccountWish, seconds: float) -> None:
        """Make an account what ``wish`` says."""

    async def proof(self, target: Target, passwords: Sequence[str], seconds: float) -> str | None:
        """Return which of ``passwords`` the account ``target.user`` has, without a failed log-in; None: none of them."""

    async def console(
        self, target: Target, recording: Recording, listen: float, seconds: float, *, take: bool = False
    ) -> None:
        """Put what the serial console says within ``listen`` seconds into ``recording``, as it comes.

        ``take``: end another's use of it first. ``seconds`` are for everything else.
        """

    async def close(self) -> None:
        """Give back what the driver holds (processes, sockets)."""


def need_capability(driver: Driver, capability: Capability) -> None:
    """Raise MetalError ``unsupported`` unless ``driver`` declares ``capability``."""
    if capability not in driver.capabilities:
        raise MetalError(
            ErrorCode.UNSUPPORTED, f"the driver {driver.name} cannot do {capability}; see docs/reference/drivers.md"
        )
