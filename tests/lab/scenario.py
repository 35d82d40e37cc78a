# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a user does with the lab: describe it, install it, do it again, cycle the power; and what is to be seen then."""

from __future__ import annotations

import csv
import dataclasses
import re
from functools import partial
from pathlib import Path
from typing import Any

from . import disk
from .bmc import PASSWORD, USER
from .controller import HUB_URL, Controller, PlaybookRun
from .dhcp import EXTRA_LINES, TFTP_ROOT
from .namespace import HUB_ADDRESS, NETMASK, wait_until
from .rig import ROOT, SITES, Rig

GROUP = "lab"
PROFILE = "lab"
PLAYBOOK = "stage0.metal.provision"
ANSWER_TEMPLATE = ROOT / "roles" / "deploy" / "templates" / "lab.answer.j2"


@dataclasses.dataclass(frozen=True)
class Observation:
    """A machine at one moment. ``power``: on or off, by each of the tools that one can ask."""

    power: dict[str, str]
    qemu_pid: int | None
    boots: int
    deployment: str
    serial_log: str


class Scenario:
    """The steps, in the order of the methods; none of them is done twice by itself."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.controller = Controller(rig)

    def describe(self) -> None:
        """Nodes, profile and DHCP into the collection's hands; the hub up."""
        self.controller.module("node_import", path=str(self._node_list()))
        self.controller.module(
            "profile",
            name=PROFILE,
            installer="lab",
            media=str(self.rig.media),
            kernel="vmlinuz",
            initrd=["installer.gz"],
            kernel_arguments=["console=ttyS0,115200", "quiet"],
            answer_file=str(ANSWER_TEMPLATE),
        )
        self.controller.start_hub()
        self.configure_dhcp()

    def _node_list(self) -> Path:
        path = self.controller.directory / "nodes.csv"
        rows = [
            {
                "name": site.spec.name,
                "groups": GROUP,
                "bmc.address": site.bmc_address,
                "bmc.user": USER,
                "bmc.password": PASSWORD,
                "net.mac": site.spec.mac,
                "net.ip": site.address,
                "net.netmask": NETMASK,
                "net.gateway": HUB_ADDRESS,
                "system.uuid": site.spec.uuid,
                "system.serial": site.spec.serial,
                "boot.firmware": site.spec.firmware,
                "deploy.profile": PROFILE,
            }
            for site in SITES
        ]
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        return path

    def configure_dhcp(self) -> dict[str, Any]:
        """Let our module write dnsmasq's file and restart it if it changed; the module's result."""
        return self.controller.module(
            "dhcp_config",
            path=str(self.rig.dhcp.config),
            interfaces=["br0"],
            subnets=[{"network": "10.99.0.0/24", "gateway": HUB_ADDRESS}],
            hub_url=HUB_URL,
            tftp_root=str(TFTP_ROOT),
            extra=list(EXTRA_LINES),
            restart_command=self.rig.dhcp.restart_command,
        )

    def provision(self) -> PlaybookRun:
        """Run the playbook over the group, and let the machines come to rest."""
        run = self.controller.playbook(PLAYBOOK, metal_nodes=GROUP).finish()
        if not run.failed:
            self._await_systems({name: disk.boots(machine) for name, machine in self.rig.machines.items()})
        return run

    def cycle(self) -> dict[str, Any]:
        """Cycle the power of all nodes and wait until their systems are up again; the module's result."""
        expected = {name: disk.boots(machine) + 1 for name, machine in self.rig.machines.items()}
        result = self.controller.module("power", nodes=[GROUP], state="cycle")
        self._await_systems(expected)
        return result

    def reinstall_through_crashes(self) -> PlaybookRun:
        """Have all nodes installed anew; amid that, kill playbook and hub; start both again. How the second playbook ended."""
        marks = {name: len(self._serial(name)) for name in self.rig.machines}

        def said(words: str) -> list[str]:
            return [name for name, mark in marks.items() if words in self._serial(name)[mark:]]

        first = self.controller.playbook(PLAYBOOK, metal_nodes=GROUP, metal_reinstall=True)
        # From here on the machines need no firmware, which does not ask twice: only our installer and system, which do.
        wait_until(lambda: len(said("answer file: ")) == len(marks), 120, "the installers")
        first.kill()
        self.controller.kill_hub()
        wait_until(lambda: said("] no http://"), 60, "a machine to miss the hub")
        self.controller.start_hub()
        return self.provision()

    def shut_down(self) -> dict[str, Any]:
        """Have the systems of all nodes shut themselves down; the module's result."""
        return self.controller.module("power", nodes=[GROUP], state="shutdown", wait_timeout=60)

    def light(self) -> dict[str, Any]:
        """Light the lamps of all nodes for a minute; the module's result."""
        return self.controller.module("identify", nodes=[GROUP], duration=60)

    def _await_systems(self, boots: dict[str, int]) -> None:
        """Wait until each machine's system has booted that often from its disk and has told the hub, or tried to."""
        for name, count in boots.items():
            told = re.compile(
                rf"boot count {count} (?!.*boot count).*SYSTEM\S+ (ready|the hub took no report)", re.DOTALL
            )
            wait_until(partial(self._serial_has, name, told), 120, f"{name} to be up, at its boot {count} from disk")

    def _serial_has(self, name: str, pattern: re.Pattern[str]) -> bool:
        return bool(pattern.search(self._serial(name)))

    def observe(self) -> dict[str, Observation]:
        """All machines as they are now."""
        ours = self.controller.module("power_info", nodes=[GROUP])["nodes"]
        deployments = self.controller.module("deployment_info", nodes=[GROUP])["nodes"]
        return {
            name: Observation(
                power={
                    "power_info": ours[name]["power"],
                    "ipmitool": self.rig.bmcs[name].ipmitool("chassis", "power", "status").split()[-1],
                    "ipmipower": self.rig.bmcs[name].ipmipower("--stat").split()[-1],
                    "qemu": "on" if machine.pid() else "off",
                },
                qemu_pid=machine.pid(),
                boots=disk.boots(machine),
                deployment=(deployments[name] or {"state": "none"})["state"],
                serial_log=self._serial(name),
            )
            for name, machine in self.rig.machines.items()
        }

    def _serial(self, name: str) -> str:
        return self.rig.machines[name].serial_log.read_text(errors="replace")
