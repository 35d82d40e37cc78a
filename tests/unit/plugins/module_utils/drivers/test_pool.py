# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The worker processes: one that hangs or dies holds up no other, and none is left behind."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._pyghmi import oem, session
from ansible_collections.stage0.metal.plugins.module_utils._drivers._pyghmi import pool as pools
from ansible_collections.stage0.metal.plugins.module_utils._drivers._pyghmi.pool import Pool
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Target
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError

TARGET = Target("10.2.1.1", 623, "admin", "secret")


def deaf(_bmc: Any) -> None:
    """Hang, and not hear the alarm either."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    while True:
        time.sleep(60)


def refuse(_bmc: Any) -> None:
    raise MetalError(ErrorCode.AUTH, "refused")


VERBS: dict[str, Callable[..., Any]] = {
    "echo": lambda _bmc, *words: words,
    "pid": lambda _bmc: os.getpid(),
    "sleep": lambda _bmc: time.sleep(60),
    "deaf": deaf,
    "die": lambda _bmc: os._exit(3),
    "print": lambda _bmc: (os.write(1, b"noise"), os.write(2, b"noise"))[:0],
    "refuse": refuse,
}


@pytest.fixture(autouse=True)
def verbs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verbs that need no BMC; the workers, being forks, have them too."""
    command = SimpleNamespace(ipmi_session=SimpleNamespace(raw_command=None, logout=lambda: None))
    monkeypatch.setattr(session, "pyghmi_command", SimpleNamespace(Command=lambda **_given: command))
    monkeypatch.setattr(pools, "GRACE_SECONDS", 0.3)
    for name, verb in VERBS.items():
        monkeypatch.setitem(oem.VERBS, name, verb)


def with_pool(size: int, scenario: Callable[[Pool], Awaitable[None]]) -> None:
    async def run() -> None:
        pool = Pool(size)
        try:
            await scenario(pool)
        finally:
            pool.close()

    asyncio.run(run())


async def fails(pool: Pool, verb: str, seconds: float = 0.2) -> MetalError:
    with pytest.raises(MetalError) as caught:
        await pool.run(verb, TARGET, (), seconds)
    return caught.value


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_workers_are_made_as_they_are_needed_and_used_again() -> None:
    async def scenario(pool: Pool) -> None:
        assert await pool.run("echo", TARGET, ("a", 1), 5) == ("a", 1)
        first = await pool.run("pid", TARGET, (), 5)
        assert await pool.run("pid", TARGET, (), 5) == first
        both = await asyncio.gather(*(pool.run("pid", TARGET, (), 5) for _number in range(20)))
        assert 1 <= len(set(both)) <= 2

    with_pool(2, scenario)


def test_errors_come_back_and_the_worker_stays() -> None:
    async def scenario(pool: Pool) -> None:
        first = await pool.run("pid", TARGET, (), 5)
        error = await fails(pool, "refuse")
        assert (error.code, error.message) == (ErrorCode.AUTH, "refused")
        assert await pool.run("pid", TARGET, (), 5) == first

    with_pool(1, scenario)


@pytest.mark.parametrize(
    ("verb", "code", "says"),
    [
        ("sleep", ErrorCode.TIMEOUT, "no answer from the BMC at 10.2.1.1:623 within 0 s"),
        ("deaf", ErrorCode.TIMEOUT, "no answer from the BMC at 10.2.1.1:623 within 0 s"),
        ("die", ErrorCode.INTERNAL, "the worker that spoke to 10.2.1.1:623 died: EOFError()"),
    ],
)
def test_a_worker_that_hangs_or_dies_is_replaced(verb: str, code: ErrorCode, says: str) -> None:
    async def scenario(pool: Pool) -> None:
        first = await pool.run("pid", TARGET, (), 5)
        error = await fails(pool, verb)
        assert (error.code, error.message) == (code, says)
        assert gone(first)
        assert await pool.run("pid", TARGET, (), 5) != first

    with_pool(1, scenario)


def test_bad_jobs_hold_up_no_others() -> None:
    async def scenario(pool: Pool) -> None:
        bad = [asyncio.create_task(fails(pool, verb)) for verb in ("deaf", "sleep", "die")]
        good = await asyncio.gather(*(pool.run("echo", TARGET, (number,), 5) for number in range(30)))
        assert good == [(number,) for number in range(30)]
        assert {error.code for error in await asyncio.gather(*bad)} == {ErrorCode.TIMEOUT, ErrorCode.INTERNAL}

    with_pool(4, scenario)


def test_a_job_that_is_given_up_costs_its_worker() -> None:
    async def scenario(pool: Pool) -> None:
        first = await pool.run("pid", TARGET, (), 5)
        job = asyncio.create_task(pool.run("deaf", TARGET, (), 60))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert gone(first)
        assert await pool.run("echo", TARGET, (1,), 5) == (1,)

    with_pool(1, scenario)


def test_nothing_is_left_when_it_closes() -> None:
    pids: list[int] = []

    async def scenario(pool: Pool) -> None:
        pids.extend(set(await asyncio.gather(*(pool.run("pid", TARGET, (), 5) for _number in range(8)))))
        job = asyncio.create_task(pool.run("deaf", TARGET, (), 60))
        await asyncio.sleep(0)
        job.cancel()

    with_pool(4, scenario)
    assert pids
    assert all(gone(pid) for pid in pids)


def test_workers_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    async def scenario(pool: Pool) -> None:
        assert await pool.run("print", TARGET, (), 5) == ()

    with_pool(1, scenario)
    assert "noise" not in "".join(capfd.readouterr())


KILLED = """
import asyncio, os, signal
from types import SimpleNamespace
from ansible_collections.stage0.metal.plugins.module_utils._drivers._pyghmi import session
from ansible_collections.stage0.metal.plugins.module_utils._drivers._pyghmi.pool import Pool
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Target

command = SimpleNamespace(ipmi_session=SimpleNamespace(raw_command=None, logout=lambda: None))
session.pyghmi_command = SimpleNamespace(Command=lambda **_given: command)
session.VERBS["echo"] = lambda _bmc, *words: words

async def main():
    pool = Pool(3)
    await asyncio.gather(*(pool.run("echo", Target("a", 1, "u", "p"), (), 5) for _number in range(9)))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_workers_end_when_their_parent_is_killed() -> None:
    """Each of them holds the writing end of a pipe; the reading end sees when the last is gone."""
    reading, writing = os.pipe()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    parent = subprocess.run(
        [sys.executable, "-c", KILLED], env=environment, pass_fds=[writing], check=False, timeout=60
    )
    os.close(writing)
    assert parent.returncode == -signal.SIGKILL
    ready, _writing, _errors = select.select([reading], [], [], 30)
    assert ready
    assert os.read(reading, 1) == b""
    os.close(reading)
