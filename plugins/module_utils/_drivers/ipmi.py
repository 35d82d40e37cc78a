# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the IPMI driver (RMCP+ sessions, IPMI v2.0): each verb is a script for the engine."""

from __future__ import annotations

import time
from functools import partial

from ._ipmi import chassis, fru, sel, sensors
from ._ipmi.engine import Engine
from ._ipmi.login import Level, account
from .base import BootOverride, Capability, PowerAction, PowerState, PowerStep, ResetKind, Still, Target
from .facts import Inventory
from .sensing import EventLog, LogMark, Readings, Since


class IpmiDriver:
    """See base.Driver. Each verb asks for the least privilege level that it can do with."""

    name = "ipmi"
    capabilities = frozenset(
        {
            Capability.POWER,
            Capability.BOOT_DEVICE,
            Capability.NMI,
            Capability.IDENTIFY,
            Capability.BMC_RESET,
            Capability.INVENTORY,
            Capability.SENSORS,
            Capability.EVENT_LOG,
        }
    )

    def __init__(self) -> None:
        self._engine = Engine()

    def check(self, target: Target) -> None:
        """Raises: MetalError ``invalid`` or ``cipher`` for names, passwords, keys and suites that IPMI has no room for."""
        account(target.user, target.password, target.kg, Level.USER, target.suite)

    async def power_state(self, target: Target, seconds: float) -> PowerState:
        """Get Chassis Status."""
        state: PowerState = await self._engine.run(target, chassis.power_state, Level.USER, seconds)
        return state

    async def power(self, target: Target, action: PowerAction, seconds: float, still: Still | None = None) -> PowerStep:
        """Get Chassis Status and, if needed, Chassis Control, in one session."""
        program = partial(chassis.power, action, still)
        step: PowerStep = await self._engine.run(target, program, Level.OPERATOR, seconds)
        return step

    async def boot_override(self, target: Target, seconds: float) -> BootOverride:
        """Get System Boot Options."""
        found: BootOverride = await self._engine.run(target, chassis.boot_override, Level.OPERATOR, seconds)
        return found

    async def set_boot_override(
        self, target: Target, wish: BootOverride, seconds: float, still: Still | None = None
    ) -> BootOverride:
        """Set System Boot Options and read them back, in one session."""
        program = partial(chassis.set_boot_override, wish, still)
        found: BootOverride = await self._engine.run(target, program, Level.OPERATOR, seconds)
        return found

    async def identify(self, target: Target, lamp: int | None, seconds: float) -> None:
        """Chassis Identify."""
        await self._engine.run(target, partial(chassis.identify, lamp), Level.OPERATOR, seconds)

    async def identify_state(self, target: Target, seconds: float) -> bool | None:
        """Get Chassis Status."""
        lit: bool | None = await self._engine.run(target, chassis.identify_state, Level.USER, seconds)
        return lit

    async def reset_bmc(self, target: Target, kind: ResetKind, seconds: float) -> None:
        """Cold or Warm Reset."""
        await self._engine.run(target, partial(chassis.reset_bmc, kind), Level.ADMINISTRATOR, seconds)

    async def inventory(self, target: Target, seconds: float) -> Inventory:
        """Get Device ID, Get System GUID, and FRU device 0."""
        found: Inventory = await self._engine.run(target, fru.inventory, Level.USER, seconds)
        return found

    async def sensors(self, target: Target, seconds: float) -> Readings:
        """The sensor data records, and a reading for each sensor of the BMC's own."""
        found: Readings = await self._engine.run(target, sensors.sensors, Level.USER, seconds)
        return found

    async def event_log(self, target: Target, seconds: float, since: Since) -> EventLog:
        """The system event log, with the sensors' names out of the sensor data records."""
        program = partial(sel.entries, since, time.time)
        found: EventLog = await self._engine.run(target, program, Level.USER, seconds)
        return found

    async def clear_event_log(self, target: Target, seconds: float, expected: LogMark) -> None:
        """Clear SEL, under a reservation."""
        await self._engine.run(target, partial(sel.clear, expected), Level.OPERATOR, seconds)

    async def close(self) -> None:
        """Close the sessions that are still open, and the sockets."""
        await self._engine.close()
