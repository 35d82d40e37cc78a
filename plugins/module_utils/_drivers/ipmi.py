# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the IPMI driver (RMCP+ sessions, IPMI v2.0), on pyghmi in worker processes."""

from __future__ import annotations

from ._ipmi.pool import Pool
from .base import BootOverride, Capability, PowerAction, PowerState, PowerStep, Still, Target

WORKERS = 40
"""Processes at most: one blocking session each; a round trip of 30 ms lets 40 of them do about 150 BMCs a second."""


class IpmiDriver:
    """See base.Driver."""

    name = "ipmi"
    capabilities = frozenset({Capability.POWER, Capability.BOOT_DEVICE})

    def __init__(self, workers: int = WORKERS) -> None:
        self._pool = Pool(workers)

    async def power_state(self, target: Target, seconds: float) -> PowerState:
        """Get Chassis Status."""
        return PowerState(await self._pool.run("power_state", target, (), seconds))

    async def power(self, target: Target, action: PowerAction, seconds: float, still: Still | None = None) -> PowerStep:
        """Get Chassis Status and, if needed, Chassis Control, in one session."""
        step: PowerStep = await self._pool.run("power", target, (action,), seconds, still)
        return step

    async def boot_override(self, target: Target, seconds: float) -> BootOverride:
        """Get System Boot Options."""
        found: BootOverride = await self._pool.run("boot_override", target, (), seconds)
        return found

    async def set_boot_override(
        self, target: Target, wish: BootOverride, seconds: float, still: Still | None = None
    ) -> BootOverride:
        """Set System Boot Options and read them back, in one session."""
        arguments = (wish.device, wish.persistent, wish.mode)
        found: BootOverride = await self._pool.run("set_boot_override", target, arguments, seconds, still)
        return found

    async def close(self) -> None:
        """End the worker processes."""
        self._pool.close()
