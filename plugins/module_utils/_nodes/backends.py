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

_KIND = re.compile(r"[a-z][a-z0-9+]{0,19}")


def backend(url: str) -> Backend:
    """Return what speaks to the database at ``url``. Raises: MetalError ``invalid``."""
    scheme, colon, rest = url.partition(":")
    known = BACKENDS.get(scheme)
    if known is None or not rest.startswith("///" if scheme == "sqlite" else "//") or not url.isprintable():
        kind = f" of kind {scheme!r}" if colon and _KIND.fullmatch(scheme) else ""  # of anything else we show nothing
        raise MetalError(
            ErrorCode.INVALID,
            f"a database URL{kind} is not supported; write sqlite:///PATH or postgresql://USER@HOST/NAME",
        )
    return known(url)


_PASSWORDS = (
    re.compile(r"[^:]+://[^:/]*:([^@]*)@"),
    re.compile(
        r"[^:]+://[^:/]*:(.*)@"
    ),  # one with an @ that is not percent-encoded; refused, but the task's arguments are shown
    re.compile(r"password\s*=\s*([^&\s']+|'[^']*')", re.IGNORECASE),
)


def passwords(url: str) -> set[str]:
    """Return what may be a password in a database URL, in each form in which a text could show it."""
    found = {match[1].strip("'") for one in _PASSWORDS for match in one.finditer(url)}
    return {form for text in found for form in (text, unquote(text)) if form}
