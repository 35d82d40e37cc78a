# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: lines for the timelines of armed deployments, written a few hundred at a time.

A transaction for each node would hold up thousands of conversations with BMCs.
"""

from __future__ import annotations

import time
from contextlib import suppress

from .._deploy.deployments import Deployments
from .._deploy.states import State
from .._nodes.errors import MetalError
from .context import Context

MOST_SECONDS = 0.5
"""How old a line may become before it is written."""


class Notes:
    """The lines of one task. Nodes without an armed deployment have no timeline, and cost nothing."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._armed: dict[str, int] | None = None
        self._waiting: list[tuple[int, float, str, str]] = []

    def add(self, name: str, stage: str, detail: str) -> None:
        """Note what was done to a node, if it was armed when the task did its first such thing."""
        if self._armed is None:
            self._armed = self._deployments()
        number = self._armed.get(name)
        if number is not None:
            self._waiting.append((number, time.time(), stage, detail))
            if time.time() - self._waiting[0][1] >= MOST_SECONDS:
                self.write()

    def write(self) -> None:
        """Write what waits.

        The machines did what they did: a timeline that cannot be written, as when the database is locked, fails no node.
        """
        waiting, self._waiting = self._waiting, []
        if waiting:
            with suppress(MetalError), self._context.write() as store:
                Deployments(store).note_many(waiting)

    def _deployments(self) -> dict[str, int]:
        with suppress(MetalError), self._context.read() as store:
            return {found.node: found.id for found in Deployments(store).active() if found.state is State.ARMED}
        return {}
