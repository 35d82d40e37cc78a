# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operation ``bmc_reset``: starting the BMC itself anew, while the machine runs on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._drivers.base import Attempt, Capability, ResetKind
from .._fleet.fleet import EVERYBODY, Done, Halfway, Limits
from .._nodes.errors import ErrorCode, MetalError
from .context import Context
from .hardware import Bmc, run

AWAY_LOOKS = 10
"""How often to look whether the BMC is away: it answers for a moment yet after it took the command."""
AWAY_PAUSE, BACK_PAUSE = 1.0, 5.0
"""Seconds between two looks whether it is away, and whether it is back."""
AWAY_LEAST, AWAY_FACTOR, AWAY_MOST = 2.0, 3.0, 10.0
"""How long a BMC may take for its answer before it is taken for away: times what the reset took, and bounds in seconds."""
SILENCE = frozenset({ErrorCode.UNREACHABLE, ErrorCode.TIMEOUT})
NOTHING_SENT = frozenset({ErrorCode.UNREACHABLE, ErrorCode.BUSY, ErrorCode.TIMEOUT})
"""Errors after which the reset may be sent: they come through only if it was not."""
SENT = {"sent": "reset"}


def bmc_reset(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Reset every node's BMC, and wait until it answers again."""
    kind = ResetKind(parameters["kind"])
    done = Done(True, {"bmc": "running"}, {"bmc": f"{kind} reset"}, {"seen_away": None})

    async def verb(bmc: Bmc) -> Done:
        if context.check_mode:
            await bmc.driver.power_state(bmc.target, parameters["timeout"])  # it answers, and lets us in
            return done
        attempt: Attempt[ResetKind] = Attempt()
        begun = time.monotonic()
        try:
            await bmc.driver.reset_bmc(bmc.target, kind, parameters["timeout"], attempt)
        except MetalError:
            if attempt.sent is None:  # else it may have reset at once, as many do, and answers nothing any more
                raise
        except asyncio.CancelledError as exc:
            if attempt.sent is None:
                raise
            raise Halfway(ErrorCode.NOT_REACHED, "the reset was sent when the task's deadline came", SENT) from exc
        if not parameters["wait"]:
            return done
        # A slow BMC is not away: it has several times as long as it took now.
        patience = min(max(AWAY_LEAST, AWAY_FACTOR * (time.monotonic() - begun)), AWAY_MOST)
        away = await _back(bmc, float(parameters["wait_timeout"]), patience, parameters["timeout"])
        return replace(done, more={"seen_away": away})

    limits = Limits(deadline=parameters["deadline"], retry_on=NOTHING_SENT, window=EVERYBODY)
    return run(context, parameters, Capability.BMC_RESET, verb, limits)


async def _back(bmc: Bmc, seconds: float, patience: float, answer_seconds: float) -> bool:
    """Wait until the BMC was away and lets us in again; return whether it was seen away. Raises: Halfway."""
    end = time.monotonic() + seconds
    for _look in range(AWAY_LOOKS):
        await asyncio.sleep(AWAY_PAUSE)
        try:
            await bmc.driver.power_state(bmc.target, min(patience, answer_seconds))
        except MetalError as exc:
            if exc.code in SILENCE:
                break
    else:
        return False
    while True:
        try:
            await bmc.driver.power_state(bmc.target, answer_seconds)
            return True
        except MetalError as exc:
            if time.monotonic() >= end:
                why = f"the reset was sent, but the BMC does not let us in after {seconds:.0f} s: {exc.message}"
                raise Halfway(ErrorCode.NOT_REACHED, why, SENT) from exc
        await asyncio.sleep(BACK_PAUSE)
