# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: which kind of database a URL means."""

from __future__ import annotations

import re
from urllib.parse import unquote

from .backend import Backend
from .errors import ErrorCode, MetalError
from .postgresql import PostgresqlBackend
from .sqlite import SqliteBackend

BACKENDS: dict[str, type[SqliteBackend | PostgresqlBackend]] = {
    "sqlite": SqliteBackend,
    "postgresql": PostgresqlBackend,
    "postgresql+psycopg": PostgresqlBackend,
}
"""The scheme of a URL to what speaks to such a database."""


def backend(url: str) -> Backend:
    """Return what speaks to the database at ``url``. Raises: MetalError ``invalid``."""
    scheme, _colon, rest = url.partition(":")
    known = BACKENDS.get(scheme)
    if known is None or not rest.startswith("///" if scheme == "sqlite" else "//") or not url.isprintable():
        raise MetalError(
            ErrorCode.INVALID,
            f"a database URL of kind {scheme!r} is not supported; write sqlite:///PATH or postgresql://USER@HOST/NAME",
        )
    return known(url)


_PASSWORD = re.compile(r"[^:]+://[^:/]*:([^@]*)@")


def passwords(url: str) -> set[str]:
    """Return the password in a database URL, in each form in which a text could show it."""
    found = _PASSWORD.match(url)
    return {text for text in (found[1], unquote(found[1])) if text} if found else set()
