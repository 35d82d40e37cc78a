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

from .._drivers.base import (
    POWER_RULES,
    Attempt,
    Capability,
    PowerAction,
    PowerState,
    PowerStep,
    Still,
    Withdrawn,
    power_command,
)
from .._fleet.fleet import EVERYBODY, Done, Halfway, Limits
from .._fleet.stagger import Pace, Stagger
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.schema import attribute
from .._nodes.view import View
from .context import Context
from .hardware import LEFT_ALONE, Bmc, guard, look, run
from .notes import Notes

SETTLE_SECONDS = 0.3
"""Pause before the first look at what a command did; it grows with each further look."""
LONGEST_PAUSE = 5.0
CYCLE_SECONDS = 5.0
"""How long to look for the off of a cycle: a BMC takes a moment to begin, and until then the machine is on as before."""
REPEATABLE = frozenset({PowerAction.ON, PowerAction.OFF, PowerAction.SHUTDOWN})
"""Actions that do no harm if a lost answer makes them be sent twice. A second reset would hit a booting machine."""
UNSEEN = frozenset({PowerAction.RESET, PowerAction.CYCLE, PowerAction.NMI})
"""Actions after which the power is as it was."""
LEFT = Done(more={"sent": None, "left_alone": LEFT_ALONE})
ADVICE = "find out with power_info what state the machine is in before you send it again"


def power_info(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read the power state of every node's BMC. Changes nothing."""

    async def verb(bmc: Bmc) -> Done:
        state = await bmc.driver.power_state(bmc.target, parameters["timeout"])
        return Done(more={"power": str(state)})

    return look(context, parameters, Capability.POWER, verb)


def power(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Bring every node to a power state, or reset it, and wait until it is there."""
    task = _Task(context, parameters)
    limits = Limits(deadline=parameters["deadline"], window=EVERYBODY)
    capability = Capability.NMI if task.action is PowerAction.NMI else Capability.POWER
    try:
        return run(context, parameters, capability, task.one, limits, check=task.spread.add, ready=task.spread.check)
    finally:
        task.remember()


class _Task:
    """One task: what was sent to whom, and what was seen."""

    def __init__(self, context: Context, parameters: Mapping[str, Any]) -> None:
        self.action = PowerAction(parameters["state"])
        self.spread = _Spread(parameters, check_mode=context.check_mode)
        self._context, self._parameters = context, parameters
        self._seconds = parameters["timeout"]
        self._notes = Notes(context)
        self._seen: dict[str, str] = {}
        self._perhaps: dict[str, PowerStep] = {}
        """What an earlier try of a node sent, and got no answer to."""

    async def one(self, bmc: Bmc) -> Done:
        """Do one node."""
        name, action = bmc.view.name, self.action
        still = guard(self._context, self._parameters, name)
        if still is not None and not still():
            return LEFT
        if self._context.check_mode:
            before = await bmc.driver.power_state(bmc.target, self._seconds)
            return _done(action, before, power_command(action, before))
        try:
            await self.spread.turn(bmc, action)
            step = await self._sent(bmc, still)
        except Withdrawn:
            return LEFT
        forced = False
        if step.sent is not None:
            self._notes.add(name, "power", f"{step.sent} sent to the BMC")
            if self._parameters["wait"] and action is not PowerAction.NMI:
                forced = await _settled(bmc, action, step.sent, self._parameters, still)
                if forced:
                    self._notes.add(name, "power", "off sent to the BMC: the operating system did not shut down")
        if step.sent is None or self._parameters["wait"]:
            self._seen[name] = str(POWER_RULES[action].wanted)
        return _done(action, step.before, step.sent, forced=forced)

    async def _sent(self, bmc: Bmc, still: Still | None) -> PowerStep:
        """Have the driver send what is needed; return what this task met and sent, in this try or an earlier one.

        Raises: Halfway if something was sent, and it is not known whether it was carried out: with a code that has it
        tried again only where that does no harm.
        """
        name, attempt = bmc.view.name, Attempt[PowerStep]()
        try:
            step = await bmc.driver.power(bmc.target, self.action, self._seconds, still, attempt)
        except MetalError as exc:
            earlier = self._perhaps.setdefault(name, attempt.sent) if attempt.sent else self._perhaps.get(name)
            if earlier is None:
                raise
            more = {"sent": str(earlier.sent)}
            if self.action in REPEATABLE:
                raise Halfway(exc.code, f"{earlier.sent} was sent, but then: {exc.message}", more) from exc
            what = f"{earlier.sent} was sent, but it is not known whether the BMC took it: {exc.message}; {ADVICE}"
            raise Halfway(ErrorCode.NOT_REACHED, what, more) from exc
        except asyncio.CancelledError as exc:
            if attempt.sent is None:
                raise
            what = f"{attempt.sent.sent} was sent when the task's deadline came; {ADVICE}"
            raise Halfway(ErrorCode.NOT_REACHED, what, {"sent": str(attempt.sent.sent)}) from exc
        earlier = self._perhaps.get(name)
        return step if earlier is None else PowerStep(earlier.before, step.sent or earlier.sent)

    def remember(self) -> None:
        """Write timelines, and what was seen for the inventory; no node fails for want of either."""
        self._notes.write()
        if self._seen:
            with suppress(MetalError), self._context.write() as store:
                store.observe("power", self._seen)


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
    cut = Attempt[PowerStep]()
    try:
        return await _settle(bmc, action, sent, parameters, still, cut)
    except MetalError as exc:
        more, done = _so_far(sent, cut)
        if exc.code is ErrorCode.NOT_REACHED:
            raise Halfway(exc.code, exc.message, more) from exc
        if exc.retryable:
            what = f"{done}, but then the BMC stopped answering: {exc.message}; {ADVICE}"
            raise Halfway(ErrorCode.NOT_REACHED, what, more) from exc
        raise Halfway(exc.code, f"{done}, but then: {exc.message}", more) from exc
    except asyncio.CancelledError as exc:  # the task's deadline; fleet.run takes this error for the node's outcome
        more, done = _so_far(sent, cut)
        what = f"{done}, but the task's deadline came before the machine was in its state; {ADVICE}"
        raise Halfway(ErrorCode.NOT_REACHED, what, more) from exc


def _so_far(sent: PowerAction, cut: Attempt[PowerStep]) -> tuple[dict[str, Any], str]:
    """Return what a failed node's entry says of what was sent, and the same in words."""
    if cut.sent is None:
        return {"sent": str(sent)}, f"{sent} was sent"
    return {
        "sent": str(PowerAction.OFF)
    }, f"{sent} was sent, and then {PowerAction.OFF}, so that its power may have been cut"


async def _settle(
    bmc: Bmc,
    action: PowerAction,
    sent: PowerAction,
    parameters: Mapping[str, Any],
    still: Still | None,
    cut: Attempt[PowerStep],
) -> bool:
    """Wait for the state that ``action`` leads to; returns whether it had to be forced. Raises: MetalError.

    ``cut``: takes the off that is sent for that.
    """
    wanted, seconds = POWER_RULES[action].wanted, float(parameters["wait_timeout"])
    if sent is PowerAction.CYCLE:
        with suppress(MetalError):  # a BMC that is silent meanwhile has its time below
            await _reached(bmc, PowerState.OFF, min(CYCLE_SECONDS, seconds), parameters["timeout"], growth=1.0)
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
        await bmc.driver.power(bmc.target, PowerAction.OFF, parameters["timeout"], still, cut)
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


async def _reached(bmc: Bmc, wanted: PowerState, seconds: float, answer_seconds: float, growth: float = 1.5) -> bool:
    """Look until the machine is in the state ``wanted`` or ``seconds`` are over; a BMC that is busy is asked again."""
    end = time.monotonic() + seconds
    pause = SETTLE_SECONDS
    while True:
        await asyncio.sleep(pause)
        pause = min(pause * growth, LONGEST_PAUSE)
        try:
            if await bmc.driver.power_state(bmc.target, answer_seconds) is wanted:
                return True
        except MetalError as exc:
            if not exc.retryable or time.monotonic() >= end:
                raise
        if time.monotonic() >= end:
            return False
