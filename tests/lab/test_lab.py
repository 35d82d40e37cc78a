# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One playbook takes two bare machines, one BIOS and one UEFI, to installed hosts; again changes nothing.

The stages are fixtures, each built on the one before, which keep what was to be seen at their end; so the tests only
look, and any of them can be run alone.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Generic, TypeVar

import pytest

from . import disk
from .controller import PlaybookRun
from .rig import SITES
from .scenario import Observation, Scenario

NAMES = [site.spec.name for site in SITES]
Done = TypeVar("Done")
TOOLS = {"power_info", "ipmitool", "ipmipower", "qemu"}


@dataclasses.dataclass(frozen=True)
class Stage(Generic[Done]):
    """What a stage did, and the machines at its end."""

    done: Done
    machines: dict[str, Observation]


@pytest.fixture(scope="module")
def described(scenario: Scenario) -> Stage[None]:
    """Nodes, profile, DHCP and hub are there; the machines are off."""
    assert all(disk.is_empty(machine) for machine in scenario.rig.machines.values())
    scenario.describe()
    return Stage(None, scenario.observe())


@pytest.fixture(scope="module")
def installed(described: Stage[None], scenario: Scenario) -> Stage[PlaybookRun]:
    """The playbook ran once."""
    run = scenario.provision()
    assert run.failed == 0, run.output
    return Stage(run, scenario.observe())


@pytest.fixture(scope="module")
def repeated(installed: Stage[PlaybookRun], scenario: Scenario) -> Stage[PlaybookRun]:
    """The playbook ran a second time."""
    run = scenario.provision()
    assert run.failed == 0, run.output
    return Stage(run, scenario.observe())


@pytest.fixture(scope="module")
def cycled(repeated: Stage[PlaybookRun], scenario: Scenario) -> Stage[dict[str, Any]]:
    """The power of all machines was cycled."""
    return Stage(scenario.cycle(), scenario.observe())


@pytest.fixture(scope="module")
def reinstalled(cycled: Stage[dict[str, Any]], scenario: Scenario) -> Stage[PlaybookRun]:
    """The machines were installed anew, although playbook and hub were killed meanwhile."""
    run = scenario.reinstall_through_crashes()
    assert run.failed == 0, run.output
    return Stage(run, scenario.observe())


@pytest.fixture(scope="module")
def shut_down(reinstalled: Stage[PlaybookRun], scenario: Scenario) -> Stage[dict[str, Any]]:
    """The systems were asked to shut themselves down."""
    return Stage(scenario.shut_down(), scenario.observe())


def agreed_power(machines: dict[str, Observation]) -> dict[str, str]:
    """What all tools say of each machine's power; fails where they differ."""
    for name, seen in machines.items():
        assert set(seen.power) == TOOLS
        assert len(set(seen.power.values())) == 1, f"{name}: {seen.power}"
    return {name: seen.power["power_info"] for name, seen in machines.items()}


def test_all_tools_agree_that_the_machines_are_off_before(described: Stage[None]) -> None:
    assert agreed_power(described.machines) == dict.fromkeys(NAMES, "off")


def test_all_tools_agree_that_the_machines_are_on_after(installed: Stage[PlaybookRun]) -> None:
    assert agreed_power(installed.machines) == dict.fromkeys(NAMES, "on")


def test_the_playbook_installs_the_machines(installed: Stage[PlaybookRun]) -> None:
    assert installed.done.changed > 0
    assert {name: seen.deployment for name, seen in installed.machines.items()} == dict.fromkeys(NAMES, "ready")


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.spec.firmware)
class TestDisk:
    """What is on the disk, and how the machine came up from it."""

    def test_it_holds_what_was_served(self, installed: Stage[PlaybookRun], scenario: Scenario, site: Any) -> None:
        machine = scenario.rig.machines[site.spec.name]
        assert disk.boots_itself(machine)
        assert disk.read(machine, "vmlinuz") == (scenario.rig.media / "vmlinuz").read_bytes()
        assert disk.read(machine, "stage0/hostname") == f"{site.spec.name}\n".encode()

    def test_it_was_booted_once(self, installed: Stage[PlaybookRun], site: Any) -> None:
        seen = installed.machines[site.spec.name]
        assert seen.boots == 1
        expected = f"BOOTED FROM DISK {site.spec.name} boot count 1 firmware {site.spec.firmware}"
        assert seen.serial_log.count(expected) == 1

    def test_it_was_written_once(self, installed: Stage[PlaybookRun], site: Any) -> None:
        assert installed.machines[site.spec.name].serial_log.count("reporting state=installed") == 1


def test_uefi_firmware_loads_ipxe_by_tftp(installed: Stage[PlaybookRun], scenario: Scenario) -> None:
    assert "/snponly.efi to 10.99.0.12" in scenario.rig.dhcp.log.read_text()


def test_the_second_run_changes_nothing(repeated: Stage[PlaybookRun]) -> None:
    assert repeated.done.changed == 0, repeated.done.output


def test_the_second_run_touches_no_machine(installed: Stage[PlaybookRun], repeated: Stage[PlaybookRun]) -> None:
    # Process, boot count, power, deployment and not one character more on the serial line.
    assert repeated.machines == installed.machines


def test_an_unchanged_dhcp_configuration_restarts_nothing(cycled: Stage[dict[str, Any]], scenario: Scenario) -> None:
    result = scenario.configure_dhcp()
    assert (result["changed"], result["restarted"]) == (False, False)
    assert scenario.rig.dhcp.starts() == 1


def test_all_tools_agree_that_the_machines_are_on_after_the_power_cycle(cycled: Stage[dict[str, Any]]) -> None:
    assert agreed_power(cycled.machines) == dict.fromkeys(NAMES, "on")


def test_a_power_cycle_is_a_change_of_every_machine(
    repeated: Stage[PlaybookRun], cycled: Stage[dict[str, Any]]
) -> None:
    assert cycled.done["changed"] is True
    for name in NAMES:
        assert cycled.machines[name].qemu_pid != repeated.machines[name].qemu_pid


def test_after_a_power_cycle_the_machines_boot_from_disk(cycled: Stage[dict[str, Any]]) -> None:
    assert {name: seen.boots for name, seen in cycled.machines.items()} == dict.fromkeys(NAMES, 2)
    assert {name: seen.deployment for name, seen in cycled.machines.items()} == dict.fromkeys(NAMES, "ready")


def test_after_a_power_cycle_nothing_is_installed(repeated: Stage[PlaybookRun], cycled: Stage[dict[str, Any]]) -> None:
    for name in NAMES:
        news = cycled.machines[name].serial_log.removeprefix(repeated.machines[name].serial_log)
        assert "BOOTED FROM DISK" in news
        assert "INSTALLER" not in news


def test_a_machine_that_asks_the_hub_is_told_to_boot_its_disk(
    repeated: Stage[PlaybookRun], cycled: Stage[dict[str, Any]]
) -> None:
    asks = next(site.spec for site in SITES if site.spec.boot_order[0] == "net0")
    news = cycled.machines[asks.name].serial_log.removeprefix(repeated.machines[asks.name].serial_log)
    assert "/boot... ok" in news
    assert "Booting from SAN device 0x80" in news


def test_an_install_survives_the_death_of_hub_and_playbook(reinstalled: Stage[PlaybookRun]) -> None:
    assert {name: seen.deployment for name, seen in reinstalled.machines.items()} == dict.fromkeys(NAMES, "ready")
    # The disk was written anew, and so was the count on it.
    assert {name: seen.boots for name, seen in reinstalled.machines.items()} == dict.fromkeys(NAMES, 1)


def test_the_playbook_after_the_crash_continues_and_installs_nothing_twice(
    cycled: Stage[dict[str, Any]], reinstalled: Stage[PlaybookRun]
) -> None:
    assert reinstalled.done.changed == 0, reinstalled.done.output
    for name in NAMES:
        news = reinstalled.machines[name].serial_log.removeprefix(cycled.machines[name].serial_log)
        assert news.count("reporting state=installed") == 1


def test_a_shutdown_is_done_by_the_system(shut_down: Stage[dict[str, Any]]) -> None:
    assert agreed_power(shut_down.machines) == dict.fromkeys(NAMES, "off")
    for name in NAMES:
        assert shut_down.done["nodes"][name]["forced"] is False
        assert "SHUTTING DOWN on the power button" in shut_down.machines[name].serial_log


def test_what_is_off_is_not_shut_down_again(shut_down: Stage[dict[str, Any]], scenario: Scenario) -> None:
    assert scenario.shut_down()["changed"] is False


def test_the_lamps_are_lit(shut_down: Stage[dict[str, Any]], scenario: Scenario) -> None:
    assert shut_down
    result = scenario.light()
    assert {name: node["after"] for name, node in result["nodes"].items()} == {
        key: {"lamp": "on", "seconds": 60} for key in NAMES
    }
    assert {name: machine.lamp() for name, machine in scenario.rig.machines.items()} == dict.fromkeys(NAMES, "60 s")
