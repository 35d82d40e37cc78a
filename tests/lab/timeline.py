# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens in the lab, as it happens: the logs of playbook, BMCs, DHCP and serial lines, in a reader's words."""

from __future__ import annotations

import dataclasses
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from .rig import SITES, Rig

CONTROL = re.compile(r"\x1b\[[0-9;?=]*[A-Za-z]|\x1bc|[\x00-\x08\x0b-\x1f]")
BY_ADDRESS = {key: site.spec.name for site in SITES for key in (site.spec.mac, site.address)}

CHASSIS = {
    r"boot (\S+)": "BMC: next boot from {0}",
    r"power 1 override (\S+)": "BMC: power on (boot override: {0})",
    r"power 0": "BMC: power off",
    r"reset 1": "BMC: reset",
    r"shutdown 1": "BMC: power button",
}
SERIAL = {
    r"iPXE initialising devices": "iPXE starts",
    r"/boot\.\.\. ok": "iPXE: boot script from the hub",
    r"Booting from SAN device": "iPXE: the hub says to boot the own disk",
    r"/vmlinuz\.\.\. ok": "iPXE: kernel from the hub",
    r"INSTALLER\S+ answer file: (.*)": "installer: answer file, {0}",
    r"INSTALLER\S+ reporting state=installing&percent=(\d+)": "installer: {0} %",
    r"INSTALLER\S+ reporting state=installed": "installer: installed, restarts",
    r"INSTALLER\S+ FAILED (.*)": "installer: FAILED: {0}",
    r"SYSTEM\S+ BOOTED FROM DISK \S+ boot count (\d+) firmware (\w+)": "system: booted from disk by {1}, boot {0}",
    r"SYSTEM\S+ (ready|the hub took no report)": "system: {0}",
    r"(SHUTTING DOWN.*)": "system: {0}",
}
DHCP = {
    r"DHCPACK\(br0\) (\S+) (\S+)": "DHCP: {0}",
    r"sent \S+/(\S+) to (\S+)": "TFTP: {0}",
}
PLAYBOOK = {
    r"^\d\d:\d\d:\d\d (.*)": "playbook: {0}",
    r"^(fatal: .*)": "playbook: {0}",
}
"""Pattern in a line of that log to what it means; in DHCP's the second group says whose line it is."""


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened: seconds since the timeline began, the machine, in words."""

    seconds: float
    machine: str
    text: str


class Source:
    """One log, read from where it was left. ``machine``: whose log it is; None if its lines say."""

    def __init__(self, path: Path, rules: dict[str, str], machine: str | None) -> None:
        self._path = path
        self._rules = {re.compile(pattern): text for pattern, text in rules.items()}
        self._machine = machine
        self._offset = 0

    def news(self) -> Iterator[tuple[str, str]]:
        """Machine and text of every event in the complete lines since the last call."""
        if not self._path.exists():
            return
        with self._path.open("rb") as log:
            log.seek(self._offset)
            block, _newline, _rest = log.read().rpartition(b"\n")
        self._offset += len(block)
        for line in block.decode(errors="replace").splitlines():
            yield from self._events(CONTROL.sub("", line))

    def _events(self, line: str) -> Iterator[tuple[str, str]]:
        for pattern, text in self._rules.items():
            match = pattern.search(line)
            if match:
                machine = BY_ADDRESS.get(match[2], match[2]) if self._machine is None else self._machine
                yield machine, text.format(*match.groups())
                return


class Timeline:
    """Use it as a context: inside, every event goes to ``tell`` soon after it happened."""

    def __init__(self, rig: Rig, tell: Callable[[Event], None]) -> None:
        self._began = time.monotonic()
        self._tell = tell
        self._last: dict[str, str] = {}
        self._sources = [Source(rig.playbook_log, PLAYBOOK, ""), Source(rig.dhcp.log, DHCP, None)]
        for name, machine in rig.machines.items():
            self._sources += [
                Source(machine.chassis_log, CHASSIS, name),
                Source(machine.serial_log, SERIAL, name),
            ]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Timeline:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def say(self, text: str) -> None:
        """An event of our own making."""
        self._tell(Event(time.monotonic() - self._began, "", text))

    def _watch(self) -> None:
        while True:
            last_round = self._stop.wait(0.2)
            for source in self._sources:
                for machine, text in source.news():
                    self._pass_on(machine, text)
            if last_round:
                return

    def _pass_on(self, machine: str, text: str) -> None:
        # Firmware, boot loader and system each ask DHCP, and some twice: once is enough to read.
        if self._last.get(machine) != text:
            self._last[machine] = text
            self._tell(Event(time.monotonic() - self._began, machine, text))
