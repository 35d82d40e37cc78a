# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: deployments in the database: reading them, moving them along their arrows, the timeline."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._nodes.errors import ErrorCode, MetalError
from .._nodes.libraries import lazy
from .._nodes.names import natural
from .._nodes.reading import CHUNK
from .._nodes.store import Store, Wish
from .._nodes.view import View
from .profile import Profile, from_document
from .states import ACTIVE, ARROWS, SILENCE, UNFINISHED, WAY, State

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One attempt to put one profile on one node. Times are seconds since the epoch."""

    id: int
    node: str
    profile: Profile
    state: State
    token_hash: str | None
    armed_at: float
    changed_at: float
    heard_at: float
    deadline: float | None
    percent: int | None
    message: str | None
    boots: int
    furthest: State
    mac: str | None
    uuid: str | None

    @property
    def touched_disk(self) -> bool:
        """Whether its installer began, so that what was on the disk before is gone."""
        return WAY.index(self.furthest) >= WAY.index(State.INSTALLING)

    @property
    def filled_disk(self) -> bool:
        """Whether its installer finished, so that its profile is on the disk, whatever became of it later."""
        return WAY.index(self.furthest) >= WAY.index(State.INSTALLED)

    def concerns(self, view: View) -> bool:
        """Whether the node is still the machine that was armed: its MAC address or its UUID is the same."""
        pairs = ((self.mac, view["net.mac"]), (self.uuid, view["system.uuid"]))
        known = [before == now for before, now in pairs if before and now]
        return any(known) or not known

    @property
    def succeeded(self) -> bool:
        """Whether it has reached what its profile calls done."""
        return self.state is State.READY or (self.state is State.INSTALLED and self.profile.done == State.INSTALLED)

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.succeeded or not ARROWS[self.state]

    def shown(self) -> dict[str, Any]:
        """Return it as results and the hub's API show it; without token."""
        return {
            "id": self.id,
            "profile": self.profile.name,
            "state": str(self.state),
            "percent": self.percent,
            "message": self.message,
            "boots": self.boots,
            "armed_at": round(self.armed_at, 3),
            "changed_at": round(self.changed_at, 3),
            "heard_at": round(self.heard_at, 3),
            "deadline": None if self.deadline is None else round(self.deadline, 3),
        }


class Deployments:
    """Deployments as seen in one transaction, that of ``store``."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.connection = store.connection
        self.t = store.t

    def latest(self, nodes: Iterable[str]) -> dict[str, Deployment]:
        """Return the newest deployment of each of ``nodes`` that has one.

        A deployment belongs to a machine: one of another machine that had the node's name before does not count.
        """
        return {name: history[0] for name, history in self.histories(nodes, newest_only=True).items() if history}

    def histories(self, nodes: Iterable[str], *, newest_only: bool = False) -> dict[str, list[Deployment]]:
        """Return all deployments of each of ``nodes`` that count, newest first."""
        t, names = self.t.deployments, list(nodes)
        views = self.store.views(names)
        found: dict[str, list[Deployment]] = {}
        for start in range(0, len(names), CHUNK):
            query = sa.select(t).where(t.c.node.in_(names[start : start + CHUNK]), t.c.dismissed.is_(False))
            if newest_only:
                newest = sa.select(sa.func.max(t.c.id)).where(t.c.dismissed.is_(False)).group_by(t.c.node)
                query = query.where(t.c.id.in_(newest))
            for row in self.connection.execute(query.order_by(t.c.id.desc())).mappings():
                deployment = _deployment(row)
                if deployment.concerns(views[deployment.node]):
                    found.setdefault(deployment.node, []).append(deployment)
        return found

    def dismiss(self, deployment: Deployment) -> None:
        """Let a lost attempt that never touched the disk count no more: an earlier one is what the machine runs."""
        self.update(deployment, dismissed=True)

    def renew(self, deployment: Deployment) -> None:
        """Begin the time of a deployment's state anew, as somebody has just asked for it again."""
        self.update(deployment, deadline=_deadline(deployment.profile, deployment.state, time.time()))

    def under_way(self, profile: str) -> list[str]:
        """Return the nodes that are armed or being installed with the profile of that name."""
        t = self.t.deployments
        states = [str(state) for state in ACTIVE]
        query = sa.select(t.c.node).where(t.c.profile == profile, t.c.state.in_(states))
        return sorted(self.connection.execute(query).scalars(), key=natural)

    def create(self, node: str, profile: Profile) -> Deployment:
        """Arm ``node``: the one place where a deployment begins."""
        now, view = time.time(), self.store.views([node])[node]
        row = {
            "node": node,
            "profile": profile.name,
            "document": json.dumps(profile.document()),
            "fingerprint": profile.fingerprint(),
            "state": str(State.ARMED),
            "furthest": str(State.ARMED),
            "mac": view["net.mac"],
            "uuid": view["system.uuid"],
            "dismissed": False,
            "armed_at": now,
            "changed_at": now,
            "heard_at": now,
            "deadline": _deadline(profile, State.ARMED, now),
            "boots": 0,
        }
        t = self.t.deployments
        made: Any = self.connection.execute(t.insert().values(**row)).inserted_primary_key
        number: int = made[0]
        self.note(number, "armed", f"profile {profile.name}")
        self.store.event("deployment armed", node, None, {"deployment": number, "profile": profile.name})
        return self.latest([node])[node]

    def move(self, deployment: Deployment, state: State, detail: str, **values: Any) -> None:
        """Move along an arrow. Raises: MetalError ``internal`` where there is none: a defect of the caller."""
        if state not in ARROWS[deployment.state]:
            raise MetalError(ErrorCode.INTERNAL, f"no arrow from {deployment.state} to {state}", node=deployment.node)
        now = time.time()
        row = {"state": str(state), "changed_at": now, "deadline": _deadline(deployment.profile, state, now), **values}
        if state in WAY:
            row["furthest"] = str(state)
        self.update(deployment, **row)
        self.note(deployment.id, str(state), detail)
        change = ({"state": str(deployment.state)}, {"state": str(state), "detail": detail})
        self.store.event(f"deployment {state}", deployment.node, *change)
        if state is State.READY or (state is State.INSTALLED and deployment.profile.done == State.INSTALLED):
            self._lock(deployment.node)

    def update(self, deployment: Deployment, **values: Any) -> None:
        """Write ``values`` to the deployment's row."""
        t = self.t.deployments
        self.connection.execute(t.update().where(t.c.id == deployment.id).values(**values))

    def note(self, number: int, stage: str, detail: str) -> None:
        """Add a line to the timeline of deployment ``number``."""
        self.note_many([(number, time.time(), stage, detail)])

    def note_many(self, lines: Sequence[tuple[int, float, str, str]]) -> None:
        """Add lines to timelines: number of the deployment, when (seconds since the epoch), stage, detail."""
        columns = ("deployment", "at", "stage", "detail")
        self.connection.execute(self.t.timeline.insert(), [dict(zip(columns, line, strict=True)) for line in lines])

    def timeline(self, number: int) -> list[dict[str, Any]]:
        """Return the timeline of deployment ``number``, oldest first."""
        t = self.t.timeline
        query = sa.select(t.c.at, t.c.stage, t.c.detail).where(t.c.deployment == number).order_by(t.c.at, t.c.id)
        return [
            {"at": round(at, 3), "stage": stage, "detail": detail}
            for at, stage, detail in self.connection.execute(query)
        ]

    def active(self) -> list[Deployment]:
        """Return all deployments that are armed or under way, the oldest first."""
        t = self.t.deployments
        query = sa.select(t).where(t.c.state.in_([str(state) for state in ACTIVE])).order_by(t.c.id)
        return [_deployment(row) for row in self.connection.execute(query).mappings()]

    def overdue(self) -> list[Deployment]:
        """Return the unfinished deployments whose deadline is past."""
        t = self.t.deployments
        query = sa.select(t).where(t.c.state.in_([str(state) for state in UNFINISHED]), t.c.deadline < time.time())
        return [_deployment(row) for row in self.connection.execute(query).mappings()]

    def sweep(self) -> list[str]:
        """Turn silence past its deadline into ``failed`` (``expired`` if armed), and return the nodes concerned."""
        late = self.overdue()
        for deployment in late:
            silent = round(time.time() - deployment.heard_at)
            if deployment.state is State.ARMED:
                self.move(
                    deployment,
                    State.EXPIRED,
                    f"not booted within its {silent} s",
                    message="expired: nobody booted the node",
                )
                continue
            heard = self.timeline(deployment.id)[-1]
            last = f"last heard {silent} s ago: {heard['stage']} ({heard['detail']})"
            message = f"{SILENCE[deployment.state]} ({last})"
            self.move(deployment, State.FAILED, message, message=message)
        return [deployment.node for deployment in late]

    def _lock(self, node: str) -> None:
        if self.store.views([node])[node]["deploy.lock"] == "auto":
            self.store.put("node", node, Wish({"deploy.lock": "locked"}))


def _deadline(profile: Profile, state: State, now: float) -> float | None:
    seconds = profile.deadline(state)
    return None if seconds is None else now + seconds


def _deployment(row: Any) -> Deployment:
    made = ("profile", "state", "furthest")
    values = {key: row[key] for key in Deployment.__slots__ if key not in made}
    return Deployment(
        profile=from_document(json.loads(row["document"])),
        state=State(row["state"]),
        furthest=State(row["furthest"]),
        **values,
    )
