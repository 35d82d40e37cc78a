# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The states of a deployment: every arrow and every arrow that there is not, deadlines, silence, the lock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._deploy.deployments import Deployment, Deployments
from ansible_collections.stage0.metal.plugins.module_utils._deploy.profile import Profile, from_document
from ansible_collections.stage0.metal.plugins.module_utils._deploy.states import (
    ACTIVE,
    ARROWS,
    LOST,
    RIGHTS,
    UNFINISHED,
    Right,
    State,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Wish
from ansible_collections.stage0.metal.tests.unit.support import make_rack, store

ALLOWED = {
    "armed": "booting failed expired cancelled",
    "booting": "installing installed failed cancelled",
    "installing": "installed ready failed cancelled",
    "installed": "ready failed cancelled",
    "ready": "",
    "failed": "",
    "expired": "",
    "cancelled": "",
}
PROFILE = Profile("lab", "lab", "/media", "answer", deadlines={"installing": 100})


@pytest.fixture
def deployments(home: Path) -> Iterator[Deployments]:
    make_rack(1)
    with store("tester") as opened:
        yield Deployments(opened)


def in_state(deployments: Deployments, state: State, profile: Profile = PROFILE) -> Deployment:
    """Make a deployment that is in ``state``, whatever the way there."""
    made = deployments.create("r1n01", profile)
    deployments.update(made, state=str(state))
    return deployments.latest(["r1n01"])["r1n01"]


@pytest.mark.parametrize("there", State)
@pytest.mark.parametrize("here", State)
def test_arrows(deployments: Deployments, here: State, there: State) -> None:
    made = in_state(deployments, here)
    if there in ALLOWED[here].split():
        deployments.move(made, there, "by a test")
        found = deployments.latest(["r1n01"])["r1n01"]
        assert found.state is there
        assert found.changed_at >= made.changed_at
        assert deployments.timeline(made.id)[-1]["stage"] == there
    else:
        with pytest.raises(MetalError, match=f"no arrow from {here} to {there}") as caught:
            deployments.move(made, there, "by a test")
        assert caught.value.code is ErrorCode.INTERNAL
        assert deployments.latest(["r1n01"])["r1n01"].state is here
        assert len(deployments.timeline(made.id)) == 1


def test_every_state_belongs_somewhere() -> None:
    assert set(ARROWS) == set(State) == UNFINISHED | LOST | {State.READY}
    assert {state for state in State if not ARROWS[state]} == LOST | {State.READY}
    assert ACTIVE.isdisjoint({State.INSTALLED, State.READY} | LOST)


def test_a_token_is_good_only_while_the_stage_lasts_that_needs_it() -> None:
    assert {right: sorted(RIGHTS[right]) for right in Right} == {
        Right.BOOT_CONFIG: ["booting"],
        Right.ANSWER: ["booting", "installing"],
        Right.REPORT: ["booting", "installed", "installing"],
    }


def test_a_move_is_an_event(deployments: Deployments) -> None:
    made = deployments.create("r1n01", PROFILE)
    deployments.move(made, State.FAILED, "no disk", message="no disk")
    told = [(event["who"], event["what"], event["before"], event["after"]) for event in events_now(deployments)]
    assert told == [
        ("tester", "deployment armed", "null", '{"deployment": 1, "profile": "lab"}'),
        ("tester", "deployment failed", '{"state": "armed"}', '{"state": "failed", "detail": "no disk"}'),
    ]


def events_now(deployments: Deployments) -> list[dict[str, str]]:
    table = deployments.t.events
    rows = deployments.connection.execute(table.select().where(table.c.what.like("deployment%"))).mappings()
    return [dict(row) for row in rows]


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        (State.ARMED, 14400),
        (State.BOOTING, 900),
        (State.INSTALLING, 100),
        (State.INSTALLED, 1800),
        (State.READY, None),
        (State.FAILED, None),
    ],
)
def test_each_state_has_its_deadline(state: State, seconds: int | None) -> None:
    assert PROFILE.deadline(state) == seconds


def test_a_profile_that_is_done_when_installed_waits_no_longer(deployments: Deployments) -> None:
    short = Profile("short", "lab", "/media", "answer", done="installed")
    assert short.deadline(State.INSTALLED) is None
    made = in_state(deployments, State.INSTALLED, short)
    assert (made.succeeded, made.over) == (True, True)
    longer = in_state(deployments, State.INSTALLED)
    assert (longer.succeeded, longer.over) == (False, False)
    assert in_state(deployments, State.FAILED).over


def test_the_deadline_moves_with_the_state(deployments: Deployments) -> None:
    made = deployments.create("r1n01", PROFILE)
    assert made.deadline == pytest.approx(made.armed_at + 14400)
    deployments.move(made, State.BOOTING, "")
    found = deployments.latest(["r1n01"])["r1n01"]
    assert found.deadline == pytest.approx(found.changed_at + 900)
    deployments.move(found, State.CANCELLED, "")
    assert deployments.latest(["r1n01"])["r1n01"].deadline is None


SILENT = [
    (State.ARMED, State.EXPIRED, "expired: nobody booted the node"),
    (State.BOOTING, State.FAILED, "the boot script was served but the answer file was never fetched; look at the"),
    (State.INSTALLING, State.FAILED, "the installer began but did not say that it finished; look at the machine's"),
    (State.INSTALLED, State.FAILED, "the installation finished but the installed system did not report; look at"),
]


@pytest.mark.parametrize(("state", "becomes", "says"), SILENT)
def test_silence_past_the_deadline(deployments: Deployments, state: State, becomes: State, says: str) -> None:
    made = in_state(deployments, state)
    deployments.note(made.id, "progress", "40 %")
    assert deployments.sweep() == []
    deployments.update(made, deadline=made.armed_at - 1, heard_at=made.armed_at - 50)
    assert [one.node for one in deployments.overdue()] == ["r1n01"]
    assert deployments.sweep() == ["r1n01"]
    found = deployments.latest(["r1n01"])["r1n01"]
    assert found.state is becomes
    assert (found.message or "").startswith(says)
    if becomes is State.FAILED:
        assert "(last heard 50 s ago: progress (40 %))" in (found.message or "")
    assert deployments.sweep() == []


@pytest.mark.parametrize("state", sorted(LOST | {State.READY}))
def test_what_is_over_is_not_overdue(deployments: Deployments, state: State) -> None:
    deployments.update(in_state(deployments, state), deadline=1.0)
    assert deployments.overdue() == []


@pytest.mark.parametrize(
    ("lock", "done", "ends", "locked"),
    [
        ("auto", "ready", State.READY, True),
        ("auto", "installed", State.INSTALLED, True),
        ("auto", "ready", State.INSTALLED, False),
        ("unlocked", "ready", State.READY, False),
        ("auto", "ready", State.FAILED, False),
    ],
)
def test_the_lock_that_closes_by_itself(
    deployments: Deployments, lock: str, done: str, ends: State, locked: bool
) -> None:
    opened = deployments.store
    opened.put("group", "rack1", Wish({"deploy.lock": lock}))
    made = in_state(deployments, State.INSTALLING, Profile("lab", "lab", "/media", "answer", done=done))
    deployments.move(made, ends, "by a test")
    assert opened.views(["r1n01"])["r1n01"]["deploy.lock"] == ("locked" if locked else lock)


def test_a_node_that_is_gone_does_not_stop_the_others(deployments: Deployments) -> None:
    opened = deployments.store
    opened.put("node", "r1n02", Wish({"deploy.lock": "auto"}))
    made = in_state(deployments, State.INSTALLED)
    opened.remove("node", "r1n01")
    deployments.move(made, State.READY, "its report came after its removal")
    assert deployments.latest(["r1n01"])["r1n01"].state is State.READY


def test_the_newest_deployment_counts(deployments: Deployments) -> None:
    first = in_state(deployments, State.FAILED)
    second = deployments.create("r1n01", PROFILE)
    assert deployments.latest(["r1n01", "r1n02"]) == {"r1n01": second}
    assert second.id > first.id


def test_a_profile_survives_its_document() -> None:
    profile = Profile("p", "lab", "/m", "a", initrd=("a", "b"), kernel_arguments=("x={{ y }}",), variables={"z": [1]})
    assert from_document(profile.document()) == profile
    assert from_document(profile.document()).fingerprint() == profile.fingerprint()
    assert Profile("p", "lab", "/m", "b").fingerprint() != Profile("p", "lab", "/m", "a").fingerprint()
