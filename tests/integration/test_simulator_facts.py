# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: ipmitool, FreeIPMI and pyghmi read the same facts from a simulated BMC.

One rack: n01 is an ss240, n02 an ss480, n03 an ss100; all are on. n04 to n06 are for faults under which clients leave
sessions open. Where a client has a defect, the test says so.
"""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import RackProcess, private_address

PORT = 6231
SECONDS = 60
BASE = private_address(7)
NETWORK = BASE.rsplit(".", 1)[0]
KEY = "4b0102030405060708090a0b0c0d0e0f10111213"
MODELS = pytest.mark.parametrize("number", [1, 2, 3], ids=["ss240", "ss480", "ss100"])
PYGHMI = """
import json, sys
from pyghmi.ipmi.command import Command
address, port, user, password, steps = json.loads(sys.argv[1])
bmc = Command(bmc=address, userid=user, password=password, port=port)
plain = lambda value: dict(vars(value)) if hasattr(value, "broken_sensor_ids") else value
found = []
try:
    for name, arguments in steps:
        result = getattr(bmc, name)(**arguments)
        whole = result is None or isinstance(result, (dict, str, bool))
        found.append(result if whole else [plain(item) for item in result])
finally:
    bmc.ipmi_session.logout()
print(json.dumps(found, default=str))
"""


@pytest.fixture(scope="module")
def rack() -> Iterator[RackProcess]:
    arguments = ["--nodes", "6", "--bind", BASE, "--port", str(PORT), "--post-seconds", "0", "--powered", "--ipv6"]
    accounts = [
        "--account",
        "ops:op:operator",
        "--factory-defaults",
        "n03",
        "--reset-seconds",
        "0.6",
        "--suites",
        "3,8,12,17",
    ]
    with RackProcess([*arguments, *accounts]) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_session_is_left(rack: RackProcess) -> Iterator[None]:
    yield
    nodes = rack.state()["nodes"]
    for name in nodes:
        rack.clear_fault(name)
    end = time.monotonic() + 10
    while any(rack.state()["nodes"][name]["counters"]["sessions_open"] for name in list(nodes)[:3]):
        assert time.monotonic() < end, "a session is still open"
        time.sleep(0.05)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)


def ipmitool_raw(number: int, *words: str, user: str = "admin", password: str = "secret") -> Any:
    place = ["-H", f"{NETWORK}.{number}", "-p", str(PORT), "-U", user, "-P", password]
    return run("ipmitool", "-I", "lanplus", *place, *words)


def ipmitool(number: int, *words: str, user: str = "admin", password: str = "secret") -> str:
    done = ipmitool_raw(number, *words, user=user, password=password)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def freeipmi(program: str, number: int, *words: str) -> str:
    done = run(program, "-D", "LAN_2_0", "-u", "admin", "-p", "secret", "-h", f"{NETWORK}.{number}:{PORT}", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def pyghmi(number: int, *steps: tuple[str, dict[str, Any]]) -> list[Any]:
    task = json.dumps([f"{NETWORK}.{number}", PORT, "admin", "secret", steps])
    done = run(sys.executable, "-c", PYGHMI, task)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def pairs(text: str, sign: str) -> dict[str, str]:
    """Return lines ``name SIGN value``; of lines that begin alike, the first."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, middle, value = line.partition(sign)
        if middle:
            found.setdefault(name.strip(), value.strip())
    return found


def table(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if "|" in line]


def near(one: str, other: str) -> bool:
    return float(one) == pytest.approx(float(other), abs=0.006)


@pytest.mark.parametrize("number", [1, 2])
def test_the_same_inventory(rack: RackProcess, number: int, tmp_path: Path) -> None:
    tool = pairs(ipmitool(number, "fru", "print", "0"), ":")
    free = pairs(freeipmi("ipmi-fru", number, "--sdr-cache-directory", str(tmp_path), "--device-id", "0"), ":")
    system = dict(pyghmi(number, ("get_inventory", {}))[0])["System"]
    serial = rack.state()["nodes"][f"n0{number}"]["serial"]
    for in_tool, in_free, in_system in (
        ("Chassis Part Number", "FRU Chassis Part Number", "Chassis part number"),
        ("Chassis Serial", "FRU Chassis Serial Number", "Chassis serial number"),
        ("Board Mfg", "FRU Board Manufacturer", "Board manufacturer"),
        ("Board Product", "FRU Board Product Name", "Board product name"),
        ("Board Serial", "FRU Board Serial Number", "Board serial number"),
        ("Product Manufacturer", "FRU Product Manufacturer Name", "Manufacturer"),
        ("Product Name", "FRU Product Name", "Product name"),
        ("Product Version", "FRU Product Version", "Hardware Version"),
        ("Product Serial", "FRU Product Serial Number", "Serial Number"),
    ):
        assert tool[in_tool] == free[in_free] == system[in_system]
    assert tool["Product Serial"] == serial
    assert tool["Board Serial"] == f"B{serial}"
    assert tool.get("Product Asset Tag") == free.get("FRU Product Asset Tag") == system["Asset Number"]


def test_the_second_device_and_the_multirecords(tmp_path: Path) -> None:
    assert "SimPower 1600" in ipmitool(2, "fru", "print", "1")
    assert "SimPower 1600" in str(dict(pyghmi(2, ("get_inventory", {}))[0])["PSU1 FRU"])
    free = freeipmi("ipmi-fru", 2, "--sdr-cache-directory", str(tmp_path))
    assert "SimPower 1600" in free
    assert free.count("FRU Power Supply Peak Capacity: 1600 Watts") == 2
    assert "High End Input Voltage 2: 240000 mV" in free


def test_old_spellings_and_who_can_read_them(tmp_path: Path) -> None:
    tool = pairs(ipmitool(3, "fru", "print", "0"), ":")
    assert tool["Board Product"] == "SIMBLADE 100"
    assert tool["Board Part Number"] == "4711-08.15"
    # ipmitool takes UTF-16 for a text that ends at its first zero
    assert tool["Product Name"] == "S"
    assert "Chassis Type" not in tool
    free = freeipmi("ipmi-fru", 3, "--sdr-cache-directory", str(tmp_path))
    assert "SIMBLADE 100" in free
    # FreeIPMI has no letters but English ones
    assert "FRU language code not supported" in free
    # pyghmi falls over 6-bit fields whose length is no multiple of three
    with pytest.raises(AssertionError, match="IndexError"):
        pyghmi(3, ("get_inventory", {}))


@MODELS
def test_the_same_sensors(number: int, tmp_path: Path) -> None:
    tool = {row[0]: row for row in table(ipmitool(number, "sensor"))}
    words = ("--sdr-cache-directory", str(tmp_path), "--output-sensor-thresholds", "--quiet-cache")
    free = {row[1]: row for row in table(freeipmi("ipmi-sensors", number, *words))[1:]}
    ghmi = {sensor["name"].strip(): sensor for sensor in pyghmi(number, ("get_sensor_data", {}))[0]}
    assert set(tool) == set(free) == set(ghmi)
    readings = 0
    for name, row in tool.items():
        if row[1].startswith("0x"):
            assert ghmi[name]["value"] is None
            continue
        readings += 1
        assert near(row[1], free[name][3])
        # pyghmi takes the middle of what a count may mean, which differs where the scale is no straight line
        assert float(row[1]) == pytest.approx(ghmi[name]["value"], rel=0.001)
        assert row[3] == "ok"
        assert free[name][-1] == "'OK'"
        for mine, other in zip(row[4:10], free[name][5:11], strict=True):
            assert (mine == "na") is (other == "N/A")
            assert mine == "na" or near(mine, other)
    assert readings >= 4


@MODELS
def test_a_hot_inlet_is_seen_by_everybody(rack: RackProcess, number: int, tmp_path: Path) -> None:
    before = rack.state()["nodes"][f"n0{number}"]["log_entries"]
    rack.set_fault(f"n0{number}", "hot")
    inlet = {1: "Inlet Temp", 2: "Ambient", 3: "Air"}[number]
    tool = {row[0]: row for row in table(ipmitool(number, "sensor"))}
    assert tool[inlet][3] in ("cr", "nr")
    cache = ("--sdr-cache-directory", str(tmp_path), "--quiet-cache")
    (line,) = [line for line in freeipmi("ipmi-sensors", number, *cache).splitlines() if f"| {inlet} " in line]
    assert ">=) Upper Critical" in line or ">=) Upper Non-Recoverable" in line
    (sensor,) = [s for s in pyghmi(number, ("get_sensor_data", {}))[0] if s["name"] == inlet]
    assert sensor["health"] >= 2
    assert rack.state()["nodes"][f"n0{number}"]["log_entries"] > before
    assert "Upper Critical going high" in ipmitool(number, "sel", "elist")
    # FreeIPMI joins both directions of a threshold with a hyphen
    assert re.search(r"Upper Critical - going high", freeipmi("ipmi-sel", number, *cache))


def test_the_same_event_log_until_it_is_cleared(rack: RackProcess, tmp_path: Path) -> None:
    ipmitool(1, "power", "diag")
    tool = table(ipmitool(1, "sel", "elist"))
    free = table(freeipmi("ipmi-sel", 1, "--sdr-cache-directory", str(tmp_path), "--quiet-cache"))[1:]
    ghmi = pyghmi(1, ("get_event_log", {}))[0]
    assert len(tool) == len(free) == len(ghmi) == rack.state()["nodes"]["n01"]["log_entries"]
    assert [int(row[0], 16) for row in tool] == [int(row[0]) for row in free] == [e["record_id"] for e in ghmi]
    assert [row[2].split()[0] for row in tool] == [row[2] for row in free] == [e["timestamp"][11:] for e in ghmi]
    assert "NMI" in tool[-1][3]
    assert free[-1][3] == ghmi[-1]["component"] == "NMI"
    assert "Clearing SEL" in ipmitool(1, "sel", "clear")
    assert ipmitool_raw(1, "sel", "elist").stderr.strip() == "SEL has no entries"
    assert pyghmi(1, ("get_event_log", {}))[0] == []
    ipmitool(2, "sel", "clear")
    (entry,) = table(ipmitool(2, "sel", "elist"))
    assert "Log area reset/cleared" in entry[4]
    freeipmi("ipmi-sel", 3, "--clear", "--sdr-cache-directory", str(tmp_path), "--quiet-cache")
    assert rack.state()["nodes"]["n03"]["log_entries"] == 0


def test_users_of_one_client_are_those_of_the_others() -> None:
    ipmitool(1, "user", "set", "name", "5", "tool")
    ipmitool(1, "user", "set", "password", "5", "toolpass", "16")
    ipmitool(1, "channel", "setaccess", "1", "5", "ipmi=on", "privilege=3")
    ipmitool(1, "user", "enable", "5")
    assert "Success" in ipmitool(1, "user", "test", "5", "16", "toolpass")
    assert "wrong password size" in ipmitool_raw(1, "user", "test", "5", "20", "toolpass").stdout
    assert "password incorrect" in ipmitool_raw(1, "user", "test", "5", "16", "other").stdout
    assert "Chassis Power is" in ipmitool(1, "-L", "OPERATOR", "power", "status", user="tool", password="toolpass")
    assert ipmitool_raw(1, "power", "status", user="tool", password="toolpass").returncode != 0
    steps: list[tuple[str, dict[str, Any]]] = [
        ("set_user_name", {"uid": 6, "name": "ghmi"}),
        ("set_user_password", {"uid": 6, "password": "ghmipass"}),
        ("set_user_access", {"uid": 6, "channel": 1, "privilege_level": "operator"}),
        ("set_user_password", {"uid": 6, "mode": "enable"}),
        ("get_users", {}),
    ]
    users = pyghmi(1, *steps)[-1]
    rows = {line.split()[0]: line for line in ipmitool(1, "user", "list", "1").splitlines()[1:]}
    assert {uid: user["name"] for uid, user in users.items()}["5"] == "tool"
    assert "ghmi" in rows["6"]
    assert "OPERATOR" in rows["6"]
    assert "OPERATOR" in rows["5"]
    assert users["5"]["access"]["privilege_level"] == "operator"
    assert "Chassis Power is" in ipmitool(1, "-L", "OPERATOR", "power", "status", user="ghmi", password="ghmipass")
    # the account that the maker ships n03 with
    assert "Chassis Power is" in ipmitool(3, "power", "status", user="USERID", password="PASSW0RD")
    assert ipmitool_raw(2, "power", "status", user="root", password="calvin").returncode != 0


def test_lan_parameters_of_one_client_are_those_of_the_others() -> None:
    for words in (
        ("ipsrc", "static"),
        ("ipaddr", "10.9.8.7"),
        ("netmask", "255.255.254.0"),
        ("defgw", "ipaddr", "10.9.8.1"),
        ("vlan", "id", "42"),
    ):
        ipmitool_raw(2, "lan", "set", "1", *words)
    tool = pairs(ipmitool(2, "lan", "print", "1"), ":")
    (ghmi,) = pyghmi(2, ("get_net_configuration", {}))
    assert tool["IP Address"] == "10.9.8.7"
    assert ghmi["ipv4_address"] == "10.9.8.7/23"
    assert tool["Default Gateway IP"] == ghmi["ipv4_gateway"] == "10.9.8.1"
    assert tool["802.1q VLAN ID"] == str(ghmi["vlan_id"]) == "42"
    assert tool["MAC Address"] == ghmi["mac_address"]
    six = ipmitool(2, "lan6", "print", "1")
    assert "IPv6/IPv4 Addressing Enables: both" in six
    assert "Address:        ::1/128" in six
    assert "DHCPv6 support:      yes" in six


def test_identity_and_versions_are_the_models(rack: RackProcess) -> None:
    versions = {1: ("2.23", 0x240), 2: ("1.70", 0x480), 3: ("3.05", 0x100)}
    for number, (version, product) in versions.items():
        tool = pairs(ipmitool(number, "mc", "info"), ":")
        free = pairs(freeipmi("bmc-info", number), ":")
        assert tool["Firmware Revision"] == free["Firmware Revision"] == version
        assert tool["Product ID"].split()[0] == free["Product ID"] == str(product)
    assert "2.23" in str(pyghmi(1, ("get_firmware", {})))


def test_suites_that_are_listed_and_not_carried_out() -> None:
    listed = [line.split()[0] for line in ipmitool(1, "channel", "getciphers", "ipmi", "1").splitlines()[1:]]
    assert listed == ["3", "8", "12", "17"]
    assert "invalid authentication algorithm" in ipmitool_raw(1, "-C", "8", "power", "status").stderr


def test_a_bmc_answers_at_its_ipv6_address_too() -> None:
    place = ["-H", "::1", "-p", str(PORT + 1), "-U", "admin", "-P", "secret"]
    done = run("ipmitool", "-I", "lanplus", *place, "mc", "info")
    assert "Firmware Revision         : 1.70" in done.stdout


def test_identify_and_restore_policy() -> None:
    ipmitool(1, "chassis", "identify", "force")
    ipmitool(1, "chassis", "policy", "previous")
    free = pairs(freeipmi("ipmi-chassis", 1, "--get-chassis-status"), ":")
    assert free["Chassis Identify state"] == "Indefinite on"
    assert free["Power restore policy"] == "Restore"
    assert pairs(ipmitool(1, "chassis", "status"), ":")["Power Restore Policy"] == "previous"


def test_a_restart_of_the_bmc(rack: RackProcess) -> None:
    resets = rack.state()["nodes"]["n02"]["counters"]["resets"]
    assert "Sent cold reset" in ipmitool(2, "mc", "reset", "cold")
    assert ipmitool_raw(2, "-N", "1", "-R", "1", "power", "status").returncode != 0
    time.sleep(0.6)
    assert "Chassis Power is on" in ipmitool(2, "power", "status")
    assert rack.state()["nodes"]["n02"]["counters"]["resets"] == resets + 1


@pytest.mark.parametrize(("fault", "number"), [("duplicate", 4), ("late:20", 5)])
def test_answers_that_come_twice_or_late(rack: RackProcess, fault: str, number: int) -> None:
    # ipmipower is not here: it ends without a word (exit status 1) at a packet that it cannot place
    rack.set_fault(f"n0{number}", fault)
    assert "Chassis Power is on" in ipmitool(number, "power", "status")
    assert pyghmi(number, ("get_power", {})) == [{"powerstate": "on"}]


def test_ipmitool_gives_up_on_a_busy_bmc(rack: RackProcess) -> None:
    rack.set_fault("n06", "busy:100")
    assert "Node busy" in ipmitool_raw(6, "power", "status").stderr


def test_noise_is_not_taken_for_an_answer(rack: RackProcess) -> None:
    rack.set_fault("n06", "garbage:100")
    assert ipmitool_raw(6, "-N", "1", "-R", "1", "power", "status").returncode != 0
    rack.clear_fault("n06")
    assert "Chassis Power is on" in ipmitool(6, "power", "status")


def test_a_locked_account_is_refused_by_name(rack: RackProcess) -> None:
    rack.set_fault("n01", "locked")
    tries = rack.state()["nodes"]["n01"]["counters"]
    assert "unauthorized name" in ipmitool_raw(1, "-v", "power", "status").stderr.lower()
    after = rack.state()["nodes"]["n01"]["counters"]
    assert after["refused_log_ins"] == tries["refused_log_ins"] + 1
    assert after["wrong_passwords"] == tries["wrong_passwords"]


def test_the_bmcs_key() -> None:
    place = private_address(8)
    with RackProcess(["--nodes", "1", "--bind", place, "--port", str(PORT), "--k-g", f"0x{KEY}"]):
        where = ["-I", "lanplus", "-H", place, "-p", str(PORT), "-U", "admin", "-P", "secret"]
        assert "Chassis Power is off" in run("ipmitool", *where, "-y", KEY, "power", "status").stdout
        assert run("ipmitool", *where, "power", "status").returncode != 0
        free = ["-D", "LAN_2_0", "-h", f"{place}:{PORT}", "-u", "admin", "-p", "secret"]
        assert ": off" in run("ipmipower", *free, "-k", f"0x{KEY}", "--stat").stdout
        assert "k_g invalid" in run("ipmipower", *free, "--stat").stdout.lower()


def console(number: int, seconds: float) -> str:
    """Have ipmitool show the machine's console for so long, type a word meanwhile, and leave with ``~.``."""
    place = ["-H", f"{NETWORK}.{number}", "-p", str(PORT), "-U", "admin", "-P", "secret"]
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("ipmitool", ["ipmitool", "-I", "lanplus", *place, "sol", "activate"])
    text, begun, typed = b"", time.monotonic(), [(seconds * 0.5, b"hello\r"), (seconds, b"\r~.")]
    while time.monotonic() - begun < seconds + 10:
        if typed and time.monotonic() - begun > typed[0][0]:
            os.write(terminal, typed.pop(0)[1])
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                text += os.read(terminal, 4096)
            except OSError:
                break
    os.waitpid(child, 0)
    return text.decode("utf-8", "replace")


def test_ipmitool_shows_the_console() -> None:
    text = console(3, 2.4)
    assert "SOL Session operational" in text
    assert "power-on self test" in text
    assert len(re.findall(r"n03: \d+ s", text)) >= 2
    assert "hello" in text
    assert "n03 login: " in text
    assert "terminated ipmitool" in text
