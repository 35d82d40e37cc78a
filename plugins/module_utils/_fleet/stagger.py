# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: spread over time what draws current: so many nodes an interval, over all or by feed."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from .._nodes.errors import ErrorCode, MetalError


@dataclass(frozen=True, slots=True)
class Pace:
    """At most ``count`` nodes in ``interval`` seconds, of each value of the attribute ``per``; None: of all."""

    count: int
    interval: float
    per: str | None = None

    def __post_init__(self) -> None:
        if self.count < 1 or self.interval <= 0:
            raise MetalError(
                ErrorCode.INVALID,
                f"stagger: {self.count} nodes every {self.interval:g} s is no pace; both have to be more than 0",
            )

    def seconds(self, number: int) -> float:
        """Return when the node with this number (from 0) begins, in seconds after the first."""
        return number // self.count * self.interval


class Stagger:
    """The turns of one task. ``keys``: by node, what is counted together; ``deadline``: seconds of the whole task."""

    def __init__(self, pace: Pace, keys: Mapping[str, str], deadline: float) -> None:
        self._pace = pace
        self._keys = keys
        self._deadline = deadline
        self._begun = time.monotonic()
        self._taken: Counter[str] = Counter()

    def check(self) -> None:
        """Raises: MetalError ``invalid`` if the last node could not begin before the deadline, should all need a turn."""
        key, most = max(Counter(self._keys.values()).items(), key=lambda found: found[1], default=("", 0))
        last = self._pace.seconds(max(0, most - 1))
        if last >= self._deadline:
            whose = f" of {self._pace.per} {key}" if self._pace.per else ""
            raise MetalError(
                ErrorCode.INVALID,
                f"stagger: the last of {most} nodes{whose} would begin after {last:.0f} s, but the task's deadline is"
                f" {self._deadline:.0f} s; raise deadline, or let more nodes begin at once",
            )

    async def turn(self, name: str) -> None:
        """Wait for the node's turn. The first ``count`` need not wait, and whoever needs no turn takes none.

        Turns are as far apart as the pace says also if nobody came for a while: what was not used is not caught up on.
        """
        key = self._keys[name]
        elapsed = time.monotonic() - self._begun
        floor = int(elapsed // self._pace.interval) * self._pace.count
        number = max(self._taken[key], floor)
        self._taken[key] = number + 1
        await asyncio.sleep(max(0.0, self._pace.seconds(number) - elapsed))
