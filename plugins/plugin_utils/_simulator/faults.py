# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what can be wrong with a simulated node: a table of faults, and a set per node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ...module_utils._nodes.errors import ErrorCode, MetalError


class Fault(StrEnum):
    """The faults; the value is the name that users write."""

    DEAD = "dead"
    SLOW = "slow"
    LOSSY = "lossy"
    WRONG_PASSWORD = "wrong_password"
    LOCKED = "locked"
    SESSION_TABLE_FULL = "session_table_full"
    BUSY = "busy"
    DUPLICATE = "duplicate"
    LATE = "late"
    GARBAGE = "garbage"
    RESET_MID_SESSION = "reset_mid_session"
    HOT = "hot"
    POWER_STUCK = "power_stuck"
    SOFT_IGNORED = "soft_ignored"
    INSTALLER_HANGS = "installer_hangs"
    REBOOT_LOOP = "reboot_loop"


@dataclass(frozen=True)
class FaultKind:
    """What a fault does, and what its number means (``unit`` is empty if it takes none)."""

    does: str
    unit: str = ""
    default: float = 1.0
    least: float = 0.0
    most: float = 0.0


KINDS = {
    Fault.DEAD: FaultKind("the BMC answers nothing"),
    Fault.SLOW: FaultKind("the BMC answers each packet late", "seconds", 0.8, 0.0, 60.0),
    Fault.LOSSY: FaultKind("packets get lost, each way", "percent", 10.0, 0.0, 100.0),
    Fault.WRONG_PASSWORD: FaultKind("the BMC has another password than the inventory says"),
    Fault.LOCKED: FaultKind("accounts are locked after so many wrong passwords", "tries", 0.0, 0.0, 100.0),
    Fault.SESSION_TABLE_FULL: FaultKind("the BMC has no session slot left for anybody"),
    Fault.BUSY: FaultKind("commands end with node busy (C0h)", "percent", 20.0, 0.0, 100.0),
    Fault.DUPLICATE: FaultKind("each answer comes twice"),
    Fault.LATE: FaultKind("an answer is held back until the next one is out", "percent", 20.0, 0.0, 100.0),
    Fault.GARBAGE: FaultKind("answers have flipped bits, are cut short, or are noise", "percent", 20.0, 0.0, 100.0),
    Fault.RESET_MID_SESSION: FaultKind("the BMC restarts in a session, once", "packets", 3.0, 1.0, 100000.0),
    Fault.HOT: FaultKind("the air at the inlet is over its critical threshold"),
    Fault.POWER_STUCK: FaultKind("power on is acknowledged, but the machine stays off"),
    Fault.SOFT_IGNORED: FaultKind("the operating system ignores the shutdown request"),
    Fault.INSTALLER_HANGS: FaultKind("the installer stops for good", "percent done", 40.0, 0.0, 99.0),
    Fault.REBOOT_LOOP: FaultKind("the machine reboots in the middle of each install", "percent done", 50.0, 0.0, 99.0),
}
"""Every fault; a new one needs a row here and the place that asks for it."""


@dataclass(frozen=True)
class FaultSetting:
    """One fault with its number."""

    fault: Fault
    value: float

    def __str__(self) -> str:
        return f"{self.fault.value}:{self.value:g}" if KINDS[self.fault].unit else self.fault.value


def parse_fault(text: str) -> FaultSetting:
    """Return the setting that ``name`` or ``name:number`` stands for. Raises MetalError (invalid)."""
    name, _colon, number = text.partition(":")
    try:
        fault = Fault(name)
    except ValueError:
        known = ", ".join(fault.value for fault in Fault)
        raise MetalError(ErrorCode.INVALID, f"there is no fault {name!r}; there are {known}") from None
    kind = KINDS[fault]
    if not number:
        return FaultSetting(fault, kind.default)
    if not kind.unit:
        raise MetalError(ErrorCode.INVALID, f"fault {name} takes no number, so {text!r} cannot be")
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if not kind.least <= value <= kind.most:
        raise MetalError(
            ErrorCode.INVALID, f"fault {name} takes {kind.unit} from {kind.least:g} to {kind.most:g}, not {number!r}"
        )
    return FaultSetting(fault, value)


class FaultSet:
    """The faults of one node, which may change while it runs."""

    def __init__(self, settings: tuple[FaultSetting, ...] = ()) -> None:
        self._values = {setting.fault: setting.value for setting in settings}
        self._watchers: list[Callable[[], None]] = []

    def __bool__(self) -> bool:
        return bool(self._values)

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called after each change."""
        self._watchers.append(changed)

    def active(self, fault: Fault) -> bool:
        """Return whether the node has this fault."""
        return fault in self._values

    def value(self, fault: Fault) -> float | None:
        """Return the fault's number, or None if the node does not have it."""
        return self._values.get(fault)

    def set(self, setting: FaultSetting) -> None:
        """Give the node this fault, or change its number."""
        self._values[setting.fault] = setting.value
        self._changed()

    def clear(self, fault: Fault | None = None) -> None:
        """Take one fault away, or all of them."""
        if fault is None:
            self._values.clear()
        else:
            self._values.pop(fault, None)
        self._changed()

    def names(self) -> list[str]:
        """Return the faults as users write them."""
        return [str(FaultSetting(fault, value)) for fault, value in self._values.items()]

    def _changed(self) -> None:
        for changed in self._watchers:
            changed()
