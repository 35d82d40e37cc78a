# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operation ``identify``: the lamp by which people find a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._drivers.base import Capability, Lamp
from .._fleet.fleet import Done, Limits
from .._nodes.errors import ErrorCode, MetalError
from .context import Context
from .hardware import Bmc, run

LONGEST_SECONDS = 255
"""What IPMI has room for (table 28-8)."""


def _duration(asked: int | None, *, lit: bool) -> int | None:
    if not lit:
        if asked is not None:
            raise MetalError(ErrorCode.INVALID, "duration says how long the lamp is lit; leave it out with state: off")
        return 0
    if asked is not None and not 1 <= asked <= LONGEST_SECONDS:
        raise MetalError(
            ErrorCode.INVALID, f"duration: {asked} s cannot be; write 1 to {LONGEST_SECONDS}, or leave it out"
        )
    return asked


def identify(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Light every node's lamp for a time or for good, or put it out."""
    wanted = Lamp(parameters["state"])
    duration: int | None = _duration(parameters["duration"], lit=wanted is Lamp.ON)

    async def verb(bmc: Bmc) -> Done:
        before = await bmc.driver.identify_state(bmc.target, parameters["timeout"])
        # One that is lit for a time goes out a moment later, so it is lit anew.
        changed = before is not wanted or bool(duration)
        if changed and not context.check_mode:
            await bmc.driver.identify(bmc.target, duration, parameters["timeout"])
        after = {"lamp": str(wanted), **({"seconds": duration} if duration else {})}
        return Done(changed, {"lamp": str(before)}, after)

    return run(context, parameters, Capability.IDENTIFY, verb, Limits(deadline=parameters["deadline"]))
