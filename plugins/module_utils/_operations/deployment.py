# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operations ``profile``, ``arm``, ``deployment_info`` and ``deployment_wait``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._deploy import arm as arming
from .._deploy import hubs
from .._deploy.answer import Hub
from .._deploy.deployments import Deployment, Deployments
from .._deploy.installers import check_media
from .._deploy.profile import Profile, check_profile, load, remove, save
from .._deploy.profile import need as need_profile
from .._deploy.states import State
from .._fleet.fleet import Done, Outcome
from .._fleet.results import allowed_failures, result
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.noderange import fold
from .._nodes.view import View
from .context import Context
from .hardware import select

TRIAL_HUB = Hub("http://hub.invalid")
"""Arming renders everything once to see that it renders; the URLs that nodes get are the hub's own affair."""

QUIET_SECONDS = 30.0
"""A line of progress comes when something changed, and at least this often."""


def profile(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Make, change or remove a profile."""
    name = parameters["name"]
    with context.write() as store:
        old = load(store.connection, name)
        new = _profile(parameters) if parameters["state"] == "present" else None
        before, after = (one.document() if one else {} for one in (old, new))
        if before != after:
            _check_unused(Deployments(store), old, new)
            if new is not None:
                save(store.connection, new)
            else:
                remove(store.connection, name)
            store.event("profile changed" if after else "profile removed", name, before, after)
    return {"changed": before != after, "profile": after, "diff": {"before": before, "after": after}}


def _check_unused(deployments: Deployments, old: Profile | None, new: Profile | None) -> None:
    """Machines fetch the media of their profile while they install. Raises: MetalError ``conflict`` if they do."""
    if old is None or (new is not None and new.media == old.media):
        return
    nodes = deployments.under_way(old.name)
    if nodes:
        what = "removed" if new is None else "given other media"
        raise MetalError(
            ErrorCode.CONFLICT,
            f"profile {old.name} cannot be {what}: {fold(nodes)} are armed or being installed with it; wait, or disarm them",
        )


def _profile(parameters: Mapping[str, Any]) -> Profile:
    answer = parameters["answer"]
    if parameters["answer_file"] is not None:
        try:
            answer = Path(parameters["answer_file"]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise MetalError(
                ErrorCode.INVALID, f"the answer template {parameters['answer_file']} cannot be read: {exc}"
            ) from exc
    made = Profile(
        name=parameters["name"],
        installer=parameters["installer"],
        media=parameters["media"],
        answer=answer,
        kernel=parameters["kernel"],
        initrd=tuple(parameters["initrd"]),
        kernel_arguments=tuple(parameters["kernel_arguments"]),
        done=parameters["done"],
        deadlines={key: value for key, value in (parameters["deadlines"] or {}).items() if value is not None},
        max_boots=parameters["max_boots"],
        variables=parameters["variables"],
    )
    check_profile(made)
    check_media(made)
    return made


def arm(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Arm or disarm nodes; all of them or none."""
    begun = time.monotonic()
    views = select(context, parameters["nodes"], parameters["max_nodes"])
    disarms = parameters["state"] == "disarmed"
    if not disarms:
        with context.read() as store:
            prepared = arming.prepare(store, views, _request(store.connection, views, parameters))
    with context.write() as store:
        views = store.views(views)  # as they are now that nobody else can write
        if disarms:
            armed = arming.disarm(store, list(views))
        else:
            armed = arming.arm(store, views, _request(store.connection, views, parameters), prepared)
        hub_url = hubs.known(store.connection)
    outcomes = {name: Outcome(_armed(one), None, 0.0, 1) for name, one in armed.items()}
    answer = result(
        outcomes,
        identity=lambda name: views[name].identity(),
        seconds=time.monotonic() - begun,
        detail=parameters["detail"],
    )
    ready = [name for name, one in armed.items() if one.after is not None and one.after.state is State.ARMED]
    return {**answer, "armed_nodes": ready, "hub_url": hub_url}


def _request(connection: Any, views: Mapping[str, View], parameters: Mapping[str, Any]) -> arming.Request:
    profiles = _profiles(connection, views, parameters["profile"])
    return arming.Request(profiles, TRIAL_HUB, parameters["reinstall"], parameters["reinstall_before"])


def _profiles(connection: Any, views: Mapping[str, View], name: str | None) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    chosen: dict[str, Profile] = {}
    for node, view in views.items():
        wanted = name or view.need("deploy.profile", "the task names no profile either")
        if wanted not in found:
            found[wanted] = need_profile(connection, wanted)
        chosen[node] = found[wanted]
    return chosen


def _armed(one: arming.Armed) -> Done:
    def side(deployment: Deployment | None) -> dict[str, Any]:
        if deployment is None:
            return {"state": None, "profile": None, "fingerprint": None}
        profile = deployment.profile  # by its fingerprint, armed again with a changed profile shows in a diff
        return {"state": str(deployment.state), "profile": profile.name, "fingerprint": profile.fingerprint()[:12]}

    return Done(one.changed, side(one.before), side(one.after))


def deployment_info(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the newest deployment of each node. Overdue ones are shown as what they are."""
    views = select(context, parameters["nodes"], None)
    _sweep(context)
    with context.read() as store:
        deployments = Deployments(store)
        found = deployments.latest(views)
        shown: dict[str, Any] = {}
        for name in views:
            shown[name] = found[name].shown() if name in found else None
            if name in found and parameters["timeline"]:
                shown[name]["timeline"] = deployments.timeline(found[name].id)
    states = Counter(str(one.state) if one else "none" for one in (found.get(name) for name in views))
    return {"changed": False, "nodes": shown, "states": dict(states)}


def _sweep(context: Context) -> None:
    """Turn overdue deployments into failed ones, as the hub does all the time when it runs."""
    with context.read() as store:
        overdue = Deployments(store).overdue()
    if overdue:
        with context.write() as store:
            Deployments(store).sweep()


def deployment_wait(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Wait until every node's deployment is over, saying how it goes, and return how each ended."""
    begun = time.monotonic()
    views = select(context, parameters["nodes"], None)
    allowed_failures(parameters["max_failed"], len(views))
    said, said_at, told = "", begun, set[str]()
    while True:
        _sweep(context)
        with context.read() as store:
            found = Deployments(store).latest(views)
        line = _progress(len(views), found)
        if line != said or time.monotonic() - said_at > QUIET_SECONDS:
            context.say(line)
            said, said_at = line, time.monotonic()
        _tell_failures(context, found, told)
        waiting = [name for name, one in found.items() if not one.over]
        if not waiting or context.check_mode or time.monotonic() - begun >= parameters["timeout"]:
            break
        time.sleep(parameters["poll"])
    seconds = time.monotonic() - begun
    outcomes = {name: _ended(name, found.get(name), parameters, seconds, check=context.check_mode) for name in views}
    answer = result(
        outcomes,
        identity=lambda name: views[name].identity(),
        seconds=seconds,
        detail=parameters["detail"],
        max_failed=parameters["max_failed"],
    )
    answer.pop("diff")
    answer["states"] = dict(Counter(str(one.state) for one in found.values()))
    return answer


def _progress(total: int, found: Mapping[str, Deployment]) -> str:
    states = Counter(one.state for one in found.values())
    over = sum(one.over for one in found.values())
    percents = [one.percent for one in found.values() if one.state is State.INSTALLING and one.percent is not None]
    parts = [f"{states[state]} {state}" for state in State if states[state]]
    least = f", slowest installer at {min(percents)} %" if percents else ""
    return f"{over} of {total} over: {', '.join(parts) or 'no deployments'}{least}"


def _tell_failures(context: Context, found: Mapping[str, Deployment], told: set[str]) -> None:
    for name, one in found.items():
        if one.over and not one.succeeded and name not in told:
            told.add(name)
            context.say(f"{name}: {one.state}: {one.message or 'no reason known'}")


def _ended(name: str, one: Deployment | None, parameters: Mapping[str, Any], seconds: float, *, check: bool) -> Outcome:
    if one is None:
        error = MetalError(ErrorCode.NOT_ARMED, "has no deployment to wait for; arm it first", node=name)
        return Outcome(None, error, round(seconds, 3), 1)
    if one.succeeded or (check and not one.over):
        shown = {"state": str(one.state), "profile": one.profile.name, "deployment": one.id}
        return Outcome(Done(more=shown), None, round(one.changed_at - one.armed_at, 3), one.boots)
    if one.over:
        error = MetalError(
            ErrorCode.NOT_REACHED, f"deployment {one.id} {one.state}: {one.message or 'no reason known'}", node=name
        )
    else:
        waited = f"is still {one.state} after {parameters['timeout']} s of waiting; it goes on without this task"
        error = MetalError(ErrorCode.TIMEOUT, f"deployment {one.id} {waited}", node=name)
    return Outcome(None, error, round(seconds, 3), 1)
