# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What benchmarks share: processes with what they took, medians, and whether a figure is what it must be."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / ".build" / "dev"


@dataclass(frozen=True, slots=True)
class Size:
    """How much a run measures: ``rounds`` of each way, in turns; ``quick``: a slice that shows that it works."""

    rounds: int = 5
    quick: bool = False

    def of(self, full: int, slice_: int) -> int:
        """Return how many of something there are."""
        return slice_ if self.quick else full


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run took: seconds on the clock and of the processor, and the most memory in MB."""

    wall: float
    cpu: float
    memory: float = 0.0


@dataclass(slots=True)
class Runs:
    """What several ways took, round by round."""

    of: dict[str, list[Usage]] = field(default_factory=dict)

    def add(self, way: str, usage: Usage) -> None:
        """Note one run."""
        self.of.setdefault(way, []).append(usage)

    def median(self, way: str) -> Usage:
        """Return the medians of a way."""
        runs = self.of[way]
        wall, cpu, memory = ([getattr(run, key) for run in runs] for key in ("wall", "cpu", "memory"))
        return Usage(statistics.median(wall), statistics.median(cpu), statistics.median(memory))

    def least(self, way: str) -> Usage:
        """Return the minima of a way: what is left when nobody else uses the machine."""
        runs = self.of[way]
        return Usage(min(run.wall for run in runs), min(run.cpu for run in runs), min(run.memory for run in runs))


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a child whose STAGE0_HOME is ``home``, free of the caller's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "STAGE0_"))}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}:{kept.get('PATH', os.defpath)}",
        "PYTHONPATH": str(COLLECTIONS),
        "STAGE0_HOME": str(home),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(home / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "LC_ALL": "C.UTF-8",
        **more,
    }


LAUNCHER = """
import json, os, sys, time
begun = time.perf_counter()
child = os.fork()
if not child:
    for number, name in enumerate((os.devnull, *sys.argv[1:3])):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.execvp(sys.argv[3], sys.argv[3:])
status, used = os.wait4(child, 0)[1:]
wall = time.perf_counter() - begun
print(json.dumps([os.waitstatus_to_exitcode(status), wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""
"""Linux counts the memory that a process had before its exec, its parent's: a small parent starts what is measured."""


def child(command: Sequence[str], env: Mapping[str, str], output: Path) -> Usage:
    """Run ``command`` to its end, its output into the file ``output``; return what it and its children took."""
    errors = output.with_suffix(".err")
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(output), str(errors), *command]
    done = subprocess.run(launcher, env=dict(env), cwd=ROOT, capture_output=True, text=True, check=True)
    status, wall, cpu, memory = json.loads(done.stdout)
    check(status == 0, f"{command[0]} ended with {status}: {errors.read_text()[-2000:]}")
    return Usage(wall, cpu, memory)


def timed(run: Callable[[], object]) -> Usage:
    """Run something in this process; return what it took."""
    begun, cpu = time.perf_counter(), time.process_time()
    run()
    return Usage(time.perf_counter() - begun, time.process_time() - cpu)


def check(right: bool, said: str) -> None:
    """End the benchmark if it does not measure what it should."""
    if not right:
        raise SystemExit(f"the benchmark does not measure what it should: {said}")


def verdict(what: str, value: float, most: float, unit: str = "") -> str:
    """Return a line that says whether ``value`` is at most what it must be."""
    word = "met" if value <= most else "MISSED"
    return f"  must: {what:<58} {value:8.2f}{unit} of {most:g}{unit}: {word}"


def table(rows: Iterable[tuple[str, Usage, str]]) -> list[str]:
    """Return lines: a way, what it took, and what else there is to say."""
    return [
        f"  {way:<46} {usage.wall:7.2f} s {usage.cpu:7.2f} s CPU {usage.memory:6.0f} MB   {more}".rstrip()
        for way, usage, more in rows
    ]
