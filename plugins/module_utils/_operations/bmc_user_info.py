# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operation ``bmc_user_info``: who may log in to BMCs, and which let anybody in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._drivers.base import Capability
from .._drivers.managing import AccountLevel, BmcAccount
from .._fleet.fleet import Done
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.noderange import fold
from .bmc_user_jobs import LONGEST_NAME, LONGEST_PASSWORD
from .bmc_way import following, way_in
from .context import Context
from .factory import LogIn, by_user
from .hardware import Bmc, look

SHUT = frozenset({ErrorCode.AUTH, ErrorCode.PRIVILEGE})
"""What a BMC says of a user that it does not let in."""
NO_SUCH = SHUT | {ErrorCode.INVALID}
"""What it says of a user that it does not have, or cannot have: some take only short names."""
REFUSED = SHUT | {ErrorCode.UNSUPPORTED}
"""What our own account may fail with while others are asked for all the same."""


def bmc_user_info(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read the accounts of every node's BMC; if that is wanted, find out which factory accounts let one in."""
    logins = [LogIn(each["name"], each["password"]) for each in parameters["logins"] or ()]
    if logins and not parameters["factory_defaults"]:
        raise MetalError(ErrorCode.INVALID, "logins are asked for with factory_defaults: true only; say that too")
    for login in logins:
        _check(login)
    questions = by_user(logins) if parameters["factory_defaults"] else None
    seconds = parameters["timeout"]
    open_to_all: list[str] = []

    async def verb(bmc: Bmc) -> Done:
        listed, refused = None, None
        try:
            listed = [shown(each) for each in await _accounts(bmc, seconds) if is_one(each)]
        except MetalError as exc:
            if questions is None or exc.code not in REFUSED:
                raise
            refused = exc.message
        found = None if questions is None else await _let_in(bmc, questions, seconds)
        if found:
            open_to_all.append(bmc.view.name)
        return Done(more={"accounts": listed, "refused": refused, "factory": found})

    result = look(context, parameters, Capability.ACCOUNTS, verb)
    result["factory_range"] = None if questions is None else fold(open_to_all)
    return result


def _check(login: LogIn) -> None:
    """Raises: MetalError ``invalid`` for what no BMC could be asked for."""
    for option, called, text, longest in (
        ("name", repr(login.user), login.user, LONGEST_NAME),
        ("password", f"that of {login.user!r}", login.password, LONGEST_PASSWORD),
    ):
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise MetalError(ErrorCode.INVALID, f"logins: {option}: {called} is no text in UTF-8") from None
        if size > longest:
            why = f"has {size} bytes; a BMC takes at most {longest}"
            raise MetalError(ErrorCode.INVALID, f"logins: {option}: {called} {why}")


async def _accounts(bmc: Bmc, seconds: float) -> tuple[BmcAccount, ...]:
    coming = following(bmc.view)
    way = bmc.target if coming is None else await way_in(bmc, (bmc.target.password, coming), seconds)
    return await bmc.driver.accounts(way, seconds)


async def _let_in(bmc: Bmc, questions: Mapping[str, tuple[str, ...]], seconds: float) -> list[str]:
    """Return the users that one of these passwords lets in; one question each, and nobody tries to log in."""
    found = []
    for user, passwords in questions.items():
        try:
            held = await bmc.driver.proof(replace(bmc.target, user=user), passwords, seconds)
        except MetalError as exc:
            if exc.code not in NO_SUCH:
                raise
            continue  # no such user, or it is disabled or locked
        if held is not None:
            found.append(user)
    return found


def is_one(account: BmcAccount) -> bool:
    """Return whether it is an account, and not a place for one or the one without a name that nobody may use."""
    return bool(account.name) or (
        account.enabled is not False and account.level is not AccountLevel.NONE and not account.free
    )


def shown(account: BmcAccount) -> dict[str, Any]:
    """Return an account as results show it."""
    return {
        "number": account.number,
        "name": account.name,
        "level": str(account.level),
        "enabled": account.enabled,
    }
