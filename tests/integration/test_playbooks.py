# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbooks power and sensors as users run them, and tasks in plays over the nodes, on a simulated rack."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import RackProcess

from tests.integration.site import ROOT, Site, names, rack, wait_for

NODES = 6
RECAP = re.compile(
    r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=\d+\s+failed=(\d+)\s+skipped=(\d+)", re.MULTILINE
)
BATCH = """
- hosts: all
  gather_facts: false
  tasks:
    - name: The whole batch
      stage0.metal.power:
        nodes: "{{ ansible_play_batch }}"
        state: "{{ state }}"
      register: outcome
      run_once: "{{ once | default(false) | bool }}"
      delegate_to: localhost

    - name: One by one
      stage0.metal.power_info:
        nodes: "{{ inventory_hostname }}"
      register: found
      delegate_to: localhost

    - name: Each has its own
      ansible.builtin.assert:
        that: found.nodes[inventory_hostname].power == state
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, RackProcess]]:
    site = Site(tmp_path_factory.mktemp("playbooks"))
    with rack(site, 31, NODES) as running:
        (site.folder / "hosts").write_text("\n".join(names(NODES)))
        (site.folder / "batch.yml").write_text(BATCH)
        yield site, running


def recap(output: str) -> dict[str, tuple[int, ...]]:
    """Host to its numbers of ok, changed, failed and skipped."""
    return {found[1]: tuple(int(found[number]) for number in range(2, 6)) for found in RECAP.finditer(output)}


def powered(running: RackProcess) -> dict[str, str]:
    return {name: node["power"] for name, node in running.state()["nodes"].items()}


def commands(running: RackProcess) -> int:
    """How many chassis commands all BMCs have carried out."""
    nodes = running.state()["nodes"].values()
    return sum(node["counters"]["commands"].get("chassis_control", 0) for node in nodes)


def test_the_power_playbook(place: tuple[Site, RackProcess]) -> None:
    site, running = place

    def run(*more: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        given = json.dumps({"metal_nodes": "rack1", **variables})
        return site.playbook("-e", given, *more, name="stage0.metal.power")

    check = run("--check", metal_state="on")
    assert recap(check.stdout)["localhost"][1:3] == (1, 0), check.stdout
    assert set(powered(running).values()) == {"off"}
    real = run(metal_state=True, metal_stagger_count=4, metal_stagger_interval=0.5)
    assert recap(real.stdout)["localhost"][1:3] == (1, 0), real.stdout
    assert set(powered(running).values()) == {"on"}
    again = run(metal_state="on")
    assert recap(again.stdout)["localhost"][1:3] == (0, 0), again.stdout
    running.set_fault("n02", "wrong_password")
    failed = run(metal_state="off")
    running.clear_fault("n02")
    assert failed.returncode
    assert (
        "1 of 6 nodes failed, n02: n02: the BMC refuses the password of user 'admin'" in failed.stdout + failed.stderr
    )
    assert powered(running) == {**dict.fromkeys(names(NODES), "off"), "n02": "on"}
    said = run().stdout + run().stderr
    assert "Say which nodes and what to do, as in: -e metal_nodes=rack1 -e metal_state=on" in said


UNREADABLE = {
    "power": {
        "max_nodes": "two",
        "wait": "maybe",
        "wait_timeout": "abc",
        "timeout": "soon",
        "deadline": "15m",
        "stagger_count": "ten",
    },
    "sensors": {"max_nodes": "two", "timeout": "soon", "deadline": "15m"},
}


@pytest.mark.parametrize("playbook", UNREADABLE)
def test_what_cannot_be_read_is_refused(place: tuple[Site, RackProcess], playbook: str) -> None:
    site, running = place
    before, wrong = commands(running), UNREADABLE[playbook]
    given = {"metal_nodes": "rack1", "metal_state": "reset", **{f"metal_{name}": wrong[name] for name in wrong}}
    done = site.playbook("-e", json.dumps(given), name=f"stage0.metal.{playbook}")
    assert done.returncode
    said = " ".join((done.stdout + done.stderr).split())
    for name in wrong:
        option = name.removeprefix("stagger_")
        assert re.search(rf"argument '{option}' is of type .*unable to convert", said), f"{name}: {said}"
    assert commands(running) == before


def test_empty_answers_of_a_survey_are_left_out(place: tuple[Site, RackProcess]) -> None:
    site, _running = place
    more = ("wait", "wait_timeout", "force", "stagger_count", "stagger_per")
    both = ("timeout", "deadline", "max_failed", "max_nodes", "detail", "kinds")
    empty = {f"metal_{name}": "" for name in (*both, *more)}
    for playbook in ("power", "sensors"):
        given = json.dumps({"metal_nodes": "n03", "metal_state": "on", "metal_worst": "never", **empty})
        done = site.playbook("-e", given, name=f"stage0.metal.{playbook}")
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_dead_bmc_hides_no_sick_one(place: tuple[Site, RackProcess]) -> None:
    site, running = place
    running.set_fault("n01", "hot")
    running.set_fault("n02", "wrong_password")
    try:
        given = json.dumps({"metal_nodes": "n01,n02", "metal_kinds": "temperature"})
        done = site.playbook("-e", given, name="stage0.metal.sensors")
    finally:
        running.clear_fault("n01")
        running.clear_fault("n02")
    said = done.stdout + done.stderr
    assert done.returncode
    listed, outcome = said.index("TASK [What is not well]"), said.index("TASK [The outcome]")
    assert "n01: " in said[listed:outcome]
    assert "TASK [The outcome for a workflow's next step]" in said[listed:outcome]
    assert re.search("1 of 2 nodes failed, n02: .*; Not well: n01", said[outcome:])


SAYS = """
from ansible.plugins.action import ActionBase

EVIL = "{{ lookup('pipe', 'touch ' ~ playbook_dir ~ '/taken') }}"
SENSOR = {"name": EVIL, "health": "critical", "value": None, "unit": EVIL, "states": [EVIL, "{{ 6 * 7 }}"]}


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        nodes = {"n01": {"health": "critical", "sensors": [SENSOR]}}
        health = {"critical": "n01", "warning": "", "ok": ""}
        return {"failed": True, "msg": f"n02: {EVIL}", "nodes": nodes, "health": health}
"""


def test_what_bmcs_say_is_no_template(place: tuple[Site, RackProcess], tmp_path: Path) -> None:
    """Names of sensors come from BMCs."""
    site, _running = place
    (tmp_path / "action_plugins").mkdir()
    (tmp_path / "action_plugins" / "says.py").write_text(SAYS)
    play = (ROOT / "playbooks" / "sensors.yml").read_text().replace("stage0.metal.sensors_info:", "says:")
    (tmp_path / "sensors.yml").write_text(play)
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "says.py").write_text("")
    done = site.playbook("-e", "metal_nodes=n01", name=str(tmp_path / "sensors.yml"))
    assert "Not well: n01" in done.stdout + done.stderr
    assert "n01: {{ lookup('pipe'" in done.stdout
    assert "{{ 6 * 7 }}" in done.stdout
    assert not (tmp_path / "taken").exists()


def test_the_sensors_playbook(place: tuple[Site, RackProcess]) -> None:
    site, running = place

    def run(**variables: Any) -> str:
        done = site.playbook("-e", json.dumps({"metal_nodes": "n01", **variables}), name="stage0.metal.sensors")
        return f"{done.returncode} {done.stdout}{done.stderr}"

    assert run(metal_kinds="temperature").startswith("0 ")
    assert run(metal_kinds="").startswith("0 ")
    running.set_fault("n01", "hot")
    try:
        said = run(metal_kinds=["temperature"])
        assert said.startswith("2 ")
        assert "Not well: n01" in said
        assert "critical" in said
        assert run(metal_kinds=["temperature"], metal_worst="never").startswith("0 ")
    finally:
        running.clear_fault("n01")


@pytest.mark.parametrize(("once", "warned"), [(False, True), (True, False)])
def test_a_task_that_names_the_whole_batch_runs_once(place: tuple[Site, RackProcess], once: bool, warned: bool) -> None:
    site, running = place
    state = "off" if once else "on"
    site.module("power", nodes=["rack1"], state="on" if once else "off")
    before = commands(running)
    done = site.playbook(
        "-i",
        str(site.folder / "hosts"),
        "-e",
        f"state={state}",
        "-e",
        f"once={once}",
        name=str(site.folder / "batch.yml"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert powered(running) == dict.fromkeys(names(NODES), state)
    assert commands(running) == before + NODES
    hosts = recap(done.stdout)
    assert len(hosts) == NODES
    assert sum(host[3] for host in hosts.values()) == (NODES - 1 if warned else 0), "skipped"
    said = "say run_once: true and it runs once without this warning" in done.stdout + done.stderr
    assert said is warned


@pytest.mark.parametrize("forks", [1, 5])
def test_a_batch_whose_task_fails_is_not_run_again_for_the_next_host(
    place: tuple[Site, RackProcess], forks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that failed leaves the batch, and with it the nodes that the next host means."""
    site, running = place
    site.module("power", nodes=["rack1"], state="on")
    monkeypatch.setitem(site.environment, "ANSIBLE_FORKS", str(forks))
    running.set_fault("n06", "dead")
    before = commands(running)
    try:
        done = site.playbook("-i", str(site.folder / "hosts"), "-e", "state=reset", name=str(site.folder / "batch.yml"))
    finally:
        running.clear_fault("n06")
    assert done.returncode
    assert "n06: no answer from the BMC" in done.stdout + done.stderr
    assert commands(running) == before + NODES - 1


def test_an_end_by_a_signal_closes_the_sessions(place: tuple[Site, RackProcess], tmp_path: Path) -> None:
    site, running = place
    for name in names(NODES):
        running.set_fault(name, "slow:0.4")
    play = tmp_path / "wait.yml"
    play.write_text(
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - stage0.metal.power_info:\n        nodes: rack1\n"
    )
    process = site.start_playbook(name=str(play))
    try:
        end = time.monotonic() + 30
        while not sum(node["counters"]["sessions_open"] for node in running.state()["nodes"].values()):
            assert time.monotonic() < end, (site.folder / "playbook.log").read_text()
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        for name in names(NODES):
            running.clear_fault(name)

    def closed() -> bool:
        nodes = running.state()["nodes"].values()
        assert sum(node["counters"]["sessions_expired"] for node in nodes) == 0
        return not any(node["counters"]["sessions_open"] for node in nodes)

    wait_for(closed, "sessions are open still", 15.0)  # the worker may outlive the playbook by the time of its farewell
