# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many processes that write different attributes of the same nodes through the operation ``node``: none is lost.

Each process sets its own attribute on all nodes, one task after another as modules do, opening the database each time,
and tells what was acknowledged last. tests/integration/test_writers.py runs a short slice of it as a test.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.stage0.metal.tests.postgresql import Cluster

from . import data
from .measure import Size, check, environment

WRITER = """
import json, sys, time
from ansible_collections.stage0.metal.plugins.module_utils._module.run import execute
from ansible_collections.stage0.metal.plugins.module_utils._operations.nodes import node

number, nodes, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
parameters = {"database": None, "name": None, "nodes": [nodes], "state": "present", "new_name": None, "groups": None,
              "groups_mode": "set", "secrets": None, "unset": [], "detail": "none", "max_nodes": None}
execute(node, {**parameters, "attributes": {"site.w": "0"}}, check_mode=True, diff=False)  # loads what is loaded late
print("ready", flush=True)
end = float(sys.stdin.readline()) + seconds
turn, waits, errors = 0, [], []
while time.time() < end:
    begun = time.perf_counter()
    given = {**parameters, "attributes": {f"site.w{number}": str(turn + 1)}}
    result = execute(node, given, check_mode=False, diff=False)
    waits.append(time.perf_counter() - begun)
    if result.get("failed") or not result["changed"]:
        errors.append(result.get("msg", "nothing has changed"))
        break
    turn += 1
print(json.dumps({"last": turn, "longest": max(waits), "errors": errors}))
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What all writers did: by number the last value that each was told is written, the longest wait, errors, lost values."""

    last: dict[int, int]
    longest: float
    errors: list[str]
    lost: list[str]
    seconds: float


def race(env: Mapping[str, str], home: Path, *, processes: int, nodes: int, seconds: float) -> Outcome:
    """Let ``processes`` write for ``seconds``, then compare with what the database has."""
    path = data.write(nodes, home / "nodes.csv")
    more = {name: value for name, value in env.items() if name.startswith("STAGE0_")}
    data.module(sys.executable, home, "node_import", {"path": str(path)}, **more)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(number), "all", str(seconds)],
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    for process in started:
        check(process.stdout is not None and process.stdout.readline() == "ready\n", "a writer did not start")
    begun = time.time()
    said = []
    for process in started:
        if process.stdin:
            process.stdin.write(f"{begun}\n")
            process.stdin.flush()
    for process in started:
        said.append(json.loads(process.communicate(timeout=600)[0]))
    took = time.time() - begun
    last = {number: one["last"] for number, one in enumerate(said)}
    _whole, _inside, found = data.module(sys.executable, home, "node_info", {"show": ["own"]}, **more)
    return Outcome(
        last,
        max(one["longest"] for one in said),
        [error for one in said for error in one["errors"]],
        _lost(json.loads(found), last),
        took,
    )


def _lost(found: Mapping[str, Any], last: Mapping[int, int]) -> list[str]:
    """Return what the database has not as it was acknowledged."""
    wanted = {f"site.w{number}": str(value) for number, value in last.items() if value}
    return [
        f"{name}: {key} is {body['own'].get(key)}, {value} was acknowledged"
        for name, body in found["nodes"].items()
        for key, value in wanted.items()
        if body["own"].get(key) != value
    ]


def writers(size: Size) -> str:
    """Return the figures for SQLite and PostgreSQL."""
    processes, nodes, seconds = size.of(50, 5), size.of(200, 100), size.of(20, 1)
    lines = [f"{processes} processes, each writing its own attribute of the same {nodes} nodes for {seconds} s:"]
    with tempfile.TemporaryDirectory(prefix="stage0-bench-") as name:
        cluster = Cluster()
        try:
            for kind, more in (("SQLite", {}), ("PostgreSQL", {"STAGE0_DATABASE": cluster.empty("bench")})):
                home = Path(name) / kind
                home.mkdir()
                done = race(environment(home, **more), home, processes=processes, nodes=nodes, seconds=seconds)
                lines += _report(kind, done, nodes)
        finally:
            cluster.remove()
    return "\n".join(lines)


def _report(kind: str, done: Outcome, nodes: int) -> list[str]:
    total = sum(done.last.values())
    fewest, most = min(done.last.values()), max(done.last.values())
    word = "met" if not done.lost and not done.errors else "MISSED"
    return [
        f"  {kind:<12} {total / done.seconds:7.1f} transactions/s ({total * nodes / done.seconds:8.0f} nodes/s), "
        f"longest wait {done.longest:5.2f} s, per process {fewest} to {most}",
        f"  must: no lost update ({len(done.lost)}), no error ({len(done.errors)}): {word}",
        *[f"    {said}" for said in (done.errors + done.lost)[:5]],
    ]
