# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The fleet: workers, retries by class, deadlines, progress; and the stagger and the window, whose time a test makes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.window import LEAST, MOST, Window
from ansible_collections.stage0.metal.plugins.module_utils._fleet import fleet
from ansible_collections.stage0.metal.plugins.module_utils._fleet.fleet import Done, Halfway, Limits, Outcome, Progress
from ansible_collections.stage0.metal.plugins.module_utils._fleet.stagger import Pace, Stagger
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._operations.hardware import told

NAMES = [f"n{number}" for number in range(1, 21)]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "BACKOFF_SECONDS", 0.0)


def run(work: Callable[[str], Awaitable[Done]], limits: Limits | None = None, **more: Any) -> dict[str, Outcome]:
    return asyncio.run(fleet.run(NAMES, work, limits or Limits(), **more))


def test_everybody_has_an_outcome_in_order() -> None:
    async def work(name: str) -> Done:
        await asyncio.sleep(0)
        return Done(name == "n3")

    found = run(work)
    assert list(found) == NAMES
    assert [name for name, outcome in found.items() if outcome.done and outcome.done.changed] == ["n3"]
    assert {outcome.tries for outcome in found.values()} == {1}


@pytest.mark.parametrize(
    ("code", "tries"),
    [
        (ErrorCode.UNREACHABLE, 3),
        (ErrorCode.TIMEOUT, 3),
        (ErrorCode.BUSY, 3),
        (ErrorCode.AUTH, 1),
        (ErrorCode.PRIVILEGE, 1),
        (ErrorCode.PROTOCOL, 1),
        (ErrorCode.NOT_REACHED, 1),
    ],
)
def test_what_is_tried_again(code: ErrorCode, tries: int) -> None:
    calls: list[str] = []

    async def work(name: str) -> Done:
        calls.append(name)
        if name == "n7":
            raise MetalError(code, "no")
        return Done()

    found = run(work)
    assert calls.count("n7") == found["n7"].tries == tries
    assert str(found["n7"].error) == ("n7: no" if tries == 1 else "n7: no (3 tries)")
    assert sum(outcome.error is None for outcome in found.values()) == 19


def test_the_second_try_may_succeed() -> None:
    failures = dict.fromkeys(NAMES, 2)

    async def work(name: str) -> Done:
        if failures[name]:
            failures[name] -= 1
            raise MetalError(ErrorCode.BUSY, "busy")
        return Done()

    assert {outcome.tries for outcome in run(work).values()} == {3}


def test_pauses_grow_and_are_longer_where_slots_have_to_become_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "BACKOFF_SECONDS", 1.0)
    many = [fleet.pause(ErrorCode.UNREACHABLE, 1) for _turn in range(200)]
    assert 0.5 <= min(many) < 0.7
    assert 1.3 < max(many) <= 1.5
    monkeypatch.setattr("random.uniform", lambda low, high: (low + high) / 2)
    assert [fleet.pause(ErrorCode.BUSY, tries) for tries in (1, 2)] == [3.0, 6.0]
    assert [fleet.pause(ErrorCode.TIMEOUT, tries) for tries in (1, 2)] == [1.0, 2.0]


def test_no_more_than_the_window_at_once_and_a_pause_takes_no_place() -> None:
    inside, most = 0, 0
    failed: set[str] = set()

    async def work(name: str) -> Done:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        if name in NAMES[:4] and name not in failed:
            failed.add(name)
            raise MetalError(ErrorCode.UNREACHABLE, "no")
        return Done()

    found = run(work, Limits(window=4))
    assert most == 4
    assert all(outcome.done for outcome in found.values())


def test_a_defect_costs_one_node() -> None:
    async def work(name: str) -> Done:
        if name == "n5":
            raise KeyError("boom")
        return Done()

    found = run(work)
    error = found["n5"].error
    assert error
    assert (error.code, error.message) == (
        ErrorCode.INTERNAL,
        "a defect in stage0.metal, please report it: KeyError: 'boom'",
    )
    assert sum(outcome.done is not None for outcome in found.values()) == 19


def test_the_deadline_tells_each_what_became_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(name: str) -> Done:
        if name == "n1":
            return Done()
        if name == "n2":
            raise MetalError(ErrorCode.UNREACHABLE, "no answer")
        if name == "n3":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as exc:
                raise Halfway(ErrorCode.NOT_REACHED, "sent, but", {"sent": "on"}) from exc
        await asyncio.Event().wait()
        return Done()

    monkeypatch.setattr(fleet, "BACKOFF_SECONDS", 1000.0)
    found = run(work, Limits(deadline=0.1, window=4))
    said = {name: str(outcome.error) for name, outcome in found.items()}
    assert found["n1"].done
    assert said["n2"] == "n2: no answer"
    assert said["n3"] == "n3: sent, but"
    assert said["n4"] == "n4: not finished when the task's deadline of 0 s came"
    assert said["n20"] == "n20: not begun when the task's deadline came after 0 s"
    codes = [outcome.error.code for outcome in found.values() if outcome.error]
    assert codes[:3] == [ErrorCode.UNREACHABLE, ErrorCode.NOT_REACHED, ErrorCode.TIMEOUT]
    assert codes[-1] is ErrorCode.SKIPPED


def test_progress_is_told_while_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "PROGRESS_SECONDS", 0.0)
    told_: list[Progress] = []
    enough = asyncio.Event()

    def tell(progress: Progress) -> None:
        told_.append(progress)
        if len(told_) == 3:
            enough.set()

    async def work(name: str) -> Done:
        if name == "n2":
            raise MetalError(ErrorCode.AUTH, "no")
        await enough.wait()
        return Done()

    run(work, tell=tell)
    assert (told_[-1].total, told_[-1].failed) == (20, 1)
    assert told(Progress(4000, 3412, 12, 31, 10.2)) == "3412 of 4000 nodes after 10 s, 12 failed, 31 to be tried again"
    assert told(Progress(4000, 3412, 0, 0, 20.0)) == "3412 of 4000 nodes after 20 s"


def test_a_task_that_is_cancelled_ends_its_work() -> None:
    ended: list[str] = []

    async def work(name: str) -> Done:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)
        return Done()

    async def scenario() -> None:
        task = asyncio.create_task(fleet.run(NAMES, work, Limits()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert sorted(ended) == sorted(NAMES)


# -- stagger ---------------------------------------------------------------------------------------------------


class Time:
    """Time that only sleeping moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        monkeypatch.setattr("asyncio.sleep", self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def turns(pace: Pace, keys: dict[str, str]) -> None:
    async def all_of_them() -> None:
        spread = Stagger(pace, keys, 1000.0)
        for name in keys:
            await spread.turn(name)

    asyncio.run(all_of_them())


def test_so_many_an_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time(monkeypatch)
    turns(Pace(3, 5.0), dict.fromkeys(NAMES[:8], ""))
    assert time.slept == [0, 0, 0, 5, 5, 5, 10, 10]


def test_each_feed_is_counted_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time(monkeypatch)
    turns(Pace(1, 2.0, "location.feed"), {"n1": "a", "n2": "b", "n3": "a", "n4": "b", "n5": "a"})
    assert time.slept == [0, 0, 2, 2, 4]


def test_what_was_not_used_is_not_caught_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time(monkeypatch)

    async def scenario() -> None:
        spread = Stagger(Pace(2, 10.0), dict.fromkeys(NAMES, ""), 1000.0)
        await spread.turn("n1")
        time.now += 34.0
        for name in NAMES[1:6]:
            await spread.turn(name)

    asyncio.run(scenario())
    assert time.slept == [0, 0, 0, 6, 6, 16]


def test_a_pace_that_does_not_fit_is_refused() -> None:
    keys = {name: "b" if name == "n1" else "a" for name in NAMES}
    Stagger(Pace(1, 5.0, "location.feed"), keys, 91.0).check()
    with pytest.raises(MetalError) as caught:
        Stagger(Pace(1, 5.0, "location.feed"), keys, 90.0).check()
    assert caught.value.code is ErrorCode.INVALID
    assert caught.value.message == (
        "stagger: the last of 19 nodes of location.feed a would begin after 90 s, but the task's deadline is 90 s;"
        " raise deadline, or let more nodes begin at once"
    )
    with pytest.raises(MetalError, match="0 nodes every 5 s is no pace"):
        Pace(0, 5.0)
    with pytest.raises(MetalError, match="1 nodes every 0 s is no pace"):
        Pace(1, 0.0)


# -- the engine's window -----------------------------------------------------------------------------------------


def test_the_window_grows_while_the_loop_has_time_and_shrinks_when_it_has_not() -> None:
    async def scenario() -> None:
        window, inside, leave = Window(), 0, asyncio.Event()

        async def one() -> None:
            nonlocal inside
            async with window:
                inside += 1
                await leave.wait()
                inside -= 1

        tasks = [asyncio.create_task(one()) for _number in range(5000)]
        await asyncio.sleep(0)
        assert inside == LEAST
        window.late(0.001)
        await asyncio.sleep(0)
        assert inside == 2 * LEAST
        for _tick in range(10):
            window.late(0.001)
        await asyncio.sleep(0)
        assert inside == MOST
        for _tick in range(10):
            window.late(0.1)
        tasks[0].cancel()  # one that is inside
        tasks[-1].cancel()  # one that waits
        await asyncio.sleep(0.01)
        assert inside == MOST, "a limit that shrank lets nobody in, and sends nobody out"
        leave.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert inside in (0, 1)

    asyncio.run(scenario())
