# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Opening the node database: where it lies, what is no database of ours, and that each error is one sentence."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import default_url, open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.libraries import lazy
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store, Wish
from ansible_collections.stage0.metal.plugins.module_utils._nodes.tables import SCHEMA_VERSION
from ansible_collections.stage0.metal.tests.postgresql import PASSWORD
from ansible_collections.stage0.metal.tests.unit.support import make_rack, ok, raw_output, refused


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
        f"the node database sqlite:///{home}/metal.db has schema version 99, this collection knows {SCHEMA_VERSION}; "
        "update the collection on this machine"
    )


def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is some text that is long enough to be a file of SQLite's, but is none" * 9)
    error = fails(f"sqlite:///{tmp_path}/text")
    assert error.code is ErrorCode.DATABASE
    assert str(error) == (
        f"the node database sqlite:///{tmp_path}/text is damaged; "
        "move it away with its -wal and -shm files, and restore a backup (file is not a database)"
    )
    (tmp_path / "folder").mkdir()
    error = fails(f"sqlite:///{tmp_path}/folder")
    assert error.code is ErrorCode.DATABASE
    assert "folder cannot be opened; see the rights of the file and of its folder (" in str(error)
    error = fails(f"sqlite:///{tmp_path}/text/metal.db")
    assert str(error).startswith(f"the node database {tmp_path}/text/metal.db cannot be made: ")


def test_an_empty_file_is_no_new_database(tmp_path: Path) -> None:
    path = tmp_path / "metal.db"
    path.write_bytes(b"")
    error = fails(f"sqlite:///{path}")
    assert str(error) == (
        f"the node database {path} is an empty file, so it was cut off or is not ours; "
        "restore a backup, or remove the file to begin anew"
    )
    assert path.read_bytes() == b""


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_database_that_was_cut_off(home: Path, kept: float) -> None:
    make_rack(3)
    path = home / "metal.db"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    error = fails()
    assert str(error).startswith(f"the node database sqlite:///{path} is damaged; move it away with its -wal and ")


def test_a_damaged_one_is_moved_away_and_restored(home: Path, tmp_path: Path) -> None:
    make_rack(3)
    ok("backup", path=f"{tmp_path}/backup.gz")
    for end in ("", "-wal", "-shm"):
        if (home / f"metal.db{end}").exists():
            (home / f"metal.db{end}").write_bytes(b"not a database any more " * 99)
    assert (
        "move it away with its -wal and -shm files"
        in refused("restore", path=f"{tmp_path}/backup.gz", force=True)["msg"]
    )
    for end in ("", "-wal", "-shm"):
        (home / f"metal.db{end}").unlink(missing_ok=True)
    assert ok("restore", path=f"{tmp_path}/backup.gz")["rows"]["nodes"] == 3


def test_a_database_of_another_program(tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "other.db")
    raw.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    raw.commit()
    raw.close()
    sentence = f"sqlite:///{tmp_path}/other.db is a database, but none of ours: it has no schema version"
    assert str(fails(f"sqlite:///{tmp_path}/other.db")) == sentence
    raw = sqlite3.connect(tmp_path / "other.db")
    raw.execute("INSERT INTO meta VALUES ('schema_version', 'two')")
    raw.commit()
    raw.close()
    assert str(fails(f"sqlite:///{tmp_path}/other.db")) == sentence


def test_a_new_database_is_whole_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is killed while it makes one leaves nothing at its place, and who is slower takes what is there."""
    path = tmp_path / "metal.db"
    link = os.link

    def others_first(draft: Path, target: Path) -> None:
        assert not path.exists()
        monkeypatch.setattr(os, "link", link)
        open_database(f"sqlite:///{path}").close()
        with store_at(f"sqlite:///{path}") as opened:
            opened.put("node", "theirs", Wish())
        link(draft, target)

    monkeypatch.setattr(os, "link", others_first)
    open_database(f"sqlite:///{path}").close()
    with store_at(f"sqlite:///{path}") as opened:
        assert opened.node_names() == ["theirs"]
    assert {found.name for found in tmp_path.iterdir()} <= {
        *(f"metal.db{end}" for end in ("", "-wal", "-shm", "-queue"))
    }


@contextmanager
def store_at(url: str) -> Iterator[Store]:
    with closing(open_database(url)) as opened, opened.write() as connection:
        yield Store(connection, Keyring(), "test")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hidden-7@host/x",
        "sqlite:/x",
        "/var/lib/metal.db",
        "sqlite://",
        "x",
        "sqlite:///a\nb",
        "host=h password=hidden-7",
        "hidden-7 and more://x",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    error = fails(url)
    assert error.code is ErrorCode.INVALID
    assert "is not supported; write sqlite:///PATH or postgresql://USER@HOST/NAME" in str(error)
    assert "hidden-7" not in str(error)


@pytest.mark.parametrize(
    ("rest", "code", "sentence"),
    [
        ("h:port/x", "invalid", "the database URL cannot be read; write postgresql://USER:PASSWORD@HOST:PORT/NAME"),
        ("u:hidden-7@" + "h" * 80 + "/x", "invalid", "the database URL cannot be read; write postgresql://USER"),
        ("u:pa@ss-hidden-7@h/x", "invalid", "the database URL cannot be read; write postgresql://USER:PASSWORD@HOST"),
        ("u@h/x?sslpassword=hidden-7", "invalid", "a password does not belong behind the ? of a database URL"),
        ("u@h/x?password=hidden-7", "invalid", "a password does not belong behind the ? of a database URL"),
        ("u:hidden-7@nowhere.invalid/x", "database", "cannot be found; is the name of its host right? ("),
        ("u:hidden-7@127.0.0.1:1/x", "database", "cannot be reached; does it run, and are host and port right? ("),
        ("u:hidden-7@/x?host=/nowhere", "database", "cannot be reached; does it run, and are host and port right? ("),
        ("u:hidden-7@127.0.0.1:99999/x", "database", "99999"),
        ("u:hidden-7@127.0.0.1/x?no_such=1", "database", "no_such"),
    ],
)
def test_a_server_that_cannot_be_reached(rest: str, code: str, sentence: str) -> None:
    error = fails(f"postgresql://{rest}")
    assert (str(error.code), sentence in str(error)) == (code, True), str(error)
    assert "hidden-7" not in str(error)


def test_who_may_not_log_in(cluster: Any) -> None:
    cluster.empty("guard")
    wrong = cluster.url("guard", "guarded:hidden-7")
    error = fails(wrong)
    assert str(error).startswith("the node database postgresql://guarded:***@/guard?host=")
    assert "refused user or password; see the URL and ~/.pgpass (" in str(error)
    assert "asks for a password; write one into the URL or ~/.pgpass (" in str(fails(cluster.url("guard", "guarded")))
    assert "is not there for this user; createdb makes a database, createuser a user (" in str(
        fails(cluster.url("no_such"))
    )
    assert "is not there for this user; createdb makes a database, createuser a user (" in str(
        fails(cluster.url("guard", "nobody_known"))
    )
    assert "does not let this user do that; see the owner of the database (" in str(
        fails(cluster.url("guard", f"guarded:{PASSWORD}"))
    )
    failed = refused("node_info", database=wrong)
    assert "hidden-7" not in repr(failed)


def test_the_password_of_a_url_stands_in_no_result(cluster: Any) -> None:
    cluster.empty("owned")
    cluster.sql("ALTER DATABASE owned OWNER TO guarded")
    cluster.sql("ALTER SCHEMA public OWNER TO guarded", "owned")
    url = cluster.url("owned", "guarded:" + PASSWORD.replace("-", "%2D"))
    open_database(url).close()
    printed = raw_output("database_info", database=url)
    assert '"kind": "postgresql"' in printed
    assert "invocation" in printed
    assert PASSWORD not in printed
    assert "%2D" not in printed


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:one@hidden-7@h/x",
        "postgresql://u@h/x?sslpassword=hidden-7",
        "postgresql://u:hidden%2D7@h:0/x",
        "host=h password=hidden-7 user=u",
        "host=h password = 'hidden-7' user=u",
    ],
)
def test_the_password_of_a_url_that_is_refused_stands_in_no_result(url: str) -> None:
    printed = raw_output("node_info", database=url)
    assert '"failed": true' in printed
    assert "hidden-7" not in printed
    assert "hidden%2D7" not in printed


@pytest.mark.parametrize("path", ["rel.db", "./rel.db", ":memory:"])
def test_a_path_that_depends_on_the_folder_is_refused(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    error = fails(f"sqlite:///{path}")
    assert error.code is ErrorCode.INVALID
    assert f"the database URL sqlite:///{path} means another file in each folder; write the whole path" in str(error)
    assert list(tmp_path.iterdir()) == []


def test_options_of_a_file_are_refused(tmp_path: Path) -> None:
    error = fails(f"sqlite:///{tmp_path}/metal.db?mode=ro")
    assert str(error).endswith("metal.db?mode=ro has options behind a ?, and SQLite takes none here")


READER = """
import os, sys
import sqlalchemy.dialects.sqlite
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
if os.geteuid() == 0:
    os.setgid(65534), os.setuid(65534)
try:
    with open_database(sys.argv[1], missing="refuse").read() as connection:
        print(connection.exec_driver_sql("SELECT name FROM nodes").scalars().all())
except MetalError as exc:
    print(exc)
"""


def test_who_may_only_read() -> None:
    """While somebody else has it open, they can; else SQLite would have to write beside it."""
    with tempfile.TemporaryDirectory() as name:
        folder, url = Path(name), f"sqlite:///{name}/metal.db"
        with store_at(url) as opened:
            opened.put("node", "n1", Wish())
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

        def said() -> str:
            """Return what a reader says who may write neither the files nor the folder."""
            for path in folder.iterdir():
                path.chmod(0o444)
            folder.chmod(0o555)
            command = [sys.executable, "-c", READER, url]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            folder.chmod(0o755)
            return done.stdout.strip()

        with closing(open_database(url)) as database, database.read() as connection:
            connection.exec_driver_sql("SELECT name FROM nodes").all()
            assert said() == "['n1']"
        assert said().startswith(
            f"the node database {url} can be read by this user but not written, and SQLite writes beside a file that it "
            "reads; give the user the right to write the file and its folder, or use PostgreSQL ("
        )


def test_a_server_with_tables_of_others(cluster: Any) -> None:
    url = cluster.empty("others")
    cluster.sql("CREATE TABLE nodes (x integer)", "others")
    error = fails(url)
    assert "others holds tables of something else (nodes); give the node database a database" not in str(error)
    assert "holds tables of something else (nodes); give the node database a database or a schema of its own" in str(
        error
    )
    assert cluster.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "others") == [(1,)]


def test_a_server_with_another_encoding(cluster: Any) -> None:
    cluster.sql(
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    assert "has encoding LATIN1; make it with: createdb --encoding=UTF8" in str(fails(cluster.url("latin")))


def test_missing_is_refused_or_replaced_by_memory(cluster: Any, tmp_path: Path) -> None:
    url = cluster.empty("nothing")
    for place, sentence in (
        (url, "holds no node database"),
        (f"sqlite:///{tmp_path}/x.db", "there is no node database"),
    ):
        with pytest.raises(MetalError, match=sentence):
            open_database(place, missing="refuse")
        with closing(open_database(place, missing="memory")) as opened, opened.write() as connection:
            Store(connection, Keyring(keep=False), "x").put("node", "n1", Wish())
    assert cluster.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "nothing") == [(0,)]
    assert list(tmp_path.glob("*.db")) == []


def test_psycopg_is_asked_for_only_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    open_database().close()
    error = fails("postgresql://u@h/x")
    assert error.code is ErrorCode.LIBRARY
    assert str(error).startswith("the Python library psycopg[binary] cannot be imported here (")


def test_a_missing_library_is_told_by_name() -> None:
    missing = lazy("cryptography.no_such_part")
    with pytest.raises(MetalError) as caught:
        missing.anything()
    assert caught.value.code is ErrorCode.LIBRARY
    assert str(caught.value).startswith("the Python library cryptography cannot be imported here (")
    assert "requirements" in str(caught.value)
