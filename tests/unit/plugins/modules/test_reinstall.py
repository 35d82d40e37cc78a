# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is on a disk stays there: every way by which a machine could be installed again without anybody saying so."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._deploy import requests
from ansible_collections.stage0.metal.plugins.module_utils._deploy.answer import Hub
from ansible_collections.stage0.metal.plugins.module_utils._deploy.deployments import Deployment, Deployments
from ansible_collections.stage0.metal.plugins.module_utils._deploy.states import State
from ansible_collections.stage0.metal.tests.unit.support import events, make_profile, make_rack, ok, refused, store

HUB = Hub("http://10.1.0.1:8480")
MAC, OTHER_MAC = "52:54:00:01:00:01", "52:54:00:aa:00:01"
UUID = "11112222-3333-4444-5555-6666000000{:02d}"
DONE = (State.BOOTING, State.INSTALLING, State.INSTALLED, State.READY)


@pytest.fixture(autouse=True)
def site(tmp_path: Path) -> None:
    make_rack(2)
    make_profile(tmp_path / "media")


def latest(node: str = "r1n01") -> Deployment:
    with store() as opened:
        return Deployments(opened).latest([node])[node]


def move(*states: State, node: str = "r1n01") -> None:
    for state in states:
        with store() as opened:
            deployments = Deployments(opened)
            deployments.move(deployments.latest([node])[node], state, "test", message="test")


def arm(*, reinstall: bool = False, before: float | None = None, nodes: str = "r1n01") -> list[str]:
    more = {} if before is None else {"reinstall_before": before}
    armed: list[str] = ok("arm", nodes=[nodes], profile="lab", reinstall=reinstall, **more)["armed_nodes"]
    return armed


def boot(mac: str | None = MAC, uuid: str | None = None) -> bool:
    """Whether the machine that asks is told to install."""
    with store("hub") as opened:
        return "/deploy/" in requests.boot_script(opened, HUB, mac, uuid)


@pytest.mark.parametrize("lost", [(State.CANCELLED,), (State.EXPIRED,), (State.FAILED,), (State.BOOTING, State.FAILED)])
def test_a_reinstall_that_never_began_leaves_the_machine_installed(lost: tuple[State, ...]) -> None:
    assert arm() == ["r1n01"]
    move(*DONE)
    assert arm(reinstall=True) == ["r1n01"]
    move(*lost)
    assert arm() == [], "armed without reinstall"
    assert latest().state is State.READY, "the attempt that touched nothing still counts"
    assert not boot()
    assert arm(reinstall=True) == ["r1n01"]


def test_an_installed_machine_that_fell_silent_is_not_wiped_by_another_run() -> None:
    arm()
    move(State.BOOTING, State.INSTALLING, State.INSTALLED, State.FAILED)
    assert arm() == []
    assert latest().state is State.FAILED
    assert not boot()
    assert arm(reinstall=True) == ["r1n01"]


def test_an_install_that_broke_off_is_tried_again() -> None:
    arm()
    move(State.BOOTING, State.INSTALLING, State.FAILED)
    assert arm() == ["r1n01"]


def test_a_broken_reinstall_is_tried_again_for_the_disk_is_gone() -> None:
    arm()
    move(*DONE)
    arm(reinstall=True)
    move(State.BOOTING, State.INSTALLING, State.FAILED)
    assert arm() == ["r1n01"]


def test_an_interrupted_reinstall_goes_on_and_installs_nothing_once_more() -> None:
    arm(nodes="rack1")
    for node in ("r1n01", "r1n02"):
        move(*DONE, node=node)
    begun = time.time()
    assert arm(reinstall=True, before=begun, nodes="rack1") == ["r1n01", "r1n02"]
    move(*DONE)
    move(State.BOOTING, State.INSTALLING, node="r1n02")
    assert arm(reinstall=True, before=begun, nodes="rack1") == []
    move(State.INSTALLED, State.READY, node="r1n02")
    assert arm(reinstall=True, before=begun, nodes="rack1") == []
    assert arm(reinstall=True, before=time.time() + 1, nodes="rack1") == ["r1n01", "r1n02"]


def test_another_machine_of_the_same_name_was_not_armed() -> None:
    arm()
    ok("node", name="r1n01", state="absent")
    ok("node", name="r1n01", attributes={"net.mac": OTHER_MAC}, groups=["rack1"])
    assert not boot(OTHER_MAC)
    assert ok("deployment_info", nodes=["r1n01"])["nodes"] == {"r1n01": None}


def test_another_machine_of_the_same_name_is_not_installed() -> None:
    arm()
    move(*DONE)
    ok("node", name="r1n01", attributes={"net.mac": OTHER_MAC, "system.uuid": UUID.format(99)})
    assert ok("deployment_info", nodes=["r1n01"])["nodes"] == {"r1n01": None}
    assert arm() == ["r1n01"]
    assert boot(OTHER_MAC)


def test_the_same_machine_with_another_card_stays_installed() -> None:
    arm()
    move(*DONE)
    ok("node", name="r1n01", attributes={"net.mac": OTHER_MAC})
    assert arm() == []
    assert not boot(OTHER_MAC)


def test_a_mac_and_a_uuid_of_two_nodes_install_nobody() -> None:
    arm(nodes="rack1")
    with store() as opened:
        uuid = opened.views(["r1n02"])["r1n02"]["system.uuid"]
    assert not boot(MAC, uuid)
    assert [event["subject"] for event in events() if event["what"] == "boot refused"] == ["r1n01"]
    assert boot(None, uuid)


@pytest.mark.parametrize("junk", ["03000200-0400-0500-0006-000700080009", "0" * 32, "F" * 32])
def test_a_uuid_that_boards_share_identifies_nobody(junk: str) -> None:
    said = refused("node", name="r1n01", attributes={"system.uuid": junk})["msg"]
    assert said.endswith("is what boards without a UUID of their own have; leave it out")
    assert not boot(None, junk)


def test_a_lock_after_arming_holds() -> None:
    arm()
    ok("node", name="r1n01", attributes={"deploy.lock": "locked"})
    assert not boot()
    assert latest().state is State.CANCELLED


def test_a_success_is_not_talked_away(tmp_path: Path) -> None:
    ok("node", name="r1n01", attributes={"site.note": "x"})
    make_profile(tmp_path / "media", done="installed")
    arm()
    with store("hub") as opened:
        script = requests.boot_script(opened, HUB, MAC, None)
        token = script.split("/deploy/r1n01/")[1].split("/")[0]
    for state, became in (("installed", "accepted"), ("failed", "ignored"), ("ready", "accepted")):
        with store("hub") as opened:
            assert requests.report(opened, "r1n01", token, requests.Report(State(state))) == became


def test_arming_again_begins_the_time_anew() -> None:
    arm()
    with store() as opened:
        deployments = Deployments(opened)
        deployments.update(deployments.latest(["r1n01"])["r1n01"], deadline=time.time() + 1)
    assert arm() == ["r1n01"]
    deadline = latest().deadline
    assert deadline is not None
    assert deadline > time.time() + 1000


def test_media_in_use_stay(tmp_path: Path) -> None:
    arm()
    said = refused("profile", name="lab", state="absent")["msg"]
    assert said == "profile lab cannot be removed: r1n01 are armed or being installed with it; wait, or disarm them"
    ok("arm", nodes=["r1n01"], state="disarmed")
    assert ok("profile", name="lab", state="absent")["changed"]
