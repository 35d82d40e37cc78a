# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every expression of docs/reference/noderange.md, on a site of two racks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.noderange import Plain, check, expand

PAGE = Path(__file__).resolve().parents[5] / "docs" / "reference" / "noderange.md"

RACKS = {f"rack{rack}": [f"r{rack}n{unit:02d}" for unit in range(1, 26)] for rack in (1, 2, 3, 4)}
NODES = [name for rack in RACKS.values() for name in rack] + [f"n{number}" for number in range(1, 13)]
GROUPS = {**RACKS, "gpu": ["r1n01", "r2n01", "r3n01"]}
VALUES: dict[str, dict[str, Any]] = {
    name: {"location.rack": f"r{name[1]}", "deploy.lock": "unlocked", "deploy.profile": "esxi"} for name in NODES[:100]
}
VALUES["r1n01"]["deploy.lock"] = "locked"
VALUES["r4n25"]["system.serial"] = "ABC123"
VALUES["n1"] = {"deploy.lock": "unlocked", "system.serial": "XABC"}
NAMES = Plain(NODES, GROUPS, VALUES)
SMALL = [f"n{number}" for number in range(1, 13)]


def rack(number: int, *units: int) -> list[str]:
    return [f"r{number}n{unit:02d}" for unit in units]


UNITS = range(1, 26)
MEANS = {
    "r1n07": rack(1, 7),
    "all": SMALL + rack(1, *UNITS) + rack(2, *UNITS) + rack(3, *UNITS) + rack(4, *UNITS),
    "r1n01-r1n20": rack(1, *range(1, 21)),
    "r1n01-r2n20": rack(1, *range(1, 21)) + rack(2, *range(1, 21)),
    "r1n[01-20,25]": rack(1, *range(1, 21), 25),
    "r[1-2]n[01-10]": rack(1, *range(1, 11)) + rack(2, *range(1, 11)),
    "n[1-12:2]": ["n1", "n3", "n5", "n7", "n9", "n11"],
    "rack[1-4]": NODES[:100],
    "rack1-rack4": NODES[:100],
    "rack1,rack2": rack(1, *UNITS) + rack(2, *UNITS),
    "rack1,-r1n07": rack(1, *range(1, 7), *range(8, 26)),
    "rack1@gpu": rack(1, 1),
    "(rack1,rack2)@gpu": rack(1, 1) + rack(2, 1),
    "/r[12]n.*5/": rack(1, 5, 15, 25) + rack(2, 5, 15, 25),
    "deploy.lock==locked": rack(1, 1),
    "location.rack!=r1": SMALL + rack(2, *UNITS) + rack(3, *UNITS) + rack(4, *UNITS),
    "system.serial=~ABC.*": rack(4, 25),
    "deploy.profile!~.*": SMALL,
}


@pytest.mark.parametrize("expression", list(MEANS))
def test_documented_expressions_mean_what_the_page_says(expression: str) -> None:
    assert expand(expression, NAMES) == MEANS[expression]


def test_the_page_documents_these_and_no_others() -> None:
    table = PAGE.read_text().partition("| expression | means |")[2].partition("\n\n")[0]
    documented = [text for line in table.splitlines()[2:] for text in re.findall(r"`([^`]+)`", line.split(" | ")[0])]
    assert documented == list(MEANS)


def test_expressions_in_the_text_are_well_formed() -> None:
    for expression in (
        "(rack1,-r1n07),r1n07",
        "a,-b@c",
        "site.owner=='Smith, J.'",
        "location.rack=~/r(1|2)/",
        "net.mac=~...",
    ):
        assert expression in PAGE.read_text()
        check(expression)
