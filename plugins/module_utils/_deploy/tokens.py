# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the tokens by which a node shows that a deployment is its own: 256 random bits, in URLs."""

from __future__ import annotations

import hashlib
import hmac
import secrets


def new() -> str:
    """Return a fresh token, 43 characters fit for a URL."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """Return what the database keeps of ``token``. A random token of 256 bits needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def fits(token: str, kept: str | None) -> bool:
    """Return whether ``token`` is the one of which ``kept`` is the hash, in constant time."""
    return kept is not None and hmac.compare_digest(hashed(token), kept)
