# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the way of a machine over the network: boot script, loader, installer, reports.

Wire formats: the hub's HTTP interface (docs of the hub); iPXE scripts in :mod:`ipxe`; boot.cfg and answer files in
:mod:`loaders`. The installer is any installer: it reads the answer file, reports, writes the disk, reboots.
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlencode, urljoin

from .client import HttpClient, HttpFailure, Patience
from .faults import Fault
from .ipxe import Outcome, ScriptError, Shell, Way
from .loaders import Answer, LoadError, load, parse_answer
from .machine import BootFailure, Halt, InstalledSystem, Machine, Phase, Reboot


class BootWay:
    """Network boot and reports of all machines of a rack. ``hub``: its URL, or None if there is no hub."""

    def __init__(self, hub: str | None, client: HttpClient) -> None:
        self._hub = hub.rstrip("/") + "/" if hub else None
        self._client = client

    async def network_boot(self, machine: Machine, efi: bool) -> None:
        """Ask for the boot script and do what it says. Raises BootFailure, Halt or Reboot."""
        if self._hub is None:
            raise BootFailure("network: no boot server answers (the simulator was started without a hub)")
        patience = Patience(machine.timing.fetch_patience, machine.log)
        identity = machine.identity
        query = urlencode({"mac": identity.mac, "uuid": str(identity.system)}, safe=":")
        url = urljoin(self._hub, f"boot?{query}")
        try:
            script = await self._client.text(url, patience)
            machine.log("boot script fetched")
            outcome = await self._shell(machine, efi, patience).run(url, script)
        except (HttpFailure, ScriptError) as why:
            raise BootFailure(f"network: {why}") from None
        await self._follow(machine, outcome, efi, patience)

    async def start_system(self, machine: Machine) -> None:
        """What an installed system does at its start: say once that it is ready."""
        disk = machine.disk
        if disk is None or disk.reported_ready or disk.report is None:
            return
        disk.reported_ready = await self._report(machine, disk.report, state="ready")

    def _shell(self, machine: Machine, efi: bool, patience: Patience) -> Shell:
        async def fetch(url: str) -> bytes | None:
            try:
                found = await self._client.fetch(url, patience)
            except HttpFailure as why:
                machine.log(f"network: {why}")
                return None
            machine.log(f"fetched {url.rsplit('/', 1)[-1]} ({found.size} bytes)")
            return found.start

        identity = machine.identity
        variables = {
            "platform": "efi" if efi else "pcbios",
            "buildarch": "x86_64" if efi else "i386",
            "net0/mac": identity.mac,
            "mac": identity.mac,
            "uuid": str(identity.system),
            "serial": identity.serial,
        }
        return Shell(variables, fetch, disk=lambda: machine.disk is not None)

    async def _follow(self, machine: Machine, outcome: Outcome, efi: bool, patience: Patience) -> None:
        if outcome.way is not Way.BOOT or outcome.kernel is None:
            # sanboot and exit alike lead to the next boot device, the disk
            raise BootFailure("network: the boot script says to boot the local disk")

        async def text(url: str) -> str:
            return await self._client.text(url, patience)

        async def fetch(url: str) -> object:
            return await self._client.fetch(url, patience)

        try:
            url = await load(outcome.kernel, efi, text, fetch)
        except (HttpFailure, LoadError) as why:
            raise BootFailure(f"boot loader: {why}") from None
        machine.log("installer started")
        try:
            answer = parse_answer(await text(url))
        except HttpFailure as why:
            raise Halt(f"installer: {why}") from None
        machine.log("answer file fetched")
        await self._install(machine, answer)

    async def _install(self, machine: Machine, answer: Answer) -> None:
        machine.enter(Phase.INSTALLING)
        machine.installs_begun += 1
        # from here on whatever was on the disk is gone, also if the power fails half way
        machine.disk = None
        await self._tell(machine, answer, state="installing", percent=0)
        if answer.image is not None:
            await self._fetch_image(machine, answer, answer.image)
        steps = max(machine.timing.report_steps, 1)
        for step in range(1, steps + 1):
            await asyncio.sleep(machine.timing.install / steps)
            machine.percent = step * 100 // steps
            await self._misfortune(machine)
            await self._tell(machine, answer, state="installing", percent=machine.percent)
        machine.installs += 1
        machine.disk = InstalledSystem(answer.hostname, answer.text, answer.report, time.time())
        machine.log("disk written")
        await self._tell(machine, answer, state="installed")
        raise Reboot("installation finished")

    async def _fetch_image(self, machine: Machine, answer: Answer, url: str) -> None:
        try:
            await self._client.fetch(url, Patience(machine.timing.fetch_patience, machine.log))
        except HttpFailure as why:
            await self._tell(machine, answer, state="failed", message=str(why))
            raise Halt(f"installer: {why}") from None

    async def _misfortune(self, machine: Machine) -> None:
        done = machine.percent or 0
        hang = machine.faults.value(Fault.INSTALLER_HANGS)
        if hang is not None and done > hang:
            machine.reason = f"the installer hangs at {hang:g} percent"
            machine.log(machine.reason)
            await asyncio.Event().wait()
        loop = machine.faults.value(Fault.REBOOT_LOOP)
        if loop is not None and done > loop:
            raise Reboot(f"out of the installer, at {loop:g} percent")

    async def _tell(self, machine: Machine, answer: Answer, **what: str | int) -> None:
        if answer.report is not None:
            await self._report(machine, answer.report, **what)

    async def _report(self, machine: Machine, url: str, **what: str | int) -> bool:
        """Report; repeat while no hub answers. A refusal is noted and the machine goes on, as installers do."""
        said = " ".join(str(value) for value in what.values())
        try:
            await self._client.text(f"{url}?{urlencode(what)}", Patience(machine.timing.report_patience, machine.log))
        except HttpFailure as why:
            machine.log(f"report {said!r} failed: {why}")
            return False
        machine.log(f"reported {said}")
        return True
