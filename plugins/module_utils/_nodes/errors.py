# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the one error type, with its codes.

Every error that a user can see carries a code from :class:`ErrorCode` and one sentence that names the node,
the value, the cause and what would be right.
"""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """What kind of failure it is; the value stands in results as ``code``."""

    UNREACHABLE = "unreachable"
    """Nothing answers at the address, or no route to it."""
    TIMEOUT = "timeout"
    """It answered once, or might have, but not within its time."""
    AUTH = "auth"
    """User name or password refused. Never retried: accounts lock."""
    PRIVILEGE = "privilege"
    """The account may not do this."""
    CIPHER = "cipher"
    """No cipher suite that both sides accept."""
    BUSY = "busy"
    """The BMC has no free session slot or says that it is busy. Retried."""
    UNSUPPORTED = "unsupported"
    """The hardware cannot do this."""
    INVALID = "invalid"
    """A value from the user that cannot be right."""
    MISSING = "missing"
    """An attribute that the operation needs has no value."""
    UNKNOWN = "unknown"
    """A name that is not in the database."""
    CONFLICT = "conflict"
    """It would overwrite or contradict something that exists."""
    PROTOCOL = "protocol"
    """The peer broke its protocol or sent a completion code without a class of its own."""
    NOT_REACHED = "not_reached"
    """The command was taken, but the state asked for did not come within the time."""
    LOCKED = "locked"
    """The node is locked against deployment."""
    NOT_ARMED = "not_armed"
    """The node has no armed deployment."""
    TEMPLATE = "template"
    """A template that does not render, or whose result its linter refuses."""
    MEDIA = "media"
    """Install media that is not there or not complete."""
    DATABASE = "database"
    """The database cannot be opened, is newer than this program, or refused a write."""
    LIBRARY = "library"
    """A Python library is missing on the management node."""
    SKIPPED = "skipped"
    """Not tried, since the task ended before its turn."""
    INTERNAL = "internal"
    """A defect in this collection."""


RETRYABLE = frozenset({ErrorCode.UNREACHABLE, ErrorCode.TIMEOUT, ErrorCode.BUSY})
"""Codes after which the same request may succeed a moment later."""


class MetalError(Exception):
    """A failure that the user is told about.

    ``code``: class of the failure. ``message``: the sentence, without the node's name in front.
    ``node``: the node that it concerns, or None if it concerns the whole request.
    """

    def __init__(self, code: ErrorCode, message: str, *, node: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.node = node

    def __str__(self) -> str:
        return f"{self.node}: {self.message}" if self.node else self.message

    @property
    def retryable(self) -> bool:
        """Whether trying again, unchanged, may help."""
        return self.code in RETRYABLE
