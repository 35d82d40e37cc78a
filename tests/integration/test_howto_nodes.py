# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The how-tos of the node database do what they say: their plays run, one after the other, and their inventories are listed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gates.snippets import Snippet, markdown_blocks
from tests.integration.site import ROOT, Site

GUIDES = ["nodes", "groups", "networks", "import-export", "expressions-and-noderanges", "events", "database", "backup"]
ASKS_BMCS = "stage0.metal.power_info"
"""There are no machines here; whether its noderange means somebody, node_info tells as well."""


def blocks(guide: str, folder: Path) -> list[Snippet]:
    """Return the code blocks of a how-to, with ``folder`` for the site's files."""
    text = (ROOT / "docs" / "howto" / f"{guide}.md").read_text(encoding="utf-8").replace("/srv/site", str(folder))
    text = text.replace("/var/backups", str(folder))
    return [block for block in markdown_blocks(guide, text) if block.language != "prose"]


def run(site: Site, *command: str) -> str:
    """Run one of Ansible's programs, which must succeed; returns what it printed."""
    program = str(Path(sys.executable).parent / command[0])
    done = subprocess.run(
        [program, *command[1:]], env=site.environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def plays_of(guide: str, folder: Path) -> list[dict[str, Any]]:
    """Return the plays of a how-to; a task that stands alone becomes a play."""
    plays: list[dict[str, Any]] = []
    for block in blocks(guide, folder):
        for one in yaml.safe_load(block.text) if block.language == "yaml" else []:
            play: dict[str, Any] = (
                one if "tasks" in one else {"hosts": "localhost", "gather_facts": False, "tasks": [one]}
            )
            play.get("environment", {}).pop("STAGE0_DATABASE", None)  # there is no server of that name
            plays.append(play)
    return plays


@pytest.mark.parametrize("guide", GUIDES)
def test_the_plays_run(guide: str, tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert not site.module("node", name="r1n01", groups=["rack1"])["failed"]
    (tmp_path / "password.yml").write_text("vault_bmc_password: correct-horse-7\n")
    variables = ["-e", f"@{tmp_path}/password.yml", "-e", f"new=sqlite:///{tmp_path}/new.db"]
    for table in [block for block in blocks(guide, tmp_path) if block.text.startswith("name,")]:
        (tmp_path / "nodes.csv").write_text(table.text)
    plays = plays_of(guide, tmp_path)
    assert plays
    for number, play in enumerate(plays):
        for task in play["tasks"]:
            if ASKS_BMCS in task:
                task["stage0.metal.node_info"] = task.pop(ASKS_BMCS)
        path = tmp_path / f"{number}.yml"
        path.write_text(yaml.safe_dump([play]))
        run(site, "ansible-playbook", str(path), *variables)
        for backup in tmp_path.glob("metal-*.gz"):
            backup.rename(tmp_path / "metal-2026-05-01.gz")


def test_the_inventories_are_listed(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for name in ("r1n01", "r1n02"):
        values = {"location.room": "b2", "location.row": "4", "location.rack": "r1", "bmc.address": f"bmc-{name}"}
        secrets = {"bmc.password": "correct-horse-7"}
        made = site.module("node", name=[name], attributes={**values, "site.owner": "physics"}, secrets=secrets)
        assert not made["failed"]
    groups: set[str] = set()
    sources = [block for block in blocks("inventory", tmp_path) if block.text.startswith("plugin:")]
    assert len(sources) == 4
    for source in sources:
        path = tmp_path / "site.stage0.yml"
        path.write_text(source.text)
        listed = json.loads(run(site, "ansible-inventory", "--list", "-i", str(path)))
        assert {"r1n01", "r1n02"} <= listed["_meta"]["hostvars"].keys()
        groups |= listed.keys()
    assert {"room_b2_row_4", "room_b2_row_4_rack_r1", "owner_physics", "bmcs"} <= groups
