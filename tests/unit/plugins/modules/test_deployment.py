# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The modules profile, arm, deployment_info and deployment_wait, run for real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._deploy.deployments import Deployments
from ansible_collections.stage0.metal.plugins.module_utils._deploy.states import State
from ansible_collections.stage0.metal.tests.unit.support import (
    LAB_ANSWER,
    events,
    make_database,
    make_media,
    make_profile,
    make_rack,
    ok,
    refused,
    run_module,
    store,
    three_runs,
)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    return make_media(tmp_path / "media")


def move(node: str, *states: State, message: str | None = None) -> None:
    """Move the newest deployment of ``node`` through ``states``, as the hub does when it hears of them."""
    with store("hub") as opened:
        deployments = Deployments(opened)
        for state in states:
            deployments.move(deployments.latest([node])[node], state, "by a test", message=message)


# -- profile -------------------------------------------------------------------------------------------------------


def test_a_profile_is_made_changed_and_removed(media: Path, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"name": "lab", "installer": "lab", "media": str(media)}
    real = three_runs("profile", **arguments, answer=LAB_ANSWER, deadlines={"armed": 60}, variables={"a": [1]})
    assert real["profile"] == {
        **arguments,
        "answer": LAB_ANSWER,
        "kernel": "vmlinuz",
        "initrd": ["initrd.gz"],
        "kernel_arguments": [],
        "done": "ready",
        "deadlines": {"armed": 60},
        "max_boots": 3,
        "variables": {"a": [1]},
    }
    template = tmp_path / "answer.j2"
    template.write_text("# other\n" + LAB_ANSWER)
    changed = three_runs("profile", **arguments, answer_file=str(template), done="installed")
    assert changed["profile"]["answer"] == "# other\n" + LAB_ANSWER
    assert three_runs("profile", name="lab", state="absent")["profile"] == {}
    what = [event["what"] for event in events("lab")]
    assert what == ["profile changed", "profile changed", "profile removed"]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"name": "LAB"}, "invalid", "'LAB' cannot be the name of a profile: use lower-case letters, digits"),
    ({"media": "/does/not/exist"}, "media", "profile lab: the media folder /does/not/exist does not exist here"),
    ({"kernel": "VMLINUZ"}, "media", "lack VMLINUZ; names count in exact case"),
    ({"initrd": ["a", "b", "c", "d", "e", "f"]}, "media", "lack a, b, c, d, e and 1 more; names count in exact case"),
    ({"kernel": "../secret.key"}, "media", "'../secret.key' points outside the media in"),
    ({"max_boots": 0}, "invalid", "max_boots: 0 is not between 1 and 20"),
    ({"deadlines": {"armed": 0}}, "invalid", "deadlines: armed: 0 is not a number of seconds"),
    ({"answer": None, "answer_file": "/does/not/exist"}, "invalid", "the answer template /does/not/exist cannot be"),
]


@pytest.mark.parametrize(("more", "code", "says"), WRONG)
def test_a_wrong_profile_is_refused(media: Path, more: dict[str, Any], code: str, says: str) -> None:
    arguments = {"name": "lab", "installer": "lab", "media": str(media), "answer": LAB_ANSWER, **more}
    failed = refused("profile", **{key: value for key, value in arguments.items() if value is not None})
    assert says in failed["msg"]
    assert failed["error"]["code"] == code


def test_a_profile_needs_one_template() -> None:
    both = run_module("profile", name="lab", installer="lab", media="/x", answer="a", answer_file="/b")
    assert both["msg"] == "parameters are mutually exclusive: answer|answer_file"
    neither = run_module("profile", name="lab", installer="lab", media="/x")
    assert "any of the following are missing: answer, answer_file" in neither["msg"]


def test_files_of_installers_are_named_without_blanks(media: Path) -> None:
    (media / "my kernel").write_text("x")
    failed = refused("profile", name="lab", installer="lab", media=str(media), answer="x", kernel="my kernel")
    assert failed["msg"] == (
        "'my kernel' cannot stand in a URL of a boot script; use letters, digits and . _ ~ + - / for files of media"
    )


# -- arm -----------------------------------------------------------------------------------------------------------


def test_arming_and_disarming(media: Path) -> None:
    rack = make_rack(3)
    make_profile(media)
    real = three_runs("arm", nodes=["rack1"], profile="lab")
    assert real["armed_nodes"] == rack
    node = real["nodes"]["r1n02"]
    assert node["before"] == {"state": None, "profile": None, "fingerprint": None}
    assert (node["after"]["state"], node["after"]["profile"]) == ("armed", "lab")
    assert node["identity"]["mac"] == "52:54:00:01:00:02"
    assert ok("arm", nodes=["rack1"], profile="lab", detail="none")["nodes"] == {}
    gone = three_runs("arm", nodes=["rack1"], state="disarmed")
    assert gone["nodes"]["r1n01"]["after"] == {**node["after"], "state": "cancelled"}
    assert gone["armed_nodes"] == []
    assert ok("deployment_info", nodes=["rack1"])["states"] == {"cancelled": 3}


def test_the_profile_comes_from_the_node_unless_the_task_names_one(media: Path) -> None:
    make_rack(2, **{"deploy.profile": "lab"})
    make_profile(media)
    make_profile(media, "other")
    ok("node", name="r1n02", attributes={"deploy.profile": "other"})
    result = ok("arm", nodes=["rack1"])
    assert [node["after"]["profile"] for node in result["nodes"].values()] == ["lab", "other"]
    ok("node", name="r1n02", attributes={"deploy.profile": None})
    failed = refused("arm", nodes=["rack1"])
    assert failed["msg"] == "r1n02: attribute deploy.profile is not set, but the task names no profile either"


def test_an_unknown_profile_is_refused_with_those_there_are(media: Path) -> None:
    make_rack(1)
    assert refused("arm", nodes=["all"], profile="lab")["msg"] == (
        "there is no profile named 'lab'; there are: none yet"
    )
    make_profile(media, "b")
    make_profile(media, "a")
    assert refused("arm", nodes=["all"], profile="lab")["msg"] == "there is no profile named 'lab'; there are: a, b"


def test_a_template_with_a_missing_variable_for_one_node_arms_nobody(media: Path) -> None:
    make_rack(3)
    make_profile(media, answer=LAB_ANSWER + "# {{ node.site.owner }}\n")
    for name in ("r1n01", "r1n03"):
        ok("node", name=name, attributes={"site.owner": "me"})
    failed = refused("arm", nodes=["rack1"], profile="lab")
    assert failed["error"] == {"code": "template", "node": "r1n02", "retryable": False}
    assert failed["msg"] == (
        "r1n02: profile lab: the answer file: 'dict object' has no attribute 'site' (line 5); "
        "set the attribute or give it a default"
    )
    assert ok("deployment_info", nodes=["rack1"])["states"] == {"none": 3}
    assert not [event for event in events() if event["what"] == "deployment armed"]


def test_attributes_that_no_template_can_tell_apart(media: Path) -> None:
    make_rack(1)
    make_profile(media)
    ok("node", name="r1n01", attributes={"site.a": "x", "site.a.b": "y"})
    failed = refused("arm", nodes=["rack1"], profile="lab")
    assert failed["msg"] == "r1n01: a template cannot see both attributes site.a and site.a.b; rename one of them"


def test_what_cannot_stand_in_a_boot_script_arms_nobody(media: Path) -> None:
    make_rack(2)
    make_profile(media, kernel_arguments=["x={{ node.site.x }}"])
    ok("node", name="r1n01", attributes={"site.x": "1"})
    ok("node", name="r1n02", attributes={"site.x": "1&&exit"})
    failed = refused("arm", nodes=["rack1"], profile="lab")
    assert failed["error"]["node"] == "r1n02"
    assert failed["msg"].startswith("r1n02: 'x=1&&exit' cannot stand in an iPXE script")


def test_an_answer_file_that_its_linter_refuses_arms_nobody(media: Path) -> None:
    make_rack(2)
    make_profile(media, answer=LAB_ANSWER + "diskk first\n")
    failed = refused("arm", nodes=["rack1"], profile="lab")
    assert failed["msg"] == (
        "r1n01: profile lab: lab answer file, line 5: 'diskk' is none of hostname, disk, image, report"
    )


def test_media_that_became_incomplete_arm_nobody(media: Path) -> None:
    make_rack(2)
    make_profile(media)
    (media / "initrd.gz").unlink()
    failed = refused("arm", nodes=["rack1"], profile="lab")
    assert failed["error"]["code"] == "media"
    assert failed["msg"] == f"the media in {media} lack initrd.gz; names count in exact case"


def test_a_node_that_the_hub_could_not_recognise_arms_nobody(media: Path) -> None:
    make_rack(2)
    make_profile(media)
    ok("node", name="r1n02", attributes={"net.mac": None})
    assert ok("arm", nodes=["r1n02"], profile="lab", check=True)["changed"] is True
    ok("node", name="r1n02", attributes={"system.uuid": None})
    failed = refused("arm", nodes=["rack1"], profile="lab")
    assert failed["msg"] == "r1n02: neither net.mac nor system.uuid is set; the hub knows a booting node by them"


def test_a_locked_node_arms_nobody(media: Path) -> None:
    make_rack(2)
    make_profile(media)
    ok("node", name="r1n02", attributes={"deploy.lock": "locked"})
    failed = refused("arm", nodes=["rack1"], profile="lab")
    assert failed["error"]["code"] == "locked"
    assert failed["msg"] == "r1n02: is locked against deployment; set deploy.lock to unlocked if you mean it"
    assert ok("deployment_info", nodes=["rack1"])["states"] == {"none": 2}


def test_a_changed_profile_arms_again_what_was_not_booted_yet(media: Path) -> None:
    make_rack(1)
    make_profile(media)
    ok("arm", nodes=["r1n01"], profile="lab")
    make_profile(media, max_boots=5)
    three_runs("arm", nodes=["r1n01"], profile="lab", max_nodes=1)
    # not always 2: PostgreSQL's sequences go on when a check is rolled back
    assert ok("deployment_info", nodes=["r1n01"])["nodes"]["r1n01"]["id"] > 1
    with store() as opened:
        stages = [entry["stage"] for entry in Deployments(opened).timeline(1)]
    assert stages == ["armed", "cancelled"]


def test_another_profile_on_a_node_under_way_is_a_conflict(media: Path) -> None:
    make_rack(1)
    make_profile(media)
    make_profile(media, "other")
    ok("arm", nodes=["r1n01"], profile="lab")
    move("r1n01", State.BOOTING)
    failed = refused("arm", nodes=["r1n01"], profile="other")
    assert failed["error"]["code"] == "conflict"
    assert failed["msg"] == "r1n01: is being installed with lab right now; wait, or disarm it first"
    assert ok("arm", nodes=["r1n01"], profile="lab")["changed"] is False
    assert ok("arm", nodes=["r1n01"], profile="lab", reinstall=True)["changed"] is False, "it is on its way"


@pytest.mark.parametrize("reached", [State.INSTALLED, State.READY])
def test_what_is_installed_stays_unless_reinstall_is_said(media: Path, reached: State) -> None:
    make_rack(1)
    make_profile(media)
    make_profile(media, "other")
    ok("arm", nodes=["r1n01"], profile="lab")
    move("r1n01", State.BOOTING, State.INSTALLED, *([State.READY] if reached is State.READY else []))
    result = ok("arm", nodes=["r1n01"], profile="lab")
    assert (result["changed"], result["armed_nodes"]) == (False, [])
    make_profile(media, max_boots=7)  # a profile edited later reinstalls nothing by itself
    assert ok("arm", nodes=["r1n01"], profile="lab")["changed"] is False
    failed = refused("arm", nodes=["r1n01"], profile="other")
    assert failed["msg"] == ("r1n01: is installed with profile lab; to overwrite it with other, say reinstall: true")
    result = three_runs("arm", nodes=["r1n01"], profile="other", reinstall=True)
    assert result["nodes"]["r1n01"]["before"]["state"] == reached
    assert result["nodes"]["r1n01"]["after"]["profile"] == "other"
    assert result["armed_nodes"] == ["r1n01"]


@pytest.mark.parametrize("how", [State.FAILED, State.EXPIRED, State.CANCELLED])
def test_what_was_lost_is_armed_again(media: Path, how: State) -> None:
    make_rack(1)
    make_profile(media)
    ok("arm", nodes=["r1n01"], profile="lab")
    move("r1n01", how)
    assert three_runs("arm", nodes=["r1n01"], profile="lab")["armed_nodes"] == ["r1n01"]


def test_a_node_locks_itself_when_it_is_ready(media: Path) -> None:
    make_rack(1, **{"deploy.lock": "auto"})
    make_profile(media)
    ok("arm", nodes=["r1n01"], profile="lab")
    move("r1n01", State.BOOTING, State.INSTALLED)
    assert ok("node_info", nodes=["r1n01"])["nodes"]["r1n01"]["values"]["deploy.lock"] == "auto"
    move("r1n01", State.READY)
    assert ok("node_info", nodes=["r1n01"])["nodes"]["r1n01"]["values"]["deploy.lock"] == "locked"
    assert ok("arm", nodes=["r1n01"], profile="lab")["changed"] is False
    assert refused("arm", nodes=["r1n01"], profile="lab", reinstall=True)["error"]["code"] == "locked"


# -- deployment_info and deployment_wait ---------------------------------------------------------------------------


def test_info_with_timeline(media: Path) -> None:
    make_rack(2)
    make_profile(media)
    ok("arm", nodes=["r1n01"], profile="lab")
    result = ok("deployment_info", nodes=["rack1"], timeline=True)
    assert result["nodes"]["r1n02"] is None
    assert result["states"] == {"armed": 1, "none": 1}
    found = result["nodes"]["r1n01"]
    timeline = found.pop("timeline")
    assert [(entry["stage"], entry["detail"]) for entry in timeline] == [("armed", "profile lab")]
    times = {key: found.pop(key) for key in ("armed_at", "changed_at", "heard_at", "deadline")}
    assert times["deadline"] == pytest.approx(times["armed_at"] + 14400)
    expected = {"id": 1, "profile": "lab", "state": "armed", "percent": None, "message": None, "boots": 0}
    assert found == expected


def test_info_of_an_unknown_node_is_refused() -> None:
    make_database()
    failed = refused("deployment_info", nodes=["r1n01"])
    assert failed["msg"] == "noderange 'r1n01': there is no node or group named 'r1n01'"


def wait(**arguments: Any) -> dict[str, Any]:
    return run_module("deployment_wait", nodes=["rack1"], poll=0.01, timeout=0.05, **arguments)


def test_waiting_for_success(media: Path) -> None:
    make_rack(2)
    make_profile(media)
    make_profile(media, "short", done="installed")
    ok("arm", nodes=["r1n01"], profile="lab")
    ok("arm", nodes=["r1n02"], profile="short")
    move("r1n01", State.BOOTING, State.INSTALLED, State.READY)
    move("r1n02", State.BOOTING, State.INSTALLED)
    result = wait()
    assert not result.get("failed")
    assert result["changed"] is False
    assert result["states"] == {"ready": 1, "installed": 1}
    node = result["nodes"]["r1n02"]
    assert (node["state"], node["profile"], node["deployment"]) == ("installed", "short", 2)
    assert result["summary"]["failed"] == 0


def test_waiting_for_what_fails_hangs_and_never_was(media: Path) -> None:
    make_rack(3)
    make_profile(media)
    ok("arm", nodes=["r1n01,r1n02"], profile="lab")
    move("r1n01", State.BOOTING, State.FAILED, message="no disk found")
    result = wait()
    assert result["failed"] is True
    said = {name: (one["code"], one["msg"]) for name, one in result["failed_nodes"].items()}
    assert said == {
        "r1n01": ("not_reached", "r1n01: deployment 1 failed: no disk found"),
        "r1n02": (
            "timeout",
            "r1n02: deployment 2 is still armed after 0.05 s of waiting; it goes on without this task",
        ),
        "r1n03": ("not_armed", "r1n03: has no deployment to wait for; arm it first"),
    }
    assert result["states"] == {"failed": 1, "armed": 1}
    assert not wait(max_failed="3").get("failed")
    refused("deployment_wait", nodes=["rack1"], max_failed="many")


def test_waiting_in_check_mode_does_not_wait(media: Path) -> None:
    make_rack(1)
    make_profile(media)
    ok("arm", nodes=["r1n01"], profile="lab")
    result = ok("deployment_wait", nodes=["rack1"], check=True)
    assert result["nodes"]["r1n01"]["state"] == "armed"


def test_what_is_overdue_is_failed_by_looking(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_rack(1)
    make_profile(media, deadlines={"armed": 1})
    ok("arm", nodes=["r1n01"], profile="lab")
    with store() as opened:
        deployments = Deployments(opened)
        deployments.update(deployments.latest(["r1n01"])["r1n01"], deadline=1.0)
    found = ok("deployment_info", nodes=["r1n01"])["nodes"]["r1n01"]
    assert (found["state"], found["message"]) == ("expired", "expired: nobody booted the node")
