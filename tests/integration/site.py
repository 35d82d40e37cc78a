# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a site for tests: a database, a hub process, a simulated rack, and Ansible as users run it.

Everything is real but the machines: processes, HTTP, IPMI over UDP, ansible and ansible-playbook.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import RackProcess, private_address

ROOT = Path(__file__).resolve().parents[2]
HUB = "ansible_collections.stage0.metal.plugins.plugin_utils._hub"
RESULT = re.compile(r"^localhost \| (?:SUCCESS|CHANGED|FAILED!?) => (?=\{)", re.MULTILINE)
LAB_ANSWER = ROOT / "roles" / "deploy" / "templates" / "lab.answer.j2"
PATIENCE = 60.0


class Site:
    """A management node of its own in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(mode=0o700)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {**os.environ, "STAGE0_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}
        self.hub: subprocess.Popen[str] | None = None

    def start_hub(self) -> None:
        """Start the hub; return when it listens."""
        command = [sys.executable, "-m", HUB, "--port", str(self.port), "--sweep-seconds", "0.5"]
        with (self.folder / "hub.log").open("a") as log:
            self.hub = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.hub.stdout.readline() if self.hub.stdout else ""
        assert line.startswith("the hub listens"), (self.folder / "hub.log").read_text()

    def stop_hub(self, number: int = signal.SIGTERM) -> None:
        """End the hub by a signal."""
        hub, self.hub = self.hub, None
        if hub is not None:
            hub.send_signal(number)
            hub.wait(20)
            if hub.stdout:
                hub.stdout.close()

    def module(self, called: str, check: bool = False, /, **arguments: Any) -> dict[str, Any]:
        """Run a module by ``ansible localhost``; returns its result, failed or not."""
        command = [_program("ansible"), "localhost", "-m", f"stage0.metal.{called}", "-a", json.dumps(arguments)]
        command += ["--check"] if check else []
        # The callback of ad-hoc commands is not loaded unless asked for, and the results are wanted for the gates.
        environment = {**self.environment, "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=180)
        found = RESULT.search(done.stdout)
        assert found, done.stdout + done.stderr
        result: dict[str, Any] = json.JSONDecoder().raw_decode(done.stdout, found.end())[0]
        return {**result, "failed": "FAILED" in found[0]}

    def playbook(self, *arguments: str, name: str = "stage0.metal.provision") -> subprocess.CompletedProcess[str]:
        """Run a playbook to its end."""
        command = [_program("ansible-playbook"), name, *arguments]
        return subprocess.run(
            command,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            stdin=subprocess.DEVNULL,
        )

    def start_playbook(self, *arguments: str, name: str = "stage0.metal.provision") -> subprocess.Popen[str]:
        """Start a playbook in a process group of its own, so that a test can kill all of it."""
        command = [_program("ansible-playbook"), name, *arguments]
        with (self.folder / "playbook.log").open("a") as log:
            return subprocess.Popen(
                command,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                text=True,
            )

    def get(self, path: str) -> tuple[int, str]:
        """GET ``path`` of the hub; returns status and text."""
        with contextlib.closing(_open(f"{self.url}{path}")) as response:
            return int(response.status), response.read().decode()

    def nodes(self) -> dict[str, Any]:
        """The hub's view of all nodes' deployments."""
        found: dict[str, Any] = json.loads(self.get("/api/nodes")[1])["nodes"]
        return {name: node["deployment"] for name, node in found.items()}

    def states(self) -> dict[str, str]:
        """Node to the state of its deployment, or "none"."""
        return {name: one["state"] if one else "none" for name, one in self.nodes().items()}

    def timeline(self, node: str) -> list[str]:
        """The stages of the node's deployment, in order."""
        found = json.loads(self.get(f"/api/nodes/{node}")[1])
        return [line["stage"] for line in found["deployment"]["timeline"]]


def _open(url: str) -> Any:
    try:
        return urllib.request.urlopen(url, timeout=20)
    except urllib.error.HTTPError as exc:
        return exc


def _program(name: str) -> str:
    return str(Path(sys.executable).parent / name)


@contextlib.contextmanager
def rack(site: Site, salt: int, nodes: int, *options: str) -> Iterator[RackProcess]:
    """Run a simulated rack ``rack1`` of n01, n02, … whose machines boot from the site's hub, and import its nodes."""
    table = site.folder / "nodes.csv"
    base = ["--nodes", str(nodes), "--bind", private_address(salt), "--csv", str(table), "--hub", site.url]
    with RackProcess([*base, "--post-seconds", "0.3", "--install-seconds", "2", *options]) as running:
        assert not site.module("node_import", path=str(table)).get("failed")
        yield running


def lab_profile(site: Site, name: str = "lab", **options: Any) -> None:
    """Make a profile for simulated machines."""
    media = site.folder / "media"
    media.mkdir(exist_ok=True)
    for file in ("vmlinuz", "initrd.gz", "disk.img.gz"):
        (media / file).write_bytes(file.encode() * 100)
    made = site.module("profile", name=name, installer="lab", media=str(media), answer_file=str(LAB_ANSWER), **options)
    assert not made.get("failed"), made


def wait_for(what: Callable[[], bool], why: str, seconds: float = PATIENCE) -> None:
    """Wait until ``what`` is true; fail with ``why`` and the time if it does not come."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {why}"
        time.sleep(0.1)


def recap(output: str) -> dict[str, dict[str, int]]:
    """The recap of a playbook: host to its counters."""
    found: dict[str, dict[str, int]] = {}
    for line in output.partition("PLAY RECAP")[2].splitlines():
        match = re.match(r"(\S+)\s+: (ok=.*)", line)
        if match:
            found[match[1]] = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", match[2])}
    return found


def installs(running: RackProcess) -> dict[str, int]:
    """How often each machine's installer has begun to write its disk."""
    return {name: node["installs_begun"] for name, node in running.state()["nodes"].items()}


def names(count: int, excluded: Sequence[str] = ()) -> list[str]:
    """The names of a rack's nodes."""
    width = max(2, len(str(count)))
    return [name for name in (f"n{number:0{width}d}" for number in range(1, count + 1)) if name not in excluded]
