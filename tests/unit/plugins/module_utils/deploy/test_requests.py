# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What nodes ask of the hub, each request a transaction of its own: boot script, answer file, report; and tokens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._deploy import requests, tokens
from ansible_collections.stage0.metal.plugins.module_utils._deploy.answer import Hub
from ansible_collections.stage0.metal.plugins.module_utils._deploy.deployments import Deployment, Deployments
from ansible_collections.stage0.metal.plugins.module_utils._deploy.requests import Refused, Report
from ansible_collections.stage0.metal.plugins.module_utils._deploy.states import State
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
from ansible_collections.stage0.metal.tests.unit.support import (
    LAB_ANSWER,
    events,
    make_profile,
    make_rack,
    ok,
    refused,
    store,
)

HUB = Hub("http://10.1.0.1:8480")
MAC = "52:54:00:01:00:01"
LOCAL = "iseq ${platform} efi && exit 1 ||\nsanboot --no-describe --drive 0x80 || exit 1\n"


@pytest.fixture
def armed(tmp_path: Path) -> None:
    make_rack(2)
    make_profile(tmp_path / "media", kernel_arguments=["quiet", "owner={{ node.name }}"])
    ok("arm", nodes=["rack1"], profile="lab")


def boot(mac: str | None = MAC, uuid: str | None = None) -> str:
    with store("hub") as opened:
        return requests.boot_script(opened, HUB, mac, uuid)


def token(script: str) -> str:
    found = re.search(r"/deploy/r1n\d\d/([A-Za-z0-9_-]{43})/answer", script)
    assert found, script
    return found[1]


def answer(node: str, shown: str) -> str:
    with store("hub") as opened:
        return requests.answer_file(opened, HUB, node, shown)


def report(node: str, shown: str, state: str, percent: int | None = None, message: str | None = None) -> str:
    """As the hub does it: what is refused is recorded all the same."""
    with store("hub") as opened:
        try:
            return requests.report(opened, node, shown, Report(State(state), percent, message))
        except Refused as exc:
            return str(exc.status)


def latest(node: str = "r1n01") -> Deployment:
    with store() as opened:
        return Deployments(opened).latest([node])[node]


def timeline(number: int = 1) -> list[tuple[str, str]]:
    with store() as opened:
        return [(entry["stage"], entry["detail"]) for entry in Deployments(opened).timeline(number)]


def test_the_whole_way(armed: None) -> None:
    script = boot()
    key = token(script)
    media, mine = "http://10.1.0.1:8480/media/lab", f"http://10.1.0.1:8480/deploy/r1n01/{key}"
    assert script == (
        "#!ipxe\n# stage0.metal: r1n01: install lab, deployment 1\n"
        f"kernel --name vmlinuz {media}/vmlinuz initrd=initrd.gz ks={mine}/answer quiet owner=r1n01 "
        "BOOTIF=01-52-54-00-01-00-01\n"
        f"initrd --name initrd.gz {media}/initrd.gz\nboot\n"
    )
    assert latest().state is State.BOOTING
    text = answer("r1n01", key)
    assert text == f"hostname r1n01\ndisk first\nimage {media}/disk.img.gz\nreport {mine}/report\n"
    assert latest().state is State.INSTALLING
    assert report("r1n01", key, "installing", 40, "copying") == "accepted"
    assert (latest().percent, latest().message) == (40, "copying")
    assert report("r1n01", key, "installed") == "accepted"
    assert (latest().state, latest().percent) == (State.INSTALLED, 100)
    assert boot().endswith(LOCAL)
    assert report("r1n01", key, "ready") == "accepted"
    assert latest().state is State.READY
    assert boot().endswith(LOCAL)
    assert timeline() == [
        ("armed", "profile lab"),
        ("booting", "boot script served, number 1"),
        ("installing", "answer file fetched"),
        ("progress", "40 % copying"),
        ("installed", "reported by the node"),
        ("boot script", "boot from disk"),
        ("ready", "reported by the node"),
        ("boot script", "boot from disk"),
    ]
    assert latest("r1n02").state is State.ARMED


@pytest.mark.parametrize(
    ("mac", "uuid"),
    [
        ("52-54-00-01-00-01", None),
        ("525400010001", None),
        ("52:54:00:01:00:01".upper(), "not-a-uuid"),
        (None, "11112222-3333-4444-5555-666600000001"),
        ("02:00:00:00:00:09", "11112222-3333-4444-5555-666600000001".upper()),
        ("garbage", "11112222-3333-4444-5555-666600000001"),
    ],
)
def test_a_node_is_known_by_mac_or_uuid(armed: None, mac: str | None, uuid: str | None) -> None:
    assert "/deploy/r1n01/" in boot(mac, uuid)


@pytest.mark.parametrize("mac", [None, "", "02:00:00:00:00:09", "x" * 2000, "${net0/mac}", "a\nb"])
def test_an_unknown_machine_boots_its_disk(armed: None, mac: str | None) -> None:
    script = boot(mac)
    assert script.startswith("#!ipxe\n# stage0.metal: this machine is not in the node database\n")
    assert script.endswith(LOCAL)
    assert latest().state is State.ARMED


def test_a_node_with_nothing_armed_boots_its_disk() -> None:
    make_rack(1)
    assert boot().startswith("#!ipxe\n# stage0.metal: r1n01: nothing is armed\n")
    assert boot().endswith(LOCAL)


@pytest.mark.parametrize("how", ["cancelled", "failed", "expired", "installed", "ready"])
def test_what_is_over_boots_its_disk(armed: None, how: str) -> None:
    with store() as opened:
        Deployments(opened).update(Deployments(opened).latest(["r1n01"])["r1n01"], state=how)
    assert boot().startswith(f"#!ipxe\n# stage0.metal: r1n01: deployment 1 is {how}\n")
    assert boot().endswith(LOCAL)
    assert latest().state == how


def test_each_boot_script_makes_a_new_token_and_ends_the_old(armed: None) -> None:
    first, second = token(boot()), token(boot())
    assert first != second
    assert (latest().state, latest().boots) == (State.BOOTING, 2)
    assert report("r1n01", first, "installing") == "403"
    assert report("r1n01", second, "installing") == "accepted"
    assert timeline()[-2:] == [
        ("refused", "a token that is not this node's was shown for report"),
        ("installing", "reported by the node"),
    ]
    refusals = [event for event in events("r1n01") if event["what"] == "token refused"]
    assert len(refusals) == 1
    with store() as opened:
        written = repr(
            [row for table in opened.t.metadata.sorted_tables for row in opened.connection.execute(table.select())]
        )
    assert second not in written
    assert tokens.hashed(second) in written


def test_a_reboot_in_mid_install_fails_and_boots_the_disk(armed: None) -> None:
    key = token(boot())
    answer("r1n01", key)
    assert boot().endswith(LOCAL)
    assert latest().state is State.FAILED
    assert (latest().message or "").startswith("the machine rebooted in mid-install and asked for its boot script")
    assert boot().endswith(LOCAL)
    assert report("r1n01", key, "installed") == "410"


def test_a_boot_loop_ends(armed: None) -> None:
    for number in range(3):
        assert "/deploy/r1n01/" in boot()
        assert latest().boots == number + 1
    script = boot()
    assert script.startswith("#!ipxe\n# stage0.metal: r1n01: given up after 3 boots\n")
    assert script.endswith(LOCAL)
    assert latest().message == (
        "the boot script was served 3 times and no installer came up; look at the machine's console"
    )


def test_a_boot_script_that_cannot_be_made_boots_the_disk(armed: None, tmp_path: Path) -> None:
    make_profile(tmp_path / "media", kernel_arguments=["a={{ node.site.x }}"])
    ok("node", name="r1n01", attributes={"site.x": "fine"})
    ok("arm", nodes=["r1n01"], profile="lab")
    ok("node", name="r1n01", attributes={"site.x": "${{net0/mac}}"})
    assert boot().endswith(LOCAL)
    assert latest().state is State.FAILED
    message = latest().message or ""
    assert message.startswith("the boot script cannot be made: 'a=${net0/mac}' cannot stand in an iPXE script")


# -- tokens --------------------------------------------------------------------------------------------------------


def test_a_token_of_another_node_is_refused_and_recorded(armed: None) -> None:
    other = token(boot("52:54:00:01:00:02"))
    boot()
    before = latest()
    assert report("r1n01", other, "ready") == "403"
    assert latest() == before
    assert timeline()[-1] == ("refused", "a token that is not this node's was shown for report")
    last = events("r1n01")[-1]
    assert (last["what"], last["who"]) == ("token refused", "hub")
    assert other not in repr(events())


@pytest.mark.parametrize("node", ["r1n01", "nobody"])
def test_without_a_boot_there_is_no_token(armed: None, node: str) -> None:
    assert report(node, "0" * 43, "installing") == "403"
    with store("hub") as opened, pytest.raises(Refused) as caught:
        requests.answer_file(opened, HUB, node, "")
    assert caught.value.status == 403


@pytest.mark.parametrize("state", ["installed", "ready", "failed", "cancelled", "expired"])
def test_an_answer_file_is_served_no_longer_than_it_is_needed(armed: None, state: str) -> None:
    key = token(boot())
    with store() as opened:
        Deployments(opened).update(Deployments(opened).latest(["r1n01"])["r1n01"], state=state)
    with store("hub") as opened:
        with pytest.raises(Refused) as caught:
            requests.answer_file(opened, HUB, "r1n01", key)
        assert caught.value.status == 410
        assert str(caught.value) == f"deployment 1 is {state}; this token is no longer good for answer"
    assert timeline()[-1] == ("refused", str(caught.value))


def test_an_installer_may_fetch_its_answer_file_again(armed: None) -> None:
    key = token(boot())
    assert answer("r1n01", key) == answer("r1n01", key)
    assert timeline()[-1] == ("answer file", "fetched again")


def test_late_reports_of_what_is_over_are_refused_as_such(armed: None) -> None:
    key = token(boot())
    ok("arm", nodes=["r1n01"], state="disarmed")
    assert report("r1n01", key, "installed") == "410"
    assert latest().state is State.CANCELLED
    assert timeline()[-1] == ("refused", "deployment 1 is cancelled; this token is no longer good for report")


def test_a_token_of_an_earlier_deployment_opens_nothing(armed: None) -> None:
    key = token(boot())
    ok("arm", nodes=["r1n01"], state="disarmed")
    ok("arm", nodes=["r1n01"], profile="lab")
    assert report("r1n01", key, "installed") == "403"
    assert latest().state is State.ARMED


def test_the_loader_configuration_is_not_for_every_installer(armed: None) -> None:
    key = token(boot())
    with store("hub") as opened, pytest.raises(MetalError, match="the installer lab has no boot configuration"):
        requests.boot_config(opened, HUB, "r1n01", key)


def test_a_token_stands_in_no_error(armed: None, tmp_path: Path) -> None:
    make_profile(tmp_path / "media", answer="report {{ hub.report_url }}{{ node.site.x }}\n" + LAB_ANSWER)
    ok("node", name="r1n01", attributes={"site.x": "/report"})
    refused("arm", nodes=["r1n01"], profile="lab")
    make_profile(tmp_path / "media", answer=LAB_ANSWER.replace("hub.report_url", "hub.report_url ~ node.site.x"))
    ok("arm", nodes=["r1n01"], profile="lab")
    ok("node", name="r1n01", attributes={"site.x": "?"})
    key = token(boot())
    with store("hub") as opened, pytest.raises(MetalError, match="/deploy/r1n01/TOKEN/report") as caught:
        requests.answer_file(opened, HUB, "r1n01", key)
    assert caught.value.node == "r1n01"
    assert key not in repr(caught.value)


# -- reports -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["armed", "booting", "expired", "cancelled"])
def test_what_a_node_cannot_say_of_itself(armed: None, state: str) -> None:
    assert report("r1n01", token(boot()), state) == "400"
    assert latest().state is State.BOOTING


def test_replays_are_answered_and_ignored(armed: None) -> None:
    key = token(boot())
    answer("r1n01", key)
    assert report("r1n01", key, "installed") == "accepted"
    before = latest()
    for state in ("installed", "installing"):
        assert report("r1n01", key, state) == "ignored"
        assert timeline()[-1] == ("ignored", f"{state} reported while installed")
    assert latest() == before
    assert report("r1n01", key, "ready") == "accepted"
    assert report("r1n01", key, "ready") == "ignored"
    assert report("r1n01", key, "failed") == "410"
    assert latest().state is State.READY


def test_a_node_that_says_that_it_failed(armed: None) -> None:
    key = token(boot())
    answer("r1n01", key)
    assert report("r1n01", key, "failed", message="no disk found") == "accepted"
    assert (latest().state, latest().message) == (State.FAILED, "no disk found")
    assert report("r1n01", key, "failed", message="again") == "ignored"
    assert latest().message == "no disk found"
    assert report("r1n01", key, "installed") == "410"


def test_ready_before_installed(armed: None) -> None:
    key = token(boot())
    assert report("r1n01", key, "ready") == "ignored"  # nothing was installed yet
    answer("r1n01", key)
    assert report("r1n01", key, "ready") == "accepted"  # the report of the installer was lost


def test_progress_grows_and_moves_the_deadline(armed: None) -> None:
    key = token(boot())
    answer("r1n01", key)
    with store() as opened:
        Deployments(opened).update(Deployments(opened).latest(["r1n01"])["r1n01"], deadline=9e9)
    assert report("r1n01", key, "installing", 50) == "accepted"
    moved = latest()
    assert moved.deadline == pytest.approx(moved.heard_at + 3600, abs=5)
    with store() as opened:
        Deployments(opened).update(moved, deadline=9e9)
    assert report("r1n01", key, "installing", 50, "still at it") == "accepted"
    assert (latest().deadline, latest().percent, latest().message) == (9e9, 50, "still at it")
    assert report("r1n01", key, "installing", 40) == "ignored"
    assert latest().percent == 50
    assert timeline()[-1] == ("ignored", "40 % reported after 50 %")
    assert report("r1n01", key, "installing") == "accepted"
    assert (latest().deadline, latest().percent) == (9e9, 50)


def test_a_long_message_is_cut(armed: None) -> None:
    key = token(boot())
    report("r1n01", key, "installing", message="x" * 5000)
    assert latest().message == "x" * requests.MAX_MESSAGE
    report("r1n01", key, "installing", message="y" * 5000)
    assert all(len(detail) <= requests.MAX_MESSAGE for _stage, detail in timeline())


def test_tokens() -> None:
    made = {tokens.new() for _number in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", one) for one in made)
    one = made.pop()
    assert tokens.fits(one, tokens.hashed(one))
    kept: list[Any] = [None, "", one, tokens.hashed(made.pop())]
    assert not any(tokens.fits(one, value) for value in kept)
