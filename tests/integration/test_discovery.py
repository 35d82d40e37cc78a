# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""discover_bmcs on the simulator beside FreeIPMI's pings, before OpenIPMI's ipmi_sim, and over IPv6; its how-to runs."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.discovery import Found, Scan
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Target
from ansible_collections.stage0.metal.plugins.module_utils._drivers.ipmi import IpmiDriver
from ansible_collections.stage0.metal.plugins.modules import discover_bmcs
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import RackProcess, private_address

from tests.gates.snippets import markdown_blocks
from tests.integration.site import ROOT, Site, names, rack

NODES = 6
PORT = 623
BASE = private_address(43)
NETWORK = BASE.rsplit(".", 1)[0]
OPENIPMI = private_address(44)
GUID = "00112233445566778899aabbccddeeff"
LAN_CONFIG = """\
name "machine"
set_working_mc 0x20
  startlan 1
    addr {address} {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid {guid}
  endlan
  startnow false
  user 1 true "" "nobody" user 10 none md2 md5 straight
  user 2 true "admin" "secret" admin 10 none md2 md5 straight
"""
CONTROLLER = "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\nmc_enable 0x20\n"
Place = tuple[Site, RackProcess]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """BMCs at the port that they have everywhere, since FreeIPMI's pings know no other."""
    site = Site(tmp_path_factory.mktemp("discovery"))
    with rack(site, 43, NODES, "--powered", "--port", str(PORT)) as running:
        yield site, running


def found_in(site: Site, *networks: str, **arguments: Any) -> dict[str, Any]:
    result = site.module("discover_bmcs", networks=list(networks), **arguments)
    assert not result.get("failed"), result
    return result


def pinged(program: str, address: str) -> bool:
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    assert path, f"{program} is not installed: run make apt as root"
    done = subprocess.run([path, "-c", "2", address], capture_output=True, text=True, check=False, timeout=60)
    return "received from" in done.stdout


def test_the_same_as_freeipmis_pings(place: Place) -> None:
    site, running = place
    running.set_fault("n03", "dead")
    try:
        result = found_in(site, f"{NETWORK}.0/28")
        addresses = {f"{NETWORK}.{number}" for number in (1, 2, 3, NODES, NODES + 1)}
        theirs = {program: {one for one in addresses if pinged(program, one)} for program in ("ipmi-ping", "rmcp-ping")}
    finally:
        running.clear_fault("n03")
    ours = {bmc["address"] for bmc in result["bmcs"]}
    assert ours == {f"{NETWORK}.{number}" for number in range(1, NODES + 1) if number != 3}
    assert theirs == dict.fromkeys(("ipmi-ping", "rmcp-ping"), ours & addresses)
    assert [bmc["node"] for bmc in result["bmcs"]] == [name for name in names(NODES) if name != "n03"]
    assert (result["silent"], result["unknown"]) == ("n03", [])


def test_who_they_are(place: Place) -> None:
    """A node's UUID and serial number are its machine's, in the simulator's own table."""
    site, running = place
    result = found_in(site, f"{NETWORK}.1-{NETWORK}.{NODES}", log_in=True)
    for bmc, node in zip(result["bmcs"], names(NODES), strict=True):
        assert (bmc["ipmi"], bmc["msg"]) == ("2.0", None)
        assert bmc["candidates"][0] == {"node": node, "by": ["uuid", "serial"]}
        assert bmc["serial"]
        assert bmc["manufacturer"]
        assert bmc["model"]
        assert bmc["mac"].count(":") == 5
    counters = [node["counters"] for node in running.state()["nodes"].values()]
    assert [each["wrong_passwords"] for each in counters] == [0] * NODES


def test_a_wrong_password_is_tried_once(place: Place) -> None:
    site, running = place
    before = [node["counters"]["log_ins"] for node in running.state()["nodes"].values()]
    result = found_in(site, f"{NETWORK}.0/28", user="admin", password="not-this-one")
    assert {bmc["code"] for bmc in result["bmcs"]} == {"auth"}
    nodes = running.state()["nodes"].values()
    assert [node["counters"]["log_ins"] for node in nodes] == [count + 1 for count in before]
    assert [node["counters"]["wrong_passwords"] for node in nodes] == [0] * NODES


@pytest.mark.parametrize("fault", ["lossy:30", "duplicate", "late:50", "busy:50", "garbage:30"])
def test_bmcs_with_faults_are_found(place: Place, fault: str) -> None:
    site, running = place
    running.set_fault("n02", fault)
    try:
        result = found_in(site, f"{NETWORK}.2")
    finally:
        running.clear_fault("n02")
    assert [bmc["node"] for bmc in result["bmcs"]] == ["n02"]


def test_over_ipv6(place: Place, tmp_path: Path) -> None:
    site, _running = place
    arguments = ["--nodes", "2", "--bind", "::1", "--port", "6245", "--csv", str(tmp_path / "six.csv")]
    with RackProcess(arguments):
        result = found_in(site, "::1", port=6245)
        assert [(bmc["address"], bmc["ipmi"], bmc["node"]) for bmc in result["bmcs"]] == [("::1", "2.0", None)]
        assert result["unknown"] == ["::1"]


def test_openipmis_simulator(tmp_path: Path) -> None:
    program = shutil.which("ipmi_sim")
    assert program, "ipmi_sim is not installed: run make apt as root"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((OPENIPMI, 0))
        port = int(probe.getsockname()[1])
    (tmp_path / "lan.conf").write_text(LAN_CONFIG.format(address=OPENIPMI, port=port, guid=GUID))
    (tmp_path / "bmc.emu").write_text(CONTROLLER)
    (tmp_path / "state").mkdir()
    command = [
        program,
        "-c",
        str(tmp_path / "lan.conf"),
        "-f",
        str(tmp_path / "bmc.emu"),
        "-s",
        str(tmp_path / "state"),
    ]
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen([*command, "-n"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        time.sleep(1)
        found = asyncio.run(Scan(port, 100.0).run([OPENIPMI, private_address(45)]))
        uuid = asyncio.run(told(Target(OPENIPMI, port, "admin", "secret")))
    finally:
        running.kill()
        running.wait()
    assert found == {OPENIPMI: Found(OPENIPMI, port, "2.0", uuid, None)}


async def told(target: Target) -> str | None:
    """The UUID that a BMC tells in a session."""
    driver = IpmiDriver()
    try:
        return (await driver.inventory(target, 20.0)).uuid
    finally:
        await driver.close()


def play(site: Site, folder: Path, plays: list[dict[str, Any]]) -> None:
    text = json.dumps(plays).replace("10.2.0.0/22", f"{NETWORK}.0/28").replace("{{ factory_password }}", "secret")
    path = folder / "play.yml"
    path.write_text(text)
    done = site.playbook(name=str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_examples_run(place: Place, tmp_path: Path) -> None:
    tasks = yaml.safe_load(discover_bmcs.EXAMPLES)
    play(place[0], tmp_path, [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}])


def test_a_room_is_found(place: Place, tmp_path: Path) -> None:
    """The play of the how-to: nodes that lost their addresses, one with two candidates, get back what is surely theirs."""
    site, _running = place
    text = (ROOT / "docs" / "howto" / "discovery.md").read_text(encoding="utf-8")
    plays = [
        one
        for block in markdown_blocks("discovery", text)
        if block.language == "yaml"
        for one in yaml.safe_load(block.text)
    ]
    for node in ("n01", "n04"):
        lost = site.module("node", name=node, attributes={"bmc.address": "192.0.2.1", "bmc.port": 6000})
        assert lost["changed"]
    assert found_in(site, f"{NETWORK}.0/28")["summary"]["unknown"] == 2
    play(site, tmp_path, plays)
    result = found_in(site, f"{NETWORK}.0/28")
    assert [bmc["node"] for bmc in result["bmcs"]] == names(NODES)
