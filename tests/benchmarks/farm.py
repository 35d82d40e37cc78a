# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The farm of BMCs (bmcsim/) in a network namespace of its own, which goes away with it: port 623 here stays free."""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from .measure import ROOT, Usage, check, child, environment

SOURCE = Path(__file__).parent / "bmcsim"
PROGRAM = ROOT / ".build" / "bmcsim" / "bmcsim"
PATIENCE = 30
"""Seconds that the farm has to come up, and to answer."""
PER_NET = 250
IN_NAMESPACE = 'ip link set lo up && exec "$0" "$@"'


def build() -> Path:
    """Compile the farm if it is older than its source; return the program."""
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(["make", "-C", str(SOURCE), f"OUT={PROGRAM}"], capture_output=True, text=True, check=False)
    check(made.returncode == 0, f"the farm cannot be built; it needs gcc, make and libssl-dev: {made.stderr[-2000:]}")
    return PROGRAM


def need_root() -> None:
    """End the run with one sentence if there can be no namespace."""
    if os.geteuid() != 0:
        raise SystemExit("this benchmark runs as root: its BMCs answer on port 623 in a network namespace of their own")


def addresses(count: int) -> list[str]:
    """Return the addresses of the first ``count`` BMCs."""
    return [f"127.1.{number // PER_NET}.{number % PER_NET + 1}" for number in range(count)]


def freeipmi(name: str) -> str:
    """Return the path of one of FreeIPMI's programs."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None:
        raise SystemExit(f"{name} is not installed; Debian's package is freeipmi-tools")
    return found


def hosts(first: int, count: int) -> str:
    """Return ``count`` BMCs from the first of a network on, as all of FreeIPMI's programs take them."""
    nets = range(first // PER_NET, (first + count - 1) // PER_NET + 1)
    return ",".join(f"127.1.{net}.[1-{min(PER_NET, first + count - net * PER_NET)}]" for net in nets)


class Farm:
    """``with Farm(1000, "--loss", "5") as farm:`` 1,000 BMCs, of which ``farm.inside(command)`` can ask."""

    def __init__(self, count: int, *options: str) -> None:
        self.count, self._options = count, options
        self._folder = Path()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        need_root()
        program = build()
        self._folder = Path(tempfile.mkdtemp(prefix="stage0-farm-"))
        farm = [str(program), "--count", str(self.count), "--control", str(self._folder / "control"), *self._options]
        command = ["unshare", "--net", "setpriv", "--pdeathsig", "TERM", "sh", "-c", IN_NAMESPACE, *farm]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.__exit__()
            raise
        return self

    @staticmethod
    def _wait_until_ready(process: subprocess.Popen[str]) -> None:
        if process.stdout is None or process.stderr is None:
            raise RuntimeError("started without pipes")
        ready, _writable, _failed = select.select([process.stdout], [], [], PATIENCE)
        said = process.stdout.readline() if ready else ""
        if not said.startswith("bmcsim:"):
            process.kill()
            raise SystemExit(f"the farm does not start: {process.stderr.read()[-500:]}")

    def __exit__(self, *_exception: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=PATIENCE)
        shutil.rmtree(self._folder, ignore_errors=True)

    def inside(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs ``command`` where the BMCs are."""
        if self._process is None:
            raise RuntimeError("the farm does not run")
        return ["nsenter", f"--net=/proc/{self._process.pid}/ns/net", *command]

    def control(self, words: str) -> str:
        """Send a command (bmcsim/README.md lists them) and return the answer."""
        mine = self._folder / "asker"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asker:
            asker.bind(str(mine))
            try:
                asker.settimeout(PATIENCE)
                asker.sendto(words.encode(), str(self._folder / "control"))
                answer = asker.recv(4096).decode()
            finally:
                mine.unlink()
        check(not answer.startswith("error"), f"the farm does not know {words!r}: {answer}")
        return answer

    def summary(self) -> dict[str, Any]:
        """Return what the farm as a whole saw and took."""
        found: dict[str, Any] = json.loads(self.control("summary"))
        return found

    def drive(
        self, folder: Path, verb: str, count: int, *, deadline: float = 60, tries: int = 3
    ) -> tuple[Usage, dict[str, Any]]:
        """Run engine.py over the first ``count`` BMCs; return what its process took, and what it printed."""
        output = folder / f"{verb}.json"
        words = [verb, str(count), str(deadline), str(tries)]
        command = self.inside([sys.executable, "-m", "tests.benchmarks.engine", *words])
        whole = child(command, environment(folder), output)
        found: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
        return whole, found

    def cpu(self) -> float:
        """Return the seconds of CPU that the farm has used."""
        found = self.summary()
        return float(found["user"] + found["system"])

    def statistics(self) -> dict[str, dict[str, Any]]:
        """Return by address what each BMC saw."""
        path = self._folder / "statistics"
        self.control(f"statistics {path}")
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return {line["bmc"]: line for line in lines}

    def quiet(self, seconds: float = 10.0) -> None:
        """Return when no packet has come for half a second: what a client left behind does not count for the next."""
        end, before = time.monotonic() + seconds, -1
        while time.monotonic() < end:
            received = self.summary()["received"]
            if received == before:
                return
            before = received
            time.sleep(0.5)
