# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Our driver before BMCs that others wrote: OpenIPMI's ipmi_sim, and the server that comes with pyghmi."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import (
    BootDevice,
    BootOverride,
    PowerAction,
    PowerState,
    ResetKind,
    Target,
)
from ansible_collections.stage0.metal.plugins.module_utils._drivers.ipmi import IpmiDriver
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import private_address

from tests.integration.driving import drive

ADDRESS = private_address(13)
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
  chassis_control "{python} {program}"
  startnow false
  user 1 true "" "nobody" user 10 none md2 md5 straight
  user 2 true "admin" "secret" admin 10 none md2 md5 straight
  user 3 true "guest" "secret" user 10 none md2 md5 straight
"""
CONTROLLER = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""
CHASSIS = """\
import pathlib, sys
# ipmi_sim: PROGRAM get power boot | set power 1 | set reset 1 | set boot pxe | set shutdown 1 | set identify 15 0
state = pathlib.Path(__file__).with_suffix(".state")
kept = dict(line.split("=") for line in state.read_text().splitlines()) if state.exists() else {"power": "0", "boot": "none"}
words = sys.argv[1:]
if words[0] == "get":
    for name in words[1:]:
        print(f"{name}:{kept.get(name, '0')}")
elif words[0] == "set":
    kept[words[1]] = " ".join(words[2:])
    state.write_text("\\n".join(f"{name}={value}" for name, value in kept.items()))
"""
PYGHMI_SERVER = """
import sys
from pyghmi.ipmi import bmc
from pyghmi.ipmi.private import serversession, session

opened = serversession.ServerSession.create_open_session_response

def answer(self, request):
    # It speaks cipher suite 3 only, and says so to nobody: a proposal of others is refused as the standard has it.
    given = bytearray(request)
    if len(given) > 12 and given[12] != 1:
        return bytearray([given[0], 0x11, 0, 0]) + given[4:8]
    return opened(self, request)

serversession.ServerSession.create_open_session_response = answer
serversession.ServerSession.sessionless_data = lambda self, *_more, **_named: None  # a stray packet would end it

class Machine(bmc.Bmc):
    power, device = "off", "default"
    def get_power_state(self): return self.power
    def power_on(self): self.power = "on"
    def power_off(self): self.power = "off"
    def power_reset(self): pass
    def power_cycle(self): pass
    def power_shutdown(self): self.power = "off"
    def is_active(self): return self.power == "on"
    def get_boot_device(self): return self.device
    def set_boot_device(self, device): self.device = device
    def cold_reset(self): return 0

Machine({"admin": "secret"}, port=int(sys.argv[2]), address=sys.argv[1])
print("ready", flush=True)
while True:
    session.Session.wait_for_rsp(timeout=30)
"""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def until_it_answers(target: Target) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            drive(lambda driver: driver.power_state(target, 2.0))
            return
        except MetalError:
            assert time.monotonic() < end, "it does not answer"


@pytest.fixture(scope="module")
def openipmi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Target, Path]]:
    """OpenIPMI's BMC simulator, with a machine that is a file."""
    program = shutil.which("ipmi_sim")
    assert program, "ipmi_sim is not installed: run make apt as root"
    folder, port = tmp_path_factory.mktemp("openipmi"), free_port()
    control = folder / "chassis.py"
    control.write_text(CHASSIS)
    values = {"address": ADDRESS, "port": port, "guid": GUID, "python": sys.executable, "program": control}
    (folder / "lan.conf").write_text(LAN_CONFIG.format(**values))
    (folder / "bmc.emu").write_text(CONTROLLER)
    (folder / "state").mkdir()
    files = ["-c", folder / "lan.conf", "-f", folder / "bmc.emu", "-s", folder / "state"]
    command = [program, *map(str, files), "-n"]
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        target = Target(ADDRESS, port, "admin", "secret")
        until_it_answers(target)
        yield target, control.with_suffix(".state")
    finally:
        running.kill()
        running.wait()


@pytest.fixture(scope="module")
def pyghmi_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    port = free_port()
    log = (tmp_path_factory.mktemp("pyghmi") / "log").open("w")
    command = [sys.executable, "-c", PYGHMI_SERVER, ADDRESS, str(port)]
    running = subprocess.Popen(command, stdout=log, stderr=log)
    log.close()
    try:
        target = Target(ADDRESS, port, "admin", "secret")
        until_it_answers(target)
        yield target
    finally:
        running.kill()
        running.wait()


def powered(target: Target) -> None:
    """Off and on again, as each side sees it."""

    async def work(driver: IpmiDriver) -> list[Any]:
        steps = [await driver.power(target, action, 20.0) for action in (PowerAction.ON, PowerAction.ON)]
        found = [await driver.power_state(target, 20.0)]
        steps.append(await driver.power(target, PowerAction.OFF, 20.0))
        found.append(await driver.power_state(target, 20.0))
        return [[step.sent for step in steps], found]

    drive(lambda driver: driver.power(target, PowerAction.OFF, 20.0))
    assert drive(work) == [[PowerAction.ON, None, PowerAction.OFF], [PowerState.ON, PowerState.OFF]]


def test_power_of_ipmi_sim(openipmi: tuple[Target, Path]) -> None:
    powered(openipmi[0])
    assert "power=0" in openipmi[1].read_text()


def test_power_of_pyghmis_server(pyghmi_server: Target) -> None:
    powered(pyghmi_server)


def test_boot_device_and_lamp_of_ipmi_sim(openipmi: tuple[Target, Path]) -> None:
    target, state = openipmi
    wish = BootOverride(BootDevice.NETWORK)
    found = drive(lambda driver: driver.set_boot_override(target, wish, 20.0))
    assert found.device is BootDevice.NETWORK
    assert "boot=pxe" in state.read_text()
    drive(lambda driver: driver.identify(target, 15, 20.0))
    assert "identify=15 0" in state.read_text()


def test_boot_device_of_pyghmis_server(pyghmi_server: Target) -> None:
    wish = BootOverride(BootDevice.NETWORK)
    found = drive(lambda driver: driver.set_boot_override(pyghmi_server, wish, 20.0))
    assert found.device is BootDevice.NETWORK
    assert drive(lambda driver: driver.boot_override(pyghmi_server, 20.0)).device is BootDevice.NETWORK


def failure(work: Callable[[IpmiDriver], Awaitable[Any]]) -> MetalError:
    with pytest.raises(MetalError) as caught:
        drive(work)
    return caught.value


def test_refusals_of_ipmi_sim(openipmi: tuple[Target, Path]) -> None:
    target = openipmi[0]
    wrong = Target(target.address, target.port, "admin", "wrong")
    assert failure(lambda driver: driver.power_state(wrong, 20.0)).code is ErrorCode.AUTH
    nobody = Target(target.address, target.port, "stranger", "secret")
    assert failure(lambda driver: driver.power_state(nobody, 20.0)).code is ErrorCode.AUTH
    only_17 = Target(target.address, target.port, "admin", "secret", suite=17)
    assert failure(lambda driver: driver.power_state(only_17, 20.0)).code is ErrorCode.CIPHER
    guest = Target(target.address, target.port, "guest", "secret")
    assert drive(lambda driver: driver.power_state(guest, 20.0)) in PowerState


def test_accounts_network_and_passwords_of_ipmi_sim(openipmi: tuple[Target, Path]) -> None:
    target = openipmi[0]
    accounts = {each.name: str(each.level) for each in drive(lambda driver: driver.accounts(target, 20.0))}
    assert accounts["admin"] == "administrator"
    assert accounts["guest"] == "user"
    assert drive(lambda driver: driver.proof(target, ("calvin", "secret"), 20.0)) == "secret"
    assert drive(lambda driver: driver.proof(target, ("calvin",), 20.0)) is None


def test_sessions_of_ipmi_sim_are_closed(openipmi: tuple[Target, Path]) -> None:
    """It has 64 of them, and keeps each for a minute: as many again would fail."""
    target = openipmi[0]

    async def work(driver: IpmiDriver) -> None:
        for _number in range(150):
            await driver.power_state(target, 20.0)

    drive(work)


def test_what_ipmi_sim_does_not_know_is_told(openipmi: tuple[Target, Path]) -> None:
    error = failure(lambda driver: driver.reset_bmc(openipmi[0], ResetKind.COLD, 20.0))
    assert error.code is ErrorCode.UNSUPPORTED
    assert error.message == "the BMC does not know this command (IPMI command 06h/02h, completion code c1h)"
