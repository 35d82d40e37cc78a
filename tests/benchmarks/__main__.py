# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``python -m tests.benchmarks [NAME ...]``: all benchmarks, or those named. ``--quick``: a short slice of each."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from .faults import faults
from .fleet import fleet
from .inventory import inventory
from .inventory_read import inventory_read
from .measure import Size
from .noderange import noderange
from .store import store
from .task import task
from .writers import writers

BENCHMARKS: dict[str, Callable[[Size], str]] = {
    "fleet": fleet,
    "task": task,
    "faults": faults,
    "inventory_read": inventory_read,
    "noderange": noderange,
    "store": store,
    "inventory": inventory,
    "writers": writers,
}
"""By name what runs it and returns its report."""


def main() -> int:
    """Run the benchmarks and print what they measured."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Figures beside a peer's, from the same run."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="a slice of each of some seconds, so that none can rot")
    parser.add_argument("--rounds", type=int, help="of how many runs to take the median: 5, or 1 with --quick")
    given = parser.parse_args()
    unknown = sorted(set(given.names) - BENCHMARKS.keys())
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    size = Size(given.rounds or (1 if given.quick else 5), given.quick)
    if given.quick:
        print("A slice only: what is met or missed here says nothing.", flush=True)
    for name in given.names or BENCHMARKS:
        print(BENCHMARKS[name](size), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
