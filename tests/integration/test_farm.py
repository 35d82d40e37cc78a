# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the benchmarks' farm of BMCs before the clients that people use, and its own figures.

What the benchmarks say is worth no more than the farm: its faults have to be there, and its counts have to be right.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.farm import Farm, addresses, freeipmi, hosts

COUNT = 300
DEAD_EVERY, BADPASS_EVERY = 50, 50
SECONDS = 60
ACCOUNT = ("-D", "LAN_2_0", "-u", "admin", "-p", "secret")
PYGHMI = """
import json
from pyghmi.ipmi.command import Command
bmc = Command(bmc="127.1.0.4", userid="admin", password="secret")
try:
    bmc.set_bootdev("network", persist=False, uefiboot=True)
    print(json.dumps({
        "boot": bmc.get_bootdev()["bootdev"],
        "sensors": [reading.name for reading in bmc.get_sensor_data()],
        "serial": dict(bmc.get_inventory())["System"]["Serial Number"],
        "power": bmc.set_power("off", wait=True)["powerstate"],
    }))
finally:
    bmc.ipmi_session.logout()
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Farm]:
    options = ["--dead-every", str(DEAD_EVERY), "--badpass-every", str(BADPASS_EVERY), "--power-delay-ms", "300"]
    with Farm(COUNT, *options) as running:
        yield running


@pytest.fixture
def farm(shared: Farm) -> Farm:
    shared.control("power all on")
    shared.control("latency 0")
    shared.control("reset")
    return shared


def said(farm: Farm, *command: str) -> str:
    done = subprocess.run(
        farm.inside(command), capture_output=True, text=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL
    )
    return done.stdout + done.stderr


def ipmitool(farm: Farm, address: str, suite: int, *words: str) -> str:
    options = ["-I", "lanplus", "-C", str(suite), "-H", address, "-U", "admin", "-P", "secret"]
    return said(farm, "ipmitool", *options, *words)


def power_status(farm: Farm, suite: int, *options: str) -> str:
    command = [freeipmi("ipmipower"), *ACCOUNT, "-I", str(suite), "--session-timeout=3000", *options]
    return said(farm, *command, "-F", "300", "--stat", "-h", hosts(0, farm.count))


@pytest.mark.parametrize("suite", [3, 17])
def test_ipmipower_sees_every_machine_and_every_fault(farm: Farm, suite: int) -> None:
    answers = dict(line.split(": ", 1) for line in power_status(farm, suite).splitlines())
    faults = COUNT // DEAD_EVERY
    assert Counter(answers.values()) == {
        "on": COUNT - 2 * faults,
        "connection timeout": faults,
        "password invalid": faults,
    }
    assert answers["127.1.0.50"] == "connection timeout"
    assert answers["127.1.0.49"] == "password invalid"


@pytest.mark.parametrize("suite", [3, 17])
def test_ipmitool_switches_a_machine_off(farm: Farm, suite: int) -> None:
    assert "is on" in ipmitool(farm, "127.1.0.1", suite, "chassis", "power", "status")
    assert "Down/Off" in ipmitool(farm, "127.1.0.1", suite, "chassis", "power", "off")
    assert "is on" in ipmitool(farm, "127.1.0.1", suite, "chassis", "power", "status"), "it takes 300 ms"
    time.sleep(0.4)
    assert "is off" in ipmitool(farm, "127.1.0.1", suite, "chassis", "power", "status")


def test_ipmipower_waits_for_a_machine_to_go_off(farm: Farm) -> None:
    command = [freeipmi("ipmipower"), *ACCOUNT, "-h", "127.1.0.1", "--off", "--wait-until-off"]
    assert said(farm, *command) == "127.1.0.1: ok\n"
    assert farm.statistics()["127.1.0.1"]["power"] == "off"


def test_ipmitool_reads_sensors(farm: Farm) -> None:
    rows = [[cell.strip() for cell in line.split("|")] for line in ipmitool(farm, "127.1.0.2", 3, "sdr").splitlines()]
    assert [row[0] for row in rows] == ["CPU1 Temp", "Inlet Temp", "12V", "Fan1", "PSU1 Input", "PSU1 Status"]
    assert rows[2][1] == "12.12 Volts"
    assert {row[2] for row in rows} == {"ok"}


def test_ipmi_sensors_reads_sensors(farm: Farm, tmp_path: Path) -> None:
    found = said(farm, freeipmi("ipmi-sensors"), *ACCOUNT, "--sdr-cache-directory", str(tmp_path), "-h", "127.1.0.2")
    assert "12V" in found
    assert "12.12" in found
    assert "Presence detected" in found


def test_fru_is_the_same_for_two_clients(farm: Farm) -> None:
    by_ipmitool = ipmitool(farm, "127.1.0.7", 3, "fru", "print")
    by_freeipmi = said(farm, freeipmi("ipmi-fru"), *ACCOUNT, "-h", "127.1.0.7")
    for word in ("CHS000007", "BRD000007", "SRV000007", "ASSET00007", "SimServer 1000"):
        assert word in by_ipmitool
        assert word in by_freeipmi


def test_ipmitool_reads_and_clears_the_event_log(farm: Farm) -> None:
    assert "Fan #0x04 | Lower Critical going low" in ipmitool(farm, "127.1.0.8", 3, "sel", "list")
    ipmitool(farm, "127.1.0.8", 3, "sel", "clear")
    assert "SEL has no entries" in ipmitool(farm, "127.1.0.8", 3, "sel", "list")


def test_presence_ping(farm: Farm) -> None:
    assert "1 pongs received" in said(farm, freeipmi("rmcpping"), "-c", "1", "127.1.0.3")


def test_pyghmi(farm: Farm) -> None:
    farm.control("latency 5")  # pyghmi sleeps through answers that are faster than its threads
    found: dict[str, Any] = json.loads(said(farm, sys.executable, "-c", PYGHMI))
    assert found["boot"] == "network"
    assert found["power"] == "off"
    assert found["serial"] == "SRV000004"
    assert "Inlet Temp" in found["sensors"]


def test_counts_are_those_of_what_was_done(farm: Farm) -> None:
    ipmitool(farm, "127.1.0.5", 3, "chassis", "power", "status")
    bmcs = farm.statistics()
    mine = bmcs["127.1.0.5"]
    assert list(bmcs) == addresses(COUNT)
    assert (mine["logins"], mine["proofs"], mine["refused"], mine["open_now"]) == (1, 1, 0, 0)
    assert mine["commands"]["rakp3"] == mine["commands"]["close_session"] == mine["commands"]["chassis_status"] == 1
    assert mine["received"] == mine["sent"] == sum(mine["commands"].values())
    assert sum(bmc["received"] for bmc in bmcs.values()) == mine["received"]
    assert farm.summary()["logins"] == 1
    assert farm.cpu() > 0


def test_a_wrong_password_is_seen_each_time_it_is_tried(farm: Farm) -> None:
    for tried in (1, 2):
        assert "Unable to establish" in ipmitool(farm, "127.1.0.49", 3, "chassis", "power", "status")
        assert farm.statistics()["127.1.0.49"]["proofs"] == tried
    said(
        farm, "ipmitool", "-I", "lanplus", "-C", "3", "-H", "127.1.0.5", "-U", "nobody", "-P", "x", "chassis", "status"
    )
    assert farm.statistics()["127.1.0.5"]["refused"] >= 1


def open_request(console: int) -> bytes:
    """Open Session for cipher suite 3 (IPMI 2.0, 13.17)."""
    algorithms = b"".join(bytes((kind, 0, 0, 8, 1, 0, 0, 0)) for kind in range(3))
    payload = struct.pack("<BBHI", console & 255, 0, 0, console) + algorithms
    return bytes.fromhex("0600ff070610") + bytes(8) + struct.pack("<H", len(payload)) + payload


def in_namespace(farm: Farm, ask: Callable[[socket.socket], Any]) -> Any:
    """Call ``ask`` with a socket of the farm's network: a thread enters its namespace and ends there."""
    found: list[Any] = []

    def enter() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with Path(farm.inside([])[1].removeprefix("--net=")).open("rb") as namespace:
            assert libc.setns(namespace.fileno(), 0) == 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            found.append(ask(sock))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found, "the thread failed"
    return found[0]


def test_session_slots_run_out_and_are_given_back() -> None:
    def answers(sock: socket.socket) -> list[int]:
        statuses = []
        for console in range(1, 6):
            sock.sendto(open_request(console), ("127.1.0.1", 623))
            statuses.append(sock.recv(1024)[17])
        return statuses

    with Farm(2, "--max-sessions", "4", "--half-open", "1") as farm:
        assert in_namespace(farm, answers) == [0, 0, 0, 0, 1], "01h: insufficient resources"
        assert farm.statistics()["127.1.0.1"]["half_open_now"] == 4
        time.sleep(1.1)
        assert farm.summary()["half_open_now"] == 0
        assert in_namespace(farm, answers) == [0, 0, 0, 0, 1]


def test_latency_and_loss_are_what_was_asked_for() -> None:
    asked, at_once = 400, 100  # more than a socket's buffer holds

    def answered(sock: socket.socket) -> int:
        sock.settimeout(0.5)
        count = 0
        for first in range(0, asked, at_once):
            for number in range(first, first + at_once):
                sock.sendto(bytes.fromhex("0600ff06000011be80000000"), (f"127.1.0.{number % 200 + 1}", 623))
            with contextlib.suppress(TimeoutError):
                while True:
                    sock.recv(1024)
                    count += 1
        return count

    def seconds(sock: socket.socket) -> float:
        begun = time.monotonic()
        sock.sendto(open_request(1), ("127.1.0.1", 623))
        sock.recv(1024)
        return time.monotonic() - begun

    with Farm(200, "--latency-ms", "200") as farm:
        assert in_namespace(farm, seconds) >= 0.2
        farm.control("latency 0")
        assert in_namespace(farm, answered) == asked
        farm.control("loss 20")
        farm.control("reset")
        found = in_namespace(farm, answered)
        summary = farm.summary()
        assert found == asked - summary["lost_in"] - summary["lost_out"]
        assert 0.5 * asked < found < 0.8 * asked, "0.8 x 0.8 get through"


def test_garbage_does_no_harm(farm: Farm) -> None:
    rng = random.Random(4)
    seeds = [open_request(7), bytes.fromhex("0600ff06000011be80000000"), bytes.fromhex("0600ff0700000000000000000009")]
    seeds += [bytes.fromhex(f"0600ff0706{kind:02x}") + bytes(10) + bytes(40) for kind in (0x00, 0x12, 0x14, 0xC0)]

    def send(sock: socket.socket) -> int:
        for _number in range(20_000):
            packet = bytearray(rng.choice(seeds))
            for _change in range(rng.randrange(4)):
                packet[rng.randrange(len(packet))] = rng.randrange(256)
            sock.sendto(packet[: rng.randrange(1, len(packet) + 1)], ("127.1.0.9", 623))
        return 1

    in_namespace(farm, send)
    farm.quiet()
    assert farm.summary()["received"] > 10_000
    assert "is on" in ipmitool(farm, "127.1.0.10", 3, "chassis", "power", "status")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--count", "many"], "not a number that makes sense here: many"),
        (["--suites", "3,8"], "no list of the suites 1, 2, 3, 15, 16, 17: 3,8"),
        (["--base", "here"], "not an IPv4 address: here"),
        (["--user", "admin"], "not NAME:PASSWORD[:PRIVILEGE], or too many of them: admin"),
        (["--max-sessions", "17"], "--max-sessions: 1 to 16"),
        (["--per-net", "0"], "--count, --per-net: 1 to 1000000 BMCs, 1 to 256 in each /24"),
        (["fast"], "no option: fast"),
    ],
)
def test_a_wrong_option_is_refused(options: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as refused, Farm(1, *options):
        pass
    assert f"bmcsim: {message}; see bmcsim --help" in str(refused.value)
