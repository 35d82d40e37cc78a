# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: arming: the only way by which a node comes to be installed; and disarming.

Everything is checked for every node before the first is armed, and all are armed in the caller's one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._nodes.errors import ErrorCode, MetalError
from .._nodes.store import Store
from .._nodes.view import View
from . import answer
from .deployments import Deployment, Deployments
from .installers import check_media
from .profile import Profile
from .states import ACTIVE, State


@dataclass(frozen=True, slots=True)
class Armed:
    """What arming came to for one node: its deployment ``before`` and ``after`` (None: there is none)."""

    before: Deployment | None
    after: Deployment | None

    @property
    def changed(self) -> bool:
        """Whether the node has another deployment now, or the same in another state."""

        def key(deployment: Deployment | None) -> tuple[int, State] | None:
            return (deployment.id, deployment.state) if deployment else None

        return key(self.before) != key(self.after)


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be armed: each node's profile in ``profiles``; ``reinstall`` what is installed.

    ``reinstall_before``: seconds since the epoch; what was armed then or later has been reinstalled, or is on its way.
    """

    profiles: Mapping[str, Profile]
    hub: answer.Hub
    reinstall: bool = False
    reinstall_before: float | None = None


def prepare(store: Store, views: Mapping[str, View], request: Request) -> set[str]:
    """Check, and render, everything for the nodes that will be armed; returns their names. Changes nothing.

    It takes a while for thousands of nodes: not for the transaction in which they are armed. Raises as arm() does.
    """
    histories = Deployments(store).histories(views)
    wanted = [name for name in views if _decide(name, histories.get(name, []), request).arms]
    _check(wanted, views, request)
    return set(wanted)


def arm(store: Store, views: Mapping[str, View], request: Request, prepared: set[str]) -> dict[str, Armed]:
    """Arm each node of ``views``. A node that has or is getting its profile is left alone, unless a reinstall is asked for.

    ``prepared``: what prepare() returned for the same request; what needs arming besides is checked now.
    Raises: MetalError, and then nobody is armed: ``locked``, ``conflict`` (another profile is on it or on its way),
    ``template``, ``media``, ``missing``.
    """
    deployments = Deployments(store)
    deployments.sweep()
    histories = deployments.histories(views)
    decisions = {name: _decide(name, histories.get(name, []), request) for name in views}
    wanted = [name for name, decision in decisions.items() if decision.arms]
    _check([name for name in wanted if name not in prepared], views, request)
    for name in wanted:
        _check_lock(views[name])
    result: dict[str, Armed] = {}
    for name, decision in decisions.items():
        for lost in decision.dismissed:
            deployments.dismiss(lost)
        old = decision.counts
        if decision.arms:
            if old is not None and old.state is State.ARMED:
                deployments.move(old, State.CANCELLED, "armed again", message="cancelled: the node was armed again")
            result[name] = Armed(old, deployments.create(name, request.profiles[name]))
        else:
            if old is not None and old.state is State.ARMED:
                deployments.renew(old)
            result[name] = Armed(old, old)
    return result


@dataclass(frozen=True, slots=True)
class _Decision:
    """Whether arming makes a deployment; the one that ``counts`` by now; lost attempts that are to count no more."""

    arms: bool
    counts: Deployment | None
    dismissed: tuple[Deployment, ...] = ()


def _decide(name: str, history: Sequence[Deployment], request: Request) -> _Decision:
    """Decide for one node by its ``history``, newest first. Raises: MetalError ``conflict``."""
    newest = history[0] if history else None
    if newest is not None and newest.state in ACTIVE:
        return _decide_active(newest, request.profiles[name])
    # What is on the disk: the newest deployment that touched it, if it finished. Attempts that were cancelled, expired
    # or failed before their installer began have not changed that, whatever they were meant to.
    untouched = [one for one in history if not one.touched_disk]
    touched = next((one for one in history if one.touched_disk), None)
    if touched is None or not touched.filled_disk:
        return _Decision(True, newest)
    since = request.reinstall_before
    if request.reinstall and (since is None or touched.armed_at < since):
        return _Decision(True, newest)
    if touched.profile.name == request.profiles[name].name:
        return _Decision(False, touched, tuple(one for one in untouched if one.id > touched.id))
    raise MetalError(
        ErrorCode.CONFLICT,
        f"is installed with profile {touched.profile.name}; to overwrite it with {request.profiles[name].name}, "
        "say reinstall: true",
        node=name,
    )


def _decide_active(newest: Deployment, profile: Profile) -> _Decision:
    if newest.state is State.ARMED:
        return _Decision(newest.profile.fingerprint() != profile.fingerprint(), newest)
    if newest.profile.name == profile.name:
        return _Decision(False, newest)
    raise MetalError(
        ErrorCode.CONFLICT,
        f"is being installed with {newest.profile.name} right now; wait, or disarm it first",
        node=newest.node,
    )


def _check(names: Sequence[str], views: Mapping[str, View], request: Request) -> None:
    for profile in {request.profiles[name].name: request.profiles[name] for name in names}.values():
        check_media(profile)
    for name in names:
        view = views[name]
        _check_lock(view)
        if not (view["net.mac"] or view["system.uuid"]):
            raise MetalError(
                ErrorCode.MISSING,
                "neither net.mac nor system.uuid is set; the hub knows a booting node by them",
                node=name,
            )
        answer.check(view, request.profiles[name], request.hub)


def _check_lock(view: View) -> None:
    if view["deploy.lock"] == "locked":
        raise MetalError(
            ErrorCode.LOCKED,
            "is locked against deployment; set deploy.lock to unlocked if you mean it",
            node=view.name,
        )


def disarm(store: Store, names: Sequence[str]) -> dict[str, Armed]:
    """Cancel what is armed or under way on ``names``; a node being installed is not stopped, but boots its disk next."""
    deployments = Deployments(store)
    deployments.sweep()
    before = deployments.latest(names)
    for old in before.values():
        if old.state in ACTIVE:
            deployments.move(old, State.CANCELLED, "disarmed", message="cancelled by disarming")
    after = deployments.latest(names)
    return {name: Armed(before.get(name), after.get(name)) for name in names}
