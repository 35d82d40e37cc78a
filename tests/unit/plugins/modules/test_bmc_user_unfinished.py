# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""bmc_user where a run leaves bmc.password_next behind: what the next ones make of it, and that none loses it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
    account,
    die,
    killed,
    stored,
)
from ansible_collections.stage0.metal.tests.unit.support import PASSWORD, make_rack, ok, refused, run_module, store

NEW = "Tr0ub4dor-and-3"
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


def test_an_account_that_is_not_let_in_is_raised(room: BmcRoom) -> None:
    """A BMC refuses the level user to one of level callback, before it could be seen which password it has."""
    room.give(FIRST, 1, **account("ops", "another", "callback"))
    room.hooks["before proof", 2] = raising(ErrorCode.PRIVILEGE)
    result = ok("bmc_user", nodes=["r1n01"], name="ops", password=NEW, diff=True)
    assert result["nodes"]["r1n01"]["after"]["password"] == "changed"
    assert room.one("ops") == account("ops", NEW)


@pytest.mark.parametrize(
    ("password", "kind"), [(["a-1"], "list"), ({"a": "b-1"}, "dict"), (True, "bool"), (1.5, "float")]
)
def test_a_password_that_is_no_text(room: BmcRoom, password: Any, kind: str) -> None:
    result = refused("bmc_user", nodes=["r1n01"], password=password)
    assert result["error"]["code"] == "invalid"
    assert result["msg"] == f"password: what is given is no text, but of the type {kind}; put it in quotes"
    assert room.counts == {}


def test_a_password_of_digits(room: BmcRoom) -> None:
    ok("bmc_user", nodes=["r1n01"], password=12345678)
    assert stored() == ("admin", "12345678", None)


METAL: dict[str, Any] = {"nodes": ["r1n01"], "name": "metal", "generate": True, "store": True}
STEPS = [
    ("before set_account", 1),
    ("during set_account", 1),
    ("after set_account", 1),
    ("before accounts", 2),
    ("before close", 1),
]


def user_next() -> Any:
    with store() as opened:
        return opened.views(["r1n01"])["r1n01"]["bmc.user_next"]


def cut(room: BmcRoom, step: tuple[str, int]) -> str:
    """Kill the task that gives r1n01 an account of its own; return the password that it left."""
    room.hooks[step] = die
    assert killed(partial(run_module, "bmc_user", **METAL))
    room.forget()
    user, old, new = stored()
    assert (user, old, user_next()) == ("admin", PASSWORD, "metal")
    assert new is not None
    return new


@pytest.mark.parametrize("step", STEPS)
def test_a_plain_run_finishes_another_account(room: BmcRoom, step: tuple[str, int]) -> None:
    new = cut(room, step)
    result = ok("bmc_user", nodes=["r1n01"], diff=True)["nodes"]["r1n01"]
    assert (result["account"], result["stored"], result["after"]["bmc.user"]) == ("metal", True, "metal")
    assert room.one("metal") == account("metal", new)
    assert (*stored(), user_next()) == ("metal", new, None, None)
    assert not ok("bmc_user", nodes=["r1n01"])["changed"]
    assert "refused" not in room.counts


@pytest.mark.parametrize("step", STEPS)
def test_the_same_task_finishes_it_too(room: BmcRoom, step: tuple[str, int]) -> None:
    new = cut(room, step)
    ok("bmc_user", **METAL)
    assert (*stored(), user_next()) == ("metal", room.one("metal")["password"], None, None)
    assert stored()[1] != new


@pytest.mark.parametrize("step", STEPS)
def test_tasks_on_other_accounts_leave_it(room: BmcRoom, step: tuple[str, int]) -> None:
    new = cut(room, step)
    ok("bmc_user", nodes=["r1n01"], name="ops", password=NEW, level="user")
    assert (*stored(), user_next()) == ("admin", PASSWORD, new, "metal")
    for arguments in ({"generate": True}, {"name": "other", "generate": True, "store": True}):
        entry = failed(**arguments)
        assert entry["code"] == "conflict"
        assert entry["msg"] == (
            "r1n01: an earlier task was giving the account 'metal' the password in bmc.password_next; run bmc_user with"
            " nodes only, which finishes that account, or remove it with state: absent"
        )
        assert (*stored(), user_next()) == ("admin", PASSWORD, new, "metal")
    gone = ok("bmc_user", nodes=["r1n01"], name="metal", state="absent", diff=True)["nodes"]["r1n01"]
    assert (gone["changed"], gone["stored"], gone["after"]) == (True, False, {"password_next": "dropped"})
    assert (*stored(), user_next()) == ("admin", PASSWORD, None, None)
    assert not any(slot["name"] == "metal" and slot["enabled"] for slot in room.load()[FIRST])


def test_nothing_is_said_to_be_stored_that_is_not(room: BmcRoom) -> None:
    """What was left is of no use: it is dropped, and bmc.password is what it was."""
    room.hooks["before set_account", 1] = die
    assert killed(partial(run_module, "bmc_user", nodes=["r1n01"], generate=True))
    room.forget()
    result = ok("bmc_user", nodes=["r1n01"], diff=True)["nodes"]["r1n01"]
    assert (result["changed"], result["stored"]) == (True, False)
    assert result["after"] == {**result["before"], "password_next": "dropped"}
    assert stored() == ("admin", PASSWORD, None)


def test_a_new_account_of_which_it_is_not_known(room: BmcRoom) -> None:
    """No answer, and a BMC that is gone: both runs' passwords could be the account's, and it can be made anew."""
    cut(room, ("after set_account", 1))
    room.level_fails = MetalError(ErrorCode.UNSUPPORTED, "scripted")
    room.deaf = True
    entry = failed(**{key: value for key, value in METAL.items() if key != "nodes"})
    assert entry["msg"] == (
        "r1n01: scripted; whether the BMC has the new password of 'metal' is not known; it stays in bmc.password_next,"
        " and the account in bmc.user_next: run bmc_user again, with nodes only, it finishes that account"
    )
    room.deaf, room.level_fails = False, None
    ok("bmc_user", nodes=["r1n01"])
    assert (*stored(), user_next()) == ("metal", room.one("metal")["password"], None, None)
