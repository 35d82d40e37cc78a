# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""pyghmi as the reference: the same BMC, asked verb by verb by its client and by our driver, tells both the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import (
    BootDevice,
    BootMode,
    BootOverride,
    Lamp,
    PowerAction,
    Target,
)
from ansible_collections.stage0.metal.plugins.module_utils._drivers.sensing import Since
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import RackProcess, private_address

from tests.integration.driving import drive as ours

PORT = 6232
BASE = private_address(14)
MODELS = {1: "ss240", 2: "ss480"}
"""Numbers of the nodes that are compared. pyghmi cannot read the FRU of the third model (docs/reference/simulator.md)."""
THEIRS = """
import json, sys
from pyghmi.ipmi.command import Command
address, port, verb, words = json.loads(sys.argv[1])
bmc = Command(bmc=address, userid="admin", password="secret", port=port, keepalive=False)
try:
    found = getattr(bmc, verb)(*words)
    if verb == "get_sensor_data":
        found = [[one.name, one.value, one.units, one.unavailable] for one in found]
    elif hasattr(found, "__next__"):
        found = list(found)
finally:
    bmc.ipmi_session.logout()
print(json.dumps(found, default=str))
"""


@pytest.fixture(scope="module")
def rack() -> Iterator[RackProcess]:
    with RackProcess(
        ["--nodes", "3", "--bind", BASE, "--port", str(PORT), "--post-seconds", "0", "--powered"]
    ) as running:
        models = [node["model"] for node in running.state()["nodes"].values()]
        assert [models[number - 1] for number in MODELS] == list(MODELS.values())
        yield running


def target(number: int) -> Target:
    return Target(f"{BASE.rsplit('.', 1)[0]}.{number}", PORT, "admin", "secret")


def theirs(number: int, verb: str, *words: Any) -> Any:
    given = json.dumps([target(number).address, PORT, verb, words])
    done = subprocess.run(
        [sys.executable, "-c", THEIRS, given], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", MODELS)
def test_power(rack: RackProcess, number: int) -> None:
    assert rack.pid
    assert theirs(number, "get_power")["powerstate"] == str(ours(lambda d: d.power_state(target(number), 20.0)))
    ours(lambda d: d.power(target(number), PowerAction.OFF, 20.0))
    assert theirs(number, "get_power") == {"powerstate": "off"}
    theirs(number, "set_power", "on", True)
    assert str(ours(lambda d: d.power_state(target(number), 20.0))) == "on"


@pytest.mark.parametrize("device", [BootDevice.NETWORK, BootDevice.DISK, BootDevice.CD, BootDevice.SETUP])
@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("mode", [BootMode.UEFI, BootMode.LEGACY])
def test_boot_device(rack: RackProcess, device: BootDevice, persistent: bool, mode: BootMode) -> None:
    assert rack.pid
    words = {BootDevice.NETWORK: "network", BootDevice.DISK: "hd", BootDevice.CD: "optical", BootDevice.SETUP: "setup"}
    ours(lambda d: d.set_boot_override(target(1), BootOverride(device, persistent, mode), 20.0))
    found = theirs(1, "get_bootdev")
    assert (found["bootdev"], found["persistent"], found["uefimode"]) == (
        words[device],
        persistent,
        mode is BootMode.UEFI,
    )
    theirs(1, "set_bootdev", words[device], not persistent, mode is BootMode.LEGACY)
    back = ours(lambda d: d.boot_override(target(1), 20.0)).effective
    other = BootMode.UEFI if mode is BootMode.LEGACY else BootMode.LEGACY
    assert back == BootOverride(device, not persistent, other)


@pytest.mark.parametrize("number", MODELS)
def test_inventory(rack: RackProcess, number: int) -> None:
    assert rack.pid
    system = dict(theirs(number, "get_inventory"))["System"]
    found = ours(lambda d: d.inventory(target(number), 20.0)).document()
    assert found["product"]["serial"] == system["Serial Number"]
    assert found["product"]["manufacturer"] == system["Manufacturer"]
    assert found["product"]["name"] == system["Product name"]
    assert found["board"]["serial"] == system["Board serial number"]
    assert found["chassis"]["serial"] == system["Chassis serial number"]
    assert found["uuid"].lower() == system["UUID"].lower()


@pytest.mark.parametrize("number", MODELS)
def test_sensors(rack: RackProcess, number: int) -> None:
    """Sensors with a value, by name: shared records are several sensors for us, and one for pyghmi."""
    assert rack.pid
    said = {
        name: (value, units)
        for name, value, units, unavailable in theirs(number, "get_sensor_data")
        if value is not None
    }
    readings = ours(lambda d: d.sensors(target(number), 60.0))
    found = {one.name: one for one in readings.sensors if one.value is not None}
    assert set(said) <= set(found)
    assert len(said) >= 3
    for name, (value, _units) in said.items():
        assert found[name].value == pytest.approx(value, rel=0.02, abs=0.02), name


@pytest.mark.parametrize("number", MODELS)
def test_event_log(rack: RackProcess, number: int) -> None:
    assert rack.pid
    said = theirs(number, "get_event_log")
    found = ours(lambda d: d.event_log(target(number), 60.0, Since())).entries
    assert len(found) == len(said) > 0
    assert [entry.id for entry in found] == [int(str(one["record_id"])) for one in said]
    assert [entry.sensor for entry in found if entry.sensor] == [
        one["component"] for one in said if one.get("component")
    ]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_accounts_and_network(rack: RackProcess, number: int) -> None:
    assert rack.pid
    said = {one["name"]: one["access"]["privilege_level"] for one in theirs(number, "get_users").values()}
    accounts = {one.name: str(one.level) for one in ours(lambda d: d.accounts(target(number), 20.0)) if one.name}
    assert {name: said[name] for name in accounts} == accounts
    config = theirs(number, "get_net_configuration")
    network = ours(lambda d: d.network(target(number), 20.0))
    assert config["ipv4_address"].split("/")[0] == network.address
    assert config["mac_address"].lower() == network.mac
    assert config["ipv4_configuration"].lower() == str(network.source)


def test_identify_and_bmc_reset(rack: RackProcess) -> None:
    theirs(3, "set_identify", True)
    assert ours(lambda d: d.identify_state(target(3), 20.0)) is Lamp.ON
    ours(lambda d: d.identify(target(3), 0, 20.0))
    theirs(3, "reset_bmc")
    assert list(rack.state()["nodes"].values())[2]["counters"]["resets"] == 1
