# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can happen to the node database, with real causes: a full disk, damage, lost keys, a server that stops, kill -9.

Each is one sentence, and nothing that was committed is lost.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes import dump
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store, Wish

from tests.integration.site import Site
from tests.postgresql import Cluster

KINDS = ["sqlite", "postgresql"]
KILLS = 12


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.remove()


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """A site without a hub, over either kind of database."""
    site = Site(tmp_path)
    site.environment["STAGE0_DATABASE"] = (
        f"sqlite:///{site.home}/metal.db"
        if request.param == "sqlite"
        else request.getfixturevalue("cluster").empty("faults")
    )
    return site


def said(site: Site, module: str, **arguments: Any) -> str:
    """The sentence with which the module fails, as ``ansible`` shows it."""
    result = site.module(module, **arguments)
    assert result.get("failed"), result
    assert "\n" not in result["msg"]
    return str(result["msg"])


def fill(site: Site, nodes: int) -> None:
    """Put a rack into the database, with a secret on each node."""
    ring = Keyring(site.home / "secret.key")
    with closing(open_database(site.environment["STAGE0_DATABASE"])) as opened, opened.write() as connection:
        store = Store(connection, ring, "test")
        store.put("group", "rack1", Wish({"bmc.user": "admin"}))
        wishes = {
            f"n{number:04d}": Wish(
                {"bmc.address": "10.2.{n1 // 250}.{n1 % 250 + 1}", "bmc.password": f"pw-{number}"}, groups=["rack1"]
            )
            for number in range(nodes)
        }
        store.put_many("node", wishes)


def parts(site: Site) -> dict[str, dump.Part]:
    with closing(open_database(site.environment["STAGE0_DATABASE"])) as opened, opened.read() as connection:
        return {name: part for name, part in dump.scan(connection).items() if name != "events"}


def passwords(site: Site) -> dict[str, str]:
    ring = Keyring(site.home / "secret.key")
    with closing(open_database(site.environment["STAGE0_DATABASE"])) as opened, opened.read() as connection:
        store = Store(connection, ring, "test")
        return {name: view["bmc.password"] for name, view in store.views(store.node_names()).items()}


# -- damage and keys, as users see them ----------------------------------------------------------------------------


def test_damaged_files_are_told_by_ansible(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.environment["STAGE0_DATABASE"] = f"sqlite:///{site.home}/metal.db"
    fill(site, 300)
    path = site.home / "metal.db"
    whole = path.read_bytes()

    def damaged(content: bytes) -> str:
        path.write_bytes(content)
        sentence = said(site, "node", name="later")
        assert path.read_bytes() == content
        return sentence

    assert "is damaged; move it away with its -wal and -shm files, and restore a backup (" in damaged(
        whole[: len(whole) // 2]
    )
    assert (
        "is damaged; move it away with its -wal and -shm files, and restore a backup (file is not a database)"
        in damaged(random.Random(1).randbytes(9000))
    )
    assert "is an empty file, so it was cut off or is not ours; restore a backup, or remove" in damaged(b"")
    garbled = bytearray(whole)
    for start in range(8192, len(whole) - 4096, 4096):
        garbled[start : start + 64] = b"\xff" * 64
    path.write_bytes(bytes(garbled))
    assert "is damaged; move it away with its -wal and -shm files, and restore a backup (" in said(
        site, "node_info", nodes=["all"]
    )
    path.write_bytes(whole)
    assert site.module("node_info", nodes=["all"])["count"] == 300


def test_a_newer_database_and_keys_that_do_not_fit(place: Site) -> None:
    fill(place, 3)
    key = place.home / "secret.key"
    right = key.read_bytes()
    key.write_text("A" * 43 + "=")
    assert f"cannot be decrypted with the keys of {key}" in said(place, "power_info", nodes=["n0001"])
    key.unlink()
    assert f"the key file {key} is missing" in said(place, "power_info", nodes=["n0001"])
    key.write_bytes(right)
    key.chmod(0o600)
    with closing(open_database(place.environment["STAGE0_DATABASE"])) as opened, opened.write() as connection:
        connection.exec_driver_sql("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    sentence = said(place, "node", name="later")
    assert "has schema version 99, this collection knows" in sentence
    assert sentence.endswith("update the collection on this machine")


# -- a server that stops -------------------------------------------------------------------------------------------


def test_a_server_that_stops_in_mid_task(tmp_path: Path, cluster: Cluster) -> None:
    site = Site(tmp_path)
    site.environment["STAGE0_DATABASE"] = url = cluster.empty("faults")
    fill(site, 5)
    before = parts(site)
    with closing(open_database(url)) as opened:

        def broken_off(how: signal.Signals) -> None:
            with opened.write() as connection:
                store = Store(connection, Keyring(site.home / "secret.key"), "test")
                store.put("node", "later", Wish())
                cluster.stop(how)
                store.put("node", "even-later", Wish())

        for how in (signal.SIGINT, signal.SIGQUIT):
            with pytest.raises(
                MetalError, match=r"^the connection to the node database postgresql://.* broke off, and "
            ):
                broken_off(how)
            assert "cannot be reached; does it run, and are host and port right?" in said(
                site, "node_info", nodes=["all"]
            )
            cluster.start()
            assert parts(site) == before
            with opened.read() as connection:  # the hub's database is as good as new
                assert len(Store(connection, Keyring(), "test").node_names()) == 5


# -- a full disk ---------------------------------------------------------------------------------------------------

FULL_DISK = """
import json, os, subprocess, sys
from contextlib import closing
from pathlib import Path

sys.path[:0] = json.loads(sys.argv[1])
folder, kind = Path(sys.argv[2]), sys.argv[3]
os.environ["STAGE0_HOME"] = str(folder)
size = "3m" if kind == "sqlite" else "24m"
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "small", str(folder)], check=True)

from ansible_collections.stage0.metal.plugins.module_utils._nodes import dump
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store, Wish
from tests.postgresql import Cluster, user
from tests.unit.support import run_module

url, cluster = f"sqlite:///{folder}/metal.db", None
if kind == "postgresql":
    cluster = Cluster()
    import shutil
    (folder / "space").mkdir()
    shutil.chown(folder / "space", user())
    cluster.sql(f"CREATE TABLESPACE small LOCATION '{folder}/space'")
    cluster.sql("CREATE DATABASE small TABLESPACE small")
    url = cluster.url("small")

def put(first, count):
    with closing(open_database(url)) as opened, opened.write() as connection:
        wishes = {f"n{n:05d}": Wish({"bmc.password": "pw", "site.note": "x" * 90}) for n in range(first, first + count)}
        Store(connection, Keyring(), "test").put_many("node", wishes)

def state():
    with closing(open_database(url)) as opened, opened.read() as connection:
        return {name: part.sha256 for name, part in dump.scan(connection).items()}

def attempt(work):
    try:
        work()
        return "done"
    except MetalError as exc:
        return str(exc)

found = {}
try:
    put(0, 200)
    backup = folder / "backup.gz"
    found["first backup"] = run_module("backup", path=str(backup), database=url)["changed"]
    before, old = state(), backup.read_bytes()
    with open(folder / "filler", "wb", buffering=0) as filler:
        room = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
        for _block in range(max(0, room - 200_000) // 4096):
            filler.write(b"x" * 4096)
        found["write"] = attempt(lambda: put(1000, 20_000))
        found["after"] = state() == before
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            pass
        found["full"] = attempt(lambda: put(900, 20_000))
        found["backup"] = run_module("backup", path=str(folder / "other.gz"), database=url)["msg"]
        Keyring(folder / "other.key")
        found["key"] = attempt(lambda: Keyring(folder / "other.key").encrypt("x"))
        found["left"] = sorted(path.name for path in folder.iterdir() if path.name.startswith((".", "other")))
    (folder / "filler").unlink()
    found["kept"] = state() == before and backup.read_bytes() == old
    found["again"] = attempt(lambda: put(1000, 100))
finally:
    if cluster:
        cluster.remove()
print(json.dumps(found))
"""


def in_a_namespace(script: str, *arguments: str) -> dict[str, Any]:
    """Run Python where it may mount, and nobody else sees what it mounts."""
    unshare = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
    command = [*unshare, sys.executable, "-c", script, json.dumps([path for path in sys.path if path]), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


# Without root, PostgreSQL's own user cannot be had in a namespace of ours.
@pytest.mark.parametrize("kind", KINDS if os.geteuid() == 0 else KINDS[:1])
def test_a_full_disk(kind: str) -> None:
    with tempfile.TemporaryDirectory(prefix="stage0-full-", dir="/tmp") as folder:  # where PostgreSQL's user may go
        os.chmod(folder, 0o755)
        found = in_a_namespace(FULL_DISK, folder, kind)
    assert found["first backup"] is True
    assert "has no space left on its disk; nothing of this change is kept (" in found["write"]
    assert found["after"] is True
    assert "has no space left on its disk; nothing of this change is kept (" in found["full"]
    assert found["key"] == f"the key file {folder}/other.key cannot be read or made: No space left on device"
    sentence = f"the backup {folder}/other.gz cannot be written: No space left on device"
    assert found["backup"] == sentence or "has no space left on its disk" in found["backup"]
    assert found["left"] == []
    assert found["kept"] is True
    assert found["again"] == "done"


# -- kill -9 -------------------------------------------------------------------------------------------------------

OVER_AND_OVER = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from tests.unit.support import run_module
print("begun", flush=True)
turn = 0
while True:
    for module, arguments in json.loads(sys.argv[2]):
        result = run_module(module, **arguments)
        if result.get("failed"):
            sys.exit(result["msg"])
"""


def kill_at_random(site: Site, work: list[tuple[str, dict[str, Any]]], check: Callable[[], None]) -> None:
    """Let a process do ``work`` over and over, kill it at a random moment, and ``check``; do that KILLS times."""
    moments = random.Random(7)
    for _turn in range(KILLS):
        command = [sys.executable, "-c", OVER_AND_OVER, json.dumps([p for p in sys.path if p]), json.dumps(work)]
        with subprocess.Popen(
            command, env=site.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            assert running.stdout.readline() == "begun\n"
            time.sleep(moments.uniform(0.0, 0.6))
            running.kill()
            assert running.stderr.read() == ""
        check()


def test_a_restore_that_is_killed(place: Site, tmp_path: Path) -> None:
    states = []
    for number in (200, 300):
        fill(place, number)
        assert place.module("backup", path=str(tmp_path / f"{number}.gz"))["changed"] is True
        states.append(parts(place))
    work = [("restore", {"path": str(tmp_path / f"{number}.gz"), "force": True}) for number in (200, 300)]
    seen: list[int] = []

    def one_of_both() -> None:
        seen.append(states.index(parts(place)))

    kill_at_random(place, work, one_of_both)
    assert len(seen) == KILLS


def test_a_backup_that_is_killed(place: Site, tmp_path: Path) -> None:
    fill(place, 300)
    path = tmp_path / "backup.gz"
    place.module("backup", path=str(path))
    work: list[tuple[str, dict[str, Any]]] = [
        ("backup", {"path": str(path)}),
        ("node", {"name": "n0001", "attributes": {"site.turn": "1"}}),
        ("backup", {"path": str(path)}),
        ("node", {"name": "n0001", "unset": ["site.turn"]}),
    ]
    kill_at_random(place, work, lambda: print(dump.check(path).created))
    assert dump.check(path).parts["nodes"].rows == 300


def test_a_rotation_that_is_killed(place: Site) -> None:
    fill(place, 100)
    expected = passwords(place)
    key = place.home / "secret.key"
    keys: list[int] = []

    def readable() -> None:
        keys.append(len(key.read_text().split()))
        assert passwords(place) == expected

    kill_at_random(place, [("secret_key", {"rotate_after": 0})], readable)
    assert place.module("secret_key", state="present")["keys_from"] == str(key)
    assert len(key.read_text().split()) == 1
    assert passwords(place) == expected
