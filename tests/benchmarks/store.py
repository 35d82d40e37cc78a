# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Import of 100,000 nodes, once and again, one attribute of 10,000, and node_info of 10,000, beside plain sqlite3.

Each step is the module's main() with its arguments and its printed result, in a Python process of its own: all that a
user waits for but what Ansible takes to start a module.
"""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.stage0.metal.tests.postgresql import Cluster

from . import data
from .measure import Runs, Size, check, table, timed, verdict

PEER = "sqlite3: the same rows into one table"


@dataclass(frozen=True, slots=True)
class Step:
    """A module with its arguments; ``most``: seconds that it may take; ``right``: what its result has to be."""

    name: str
    module: str
    arguments: dict[str, Any]
    most: float
    right: Callable[[dict[str, Any]], bool]


def store(size: Size) -> str:
    """Return the figures for SQLite and for PostgreSQL."""
    count = size.of(100_000, 1_000)
    with tempfile.TemporaryDirectory(prefix="stage0-bench-") as name:
        folder = Path(name)
        path = data.write(count, folder / "nodes.csv")
        cluster = Cluster()
        try:
            runs = {"SQLite": Runs(), "PostgreSQL": Runs()}
            for number in range(size.rounds):
                for kind, noted in runs.items():
                    home = folder / f"{kind}-{number}"
                    home.mkdir()
                    more = {} if kind == "SQLite" else {"STAGE0_DATABASE": cluster.empty("bench")}
                    _round(noted, home, path, count, more)
                runs["SQLite"].add(PEER, timed(partial(_peer, path, folder / f"{number}.db", count)))
        finally:
            cluster.remove()
    return "\n".join(line for kind, noted in runs.items() for line in _report(kind, count, size, noted))


def _steps(path: Path, count: int) -> list[Step]:
    some = count // 10
    nodes = f"r[0000-{some // data.RACK - 1:04d}]n[00-99]"
    every = {"path": str(path)}
    return [
        Step("import", "node_import", every, 10, lambda found: found["summary"]["added"] == count),
        Step(
            "identical import",
            "node_import",
            every,
            5,
            lambda found: not found["changed"] and found["summary"]["unchanged"] == count,
        ),
        Step(
            "one attribute of a tenth",
            "node",
            {"nodes": [nodes], "attributes": {"site.owner": "team-a"}, "detail": "none"},
            2,
            lambda found: found["summary"]["changed"] == some,
        ),
        Step("node_info of a tenth", "node_info", {"nodes": [nodes]}, 2, lambda found: found["count"] == some),
    ]


def _round(runs: Runs, home: Path, path: Path, count: int, more: dict[str, str]) -> None:
    for step in _steps(path, count):
        whole, inside, said = data.module(sys.executable, home, step.module, step.arguments, **more)
        found = json.loads(said)
        check(not found.get("failed") and step.right(found), f"{step.name}: {said[:500]}")
        runs.add(step.name, whole)
        runs.add(f"{step.name}, main() alone", inside)


def _peer(path: Path, file: Path, count: int) -> None:
    """Put the same rows into one table, as quick as can be: no checks, no groups, no events."""
    with path.open(encoding="utf-8", newline="") as source, closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        reader = csv.reader(source)
        heading = next(reader)
        columns = ", ".join(f'"{name}"' for name in heading)
        connection.execute(f"CREATE TABLE nodes ({columns}, PRIMARY KEY (name))")
        marks = ", ".join("?" * len(heading))
        padded = ([*cells, *[""] * (len(heading) - len(cells))] for cells in reader)
        with connection:
            connection.executemany(f"INSERT INTO nodes VALUES ({marks})", padded)
        check(connection.execute("SELECT count(*) FROM nodes").fetchone()[0] == count + 1, "the peer lost rows")


def _report(kind: str, count: int, size: Size, runs: Runs) -> list[str]:
    rows = [(way, runs.median(way), f"least {runs.least(way).cpu:.2f} s CPU") for way in runs.of]
    lines = [f"store on {kind}, {count} nodes, 12 attributes, 3 groups; median of {size.rounds}:", *table(rows)]
    for step in _steps(Path("x"), count):
        lines.append(verdict(f"{step.name}, whole process", runs.median(step.name).wall, step.most, " s"))
    if PEER in runs.of:
        lines.append(f"  import is {runs.median('import').wall / runs.median(PEER).wall:.1f} x the peer")
    return lines
