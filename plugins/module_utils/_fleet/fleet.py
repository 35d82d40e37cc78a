# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: run one thing on many nodes at once: deadline, retries by class, progress, true results."""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._nodes.errors import RETRYABLE, ErrorCode, MetalError

WINDOW = 2048
"""Nodes in hand at once, if the work says nothing else: each costs memory, and more make nothing faster."""
EVERYBODY = 1 << 30
"""A window for work that mostly waits, as for a machine to shut down. What is scarce is bounded by the drivers."""

BACKOFF_SECONDS = 1.0
"""Mean pause before the second try; it doubles with each further one and is spread by half either way."""
BACKOFF_FACTORS: Mapping[ErrorCode, float] = {ErrorCode.BUSY: 3.0}
"""By how much the pause is longer for a class: session slots and memory of a BMC take a while to become free."""

PROGRESS_SECONDS = 10.0
"""How often progress is told; so a task that is done sooner says nothing."""


def pause(code: ErrorCode, tries: int) -> float:
    """Return how many seconds to wait after so many ``tries`` that failed with ``code``; never twice the same."""
    return float(BACKOFF_SECONDS * 2 ** (tries - 1) * BACKOFF_FACTORS.get(code, 1.0) * random.uniform(0.5, 1.5))


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a task goes. ``deadline``: seconds for the whole task. ``tries`` per node, for errors in ``retry_on``."""

    deadline: float = 900.0
    tries: int = 3
    retry_on: frozenset[ErrorCode] = RETRYABLE
    window: int = WINDOW


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


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task is after so many ``seconds``: nodes in all, done, failed, waiting for another try."""

    total: int
    done: int
    failed: int
    again: int
    seconds: float


Work = Callable[[str], Awaitable[Done]]
Tell = Callable[[Progress], None]


async def run(names: Sequence[str], work: Work, limits: Limits, tell: Tell | None = None) -> dict[str, Outcome]:
    """Run ``work`` on every node of ``names`` and return each one's outcome, in the order of ``names``.

    Never raises for a node, and never takes longer than ``limits.deadline`` seconds (plus a moment to cancel).
    ``tell`` is called each PROGRESS_SECONDS.
    """
    return await _Run(names, work, limits).outcomes(tell)


class _Run:
    """A pool of workers that take nodes from a queue; what has to be tried again comes back to it after its pause."""

    def __init__(self, names: Sequence[str], work: Work, limits: Limits) -> None:
        self._names, self._work, self._limits = names, work, limits
        self._ready = deque(names)
        self._again: list[tuple[float, str]] = []
        self._begun = time.monotonic()
        self._started: dict[str, float] = {}
        self._tries: dict[str, int] = {}
        self._errors: dict[str, MetalError] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._failed = 0
        self._workers: set[asyncio.Task[None]] = set()
        self._stopped = False
        self._finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def outcomes(self, tell: Tell | None) -> dict[str, Outcome]:
        """Run everything; see run()."""
        try:
            await self._until_finished(tell)
        finally:
            self._stopped = True
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
        return {name: self._outcomes.get(name) or self._late(name) for name in self._names}

    async def _until_finished(self, tell: Tell | None) -> None:
        end = self._begun + self._limits.deadline
        told = self._begun
        while len(self._outcomes) < len(self._names):
            self._feed()
            now = time.monotonic()
            if now >= end:
                return
            wake = min(end, told + PROGRESS_SECONDS, self._again[0][0] if self._again else end)
            await asyncio.wait([self._finished], timeout=max(0.0, wake - now))
            if self._finished.done():
                self._finished.result()  # a defect in this file must not look like a deadline
                self._finished = asyncio.get_running_loop().create_future()
            if time.monotonic() >= told + PROGRESS_SECONDS:
                told = time.monotonic()
                if tell is not None:
                    tell(self._progress())

    def _feed(self) -> None:
        """Queue what has waited long enough, and have enough workers for the queue."""
        now = time.monotonic()
        while self._again and self._again[0][0] <= now:
            self._ready.append(heapq.heappop(self._again)[1])
        for _number in range(min(len(self._ready), self._limits.window - len(self._workers))):
            worker = asyncio.create_task(self._serve())
            self._workers.add(worker)
            worker.add_done_callback(self._left)

    def _left(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and worker.exception() is not None and not self._finished.done():
            self._finished.set_exception(worker.exception() or asyncio.InvalidStateError())

    async def _serve(self) -> None:
        while self._ready and not self._stopped:
            await self._once(self._ready.popleft())

    async def _once(self, name: str) -> None:
        self._started.setdefault(name, time.monotonic())
        self._tries[name] = self._tries.get(name, 0) + 1
        try:
            done = await self._work(name)
        except MetalError as exc:
            self._not_done(name, exc)
        except Exception as exc:  # a defect of ours must cost this node, not the other 3,999
            defect = f"a defect in stage0.metal, please report it: {type(exc).__name__}: {exc}"
            self._not_done(name, MetalError(ErrorCode.INTERNAL, defect))
        else:
            self._end(name, Outcome(done, None, self._seconds(name), self._tries[name]))

    def _not_done(self, name: str, error: MetalError) -> None:
        self._errors[name] = error
        tries = self._tries[name]
        if error.code not in self._limits.retry_on or tries >= self._limits.tries or self._stopped:
            self._end(name, self._failure(name, error))
            return
        heapq.heappush(self._again, (time.monotonic() + pause(error.code, tries), name))
        if self._again[0][1] == name:
            self._wake()

    def _end(self, name: str, outcome: Outcome) -> None:
        self._outcomes[name] = outcome
        self._failed += outcome.error is not None
        if len(self._outcomes) == len(self._names):
            self._wake()

    def _wake(self) -> None:
        """Have _until_finished look again."""
        if not self._finished.done():
            self._finished.set_result(None)

    def _failure(self, name: str, error: MetalError) -> Outcome:
        if self._tries[name] > 1:
            error.message = f"{error.message} ({self._tries[name]} tries)"
        error.node = name
        return Outcome(None, error, self._seconds(name), self._tries[name])

    def _late(self, name: str) -> Outcome:
        """The outcome of a node that has none when the deadline comes: what it failed with before says most."""
        if name in self._errors:
            return self._failure(name, self._errors[name])
        if name not in self._started:
            seconds = time.monotonic() - self._begun
            why = f"not begun when the task's deadline came after {seconds:.0f} s"
            return Outcome(None, MetalError(ErrorCode.SKIPPED, why, node=name), 0.0, 0)
        why = f"not finished when the task's deadline of {self._limits.deadline:.0f} s came"
        error = MetalError(ErrorCode.TIMEOUT, why, node=name)
        return Outcome(None, error, self._seconds(name), self._tries[name])

    def _seconds(self, name: str) -> float:
        return round(time.monotonic() - self._started[name], 3)

    def _progress(self) -> Progress:
        done = len(self._outcomes)
        return Progress(len(self._names), done, self._failed, len(self._again), time.monotonic() - self._begun)
