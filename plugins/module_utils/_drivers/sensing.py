# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: how a machine feels: sensors, their health, and the event log, as any driver tells it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

KINDS = (
    "temperature", "voltage", "current", "fan", "physical_security", "platform_security", "processor",
    "power_supply", "power_unit", "cooling_device", "other", "memory", "drive_bay", "post_memory_resize",
    "system_firmware", "event_log_disabled", "watchdog", "system_event", "critical_interrupt", "button_switch",
    "module_board", "microcontroller_coprocessor", "add_in_card", "chassis", "chip_set", "other_fru",
    "cable_interconnect", "terminator", "system_boot", "boot_error", "os_boot", "os_stop", "slot_connector",
    "system_acpi_power_state", "platform_alert", "entity_presence", "monitor_asic_ic", "lan",
    "management_subsystem_health", "battery", "session", "version_change", "fru_state", "power", "energy", "oem",
    "unknown",
)  # fmt: skip
"""What a sensor or an event is about."""


class Health(StrEnum):
    """How bad it is; ``unknown``: nobody can tell."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


_ORDER = (Health.UNKNOWN, Health.OK, Health.WARNING, Health.CRITICAL)


def worst(healths: Iterable[Health]) -> Health:
    """Return the worst of them; what is unknown counts only if nothing else is there."""
    return max(healths, key=_ORDER.index, default=Health.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a reading becomes a matter of health, in the sensor's unit; None: there is no such threshold."""

    lower_non_recoverable: float | None = None
    lower_critical: float | None = None
    lower_non_critical: float | None = None
    upper_non_critical: float | None = None
    upper_critical: float | None = None
    upper_non_recoverable: float | None = None
    hysteresis_up: float | None = None
    """How far a reading has to fall below an upper threshold again before the state is left."""
    hysteresis_down: float | None = None
    """The same above a lower threshold."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor and its reading.

    ``kind``: one of KINDS. ``place``: what part of the machine it belongs to (names are not always unique).
    ``value`` in ``unit``; None for a sensor that only has ``states``. ``available``: False if it cannot be read now.
    """

    name: str
    kind: str
    place: str
    value: float | None
    unit: str
    states: tuple[str, ...]
    thresholds: Thresholds | None
    health: Health
    available: bool


@dataclass(frozen=True, slots=True)
class Readings:
    """All sensors of a machine. ``skipped``: how many belong to other controllers than the BMC and were not asked."""

    sensors: tuple[Sensor, ...]
    skipped: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def health(self) -> Health:
        """The health of the machine: the worst of its sensors'."""
        return worst(sensor.health for sensor in self.sensors)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry of a machine's event log.

    ``time``: ISO 8601 in UTC, None if the BMC's clock was not set. ``asserted``: False when a state was left, None
    where that is not told. ``number``: of the sensor. ``kind``: one of KINDS. ``event`` and ``detail``: what happened.
    ``raw``: the record in hexadecimal. ``housekeeping``: the log's own entry that it was cleared.
    """

    id: int
    time: str | None
    sensor: str | None
    number: int | None
    kind: str
    event: str
    detail: str | None
    asserted: bool | None
    severity: Health
    raw: str
    housekeeping: bool = False


@dataclass(frozen=True, slots=True)
class LogMark:
    """Which state of a log was read: if it is still the same, nothing was added."""

    entries: int
    last_added: int


@dataclass(frozen=True, slots=True)
class Since:
    """Which part of a log is wanted; all of it if nothing is said.

    ``time``: ISO 8601 in UTC (``...Z``): what was logged then or later, and entries without a time just before it,
    which may be newer. ``after``: what follows the entry with this ``raw``; all if it is not there any more.
    ``last``: that many at the end.
    """

    time: str | None = None
    after: str | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class EventLog:
    """A machine's event log, or the part of it that was asked for, oldest first.

    ``clock_offset``: seconds by which the BMC's clock is ahead of ours, None if it is not set. ``overflow``: entries
    were lost, since the log was full.
    """

    entries: tuple[LogEntry, ...]
    mark: LogMark
    clock_offset: int | None = None
    overflow: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """How many entries the BMC says that its log holds."""
        return self.mark.entries
