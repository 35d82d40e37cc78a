# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operations ``power`` and ``power_info``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .._drivers.base import POWER_RULES, Capability, PowerAction, PowerState, Still, Withdrawn, power_command
from .._fleet.fleet import EVERYBODY, Done, Halfway, Limits
from .._fleet.stagger import Pace, Stagger
from .._nodes.errors import RETRYABLE, ErrorCode, MetalError
from .._nodes.schema import attribute
from .._nodes.view import View
from .context import Context
from .hardware import LEFT_ALONE, Bmc, guard, look, run
from .notes import Notes

SETTLE_SECONDS = 0.3
"""Pause before the first look at what a command did; it grows by half with each further look."""
LONGEST_PAUSE = 5.0
REPEATABLE = frozenset({PowerAction.ON, PowerAction.OFF, PowerAction.SHUTDOWN})
"""Actions that do no harm if a lost answer makes them be sent twice. A second reset would hit a booting machine."""
UNSEEN = frozenset({PowerAction.RESET, PowerAction.CYCLE, PowerAction.NMI})
"""Actions after which the power is as it was."""
NOTHING_SENT = frozenset({ErrorCode.UNREACHABLE, ErrorCode.BUSY})
"""Errors after which one may be sure that the command was not carried out."""


def power_info(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read the power state of every node's BMC. Changes nothing."""

    async def verb(bmc: Bmc) -> Done:
        state = await bmc.driver.power_state(bmc.target, parameters["timeout"])
        return Done(more={"power": str(state)})

    return look(context, parameters, Capability.POWER, verb)


def power(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Bring every node to a power state, or reset it, and wait until it is there."""
    action = PowerAction(parameters["state"])
    seen: dict[str, str] = {}
    notes = Notes(context)
    spread = _Spread(parameters, check_mode=context.check_mode)

    async def verb(bmc: Bmc) -> Done:
        still = guard(context, parameters, bmc.view.name)
        if still is not None and not still():
            return Done(more={"sent": None, "left_alone": LEFT_ALONE})
        if context.check_mode:
            before = await bmc.driver.power_state(bmc.target, parameters["timeout"])
            return _done(action, before, power_command(action, before))
        await spread.turn(bmc, action)
        try:
            step = await bmc.driver.power(bmc.target, action, parameters["timeout"], still)
        except Withdrawn:
            return Done(more={"sent": None, "left_alone": LEFT_ALONE})
        forced = False
        if step.sent is not None:
            notes.add(bmc.view.name, "power", f"{step.sent} sent to the BMC")
            if parameters["wait"] and action is not PowerAction.NMI:
                forced = await _settled(bmc, action, step.sent, parameters, still)
        if step.sent is None or parameters["wait"]:
            seen[bmc.view.name] = str(POWER_RULES[action].wanted)
        return _done(action, step.before, step.sent, forced=forced)

    retry_on = RETRYABLE if action in REPEATABLE else NOTHING_SENT
    limits = Limits(deadline=parameters["deadline"], retry_on=retry_on, window=EVERYBODY)
    capability = Capability.NMI if action is PowerAction.NMI else Capability.POWER
    try:
        result = run(context, parameters, capability, verb, limits, check=spread.add, ready=spread.check)
    finally:
        notes.write()
    if seen:
        with suppress(MetalError), context.write() as store:  # for the inventory, and no node fails for want of it
            store.observe("power", seen)
    return result


class _Spread:
    """The stagger of one task, if it has one: only nodes to which something will be sent take a turn."""

    def __init__(self, parameters: Mapping[str, Any], *, check_mode: bool) -> None:
        asked = parameters["stagger"]
        self._pace = Pace(asked["count"], asked["interval"], asked["per"]) if asked else None
        if asked and asked["per"] and attribute(asked["per"]).secret:
            raise MetalError(ErrorCode.INVALID, f"stagger: {asked['per']} is a secret, by which nothing is counted")
        self._keys: dict[str, str] = {}
        self._seconds, self._deadline = float(parameters["timeout"]), float(parameters["deadline"])
        self._stagger: Stagger | None = None
        self._check_mode = check_mode

    def add(self, view: View) -> None:
        """Note what the node is counted with. Raises: MetalError ``missing``."""
        per = self._pace.per if self._pace else None
        self._keys[view.name] = str(view.need(per, "the task is to be spread over it")) if per else ""

    def check(self) -> None:
        """Begin. Raises: MetalError ``invalid`` if the deadline is too short."""
        if self._pace is not None:
            self._stagger = Stagger(self._pace, self._keys, self._deadline)
            self._stagger.check()

    async def turn(self, bmc: Bmc, action: PowerAction) -> None:
        """Wait for the node's turn, if there is something to be sent to it. Raises: MetalError."""
        if self._stagger is not None and not self._check_mode:
            state = await bmc.driver.power_state(bmc.target, self._seconds)
            if power_command(action, state) is not None:
                await self._stagger.turn(bmc.view.name)


def _done(action: PowerAction, before: PowerState, sent: PowerAction | None, *, forced: bool = False) -> Done:
    """The same result for a check and for a real run, which differ in ``forced`` only."""
    after: dict[str, Any] = {"power": str(POWER_RULES[action].wanted)}
    if sent in UNSEEN:
        after["by"] = str(sent)  # else the two sides of a diff would look alike
    return Done(
        changed=sent is not None,
        before={"power": str(before)},
        after=after,
        more={"sent": str(sent) if sent else None, "forced": forced},
    )


async def _settled(
    bmc: Bmc, action: PowerAction, sent: PowerAction, parameters: Mapping[str, Any], still: Still | None
) -> bool:
    """Do ``_settle``; whatever ends it says what was ``sent``, and is no reason to send it again. Raises: Halfway."""
    more = {"sent": str(sent)}
    advice = "find out with power_info what state the machine is in before you send it again"
    try:
        return await _settle(bmc, action, parameters, still)
    except MetalError as exc:
        if exc.code is ErrorCode.NOT_REACHED:
            raise Halfway(exc.code, exc.message, more) from exc
        if exc.retryable:
            what = f"{sent} was sent, but then the BMC stopped answering: {exc.message}; {advice}"
            raise Halfway(ErrorCode.NOT_REACHED, what, more) from exc
        raise Halfway(exc.code, f"{sent} was sent, but then: {exc.message}", more) from exc
    except asyncio.CancelledError as exc:  # the task's deadline; fleet.run takes this error for the node's outcome
        what = f"{sent} was sent, but the task's deadline came before the machine was in its state; {advice}"
        raise Halfway(ErrorCode.NOT_REACHED, what, more) from exc


async def _settle(bmc: Bmc, action: PowerAction, parameters: Mapping[str, Any], still: Still | None) -> bool:
    """Wait for the state that ``action`` leads to; returns whether it had to be forced. Raises: MetalError."""
    wanted, seconds = POWER_RULES[action].wanted, float(parameters["wait_timeout"])
    if await _reached(bmc, wanted, seconds, parameters["timeout"]):
        return False
    if action is not PowerAction.SHUTDOWN:
        raise MetalError(
            ErrorCode.NOT_REACHED,
            f"the BMC took the command, but the machine is not {wanted} after {seconds:.0f} s; look at its event log",
        )
    if not parameters["force"]:
        raise MetalError(
            ErrorCode.NOT_REACHED,
            f"the operating system did not shut down within {seconds:.0f} s; wait longer, or say force: true to cut its power then",
        )
    try:
        await bmc.driver.power(bmc.target, PowerAction.OFF, parameters["timeout"], still)
    except Withdrawn:
        raise MetalError(
            ErrorCode.NOT_REACHED,
            f"the operating system did not shut down within {seconds:.0f} s; its power was not cut, since the node"
            " has no armed deployment any more",
        ) from None
    if not await _reached(bmc, wanted, seconds, parameters["timeout"]):
        raise MetalError(
            ErrorCode.NOT_REACHED, f"the machine is still on {seconds:.0f} s after its power was cut by the BMC"
        )
    return True


async def _reached(bmc: Bmc, wanted: PowerState, seconds: float, answer_seconds: float) -> bool:
    """Look until the machine is in the state ``wanted`` or ``seconds`` are over; a BMC that is busy is asked again."""
    end = time.monotonic() + seconds
    pause = SETTLE_SECONDS
    while True:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
        try:
            if await bmc.driver.power_state(bmc.target, answer_seconds) is wanted:
                return True
        except MetalError as exc:
            if not exc.retryable or time.monotonic() >= end:
                raise
        if time.monotonic() >= end:
            return False
