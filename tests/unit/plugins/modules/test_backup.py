# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Modules backup and restore: whole or not at all, checked, idempotent, and from one kind of database to the other."""

from __future__ import annotations

import gzip
import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes import dump
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Wish
from ansible_collections.stage0.metal.tests.unit.support import (
    PASSWORD,
    begin_installing,
    events,
    make_database,
    make_profile,
    make_rack,
    ok,
    refused,
    store,
    three_runs,
)
from cryptography.fernet import Fernet


def content(url: str | None = None) -> dict[str, dump.Part]:
    """What is in the database, leaving events aside."""
    with closing(open_database(url)) as database, database.read() as connection:
        return {name: part for name, part in dump.scan(connection).items() if name != "events"}


@pytest.fixture
def site(tmp_path: Path) -> dict[str, dump.Part]:
    """A site with something in most tables."""
    make_rack(3, **{"net.gateway": "10.1.1.254", "site.note": "Grüße, Räcke 1"})
    make_profile(tmp_path / "media")
    ok("arm", nodes=["rack1"], profile="lab")
    begin_installing("r1n02")
    return content()


def lines(path: Path) -> list[bytes]:
    with gzip.open(path, "rb") as file:
        return file.read().splitlines(keepends=True)


def left(folder: Path) -> list[str]:
    """What is in the folder beside the database and the media."""
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_a_backup_is_made_once(site: dict[str, dump.Part], tmp_path: Path) -> None:
    path = tmp_path / "backup.gz"
    made = three_runs("backup", path=str(path))
    assert made["rows"]["nodes"] == 3
    assert made["rows"]["deployments"] == 3
    assert made["diff"]["after"]["nodes"]["rows"] == 3
    assert path.stat().st_mode & 0o777 == 0o600
    assert left(tmp_path) == ["backup.gz"]
    assert ok("backup", path=str(path))["created"] == made["created"]
    with store() as opened:
        opened.put("node", "r1n01", Wish({"site.note": "x"}))
    later = three_runs("backup", path=str(path))
    assert later["created"] >= made["created"]
    assert PASSWORD.encode() not in b"".join(lines(path))


def test_a_backup_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "backup.gz"
    make_database()
    assert set(ok("backup", path=str(path))["rows"].values()) == {0}
    assert ok("restore", path=str(path))["changed"] is False


def test_restored_it_is_what_it_was(site: dict[str, dump.Part], tmp_path: Path) -> None:
    path = tmp_path / "backup.gz"
    before = events()
    ok("backup", path=str(path))
    assert ok("restore", path=str(path))["changed"] is False
    assert events() == before
    with store() as opened:
        opened.put("node", "r1n01", Wish({"bmc.password": "another-one-9"}))
        opened.remove("node", "r1n02")
        opened.put("node", "later", Wish({"net.ip": "10.9.9.9"}))
    done = three_runs("restore", path=str(path), force=True, deployments="keep")
    assert content() == site
    assert done["rows"]["nodes"] == 3
    assert done["diff"]["before"]["nodes"]["rows"] == done["diff"]["after"]["nodes"]["rows"]
    assert events()[:-1] == before
    last = events()[-1]
    assert (last["what"], last["subject"]) == ("database restored", "database")
    with store() as opened:
        assert opened.views(["r1n01"])["r1n01"]["bmc.password"] == PASSWORD


def test_numbers_go_on_after_what_was_restored(site: dict[str, dump.Part], tmp_path: Path) -> None:
    path = tmp_path / "backup.gz"
    ok("backup", path=str(path))
    last = events()[-1]["id"]
    with store() as opened:
        for number in range(5):
            opened.put("node", f"x{number}", Wish())
    reached = events()[-1]["id"]
    ok("restore", path=str(path), force=True)
    with store() as opened:
        opened.put("node", "later", Wish())
    ids = [event["id"] for event in events()]
    assert last < ids[-2] < ids[-1] <= reached + 5
    assert len(set(ids)) == len(ids)


def test_a_restore_that_does_not_happen_leaves_the_numbers(
    site: dict[str, dump.Part], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "backup.gz"
    ok("backup", path=str(path))
    make_rack(9)
    ok("restore", path=str(path), force=True, check=True)
    make_rack(10)
    refused("restore", path=str(path))
    make_rack(11)
    load = dump.load

    def breaks(connection: Any, source: Path) -> dump.Summary:
        load(connection, source)
        raise MetalError(ErrorCode.DATABASE, "cable cut")

    monkeypatch.setattr(dump, "load", breaks)
    assert refused("restore", path=str(path), force=True)["msg"] == "cable cut"
    make_rack(12)
    ids = [event["id"] for event in events()]
    assert ids == sorted(set(ids))
    ok("arm", nodes=["r1n12"], profile="lab")


def test_what_is_in_use_is_not_replaced_by_accident(site: dict[str, dump.Part], tmp_path: Path) -> None:
    path = tmp_path / "backup.gz"
    ok("backup", path=str(path))
    with store() as opened:
        opened.put("node", "later", Wish())
    now = content()
    for check in (True, False):
        failed = refused("restore", path=str(path), check=check)
        assert failed["error"]["code"] == "conflict"
        assert "holds other things than the backup (4 nodes, 1 groups, 1 profiles, 3 deployments); " in failed["msg"]
        assert failed["msg"].endswith("to lose that, set force: true, best after a backup of it")
    assert content() == now


def test_a_site_moves_to_the_other_kind_and_back(
    site: dict[str, dump.Part], home: Path, tmp_path: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first.gz", tmp_path / "second.gz"
    ok("backup", path=str(first))
    here = ok("database_info")["database"]
    other = cluster.empty("moved") if here["kind"] == "sqlite" else f"sqlite:///{tmp_path}/moved.db"
    assert ok("restore", path=str(first), database=other, check=True)["changed"] is True
    assert ok("restore", path=str(first), database=other, deployments="keep")["changed"] is True
    assert content(other) == site
    assert ok("database_info", database=other)["database"]["kind"] != here["kind"]
    ok("backup", path=str(second), database=other)
    assert lines(first)[1:2] == lines(second)[1:2]
    assert ok("restore", path=str(second))["changed"] is False
    monkeypatch.setenv("STAGE0_DATABASE", other)
    with store() as opened:
        assert opened.views(["r1n03"])["r1n03"]["bmc.password"] == PASSWORD


def test_what_was_armed_does_not_come_back_to_life(site: dict[str, dump.Part], tmp_path: Path) -> None:
    path = tmp_path / "backup.gz"
    ok("backup", path=str(path))
    ok("arm", nodes=["rack1"], state="disarmed")
    make_rack(4)
    done = three_runs("restore", path=str(path), force=True)
    assert done["cancelled"] == ["r1n01", "r1n02", "r1n03"]
    assert done["diff"]["after"]["cancelled"] == done["cancelled"]
    assert ok("restore", path=str(path))["cancelled"] == []
    found = ok("deployment_info", nodes=["rack1"])["nodes"]
    assert {name: one["state"] for name, one in found.items()} == dict.fromkeys(found, "cancelled")
    assert found["r1n02"]["message"] == "cancelled: a backup was restored"
    assert [event["what"] for event in events("r1n02")][-1] == "deployment cancelled"
    with store() as opened:
        timeline = opened.t.timeline
        query = timeline.select().where(timeline.c.detail == "database restored")
        assert len(opened.connection.execute(query).all()) == 3
    ok("node", name="r1n01", attributes={"site.note": "x"})
    assert ok("restore", path=str(path), force=True)["changed"] is True


def damaged(path: Path, how: str) -> None:
    whole = path.read_bytes()
    text = lines(path)
    ways: dict[str, Any] = {
        "empty": lambda: path.write_bytes(b""),
        "cut off": lambda: path.write_bytes(whole[: len(whole) // 2]),
        "last byte": lambda: path.write_bytes(whole[:-1]),
        "a bit": lambda: path.write_bytes(whole[:-300] + bytes([whole[-300] ^ 4]) + whole[-299:]),
        "text": lambda: path.write_text("nodes: 3\n"),
        "no end": lambda: path.write_bytes(gzip.compress(b"".join(text[:-1]))),
        "a line less": lambda: path.write_bytes(gzip.compress(b"".join(text[:1] + text[2:]))),
        "a value": lambda: path.write_bytes(gzip.compress(b"".join(text).replace(b"10.1.1.1", b"10.1.1.7"))),
        "more": lambda: path.write_bytes(gzip.compress(b"".join(text) + b"{}\n")),
        "another kind": lambda: path.write_bytes(gzip.compress(b'{"format": "x"}\n')),
        "deep": lambda: path.write_bytes(gzip.compress(b"[" * 100_000)),
        "a row": lambda: path.write_bytes(gzip.compress(text[0] + b'["nodes",[["n1"]]]\n')),
        "a table": lambda: path.write_bytes(gzip.compress(text[0] + b'["passwd",[["n1"]]]\n')),
        "bytes": lambda: path.write_bytes(gzip.compress(b"\xff\xfe\n")),
    }
    ways[how]()


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("empty", "is cut off; take another one"),
        ("cut off", "is cut off; take another one"),
        ("last byte", "is cut off; take another one"),
        ("no end", "is cut off; take another one"),
        ("a bit", "is damaged, or no backup ("),
        ("text", "is damaged, or no backup (Not a gzipped file"),
        ("a line less", "is damaged, or no backup (its content is not what its end says)"),
        ("a value", "is damaged, or no backup (its content is not what its end says)"),
        ("more", "is damaged, or no backup (its content is not what its end says)"),
        ("another kind", "is damaged, or no backup (it does not begin as one)"),
        ("deep", "is damaged, or no backup ("),
        ("a row", "is damaged, or no backup (a row of nodes has not as many values as columns)"),
        ("a table", "is damaged, or no backup ('passwd')"),
        ("bytes", "is damaged, or no backup ("),
    ],
)
@pytest.mark.sqlite
def test_a_damaged_backup_touches_nothing(site: dict[str, dump.Part], tmp_path: Path, how: str, sentence: str) -> None:
    path = tmp_path / "backup.gz"
    ok("backup", path=str(path))
    damaged(path, how)
    failed = refused("restore", path=str(path), force=True)
    assert failed["msg"].startswith(f"the backup {path} {sentence}")
    assert failed["error"]["code"] == "invalid"
    assert content() == site
    ours = how not in ("text", "another kind", "deep", "bytes")
    if not ours:
        assert "is no backup; name another file, or set force: true" in refused("backup", path=str(path))["msg"]
    assert ok("backup", path=str(path), force=not ours)["changed"] is True
    assert ok("restore", path=str(path))["changed"] is False


@pytest.mark.parametrize(
    ("version", "sentence"), [(99, "update the collection here"), (1, "with the release that made")]
)
@pytest.mark.sqlite
def test_a_backup_of_another_version(site: dict[str, dump.Part], tmp_path: Path, version: int, sentence: str) -> None:
    path = tmp_path / "backup.gz"
    ok("backup", path=str(path))
    header, *rest = lines(path)
    other = json.dumps({**json.loads(header), "schema_version": version}).encode() + b"\n"
    path.write_bytes(gzip.compress(b"".join([other, *rest])))
    failed = refused("restore", path=str(path), force=True)
    assert f"has schema version {version}, this collection " in failed["msg"]
    assert sentence in failed["msg"]


def test_keys_that_do_not_fit_touch_nothing(
    site: dict[str, dump.Part], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "backup.gz"
    ok("backup", path=str(path))
    key = (home / "secret.key").read_bytes()
    (home / "secret.key").write_bytes(Fernet.generate_key())
    failed = refused("restore", path=str(path), force=True)
    assert failed["msg"] == (
        f"the backup {path} holds secrets that the keys of {home}/secret.key do not decrypt; "
        "restore it with the keys of the site that it was made at"
    )
    (home / "secret.key").unlink()
    assert "secret.key is missing" in refused("restore", path=str(path), force=True)["msg"]
    monkeypatch.setenv("STAGE0_SECRET_KEY", key.decode())
    assert ok("restore", path=str(path))["changed"] is False
    assert content() == site


def test_places_where_no_backup_can_be(tmp_path: Path) -> None:
    make_rack(1)
    failed = refused("backup", path=str(tmp_path))
    assert failed["msg"] == f"the backup {tmp_path} cannot be written: that is a folder; name a file"
    failed = refused("backup", path=str(tmp_path / "none" / "x.gz"), check=True)
    assert failed["msg"] == f"the backup {tmp_path}/none/x.gz cannot be written: there is no folder {tmp_path}/none"
    failed = refused("restore", path=str(tmp_path / "x.gz"))
    assert failed["msg"] == f"the backup {tmp_path}/x.gz cannot be read: No such file or directory"
    assert failed["error"]["code"] == "missing"
    assert left(tmp_path) == []


def test_what_is_no_backup_is_not_replaced(home: Path, tmp_path: Path) -> None:
    make_rack(1)
    path = tmp_path / "playbook.yml"
    path.write_text("- hosts: all\n")
    for check in (True, False):
        failed = refused("backup", path=str(path), check=check)
        assert failed["msg"] == (
            f"{path} is there already and is no backup; name another file, or set force: true to replace it"
        )
    assert path.read_text() == "- hosts: all\n"
    assert ok("backup", path=str(path), force=True)["changed"] is True
    assert ok("backup", path=str(path))["changed"] is False
    (tmp_path / "other.gz").write_bytes(gzip.compress(b"something of value"))
    assert refused("backup", path=str(tmp_path / "other.gz"))["error"]["code"] == "conflict"
    os.mkfifo(tmp_path / "pipe")
    assert refused("backup", path=str(tmp_path / "pipe"), force=True)["msg"].endswith("that is no ordinary file")


def test_its_own_key_file_is_never_replaced(home: Path, tmp_path: Path) -> None:
    make_rack(1)
    key = home / "secret.key"
    before = key.read_bytes()
    (tmp_path / "link").symlink_to(key)
    (tmp_path / "hard").hardlink_to(key)
    for path in (key, tmp_path / "link", tmp_path / "hard"):
        for check in (True, False):
            failed = refused("backup", path=str(path), force=True, check=check)
            assert failed["msg"] == (
                f"{path} cannot be written: it is {key}, which belongs to the node database; name another file"
            )
    assert key.read_bytes() == before


@pytest.mark.sqlite
def test_its_own_database_is_never_replaced(home: Path) -> None:
    make_rack(1)
    for name in ("metal.db", "metal.db-wal", "metal.db-shm", "metal.db-journal"):
        failed = refused("backup", path=f"{home}/../{home.name}/{name}", force=True)
        assert f"cannot be written: it is {home}/{name}, which belongs to the node database" in failed["msg"]
    assert ok("node_info", nodes=["all"])["nodes"].keys() == {"r1n01"}


def test_what_fails_while_it_is_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_rack(1)
    path = tmp_path / "backup.gz"
    ok("backup", path=str(path))
    before = path.read_bytes()
    make_rack(2)

    def full(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    failed = refused("backup", path=str(path))
    assert failed["msg"] == f"the backup {path} cannot be written: No space left on device"
    assert path.read_bytes() == before
    assert left(tmp_path) == ["backup.gz"]


def test_a_backup_sees_one_moment(site: dict[str, dump.Part], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "backup.gz"
    pages = dump._pages

    def while_others_write(connection: Any, table: Any) -> Any:
        yield from pages(connection, table)
        with store() as other:
            other.put("node", f"during-{table.name}".replace("_", "-"), Wish(groups=["late"]))

    monkeypatch.setattr(dump, "_pages", while_others_write)
    made = ok("backup", path=str(path))
    monkeypatch.setattr(dump, "_pages", pages)
    assert made["rows"]["nodes"] == 3
    assert ok("restore", path=str(path), force=True, deployments="keep")["changed"] is True
    assert content() == site
