# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rig: namespace, machines with their BMCs, DHCP server; everything it starts it stops."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from . import kernel, media, requirements
from .bmc import Bmc
from .dhcp import DhcpServer
from .machine import Machine, MachineSpec
from .namespace import Namespace

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".build" / "lab"


@dataclasses.dataclass(frozen=True)
class Site:
    """A machine's place in the lab: what it is made of, its address, its BMC's address."""

    spec: MachineSpec
    address: str
    bmc_address: str


def _site(number: int, firmware: str, boot_order: tuple[str, ...]) -> Site:
    spec = MachineSpec(
        name=f"lab{number}",
        firmware=firmware,
        mac=f"52:54:00:99:00:{number:02x}",
        tap=f"tap{number}",
        uuid=f"11112222-3333-4444-5555-6666000000{number:02x}",
        serial=f"SN{number:04d}",
        boot_order=boot_order,
    )
    return Site(spec, f"10.99.0.{10 + number}", f"10.98.0.{10 + number}")


SITES = (
    # Asks the network first at every boot: only the hub keeps it from being installed for ever.
    _site(1, "bios", ("net0", "disk0")),
    # Boots its disk unless told otherwise: under UEFI, iPXE cannot hand over to the disk.
    _site(2, "uefi", ("disk0", "net0")),
)


class Rig:
    """Use it as a context: inside, BMCs answer, machines are off, DHCP is ready to be configured."""

    def __init__(self) -> None:
        requirements.check()
        self.media = media.build(kernel.obtain(CACHE), CACHE)
        self.directory = Path(tempfile.mkdtemp(prefix="stage0-lab-"))
        self.playbook_log = self.directory / "playbook.log"
        self.namespace = Namespace()
        self.dhcp = DhcpServer(self.directory / "dhcp")
        self.machines = {site.spec.name: Machine.create(self.directory / site.spec.name, site.spec) for site in SITES}
        self.bmcs = {
            site.spec.name: Bmc(self.machines[site.spec.name], site.bmc_address, self.namespace) for site in SITES
        }

    def __enter__(self) -> Rig:
        try:
            self.namespace.create([site.spec.tap for site in SITES], [site.bmc_address for site in SITES])
            for bmc in self.bmcs.values():
                bmc.start()
        except BaseException:
            self.close(keep=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Who interrupts it does not look for a fault.
        self.close(keep=isinstance(error, Exception))

    def close(self, *, keep: bool) -> None:
        """Stop everything; the directory with the logs stays if ``keep``."""
        self.namespace.destroy()
        if not keep:
            shutil.rmtree(self.directory)

    def logs(self, lines: int = 25) -> str:
        """The last lines of every log, for whoever must find out why it went wrong."""
        parts = []
        for log in sorted(self.directory.rglob("*.log")):
            text = log.read_text(errors="replace").replace("\r", "")
            tail = "\n".join(text.splitlines()[-lines:])
            parts.append(f"--- {log} (last {lines} lines)\n{tail}\n")
        return "\n".join(parts)
