# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: names of nodes that need not exist yet, spelled out as a noderange: ``r[1-2]n[01-20]``."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from .errors import ErrorCode, MetalError
from .names import natural
from .noderange import Test, expand

_LOOKS_LIKE_A_RANGE = re.compile(r"(?P<prefix>.*?)\d+(?P<suffix>\D*)-(?P=prefix)\d+(?P=suffix)")


class _Anybody:
    """noderange.Names where each name is a node's: only what spells names out has a meaning."""

    def known(self, names: Collection[str]) -> set[str]:
        return {name for name in names if "[" not in name and not _LOOKS_LIKE_A_RANGE.fullmatch(name)}

    def members(self, group: str) -> Collection[str] | None:
        return None

    def everyone(self) -> Sequence[str]:
        raise _selects()

    def having(self, attribute: str, test: Test) -> Collection[str]:
        raise _selects()

    def ordered(self, found: set[str]) -> list[str]:
        return sorted(found, key=natural)


def spell(expression: str) -> list[str]:
    """Return the names that ``expression`` spells out, in natural order.

    Raises: MetalError ``invalid`` for what selects among nodes, as ``all`` does, and as noderange.expand().
    """
    return expand(expression, _Anybody())


def _selects() -> MetalError:
    return MetalError(
        ErrorCode.INVALID,
        "name spells out names, as in r1n[01-20]; what selects among nodes belongs into the option nodes",
    )
