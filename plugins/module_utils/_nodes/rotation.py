# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: secrets in documents: all of them, and all of them anew with another key.

A rotation is three steps, and whoever stops between two of them leaves everything readable: the new key stands in the
file in front of the old; all secrets are encrypted with it, in one transaction; the old keys go. Who writes a secret
at the same time does so in a transaction that is before ours, and is rotated too, or after, and finds the new key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .libraries import lazy
from .schema import SECRETS
from .secrets import Keyring
from .tables import tables

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

PAGE = 1000
"""Documents that are read at a time."""


def secrets_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the secrets of a node's or group's document as they are stored: attribute name to Fernet's text."""
    return {name: document[name] for name in SECRETS if isinstance(document.get(name), str)}


def owners(connection: sa.Connection) -> Iterator[tuple[sa.Table, str, dict[str, Any]]]:
    """Yield each document that holds a secret: its table, the name of its node or group, and the document."""
    for table in (tables().groups, tables().nodes):
        text = sa.cast(table.c.document, sa.Text)
        query = sa.select(table.c.name, table.c.document).where(sa.or_(*(text.like(f'%"{name}"%') for name in SECRETS)))
        for name, document in connection.execute(query.execution_options(yield_per=PAGE)):
            if secrets_of(document):
                yield table, name, document


def stored(connection: sa.Connection) -> bool:
    """Whether there is a secret."""
    return any(True for _owner in owners(connection))


@dataclass(frozen=True, slots=True)
class Fit:
    """How many secrets there are, and how many of them no key decrypts."""

    secrets: int
    unreadable: int


def fit(connection: sa.Connection, keyring: Keyring) -> Fit:
    """Try the keys on all secrets. Raises: MetalError ``database`` if there are secrets and no keys can be read."""
    secrets = unreadable = 0
    for _table, _name, document in owners(connection):
        for stored in secrets_of(document).values():
            secrets += 1
            unreadable += not keyring.fits(stored)
    return Fit(secrets, unreadable)


def rewrite(connection: sa.Connection, keyring: Keyring) -> int:
    """Encrypt what is not encrypted by the first key yet; returns how many secrets.

    Raises: MetalError ``database`` if one cannot be decrypted; the caller's transaction must end then.
    """
    count = 0
    waiting: dict[sa.Table, list[dict[str, Any]]] = {}
    for table, name, document in owners(connection):
        renewed = {key: keyring.renewed(stored) for key, stored in secrets_of(document).items()}
        differing = sum(document[key] != stored for key, stored in renewed.items())
        if differing:
            count += differing
            waiting.setdefault(table, []).append({"of": name, "renewed": {**document, **renewed}})
    for table, rows in waiting.items():
        update = table.update().where(table.c.name == sa.bindparam("of")).values(document=sa.bindparam("renewed"))
        connection.execute(update, rows)
    return count
