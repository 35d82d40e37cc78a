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
from .states import ACTIVE, SUCCEEDED, State


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


def arm(
    store: Store, views: Mapping[str, View], profiles: Mapping[str, Profile], hub: answer.Hub, *, reinstall: bool
) -> dict[str, Armed]:
    """Arm each node of ``views`` with its profile in ``profiles`` (node name to profile).

    A node that has or is getting this very profile is left alone, unless ``reinstall``.
    Raises: MetalError, and then nobody is armed: ``locked``, ``conflict`` (another profile is on it or on its way),
    ``template``, ``media``, ``missing``.
    """
    deployments = Deployments(store)
    deployments.sweep()
    before = deployments.latest(views)
    wanted = [n for n in views if _needs(before.get(n), profiles[n], reinstall=reinstall)]
    _check(wanted, views, profiles, hub)
    result = {name: Armed(before.get(name), before.get(name)) for name in views}
    for name in wanted:
        old = before.get(name)
        if old is not None and old.state is State.ARMED:
            deployments.move(old, State.CANCELLED, "armed again", message="cancelled: the node was armed again")
        result[name] = Armed(old, deployments.create(name, profiles[name]))
    return result


def _needs(found: Deployment | None, profile: Profile, *, reinstall: bool) -> bool:
    if found is None or found.state not in ACTIVE | SUCCEEDED:
        return True
    if found.state is State.ARMED:
        return found.profile.fingerprint() != profile.fingerprint()
    same = found.profile.name == profile.name
    if found.state in ACTIVE:
        if reinstall or not same:
            raise MetalError(
                ErrorCode.CONFLICT,
                f"is being installed with {found.profile.name} right now; wait, or disarm it first",
                node=found.node,
            )
        return False
    if reinstall:
        return True
    if same:
        return False
    raise MetalError(
        ErrorCode.CONFLICT,
        f"is installed with profile {found.profile.name}; to overwrite it with {profile.name}, say reinstall: true",
        node=found.node,
    )


def _check(names: Sequence[str], views: Mapping[str, View], profiles: Mapping[str, Profile], hub: answer.Hub) -> None:
    for profile in {profiles[name].name: profiles[name] for name in names}.values():
        check_media(profile)
    for name in names:
        view = views[name]
        if view["deploy.lock"] == "locked":
            raise MetalError(
                ErrorCode.LOCKED, "is locked against deployment; set deploy.lock to unlocked if you mean it", node=name
            )
        if not (view["net.mac"] or view["system.uuid"]):
            raise MetalError(
                ErrorCode.MISSING,
                "neither net.mac nor system.uuid is set; the hub knows a booting node by them",
                node=name,
            )
        answer.check(view, profiles[name], hub)


def disarm(store: Store, names: Sequence[str]) -> dict[str, Armed]:
    """Cancel what is armed or under way on ``names``; a node being installed is not stopped, but boots its disk next."""
    deployments = Deployments(store)
    deployments.sweep()
    before = deployments.latest(names)
    result: dict[str, Armed] = {}
    for name in names:
        old = before.get(name)
        if old is not None and old.state in ACTIVE:
            deployments.move(old, State.CANCELLED, "disarmed", message="cancelled by disarming")
        result[name] = Armed(old, deployments.latest([name]).get(name))
    return result
