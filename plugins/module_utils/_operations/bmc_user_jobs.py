# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what ``bmc_user`` is to do at each BMC, and what the node database knows of it meanwhile."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._fleet.fleet import Done
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.noderange import fold
from .._nodes.schema import ENCRYPTED
from .._nodes.store import Store, Wish
from .._nodes.values import CHECKS
from .._nodes.view import View
from .context import Context

PASSWORD, NEXT, USER, USER_NEXT = "bmc.password", "bmc.password_next", "bmc.user", "bmc.user_next"
LONGEST_NAME, LONGEST_PASSWORD, SHORTEST_GENERATED = 16, 20, 8
ALPHABET = string.ascii_letters + string.digits


@dataclass(slots=True, repr=False)
class Job:
    """One node. ``name``: the account; ``password``: what bmc.password says of ``user``.

    ``left``: bmc.password_next, as an earlier run left it, and ``left_to``: the account that it was being given to.
    ``wanted``: the password that the account is to have; None: it is left alone. ``stores``: it becomes the node's own.
    """

    node: str
    name: str
    user: str
    password: str
    left: str | None
    left_to: str
    wanted: str | None
    stores: bool
    noted: bool = False
    """Whether ``wanted`` is in bmc.password_next."""
    sent: bool = False
    unsure: bool = False
    """Whether the account may have either password."""
    right: str | None = None
    """The password with which we logged in, with ``user``; once it is proved(), the one of ``name``."""
    became: str | None = None
    """The account that is to be the node's from now on."""
    before: dict[str, Any] | None = None
    after: dict[str, Any] = field(default_factory=dict)
    ends: bool = False
    """Whether the account ``name`` will not have what was left to it, or not need it, when the task is through."""
    settled: bool = False
    """Whether it is so far."""

    @property
    def own(self) -> bool:
        """Whether it is the account that the task logs in with."""
        return self.name == self.user

    @property
    def foreign(self) -> bool:
        """Whether what was left is another account's, about which this task finds out nothing."""
        return self.left is not None and self.left_to not in (self.user, self.name)

    @property
    def candidate(self) -> str | None:
        """What was left, if ``user`` may have it."""
        return self.left if self.left_to == self.user else None

    @property
    def learns(self) -> bool:
        """Whether bmc.user or bmc.password will be another than now."""
        wanted = self.wanted if self.stores and self.wanted is not None else self.right
        return wanted != self.password or (self.stores and not self.own)

    @property
    def drops(self) -> bool:
        """Whether what was left is not needed any more once the task has done what it is to do."""
        return self.left is not None and (self.left_to == self.user or (self.left_to == self.name and self.ends))

    @property
    def keeps(self) -> bool:
        """Whether the node database will be another than now."""
        return self.learns or self.drops

    @property
    def unwritten(self) -> bool:
        """Whether the node database has to be told something when the task ends."""
        return self.noted or self.left is not None or self.right not in (None, self.password)

    def logged_in(self, password: str) -> None:
        """``user`` has this password."""
        if self.became is None:
            self.right = password

    def proved(self) -> None:
        """``name`` has the password that it was to have."""
        self.unsure = False
        self.settled = True
        if self.stores:
            self.right, self.became = self.wanted, self.name

    def plan(self, before: dict[str, Any], after: dict[str, Any], *, new: bool) -> None:
        """Say what is, and what is to be; what was said first holds, however often the node is tried."""
        if self.before is not None:
            return
        self.before, self.after = before, after
        if new:
            self.after["password"] = "changed"
        elif self.learns:
            self.after["password"] = "stored"
        elif self.drops:
            self.after["password_next"] = "dropped"
        if self.stores and not self.own:
            self.before, self.after["bmc.user"] = {**before, "bmc.user": self.user}, self.name

    def done(self, *, changed: bool) -> Done:
        """Return the node's result."""
        before = self.before or {}
        more = {"account": self.name, "stored": changed and self.learns}
        return Done(changed, before, self.after if changed else before, more)


class Jobs:
    """All of a task; what is written to the node database is written for all of them in one transaction."""

    def __init__(self, context: Context, parameters: Mapping[str, Any]) -> None:
        """Raises: MetalError ``invalid`` for options that contradict each other or that no BMC could take."""
        self._context, self._parameters = context, {**parameters, "password": _text(parameters["password"])}
        self._jobs: dict[str, Job] = {}
        _check(self._parameters)

    def __getitem__(self, node: str) -> Job:
        return self._jobs[node]

    def add(self, view: View) -> None:
        """Work out what is to be done at a node. Raises: MetalError."""
        parameters = self._parameters
        user, left = view[USER], view[NEXT]
        left_to = (view[USER_NEXT] or user) if left is not None else user
        name, given = parameters["name"] or user, parameters["password"]
        plain = parameters["name"] is None and given is None and not parameters["generate"]
        resumes = plain and parameters["state"] == "present" and left_to != user
        if resumes:  # what an earlier run began is finished
            name, given = left_to, left
        own = name == user
        if own and parameters["state"] == "absent":
            raise _conflict(
                view, f"the task logs in with the account {name!r}, so it cannot remove it; log in with another"
            )
        stores = own or parameters["store"] or resumes
        if stores and parameters["state"] == "present" and parameters["level"] != "administrator":
            why = f"{name!r} would be bmc.user, and could not change accounts any more; level has to be administrator"
            raise _conflict(view, why)
        if parameters["generate"] and not stores:
            why = f"the account {name!r} would have a password that nobody knows; say store: true"
            raise MetalError(ErrorCode.INVALID, why, node=view.name)
        wanted = generated(parameters["length"]) if parameters["generate"] else given
        self._jobs[view.name] = Job(view.name, name, user, view[PASSWORD], left, left_to, wanted, stores)
        self._jobs[view.name].ends = parameters["state"] == "absent" or wanted is not None

    def begin(self) -> None:
        """Write down every password that a BMC is to be given, before any BMC is asked anything.

        But for nodes of which an earlier run has left one: theirs is not given up before it is known to be of no use.
        """
        jobs = {job.node: job for job in self._jobs.values() if job.stores and job.wanted is not None}
        if self._context.check_mode or not jobs:
            return
        with self._context.write() as store:
            wishes = {}
            for node, view in store.views(list(jobs)).items():
                job = jobs[node]
                job.left = view[NEXT]  # another task may have been at it since
                job.left_to = view[USER_NEXT] or job.user
                if job.left is None and (job.wanted != job.password or not job.own):
                    wishes[node] = _note(job, {})
            store.put_many("node", wishes)
        for node in wishes:
            jobs[node].noted = True

    def note(self, job: Job, held: str) -> None:
        """Write the node's new password down if begin() did not; ``held`` is what the account has."""
        if not job.stores or job.noted or job.wanted in (None, job.left):
            return
        with self._context.write() as store:
            if store.known("node", [job.node]):
                store.put("node", job.node, _note(job, {} if held == job.password else {PASSWORD: held}))
        if job.left is not None and job.left_to == job.name != job.user:
            job.unsure = True  # the account may have what was left, and there is no place for both
        job.password, job.left, job.noted = held, None, True

    def end(self) -> MetalError | None:
        """Write down what is known now: passwords that are proved, and that others are not needed any more.

        Returns what keeps it from being written, if something does.
        """
        jobs = {job.node: job for job in self._jobs.values() if job.unwritten}
        if self._context.check_mode or not jobs:
            return None
        try:
            with self._context.write() as store:
                store.put_many("node", _outcome(store, jobs))
        except MetalError as exc:
            proved = [job.node for job in jobs.values() if job.became]
            why = f"{exc.message}; new passwords of {fold(proved)} stay in bmc.password_next: run the task again"
            return MetalError(exc.code, why if proved else exc.message)
        return None


def _outcome(store: Store, jobs: Mapping[str, Job]) -> dict[str, Wish]:
    """Return what is to be written of each node that is there yet and has something new."""
    there = store.known("node", jobs)
    wishes = {}
    for node, view in store.views([node for node in jobs if node in there]).items():
        job = jobs[node]
        values = {}
        if job.right is not None and job.right != job.password:
            values[PASSWORD] = job.right
        if job.became not in (None, job.user):
            values[USER] = job.became
        found_out = job.right is not None if job.left_to == job.user else job.settled
        theirs = (view[USER_NEXT] or job.user) not in (job.name, job.user) or job.foreign
        ours = (found_out or job.left is None) and not job.unsure and not theirs
        ours = ours and view[NEXT] is not None and view[NEXT] in (job.wanted, job.left)
        if values or ours:
            wishes[node] = Wish(values, unset=(NEXT, USER_NEXT) if ours else ())
    return wishes


def _note(job: Job, more: Mapping[str, Any]) -> Wish:
    """Return what is to be written before the BMC is given ``wanted``."""
    if job.own:
        return Wish({**more, NEXT: job.wanted}, unset=(USER_NEXT,))
    return Wish({**more, NEXT: job.wanted, USER_NEXT: job.name})


def generated(length: int) -> str:
    """Return a random password of letters and digits, in which each kind of them is, as many BMCs want it."""
    while True:
        found = "".join(secrets.choice(ALPHABET) for _number in range(length))
        if any(map(str.islower, found)) and any(map(str.isupper, found)) and any(map(str.isdigit, found)):
            return found


def _conflict(view: View, why: str) -> MetalError:
    return MetalError(ErrorCode.CONFLICT, why, node=view.name)


def _check(parameters: Mapping[str, Any]) -> None:
    """Raises: MetalError ``invalid``."""
    name, password, generate = parameters["name"], parameters["password"], parameters["generate"]
    length = parameters["length"]
    if parameters["state"] == "absent" and (password is not None or generate or parameters["store"]):
        raise MetalError(ErrorCode.INVALID, "state: absent takes neither password nor generate nor store")
    if password is not None and generate:
        raise MetalError(ErrorCode.INVALID, "password and generate exclude each other; give one of them")
    if parameters["store"] and password is None and not generate:
        raise MetalError(ErrorCode.INVALID, "store: true needs the account's password; give it, or say generate: true")
    if not SHORTEST_GENERATED <= length <= LONGEST_PASSWORD:
        what = f"length: {length} cannot be; write {SHORTEST_GENERATED} to {LONGEST_PASSWORD}"
        raise MetalError(ErrorCode.INVALID, what)
    if name is not None:
        _check_text("name", name, LONGEST_NAME, repr(name))
    if password is not None:
        _check_text("password", password, LONGEST_PASSWORD, "what is given")


def _text(password: Any) -> str | None:
    """Return a password as text. Raises: MetalError ``invalid`` for a list and its like, whose text nobody means."""
    if isinstance(password, int) and not isinstance(password, bool):
        return str(password)
    if password is None or isinstance(password, str):
        return password
    kind = type(password).__name__.strip("_")
    raise MetalError(ErrorCode.INVALID, f"password: what is given is no text, but of the type {kind}; put it in quotes")


def _check_text(option: str, text: str, longest: int, called: str) -> None:
    try:
        same = CHECKS["text"](text) == text and not text.startswith(ENCRYPTED)
    except ValueError as exc:
        raise MetalError(ErrorCode.INVALID, f"{option}: {called} {exc}") from None
    if not same:
        why = f"begins or ends with a blank, or begins with {ENCRYPTED}, which the node database would not keep"
        raise MetalError(ErrorCode.INVALID, f"{option}: {called} {why}")
    if not 1 <= len(text.encode()) <= longest:
        why = f"has {len(text.encode())} bytes; a BMC takes 1 to {longest}"
        raise MetalError(ErrorCode.INVALID, f"{option}: {called} {why}")
