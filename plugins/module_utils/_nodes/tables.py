# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the tables of the node database (SQLAlchemy 2 Core) and their version.

A node and a group hold one JSON document of own values: attribute name to value, null where it is blanked, a
secret as Fernet's text. Writers come one at a time (database.py), so that two writers of different attributes of one
node both win. Times are seconds since the epoch (float, UTC).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from .libraries import lazy

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

SCHEMA_VERSION = 3
"""Version of the tables below; migrations.py takes an older database forward, database.py refuses a newer one."""


def sortable() -> sa.types.TypeEngine[str]:
    """Return the type of a column whose order is that of code points on every database, as names.natural() needs."""
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


class Tables:
    """All tables, bound to one MetaData."""

    def __init__(self) -> None:
        self.metadata = sa.MetaData()
        self.meta = sa.Table(
            "meta",
            self.metadata,
            sa.Column("key", sa.String(40), primary_key=True),
            sa.Column("value", sa.Text, nullable=False),
        )
        self._node_tables()
        self._seen_tables()
        self.events = sa.Table(
            "events",
            self.metadata,
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
            sa.Column("at", sa.Float, nullable=False),
            sa.Column("who", sa.String(120), nullable=False),
            sa.Column("what", sa.String(60), nullable=False),
            sa.Column("subject", sa.String(255), nullable=False, index=True),
            sa.Column("before", sa.Text),
            sa.Column("after", sa.Text),
        )
        self._deployment_tables()

    def _node_tables(self) -> None:
        self.nodes = sa.Table(
            "nodes",
            self.metadata,
            sa.Column("name", sa.String(255), primary_key=True),
            sa.Column("sort", sortable(), nullable=False, server_default=""),
            sa.Column("document", sa.JSON, nullable=False, server_default="{}"),
            sa.Index("ix_nodes_sort", "sort", "name"),  # all names in their order, without a look at documents
        )
        self.groups = sa.Table(
            "groups",
            self.metadata,
            sa.Column("name", sa.String(255), primary_key=True),
            sa.Column("document", sa.JSON, nullable=False, server_default="{}"),
        )
        self.members = sa.Table(
            "members",
            self.metadata,
            sa.Column("node", sa.ForeignKey("nodes.name", ondelete="CASCADE"), primary_key=True),
            sa.Column("group_name", sa.ForeignKey("groups.name", ondelete="CASCADE"), primary_key=True),
            sa.Column("position", sa.Integer, nullable=False),
            sa.Index("ix_members_group_name", "group_name", "node", "position"),
        )
        self.identities = sa.Table(
            "identities",
            self.metadata,
            sa.Column("attribute", sa.String(120), primary_key=True),
            sa.Column("value", sa.String(255), primary_key=True),
            sa.Column("node", sa.ForeignKey("nodes.name", ondelete="CASCADE"), nullable=False, index=True),
        )
        self.networks = sa.Table(
            "networks",
            self.metadata,
            sa.Column("name", sa.String(255), primary_key=True),
            sa.Column("document", sa.JSON, nullable=False, server_default="{}"),
        )

    def _seen_tables(self) -> None:
        """What machines told of themselves."""
        self.observations = sa.Table(
            "observations",
            self.metadata,
            sa.Column("node", sa.ForeignKey("nodes.name", ondelete="CASCADE"), primary_key=True),
            sa.Column("what", sa.String(40), primary_key=True),
            sa.Column("value", sa.String(255), nullable=False),
            sa.Column("at", sa.Float, nullable=False),
        )
        self.hardware = sa.Table(
            "hardware",
            self.metadata,
            sa.Column("node", sa.ForeignKey("nodes.name", ondelete="CASCADE"), primary_key=True),
            sa.Column("at", sa.Float, primary_key=True),
            sa.Column("document", sa.JSON, nullable=False),
        )

    def _deployment_tables(self) -> None:
        self.profiles = sa.Table(
            "profiles",
            self.metadata,
            sa.Column("name", sa.String(120), primary_key=True),
            sa.Column("document", sa.Text, nullable=False),
        )
        self.deployments = sa.Table(
            "deployments",
            self.metadata,
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
            sa.Column("node", sa.String(255), nullable=False, index=True),
            sa.Column("profile", sa.String(120), nullable=False),
            sa.Column("document", sa.Text, nullable=False),
            sa.Column("fingerprint", sa.String(64), nullable=False),
            sa.Column("state", sa.String(12), nullable=False, index=True),
            sa.Column("furthest", sa.String(12), nullable=False),
            sa.Column("mac", sa.String(17)),
            sa.Column("uuid", sa.String(36)),
            sa.Column("dismissed", sa.Boolean, nullable=False, default=False),
            sa.Column("token_hash", sa.String(64), index=True),
            sa.Column("armed_at", sa.Float, nullable=False),
            sa.Column("changed_at", sa.Float, nullable=False),
            sa.Column("heard_at", sa.Float, nullable=False),
            sa.Column("deadline", sa.Float),
            sa.Column("percent", sa.Integer),
            sa.Column("message", sa.Text),
            sa.Column("boots", sa.Integer, nullable=False, default=0),
        )
        self.timeline = sa.Table(
            "timeline",
            self.metadata,
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
            sa.Column("deployment", sa.ForeignKey("deployments.id", ondelete="CASCADE"), nullable=False, index=True),
            sa.Column("at", sa.Float, nullable=False),
            sa.Column("stage", sa.String(30), nullable=False),
            sa.Column("detail", sa.Text, nullable=False),
        )


@cache
def tables() -> Tables:
    """Return the tables, made once."""
    return Tables()
