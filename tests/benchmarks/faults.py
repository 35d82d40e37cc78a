# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Thousands of BMCs of which some are dead, some have another password, and whose network loses packets.

Every node has to have its right answer, or the right error, before the deadline. The BMCs tell the rest: whether a
wrong password was tried twice, and whether they still hold a session of ours.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .farm import Farm
from .measure import Runs, Size, Usage, check, table, verdict

DEADLINE = 60
BADPASS_EVERY, LOSS, LATENCY_MS = 100, 5, 30


@dataclass(frozen=True, slots=True)
class Seen:
    """One run: nodes with a wrong outcome, tries by outcome, and what the BMCs say of it."""

    wrong: list[str]
    outcomes: Counter[str]
    refused: int
    proofs: int
    open_after: int
    half_open_after: int
    half_open_later: int


def faults(size: Size) -> str:
    """Return the figures for 10,000 BMCs."""
    count = size.of(10_000, 200)
    dead_every = size.of(50, 0)  # it takes half a minute to be sure of a dead one
    options = ["--loss", str(LOSS), "--dead-every", str(dead_every), "--badpass-every", str(BADPASS_EVERY)]
    half_open = size.of(5, 1)  # seconds after which these BMCs forget a log-in that was not finished
    options += ["--latency-ms", str(LATENCY_MS), "--half-open", str(half_open), "--session-timeout", "600"]
    runs, seen = Runs(), []
    with tempfile.TemporaryDirectory(prefix="stage0-bench-") as name, Farm(count, *options) as farm:
        for _round in range(size.rounds):
            farm.control("reset")
            whole, found = farm.drive(Path(name), "power_state", count, deadline=DEADLINE)
            runs.add("power status under faults", Usage(found["seconds"], found["cpu"], whole.memory))
            seen.append(_seen(farm, found["nodes"], count, half_open))
    return "\n".join(_report(count, size, runs, seen))


def _seen(farm: Farm, nodes: Mapping[str, Mapping[str, Any]], count: int, half_open: int) -> Seen:
    bmcs = farm.statistics()
    check(len(nodes) == count, f"{len(nodes)} outcomes of {count}")
    check(
        sum(bmc["badpass"] for bmc in bmcs.values()) == count // BADPASS_EVERY
        and sum(bmc["lost"] for bmc in bmcs.values()) > count / 10,
        "the farm has not the faults that it should have",
    )
    wrong = [name for name, node in nodes.items() if _outcome(node) != _right(bmcs[name])]
    time.sleep(half_open + 0.5)
    return Seen(
        wrong,
        Counter(f"{_outcome(node)} at try {node['tries']}" for node in nodes.values()),
        max(bmc["refused"] for bmc in bmcs.values()),
        max((bmc["proofs"] for bmc in bmcs.values() if bmc["badpass"]), default=0),
        sum(bmc["open_now"] for bmc in bmcs.values()),
        sum(bmc["half_open_now"] for bmc in bmcs.values()),
        farm.summary()["half_open_now"],
    )


def _outcome(node: Mapping[str, Any]) -> str:
    return str(node["error"] or node["found"]["power_state"])


def _right(bmc: Mapping[str, Any]) -> str:
    return "unreachable" if bmc["dead"] else "auth" if bmc["badpass"] else str(bmc["power"])


def _report(count: int, size: Size, runs: Runs, seen: list[Seen]) -> list[str]:
    way = "power status under faults"
    slowest = max(run.wall for run in runs.of[way])
    said = ", ".join(f"{number} {what}" for what, number in sorted(seen[-1].outcomes.items()))
    wrong = [name for one in seen for name in one.wrong]
    lines = [
        f"{count} BMCs, 2 % dead, 1 % with another password, {LOSS} % of packets lost each way, {LATENCY_MS} ms; "
        f"median of {size.rounds}:",
        *table([(way, runs.median(way), said)]),
        f"  half-open log-ins at the end: {max(one.half_open_after for one in seen)}",
        verdict("nodes with a wrong outcome" + (f", such as {wrong[0]}" if wrong else ""), len(wrong), 0),
        verdict("time, the slowest run", slowest, DEADLINE, " s"),
        verdict("log-ins refused at one BMC", max(one.refused for one in seen), 1),
        verdict("times that a wrong password was tried at one BMC", max(one.proofs for one in seen), 1),
        verdict("sessions that BMCs hold at the end", max(one.open_after for one in seen), 0),
        verdict("half-open ones when BMCs should have forgotten them", max(one.half_open_later for one in seen), 0),
    ]
    return lines
