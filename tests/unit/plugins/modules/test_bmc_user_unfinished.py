# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""bmc_user where a run leaves bmc.password_next behind: what the next ones make of it, and that none loses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers import registry
from ansible_collections.stage0.metal.plugins.module_utils._fleet import fleet
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._operations import bmc_user
from ansible_collections.stage0.metal.tests.unit.plugins.modules.bmc_accounts import (
    AccountsDriver,
    BmcRoom,
    stored,
)
from ansible_collections.stage0.metal.tests.unit.support import PASSWORD, make_rack, ok, run_module

FIRST = "10.2.1.1"
KEPT = (
    "whether the BMC has the new password of 'admin' is not known; the old one stays in bmc.password and the new one in"
    " bmc.password_next: run the task again, it finds which of them is right, and goes on"
)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BmcRoom:
    """Three nodes and their BMCs."""
    made = BmcRoom(tmp_path, 3)
    monkeypatch.setitem(registry.DRIVERS, "ipmi", lambda: AccountsDriver(made))
    monkeypatch.setattr(fleet, "BACKOFF_SECONDS", 0.0)
    monkeypatch.setattr(bmc_user, "PAUSES", (0.0, 0.0))
    make_rack(3)
    return made


def raising(code: ErrorCode) -> Callable[[], object]:
    def hook() -> None:
        raise MetalError(code, f"scripted {code}")

    return hook


def failed(node: str = "r1n01", **arguments: Any) -> dict[str, Any]:
    """The entry of a node that has to fail."""
    result = run_module("bmc_user", nodes=[node], **arguments)
    assert result["failed"]
    entry: dict[str, Any] = result["failed_nodes"][node]
    assert "\n" not in entry["msg"]
    return entry


@pytest.mark.parametrize("code", [ErrorCode.UNSUPPORTED, ErrorCode.PRIVILEGE, ErrorCode.PROTOCOL, ErrorCode.TIMEOUT])
def test_a_password_that_is_taken_up_after_the_task(room: BmcRoom, code: ErrorCode) -> None:
    """A later step is refused, or no answer comes, and the BMC has the old password yet: that proves nothing."""
    room.deaf = True
    room.level_fails = MetalError(code, "scripted")
    entry = failed(generate=True)
    assert entry["msg"].startswith(f"r1n01: scripted; {KEPT}")
    new = stored()[2]
    assert stored() == ("admin", PASSWORD, new)
    room.deaf, room.level_fails = False, None
    room.give(FIRST, 0, password=new)
    assert ok("bmc_user", nodes=["r1n01"])["nodes"]["r1n01"]["stored"]
    assert stored() == ("admin", new, None)
    assert "refused" not in room.counts


def test_a_bmc_that_was_not_told_anything(room: BmcRoom) -> None:
    room.hooks["before set_account", 1] = raising(ErrorCode.AUTH)
    assert failed(generate=True)["msg"] == "r1n01: scripted auth"
    assert stored() == ("admin", PASSWORD, None)
    room.forget()
    room.hooks["during set_account", 1] = raising(ErrorCode.TIMEOUT)
    room.hooks["before proof", 2] = raising(ErrorCode.TIMEOUT)
    room.hooks["before set_account", 2] = raising(ErrorCode.AUTH)
    room.deaf = True
    entry = failed(generate=True)
    assert entry["msg"] == f"r1n01: scripted auth; {KEPT} (2 tries)", "what was sent before it counts"
    assert stored()[2] is not None
