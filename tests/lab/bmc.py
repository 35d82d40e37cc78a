# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A machine's BMC: OpenIPMI's ipmi_sim, which has nothing in common with the code under test.

Configuration as in ipmi_lan(5) and ipmi_sim_cmd(5) of OpenIPMI 2.0.33. It speaks IPMI 2.0 with cipher suite 3 only.
"""

from __future__ import annotations

import dataclasses
import sys

from . import machine as chassis_program
from .machine import Machine
from .namespace import Namespace, wait_until
from .requirements import LabError

USER = "admin"
PASSWORD = "secret"
LAN_CONFIG = """\
name "{name}"
set_working_mc 0x20
  startlan 1
    addr {address} 623
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid {guid}
  endlan
  chassis_control "{python} -IS {program} {directory}"
  startnow false
  user 1 true "" "nobody" user 10 none md2 md5 straight
  user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
"""
CONTROLLER_CONFIG = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""


@dataclasses.dataclass(frozen=True)
class Bmc:
    """The BMC of ``machine``, reachable at ``address`` (port 623) inside ``namespace``."""

    machine: Machine
    address: str
    namespace: Namespace

    def start(self) -> None:
        """Start it and return when it answers."""
        directory = self.machine.directory
        state = directory / "bmc"
        state.mkdir()
        spec = self.machine.spec
        (directory / "lan.conf").write_text(
            LAN_CONFIG.format(
                name=spec.name,
                address=self.address,
                guid=spec.uuid.replace("-", ""),
                python=sys.executable,
                program=chassis_program.__file__,
                directory=directory,
                user=USER,
                password=PASSWORD,
            )
        )
        (directory / "controller.emu").write_text(CONTROLLER_CONFIG)
        # fmt: off
        self.namespace.start(
            ["ipmi_sim", "-c", directory / "lan.conf", "-f", directory / "controller.emu", "-s", state, "-n"],
            directory / "bmc.log",
        )
        # fmt: on
        wait_until(self._answers, 10, f"the BMC of {spec.name} (see {directory / 'bmc.log'})")

    def _answers(self) -> bool:
        return self.namespace.run([*self._ipmitool(), "-N", "1", "-R", "1", "mc", "info"]).returncode == 0

    def ipmitool(self, *words: str) -> str:
        """What ``ipmitool`` prints for a command; LabError if it fails."""
        done = self.namespace.run([*self._ipmitool(), *words])
        if done.returncode:
            raise LabError(f"ipmitool {' '.join(words)} on {self.machine.spec.name}: {done.stderr.strip()}")
        return done.stdout

    def _ipmitool(self) -> list[str]:
        # Cipher suite 3 is named since ipmi_sim does not list its suites and ipmitool would ask for ten seconds.
        return ["ipmitool", "-I", "lanplus", "-C", "3", "-H", self.address, "-U", USER, "-P", PASSWORD]

    def ipmipower(self, *words: str) -> str:
        """What FreeIPMI's ``ipmipower`` prints for a command; LabError if it fails."""
        # opensesspriv: ipmi_sim names no privilege level in its Open Session Response.
        options = ["-D", "LAN_2_0", "-I", "3", "-W", "opensesspriv", "--session-timeout", "10000"]
        command = ["ipmipower", *options, "-h", self.address, "-u", USER, "-p", PASSWORD, *words]
        done = self.namespace.run(command)
        if done.returncode:
            raise LabError(f"ipmipower {' '.join(words)} on {self.machine.spec.name}: {done.stdout}{done.stderr}")
        return done.stdout
