# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the way in to a BMC whose password is, or was, being changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._drivers.base import Target
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.view import View
from .hardware import Bmc

SHORT_BYTES = 16
"""What BMCs that know only IPMI 1.5's passwords keep of a longer one, although they say that they took it."""


def with_short(passwords: Sequence[str | None]) -> tuple[str, ...]:
    """Return the passwords that are there, each once, and behind a long one what a BMC may have kept of it."""
    found: dict[str, None] = {}
    for password in passwords:
        if password is not None:
            found[password] = None
            found[password.encode()[:SHORT_BYTES].decode(errors="ignore")] = None
    return tuple(found)


def following(view: View) -> str | None:
    """Return bmc.password_next if it is being given to the account bmc.user, and not to another one."""
    found: str | None = view["bmc.password_next"] if view["bmc.user_next"] in (None, view["bmc.user"]) else None
    return found


async def way_in(bmc: Bmc, passwords: Sequence[str | None], seconds: float) -> Target:
    """Return the node's target with that of ``passwords`` which its account has, told without a failed log-in.

    Raises: MetalError ``auth`` if it has none of them, and what the driver raises.
    """
    candidates = with_short(passwords)
    held = await bmc.driver.proof(bmc.target, candidates, seconds)
    if held is not None:
        return replace(bmc.target, password=held)
    next_too = ", nor is it bmc.password_next" if following(bmc.view) is not None else ""
    raise MetalError(
        ErrorCode.AUTH,
        f"the BMC refuses the password of user {bmc.target.user!r}; see bmc.user and bmc.password{next_too}",
    )
