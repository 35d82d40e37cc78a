# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module database_info: what the database is, whether it is sound, whether the keys fit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.tables import SCHEMA_VERSION
from ansible_collections.stage0.metal.tests.unit.support import make_database, make_rack, ok, refused, store
from cryptography.fernet import Fernet


def test_what_it_is(home: Path) -> None:
    make_rack(3)
    found = ok("database_info")["database"]
    kind = "postgresql" if "STAGE0_DATABASE" in os.environ else "sqlite"
    assert found["kind"] == kind
    assert found["url"].startswith(f"{kind}://")
    assert found["product"].lower().startswith(f"{kind} ")
    assert found["schema_version"] == SCHEMA_VERSION
    assert found["bytes"] > 10_000
    assert (found["rows"]["nodes"], found["rows"]["groups"], found["rows"]["deployments"]) == (3, 1, 0)
    assert found["rows"]["events"] >= 4
    assert "problems" not in found
    assert found["secrets"]["keys_from"] == str(home / "secret.key")
    assert (found["secrets"]["count"], found["secrets"]["readable"]) == (4, True)
    assert len(found["secrets"]["keys"]) == 1


def test_none_is_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE0_DATABASE", f"sqlite:///{home}/other.db")
    failed = refused("database_info")
    assert failed["error"] == {"code": "database", "node": None, "retryable": False}
    assert failed["msg"].startswith(f"there is no node database {home}/other.db")
    assert not (home / "other.db").exists()


def test_a_sound_one() -> None:
    make_rack(3)
    assert ok("database_info", verify=True)["database"]["problems"] == []


def test_an_empty_one(home: Path) -> None:
    make_database()
    found = ok("database_info")["database"]
    assert set(found["rows"].values()) == {0}
    assert found["secrets"] == {
        "keys_from": str(home / "secret.key"),
        "keys": [],
        "readable": None,
        "problem": None,
        "count": 0,
    }
    assert not (home / "secret.key").exists()


def test_keys_that_do_not_fit(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_rack(1)
    key = home / "secret.key"
    whole = key.read_bytes()
    key.write_bytes(Fernet.generate_key())
    found = ok("database_info")["database"]["secrets"]
    assert found["readable"] is False
    assert found["problem"] == "2 of 2 secrets cannot be decrypted with these keys"
    key.unlink()
    found = ok("database_info")["database"]["secrets"]
    assert found["readable"] is False
    assert "secret.key is missing" in found["problem"]
    monkeypatch.setenv("STAGE0_SECRET_KEY", whole.decode())
    found = ok("database_info")["database"]["secrets"]
    assert (found["readable"], found["keys_from"]) == (True, "STAGE0_SECRET_KEY")


def test_a_document_that_is_no_json() -> None:
    make_rack(1)
    with store() as opened:
        postgresql = opened.connection.dialect.name == "postgresql"
        if not postgresql:
            opened.connection.exec_driver_sql("UPDATE networks SET document = '{'")
            opened.connection.exec_driver_sql("INSERT INTO networks (name, document) VALUES ('x', '{')")
    found = ok("database_info", verify=True)["database"]["problems"]
    assert len(found) == (0 if postgresql else 1)  # PostgreSQL takes no such document
    assert all(problem.startswith("a document is no JSON (") for problem in found)


@pytest.mark.sqlite
def test_a_reference_to_nothing() -> None:
    make_rack(1)
    with store() as opened:
        opened.connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    import sqlite3

    with sqlite3.connect(os.path.join(os.environ["STAGE0_HOME"], "metal.db")) as raw:
        raw.execute("DELETE FROM nodes")
    raw.close()
    found = ok("database_info", verify=True)["database"]["problems"]
    assert "row 1 of members refers to a row of nodes that is not there" in found
