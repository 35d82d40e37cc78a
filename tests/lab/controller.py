# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The management node: Ansible and the hub inside the rig's namespace, with a database and settings of their own."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
import time
from collections.abc import Mapping
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


class Controller:
    """Runs modules and playbooks of the collection as a user would, on ``rig``'s network."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
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

    def start_hub(self) -> None:
        """Start the hub at the address that the machines know, and return when it answers."""
        log = self.directory / "hub.log"
        command = [sys.executable, "-m", HUB_MODULE, "--bind", HUB_ADDRESS, "--port", "80", "--url", HUB_URL]
        hub = self._rig.namespace.start(command, log, env=self.environment)
        probe = ["busybox", "wget", "-q", "-O", "-", f"{HUB_URL}/healthz"]

        def healthy() -> bool:
            if hub.poll() is not None:
                raise LabError(f"the hub ended with {hub.returncode}: {log.read_text()}")
            return '"ok"' in self._rig.namespace.run(probe).stdout

        wait_until(healthy, 20, "the hub to answer /healthz")

    def module(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """The result of ``stage0.metal.{name}``; LabError, with what it said, if it failed."""
        command = ["ansible", "localhost", "-m", f"stage0.metal.{name}", "-a", json.dumps(arguments)]
        done = self._rig.namespace.run(command, env=self.environment, timeout_s=120)
        found = RESULT.search(done.stdout)
        if done.returncode or not found:
            raise LabError(f"stage0.metal.{name} failed:\n{done.stdout}{done.stderr}")
        result: dict[str, Any] = json.JSONDecoder().raw_decode(done.stdout, found.end())[0]
        return result

    def playbook(self, name: str, variables: Mapping[str, Any], timeout_s: float = 300) -> PlaybookRun:
        """Run a playbook by its full name to its end, whatever that is."""
        began = time.monotonic()
        command = ["ansible-playbook", name, "-e", json.dumps(variables)]
        done = self._rig.namespace.run(command, env=self.environment, timeout_s=timeout_s)
        output = done.stdout + done.stderr
        with (self.directory / "playbook.log").open("a") as log:
            log.write(output)
        recap = [tuple(map(int, match.groups())) for match in RECAP.finditer(output)]
        failed = sum(unreachable + bad for _, unreachable, bad in recap)
        if done.returncode and not failed:
            failed = 1  # it did not even come to a recap
        return PlaybookRun(output, sum(changed for changed, _, _ in recap), failed, time.monotonic() - began)
