# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Noderanges over 100,000 nodes in a SQLite database: each that docs/reference/noderange.md has, in process.

Each run has a database connection and a store of its own, so that nothing is remembered. The peers: ClusterShell's
NodeSet, which knows no nodes and no attributes but spells out and folds names, and all names read by plain sqlite3.
"""

from __future__ import annotations

import importlib
import re
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.noderange import fold
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store

from . import data
from .measure import ROOT, Size, check, timed, verdict

PAGE = ROOT / "docs" / "reference" / "noderange.md"
MOST, MOST_TO_FOLD = 0.2, 0.5

DOCUMENTED = {
    "r1n07": "r0001n07",
    "all": "all",
    "r1n01-r1n20": "r0001n01-r0001n20",
    "r1n01-r2n20": "r0001n01-r0002n20",
    "r1n[01-20,25]": "r0001n[01-20,25]",
    "r[1-2]n[01-10]": "r[0001-0002]n[01-10]",
    "n[1-12:2]": "r0001n[01-12:2]",
    "rack[1-4]": "rack[0000-0003]",
    "rack1-rack4": "rack0000-rack0003",
    "rack1,rack2": "rack0001,rack0002",
    "rack1,-r1n07": "rack0001,-r0001n07",
    "rack1@gpu": "rack0001@gpu",
    "(rack1,rack2)@gpu": "(rack0001,rack0002)@gpu",
    "/r[12]n.*5/": "/r000[12]n.*5/",
    "deploy.lock==locked": "deploy.lock==locked",
    "location.rack!=r1": "location.rack!=r0001",
    "system.serial=~ABC.*": "system.serial=~ABC.*",
    "deploy.profile!~.*": "deploy.profile!~.*",
}
"""What the page has, in the form that names nodes of this site."""


def noderange(size: Size) -> str:
    """Return the figures for 100,000 nodes."""
    count = size.of(100_000, 1_000)
    with tempfile.TemporaryDirectory(prefix="stage0-bench-") as name:
        folder = Path(name)
        path = data.write(count, folder / "nodes.csv")
        data.module(sys.executable, folder, "node_import", {"path": str(path)})
        file = folder / "metal.db"
        ways: dict[str, Callable[[], int]] = {text: _expansion(file, text) for text in _wanted(count)}
        names = data.names(count)
        everything = f"r[0000-{count // data.RACK - 1:04d}]n[00-99]"
        ways["fold all names"] = lambda: len([fold(names)]) and count
        ways["sqlite3: read all names in order"] = lambda: _read(file)
        nodeset = importlib.import_module("ClusterShell.NodeSet").NodeSet
        ways["ClusterShell: spell out all names"] = lambda: len(list(nodeset(everything)))
        ways["ClusterShell: fold all names"] = lambda: len([str(nodeset.fromlist(names))]) and count
        found = {way: run() for way, run in ways.items()}
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for _round in range(size.rounds):
            for way, run in ways.items():
                seconds[way].append(timed(run).wall)
        check(fold(names) == everything, f"all names fold as {fold(names)[:200]}")
    return _report(count, size, found, seconds)


def _wanted(count: int) -> list[str]:
    """Return the expressions to measure; ends the benchmark if the page has others."""
    rows = PAGE.read_text(encoding="utf-8").partition("| expression | means |")[2].partition("\n\n")[0].splitlines()
    written = [text for line in rows[2:] for text in re.findall(r"`([^`]+)`", line.split(" | ")[0])]
    check(written == list(DOCUMENTED), f"the page has {set(written) ^ set(DOCUMENTED)} besides")
    racks = count // data.RACK - 1
    whole = [
        f"r[0000-{racks:04d}]n[00-99]",
        f"r0000n00-r{racks:04d}n99",
        f"rack[0000-{racks:04d}],-gpu",
        "/.*5/@compute",
    ]
    return [*DOCUMENTED.values(), *whole]


def _expansion(file: Path, text: str) -> Callable[[], int]:
    def run() -> int:
        with closing(open_database(f"sqlite:///{file}", missing="refuse")) as database, database.read() as connection:
            return len(Store(connection, Keyring(), "benchmark").expand(text))

    return run


def _read(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return len(connection.execute("SELECT name FROM nodes ORDER BY sort").fetchall())


def _report(count: int, size: Size, found: dict[str, int], seconds: dict[str, list[float]]) -> str:
    medians = {way: statistics.median(values) for way, values in seconds.items()}
    peer = medians["sqlite3: read all names in order"]
    lines = [f"noderanges over {count} nodes in SQLite, in process, a store each; median of {size.rounds}:"]
    lines += [
        f"  {way:<38} {found[way]:>7} nodes {1000 * value:8.1f} ms (least {1000 * min(seconds[way]):7.1f})"
        f"  {value / peer:6.2f} x reading all names"
        for way, value in medians.items()
    ]
    of_page = {way: medians[way] for way in DOCUMENTED.values()}
    slowest = max(of_page, key=lambda way: of_page[way])
    lines.append(verdict(f"the slowest of the page, {slowest}", of_page[slowest], MOST, " s"))
    lines.append(verdict("fold all names", medians["fold all names"], MOST_TO_FOLD, " s"))
    return "\n".join(lines)
