# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: noderanges: text that names nodes, to names and back.

docs/reference/noderange.md has the grammar and its semantics; ``_noderange`` has the parts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ._noderange.fold import fold
from ._noderange.grammar import Asked, Listed, Names, Parser, World
from ._noderange.match import Test
from ._noderange.source import Source, shown
from .errors import ErrorCode, MetalError
from .names import natural

__all__ = ["Names", "Plain", "Test", "check", "expand", "fold", "select"]


class Plain:
    """Names that lie in memory: ``nodes``, ``groups`` with their members, ``values``: node to attribute to effective value."""

    def __init__(
        self,
        nodes: Iterable[str],
        groups: Mapping[str, Sequence[str]],
        values: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._order = {name: place for place, name in enumerate(sorted(set(nodes), key=natural))}
        self._groups = groups
        self._values = values

    def known(self, names: Collection[str]) -> set[str]:
        """Those of ``names`` that are nodes."""
        return self._order.keys() & names

    def members(self, group: str) -> Collection[str] | None:
        """The nodes of a group; None if there is no such group."""
        return self._groups.get(group)

    def everyone(self) -> Sequence[str]:
        """All nodes, in natural order."""
        return list(self._order)

    def having(self, attribute: str, test: Test) -> Collection[str]:
        """The nodes whose effective value of ``attribute`` passes. Raises: MetalError ``invalid`` if there are no values."""
        if self._values is None:
            raise MetalError(
                ErrorCode.INVALID, f"{attribute} cannot be tested here: only the node database has attributes"
            )
        nothing: Mapping[str, Any] = {}
        return [name for name in self._order if test.passes(self._values.get(name, nothing).get(attribute))]

    def ordered(self, found: set[str]) -> list[str]:
        """``found`` in natural order."""
        return sorted(found, key=self._order.__getitem__)


def expand(expression: str | Sequence[str], names: Names) -> list[str]:
    """Return the nodes that a noderange names, each once, in natural order.

    A list of noderanges means what its items, joined with commas, mean.
    Raises: MetalError ``invalid`` (grammar), ``unknown`` (name, attribute) or ``missing`` (an empty group; nobody is named).
    """
    listed, asked = _parse(expression)
    found = listed(World(names, asked.words))
    if found:
        return names.ordered(found)
    text = expression if isinstance(expression, str) else ",".join(expression)
    why = "" if listed.plus else ": it only excludes; say from what, as in all,-n1"
    raise MetalError(ErrorCode.MISSING, f"noderange {shown(text)} names no node{why}")


def select(expression: str | Sequence[str], names: Names) -> set[str]:
    """Return the nodes that a noderange names, perhaps none. Raises: MetalError as expand() does."""
    listed, asked = _parse(expression)
    return listed(World(names, asked.words))


def check(expression: str | Sequence[str]) -> None:
    """Judge the grammar alone, whoever the nodes are. Raises: MetalError ``invalid``, or ``unknown`` for an attribute."""
    World(Plain((), {}), _parse(expression)[1].words)


def _parse(expression: str | Sequence[str]) -> tuple[Listed, Asked]:
    items = [expression] if isinstance(expression, str) else list(expression)
    if not items:
        raise MetalError(ErrorCode.INVALID, "the list of noderanges is empty; write all for every node")
    listed, asked = Listed(), Asked()
    for number, item in enumerate(items, start=1):
        Parser(Source(item, f"item {number} of {len(items)}" if len(items) > 1 else ""), listed, asked)
    return listed, asked
