# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what identifies machines: no two nodes have the same, wherever they inherit it from.

The table ``identities`` holds the effective value of each unique attribute. It is written in the transaction that
changes a node or one of its groups, so that the hub finds who asks by one look-up, whatever an expression made of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from .bulk import insert
from .errors import ErrorCode, MetalError
from .libraries import lazy
from .ranges import check_addresses, dynamic_ranges
from .reading import CHUNK, Reader, chunks
from .schema import UNIQUE
from .view import View

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

Key = tuple[str, str]
"""Attribute and value."""


def settle(reader: Reader, views: Iterable[View], *, new: Collection[str]) -> None:
    """Evaluate all that the nodes in ``views`` have, and write down what identifies them.

    ``new``: those of them that were not there before.
    Raises: MetalError for an expression that cannot be evaluated, ``conflict`` for what another node has already.
    """
    wanted: dict[Key, str] = {}
    names: set[str] = set()
    for view in views:
        names.add(view.name)
        for attribute in view.expressions():
            if attribute not in UNIQUE:
                view[attribute]  # raises if it cannot be evaluated: what is stored can be read ever after
        for attribute in UNIQUE:
            value = view[attribute]
            if value is not None and wanted.setdefault((attribute, value), view.name) != view.name:
                raise _conflict((attribute, value), wanted[attribute, value], view.name)
    had = _identities_of(reader, names - set(new))
    gone = [key for key, node in had.items() if wanted.get(key) != node]
    fresh = {key: node for key, node in wanted.items() if had.get(key) != node}
    _check_free(reader, fresh, names)
    addresses = ((node, value) for (attribute, value), node in fresh.items() if attribute == "net.ip")
    check_addresses(dynamic_ranges(reader.connection), addresses)
    t = reader.t.identities
    if gone:
        here = (t.c.attribute == sa.bindparam("a"), t.c.value == sa.bindparam("v"))
        reader.connection.execute(t.delete().where(*here), [{"a": a, "v": v} for a, v in gone])
    if fresh:
        rows = ((attribute, value, node) for (attribute, value), node in fresh.items())
        insert(reader.connection, t, ("attribute", "value", "node"), rows)


def _identities_of(reader: Reader, names: Collection[str]) -> dict[Key, str]:
    t = reader.t.identities
    query = sa.select(t.c.attribute, t.c.value, t.c.node)
    if len(names) > 10 * CHUNK:
        return {(a, v): node for a, v, node in reader.connection.execute(query) if node in names}
    found: dict[Key, str] = {}
    for chunk in chunks(sorted(names)):
        found.update({(a, v): n for a, v, n in reader.connection.execute(query.where(t.c.node.in_(chunk)))})
    return found


def _check_free(reader: Reader, fresh: dict[Key, str], names: set[str]) -> None:
    """Raise MetalError ``conflict`` if a node that is not one of ``names`` has one of the ``fresh`` keys."""
    t = reader.t.identities
    query = sa.select(t.c.attribute, t.c.value, t.c.node)
    if len(fresh) <= 10 * CHUNK:
        pieces = [query.where(t.c.value.in_(chunk)) for chunk in chunks(sorted({value for _attribute, value in fresh}))]
    else:
        pieces = [query]
    for piece in pieces:
        for attribute, value, node in reader.connection.execute(piece):
            if (attribute, value) in fresh and node not in names:
                raise _conflict((attribute, value), node, fresh[attribute, value])


def _conflict(key: Key, owner: str, node: str) -> MetalError:
    return MetalError(ErrorCode.CONFLICT, f"{key[0]} {key[1]} is already that of node {owner}", node=node)
