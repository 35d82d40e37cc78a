# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the simulated BMCs before the IPMI clients that people use: ipmitool, FreeIPMI, pyghmi.

A client that is not installed is a failure: nothing else shows that the simulator speaks IPMI and not a dialect.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import RackProcess, private_address

NODES = 100
PORT = 6230
SECONDS = 60
"""After so long a client that does not end is ended."""
PATIENCE = 10
"""For so many seconds the tests wait for the simulator to get somewhere."""
BASE = private_address(5)
NETWORK = BASE.rsplit(".", 1)[0]
HOSTS = f"{NETWORK}.[1-{NODES}]:{PORT}"
PYGHMI = """
import json, sys
from pyghmi.ipmi.command import Command
address, port, password, steps = json.loads(sys.argv[1])
bmc = Command(bmc=address, userid="admin", password=password, port=port)
found = []
try:
    for name, arguments in steps:
        result = getattr(bmc, name)(**arguments)
        found.append(result if isinstance(result, (dict, str, type(None))) else str(result))
finally:
    bmc.ipmi_session.logout()
print(json.dumps(found))
"""


def address(number: int) -> str:
    return f"{NETWORK}.{number}"


@pytest.fixture(scope="module")
def rack() -> Iterator[RackProcess]:
    arguments = ["--nodes", str(NODES), "--bind", BASE, "--port", str(PORT), "--post-seconds", "0", "--model", "ss240"]
    with RackProcess(arguments) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_fault_and_no_session_is_left(rack: RackProcess) -> Iterator[None]:
    yield
    nodes = rack.state()["nodes"]
    faulty = {name for name, found in nodes.items() if found["faults"]}
    for name in faulty:
        rack.clear_fault(name)

    def closed() -> bool:
        states = rack.state()["nodes"]
        return not any(found["counters"]["sessions_open"] for name, found in states.items() if name not in faulty)

    wait(closed, "a session is still open")


def count(rack: RackProcess, counter: str) -> list[int]:
    return [node["counters"][counter] for node in rack.state()["nodes"].values()]


def node(rack: RackProcess, number: int) -> dict[str, Any]:
    found: dict[str, Any] = rack.state()["nodes"][f"n{number:03d}"]
    return found


def wait(condition: Callable[[], bool], problem: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, problem
        time.sleep(0.02)


def wait_for_boot(rack: RackProcess, number: int, before: int) -> None:
    """Wait until the machine has begun more boots than ``before``."""
    wait(lambda: node(rack, number)["boots"] > before, "the machine did not boot")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def ipmitool(number: int, *words: str, suite: int | None = None, password: str = "secret") -> str:
    cipher = [] if suite is None else ["-C", str(suite)]
    place = ["-H", address(number), "-p", str(PORT), "-U", "admin", "-P", password]
    done = run("ipmitool", "-I", "lanplus", *cipher, *place, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def freeipmi(program: str, hosts: str, *words: str, password: str = "secret") -> str:
    return run(program, "-D", "LAN_2_0", "-u", "admin", "-p", password, "-h", hosts, *words).stdout


def pyghmi(number: int, *steps: tuple[str, dict[str, Any]], password: str = "secret") -> list[Any]:
    task = json.dumps([address(number), PORT, password, steps])
    done = run(sys.executable, "-c", PYGHMI, task)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("suite", [None, 3, 17])
def test_ipmitool_power(rack: RackProcess, suite: int | None) -> None:
    def power(*words: str) -> str:
        return ipmitool(1, "chassis", "power", *words, suite=suite).strip()

    assert power("off") == "Chassis Power Control: Down/Off"
    assert power("status") == "Chassis Power is off"
    assert power("on") == "Chassis Power Control: Up/On"
    assert power("status") == "Chassis Power is on"
    for word in ("cycle", "reset", "soft"):
        wait(lambda: node(rack, 1)["power"] == "on", "the machine is off")
        boots = node(rack, 1)["boots"]
        power(word)
        if word != "soft":
            wait_for_boot(rack, 1, boots)
    wait(lambda: power("status") == "Chassis Power is off", "still on after a soft shutdown")


def test_ipmitool_refused_reset_of_a_machine_that_is_off(rack: RackProcess) -> None:
    assert node(rack, 2)["power"] == "off"
    place = ["-H", address(2), "-p", str(PORT), "-U", "admin", "-P", "secret"]
    done = run("ipmitool", "-I", "lanplus", *place, "chassis", "power", "reset")
    assert done.returncode != 0
    assert "not supported in present state" in done.stderr


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("pxe", ("Boot Flag Valid", "Options apply to only next boot", "BIOS PC Compatible", "Force PXE")),
        ("pxe options=persistent", ("Options apply to all future boots", "BIOS PC Compatible", "Force PXE")),
        ("pxe options=efiboot", ("Options apply to only next boot", "BIOS EFI boot", "Force PXE")),
        ("disk options=persistent,efiboot", ("all future boots", "BIOS EFI boot", "Force Boot from default Hard")),
        ("cdrom", ("Force Boot from CD/DVD",)),
        ("bios", ("Force Boot into BIOS Setup",)),
        ("none", ("No override",)),
    ],
)
def test_ipmitool_bootdev_is_read_back(words: str, lines: tuple[str, ...]) -> None:
    assert "Set Boot Device to" in ipmitool(3, "chassis", "bootdev", *words.split())
    flags = ipmitool(3, "chassis", "bootparam", "get", "5")
    for line in lines:
        assert line in flags


def test_a_one_time_boot_device_is_used_up_by_one_boot(rack: RackProcess) -> None:
    for options, left in (("", "Boot Flag Invalid"), (" options=persistent", "Boot Flag Valid")):
        ipmitool(4, "chassis", "bootdev", *f"pxe{options}".split())
        boots = node(rack, 4)["boots"]
        ipmitool(4, "chassis", "power", "on")
        wait_for_boot(rack, 4, boots)
        wait(lambda: node(rack, 4)["phase"] == "stopped", "it found something to boot")
        assert left in ipmitool(4, "chassis", "bootparam", "get", "5")
        ipmitool(4, "chassis", "power", "off")


def test_ipmitool_reads_what_a_bmc_has() -> None:
    guid = ipmitool(5, "mc", "guid")
    serial = next(line for line in ipmitool(5, "fru", "print").splitlines() if "Product Serial" in line).split()[-1]
    assert serial.removeprefix("SIM").lower() in guid
    assert "IPMI Version              : 2.0" in ipmitool(5, "mc", "info")
    assert "passed" in ipmitool(5, "mc", "selftest")
    assert "22 degrees C" in ipmitool(5, "sdr", "list")
    assert "Inlet Temp" in ipmitool(5, "sensor", "list")
    assert f"IP Address              : {address(5)}" in ipmitool(5, "lan", "print", "1")
    assert "ADMINISTRATOR" in ipmitool(5, "user", "list", "1")
    assert "Entries          : 0" in ipmitool(5, "sel", "info")
    assert "IPMIv2/RMCP+" in ipmitool(5, "session", "info", "active")
    assert "POH Counter" in ipmitool(5, "chassis", "poh")
    assert "indefinite" in ipmitool(5, "chassis", "identify", "force")
    assert "802.3 LAN" in ipmitool(5, "channel", "info", "1")


def test_an_unknown_command_is_invalid() -> None:
    place = ["-H", address(5), "-p", str(PORT), "-U", "admin", "-P", "secret"]
    done = run("ipmitool", "-I", "lanplus", *place, "raw", "0x30", "0x30")
    assert done.returncode != 0
    assert "rsp=0xc1" in done.stderr


@pytest.mark.parametrize("suite", [3, 17])
def test_ipmipower_drives_a_hundred_bmcs(rack: RackProcess, suite: int) -> None:
    def power(option: str) -> dict[str, str]:
        lines = freeipmi("ipmipower", HOSTS, "--cipher-suite-id", str(suite), option).splitlines()
        return dict(line.rsplit(": ", 1) for line in lines)

    everywhere = {f"{address(number)}:{PORT}" for number in range(1, NODES + 1)}
    opened = sum(count(rack, "sessions_opened"))
    for option, said in (("--off", "ok"), ("--stat", "off"), ("--on", "ok"), ("--stat", "on"), ("--off", "ok")):
        answers = power(option)
        assert {name.strip() if ":" in name else f"{name.strip()}:{PORT}" for name in answers} == everywhere
        assert set(answers.values()) == {said}
    assert sum(count(rack, "sessions_opened")) >= opened + 5 * NODES
    wait(lambda: sum(count(rack, "sessions_open")) == 0, "ipmipower left sessions open")
    assert sum(count(rack, "sessions_expired")) == 0


def test_ipmipower_waits_for_the_state() -> None:
    host = f"{address(6)}:{PORT}"
    assert "ok" in freeipmi("ipmipower", host, "--on", "--wait-until-on")
    assert "ok" in freeipmi("ipmipower", host, "--off", "--wait-until-off")


def test_freeipmi_reads_what_a_bmc_has(tmp_path: Path) -> None:
    host = f"{address(7)}:{PORT}"
    cache = ("--sdr-cache-directory", str(tmp_path))
    assert "IPMI Version          : 2.0" in freeipmi("bmc-info", host)
    assert "SimServer 240" in freeipmi("ipmi-fru", host, *cache)
    assert "Inlet Temp" in freeipmi("ipmi-sensors", host, *cache)
    assert "System Power" in freeipmi("ipmi-chassis", host, "--get-chassis-status")


def test_pyghmi_power() -> None:
    on, again, off, state = pyghmi(
        8,
        ("set_power", {"powerstate": "on", "wait": 20}),
        ("set_power", {"powerstate": "on", "wait": 20}),
        ("set_power", {"powerstate": "off", "wait": 20}),
        ("get_power", {}),
    )
    assert on == again == {"powerstate": "on"}
    assert off == state == {"powerstate": "off"}


def test_pyghmi_boot_devices() -> None:
    wanted = list(itertools.product(("network", "hd", "optical", "setup"), (False, True), (False, True)))
    steps: list[tuple[str, dict[str, Any]]] = []
    for device, persist, uefi in wanted:
        steps.append(("set_bootdev", {"bootdev": device, "persist": persist, "uefiboot": uefi}))
        steps.append(("get_bootdev", {}))
    steps += [("set_bootdev", {"bootdev": "default"}), ("get_bootdev", {})]
    *found, nothing = pyghmi(9, *steps)[1::2]
    assert found == [{"bootdev": device, "persistent": persist, "uefimode": uefi} for device, persist, uefi in wanted]
    assert nothing["bootdev"] == "default"


def test_pyghmi_identify() -> None:
    pyghmi(10, ("set_identify", {"on": True}))
    assert "Indefinite" in freeipmi("ipmi-chassis", f"{address(10)}:{PORT}", "--get-chassis-status").title()
    pyghmi(10, ("set_identify", {"on": False}))


def test_a_wrong_password_is_refused_to_all_three(rack: RackProcess) -> None:
    rack.set_fault("n011", "wrong_password")
    place = ["-H", address(11), "-p", str(PORT), "-U", "admin", "-P", "secret"]
    done = run("ipmitool", "-I", "lanplus", *place, "chassis", "power", "status")
    assert done.returncode != 0
    assert "Unable to establish" in done.stderr
    assert "password invalid" in freeipmi("ipmipower", f"{address(11)}:{PORT}", "--stat")
    with pytest.raises(AssertionError, match="Incorrect password"):
        pyghmi(11, ("get_power", {}))


def test_a_bmc_whose_sessions_are_all_taken(rack: RackProcess) -> None:
    rack.set_fault("n012", "session_table_full")
    place = ["-H", address(12), "-p", str(PORT), "-U", "admin", "-P", "secret"]
    done = run("ipmitool", "-I", "lanplus", *place, "chassis", "power", "status")
    assert done.returncode != 0
    assert "insufficient resources" in done.stderr.lower()
    assert node(rack, 12)["counters"]["sessions_refused"] >= 1


def test_dead_slow_and_lossy_bmcs_among_healthy_ones(rack: RackProcess) -> None:
    heard = node(rack, 21)["counters"]["packets_in"]
    rack.set_fault("n021", "dead")
    rack.set_fault("n022", "slow:0.1")
    rack.set_fault("n023", "lossy:10")
    hosts = f"{NETWORK}.[20-29]:{PORT}"
    lines = freeipmi("ipmipower", hosts, "--session-timeout=5000", "--stat").splitlines()
    dead = [line for line in lines if address(21) in line]
    assert len(lines) == 10
    assert len(dead) == 1
    assert "timeout" in dead[0]
    assert sum(line.endswith(": off") for line in lines) == 9
    assert node(rack, 21)["counters"]["packets_in"] == heard


def test_power_on_that_does_nothing(rack: RackProcess) -> None:
    rack.set_fault("n013", "power_stuck")
    assert "Up/On" in ipmitool(13, "chassis", "power", "on")
    assert ipmitool(13, "chassis", "power", "status").strip() == "Chassis Power is off"
