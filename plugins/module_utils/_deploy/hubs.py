# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: where the hub is: it writes its URL at its start, so that a playbook can see whether it lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._nodes.libraries import lazy
from .._nodes.tables import tables

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

KEY = "hub_url"


def remember(connection: sa.Connection, url: str) -> None:
    """Write down the hub's ``url``, in place of what was there."""
    meta = tables().meta
    connection.execute(meta.delete().where(meta.c.key == KEY))
    connection.execute(meta.insert().values(key=KEY, value=url))


def known(connection: sa.Connection) -> str | None:
    """Return the URL of the hub that was started last on this database, or None if there was none yet."""
    meta = tables().meta
    found: str | None = connection.execute(sa.select(meta.c.value).where(meta.c.key == KEY)).scalar()
    return found
