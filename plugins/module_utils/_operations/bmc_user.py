# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operation ``bmc_user``: accounts of BMCs, and passwords that are never lost.

A password that is to be a node's own is written down as bmc.password_next before its BMC hears of it, and becomes
bmc.password when we have logged in with it. Whenever a run ends, one of the two is the account's; way_in() finds which.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from .._drivers.base import Capability, Target
from .._drivers.managing import AccountLevel, AccountWish, BmcAccount
from .._fleet.fleet import Done, Halfway, Limits
from .._nodes.errors import ErrorCode, MetalError
from .bmc_user_jobs import Job, Jobs
from .bmc_way import SHORT_BYTES, way_in
from .context import Context
from .hardware import Bmc, run

PAUSES = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each try to log in with a new password: some BMCs take it up a moment after they said so."""
NOT_BEGUN = frozenset({ErrorCode.AUTH, ErrorCode.CONFLICT})
"""What a driver says of a change of which the BMC was not told anything: it let nobody in, or has no place."""
SHUT = frozenset({ErrorCode.AUTH, ErrorCode.PRIVILEGE})
"""What a BMC says of an account that is not let in: which password it has is not known."""
UNPROVED = (
    "whether the BMC has the new password of {user!r} is not known; the old one stays in bmc.password and the new one"
    " in bmc.password_next: run the task again, it finds which of them is right, and goes on"
)
UNPROVED_OTHER = (
    "whether the BMC has the new password of {user!r} is not known; it stays in bmc.password_next, and the account"
    " in bmc.user_next: run bmc_user again, with nodes only, it finishes that account"
)


def bmc_user(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Make an account of every node's BMC what is asked for; keep its password, proved, where it is the node's own."""
    jobs = Jobs(context, parameters)
    work = _Work(jobs, parameters, check_mode=context.check_mode)
    limits = Limits(deadline=parameters["deadline"])
    try:
        answer = run(context, parameters, Capability.ACCOUNTS, work.one, limits, check=jobs.add, ready=jobs.begin)
    finally:  # a task that is ended by a signal has proved passwords, too
        lost = jobs.end()
    if lost is not None:
        answer.update(failed=True, msg=str(lost))
    return answer


class _Work:
    """What is done at one BMC."""

    def __init__(self, jobs: Jobs, parameters: Mapping[str, Any], *, check_mode: bool) -> None:
        self._jobs, self._check_mode = jobs, check_mode
        self._seconds: float = parameters["timeout"]
        self._present = parameters["state"] == "present"
        self._level = AccountLevel(parameters["level"])

    async def one(self, bmc: Bmc) -> Done:
        """Do one node. Raises: MetalError; Halfway from when its BMC may have another password than it had."""
        job = self._jobs[bmc.view.name]
        try:
            return await self._one(bmc, job)
        except MetalError as exc:
            if not job.sent:
                raise
            why = f"{exc.message}; {_unproved(job)}" if job.unsure else exc.message
            raise Halfway(exc.code, why, {}) from exc
        except asyncio.CancelledError as exc:  # the task's deadline; fleet.run takes this error for the node's outcome
            if not job.sent:
                raise
            why = _unproved(job) if job.unsure else "the BMC was sent the change"
            raise Halfway(ErrorCode.NOT_REACHED, f"the task's deadline came; {why}", {}) from exc

    async def _one(self, bmc: Bmc, job: Job) -> Done:
        ours = (job.password, job.candidate, job.wanted if job.own else None)
        way = await way_in(bmc, ours, self._seconds)
        accounts = await bmc.driver.accounts(way, self._seconds)
        job.logged_in(way.password)
        found = next((each for each in accounts if each.name == job.name), None)
        if not self._present:
            return await self._absent(bmc, job, way, found)
        _check_place(job, accounts, found)
        _check_left(job)
        new = job.wanted is not None and not await self._has(bmc, job, way, found)
        right = found is not None and found.level is self._level and found.enabled is not False
        job.plan(shown(found), {"level": str(self._level), "enabled": True}, new=new)
        if right and not new and not job.sent and not job.keeps:
            return job.done(changed=False)
        if not self._check_mode:
            if new or not right:
                await self._set(bmc, job, way, new=new)
            await self._prove(bmc, job, way)
        return job.done(changed=True)

    async def _absent(self, bmc: Bmc, job: Job, way: Target, found: BmcAccount | None) -> Done:
        job.plan(shown(found), {}, new=False)
        there = found is not None and not is_closed(found)
        if there and not self._check_mode:
            job.sent = True
            wish = AccountWish(job.name, None, AccountLevel.NONE, present=False)
            await bmc.driver.set_account(way, wish, self._seconds)
            after = await bmc.driver.accounts(way, self._seconds)
            if any(each.name == job.name and not is_closed(each) for each in after):
                raise MetalError(ErrorCode.NOT_REACHED, f"the BMC took it, but still has the account {job.name!r}")
        job.settled = True
        return job.done(changed=there or job.sent or job.keeps)

    async def _has(self, bmc: Bmc, job: Job, way: Target, found: BmcAccount | None) -> bool:
        """Return whether the account has the password already; an account that is not let in has to be given it."""
        if job.own or job.wanted is None:
            return way.password == job.wanted
        if found is None or found.enabled is False:
            return False
        try:
            other = replace(way, user=job.name)
            return await bmc.driver.proof(other, (job.wanted,), self._seconds) is not None
        except MetalError as exc:
            if exc.code not in SHUT:
                raise
            return False

    async def _set(self, bmc: Bmc, job: Job, way: Target, *, new: bool) -> None:
        wish = AccountWish(job.name, job.wanted if new else None, self._level)
        if new:
            self._jobs.note(job, way.password)
        before = job.unsure
        job.unsure, job.sent = before or (new and job.stores), True
        try:
            await bmc.driver.set_account(way, wish, self._seconds)
        except MetalError as exc:
            if exc.code in NOT_BEGUN:
                job.unsure = before
            elif new:
                with suppress(MetalError):  # what the BMC said first is the reason
                    await self._find_out(bmc, job, way)
            raise

    async def _find_out(self, bmc: Bmc, job: Job, way: Target) -> None:
        """Learn whether the BMC took the password, although it refused something or did not answer.

        That it has the old one proves nothing: it may take the new one up in a moment.
        """
        if job.wanted is None or not job.stores:
            return
        other = replace(way, user=job.name)
        if await bmc.driver.proof(other, (job.wanted,), self._seconds) is not None:
            await self._log_in(bmc, job, way)

    async def _prove(self, bmc: Bmc, job: Job, way: Target) -> None:
        """Log in with the new password, and see what the account has become. Raises: MetalError."""
        after = await self._log_in_again(bmc, job, way)
        found = next((each for each in after if each.name == job.name), None)
        if found is None or found.level is not self._level or found.enabled is False:
            what = shown(found) or "no such account"
            raise MetalError(ErrorCode.NOT_REACHED, f"the BMC took it, but tells of {job.name!r}: {what}")

    async def _log_in_again(self, bmc: Bmc, job: Job, way: Target) -> tuple[BmcAccount, ...]:
        """Log in as _log_in() does, for as long as BMCs take to let in with a password that they took. Raises: MetalError."""
        said = ""
        for pause in PAUSES:
            await asyncio.sleep(pause)
            try:
                return await self._log_in(bmc, job, way)
            except MetalError as exc:
                if exc.code is not ErrorCode.AUTH:
                    raise
                said = exc.message
        raise await self._not_proved(bmc, job, way, said)

    async def _log_in(self, bmc: Bmc, job: Job, way: Target) -> tuple[BmcAccount, ...]:
        """Log in with what the account has now, in a session of its own; return the accounts."""
        if job.wanted is None:
            return await bmc.driver.accounts(way, self._seconds)
        proved = replace(way, user=job.name, password=job.wanted)
        if self._level is AccountLevel.ADMINISTRATOR:  # who may not read them could change nothing any more
            after = await bmc.driver.accounts(proved, self._seconds)
        else:
            await bmc.driver.power_state(proved, self._seconds)
            after = await bmc.driver.accounts(way, self._seconds)
        job.proved()
        return after

    async def _not_proved(self, bmc: Bmc, job: Job, way: Target, said: str) -> MetalError:
        """Return why a password that the BMC took lets nobody in."""
        took = f"the BMC took the new password of {job.name!r}, but"
        with suppress(MetalError):
            held = await way_in(bmc, (way.password, job.wanted), self._seconds) if job.own else None
            if held is not None and held.password == way.password:
                return MetalError(ErrorCode.NOT_REACHED, f"{took} it still has the old one")
            if held is not None and held.password != job.wanted:
                await bmc.driver.accounts(held, self._seconds)
                job.logged_in(held.password)
                job.unsure = False
                why = f"{took} kept its first {SHORT_BYTES} bytes only, which are in bmc.password now; say length: {SHORT_BYTES}"
                return MetalError(ErrorCode.UNSUPPORTED, why)
        return MetalError(ErrorCode.AUTH, f"{took} does not let us in with it: {said}")


def _unproved(job: Job) -> str:
    return (UNPROVED if job.own else UNPROVED_OTHER).format(user=job.name)


def _check_place(job: Job, accounts: tuple[BmcAccount, ...], found: BmcAccount | None) -> None:
    """Raises: MetalError if the account is not there and cannot be made."""
    if found is not None:
        return
    if job.own:
        why = f"the BMC lets user {job.name!r} in, but does not list it: its accounts are kept elsewhere"
        raise MetalError(ErrorCode.UNSUPPORTED, why)
    if job.wanted is None:
        why = f"the BMC has no account {job.name!r}; give it a password, or say generate: true, and it is made"
        raise MetalError(ErrorCode.MISSING, why)
    if not any(each.free for each in accounts):
        raise MetalError(ErrorCode.CONFLICT, f"the BMC has no free account: all {len(accounts)} are taken")


def _check_left(job: Job) -> None:
    """Raises: MetalError if a password would have to be written down in the place of another account's."""
    if job.foreign and job.stores and job.wanted is not None:
        why = f"an earlier task was giving the account {job.left_to!r} the password in bmc.password_next"
        raise MetalError(
            ErrorCode.CONFLICT,
            f"{why}; run bmc_user with nodes only, which finishes that account, or remove it with state: absent",
        )


def is_closed(account: BmcAccount) -> bool:
    """Return whether nobody can use it, although it has a name yet: some BMCs do not let go of a name."""
    return account.enabled is False and account.level is AccountLevel.NONE


def shown(account: BmcAccount | None) -> dict[str, Any]:
    """Return an account as the two sides of a change show it."""
    return {"level": str(account.level), "enabled": account.enabled} if account is not None else {}
