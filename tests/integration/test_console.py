# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""console_log on the simulator beside ipmitool, and before OpenIPMI's ipmi_sim; its examples and how-to run."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import select
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Target
from ansible_collections.stage0.metal.plugins.module_utils._drivers.hearing import Recording
from ansible_collections.stage0.metal.plugins.module_utils._drivers.ipmi import IpmiDriver
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.modules import console_log
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import RackProcess, private_address

from tests.gates.snippets import markdown_blocks
from tests.integration.site import ROOT, Site, names, rack, wait_for

NODES = 3
PACKETS = 1 + 3
"""Characters of some packets have to come: what the machine printed so far, and a line each second."""
ADDRESS = private_address(41)
Place = tuple[Site, RackProcess]
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
    guid 00112233445566778899aabbccddeeff
  endlan
  sol "tcp:127.0.0.1:{serial}" 115200
  startnow false
  user 1 true "" "nobody" user 10 none md2 md5 straight
  user 2 true "admin" "secret" admin 10 none md2 md5 straight
"""
CONTROLLER = "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\nmc_enable 0x20\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    site = Site(tmp_path_factory.mktemp("console"))
    with rack(site, 42, NODES, "--powered") as running:
        yield site, running


def good(site: Site, check: bool = False, /, **arguments: Any) -> dict[str, Any]:
    result = site.module("console_log", check, **{"nodes": ["rack1"], **arguments})
    assert not result.get("failed"), result
    return result


class Ipmitool:
    """``ipmitool sol activate`` in a terminal of its own."""

    def __init__(self, running: RackProcess, node: str) -> None:
        host, port = running.state()["nodes"][node]["bmc"].rsplit(":", 1)
        self.text = ""
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            account = ["-H", host, "-p", port, "-U", "admin", "-P", "secret"]
            os.execvp("ipmitool", ["ipmitool", "-I", "lanplus", *account, "sol", "activate"])

    def read(self, seconds: float) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.terminal, 4096).decode("utf-8", "replace")
                except OSError:
                    break
        return self.text

    def leave(self) -> str:
        os.write(self.terminal, b"\r~.")
        self.read(3)
        os.waitpid(self.child, 0)
        os.close(self.terminal)
        return self.text


def test_the_same_lines_as_ipmitool(place: Place) -> None:
    site, running = place
    theirs = Ipmitool(running, "n01")
    theirs.read(3)
    shown = [line.strip() for line in theirs.leave().splitlines()]
    found = good(site, seconds=3)["nodes"]
    history = [line for line in found["n01"]["text"].splitlines() if "login" not in line]
    printed = [line for line in history if not line.endswith(" s")]
    assert len(printed) > 2
    assert all(line.strip() in shown for line in printed), (printed, shown)
    for node in names(NODES):
        assert sum(line.startswith(f"{node}: ") for line in found[node]["text"].splitlines()) >= 2
        assert (found[node]["ended"], found[node]["truncated"]) == (None, False)


def open_sessions(running: RackProcess) -> int:
    return sum(int(node["counters"]["sessions_open"]) for node in running.state()["nodes"].values())


def test_nothing_is_left_open(place: Place, tmp_path: Path) -> None:
    site, running = place
    good(site, seconds=1)
    assert open_sessions(running) == 0
    task = {"stage0.metal.console_log": {"nodes": "rack1", "seconds": 60, "save": str(tmp_path)}}
    path = tmp_path / "play.yml"
    path.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    running_play = site.start_playbook(name=str(path))
    wait_for(lambda: open_sessions(running) == NODES, "it listens")
    time.sleep(2)
    os.killpg(running_play.pid, 15)
    running_play.wait(30)
    wait_for(lambda: open_sessions(running) == 0, "sessions are closed after a signal")
    good(site, seconds=1)  # and the consoles are free
    assert all(b"self test" in (tmp_path / f"{node}.log").read_bytes() for node in names(NODES))


def test_a_console_that_another_uses(place: Place) -> None:
    site, running = place
    theirs = Ipmitool(running, "n02")
    theirs.read(2)
    failed = good(site, nodes=["n02"], max_failed="1")["failed_nodes"]["n02"]
    assert failed["code"] == "busy"
    assert failed["msg"].startswith("n02: the console is in use by another session; end that, or say take_over: true")
    found = good(site, nodes=["n02"], seconds=2, take_over=True)["nodes"]["n02"]
    assert "self test" in found["text"]
    theirs.leave()


def test_files(place: Place, tmp_path: Path) -> None:
    site = place[0]
    check = good(site, True, save=str(tmp_path))
    assert (check["changed"], list(tmp_path.iterdir())) == (False, [])
    first = good(site, seconds=1, save=str(tmp_path), max_bytes=20)
    second = good(site, seconds=1, save=str(tmp_path), max_bytes=30)
    assert first["changed"] is second["changed"] is True
    for node in names(NODES):
        assert (first["nodes"][node]["bytes"], second["nodes"][node]["truncated"]) == (20, True)
        data = (tmp_path / f"{node}.log").read_bytes()
        assert len(data) == 50
        assert data[:20] == data[20:40]


@pytest.mark.parametrize("fault", ["lossy:20", "duplicate", "late:30", "busy:30"])
def test_lines_that_are_bad(place: Place, fault: str) -> None:
    site, running = place
    clean = good(site, nodes=["n03"], seconds=1)["nodes"]["n03"]["text"]
    running.set_fault("n03", fault)
    try:
        text = good(site, nodes=["n03"], seconds=4)["nodes"]["n03"]["text"]
    finally:
        running.clear_fault("n03")
    printed = [line for line in clean.splitlines() if line and not line.endswith(" s")]
    assert [line for line in text.splitlines() if line in printed] == printed


def test_a_bmc_that_restarts_meanwhile(place: Place) -> None:
    site, running = place
    running.set_fault("n03", "reset_mid_session:6")
    found = good(site, nodes=["n03"], seconds=40)["nodes"]["n03"]
    assert found["ended"].endswith("stopped answering in mid-session")
    assert "self test" in found["text"]


# -- OpenIPMI's simulator, whose console is a connection over TCP -------------------------------------------------------


class Serial:
    """What a machine's serial port says: a numbered line each tenth of a second, without an end."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.server.getsockname()[1])
        self.typed = b""
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        peer, _address = self.server.accept()
        number = 0
        with peer:
            peer.settimeout(0.1)
            while not self.over.is_set():
                number += 1
                try:
                    peer.sendall(f"line {number:05d}\r\n".encode())
                    self.typed += peer.recv(100)
                except TimeoutError:
                    continue
                except OSError:
                    return

    def close(self) -> None:
        self.over.set()
        self.server.close()
        self.thread.join(5)


@pytest.fixture(scope="module")
def openipmi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Target, Serial]]:
    program = shutil.which("ipmi_sim")
    assert program, "ipmi_sim is not installed: run make apt as root"
    folder, serial = tmp_path_factory.mktemp("openipmi"), Serial()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((ADDRESS, 0))
        port = int(probe.getsockname()[1])
    (folder / "lan.conf").write_text(LAN_CONFIG.format(address=ADDRESS, port=port, serial=serial.port))
    (folder / "bmc.emu").write_text(CONTROLLER)
    (folder / "state").mkdir()
    command = [
        program,
        "-c",
        str(folder / "lan.conf"),
        "-f",
        str(folder / "bmc.emu"),
        "-s",
        str(folder / "state"),
        "-n",
    ]
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        time.sleep(1)
        yield Target(ADDRESS, port, "admin", "secret"), serial
    finally:
        running.kill()
        running.wait()
        serial.close()


def heard(target: Target, seconds: float, take: bool = False) -> Recording:
    async def run(recording: Recording) -> Recording:
        driver = IpmiDriver()
        try:
            await driver.console(target, recording, seconds, 20.0, take=take)
        finally:
            await driver.close()
        return recording

    return asyncio.run(run(Recording(1 << 16)))


def test_the_console_of_ipmi_sim(openipmi: tuple[Target, Serial]) -> None:
    target, serial = openipmi
    for _time in range(2):
        recording = heard(target, 4.0)
        assert (recording.over, recording.ended) == (True, None)
        numbers = [int(line.split()[1]) for line in recording.data.decode().splitlines()[1:-1]]
        assert len(numbers) > 20
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert serial.typed == b""


def test_two_at_the_console_of_ipmi_sim(openipmi: tuple[Target, Serial]) -> None:
    async def run() -> tuple[Recording, MetalError | None, Recording]:
        first, second, recordings = IpmiDriver(), IpmiDriver(), [Recording(1 << 16) for _number in range(3)]
        refusal = None
        try:
            listening = asyncio.create_task(first.console(openipmi[0], recordings[0], 20.0, 20.0))
            await asyncio.sleep(2)
            try:
                await second.console(openipmi[0], recordings[1], 2.0, 20.0)
            except MetalError as exc:
                refusal = exc
            await second.console(openipmi[0], recordings[2], 2.0, 20.0, take=True)
            await listening
        finally:
            await first.close()
            await second.close()
        return recordings[0], refusal, recordings[2]

    robbed, refusal, robber = asyncio.run(run())
    assert refusal is not None
    assert refusal.code is ErrorCode.BUSY
    assert robber.over
    assert len(robber.data) > 50
    assert robbed.ended == "the BMC took the console away: another session wants it, or it was switched off"


# -- examples and how-to -----------------------------------------------------------------------------------------------


def play(site: Site, folder: Path, plays: list[dict[str, Any]]) -> None:
    text = json.dumps(plays).replace("/var/log/consoles", str(folder))
    for seconds in (15, 20, 30, 600):
        text = text.replace(f'"seconds": {seconds},', '"seconds": 3,')
    path = folder / "play.yml"
    path.write_text(text)
    done = site.playbook(name=str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_examples_run(place: Place, tmp_path: Path) -> None:
    tasks = yaml.safe_load(console_log.EXAMPLES)
    play(place[0], tmp_path, [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}])
    assert sorted(path.name for path in tmp_path.glob("*.log")) == [f"{node}.log" for node in names(NODES)]


def test_the_plays_run(place: Place, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "howto" / "console.md").read_text(encoding="utf-8")
    blocks = [block for block in markdown_blocks("console", text) if block.language == "yaml"]
    play(place[0], tmp_path, [one for block in blocks for one in yaml.safe_load(block.text)])
    assert b"n01" in (tmp_path / "n01.log").read_bytes()
