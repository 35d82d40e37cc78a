# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Transactions of the node database: all or nothing, one state, one writer at a time, from many processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import closing
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.backend import Backend
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
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


def test_a_read_sees_one_state() -> None:
    make_rack(1)
    with closing(open_database()) as opened, opened.read() as connection:
        first = Store(connection, Keyring(), "x").node_names()
        with store() as other:
            other.put("node", "later", Wish())
        assert Store(connection, Keyring(), "x").node_names() == first


def test_nobody_writes_between_another_ones_reading_and_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backend, "lock_wait_seconds", 0.05)

    def write() -> None:
        with store() as other:
            other.put("node", "later", Wish())

    with closing(open_database()) as opened, opened.write() as connection:
        assert Store(connection, Keyring(), "x").node_names() == []
        with pytest.raises(MetalError):
            write()
        assert Store(connection, Keyring(), "x").node_names() == []
    write()


def test_a_writer_gives_up_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_database()
    monkeypatch.setattr(Backend, "lock_wait_seconds", 0.05)
    with (
        closing(opened),
        opened.write(),
        pytest.raises(MetalError, match=r"is busy: others have been writing for 60 seconds; try again \("),
        opened.write(),
    ):
        pass


def test_who_waits_holds_no_snapshot(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL clears dead rows away only if no snapshot is older: fifty writers that wait must not hold one."""
    monkeypatch.setenv("STAGE0_DATABASE", cluster.empty("snapshots"))
    make_rack(1)
    monkeypatch.setattr(Backend, "lock_wait_seconds", 10.0)
    asked = "SELECT backend_xmin FROM pg_stat_activity WHERE datname = 'snapshots' AND wait_event_type = 'Lock'"
    with closing(open_database()) as opened:
        with opened.write():
            waiting = threading.Thread(target=make_rack, args=(2,))
            waiting.start()
            while not (found := cluster.sql(asked, "snapshots")):
                pass
        waiting.join()
    assert found == [(None,)]
    with store() as other:
        assert other.node_names() == ["r1n01", "r1n02"]


def start(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", WRITER, *arguments]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_writers_of_many_processes_all_win() -> None:
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
    assert [event["what"] for event in told] == ["node added"] + ["node changed"] * 199
