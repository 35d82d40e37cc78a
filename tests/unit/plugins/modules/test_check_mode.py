# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check mode on a machine that has neither database nor key: it tells what would be, and leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.tests.unit.support import ok, refused


def test_nothing_is_made() -> None:
    home = Path(os.environ["STAGE0_HOME"])
    before = sorted(home.rglob("*")) if home.exists() else []
    wish = {"name": "rack1", "attributes": {"bmc.user": "admin"}, "secrets": {"bmc.password": "open-sesame"}}
    foretold = ok("group", check=True, diff=True, **wish)
    assert foretold["changed"]
    assert foretold["diff"]["after"]["values"] == {"bmc.password": "********", "bmc.user": "admin"}
    assert (sorted(home.rglob("*")) if home.exists() else []) == before
    assert ok("group", diff=True, **wish)["diff"] == foretold["diff"]


READERS: dict[str, dict[str, Any]] = {
    "backup": {"path": "/nowhere/x.gz"},
    "boot_device": {"nodes": ["all"], "device": "network"},
    "boot_device_info": {"nodes": ["all"]},
    "database_info": {},
    "deployment_info": {"nodes": ["all"]},
    "deployment_wait": {"nodes": ["all"]},
    "event_info": {},
    "network_info": {},
    "node_export": {"path": "/nowhere/x.csv"},
    "node_info": {},
    "power": {"nodes": ["all"], "state": "on"},
    "power_info": {"nodes": ["all"]},
}


@pytest.mark.parametrize("module", READERS)
def test_what_works_on_a_database_makes_none(module: str, home: Path) -> None:
    """Whoever mistypes STAGE0_HOME is told so, and finds no new database there."""
    for check in (True, False):
        failed = refused(module, check=check, **READERS[module])
        assert failed["error"]["code"] == "database"
        assert "no node database" in failed["msg"]
    assert not home.exists()
