# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: run one thing on many nodes at once, with deadline, retries by class and true results."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._nodes.errors import RETRYABLE, ErrorCode, MetalError

CONCURRENCY = 4096
"""Nodes in hand at once. Most of them wait; what is scarce (processes, sockets) is bounded by the drivers."""

BACKOFF_SECONDS = 1.0
"""Mean pause before the second try; it doubles with each further one and is spread by half either way."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a task goes. ``deadline``: seconds for the whole task. ``tries`` per node, for errors in ``retry_on``."""

    deadline: float = 900.0
    tries: int = 3
    retry_on: frozenset[ErrorCode] = RETRYABLE


@dataclass(frozen=True, slots=True)
class Done:
    """What the work on one node came to. ``more``: further keys of the node's result."""

    changed: bool = False
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


class Halfway(MetalError):
    """A failure after something was done to the machine. ``more``: further keys of the node's entry in failed_nodes."""

    def __init__(self, code: ErrorCode, message: str, more: dict[str, Any]) -> None:
        super().__init__(code, message)
        self.more = more


@dataclass(frozen=True, slots=True)
class Outcome:
    """``done`` or ``error`` of one node, with the time it took in seconds and the number of tries."""

    done: Done | None
    error: MetalError | None
    seconds: float
    tries: int


Work = Callable[[str], Awaitable[Done]]


async def run(names: Sequence[str], work: Work, limits: Limits) -> dict[str, Outcome]:
    """Run ``work`` on every node of ``names`` and return each one's outcome, in the order of ``names``.

    Never raises for a node, and never takes longer than ``limits.deadline`` seconds (plus a moment to cancel).
    """
    slots = asyncio.Semaphore(CONCURRENCY)
    tries: dict[str, int] = dict.fromkeys(names, 0)
    started: dict[str, float] = {}
    begun = time.monotonic()

    async def one(name: str) -> Outcome:
        async with slots:
            started[name] = time.monotonic()
            return await _tried(name, work, limits, tries)

    tasks = {name: asyncio.create_task(one(name)) for name in names}
    if tasks:
        _done, late = await asyncio.wait(tasks.values(), timeout=limits.deadline)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    ended = time.monotonic()
    result = {}
    for name, task in tasks.items():
        if task.cancelled():
            seconds = ended - started.get(name, ended)
            result[name] = Outcome(
                None, _late(name, name in started, limits, ended - begun), round(seconds, 3), tries[name]
            )
        else:
            result[name] = task.result()
    return result


def _late(name: str, started: bool, limits: Limits, seconds: float) -> MetalError:
    if started:
        return MetalError(
            ErrorCode.TIMEOUT, f"not finished when the task's deadline of {limits.deadline:.0f} s came", node=name
        )
    return MetalError(ErrorCode.SKIPPED, f"not begun when the task's deadline came after {seconds:.0f} s", node=name)


async def _tried(name: str, work: Work, limits: Limits, tries: dict[str, int]) -> Outcome:
    begun = time.monotonic()
    while True:
        tries[name] += 1
        try:
            done = await work(name)
            return Outcome(done, None, round(time.monotonic() - begun, 3), tries[name])
        except MetalError as exc:
            error = exc
        except Exception as exc:  # a defect of ours must cost this node, not the other 3,999
            error = MetalError(
                ErrorCode.INTERNAL, f"a defect in stage0.metal, please report it: {type(exc).__name__}: {exc}"
            )
        if error.code not in limits.retry_on or tries[name] >= limits.tries:
            break
        await asyncio.sleep(BACKOFF_SECONDS * 2 ** (tries[name] - 1) * random.uniform(0.5, 1.5))
    if tries[name] > 1:
        error.message = f"{error.message} ({tries[name]} tries)"
    error.node = name
    return Outcome(None, error, round(time.monotonic() - begun, 3), tries[name])
