# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the text of a noderange, and errors that point into it."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ErrorCode, MetalError

SHOWN = 120
"""A longer noderange is shown in part, around the place that the error is about."""


@dataclass(frozen=True, slots=True)
class Source:
    """A noderange as it was written. ``item`` says which of a list it is, as in "item 2 of 3"; else it is empty."""

    text: str
    item: str = ""

    def fault(self, code: ErrorCode, at: int | None, sentence: str) -> MetalError:
        """Return the error for what stands at index ``at`` (None: all of it)."""
        place = f" ({self.item})" if self.item else ""
        where = "" if at is None else f" character {at + 1}:"
        return MetalError(code, f"noderange {shown(self.text, at or 0)}{place}:{where} {sentence}")


def shown(text: str, at: int = 0) -> str:
    """Return ``text`` in quotes on one line; of a long one what is around index ``at``."""
    if len(text) <= SHOWN:
        return repr(text)
    start = min(max(0, at - SHOWN // 2), len(text) - SHOWN)
    end = start + SHOWN
    return f"{'...' if start else ''}{text[start:end]!r}{'...' if end < len(text) else ''}"
