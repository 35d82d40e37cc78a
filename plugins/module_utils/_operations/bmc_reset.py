# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operation ``bmc_reset``: starting the BMC itself anew, while the machine runs on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from .._drivers.base import Capability, ResetKind
from .._fleet.fleet import EVERYBODY, Done, Halfway, Limits
from .._nodes.errors import ErrorCode, MetalError
from .context import Context
from .hardware import Bmc, run

GOING_DOWN_SECONDS = 3.0
"""A BMC answers for a moment yet after it took the command."""
LOOK_SECONDS = 5.0
"""Pause between two looks whether it is back."""
NOTHING_SENT = frozenset({ErrorCode.UNREACHABLE, ErrorCode.BUSY})
"""Errors after which the reset may be sent once more."""


def bmc_reset(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Reset every node's BMC, and wait until it answers again."""
    kind = ResetKind(parameters["kind"])
    done = Done(True, {"bmc": "running"}, {"bmc": f"{kind} reset"})

    async def verb(bmc: Bmc) -> Done:
        if context.check_mode:
            await bmc.driver.power_state(bmc.target, parameters["timeout"])  # it answers, and lets us in
            return done
        try:
            await bmc.driver.reset_bmc(bmc.target, kind, parameters["timeout"])
        except MetalError as exc:
            if exc.code is not ErrorCode.TIMEOUT:  # many BMCs reset at once and answer nothing any more
                raise
        if parameters["wait"]:
            await _back(bmc, float(parameters["wait_timeout"]), parameters["timeout"])
        return done

    limits = Limits(deadline=parameters["deadline"], retry_on=NOTHING_SENT, window=EVERYBODY)
    return run(context, parameters, Capability.BMC_RESET, verb, limits)


async def _back(bmc: Bmc, seconds: float, answer_seconds: float) -> None:
    """Wait until the BMC lets us in again. Raises: Halfway."""
    end = time.monotonic() + seconds
    more = {"sent": "reset"}
    await asyncio.sleep(GOING_DOWN_SECONDS)
    while True:
        try:
            await bmc.driver.power_state(bmc.target, answer_seconds)
            return
        except MetalError as exc:
            if time.monotonic() >= end:
                why = f"the reset was sent, but the BMC does not let us in after {seconds:.0f} s: {exc.message}"
                raise Halfway(ErrorCode.NOT_REACHED, why, more) from exc
        await asyncio.sleep(LOOK_SECONDS)
