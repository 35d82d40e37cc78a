# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""FRU and sensors of many BMCs: our driver, two sessions a BMC, beside ipmi-fru and ipmi-sensors, in turns."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .farm import Farm, addresses, freeipmi, hosts
from .measure import Runs, Size, Usage, check, child, environment, table, verdict

SECONDS = 10
LATENCY_MS = 30
FANOUT = 200
SENSORS = ("CPU1 Temp", "Inlet Temp", "12V", "Fan1", "PSU1 Input", "PSU1 Status")
OURS, FRU, SENSING = "our driver, inventory and sensors", "ipmi-fru", "ipmi-sensors"


def inventory_read(size: Size) -> str:
    """Return the figures for 1,000 BMCs, 30 ms away."""
    count = size.of(1000, 20)
    runs = Runs()
    with (
        tempfile.TemporaryDirectory(prefix="stage0-bench-") as name,
        Farm(count, "--latency-ms", str(LATENCY_MS)) as farm,
    ):
        folder = Path(name)
        ways: dict[str, Callable[[], Usage]] = {
            OURS: lambda: _ours(farm, folder, count),
            FRU: lambda: _freeipmi(farm, folder, "ipmi-fru", count, "SRV", 1),
            SENSING: lambda: _freeipmi(farm, folder, "ipmi-sensors", count, "Inlet Temp", 1),
        }
        for _round in range(size.rounds):
            for way, run in ways.items():
                runs.add(way, run())
    return _report(count, size, runs)


def _ours(farm: Farm, folder: Path, count: int) -> Usage:
    whole, found = farm.drive(folder, "inventory+sensors", count)
    for number, address in enumerate(addresses(count), 1):
        _check_node(found["nodes"][address], address, number)
    return Usage(found["seconds"], found["cpu"], whole.memory)


def _check_node(node: Mapping[str, Any], address: str, number: int) -> None:
    check(node["error"] is None, f"{address}: {node['said']}")
    parts = [f"CHS{number:06d}", f"BRD{number:06d}", f"SRV{number:06d}", f"ASSET{number:05d}"]
    lacks = [part for part in parts if part not in node["found"]["inventory"]]
    lacks += [sensor for sensor in SENSORS if sensor not in node["found"]["sensors"]]
    check(not lacks, f"{address}: {lacks} is not in what was read")


def _freeipmi(farm: Farm, folder: Path, program: str, count: int, word: str, times: int) -> Usage:
    """Run one of FreeIPMI's programs, without what an earlier run has kept; it must have every BMC's data."""
    output = folder / f"{program}.txt"
    options = ["-D", "LAN_2_0", "-I", "3", "-u", "admin", "-p", "secret", "-F", str(FANOUT)]
    with tempfile.TemporaryDirectory(prefix="stage0-bench-") as kept:
        options += ["--sdr-cache-directory", kept, "--quiet-cache", "-h", hosts(0, count)]
        usage = child(farm.inside([freeipmi(program), *options]), environment(folder), output)
    found = output.read_text(encoding="utf-8").count(word)
    check(found == count * times, f"{program} has {word!r} of {found} of {count * times}")
    return usage


def _report(count: int, size: Size, runs: Runs) -> str:
    medians = {way: runs.median(way) for way in (OURS, FRU, SENSING)}
    both = medians[FRU].wall + medians[SENSING].wall
    lines = [
        f"FRU and sensors of {count} BMCs, suite 3, {LATENCY_MS} ms away; median of {size.rounds}:",
        *table([(way, one, f"{count / one.wall:6.0f} BMCs/s") for way, one in medians.items()]),
        f"  our time, to the sum of ipmi-fru's and ipmi-sensors': {medians[OURS].wall / both:.2f}",
        verdict("inventory and sensors", medians[OURS].wall, SECONDS, " s"),
    ]
    return "\n".join(lines)
