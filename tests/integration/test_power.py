# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""power and power_info beside ipmitool and FreeIPMI on the simulator, and beside faults. ipmi_sim: see tests/lab."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import RackProcess

from tests.integration.site import Site, names, rack, wait_for

NODES = 9


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, RackProcess]]:
    site = Site(tmp_path_factory.mktemp("power"))
    with rack(site, 30, NODES) as running:
        yield site, running


def tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    assert found, f"{name} is not installed: run make apt as root"
    return found


def others_say(running: RackProcess) -> dict[str, dict[str, str]]:
    """Node to its power state, by ipmitool and by FreeIPMI's ipmipower."""
    found: dict[str, dict[str, str]] = {}
    for name, node in running.state()["nodes"].items():
        host, port = node["bmc"].split(":")
        common = ["-H", host, "-p", port, "-U", "admin", "-P", "secret"]
        said = subprocess.run(
            [tool("ipmitool"), "-I", "lanplus", *common, "chassis", "power", "status"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        flags = ["-D", "LAN_2_0", "-I", "17", "-u", "admin", "-p", "secret", "-h", f"{host}:{port}", "--stat"]
        free = subprocess.run([tool("ipmipower"), *flags], capture_output=True, text=True, check=True).stdout
        found[name] = {"ipmitool": said.split()[-1], "ipmipower": free.split()[-1]}
    return found


def ours(site: Site) -> dict[str, str]:
    result = site.module("power_info", nodes=["rack1"])
    assert not result.get("failed"), result
    return {name: node["power"] for name, node in result["nodes"].items()}


def test_three_clients_agree_before_and_after_power(place: tuple[Site, RackProcess]) -> None:
    site, running = place

    def agree(expected: dict[str, str]) -> None:
        assert ours(site) == expected
        assert others_say(running) == {
            name: dict.fromkeys(("ipmitool", "ipmipower"), state) for name, state in expected.items()
        }

    off = dict.fromkeys(names(NODES), "off")
    assert not site.module("power", nodes=["rack1"], state="off").get("failed")
    agree(off)
    check = site.module("power", True, nodes=["n[01-03]"], state="on")
    assert check["changed"]
    agree(off)
    real = site.module("power", nodes=["n[01-03]"], state="on")
    assert real["changed"]
    assert real["summary"]["ok_range"] == "n[01-03]"
    agree({**off, "n01": "on", "n02": "on", "n03": "on"})
    assert not site.module("power", nodes=["n[01-03]"], state="on")["changed"]
    assert site.module("power", nodes=["n01"], state="reset")["nodes"]["n01"]["sent"] == "reset"
    assert site.module("power", nodes=["n04"], state="boot")["nodes"]["n04"]["sent"] == "on"
    assert not site.module("power", nodes=["n02"], state="shutdown", wait_timeout=20).get("failed")
    assert not site.module("power", nodes=["n03"], state="cycle").get("failed")
    agree({**off, "n01": "on", "n03": "on", "n04": "on"})


def test_boot_device_as_ipmitool_reads_it(place: tuple[Site, RackProcess]) -> None:
    site, running = place
    host, port = running.state()["nodes"]["n05"]["bmc"].split(":")

    def bootparam() -> str:
        common = ["-H", host, "-p", port, "-U", "admin", "-P", "secret", "chassis", "bootparam", "get", "5"]
        return subprocess.run(
            [tool("ipmitool"), "-I", "lanplus", *common], capture_output=True, text=True, check=True
        ).stdout

    set_once = site.module("boot_device", nodes=["n05"], device="network")
    assert set_once["nodes"]["n05"]["after"] == {"device": "network", "persistent": False, "mode": "uefi"}
    assert "Force PXE" in bootparam()
    assert "EFI" in bootparam()
    assert "Options apply to only next boot" in bootparam()
    assert not site.module("boot_device", nodes=["n05"], device="network")["changed"]
    site.module("boot_device", nodes=["n05"], device="disk", persistent=True, mode="legacy")
    assert "Force Boot from default Hard-Drive" in bootparam()
    assert "Options apply to all future boots" in bootparam()
    found = site.module("boot_device_info", nodes=["n05"])
    assert found["nodes"]["n05"]["device"] == "disk"
    assert site.module("boot_device", nodes=["n05"], device="none")["changed"]
    assert site.module("boot_device_info", nodes=["n05"])["nodes"]["n05"]["device"] == "none"


FAULTS: list[tuple[str, str, str]] = [
    ("dead", "unreachable", "is it cabled and powered, and is IPMI over LAN enabled on it? (3 tries)"),
    ("wrong_password", "auth", "refuses the password of user 'admin'; see bmc.user and bmc.password"),
    ("session_table_full", "busy", "has no free session slot; others are connected to it (3 tries)"),
]


@pytest.mark.parametrize(("fault", "code", "sentence"), FAULTS)
def test_a_faulty_bmc_is_told_and_holds_nobody_up(
    place: tuple[Site, RackProcess], fault: str, code: str, sentence: str
) -> None:
    site, running = place
    running.set_fault("n09", fault)
    try:
        result = site.module("power_info", nodes=["rack1"])
        assert result["failed"]
        assert list(result["failed_nodes"]) == ["n09"]
        assert result["failed_nodes"]["n09"]["code"] == code
        assert result["failed_nodes"]["n09"]["msg"].startswith("n09: ")
        assert sentence in result["failed_nodes"]["n09"]["msg"]
        assert len(result["nodes"]) == NODES - 1, "partial results are missing"
        assert result["msg"].startswith(f"1 of {NODES} nodes failed, n09: ")
        assert not site.module("power_info", nodes=["rack1"], max_failed="12%").get("failed")
    finally:
        running.clear_fault("n09")


def test_lossy_and_slow_bmcs_are_reached(place: tuple[Site, RackProcess]) -> None:
    site, running = place
    running.set_fault("n07", "lossy:10")
    running.set_fault("n08", "slow:0.3")
    try:
        assert set(ours(site)) == set(names(NODES))
    finally:
        running.clear_fault("n07")
        running.clear_fault("n08")


def test_a_shutdown_that_is_ignored_is_told_or_forced(place: tuple[Site, RackProcess]) -> None:
    site, running = place
    site.module("power", nodes=["n06"], state="on")
    running.set_fault("n06", "soft_ignored")
    try:
        stays = site.module("power", nodes=["n06"], state="shutdown", wait_timeout=2)
        assert "did not shut down within 2 s" in stays["msg"]
        assert ours(site)["n06"] == "on"
        forced = site.module("power", nodes=["n06"], state="shutdown", wait_timeout=2, force=True)
        assert forced["nodes"]["n06"]["forced"]
        assert ours(site)["n06"] == "off"
    finally:
        running.clear_fault("n06")


def test_no_session_is_left_open(place: tuple[Site, RackProcess]) -> None:
    site, running = place
    ours(site)
    wait_for(
        lambda: not any(node["counters"]["sessions_open"] for node in running.state()["nodes"].values()),
        "sessions are closed",
        10,
    )


def bad_requests(folder: Path) -> list[tuple[str, dict[str, Any], str]]:
    table = folder / "bad.csv"
    table.write_text("name,bmc.addr\nx1,10.0.0.1\n")
    return [
        ("power", {"nodes": ["n77"], "state": "on"}, "there is no node or group named 'n77'"),
        ("power", {"nodes": ["n01,-n01"], "state": "on"}, "names no node"),
        ("power", {"nodes": ["all"], "state": "on", "max_nodes": 3}, "means 9 nodes, more than its max_nodes 3"),
        (
            "power_info",
            {"nodes": ["n01"], "max_failed": "few"},
            "is neither a count such as 3 nor a percentage such as 2%",
        ),
        (
            "node_import",
            {"path": str(table)},
            "line 1: column 'bmc.addr' is not an attribute; did you mean bmc.address?",
        ),
    ]


def test_bad_requests_get_a_sentence_and_touch_nothing(place: tuple[Site, RackProcess]) -> None:
    site, running = place
    before = {name: node["counters"]["sessions_opened"] for name, node in running.state()["nodes"].items()}
    for module, arguments, sentence in bad_requests(site.folder):
        result = site.module(module, **arguments)
        assert result["failed"]
        assert sentence in result["msg"]
    assert not site.module("node", name="bare", groups=[]).get("failed")
    try:
        lacking = site.module("power_info", nodes=["n01,bare"])
        assert lacking["msg"] == "bare: attribute bmc.address is not set, but the task has to reach the node's BMC"
    finally:
        site.module("node", name="bare", state="absent")
    assert {name: node["counters"]["sessions_opened"] for name, node in running.state()["nodes"].items()} == before
