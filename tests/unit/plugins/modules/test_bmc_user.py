# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""bmc_user over BMCs with accounts: what it changes, and that no way to end it loses the password that works."""

from __future__ import annotations

import asyncio
import json
import string
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers import registry
from ansible_collections.stage0.metal.plugins.module_utils._fleet import fleet
from ansible_collections.stage0.metal.plugins.module_utils._nodes import store as store_module
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Wish
from ansible_collections.stage0.metal.plugins.module_utils._operations import bmc_user, bmc_user_jobs
from ansible_collections.stage0.metal.tests.unit.plugins.modules.bmc_accounts import (
    AccountsDriver,
    BmcRoom,
    account,
    die,
    killed,
    stored,
)
from ansible_collections.stage0.metal.tests.unit.support import (
    PASSWORD,
    events,
    make_rack,
    ok,
    raw_output,
    refused,
    run_module,
    store,
    three_runs,
)

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


# -- what it does ----------------------------------------------------------------------------------------------


def test_every_node_gets_a_password_of_its_own(room: BmcRoom) -> None:
    result = ok("bmc_user", nodes=["rack1"], generate=True, diff=True)
    held = {address: slots[0]["password"] for address, slots in room.load().items()}
    assert len(set(held.values())) == 3
    for number, name in enumerate(("r1n01", "r1n02", "r1n03"), start=1):
        assert stored(name) == ("admin", held[f"10.2.1.{number}"], None)
    node = result["nodes"]["r1n01"]
    assert (node["changed"], node["account"], node["stored"]) == (True, "admin", True)
    assert node["before"] == {"level": "administrator", "enabled": True}
    assert node["after"] == {"level": "administrator", "enabled": True, "password": "changed"}
    again = ok("bmc_user", nodes=["rack1"], generate=True)
    assert again["summary"]["changed"] == 3
    assert room.one("admin")["password"] != held[FIRST]
    assert "refused" not in room.counts


@pytest.mark.parametrize("length", [8, 16, 20])
def test_generated_passwords(room: BmcRoom, length: int) -> None:
    ok("bmc_user", nodes=["r1n01"], generate=True, length=length)
    password = room.one("admin")["password"]
    assert len(password) == length
    assert set(password) <= set(string.ascii_letters + string.digits)
    assert any(map(str.isupper, password))
    assert any(map(str.islower, password))
    assert any(map(str.isdigit, password))


def test_a_given_password(room: BmcRoom) -> None:
    three_runs("bmc_user", nodes=["rack1"], password=NEW)
    assert {slots[0]["password"] for slots in room.load().values()} == {NEW}
    assert stored() == ("admin", NEW, None)


def test_check_mode_touches_neither_bmc_nor_database(room: BmcRoom) -> None:
    before, told = room.load(), len(events())
    assert ok("bmc_user", nodes=["rack1"], generate=True, check=True)["summary"]["changed"] == 3
    assert room.load() == before
    assert stored() == ("admin", PASSWORD, None)
    assert len(events()) == told
    assert "before set_account" not in room.counts


def test_nothing_to_do_writes_nothing(room: BmcRoom) -> None:
    told = len(events())
    assert not ok("bmc_user", nodes=["rack1"], password=PASSWORD)["changed"]
    assert not ok("bmc_user", nodes=["rack1"])["changed"]
    assert len(events()) == told
    assert "before set_account" not in room.counts


def test_a_password_that_somebody_else_has_changed_is_told_to_us(room: BmcRoom) -> None:
    """Given the right one, the node database learns it; the BMC is left alone."""
    room.give(FIRST, 0, password=NEW)
    result = three_runs("bmc_user", nodes=["r1n01"], password=NEW)
    assert result["nodes"]["r1n01"]["after"] == {"level": "administrator", "enabled": True, "password": "stored"}
    assert stored() == ("admin", NEW, None)
    assert "before set_account" not in room.counts


def test_another_account(room: BmcRoom) -> None:
    arguments = {"nodes": ["rack1"], "name": "monitor", "password": NEW, "level": "user"}
    result = three_runs("bmc_user", **arguments)
    assert room.one("monitor") == account("monitor", NEW, "user")
    assert stored() == ("admin", PASSWORD, None)
    node = result["nodes"]["r1n01"]
    assert (node["before"], node["stored"]) == ({}, False)
    assert not any("password_next" in str(event) for event in events())
    up = three_runs("bmc_user", nodes=["r1n01"], name="monitor", level="operator")
    assert up["nodes"]["r1n01"]["before"] == {"level": "user", "enabled": True}
    assert up["nodes"]["r1n01"]["after"] == {"level": "operator", "enabled": True}
    assert room.one("monitor") == account("monitor", NEW, "operator")
    gone = three_runs("bmc_user", nodes=["rack1"], name="monitor", state="absent")
    assert gone["nodes"]["r1n02"]["before"] == {"level": "user", "enabled": True}
    assert gone["nodes"]["r1n02"]["after"] == {}
    assert [slot["name"] for slot in room.load()[FIRST]] == ["admin", "", "", ""]


def test_a_disabled_account_is_enabled(room: BmcRoom) -> None:
    room.give(FIRST, 1, **account("ops", NEW, enabled=False))
    three_runs("bmc_user", nodes=["r1n01"], name="ops")
    assert room.one("ops")["enabled"]


def test_an_account_that_becomes_the_nodes_own(room: BmcRoom) -> None:
    result = ok("bmc_user", nodes=["rack1"], name="metal", generate=True, store=True, diff=True)
    assert stored("r1n02") == ("metal", room.one("metal", "10.2.1.2")["password"], None)
    assert result["nodes"]["r1n01"]["before"] == {"bmc.user": "admin"}
    assert result["nodes"]["r1n01"]["after"]["bmc.user"] == "metal"
    assert not ok("bmc_user", nodes=["rack1"])["changed"], "it logs in with the new one"
    three_runs("bmc_user", nodes=["rack1"], name="admin", state="absent")
    assert room.load()[FIRST][0] == account()


def test_an_account_that_is_there_becomes_the_nodes_own(room: BmcRoom) -> None:
    room.give(FIRST, 1, **account("metal", NEW))
    result = three_runs("bmc_user", nodes=["r1n01"], name="metal", password=NEW, store=True)
    assert result["nodes"]["r1n01"]["after"]["password"] == "stored"
    assert stored() == ("metal", NEW, None)


# -- what it refuses -------------------------------------------------------------------------------------------

ADMIN = "r1n01: the task logs in with the account 'admin', so it cannot remove it; log in with another"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ({"state": "absent"}, "conflict", ADMIN),
        ({"state": "absent", "name": "admin"}, "conflict", ADMIN),
        (
            {"state": "absent", "name": "ops", "generate": True},
            "invalid",
            "state: absent takes neither password nor generate nor store",
        ),
        (
            {"password": NEW, "generate": True},
            "invalid",
            "password and generate exclude each other; give one of them",
        ),
        (
            {"name": "ops", "store": True},
            "invalid",
            "store: true needs the account's password; give it, or say generate: true",
        ),
        (
            {"name": "ops", "generate": True},
            "invalid",
            "r1n01: the account 'ops' would have a password that nobody knows; say store: true",
        ),
        ({"generate": True, "length": 21}, "invalid", "length: 21 cannot be; write 8 to 20"),
        ({"generate": True, "length": 7}, "invalid", "length: 7 cannot be; write 8 to 20"),
        (
            {"level": "operator"},
            "conflict",
            "r1n01: 'admin' would be bmc.user, and could not change accounts any more; level has to be administrator",
        ),
        ({"name": "n" * 17}, "invalid", f"name: '{'n' * 17}' has 17 bytes; a BMC takes 1 to 16"),
        ({"name": ""}, "invalid", "name: '' has 0 bytes; a BMC takes 1 to 16"),
        ({"password": "p" * 21}, "invalid", "password: what is given has 21 bytes; a BMC takes 1 to 20"),
        ({"password": "ü" * 11}, "invalid", "password: what is given has 22 bytes; a BMC takes 1 to 20"),
        (
            {"password": " x-1-y"},
            "invalid",
            "password: what is given begins or ends with a blank, or begins with fernet:, which the node database would not keep",
        ),
        (
            {"password": "fernet:abc"},
            "invalid",
            "password: what is given begins or ends with a blank, or begins with fernet:, which the node database would not keep",
        ),
        (
            {"password": "two\nlines"},
            "invalid",
            "password: what is given contains a control character or a line break, which no attribute may",
        ),
    ],
)
def test_refused_before_anything_is_touched(room: BmcRoom, arguments: dict[str, Any], code: str, says: str) -> None:
    told = len(events())
    result = refused("bmc_user", nodes=["rack1"], **arguments)
    assert (result["error"]["code"], result["msg"]) == (code, says)
    assert room.counts == {}
    assert len(events()) == told


def test_two_nodes_with_one_bmc(room: BmcRoom) -> None:
    with store() as opened:
        opened.put("node", "r1n02", Wish({"bmc.address": FIRST}))
    result = refused("bmc_user", nodes=["rack1"], generate=True)
    assert result["msg"] == "r1n02: its BMC 10.2.1.1:623 is that of r1n01, too; see bmc.address and bmc.port of both"
    assert stored() == ("admin", PASSWORD, None)
    assert room.counts == {}


@pytest.mark.parametrize("check", [True, False])
def test_no_place_for_a_new_account(room: BmcRoom, check: bool) -> None:
    for number in range(1, 4):
        room.give(FIRST, number, **account(f"u{number}", NEW))
    entry = failed(name="ops", password=NEW, check=check)
    assert (entry["code"], entry["msg"]) == ("conflict", "r1n01: the BMC has no free account: all 4 are taken")
    assert failed(name="ops", generate=True, store=True, check=check)["code"] == "conflict"
    assert stored() == ("admin", PASSWORD, None)


def test_a_new_account_needs_a_password(room: BmcRoom) -> None:
    entry = failed(name="ops", check=True)
    says = "r1n01: the BMC has no account 'ops'; give it a password, or say generate: true, and it is made"
    assert (entry["code"], entry["msg"]) == ("missing", says)


def test_a_wrong_password_of_our_own_is_told_once(room: BmcRoom) -> None:
    room.give(FIRST, 0, password="another")
    result = run_module("bmc_user", nodes=["rack1"], generate=True)
    entry = result["failed_nodes"]["r1n01"]
    says = "r1n01: the BMC refuses the password of user 'admin'; see bmc.user and bmc.password"
    assert (entry["code"], entry["msg"]) == ("auth", says)
    assert result["summary"]["ok_range"] == "r1n[02-03]"
    assert room.counts["before proof"] == 3
    assert "refused" not in room.counts, "nobody tried to log in with it"
    assert stored() == ("admin", PASSWORD, None)


def test_an_account_that_may_not_change_accounts(room: BmcRoom) -> None:
    room.give(FIRST, 0, level="operator")
    assert failed(generate=True)["code"] == "privilege"
    assert stored() == ("admin", PASSWORD, None)
    assert room.one("admin")["password"] == PASSWORD


# -- BMCs that do not do as they are told ------------------------------------------------------------------------


def test_a_bmc_that_takes_no_long_password(room: BmcRoom) -> None:
    room.most = 16
    entry = failed(generate=True, length=20)
    assert (entry["code"], entry["msg"]) == ("unsupported", f"r1n01: the BMC takes no password of 20 bytes; {KEPT}")
    assert stored()[:2] == ("admin", PASSWORD)
    assert ok("bmc_user", nodes=["r1n01"], generate=True)["changed"]
    assert stored() == ("admin", room.one("admin")["password"], None)


def test_a_bmc_that_keeps_16_bytes_and_does_not_say_so(room: BmcRoom) -> None:
    room.keeps = 16
    entry = failed(generate=True, length=20)
    says = (
        "r1n01: the BMC took the new password of 'admin', but kept its first 16 bytes only, which are in bmc.password now;"
        " say length: 16"
    )
    assert (entry["code"], entry["msg"]) == ("unsupported", says)
    assert stored() == ("admin", room.one("admin")["password"], None)
    assert not ok("bmc_user", nodes=["r1n01"])["changed"]


def test_a_bmc_that_is_deaf(room: BmcRoom) -> None:
    room.deaf = True
    entry = failed(generate=True)
    says = f"r1n01: the BMC took the new password of 'admin', but it still has the old one; {KEPT}"
    assert (entry["code"], entry["msg"]) == ("not_reached", says)
    assert stored()[:2] == ("admin", PASSWORD)
    assert stored()[2] is not None, "it may take it up later"
    assert ok("bmc_user", nodes=["r1n01"])["changed"]
    assert stored() == ("admin", PASSWORD, None)


def test_a_password_that_lets_nobody_in(room: BmcRoom) -> None:
    """As if the BMC had made something else of it: both stay, and the next run with the right one goes on."""
    room.hooks["after set_account", 1] = lambda: room.give(FIRST, 0, password="something else")
    entry = failed(password=NEW)
    assert entry["code"] == "auth"
    assert entry["msg"].startswith("r1n01: the BMC took the new password of 'admin', but does not let us in with it: ")
    assert entry["msg"].endswith(KEPT)
    assert stored() == ("admin", PASSWORD, NEW)
    neither = failed(generate=True)
    assert neither["msg"].endswith("see bmc.user and bmc.password, nor is it bmc.password_next")
    assert stored() == ("admin", PASSWORD, NEW), "another run gives neither of them up"
    room.give(FIRST, 0, password=NEW)
    ok("bmc_user", nodes=["r1n01"])
    assert stored() == ("admin", NEW, None)


def test_a_level_that_is_refused_after_the_password(room: BmcRoom) -> None:
    """The password is the new one then, and that is what has to be kept."""
    room.give(FIRST, 1, **account("metal", PASSWORD, "user"))
    room.level_fails = MetalError(ErrorCode.UNSUPPORTED, "the BMC refuses a field of this request")
    entry = failed(name="admin", password=NEW)
    assert entry["msg"] == "r1n01: the BMC refuses a field of this request"
    assert stored() == ("admin", NEW, None) == ("admin", room.one("admin")["password"], None)


@pytest.mark.parametrize("step", ["before set_account", "during set_account", "after set_account"])
@pytest.mark.parametrize("code", [ErrorCode.TIMEOUT, ErrorCode.BUSY, ErrorCode.UNREACHABLE])
def test_an_answer_that_is_lost_is_made_good(room: BmcRoom, step: str, code: ErrorCode) -> None:
    room.hooks[step, 1] = raising(code)
    result = ok("bmc_user", nodes=["r1n01"], generate=True, diff=True)
    node = result["nodes"]["r1n01"]
    assert (node["tries"], node["changed"], node["stored"]) == (2, True, True)
    assert node["after"]["password"] == "changed"
    assert stored() == ("admin", room.one("admin")["password"], None)
    assert stored()[1] != PASSWORD
    assert "refused" not in room.counts


def test_what_was_proved_once_stays_so(room: BmcRoom) -> None:
    """The answer to the change is lost, the log-in works, and then the BMC goes: the account is the node's all the same."""
    room.give(FIRST, 1, **account("metal", "another"))
    room.hooks["during set_account", 1] = raising(ErrorCode.TIMEOUT)
    room.hooks["before accounts", 4] = raising(ErrorCode.UNSUPPORTED)
    entry = failed(name="metal", password=NEW, store=True)
    assert entry["msg"] == "r1n01: scripted unsupported (2 tries)"
    assert stored() == ("metal", NEW, None)


def test_another_task_has_begun_meanwhile(room: BmcRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = bmc_user_jobs.Jobs.begin

    def later(jobs: bmc_user_jobs.Jobs) -> None:
        with store() as opened:
            opened.put("node", "r1n01", Wish({"bmc.password_next": "the-other-task-1"}))
        room.give(FIRST, 0, password="the-other-task-1")
        begin(jobs)

    monkeypatch.setattr(bmc_user_jobs.Jobs, "begin", later)
    ok("bmc_user", nodes=["r1n01"], password=NEW)
    assert stored() == ("admin", NEW, None)
    assert room.one("admin")["password"] == NEW


def test_a_bmc_that_is_gone_after_it_was_told(room: BmcRoom) -> None:
    def gone() -> None:
        for count in range(20):
            for what in ("before proof", "before accounts", "before set_account"):
                room.hooks[what, room.counts.get(what, 0) + 1 + count] = raising(ErrorCode.UNREACHABLE)
        raise MetalError(ErrorCode.TIMEOUT, "the BMC stopped answering in mid-session")

    room.hooks["during set_account", 1] = gone
    result = run_module("bmc_user", nodes=["r1n01"], generate=True)
    assert result["changed"]
    assert result["failed_nodes"]["r1n01"]["msg"] == f"r1n01: scripted unreachable; {KEPT} (3 tries)"
    user, old, new = stored()
    assert (user, old) == ("admin", PASSWORD)
    assert new == room.one("admin")["password"]
    room.forget()
    ok("bmc_user", nodes=["r1n01"])
    assert stored() == ("admin", new, None)
    assert "refused" not in room.counts


def test_the_deadline_in_the_middle(room: BmcRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """r1n02 is proved when the task's time is over, r1n01 is not."""
    monkeypatch.setattr(bmc_user, "PAUSES", (0.0, 60.0))

    def something_else() -> None:
        slots = room.load()
        first = next(address for address, each in slots.items() if each[0]["password"] != PASSWORD)
        room.give(first, 0, password="something else")

    room.hooks["after set_account", 1] = something_else
    result = run_module("bmc_user", nodes=["r1n[01-02]"], password=NEW, deadline=2)
    (late,) = result["failed_nodes"]
    (done,) = result["nodes"]
    assert result["failed_nodes"][late]["code"] == "not_reached"
    assert result["failed_nodes"][late]["msg"] == f"{late}: the task's deadline came; {KEPT}"
    assert stored(late) == ("admin", PASSWORD, NEW)
    assert stored(done) == ("admin", NEW, None)


def test_a_signal_in_the_middle(room: BmcRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was proved by then is stored."""

    async def ended(*_arguments: Any) -> Any:
        await run(*_arguments)
        raise asyncio.CancelledError

    run = fleet.run
    monkeypatch.setattr(fleet, "run", ended)
    result = run_module("bmc_user", nodes=["rack1"], password=NEW)
    assert result["error"]["code"] == "skipped"
    assert [stored(name) for name in ("r1n01", "r1n02", "r1n03")] == [("admin", NEW, None)] * 3


def test_a_database_that_refuses_at_the_end(room: BmcRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    put_many = store_module.Store.put_many

    def refuse() -> None:
        def broken(*_arguments: Any) -> None:
            raise MetalError(ErrorCode.DATABASE, "the disk is full")

        monkeypatch.setattr(store_module.Store, "put_many", broken)

    room.hooks["before close", 1] = refuse
    result = run_module("bmc_user", nodes=["rack1"], password=NEW)
    monkeypatch.setattr(store_module.Store, "put_many", put_many)
    assert result["failed"]
    assert result["changed"]
    assert result["msg"] == (
        "the disk is full; new passwords of r1n[01-03] stay in bmc.password_next: run the task again"
    )
    assert stored() == ("admin", PASSWORD, NEW)
    ok("bmc_user", nodes=["rack1"], password=NEW)
    assert stored() == ("admin", NEW, None)


def test_a_database_that_refuses_at_the_beginning(room: BmcRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: Any) -> None:
        raise MetalError(ErrorCode.DATABASE, "the disk is full")

    monkeypatch.setattr(store_module.Store, "put_many", broken)
    assert refused("bmc_user", nodes=["rack1"], password=NEW)["msg"] == "the disk is full"
    assert room.counts == {}


# -- kill -9 at each step ----------------------------------------------------------------------------------------

STEPS = [
    ("before proof", 1),
    ("after proof", 1),
    ("before accounts", 1),
    ("after accounts", 1),
    ("before set_account", 1),
    ("during set_account", 1),
    ("after set_account", 1),
    ("before accounts", 2),
    ("after accounts", 2),
    ("before close", 1),
]
TURNING = [("after accounts", 1), ("before set_account", 1), ("during set_account", 1), ("before close", 1)]
"""Before and after the writes to the node database, and to the BMC."""
SECOND_RUNS: list[dict[str, Any]] = [
    {"generate": True},
    {"password": "Another-one-5"},
    {},
    {"name": "ops", "password": "Another-one-5", "level": "user"},
]


@pytest.mark.parametrize("step", STEPS)
def test_whenever_it_is_killed_the_password_is_known(room: BmcRoom, step: tuple[str, int]) -> None:
    room.hooks[step] = die
    assert killed(lambda: run_module("bmc_user", nodes=["r1n01"], generate=True))
    user, old, new = stored()
    assert (user, old) == ("admin", PASSWORD)
    assert new is not None
    assert room.one("admin")["password"] in (old, new)
    room.forget()
    ok("bmc_user", nodes=["r1n01"])
    assert stored() == ("admin", room.one("admin")["password"], None)
    assert "refused" not in room.counts


@pytest.mark.parametrize("second", SECOND_RUNS)
@pytest.mark.parametrize("first", ["before set_account", "during set_account", "before close"])
def test_the_next_run_may_be_killed_too(room: BmcRoom, first: str, second: dict[str, Any]) -> None:
    """What an earlier run left is the only working password, perhaps: no later run may lose it, wherever it ends."""
    begin = room.load()
    for step in TURNING:
        room.save(begin)
        with store() as opened:
            opened.put("node", "r1n01", Wish(unset=("bmc.password", "bmc.password_next")))
        for turn, arguments in (((first, 1), {"generate": True}), (step, second)):
            room.forget()
            room.hooks[turn] = die
            killed(partial(run_module, "bmc_user", nodes=["r1n01"], **arguments))
            assert room.one("admin")["password"] in stored(), (step, second)
        room.forget()
        ok("bmc_user", nodes=["r1n01"])
        assert stored() == ("admin", room.one("admin")["password"], None)
        assert "refused" not in room.counts


@pytest.mark.parametrize("step", [*STEPS, ("after proof", 2)])
def test_killed_while_another_account_becomes_the_nodes_own(room: BmcRoom, step: tuple[str, int]) -> None:
    room.hooks[step] = die
    arguments: dict[str, Any] = {"nodes": ["r1n01"], "name": "metal", "generate": True, "store": True}
    killed(lambda: run_module("bmc_user", **arguments))
    user, *passwords = stored()
    assert room.one(str(user))["password"] in passwords
    room.forget()
    if user == "admin":
        ok("bmc_user", **arguments)
    assert stored() == ("metal", room.one("metal")["password"], None)


def test_many_nodes_killed_in_the_middle(room: BmcRoom) -> None:
    """Some BMCs took it and some did not; the next run gives every one another."""
    room.hooks["after set_account", 2] = die
    assert killed(lambda: run_module("bmc_user", nodes=["rack1"], generate=True))
    nodes = [(f"r1n0{number}", f"10.2.1.{number}") for number in (1, 2, 3)]
    left = {name: stored(name)[1:] for name, _address in nodes}
    held = {name: room.one("admin", address)["password"] for name, address in nodes}
    assert all(held[name] in left[name] for name, _address in nodes)
    assert {held[name] == PASSWORD for name, _address in nodes} == {True, False}
    room.forget()
    result = ok("bmc_user", nodes=["rack1"], generate=True)
    assert result["summary"]["changed"] == 3
    for name, address in nodes:
        assert stored(name) == ("admin", room.one("admin", address)["password"], None)
        assert stored(name)[1] not in left[name]
    assert "refused" not in room.counts


def test_a_node_that_is_removed_meanwhile_stays_removed(room: BmcRoom) -> None:
    def remove() -> None:
        with store() as opened:
            opened.remove("node", "r1n01")

    room.hooks["before close", 1] = remove
    ok("bmc_user", nodes=["rack1"], generate=True)
    with store() as opened:
        assert opened.known("node", ["r1n01", "r1n02"]) == {"r1n02"}


# -- secrets -----------------------------------------------------------------------------------------------------


@pytest.mark.sqlite
def test_no_password_is_shown_anywhere(
    room: BmcRoom, home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {PASSWORD, NEW}
    said = []
    for arguments in (
        {"generate": True},
        {"password": NEW},
        {"name": "metal", "generate": True, "store": True},
        {"name": "ops", "password": NEW, "level": "user"},
    ):
        said.append(raw_output("bmc_user", nodes=["rack1"], _ansible_diff=True, _ansible_verbosity=3, **arguments))
        known |= {slot["password"] for slots in room.load().values() for slot in slots} - {""}
    room.deaf = True
    said.append(raw_output("bmc_user", nodes=["rack1"], generate=True, _ansible_diff=True))
    said.append(json.dumps(events()))
    said.extend(capfd.readouterr())
    files = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert len(known) > 6
    for password in known:
        assert not any(password in text for text in said)
        assert not any(password.encode() in content for content in files)
    assert "password_next" in said[-3], "events tell that there was a change"
