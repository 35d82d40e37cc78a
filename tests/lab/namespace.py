# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A network namespace with the machines' network in it, and the processes that run there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .requirements import LabError

PREFIX = "stage0-lab-"
HUB_ADDRESS = "10.99.0.1"
NETMASK = "255.255.255.0"


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Return when ``condition()`` is true; LabError, naming ``what``, if it is not within ``seconds``."""
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            raise LabError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.1)


class Namespace:
    """The namespace: bridge ``br0`` with the hub's address and one tap a machine; BMC addresses stand on ``lo``."""

    def __init__(self) -> None:
        self.name = f"{PREFIX}{os.getpid()}"
        self._processes: list[subprocess.Popen[bytes]] = []

    def create(self, taps: Sequence[str], bmc_addresses: Sequence[str]) -> None:
        """Make the namespace and all its interfaces; sweeps away what a killed run left."""
        sweep()
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        lines = [
            "link set lo up",
            # A bridge that learns for 15 s swallows the first DHCP tries of every boot.
            "link add name br0 type bridge forward_delay 0",
            f"addr add {HUB_ADDRESS}/24 dev br0",
            "addr add fd99::1/64 dev br0 nodad",
            "link set br0 up",
            # A member that is always up keeps the bridge's carrier while no machine runs.
            "link add carrier0 type veth peer name carrier1",
            "link set carrier0 master br0 up",
            "link set carrier1 up",
            *(f"tuntap add dev {tap} mode tap" for tap in taps),
            *(f"link set {tap} master br0 up" for tap in taps),
            *(f"addr add {address}/32 dev lo" for address in bmc_addresses),
        ]
        batch = "\n".join(lines) + "\n"
        subprocess.run(["ip", "-n", self.name, "-batch", "-"], input=batch.encode(), check=True)

    def command(self, arguments: Sequence[str | Path]) -> list[str]:
        """The command line that runs ``arguments`` inside."""
        return ["ip", "netns", "exec", self.name, *map(str, arguments)]

    def run(
        self, arguments: Sequence[str | Path], *, env: Mapping[str, str] | None = None, timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside to its end; the caller looks at its return code."""
        return subprocess.run(
            self.command(arguments),
            env=env,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(
        self, arguments: Sequence[str | Path], log: Path, *, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a process inside, with a session of its own; its output goes to ``log``; :meth:`destroy` stops it."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                self.command(arguments),
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def destroy(self) -> None:
        """Stop every process in the namespace, by its id, and remove it. Safe to call twice."""
        _remove(self.name)
        for process in self._processes:
            process.wait()
        self._processes.clear()


def sweep() -> None:
    """Remove the namespaces of lab runs that were killed before they could clean up."""
    names = subprocess.run(["ip", "netns", "list"], check=True, capture_output=True, text=True).stdout
    for match in re.finditer(rf"^{PREFIX}(\d+)\b", names, re.MULTILINE):
        if not Path("/proc", match[1]).exists():
            _remove(match[0])


def _remove(name: str) -> None:
    if not Path("/run/netns", name).exists():
        return
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        give_up = time.monotonic() + 5
        for pid in _pids(name):
            _signal(pid, signal_number)
        while _pids(name) and time.monotonic() < give_up:
            time.sleep(0.05)
    subprocess.run(["ip", "netns", "delete", name], check=True)


def _pids(name: str) -> list[int]:
    listed = subprocess.run(["ip", "netns", "pids", name], check=True, capture_output=True, text=True).stdout
    return [int(pid) for pid in listed.split()]


def _signal(pid: int, signal_number: signal.Signals) -> None:
    try:
        os.kill(pid, signal_number)
    except ProcessLookupError:
        return  # it ended by itself meanwhile
