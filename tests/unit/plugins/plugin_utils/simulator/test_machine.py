# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import (
    BootOrder,
    Firmware,
    Phase,
    Rack,
    RackOptions,
    Timing,
    parse_fault,
    private_address,
)
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.command_table import PowerAction
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.rack import Node
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.scripted_hub import (
    ScriptedHub,
    texts,
    until,
)

QUICK = Timing(
    post=0.0, install=0.05, disk_boot=0.0, shutdown=0.01, cycle=0.01, fetch_patience=10.0, report_patience=20.0
)
PXE_ONCE = bytes((0x80, 0x04, 0, 0, 0))
PXE_EFI = bytes((0xA0, 0x04, 0, 0, 0))
DISK_ALWAYS = bytes((0xC0, 0x08, 0, 0, 0))
SETUP_ONCE = bytes((0x80, 0x18, 0, 0, 0))
CD_ONCE = bytes((0x80, 0x14, 0, 0, 0))
Story = Callable[[Node, ScriptedHub], Awaitable[None]]


def tell(story: Story, *faults: str, style: str = "linux", options: RackOptions | None = None) -> None:
    """Run a story about one machine and a hub that has it armed."""

    async def run() -> None:
        async with ScriptedHub(style) as hub:
            given = options or RackOptions(timing=QUICK)
            settings = {"n01": tuple(parse_fault(fault) for fault in faults)}
            chosen = replace(given, nodes=1, hub=hub.url, bind=private_address(1), faults=settings)
            async with Rack(chosen) as rack:
                node = rack.node("n01")
                hub.armed.add(node.machine.identity.mac)
                await story(node, hub)

    asyncio.run(run())


def boot(node: Node, flags: bytes, action: PowerAction = PowerAction.ON) -> None:
    board = node.bmc.board
    board.boot.set(5, flags)
    node.machine.control(action)


async def installed(node: Node) -> None:
    """Wait until the machine runs from its disk and has said so."""
    await until(lambda: bool(node.machine.disk and node.machine.disk.reported_ready), node.machine)


@pytest.mark.parametrize("style", ["linux", "esxi"])
def test_the_whole_way(style: str) -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        boot(node, PXE_ONCE)
        await installed(node)
        assert hub.states() == ["installing", "installed", "ready"]
        percents = [int(report[1]) for report in hub.reports if report[0] == "installing"]
        assert percents == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
        machine = node.machine
        assert (machine.phase, machine.installs, machine.installs_begun) == (Phase.RUNNING, 1, 1)
        assert machine.disk is not None
        assert machine.disk.hostname == "n01.example"
        assert "media/p" in machine.disk.answer
        assert hub.asked("/boot?mac=52:54:") == 1
        assert hub.asked("/deploy/n01/token/answer") == 1
        assert hub.asked("/media/p/disk.img.gz") == 1
        assert node.bmc.boot_override is None
        # up again from disk: nothing is asked of the hub any more
        seen = len(hub.requests)
        machine.control(PowerAction.RESET)
        await until(lambda: machine.boots == 3 and machine.phase is Phase.RUNNING, machine)
        assert len(hub.requests) == seen
        assert machine.installs == 1

    tell(story, style=style)


def test_esxi_fetches_kernel_and_modules() -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        node.machine.power_on()
        await installed(node)
        media = [request for request in hub.requests if request.startswith("/media/")]
        names = ["efi/boot/bootx64.efi", "b.b00", "m1.gz", "m2.gz", "disk.img.gz"]
        assert media == [f"/media/p/{name}" for name in names]

    tell(story, style="esxi")


def test_esxi_on_a_bios_machine_needs_the_efi_override() -> None:
    async def story(node: Node, _hub: ScriptedHub) -> None:
        node.machine.power_on()
        await until(lambda: node.machine.phase is Phase.STOPPED, node.machine)
        assert "exec format error" in node.machine.reason
        boot(node, PXE_EFI, PowerAction.RESET)
        await installed(node)

    tell(story, style="esxi", options=RackOptions(timing=QUICK, firmware=Firmware.BIOS))


def test_an_empty_disk_boots_from_the_network_and_an_unarmed_node_finds_nothing() -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        hub.armed.clear()
        node.machine.power_on()
        await until(lambda: node.machine.phase is Phase.STOPPED, node.machine)
        assert node.machine.reason.startswith("no bootable device")
        assert node.machine.powered
        assert hub.asked("/boot") == 1
        assert node.machine.installs_begun == 0

    tell(story)


def test_network_first_asks_each_time_and_goes_on_to_the_disk() -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        node.machine.power_on()
        await installed(node)
        assert hub.asked("/boot") == 2
        node.machine.reset()
        await until(lambda: node.machine.boots == 3 and node.machine.phase is Phase.RUNNING, node.machine)
        assert hub.asked("/boot") == 3
        assert (node.machine.installs, hub.states()) == (1, ["installing", "installed", "ready"])

    tell(story, options=RackOptions(timing=QUICK, order=BootOrder.NETWORK))


def test_a_one_time_override_serves_one_boot() -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        node.machine.power_on()
        await installed(node)
        boot(node, PXE_ONCE, PowerAction.RESET)
        await until(lambda: hub.asked("/boot") == 2 and node.machine.phase is Phase.RUNNING, node.machine)
        node.machine.reset()
        await until(lambda: node.machine.boots == 4 and node.machine.phase is Phase.RUNNING, node.machine)
        assert hub.asked("/boot") == 2

    tell(story)


def test_overrides_other_than_the_network() -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        machine = node.machine
        boot(node, SETUP_ONCE)
        await until(lambda: machine.phase is Phase.SETUP, machine)
        boot(node, CD_ONCE, PowerAction.RESET)
        await until(lambda: machine.phase is Phase.STOPPED, machine)
        assert "no medium" in machine.reason
        boot(node, DISK_ALWAYS, PowerAction.RESET)
        await until(lambda: machine.boots == 3 and machine.phase is Phase.STOPPED, machine)
        assert "nothing is installed" in machine.reason
        assert hub.requests == []

    tell(story)


def test_power_off_in_mid_install_leaves_no_system() -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        machine = node.machine
        machine.power_on()
        await until(lambda: (machine.percent or 0) >= 30, machine)
        machine.control(PowerAction.OFF)
        seen = len(hub.requests)
        assert (machine.phase, machine.powered, machine.percent, machine.disk) == (Phase.OFF, False, None, None)
        assert machine.installs == 0
        machine.power_on()
        await installed(node)
        assert (machine.installs, machine.installs_begun) == (1, 2)
        assert len(hub.requests) > seen

    tell(story, options=RackOptions(timing=replace(QUICK, install=0.3)))


def test_cycle_and_soft_shutdown() -> None:
    async def story(node: Node, _hub: ScriptedHub) -> None:
        machine = node.machine
        machine.power_on()
        await installed(node)
        machine.control(PowerAction.CYCLE)
        assert node.state()["power"] == "off"
        await until(lambda: machine.powered and machine.phase is Phase.RUNNING, machine)
        machine.control(PowerAction.SOFT)
        assert node.state()["power"] == "on"
        await until(lambda: not machine.powered, machine)
        for action in (PowerAction.SOFT, PowerAction.CYCLE, PowerAction.RESET, PowerAction.OFF):
            machine.control(action)
        assert node.state()["power"] == "off"
        machine.control(PowerAction.DIAGNOSTIC)
        assert "diagnostic interrupt" in texts(machine)

    tell(story)


def test_power_on_hours_count_only_while_it_is_on() -> None:
    async def story(node: Node, _hub: ScriptedHub) -> None:
        machine = node.machine
        assert machine.power_on_seconds == 0
        machine.power_on()
        machine.power_on()
        machine.power_off()
        once = machine.power_on_seconds
        assert once > 0
        assert machine.power_on_seconds == once

    tell(story)


def test_the_hub_is_gone_for_a_moment_in_mid_install() -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        node.machine.power_on()
        await until(lambda: len(hub.reports) >= 3, node.machine)
        await hub.stop()
        await until(lambda: "trying again" in texts(node.machine), node.machine)
        await hub.start()
        await installed(node)
        assert hub.states() == ["installing", "installed", "ready"]
        assert (node.machine.installs, node.machine.installs_begun) == (1, 1)

    tell(story)


def test_a_refused_report_does_not_stop_the_install() -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        hub.refuse_reports = 410
        node.machine.power_on()
        await until(lambda: node.machine.installs == 1, node.machine)
        assert "HTTP status 410" in texts(node.machine)
        assert "token" not in texts(node.machine)
        assert hub.reports == []

    tell(story)


@pytest.mark.parametrize(
    ("missing", "phrase"),
    [
        ("/boot", "no bootable device (network: HTTP status 404"),
        ("/media/p/vmlinuz", "boot script failed at line 2: kernel"),
        ("/media/p/i.gz", "boot script failed at line 3: initrd"),
        ("/deploy/n01/token/answer", "installer: HTTP status 404"),
        ("/media/p/disk.img.gz", "installer: HTTP status 404"),
    ],
)
def test_what_is_missing_stops_the_machine(missing: str, phrase: str) -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        hub.missing.add(missing)
        node.machine.power_on()
        await until(lambda: node.machine.phase is Phase.STOPPED, node.machine)
        assert phrase in node.machine.reason
        assert node.machine.installs == 0
        assert (hub.states() == ["installing", "failed"]) is (missing == "/media/p/disk.img.gz")

    tell(story)


def test_no_hub_at_all() -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        await hub.stop()
        node.machine.power_on()
        await until(lambda: node.machine.phase is Phase.STOPPED, node.machine)
        assert "no answer (ClientConnectorError)" in node.machine.reason

    tell(story, options=RackOptions(timing=replace(QUICK, fetch_patience=0.0)))


def test_installer_hangs() -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        node.machine.power_on()
        await until(lambda: "hangs" in node.machine.reason, node.machine)
        assert node.machine.phase is Phase.INSTALLING
        assert hub.reports[-1] == ("installing", "30")
        node.faults.clear()
        node.machine.reset()
        await installed(node)

    tell(story, "installer_hangs:30")


def test_reboot_loop() -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        boot(node, PXE_ONCE)
        await until(lambda: hub.asked("/boot") >= 3, node.machine)
        assert node.machine.installs == 0
        assert node.machine.installs_begun >= 2
        assert max(int(report[1]) for report in hub.reports) == 50
        node.faults.clear()
        await installed(node)

    tell(story, "reboot_loop")


def test_power_stuck() -> None:
    async def story(node: Node, hub: ScriptedHub) -> None:
        node.machine.control(PowerAction.ON)
        assert not node.machine.powered
        assert node.machine.phase is Phase.OFF
        assert hub.requests == []
        node.faults.clear()
        node.machine.control(PowerAction.ON)
        assert node.machine.powered

    tell(story, "power_stuck")


def test_soft_ignored() -> None:
    async def story(node: Node, _hub: ScriptedHub) -> None:
        node.machine.power_on()
        node.machine.control(PowerAction.SOFT)
        assert "is ignored" in texts(node.machine)
        node.machine.control(PowerAction.OFF)
        assert not node.machine.powered

    tell(story, "soft_ignored")
