# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The node database: where it lies, versions, transactions, and writers of several processes at once."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes import database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import default_url, open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.libraries import lazy
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store, Wish
from ansible_collections.stage0.metal.tests.unit.support import events, make_rack, store

WRITER = """
import sys
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store, Wish

number, writes = int(sys.argv[1]), int(sys.argv[2])
sys.stdin.readline()
database = open_database()
for turn in range(writes):
    with database.write() as connection:
        Store(connection, Keyring(), f"writer {number}").put("node", "shared", Wish({f"site.w{number}": str(turn)}))
"""


def fails(url: str | None = None) -> MetalError:
    with pytest.raises(MetalError) as caught:
        open_database(url).close()
    assert "\n" not in str(caught.value)
    return caught.value


def test_where_it_lies(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert default_url() == f"sqlite:///{home}/metal.db"
    monkeypatch.setenv("STAGE0_DATABASE", "sqlite:////elsewhere/x.db")
    assert default_url() == "sqlite:////elsewhere/x.db"
    monkeypatch.delenv("STAGE0_DATABASE")
    monkeypatch.delenv("STAGE0_HOME")
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: False if str(path).startswith("/var/lib") else real(path, mode)
    )
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_url() == f"sqlite:///{tmp_path}/stage0/metal.db"
    monkeypatch.setattr(os, "access", lambda _path, _mode: True)
    assert default_url() == "sqlite:////var/lib/stage0/metal.db"


def test_it_is_made_for_its_owner_and_group(home: Path) -> None:
    open_database().close()
    assert home.stat().st_mode & 0o007 == 0
    assert (home / "metal.db").stat().st_mode & 0o137 == 0


def test_a_newer_database_is_refused(home: Path) -> None:
    open_database().close()
    with sqlite3.connect(home / "metal.db") as raw:
        raw.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    raw.close()
    error = fails()
    assert error.code is ErrorCode.DATABASE
    assert str(error) == (
        f"the node database sqlite:///{home}/metal.db has schema version 99, this collection knows 1; "
        "update the collection on this machine"
    )


def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is some text that is long enough to be a file of SQLite's, but is none" * 9)
    error = fails(f"sqlite:///{tmp_path}/text")
    assert error.code is ErrorCode.DATABASE
    assert "file is not a database" in str(error)
    (tmp_path / "folder").mkdir()
    error = fails(f"sqlite:///{tmp_path}/folder")
    assert error.code is ErrorCode.DATABASE
    assert str(error).startswith("the node database refused: ")
    error = fails(f"sqlite:///{tmp_path}/text/metal.db")
    assert str(error).startswith(f"the node database {tmp_path}/text/metal.db cannot be made: ")


@pytest.mark.parametrize("url", ["postgresql://host/x", "sqlite:/x", "/var/lib/metal.db", "sqlite://", "x"])
def test_other_urls_are_refused(url: str) -> None:
    error = fails(url)
    assert error.code is ErrorCode.INVALID
    assert "is not supported; write sqlite:///PATH" in str(error)


def test_a_missing_library_is_told_by_name() -> None:
    missing = lazy("cryptography.no_such_part")
    with pytest.raises(MetalError) as caught:
        missing.anything()
    assert caught.value.code is ErrorCode.LIBRARY
    assert str(caught.value).startswith("the Python library cryptography cannot be imported here (")
    assert "requirements" in str(caught.value)


def test_a_transaction_that_fails_leaves_nothing() -> None:
    opened = open_database()

    def two_with_one_address() -> None:
        with opened.write() as connection:
            Store(connection, Keyring(), "x").put("node", "n1", Wish({"net.ip": "10.0.0.1"}))
            Store(connection, Keyring(), "x").put("node", "n2", Wish({"net.ip": "10.0.0.1"}))

    with pytest.raises(MetalError):
        two_with_one_address()
    with opened.write(keep=False) as connection:
        Store(connection, Keyring(), "x").put("node", "n3", Wish())
    with opened.read() as connection:
        assert Store(connection, Keyring(), "x").node_names() == []
    opened.close()
    assert events() == []


def test_a_read_sees_one_state(home: Path) -> None:
    make_rack(1)
    opened = open_database()
    with opened.read() as connection:
        first = Store(connection, Keyring(), "x").node_names()
        with store() as other:
            other.put("node", "later", Wish())
        assert Store(connection, Keyring(), "x").node_names() == first
    opened.close()


def test_a_writer_gives_up_with_a_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_database().close()
    monkeypatch.setattr(database, "LOCK_WAIT_SECONDS", 0.05)
    other = sqlite3.connect(home / "metal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    opened = open_database()
    with pytest.raises(MetalError, match=r"^the node database refused: database is locked$"), opened.write():
        pass
    opened.close()
    other.close()


def start(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", WRITER, *arguments]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_writers_of_many_processes_all_win(home: Path) -> None:
    """The database is not there yet: making it is part of the race."""
    writers = [start(str(number), "25") for number in range(8)]
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    ended = [writer.communicate(timeout=120)[1] for writer in writers]
    assert ended == [""] * 8
    with store() as opened:
        values: dict[str, Any] = opened.document("node", "shared")["values"]
    assert values == {f"site.w{number}": "24" for number in range(8)}
    told = events("shared")
    assert len(told) == 8 * 25
    assert [event["what"] for event in told] == ["node added"] + ["node changed"] * 199
    assert json.loads(told[-1]["after"])["values"] == values
