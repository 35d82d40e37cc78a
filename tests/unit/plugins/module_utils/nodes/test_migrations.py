# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A database of each older version, with data, is taken forward whole, and is then like one that was made today."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from ansible_collections.stage0.metal.plugins.module_utils._nodes import hardware
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.tables import SCHEMA_VERSION, tables
from ansible_collections.stage0.metal.tests.unit.support import make_rack, ok, store

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "database"
KEY = "Zm9yLXRlc3RzLW9ubHktbm90LWEtc2VjcmV0LWtleSE="
"""The key of the secrets in the fixtures; it opens nothing else."""
OLD = range(1, SCHEMA_VERSION)

sqlite_only = pytest.mark.sqlite
from_version_1 = pytest.mark.parametrize("old", [1], indirect=True)


@pytest.fixture(params=OLD)
def old(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a database as the collection of that version left it."""
    home.mkdir()
    path = home / "metal.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript((FIXTURES / f"v{request.param}.sql").read_text(encoding="utf-8"))
    monkeypatch.setenv("STAGE0_SECRET_KEY", KEY)
    return path


@sqlite_only
def test_every_older_version_has_a_database_here() -> None:
    assert [path.name for path in sorted(FIXTURES.glob("*.sql"))] == [f"v{version}.sql" for version in OLD]


@sqlite_only
def test_all_values_come_along(old: Path) -> None:
    found = ok("node_info", nodes=["all"], show=["values", "own", "origins"])["nodes"]
    assert list(found) == [*(f"r1n{n:02d}" for n in range(1, 13)), "spare"]
    first = found["r1n01"]
    assert first["groups"] == ["rack1", "compute"]
    assert first["own"] == {"bmc.address": "10.2.1.1", "net.ip": "10.1.1.1", "net.mac": "52:54:00:01:00:01"}
    assert (first["values"]["net.dns"], first["values"]["boot.firmware"]) == (["10.0.0.53", "10.0.1.53"], "bios")
    assert first["values"]["custom.note"] == "say {hello}"  # braces had no meaning then
    assert first["origins"]["custom.note"] == "group:rack1"
    assert "net.ip" not in found["r1n02"]["own"]
    spare = found["spare"]["values"]
    assert (spare["net.gateway"], spare["bmc.port"], spare["site.owner"]) == (None, 6230, None)
    with store() as opened:
        assert opened.views(["spare"])["spare"]["bmc.password"] == "other"
        assert opened.views(["r1n01"])["r1n01"]["bmc.password"] == "calvin"
        assert opened.owner_of("net.mac", "52:54:00:01:00:07") == "r1n07"
        assert opened.owner_of("net.ip", "10.1.1.2") is None
        assert opened.expand("location.rack==nowhere,r1n[01-03],compute@/spare|.*12/") == [
            *("r1n01", "r1n02", "r1n03", "r1n12")
        ]


@sqlite_only
def test_deployments_and_events_come_along(old: Path) -> None:
    with store() as opened:
        t = opened.t
        assert opened.connection.execute(sa.select(t.deployments.c.node, t.deployments.c.state)).all() == [
            *(("r1n01", "ready"), ("r1n02", "failed"), ("r1n03", "armed"))
        ]
        assert opened.connection.execute(sa.select(t.deployments.c.message)).scalars().all()[1] == "it {broke}"
        assert opened.connection.execute(sa.select(sa.func.count()).select_from(t.timeline)).scalar() == 3
        assert opened.connection.execute(sa.select(sa.func.count()).select_from(t.events)).scalar() == 16
        assert opened.connection.execute(sa.select(t.profiles.c.name)).scalars().all() == ["esxi8"]


@sqlite_only
def test_it_is_then_like_a_new_one(old: Path, tmp_path: Path) -> None:
    shapes = []
    for path in (old, tmp_path / "new.db"):
        with closing(open_database(f"sqlite:///{path}")) as database, database.read() as connection:
            inspector = sa.inspect(connection)
            assert set(inspector.get_table_names()) == {table.name for table in tables().metadata.sorted_tables}
            shapes.append(
                {
                    name: (
                        sorted(
                            (c["name"], str(c["type"]), c["nullable"], c["default"])
                            for c in inspector.get_columns(name)
                        ),
                        sorted((i["name"] or "", i["column_names"]) for i in inspector.get_indexes(name)),
                        inspector.get_pk_constraint(name)["constrained_columns"],
                        sorted(
                            (f["constrained_columns"], f["referred_table"]) for f in inspector.get_foreign_keys(name)
                        ),
                    )
                    for name in inspector.get_table_names()
                }
            )
    assert shapes[0] == shapes[1]


@sqlite_only
def test_an_old_one_is_usable_at_once(old: Path) -> None:
    assert ok("node", name="r1n01", attributes={"net.ip": "10.1.1.2"})["changed"]
    assert ok("group", name="rack1", attributes={"bmc.address": "10.2.{n1}.{n2}"})["changed"] is True
    assert ok("node_info", nodes=["r1n05"], attributes=["bmc.address"])["nodes"]["r1n05"]["values"] == {
        "bmc.address": "10.2.1.5"
    }


@sqlite_only
@from_version_1
def test_a_migration_that_fails_leaves_the_old_one(old: Path) -> None:
    with closing(sqlite3.connect(old)) as database:
        database.execute("UPDATE own_values SET value = 'not JSON' WHERE attribute = 'net.mac' AND owner = 'r1n09'")
        database.commit()
        before = list(database.iterdump())
    with pytest.raises((MetalError, ValueError)):
        open_database(f"sqlite:///{old}")
    with closing(sqlite3.connect(old)) as database:
        assert list(database.iterdump()) == before


@sqlite_only
def test_a_check_migrates_nothing(old: Path) -> None:
    with closing(sqlite3.connect(old)) as database:
        before = list(database.iterdump())
    assert ok("node", name="new", check=True)["changed"]
    with closing(sqlite3.connect(old)) as database:
        assert list(database.iterdump()) == before


@sqlite_only
@from_version_1
def test_what_a_group_lends(old: Path) -> None:
    """To one node it identifies it; to several, none, and verify tells so. A long text with a brace is still text."""
    note = "{" + "x" * 1000 + "}"
    with closing(sqlite3.connect(old)) as database:
        values = [
            ("group", "compute", "system.uuid", '"aaaabbbb-1234-1234-1234-123456789abc"'),
            ("group", "solo", "net.ip", '"10.7.7.7"'),
            ("node", "spare", "custom.long", f'"{note}"'),
        ]
        database.execute("INSERT INTO groups VALUES ('solo')")
        database.execute("INSERT INTO members VALUES ('spare', 'solo', 0)")
        database.executemany("INSERT INTO own_values (kind, owner, attribute, value) VALUES (?, ?, ?, ?)", values)
        database.commit()
    with store() as opened:
        assert opened.owner_of("net.ip", "10.7.7.7") == "spare"
        assert opened.owner_of("system.uuid", "aaaabbbb-1234-1234-1234-123456789abc") is None
        assert opened.views(["spare"])["spare"]["custom.long"] == note
    problems = ok("database_info", verify=True)["database"]["problems"]
    first = "system.uuid aaaabbbb-1234-1234-1234-123456789abc of node r1n02 is also that of node r1n01"
    assert (len(problems), problems[0]) == (11, first)


def test_version_2_is_taken_forward_wherever_it_lies(home: Path) -> None:
    """It had no hardware; all else is as it was."""
    names = make_rack(3)
    with store() as opened:
        opened.observe("power", {"r1n01": "on"})
        opened.t.hardware.drop(opened.connection)
        meta = opened.t.meta
        opened.connection.execute(meta.update().where(meta.c.key == "schema_version").values(value="2"))
    before = ok("node_info", nodes=["all"], show=["values", "own", "origins"])["nodes"]
    assert list(before) == names
    with store() as opened:
        assert hardware.keep(opened, {"r1n02": {"serial": "S1"}}) == ["r1n02"]
        assert opened.observed("power")["r1n01"][0] == "on"
        version = opened.connection.execute(sa.select(opened.t.meta.c.value)).scalar_one()
        assert version == str(SCHEMA_VERSION)
        opened.remove("node", "r1n02")
        assert hardware.history(opened, names) == {}


def test_backup_of_version_2_is_restored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that only added a table: the backup of the one before lacks its rows, and nothing else."""
    monkeypatch.setenv("STAGE0_SECRET_KEY", KEY)
    path = str(FIXTURES / "v2.backup.gz")
    check = ok("restore", path=path, deployments="keep", check=True)
    real = ok("restore", path=path, deployments="keep")
    assert check["changed"] is real["changed"] is True
    assert check["rows"] == real["rows"]
    assert real["rows"]["hardware"] == 0
    assert real["rows"]["nodes"] == 13
    assert ok("restore", path=path, deployments="keep")["changed"] is False
    found = ok("node_info", nodes=["all"])["nodes"]
    assert list(found) == [*(f"r1n{n:02d}" for n in range(1, 13)), "spare"]
    with store() as opened:
        assert opened.views(["r1n01"])["r1n01"]["bmc.password"] == "calvin"
        assert hardware.keep(opened, {"spare": {"serial": "S1"}}) == ["spare"]
