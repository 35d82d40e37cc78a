# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The power status of thousands of BMCs: our engine beside FreeIPMI's ipmipower, over the same farm, in turns.

Our engine's time is from the first node to the last session's close, in a Python process that has its imports behind
it; the whole process stands below. ipmipower runs as it is fastest: fan-out 1,000, descriptors enough, at most 5,000
hosts in a process, since it loses hosts beyond that. Both use cipher suite 3 and have to get every answer.
"""

from __future__ import annotations

import resource
import shlex
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from .farm import Farm, freeipmi, hosts
from .measure import Runs, Size, Usage, check, child, environment, table, verdict

CHUNK = 5000
"""Most hosts in one ipmipower."""
DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
"""As many as the machine allows: ipmipower opens two for each host."""
FANOUT = 1000
MEMORY_MB = 64
OURS, WHOLE, PEER, PEERS = "our engine", "  its whole process", "ipmipower", "two ipmipowers side by side"
Way = Callable[[], Usage]


def fleet(size: Size) -> str:
    """Return the figures for several numbers of BMCs, without and with 30 ms on the way."""
    counts = (100,) if size.quick else (1000, 5000, 10_000)
    lines = []
    with tempfile.TemporaryDirectory(prefix="stage0-bench-") as name, Farm(max(counts)) as farm:
        for latency_ms in (0, 30):
            farm.control(f"latency {latency_ms}")
            for count in counts:
                lines += _measured(farm, Path(name), count, latency_ms, size)
    return "\n".join(lines)


def _measured(farm: Farm, folder: Path, count: int, latency_ms: int, size: Size) -> list[str]:
    runs, farm_cpu = Runs(), Runs()
    ways: dict[str, Way] = {
        OURS: lambda: _ours(farm, folder, count, runs),
        PEER: lambda: _ipmipower(farm, folder, _chunks(count), together=False),
    }
    if count >= CHUNK:
        halves = [range(count // 2), range(count // 2, count)]
        ways[PEERS] = lambda: _ipmipower(farm, folder, halves, together=True)
    for _round in range(size.rounds):
        for way, run in ways.items():
            before = farm.cpu()
            usage = run()
            runs.add(way, usage)
            farm_cpu.add(way, Usage(usage.wall, farm.cpu() - before))
            farm.quiet()
    return _report(count, latency_ms, size, runs, farm_cpu)


def _ours(farm: Farm, folder: Path, count: int, runs: Runs) -> Usage:
    whole, answered = farm.drive(folder, "power_state", count)
    runs.add(WHOLE, whole)
    on = sum(node["found"] == {"power_state": "on"} for node in answered["nodes"].values())
    check(on == count, f"our engine has the right answer of {on} of {count}")
    return Usage(answered["seconds"], answered["cpu"], whole.memory)


def _chunks(count: int) -> list[range]:
    return [range(first, min(first + CHUNK, count)) for first in range(0, count, CHUNK)]


def _ipmipower(farm: Farm, folder: Path, chunks: list[range], *, together: bool) -> Usage:
    """Run an ipmipower for each chunk, one after the other or all at once; they must have every answer."""
    options = ["-D", "LAN_2_0", "-I", "3", "-u", "admin", "-p", "secret", "-F", str(FANOUT), "--stat", "-h"]
    said = [folder / f"peer{number}.txt" for number in range(len(chunks))]
    commands = [
        f"{shlex.join([freeipmi('ipmipower'), *options, hosts(chunk.start, len(chunk))])} >{path}"
        for chunk, path in zip(chunks, said, strict=True)
    ]
    script = f"{' & '.join(commands)} & wait" if together else " && ".join(commands)
    command = farm.inside(["prlimit", f"--nofile={DESCRIPTORS}", "sh", "-c", script])
    usage = child(command, environment(folder), folder / "peer.log")
    on = sum(line.endswith(": on") for path in said for line in path.read_text(encoding="utf-8").splitlines())
    check(on == sum(map(len, chunks)), f"ipmipower has the right answer of {on} of {sum(map(len, chunks))}")
    return usage


def _report(count: int, latency_ms: int, size: Size, runs: Runs, farm_cpu: Runs) -> list[str]:
    medians = {way: runs.median(way) for way in (OURS, WHOLE, PEER, PEERS) if way in runs.of}
    ours, peer = medians[OURS], medians[PEER]
    rows = []
    for way, one in medians.items():
        more = f"{count / one.wall:6.0f} BMCs/s"
        if way in farm_cpu.of:
            used = farm_cpu.median(way)
            more += f", farm busy {100 * used.cpu / used.wall:3.0f} %, {spread(runs.of[way])}"
        rows.append((way, one, more))
    most = 1.0 if count <= 1000 else 0.5
    lines = [
        f"power status of {count} BMCs, suite 3, {latency_ms} ms away; median of {size.rounds}:",
        *table(rows),
    ]
    lines.append(verdict("engine time, to ipmipower's", ours.wall / peer.wall, most))
    if PEERS in medians:
        lines.append(
            f"  beside it: {ours.wall / medians[PEERS].wall:.2f} of two ipmipowers side by side, on both processors"
        )
    if count >= 10_000:
        lines.append(verdict("peak memory of our process", ours.memory, MEMORY_MB, " MB"))
    return lines


def spread(runs: Sequence[Usage]) -> str:
    """Return the least and the most seconds of some runs: what the machine's other work does to them."""
    return f"{min(run.wall for run in runs):.2f} to {max(run.wall for run in runs):.2f} s"
