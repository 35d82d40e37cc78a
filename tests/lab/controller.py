# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The management node: Ansible and the hub inside the rig's namespace, with a database and settings of their own."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .namespace import HUB_ADDRESS, wait_until
from .requirements import LabError
from .rig import ROOT, Rig

DEVELOPMENT = ROOT / ".build" / "dev"
HUB_URL = f"http://{HUB_ADDRESS}"
HUB_MODULE = "ansible_collections.stage0.metal.plugins.plugin_utils._hub"
RESULT = re.compile(r"^localhost \| (?:SUCCESS|CHANGED|FAILED!?) => (?=\{)", re.MULTILINE)
RECAP = re.compile(r"^\S+\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class PlaybookRun:
    """How a playbook ended: what it printed, and the sums of its recap."""

    output: str
    changed: int
    failed: int
    seconds: float


class Playbook:
    """A playbook that runs; its output is what ``log`` has behind ``offset``."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, offset: int) -> None:
        self._process = process
        self._log = log
        self._offset = offset
        self._began = time.monotonic()

    def kill(self) -> None:
        """End it and its workers the hard way (-9), as a crash of the machine would."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def finish(self, timeout_s: float = 240) -> PlaybookRun:
        """Wait for its end; LabError if it is still running after ``timeout_s``, a sum of failures is no error here."""
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise LabError(f"the playbook still runs after {timeout_s:.0f} s:\n{self._output()}") from None
        output = self._output()
        recap = [tuple(map(int, match.groups())) for match in RECAP.finditer(output)]
        failed = sum(unreachable + bad for _changed, unreachable, bad in recap)
        if code and not failed:
            failed = 1  # it did not even come to a recap
        return PlaybookRun(output, sum(counts[0] for counts in recap), failed, time.monotonic() - self._began)

    def _output(self) -> str:
        return self._log.read_bytes()[self._offset :].decode(errors="replace")


class Controller:
    """Runs modules and playbooks of the collection as a user would, on ``rig``'s network."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._hub: subprocess.Popen[bytes] | None = None
        self.directory = rig.directory / "controller"
        self.home = self.directory / "stage0"
        self.home.mkdir(parents=True)
        config = self.directory / "ansible.cfg"
        config.write_text("[defaults]\n")
        link = DEVELOPMENT / "ansible_collections" / "stage0" / "metal"
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(Path("../../../.."))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "STAGE0_"))}
        log = {name: value for name, value in os.environ.items() if name == "STAGE0_RESULTS_LOG"}
        self.environment = {
            **inherited,
            **log,
            "HOME": str(self.directory),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(DEVELOPMENT),
            "PYTHONUNBUFFERED": "1",
            "ANSIBLE_CONFIG": str(config),
            "ANSIBLE_HOME": str(self.directory / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(DEVELOPMENT),
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests" / "utils" / "callback"),
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_NOCOLOR": "1",
            "STAGE0_HOME": str(self.home),
        }

    def kill_hub(self) -> None:
        """End the hub the hard way (-9)."""
        if self._hub is None:
            raise LabError("the hub was never started")
        self._hub.kill()
        self._hub.wait()

    def start_hub(self) -> None:
        """Start the hub at the address that the machines know, and return when it answers."""
        log = self.directory / "hub.log"
        command = [sys.executable, "-m", HUB_MODULE, "--bind", HUB_ADDRESS, "--port", "80", "--url", HUB_URL]
        hub = self._hub = self._rig.namespace.start(command, log, env=self.environment)
        probe = ["busybox", "wget", "-q", "-O", "-", f"{HUB_URL}/healthz"]

        def healthy() -> bool:
            if hub.poll() is not None:
                raise LabError(f"the hub ended with {hub.returncode}: {log.read_text()}")
            return '"ok"' in self._rig.namespace.run(probe).stdout

        wait_until(healthy, 20, "the hub to answer /healthz")

    def module(self, called: str, /, **arguments: Any) -> dict[str, Any]:
        """The result of ``stage0.metal.{called}``; LabError, with what it said, if it failed."""
        command = ["ansible", "localhost", "-m", f"stage0.metal.{called}", "-a", json.dumps(arguments)]
        done = self._rig.namespace.run(command, env=self.environment, timeout_s=120)
        found = RESULT.search(done.stdout)
        if done.returncode or not found:
            raise LabError(f"stage0.metal.{called} failed:\n{done.stdout}{done.stderr}")
        result: dict[str, Any] = json.JSONDecoder().raw_decode(done.stdout, found.end())[0]
        return result

    def playbook(self, name: str, **variables: Any) -> Playbook:
        """Start a playbook by its full name."""
        log = self._rig.playbook_log
        log.touch()
        before = log.stat().st_size
        command = ["ansible-playbook", name, "-e", json.dumps(variables)]
        return Playbook(self._rig.namespace.start(command, log, env=self.environment), log, before)
