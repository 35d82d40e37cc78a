# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module secret_key: a key is made, rotated, and nothing becomes unreadable wherever it is interrupted."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes import rotation
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Wish
from ansible_collections.stage0.metal.tests.unit.support import (
    HASH,
    PASSWORD,
    events,
    make_rack,
    ok,
    refused,
    store,
    three_runs,
)
from cryptography.fernet import Fernet


def readable() -> None:
    """All secrets are what they were."""
    with store() as opened:
        for view in opened.views(["r1n01", "r1n02"]).values():
            assert view["bmc.password"] == PASSWORD
            assert view["deploy.root_password_hash"] == HASH


def grow_old(key: Path, days: float) -> None:
    at = time.time() - days * 86400
    os.utime(key, (at, at))


def test_a_key_is_made(home: Path) -> None:
    made = three_runs("secret_key")
    assert len(made["keys"]) == 1
    assert (made["keys_from"], made["rewritten"]) == (str(home / "secret.key"), 0)
    assert (home / "secret.key").stat().st_mode & 0o777 == 0o600


def test_check_mode_makes_none(home: Path) -> None:
    assert ok("secret_key", check=True)["changed"] is True
    assert not (home / "secret.key").exists()


def test_a_key_that_is_too_old_is_rotated(home: Path) -> None:
    make_rack(2)
    key = home / "secret.key"
    old = key.read_text()
    assert ok("secret_key", rotate_after=30)["changed"] is False
    grow_old(key, 31)
    assert ok("secret_key", check=True, rotate_after=30)["changed"] is True
    assert key.read_text() == old
    readable()
    done = three_runs("secret_key", rotate_after=30)
    assert done["rewritten"] == 3
    assert done["diff"]["after"] == {"key": ["a new key"], "old_keys": 0, "secrets_of_old_keys": 0}
    assert len(key.read_text().split()) == 1
    assert key.read_text() != old
    assert key.stat().st_mode & 0o777 == 0o600
    readable()
    (told,) = [event for event in events() if event["what"] == "secrets encrypted"]
    assert old.strip() not in repr(told)
    assert sorted(path.name for path in home.iterdir() if path.name.startswith(".")) == []


def test_zero_days_make_a_new_key_each_time(home: Path) -> None:
    make_rack(2)
    first = ok("secret_key", rotate_after=0)["keys"]
    second = ok("secret_key", rotate_after=0)["keys"]
    assert first != second
    readable()


def test_a_key_put_in_front_by_hand_is_taken_up(home: Path) -> None:
    make_rack(2)
    key = home / "secret.key"
    new = Fernet.generate_key().decode()
    key.write_text(f"{new}\n{key.read_text()}")
    done = three_runs("secret_key")
    assert (done["rewritten"], len(done["keys"])) == (3, 1)
    assert key.read_text() == f"{new}\n"
    readable()


class Killed(BaseException):
    """The end of the process, wherever it is."""


@pytest.mark.parametrize("where", ["before", "key written", "rewritten", "committed", "dropping"])
def test_killed_between_any_two_steps(home: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    make_rack(2)
    old = (home / "secret.key").read_text()
    calls = []
    rewrite, replace = rotation.rewrite, Keyring._replace

    def cut_rewrite(connection: Any, keyring: Keyring) -> int:
        calls.append("rewrite")
        if where == "key written" or (where == "committed" and len(calls) == 2):
            raise Killed
        done = rewrite(connection, keyring)
        if where == "rewritten":
            raise Killed
        return done

    def cut_replace(ring: Keyring, text: str) -> None:
        if where == "before" or (where == "dropping" and calls):
            raise Killed
        replace(ring, text)

    with monkeypatch.context() as patched:
        patched.setattr(rotation, "rewrite", cut_rewrite)
        patched.setattr(Keyring, "_replace", cut_replace)
        with pytest.raises(Killed):
            ok("secret_key", rotate_after=0)
    readable()
    done = ok("secret_key")
    assert done["changed"] is (where != "before")
    assert len((home / "secret.key").read_text().split()) == 1
    assert ((home / "secret.key").read_text() == old) is (where == "before")
    readable()


def test_who_runs_all_the_time_finds_the_new_key(home: Path) -> None:
    """As the hub does: its ring was read before the rotation."""
    make_rack(2)
    ring = Keyring()
    stored = ring.encrypt("x")
    ok("secret_key", rotate_after=0)
    with store() as opened:
        document = opened.connection.execute(opened.t.groups.select()).mappings().one()["document"]
    assert ring.decrypt(document["bmc.password"]) == PASSWORD
    assert Keyring().decrypt(ring.encrypt("y")) == "y"
    assert not ring.fits(stored)


def test_keys_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setenv("STAGE0_SECRET_KEY", old)
    make_rack(2)
    monkeypatch.setenv("STAGE0_SECRET_KEY", f"{new} {old}")
    done = three_runs("secret_key")
    assert (done["rewritten"], done["keys_from"]) == (3, "STAGE0_SECRET_KEY")
    monkeypatch.setenv("STAGE0_SECRET_KEY", new)
    readable()
    assert not (home / "secret.key").exists()
    failed = refused("secret_key", rotate_after=1)
    assert failed["msg"].startswith("the keys come from STAGE0_SECRET_KEY, where nothing can be added; put a new key")
    assert failed["error"]["code"] == "invalid"


def test_a_key_that_does_not_fit_is_not_rotated_away(home: Path) -> None:
    make_rack(2)
    key = home / "secret.key"
    whole = key.read_text()
    wrong = Fernet.generate_key().decode()
    key.write_text(wrong)
    failed = refused("secret_key", rotate_after=0)
    assert failed["msg"] == (
        f"3 of 3 secrets in the node database cannot be decrypted with the keys of {key}; "
        "bring the right key back before you rotate"
    )
    assert key.read_text() == wrong
    key.unlink()
    assert "secret.key is missing" in refused("secret_key")["msg"]
    assert not key.exists()
    key.write_text(whole)
    key.chmod(0o600)
    readable()


@pytest.mark.parametrize("days", [-1, float("nan"), 1e9])
def test_days_that_are_none(days: float) -> None:
    failed = refused("secret_key", rotate_after=days)
    assert "is not a number of days; write 0 or more" in failed["msg"]


def test_a_group_and_a_node_keep_what_else_they_hold(home: Path) -> None:
    make_rack(2, **{"site.note": 'Braces {{x}} and "quotes"'})
    with store() as opened:
        opened.put("node", "r1n01", Wish({"bmc.password": None, "net.gateway": None}))
        before = {kind: opened.document(kind, name) for kind, name in (("node", "r1n01"), ("group", "rack1"))}
    ok("secret_key", rotate_after=0)
    with store() as opened:
        after = {kind: opened.document(kind, name) for kind, name in (("node", "r1n01"), ("group", "rack1"))}
        assert opened.views(["r1n01"])["r1n01"]["bmc.password"] is None
    assert after == before
