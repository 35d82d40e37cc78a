# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: how many conversations go on at once.

Where BMCs answer late, many; where they answer at once, as many as the processor can follow: more would only wait in
the sockets, be taken for slow, and be asked again. How late the timer comes tells how busy the loop is.
"""

from __future__ import annotations

import asyncio
from collections import deque

LEAST, MOST = 256, 2048
"""Conversations at once: at the beginning, and at most; the answers to more would overflow the receive buffers."""
PROMPT_SECONDS = 0.005
"""A timer that comes no later than this shows a loop with time to spare."""
LATE_SECONDS = 0.02


class Window:
    """Lets so many in and has the others wait in order."""

    def __init__(self) -> None:
        self._limit = LEAST
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self._inside < self._limit:
            self._inside += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn  # whoever leaves hands its place over
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    async def __aexit__(self, *_error: object) -> None:
        self._leave()

    def late(self, seconds: float) -> None:
        """The timer came so late: let more in, or fewer."""
        if seconds <= PROMPT_SECONDS:
            self._limit = min(MOST, self._limit * 2)
        elif seconds > LATE_SECONDS:
            self._limit = max(LEAST, self._limit * 3 // 4)
        while self._inside < self._limit and self._hand_over():
            self._inside += 1

    def _leave(self) -> None:
        if self._inside > self._limit or not self._hand_over():
            self._inside -= 1

    def _hand_over(self) -> bool:
        """Wake the first that still waits; return whether there was one."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return True
        return False
