# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The site that benchmarks measure: nodes r0000n00, r0000n01 ... with 12 attributes and 3 groups each."""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from .measure import Usage, child, environment

ATTRIBUTES = (
    "bmc.address",
    "net.mac",
    "net.ip",
    "system.uuid",
    "system.serial",
    "system.model",
    "location.room",
    "location.row",
    "location.rack",
    "location.u",
    "location.feed",
    "deploy.lock",
)
RACK = 100
"""Nodes in a rack."""


def names(count: int) -> list[str]:
    """Return the names of all nodes, in natural order."""
    return [f"r{number // RACK:04d}n{number % RACK:02d}" for number in range(count)]


def rows(count: int) -> Iterator[tuple[str, ...]]:
    """Yield each node: its name, its groups, and a value for each of ATTRIBUTES."""
    for number, name in enumerate(names(count)):
        rack, unit = divmod(number, RACK)
        high, low = divmod(number, 250)
        place = f"{high // 250}.{high % 250}.{low + 1}"
        groups = f"rack{rack:04d};row{rack // 20:02d};{'gpu' if number % 10 == 1 else 'compute'}"
        yield (
            *(name, groups, f"172.{16 + high // 250}.{high % 250}.{low + 1}"),
            *(f"52:54:{number >> 24:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",),
            *(
                f"10.{place}",
                str(uuid.UUID(int=(0x1111 << 112) + number)),
                f"{'ABC' if unit < 10 else 'XYZ'}{number:07d}",
            ),
            *("S-2026", f"B{rack // 200}", f"row{rack // 20:02d}", f"r{rack:04d}", str(1 + unit % 42)),
            *("ab"[number % 2], "locked" if unit == 7 else "unlocked"),
        )


def write(count: int, path: Path) -> Path:
    """Write the nodes, and what one of their groups lends, as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "groups", *ATTRIBUTES, "deploy.profile"])
        writer.writerow(["group:compute", "", *[""] * len(ATTRIBUTES), "esxi8"])
        writer.writerows(rows(count))
    return path


MODULE = """
import json, sys, time
from ansible_collections.stage0.metal.tests.unit.support import raw_output
begun, cpu = time.perf_counter(), time.process_time()
said = raw_output(sys.argv[1], **json.loads(sys.argv[2]))
took = time.perf_counter() - begun, time.process_time() - cpu
sys.stderr.write(json.dumps(took))
sys.stdout.write(said)
"""


def module(
    python: str, home: Path, name: str, arguments: Mapping[str, object], **more: str
) -> tuple[Usage, Usage, str]:
    """Run the main() of a module in a Python process of its own.

    Returns what the process took, what main() in it took, and the result as it was printed.
    """
    output = home / f"{name}.json"
    command = [python, "-c", MODULE, name, json.dumps(arguments)]
    whole = child(command, environment(home, **more), output)
    wall, cpu = json.loads(output.with_suffix(".err").read_text())
    inside = Usage(wall, cpu, whole.memory)
    return whole, inside, output.read_text(encoding="utf-8")
