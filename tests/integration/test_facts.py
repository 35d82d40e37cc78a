# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""sensors_info, event_log and bios_inventory on the simulator's three machine models, beside ipmitool and FreeIPMI.

Their examples and how-tos run.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stage0.metal.plugins.modules import bios_inventory, event_log, sensors_info
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import RackProcess

from tests.gates.snippets import markdown_blocks
from tests.integration.site import ROOT, Site, names, rack

NODES = 3
"""One of each model."""
Place = tuple[Site, RackProcess]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    site = Site(tmp_path_factory.mktemp("facts"))
    with rack(site, 33, NODES, "--powered") as running:
        yield site, running


def good(site: Site, called: str, check: bool = False, /, **arguments: Any) -> dict[str, Any]:
    """Run a module that has to succeed."""
    result = site.module(called, check, nodes=["rack1"], **arguments)
    assert not result.get("failed"), result
    return result


def said(program: str, running: RackProcess, node: str, *arguments: str) -> str:
    """What ipmitool, or a program of FreeIPMI's, says to a node's BMC."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    assert path, f"{program} is not installed: run make apt as root"
    host, port = running.state()["nodes"][node]["bmc"].rsplit(":", 1)
    if program == "ipmitool":
        command = [path, "-I", "lanplus", "-H", host, "-p", port, "-U", "admin", "-P", "secret", *arguments]
    else:
        command = [path, "-D", "LAN_2_0", "-u", "admin", "-p", "secret", "-h", f"{host}:{port}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


THRESHOLDS = ("lower_non_recoverable", "lower_critical", "lower_non_critical", "upper_non_critical", "upper_critical")

FALLING = {"lower_non_critical": "upper_non_critical", "upper_non_critical": "lower_non_critical"}


def number(text: str) -> float | None:
    """A number in a table of theirs."""
    return None if text in ("N/A", "na") else float(text)


def test_sensors_as_freeipmi_reads_them(place: Place, tmp_path: Path) -> None:
    site, running = place
    found = good(site, "sensors_info")
    assert found["health"]["critical"] == "n02"  # a drive of that model has a fault
    cache = ("--sdr-cache-directory", str(tmp_path), "--quiet-cache", "--shared-sensors", "--bridge-sensors")
    shown = ("--output-sensor-thresholds", "--output-sensor-state", "--comma-separated-output", "--no-header-output")
    for node in names(NODES):
        theirs = list(csv.reader(said("ipmi-sensors", running, node, *cache, *shown).splitlines()))
        ours = found["nodes"][node]["sensors"]
        assert len(ours) == len(theirs)
        for mine, (_record, name, _kind, state, reading, _unit, *limits, _event) in zip(ours, theirs, strict=True):
            assert mine["name"].startswith(name.rstrip("0123456789 "))
            assert mine["available"] is (state != "N/A")
            if reading != "N/A":
                assert mine["value"] == pytest.approx(float(reading), abs=0.006)
                assert (mine["health"], state) in (("ok", "Nominal"), ("warning", "Warning"), ("critical", "Critical"))
            # 1/x: BMCs compare raw readings (36.5), so that a lower limit is an upper one; FreeIPMI leaves the names
            columns = THRESHOLDS if name != "Blower" else tuple(FALLING.get(key, key) for key in THRESHOLDS)
            for key, limit in zip(columns, limits, strict=False):
                assert mine["thresholds"].get(key) == pytest.approx(number(limit), abs=0.006), (node, name, key)


def test_inventory_as_ipmitool_reads_it(place: Place) -> None:
    site, running = place
    found = good(site, "bios_inventory")
    for node in names(NODES):
        text = said("ipmitool", running, node, "fru", "print", "0")
        theirs = dict(re.findall(r"^ ?([A-Z][\w ]+?) +: (.*?) *$", text, re.MULTILINE))
        ours = found["nodes"][node]["inventory"]
        assert ours["board"]["serial"] == theirs["Board Serial"]
        assert ours["board"]["part_number"] == theirs["Board Part Number"]
        assert ours["product"]["serial"] == theirs["Product Serial"]
        assert (ours["chassis"] or {}).get("serial") == theirs.get("Chassis Serial")
        info = said("ipmitool", running, node, "mc", "info")
        assert re.findall(r"Firmware Revision +: (\S+)", info) == [ours["controller"]["firmware"]]
        assert found["nodes"][node]["warnings"] == []
        assert found["nodes"][node]["identity"]["uuid"] == ours["uuid"]
        assert found["nodes"][node]["identity"]["serial"] == ours["serial"]


def test_inventory_is_kept(place: Place) -> None:
    site, _running = place
    check = good(site, "bios_inventory", True, store=True)
    assert good(site, "bios_inventory", read=False)["nodes"]["n01"]["inventory"] is None
    real = good(site, "bios_inventory", store=True)
    assert check["changed"] is real["changed"] is True
    assert good(site, "bios_inventory", store=True)["changed"] is False
    kept = good(site, "bios_inventory", read=False, history=5)["nodes"]["n01"]
    assert kept["inventory"] == real["nodes"]["n01"]["inventory"] == kept["history"][0]["inventory"]
    assert len(kept["history"]) == 1


def test_event_log_as_ipmitool_reads_it_and_cleared(place: Place, tmp_path: Path) -> None:
    site, running = place
    assert good(site, "power", state="reset")["changed"]
    found = good(site, "event_log")
    for node in names(NODES):
        theirs = [line.split("|") for line in said("ipmitool", running, node, "sel", "list").splitlines()]
        ours = found["nodes"][node]["entries"]
        assert [entry["id"] for entry in ours] == [int(row[0], 16) for row in theirs]
        assert len(ours) > 0
        assert abs(found["nodes"][node]["clock_offset"]) < 5
    check = good(site, "event_log", True, save=str(tmp_path), clear=True)
    real = good(site, "event_log", save=str(tmp_path), clear=True)
    for node in names(NODES):
        assert check["nodes"][node]["cleared"] == real["nodes"][node]["cleared"] > 0
        lines = (tmp_path / f"{node}.jsonl").read_text(encoding="utf-8").splitlines()
        assert sum("raw" in json.loads(line) for line in lines) == real["nodes"][node]["saved"]
        left = good(site, "event_log")["nodes"][node]["entries"]
        assert all(entry["housekeeping"] for entry in left)
        assert len(said("ipmitool", running, node, "sel", "list").splitlines()) == len(left)
    assert good(site, "event_log", save=str(tmp_path), clear=True)["changed"] is False


def play(site: Site, folder: Path, plays: list[dict[str, Any]], everybody: str = "all,-n02") -> None:
    """Run plays, which must succeed, with ``everybody`` for all nodes; what they assert is not true of n02."""
    text = json.dumps(plays).replace("/var/log/bmc", str(folder)).replace("r1n07", "n01")
    path = folder / "play.yml"
    path.write_text(text.replace('"nodes": "all"', f'"nodes": "{everybody}"'))
    done = site.playbook(name=str(path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", [sensors_info, event_log, bios_inventory])
def test_the_examples_run(place: Place, tmp_path: Path, module: Any) -> None:
    tasks = yaml.safe_load(module.EXAMPLES)
    play(place[0], tmp_path, [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}])


@pytest.mark.parametrize("guide", ["sensors", "event-log", "hardware-inventory"])
def test_the_plays_run(place: Place, tmp_path: Path, guide: str) -> None:
    text = (ROOT / "docs" / "howto" / f"{guide}.md").read_text(encoding="utf-8")
    blocks = [block for block in markdown_blocks(guide, text) if block.language == "yaml"]
    play(place[0], tmp_path, [one for block in blocks for one in yaml.safe_load(block.text)])


def test_an_assertion_that_is_not_true_fails(place: Place, tmp_path: Path) -> None:
    tasks = yaml.safe_load(sensors_info.EXAMPLES)
    with pytest.raises(AssertionError, match="critical: n02"):
        play(place[0], tmp_path, [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}], everybody="all")
