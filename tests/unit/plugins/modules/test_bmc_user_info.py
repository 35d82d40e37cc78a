# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""bmc_user_info over BMCs with accounts, and factory passwords of the simulated BMCs, told without a failed log-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers import registry
from ansible_collections.stage0.metal.plugins.module_utils._fleet import fleet
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Wish
from ansible_collections.stage0.metal.plugins.module_utils._operations.factory import FACTORY, LogIn, by_user
from ansible_collections.stage0.metal.tests.unit.plugins.modules.bmc_accounts import AccountsDriver, BmcRoom, account
from ansible_collections.stage0.metal.tests.unit.support import (
    PASSWORD,
    make_rack,
    ok,
    raw_output,
    refused,
    run_module,
    store,
)

FIRST = "10.2.1.1"


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BmcRoom:
    """Three nodes and their BMCs; the first has a maker's account, the second one that the site knows of."""
    made = BmcRoom(tmp_path, 3)
    monkeypatch.setitem(registry.DRIVERS, "ipmi", lambda: AccountsDriver(made))
    monkeypatch.setattr(fleet, "BACKOFF_SECONDS", 0.0)
    make_rack(3)
    made.give(FIRST, 1, **account("ADMIN", "ADMIN"))
    made.give(FIRST, 2, **account("root", "calvin", enabled=False))
    made.give("10.2.1.2", 1, **account("site", "old-site-password", "user"))
    return made


def shown(node: dict[str, Any]) -> dict[str, Any]:
    return {key: node[key] for key in ("accounts", "refused", "factory")}


ADMIN = {"number": 2, "name": "admin", "level": "administrator", "enabled": True}


def test_accounts(room: BmcRoom) -> None:
    result = ok("bmc_user_info", nodes=["rack1"])
    assert result["changed"] is False
    assert shown(result["nodes"]["r1n01"]) == {
        "accounts": [
            ADMIN,
            {"number": 3, "name": "ADMIN", "level": "administrator", "enabled": True},
            {"number": 4, "name": "root", "level": "administrator", "enabled": False},
        ],
        "refused": None,
        "factory": None,
    }
    assert result["nodes"]["r1n03"]["accounts"] == [ADMIN]
    assert result["factory_range"] is None
    assert "before proof" not in room.counts


def test_factory_defaults(room: BmcRoom) -> None:
    result = ok("bmc_user_info", nodes=["rack1"], factory_defaults=True)
    found = {name: node["factory"] for name, node in result["nodes"].items()}
    assert found == {"r1n01": ["ADMIN"], "r1n02": [], "r1n03": []}
    assert result["factory_range"] == "r1n01"
    logins = [{"name": "site", "password": "old-site-password"}, {"name": "admin", "password": PASSWORD}]
    result = ok("bmc_user_info", nodes=["rack1"], factory_defaults=True, logins=logins)
    assert result["nodes"]["r1n02"]["factory"] == ["admin", "site"]
    assert result["factory_range"] == "r1n[01-03]"
    assert "refused" not in room.counts
    assert ok("bmc_user_info", nodes=["r1n03"], factory_defaults=True)["factory_range"] == ""


def test_one_question_a_user(room: BmcRoom) -> None:
    ok("bmc_user_info", nodes=["r1n01"], factory_defaults=True)
    assert room.counts["before proof"] == len({each.user for each in FACTORY})


def test_our_own_account_is_refused(room: BmcRoom) -> None:
    room.give(FIRST, 0, password="another")
    failed = run_module("bmc_user_info", nodes=["r1n01"])
    assert failed["failed_nodes"]["r1n01"]["code"] == "auth"
    result = ok("bmc_user_info", nodes=["r1n01"], factory_defaults=True)
    assert shown(result["nodes"]["r1n01"]) == {
        "accounts": None,
        "refused": "the BMC refuses the password of user 'admin'",
        "factory": ["ADMIN"],
    }
    room.give(FIRST, 0, password=PASSWORD, level="operator")
    result = ok("bmc_user_info", nodes=["r1n01"], factory_defaults=True)
    assert result["nodes"]["r1n01"]["refused"] == "the BMC does not give user 'admin' this level"
    assert result["factory_range"] == "r1n01"


def test_a_password_on_its_way(room: BmcRoom) -> None:
    with store() as opened:
        opened.put("node", "r1n01", Wish({"bmc.password_next": "the new one"}))
    room.give(FIRST, 0, password="the new one")
    assert ok("bmc_user_info", nodes=["r1n01"])["nodes"]["r1n01"]["accounts"][0] == ADMIN
    room.give(FIRST, 0, password="neither")
    result = run_module("bmc_user_info", nodes=["r1n01"])
    says = "r1n01: the BMC refuses the password of user 'admin'; see bmc.user and bmc.password, nor is it bmc.password_next"
    assert result["failed_nodes"]["r1n01"]["msg"] == says
    with store() as opened:
        assert opened.views(["r1n01"])["r1n01"]["bmc.password_next"] == "the new one"


def test_a_dead_bmc_is_no_finding(room: BmcRoom) -> None:
    def dead() -> None:
        raise MetalError(ErrorCode.UNREACHABLE, "no answer")

    room.hooks["before proof", 3] = dead
    result = ok("bmc_user_info", nodes=["r1n01"], factory_defaults=True)
    assert (result["nodes"]["r1n01"]["tries"], result["factory_range"]) == (2, "r1n01")
    room.forget()
    room.hooks = {("before proof", number): dead for number in range(10)}
    result = run_module("bmc_user_info", nodes=["rack1"], factory_defaults=True)
    assert {entry["msg"] for entry in result["failed_nodes"].values()} == {
        f"r1n0{number}: no answer (3 tries)" for number in (1, 2, 3)
    }


def test_logins_without_asking_for_them() -> None:
    make_rack(1)
    result = refused("bmc_user_info", nodes=["r1n01"], logins=[{"name": "a", "password": "b-1-c"}])
    assert result["msg"] == "logins are asked for with factory_defaults: true only; say that too"


@pytest.mark.parametrize(
    ("login", "says"),
    [
        (
            {"name": "n" * 17, "password": "p-1-q"},
            f"logins: name: '{'n' * 17}' has 17 bytes; a BMC takes at most 16",
        ),
        (
            {"name": "site", "password": "ü" * 11},
            "logins: password: that of 'site' has 22 bytes; a BMC takes at most 20",
        ),
    ],
)
def test_logins_that_no_bmc_could_have(room: BmcRoom, login: dict[str, str], says: str) -> None:
    logins = [{"name": "site", "password": "old-site-password"}, login]
    result = refused("bmc_user_info", nodes=["rack1"], factory_defaults=True, logins=logins)
    assert (result["error"]["code"], result["msg"]) == ("invalid", says)
    assert room.counts == {}


def test_a_bmc_that_takes_short_names_only(room: BmcRoom) -> None:
    def too_long() -> None:
        raise MetalError(ErrorCode.INVALID, "the BMC takes no user name as long as 'Administrator'; see bmc.user")

    room.hooks["before proof", 2] = too_long
    result = ok("bmc_user_info", nodes=["r1n01"], factory_defaults=True)
    assert (result["nodes"]["r1n01"]["factory"], result["nodes"]["r1n01"]["tries"]) == (["ADMIN"], 1)


def test_no_password_is_shown(room: BmcRoom) -> None:
    logins = [{"name": "site", "password": "old-site-password"}]
    said = raw_output("bmc_user_info", nodes=["rack1"], factory_defaults=True, logins=logins)
    for password in ("old-site-password", "calvin", PASSWORD):
        assert password not in said


def test_the_table_fits_into_ipmi() -> None:
    assert all(1 <= len(each.user) <= 16 and 1 <= len(each.password) <= 20 and each.maker for each in FACTORY)
    assert len(set(FACTORY)) == len({(each.user, each.password) for each in FACTORY}) == len(FACTORY)
    assert list(FACTORY) == sorted(FACTORY)
    asked = by_user([LogIn("root", "calvin"), LogIn("root", "ours"), LogIn("zoe", "z")])
    assert asked["root"].count("calvin") == 1
    assert (asked["root"][-1], asked["zoe"]) == ("ours", ("z",))
