# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbook stage0.metal.provision over simulated racks: the whole way, again, killed, with faults, in check mode."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

from tests.integration.site import ROOT, Site, installs, lab_profile, names, rack, recap, wait_for
from tests.integration.test_esxi import HASH
from tests.integration.test_esxi import media as esxi_media

RANGE = "metal_nodes=rack1"


def provision(site: Site, *more: str) -> tuple[str, int]:
    done = site.playbook("-e", RANGE, "-e", "metal_profile=lab", "-e", "metal_poll=1", *more)
    return done.stdout + done.stderr, done.returncode


def test_a_rack_is_installed_once_and_then_left_alone(site: Site) -> None:
    with rack(site, 20, 4) as running:
        lab_profile(site)
        before, status = provision(site, "--check")
        assert status == 0, before
        assert set(site.states().values()) == {"none"}, "check mode armed a node"
        said, status = provision(site)
        assert status == 0, said
        assert site.states() == dict.fromkeys(names(4), "ready")
        assert installs(running) == dict.fromkeys(names(4), 1)
        assert {host: found["failed"] for host, found in recap(said).items()} == dict.fromkeys(
            ["localhost", *names(4)], 0
        )
        assert "4 of 4 over: 4 ready" in said
        stages = site.timeline("n01")
        expected = ["armed", "boot device", "power", "booting", "installing", "installed", "ready"]
        assert [stage for stage in stages if stage in expected] == expected
        power = {name: node["boots"] for name, node in running.state()["nodes"].items()}
        again, status = provision(site)
        assert status == 0, again
        assert sum(found["changed"] for found in recap(again).values()) == 0, again
        assert {name: node["boots"] for name, node in running.state()["nodes"].items()} == power, (
            "a machine was touched"
        )
        cycled = site.module("power", nodes=["rack1"], state="cycle")
        assert not cycled.get("failed"), cycled
        wait_for(lambda: all(node["boots"] > power[name] for name, node in running.state()["nodes"].items()), "a boot")
        assert installs(running) == dict.fromkeys(names(4), 1)


def test_faulty_nodes_are_named_with_their_reason_and_the_others_install(site: Site) -> None:
    faults = ["n01=dead", "n02=wrong_password", "n03=installer_hangs", "n04=reboot_loop", "n05=power_stuck"]
    with rack(site, 21, 6, *(word for fault in faults for word in ("--fault", fault))) as running:
        lab_profile(site, deadlines={"installing": 6, "booting": 20})
        said, status = provision(site, "-e", "metal_power_timeout=5")
        assert status != 0
        states = site.states()
        assert states == {**dict.fromkeys(names(5), "failed"), "n06": "ready"}, said
        reasons = {name: found["message"] for name, found in site.nodes().items()}
        assert "no answer from the BMC at" in reasons["n01"]
        assert "is it cabled and powered" in reasons["n01"]
        assert "refuses the password of user 'admin'" in reasons["n02"]
        assert "did not say that it finished" in reasons["n03"]
        assert "rebooted in mid-install" in reasons["n04"]
        assert "not on after" in reasons["n05"]
        for name in names(5):
            assert f"{name}: deployment" in said, f"{name} is not named"
            assert recap(said)[name]["failed"] == 1
        assert recap(said)["n06"]["failed"] == 0
        assert installs(running)["n04"] == 1, "the machine that reboots in mid-install installed in a loop"
        tolerated, status = provision(site, "-e", "metal_nodes=n01,n06", "-e", "metal_max_failed=50%")
        assert status == 0, tolerated
        assert recap(tolerated)["n01"]["rescued"] == 1


def test_the_install_goes_on_when_the_hub_is_killed_and_started_again(site: Site) -> None:
    with rack(site, 22, 3, "--install-seconds", "5") as running:
        lab_profile(site)
        player = site.start_playbook("-e", RANGE, "-e", "metal_profile=lab")
        wait_for(lambda: set(site.states().values()) == {"installing"}, "all installers run")
        site.stop_hub(signal.SIGKILL)
        wait_for(
            lambda: {node["percent"] for node in running.state()["nodes"].values()} != {0}, "installers go on alone"
        )
        site.start_hub()
        assert player.wait(120) == 0, (site.folder / "playbook.log").read_text()
        assert site.states() == dict.fromkeys(names(3), "ready")
        assert installs(running) == dict.fromkeys(names(3), 1)


def test_a_killed_playbook_goes_on_where_things_are_when_it_is_run_again(site: Site) -> None:
    with rack(site, 23, 3, "--install-seconds", "4") as running:
        lab_profile(site)
        player = site.start_playbook("-e", RANGE, "-e", "metal_profile=lab")
        wait_for(lambda: "installing" in site.states().values(), "an installer runs")
        os.killpg(player.pid, signal.SIGKILL)
        player.wait(20)
        said, status = provision(site)
        assert status == 0, said
        assert site.states() == dict.fromkeys(names(3), "ready")
        assert installs(running) == dict.fromkeys(names(3), 1), "a node was installed twice"


def test_a_playbook_killed_between_arming_and_power_boots_the_rest(site: Site) -> None:
    with rack(site, 24, 3) as running:
        lab_profile(site)
        armed = site.module("arm", nodes=["rack1"], profile="lab")
        assert armed["armed_nodes"] == names(3)
        assert not site.module("power", nodes=["n01"], state="on").get("failed")
        said, status = provision(site)
        assert status == 0, said
        assert site.states() == dict.fromkeys(names(3), "ready")
        assert max(installs(running).values()) == 1


def test_nothing_is_touched_or_stays_armed_where_no_hub_answers(site: Site) -> None:
    with rack(site, 25, 2) as running:
        lab_profile(site)
        boots = {name: node["boots"] for name, node in running.state()["nodes"].items()}
        refused, status = provision(site, "-e", "metal_max_failed=abc")
        assert status != 0
        assert "max_failed is 'abc', which is neither a count such as 3 nor a percentage such as 2%" in refused
        assert set(site.states().values()) == {"none"}, "armed in spite of a wrong variable"
        site.stop_hub()
        said, status = provision(site)
        assert status != 0
        assert f"The hub at {site.url} does not answer" in said
        site.start_hub()
        assert set(site.states().values()) == {"cancelled"}
        assert {name: node["boots"] for name, node in running.state()["nodes"].items()} == boots, (
            "a machine was touched"
        )
        said, status = provision(site, "-e", '{"metal_max_failed": 2}')
        assert status == 0, said
        assert installs(running) == dict.fromkeys(names(2), 1)


def test_a_database_that_never_had_a_hub_arms_nobody(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert not site.module("node", name="n01", groups=["rack1"], attributes={"net.mac": "52:54:00:00:00:01"})["failed"]
    lab_profile(site)
    said, status = provision(site)
    assert status != 0
    assert "No hub was ever started on this node database" in said
    assert site.module("deployment_info", nodes=["n01"])["nodes"]["n01"]["state"] == "cancelled"


def test_a_reinstallation_that_goes_on_installs_nothing_once_more(site: Site) -> None:
    with rack(site, 26, 2) as running:
        lab_profile(site)
        reinstall = ["-e", "metal_reinstall=true"]
        said, status = provision(site)
        assert status == 0, said
        said, status = provision(site, *reinstall)
        assert status == 0, said
        assert installs(running) == dict.fromkeys(names(2), 2)
        found = re.search(r"metal_reinstall_before=(\d+)", said)
        assert found, said
        again, status = provision(site, *reinstall, "-e", f"metal_reinstall_before={found[1]}")
        assert status == 0, again
        assert installs(running) == dict.fromkeys(names(2), 2)
        assert sum(host["changed"] for host in recap(again).values()) == 0, again


def test_the_quickstart_of_the_readme_installs(site: Site) -> None:
    found = re.search(r"## Quickstart.*?```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found
    text = found[1].replace("/srv/media/esxi8", str(esxi_media(site.folder)))
    described = site.folder / "describe.yml"
    described.write_text(text.replace("path: nodes.csv", f"path: {site.folder / 'nodes.csv'}"))
    with rack(site, 27, 2) as running:
        done = site.playbook("-e", f"root_hash={HASH}", name=str(described))
        assert done.returncode == 0, done.stdout + done.stderr
        done = site.playbook("-e", RANGE, "-e", "metal_profile=esxi8")
        assert done.returncode == 0, done.stdout + done.stderr
        assert site.states() == dict.fromkeys(names(2), "ready")
        assert installs(running) == dict.fromkeys(names(2), 1)


def test_the_playbook_says_what_it_lacks(site: Site) -> None:
    nobody = site.playbook()
    assert "Say which nodes to install" in nobody.stdout + nobody.stderr
    unknown = site.playbook("-e", "metal_nodes=rack9")
    assert "there is no node or group named 'rack9'" in unknown.stdout + unknown.stderr
    assert unknown.returncode != 0
