# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: worker processes for a library that blocks, driven from asyncio.

Each worker is a fork with one thread; it takes one job at a time over a pipe. A job that outlives its time by
GRACE_SECONDS costs the worker its life, and another takes its place: nothing a BMC does can hold the task up.
Workers end by themselves when the pipe closes, so that none outlives a killed playbook.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from ..._nodes.errors import ErrorCode, MetalError
from ..base import Target
from . import session

GRACE_SECONDS = session.LOGOUT_SECONDS + 1.0
Job = tuple[str, Target, tuple[Any, ...], float]


def _serve(pipe: Connection, others: list[Connection]) -> None:
    """A worker's life. Never returns: what the parent would do at exit is not the fork's to do."""
    try:
        for other in others:
            other.close()  # else this fork would keep its siblings' pipes open after the parent's death
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(quiet, descriptor)  # pyghmi prints what it swallows; a module's stdout is its result
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        session.wait_in_this_thread()
        fit = True
        while fit:
            verb, target, arguments, seconds = pipe.recv()
            result, error, fit = session.run(verb, target, arguments, seconds)
            pipe.send((result, (error.code, error.message) if error else None, fit))
    except MetalError as exc:
        with suppress(OSError):
            pipe.send((None, (exc.code, exc.message), False))
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)


class _Worker:
    def __init__(self, others: list[Connection]) -> None:
        context = multiprocessing.get_context("fork")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, [*others, self.pipe]), daemon=True)
        self.process.start()
        theirs.close()

    async def ask(self, job: Job) -> tuple[Any, tuple[ErrorCode, str] | None, bool]:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[None] = loop.create_future()

        def readable() -> None:
            if not answered.done():
                answered.set_result(None)

        loop.add_reader(self.pipe.fileno(), readable)
        try:
            self.pipe.send(job)
            await asyncio.wait_for(answered, job[3] + GRACE_SECONDS)
            answer: tuple[Any, tuple[ErrorCode, str] | None, bool] = self.pipe.recv()
            return answer
        finally:
            loop.remove_reader(self.pipe.fileno())

    def end(self) -> None:
        """End the process, whatever it is at, and reap it."""
        self.pipe.close()
        self.process.join(0.2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


class Pool:
    """At most ``size`` workers, made as they are needed."""

    def __init__(self, size: int) -> None:
        self._slots = asyncio.Semaphore(size)
        self._idle: list[_Worker] = []
        self._all: list[_Worker] = []

    async def run(self, verb: str, target: Target, arguments: tuple[Any, ...], seconds: float) -> Any:
        """Return what the verb returns. Raises: MetalError, and never later than ``seconds`` after a worker took it."""
        async with self._slots:
            worker = self._take()
            fit = False
            try:
                result, error, fit = await worker.ask((verb, target, arguments, seconds))
            except TimeoutError:
                raise MetalError(
                    ErrorCode.TIMEOUT, f"no answer from the BMC at {target.place} within {seconds:.0f} s"
                ) from None
            except (EOFError, OSError) as exc:
                raise MetalError(ErrorCode.INTERNAL, f"the worker that spoke to {target.place} died: {exc!r}") from exc
            finally:
                self._give(worker, fit)
        if error is not None:
            raise MetalError(*error)
        return result

    def close(self) -> None:
        """End all workers; each closes the session it has open first, if its BMC lets it."""
        for worker in self._all:
            worker.end()
        self._all.clear()
        self._idle.clear()

    def _take(self) -> _Worker:
        if self._idle:
            return self._idle.pop()
        worker = _Worker([other.pipe for other in self._all])
        self._all.append(worker)
        return worker

    def _give(self, worker: _Worker, fit: bool) -> None:
        if fit:
            self._idle.append(worker)
        else:
            self._all.remove(worker)
            worker.end()
