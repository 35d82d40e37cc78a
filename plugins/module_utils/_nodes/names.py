# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: names of nodes and groups, and their natural order."""

from __future__ import annotations

import re

from .errors import ErrorCode, MetalError

_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?){0,8}")
_NUMBER = re.compile(r"[0-9]+")
_NO_ZEROS = ord("~")
LONGEST = 253
"""Characters of a name, which is that of a host too (RFC 1123)."""
RESERVED = frozenset({"all", "ungrouped", "localhost"})
"""Words with a meaning of their own in noderanges or in Ansible inventories."""


def check_name(name: str, kind: str = "node") -> str:
    """Return ``name`` if a node or group (``kind``) may be called so.

    Raises: MetalError ``invalid``.
    """
    if name in RESERVED:
        raise MetalError(
            ErrorCode.INVALID, f"{name!r} cannot be the name of a {kind}: the word has a meaning of its own"
        )
    if len(name) > LONGEST:
        raise MetalError(
            ErrorCode.INVALID,
            f"{name[:40] + '...'!r} cannot be the name of a {kind}: it has {len(name)} characters, {LONGEST} is the most",
        )
    if not _NAME.fullmatch(name):
        raise MetalError(
            ErrorCode.INVALID,
            f"{name!r} cannot be the name of a {kind}: use lower-case letters, digits, '-', '_' and '.', "
            "beginning and ending with a letter or digit",
        )
    return name


def natural(name: str) -> str:
    """Return a sort key by which n2 comes before n10, as text: a database can sort by it, code point by code point.

    Each number becomes its length, its digits and a mark that puts the one with more leading zeros first.
    """
    return _NUMBER.sub(_number, name)


def _number(match: re.Match[str]) -> str:
    digits = match[0].lstrip("0")
    zeros = len(match[0]) - len(digits)
    return f"{min(len(digits), 99):02d}{digits}{chr(_NO_ZEROS - min(zeros, 63))}"
