# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: taking an older node database forward, a version at a time.

A step knows the tables as they were then, in words of its own: what tables.py says may change later.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .expression import escape
from .libraries import lazy
from .names import natural
from .schema import SECRETS, UNIQUE
from .tables import SCHEMA_VERSION, sortable

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")


def migrate(connection: sa.Connection, version: int) -> None:
    """Take the tables from ``version`` to SCHEMA_VERSION, inside the caller's transaction."""
    for step in range(version, SCHEMA_VERSION):
        _STEPS[step](connection)
    meta = sa.table("meta", sa.column("key"), sa.column("value"))
    connection.execute(meta.update().where(meta.c.key == "schema_version").values(value=str(SCHEMA_VERSION)))


def _documents(connection: sa.Connection) -> None:
    """1 to 2: one document a node in place of a row a value; what identifies nodes has a table of its own.

    Braces had no meaning in version 1, empty text was a value, and nobody looked at what groups say of identities.
    What a group gives to one node alone identifies it from now on; of several nodes it identifies none, and
    database_info with ``verify`` tells it.
    """
    _new_tables(connection)
    kinds = {"node": _named("nodes", "document", "sort"), "group": _named("groups", "document")}
    own = _named("own_values", "kind", "owner", "attribute", "value")
    documents: dict[tuple[str, str], dict[str, Any]] = {}
    for kind, owner, attribute, value in connection.execute(
        sa.select(own.c.kind, own.c.owner, own.c.attribute, own.c.value)
    ):
        documents.setdefault((kind, owner), {})[attribute] = _as_of_2(attribute, json.loads(value))
    for name in connection.execute(sa.select(kinds["node"].c.name)).scalars().all():
        update = kinds["node"].update().where(kinds["node"].c.name == name)
        connection.execute(update.values(sort=natural(name)))
    for (kind, owner), document in documents.items():
        text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        connection.execute(kinds[kind].update().where(kinds[kind].c.name == owner).values(document=text))
    identities = _named("identities", "attribute", "value", "node")
    rows = [
        {"attribute": attribute, "value": value, "node": node}
        for (attribute, value), node in _identities(connection, documents).items()
    ]
    if rows:
        connection.execute(identities.insert(), rows)
    connection.exec_driver_sql("DROP TABLE own_values")


def _identities(
    connection: sa.Connection, documents: dict[tuple[str, str], dict[str, Any]]
) -> dict[tuple[str, Any], str]:
    """Return which node is identified by which attribute and value: by its own, else by what a group lends it alone."""
    members = _named("members", "node", "group_name", "position")
    order = (members.c.node, members.c.position)
    groups: dict[str, list[str]] = {}
    for node, group in connection.execute(sa.select(members.c.node, members.c.group_name).order_by(*order)):
        groups.setdefault(node, []).append(group)
    own: dict[tuple[str, Any], str] = {}
    lent: dict[tuple[str, Any], list[str]] = {}
    for node in {name for kind, name in documents if kind == "node"} | groups.keys():
        mine = documents.get(("node", node), {})
        sources = [mine, *(documents.get(("group", group), {}) for group in groups.get(node, ()))]
        for attribute in UNIQUE:
            source: dict[str, Any] = next((one for one in sources if attribute in one), {})
            value = source.get(attribute)
            if value is not None and source is mine:
                own[attribute, value] = node
            elif value is not None:
                lent.setdefault((attribute, value), []).append(node)
    return {**{key: nodes[0] for key, nodes in lent.items() if len(nodes) == 1}, **own}


def _new_tables(connection: sa.Connection) -> None:
    metadata = sa.MetaData()
    nodes = sa.Table("nodes", metadata, sa.Column("name", sa.String(255), primary_key=True))
    sa.Table(
        "identities",
        metadata,
        sa.Column("attribute", sa.String(120), primary_key=True),
        sa.Column("value", sa.String(255), primary_key=True),
        sa.Column("node", sa.ForeignKey("nodes.name", ondelete="CASCADE"), nullable=False, index=True),
    )
    sa.Table(
        "networks",
        metadata,
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("document", sa.JSON, nullable=False, server_default="{}"),
    )
    sa.Table(
        "observations",
        metadata,
        sa.Column("node", sa.ForeignKey("nodes.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("what", sa.String(40), primary_key=True),
        sa.Column("value", sa.String(255), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    sort = sortable().compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE nodes ADD COLUMN sort {sort} DEFAULT '' NOT NULL")
    connection.exec_driver_sql("CREATE INDEX ix_nodes_sort ON nodes (sort, name)")
    connection.exec_driver_sql("DROP INDEX ix_members_group_name")
    connection.exec_driver_sql("CREATE INDEX ix_members_group_name ON members (group_name, node, position)")
    for table in (nodes.name, "groups"):
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN document JSON DEFAULT '{{}}' NOT NULL")
    metadata.create_all(connection)


def _hardware(connection: sa.Connection) -> None:
    """2 to 3: what machines are made of, and were."""
    metadata = sa.MetaData()
    sa.Table("nodes", metadata, sa.Column("name", sa.String(255), primary_key=True))
    sa.Table(
        "hardware",
        metadata,
        sa.Column("node", sa.ForeignKey("nodes.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("at", sa.Float, primary_key=True),
        sa.Column("document", sa.JSON, nullable=False),
    )
    metadata.create_all(connection)


def _named(table: str, *columns: str) -> sa.TableClause:
    """Return a table known by its columns' names only."""
    names = ["name", *columns] if table in ("nodes", "groups") else columns
    return sa.table(table, *(sa.column(name) for name in names))


def _as_of_2(attribute: str, value: Any) -> Any:
    """Return a value of version 1 as version 2 writes it."""
    if not isinstance(value, str) or attribute in SECRETS:
        return value
    return escape(value) or None


_STEPS: dict[int, Callable[[sa.Connection], None]] = {1: _documents, 2: _hardware}
"""Version to the step that leads to the next."""
