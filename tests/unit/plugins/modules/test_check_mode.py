# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check mode on a machine that has neither database nor key: it tells what would be, and leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.stage0.metal.tests.unit.support import ok, refused


def test_nothing_is_made() -> None:
    home = Path(os.environ["STAGE0_HOME"])
    before = sorted(home.rglob("*")) if home.exists() else []
    wish = {"name": "rack1", "attributes": {"bmc.user": "admin"}, "secrets": {"bmc.password": "open-sesame"}}
    foretold = ok("group", check=True, diff=True, **wish)
    assert foretold["changed"]
    assert foretold["diff"]["after"]["values"] == {"bmc.password": "********", "bmc.user": "admin"}
    assert "named 'rack1'" in refused("power_info", check=True, nodes=["rack1"])["msg"]
    assert (sorted(home.rglob("*")) if home.exists() else []) == before
    assert ok("group", diff=True, **wish)["diff"] == foretold["diff"]
