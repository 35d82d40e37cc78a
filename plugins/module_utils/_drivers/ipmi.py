# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the IPMI driver (RMCP+ sessions, IPMI v2.0): each verb is a script for the engine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from .._nodes.errors import ErrorCode, MetalError
from ._ipmi import chassis, fru, lan, sel, sensors, sol, users
from ._ipmi.engine import Engine
from ._ipmi.login import Level, account
from ._pyghmi.pool import Pool
from .base import Attempt, BootOverride, Capability, Lamp, PowerAction, PowerState, PowerStep, ResetKind, Still, Target
from .facts import Inventory
from .hearing import Recording
from .managing import AccountWish, BmcAccount, BmcNetwork
from .sensing import EventLog, LogMark, Readings, Since

WORKERS = 40
"""Processes of pyghmi at most, of one session each."""


class IpmiDriver:
    """See base.Driver. Each verb asks for the least privilege level that it can do with."""

    name = "ipmi"
    capabilities = frozenset(Capability)

    def __init__(self) -> None:
        self._engine = Engine()
        self._pool: Pool | None = None

    def check(self, target: Target) -> None:
        """Raises: MetalError ``invalid`` or ``cipher`` for names, passwords, keys and suites that IPMI has no room for."""
        account(target.user, target.password, target.kg, Level.USER, target.suite)

    async def power_state(self, target: Target, seconds: float) -> PowerState:
        """Get Chassis Status."""
        state: PowerState = await self._engine.run(target, chassis.power_state, Level.USER, seconds)
        return state

    async def power(
        self,
        target: Target,
        action: PowerAction,
        seconds: float,
        still: Still | None = None,
        attempt: Attempt[PowerStep] | None = None,
    ) -> PowerStep:
        """Get Chassis Status and, if needed, Chassis Control, in one session."""
        program = partial(chassis.power, action, still, attempt or Attempt())
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

    async def identify_state(self, target: Target, seconds: float) -> Lamp:
        """Get Chassis Status."""
        lit: Lamp = await self._engine.run(target, chassis.identify_state, Level.USER, seconds)
        return lit

    async def reset_bmc(
        self, target: Target, kind: ResetKind, seconds: float, attempt: Attempt[ResetKind] | None = None
    ) -> None:
        """Cold or Warm Reset."""
        program = partial(chassis.reset_bmc, kind, attempt or Attempt())
        await self._engine.run(target, program, Level.ADMINISTRATOR, seconds)

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

    async def parts(self, target: Target, seconds: float) -> dict[str, dict[str, Any]]:
        """What pyghmi knows of the maker's extensions."""
        if self._pool is None:
            self._pool = Pool(WORKERS)
        found: dict[str, dict[str, Any]] = await self._pool.run("parts", target, (), seconds)
        return found

    async def network(self, target: Target, seconds: float) -> BmcNetwork:
        """Get LAN Configuration Parameters."""
        found: BmcNetwork = await self._engine.run(target, lan.network, Level.OPERATOR, seconds)
        return found

    async def set_network(
        self, target: Target, wish: BmcNetwork, seconds: float, attempt: Attempt[BmcNetwork] | None = None
    ) -> None:
        """Set LAN Configuration Parameters."""
        program = partial(lan.set_network, wish, attempt or Attempt())
        await self._engine.run(target, program, Level.ADMINISTRATOR, seconds)

    async def accounts(self, target: Target, seconds: float) -> tuple[BmcAccount, ...]:
        """Get User Access and Name of each."""
        found: tuple[BmcAccount, ...] = await self._engine.run(target, users.accounts, Level.ADMINISTRATOR, seconds)
        return found

    async def set_account(self, target: Target, wish: AccountWish, seconds: float) -> None:
        """Set User Name, Password and Access."""
        await self._engine.run(target, partial(users.set_account, wish), Level.ADMINISTRATOR, seconds)

    async def proof(self, target: Target, passwords: Sequence[str], seconds: float) -> str | None:
        """RAKP message 2 tells: no log-in is tried with any of them."""
        return await self._engine.proof(target, passwords, seconds)

    async def console(
        self, target: Target, recording: Recording, listen: float, seconds: float, *, take: bool = False
    ) -> None:
        """Serial over LAN, for which a BMC may be set up to want either level."""
        program = partial(sol.listen, target.port, listen, recording, time.monotonic, take=take)
        try:
            await self._engine.run(target, program, Level.OPERATOR, listen + seconds)
        except MetalError as exc:
            if exc.code is not ErrorCode.PRIVILEGE or recording.opened:
                raise
            await self._engine.run(target, program, Level.ADMINISTRATOR, listen + seconds)

    async def close(self) -> None:
        """Close the sessions that are still open, and give the sockets and processes back."""
        if self._pool is not None:
            self._pool.close()
        await self._engine.close()
