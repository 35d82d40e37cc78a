# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``python -m tests.demo``: a simulated rack of 24 machines gets installed on this computer, in about a minute.

No root, no packages beside the virtual environment, nothing outside of .build/demo; two of the machines are faulty.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = "ansible_collections.stage0.metal.plugins.plugin_utils"
NODES = 24
DEAD, HANGING = "r1n07", "r1n19"
START_SECONDS = 30


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


def main() -> int:
    """Run the demo; returns the exit status: 0 if it went as it should, with exactly the two faulty nodes failed."""
    folder = ROOT / ".build" / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment = _environment(folder)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    begun = time.monotonic()
    try:
        with contextlib.ExitStack() as stack:
            _say(
                f"a simulated rack of {NODES} machines with BMCs on 127.24.0.x; {DEAD}'s BMC is dead, {HANGING}'s installer hangs"
            )
            stack.enter_context(_running(_simulator(folder, url), folder / "simulator.log", environment))
            _say(f"the hub: {url}")
            stack.enter_context(_running(_hub(port, url), folder / "hub.log", environment))
            _wait_for(f"{url}/healthz")
            media = _media(folder)
            _say("the nodes come from a CSV file, the profile from the collection")
            _ansible(
                environment,
                str(ROOT / "tests/demo/prepare.yml"),
                demo_csv=str(folder / "nodes.csv"),
                demo_media=str(media),
            )
            _say("ansible-playbook stage0.metal.provision -e metal_nodes=rack1")
            status = _ansible(environment, "stage0.metal.provision", check=False, metal_nodes="rack1")
            nodes = _get(f"{url}/api/nodes")["nodes"]
    except DemoError as exc:
        print(f"the demo cannot go on: {exc}; its logs are in {folder}", file=sys.stderr)
        return 1
    _table(nodes)
    seconds = time.monotonic() - begun
    return _verdict(nodes, status, url, folder, seconds)


def _verdict(nodes: dict[str, Any], status: int, url: str, folder: Path, seconds: float) -> int:
    ready = [name for name, node in nodes.items() if (node["deployment"] or {}).get("state") == "ready"]
    print(
        f"\n{len(ready)} of {len(nodes)} nodes are installed, in {seconds:.0f} s. The hub was at {url}; it is stopped now."
    )
    print("What to try next:")
    here = f"STAGE0_HOME={os.path.relpath(folder / 'stage0')}"
    ansible = "ANSIBLE_COLLECTIONS_PATH=.build/dev .venv/bin/ansible"
    print(f"  {here} {ansible} localhost -m stage0.metal.deployment_info -a 'nodes={HANGING} timeline=true'")
    print(f"  {here} {ansible} localhost -m stage0.metal.node_info -a 'nodes={DEAD}'")
    print("  make lab      two real (emulated) machines, as root")
    print("  docs/howto/provision.md: the same with your machines")
    expected = len(ready) == NODES - 2 and DEAD not in ready and HANGING not in ready and status != 0
    if not expected:
        print(f"this is not as it should be: all but {DEAD} and {HANGING} should be ready", file=sys.stderr)
    return 0 if expected else 1


def _table(nodes: dict[str, Any]) -> None:
    print(f"\n{'node':<8} {'state':<10} {'seconds':>7}  what is known")
    for name, node in nodes.items():
        deployment = node["deployment"] or {"state": "none", "changed_at": 0, "armed_at": 0, "message": None}
        seconds = deployment["changed_at"] - deployment["armed_at"]
        print(f"{name:<8} {deployment['state']:<10} {seconds:>7.1f}  {deployment['message'] or ''}")


def _environment(folder: Path) -> dict[str, str]:
    collections = ROOT / ".build" / "dev"
    link = collections / "ansible_collections" / "stage0" / "metal"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(Path("../../../.."))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "STAGE0_"))}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}:{kept.get('PATH', os.defpath)}",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(collections),
        "PYTHONUNBUFFERED": "1",
        "STAGE0_HOME": str(folder / "stage0"),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
    }


def _simulator(folder: Path, url: str) -> list[str]:
    faults = ["--fault", f"{DEAD}=dead", "--fault", f"{HANGING}=installer_hangs"]
    times = ["--post-seconds", "1", "--install-seconds", "6"]
    rack = ["--nodes", str(NODES), "--prefix", "r1n", "--rack", "rack1", "--csv", str(folder / "nodes.csv")]
    return [sys.executable, "-m", f"{PRIVATE}._simulator", *rack, "--hub", url, *times, *faults]


def _hub(port: int, url: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        f"{PRIVATE}._hub",
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--url",
        url,
        "--sweep-seconds",
        "1",
    ]


def _media(folder: Path) -> Path:
    """Files for machines that do not look into them: what they fetch is real HTTP, what they do with it is not."""
    media = folder / "media"
    media.mkdir()
    for name, size in {"vmlinuz": 200_000, "initrd.gz": 1_000_000, "disk.img.gz": 2_000_000}.items():
        (media / name).write_bytes(bytes(size))
    return media


@contextlib.contextmanager
def _running(command: list[str], log: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run ``command`` in the background until the block ends; return when it printed its first line."""
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True, env=environment, cwd=ROOT)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise DemoError(
                f"{command[2].rsplit('.', 1)[-1]} did not start: {log.read_text(encoding='utf-8').strip()[-500:]}"
            )
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ansible(environment: dict[str, str], playbook: str, *, check: bool = True, **variables: str) -> int:
    command = [str(Path(sys.executable).parent / "ansible-playbook"), playbook]
    for name, value in variables.items():
        command += ["-e", f"{name}={value}"]
    status = subprocess.run(command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
    if check and status:
        raise DemoError(f"{playbook} ended with {status}")
    return status


def _free_port() -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8480))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            _get(url)
            return
        time.sleep(0.2)
    raise DemoError(f"{url} does not answer")


def _get(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=10) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def _say(line: str) -> None:
    print(f"\n== {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
