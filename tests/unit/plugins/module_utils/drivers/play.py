# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: runs IPMI scripts over bytes: a BMC that is a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.script import (
    Listen,
    Pause,
    Reply,
    Request,
    Script,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError

T = TypeVar("T")
Bmc = Callable[[Request], "Reply | bytes | int"]
"""Answers a request with a reply, with data (completion code 0) or with a completion code."""

MOST_STEPS = 200_000
"""No script may go on for ever, whatever it is told."""


class Player:
    """Runs scripts against ``bmc`` and remembers what was asked, and how long it paused."""

    def __init__(self, bmc: Bmc) -> None:
        self.bmc = bmc
        self.sent: list[Request] = []
        self.paused = 0.0

    def run(self, script: Script[T]) -> T:
        """Run a script to its end and return what it returns."""
        try:
            wanted = next(script)
            for _turn in range(MOST_STEPS):
                wanted = script.send(self._answer(wanted))
        except StopIteration as stop:
            result: T = stop.value
            return result
        raise AssertionError(f"not at an end after {MOST_STEPS} steps")

    def _answer(self, wanted: Request | Pause | Listen) -> Reply:
        assert not isinstance(wanted, Listen), "no script played here listens"
        if isinstance(wanted, Pause):
            self.paused += wanted.seconds
            return Reply(0, b"")
        self.sent.append(wanted)
        answer = self.bmc(wanted)
        if isinstance(answer, int):
            return Reply(answer, b"")
        return answer if isinstance(answer, Reply) else Reply(0, answer)


def run(script: Script[T], bmc: Bmc) -> T:
    """Run a script against a BMC."""
    return Player(bmc).run(script)


def table(answers: dict[tuple[int, int], bytes | int], default: int = 0xC1) -> Bmc:
    """Return a BMC that answers by network function and command, whatever the data; others with ``default``."""
    return lambda request: answers.get((request.netfn, request.command), default)


def noise(replies: list[tuple[int, bytes]]) -> Bmc:
    """Return a BMC that answers anything with ``replies``, one after the other, again and again."""
    turns = 0

    def bmc(_request: Request) -> Reply:
        nonlocal turns
        completion, data = replies[turns % len(replies)]
        turns += 1
        return Reply(completion, data)

    return bmc


def attempt(script: Script[T], bmc: Bmc) -> T | MetalError:
    """Run a script and return its value or its error; any other exception, or a second line in it, fails the test."""
    try:
        return run(script, bmc)
    except MetalError as error:
        one_line(error)
        return error


def one_line(error: MetalError) -> None:
    """Every error is one sentence."""
    assert error.message.splitlines() == [error.message]
