# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``power_info`` over many simulated BMCs in one task, beside FreeIPMI's ipmipower over the same BMCs, in turns.

Measured are whole processes, start and imports included, as a user waits for them: ``ansible localhost -m
stage0.metal.power_info`` and the module's operation alone, and ``ipmipower --stat --fanout``.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.runner import RackProcess

ROOT = Path(__file__).resolve().parents[2]
OPERATION = """
import json, sys, time
from ansible_collections.stage0.metal.plugins.module_utils._module.run import execute
from ansible_collections.stage0.metal.plugins.module_utils._operations.power import power_info
parameters = {"database": None, "nodes": ["bench"], "max_nodes": None, "detail": "none", "max_failed": "0",
              "timeout": 20.0, "deadline": 900.0}
print(json.dumps(execute(power_info, parameters, check_mode=False, diff=False)["summary"]))
"""


def power_info(count: int, rounds: int) -> str:
    """Return the figures for ``count`` BMCs, medians of ``rounds`` runs."""
    with tempfile.TemporaryDirectory(prefix="stage0-bench-") as name:
        folder = Path(name)
        environment = _environment(folder)
        arguments = [
            "--nodes",
            str(count),
            "--prefix",
            "b",
            "--rack",
            "bench",
            "--bind",
            "127.61.0.1",
            "--csv",
            str(folder / "nodes.csv"),
        ]
        with RackProcess(arguments):
            _ansible(environment, "node_import", f"path={folder / 'nodes.csv'}")
            ways: dict[str, Callable[[], None]] = {
                "ansible localhost -m stage0.metal.power_info": lambda: _module(environment, count),
                "the operation in a Python process": lambda: _operation(environment, count),
                "ipmipower --stat": lambda: _ipmipower(folder, count),
            }
            seconds: dict[str, list[float]] = {way: [] for way in ways}
            for _round in range(rounds):
                for way, run in ways.items():
                    begun = time.monotonic()
                    run()
                    seconds[way].append(time.monotonic() - begun)
    return _report(count, rounds, {way: statistics.median(values) for way, values in seconds.items()})


def _report(count: int, rounds: int, medians: dict[str, float]) -> str:
    peer = medians["ipmipower --stat"]
    lines = [f"power status of {count} simulated BMCs, median of {rounds}, whole processes:"]
    lines += [
        f"  {way:<46} {value:7.2f} s {count / value:7.0f} BMCs/s   {value / peer:5.1f} x ipmipower"
        for way, value in medians.items()
    ]
    return "\n".join(lines)


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "STAGE0_"))}
    collections = str(ROOT / ".build" / "dev")
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}:{kept.get('PATH', os.defpath)}",
        "PYTHONPATH": collections,
        "STAGE0_HOME": str(folder),
        "ANSIBLE_COLLECTIONS_PATH": collections,
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "LC_ALL": "C.UTF-8",
    }


def _ansible(environment: dict[str, str], module: str, arguments: str) -> str:
    command = [
        str(Path(sys.executable).parent / "ansible"),
        "localhost",
        "-m",
        f"stage0.metal.{module}",
        "-a",
        arguments,
    ]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _module(environment: dict[str, str], count: int) -> None:
    said = _ansible(environment, "power_info", "nodes=bench detail=none")
    _check(f'"total": {count}' in said and '"failed": 0' in said, said)


def _operation(environment: dict[str, str], count: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPERATION], env=environment, capture_output=True, text=True, check=True
    )
    summary = json.loads(done.stdout)
    _check(summary["total"] == count and summary["failed"] == 0, done.stdout)


def _ipmipower(folder: Path, count: int) -> None:
    """Ask as many BMCs as ipmipower does in one run; it takes a port per host only in this spelling."""
    program = shutil.which("ipmipower", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    _check(program is not None, "ipmipower is not installed; Debian's package is freeipmi-tools")
    rows = (folder / "nodes.csv").read_text(encoding="utf-8").splitlines()
    columns = rows[0].split(",")
    address, port = columns.index("bmc.address"), columns.index("bmc.port")
    hosts = ",".join(f"{cells[address]}:{cells[port]}" for cells in (row.split(",") for row in rows[1:]))
    command = [
        str(program),
        "-D",
        "LAN_2_0",
        "-I",
        "17",
        "-u",
        "admin",
        "-p",
        "secret",
        "--fanout=200",
        "--stat",
        "-h",
        hosts,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    answers = [line for line in done.stdout.splitlines() if line.endswith((": on", ": off"))]
    _check(len(answers) == count, f"{len(answers)} of {count} answered: {done.stdout[-500:]}{done.stderr[-500:]}")


def _check(right: bool, said: str) -> None:
    if not right:
        raise SystemExit(f"the benchmark does not measure what it should: {said}")
