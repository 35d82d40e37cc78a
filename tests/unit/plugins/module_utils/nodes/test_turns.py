# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who waits for a SQLite database gets in as it came; who dies, or sleeps, holds nobody up."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes import turns
from ansible_collections.stage0.metal.plugins.module_utils._nodes.turns import turn

SLEEPER = """
import sys
from pathlib import Path
from ansible_collections.stage0.metal.plugins.module_utils._nodes.turns import turn
with turn(Path(sys.argv[1]), 0):
    print("in", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that is waited for."""
    path = tmp_path / "metal.db"
    path.touch(0o640)
    return path


def test_first_come_first_served(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came: list[int] = []
    got: list[int] = []
    take = turns._take

    def noted(handle: int) -> int:
        ours = take(handle)
        came.append(threading.get_ident())
        return ours

    def wait() -> None:
        with turn(file, 60):
            got.append(threading.get_ident())

    monkeypatch.setattr(turns, "_take", noted)
    threads = [threading.Thread(target=wait) for _number in range(8)]
    with turn(file, 60):
        first = came.pop()
        for number, thread in enumerate(threads, start=1):
            thread.start()
            while len(came) < number:
                time.sleep(0)
        assert got == []
    for thread in threads:
        thread.join()
    assert got == came
    assert first == threading.get_ident()


def test_two_at_the_same_moment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic_ns", lambda: 7)
    with ExitStack() as stack:
        handles = [turns._queue(file) for _number in range(2)]
        for handle in handles:
            assert handle is not None
            stack.callback(os.close, handle)
        assert [turns._take(handle) for handle in handles if handle is not None] == [7, 8]


def test_who_is_killed_is_no_longer_in_the_queue(file: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPER, str(file)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"in\n"
        handle = turns._queue(file)
        assert handle is not None
        ours = turns._take(handle)
        assert turns._somebody_before(handle, ours)
        other.kill()
        other.wait()
        assert not turns._somebody_before(handle, ours)
        os.close(handle)


def test_who_sleeps_in_front_is_passed_by(file: Path) -> None:
    with turn(file, 60), turn(file, 0.01):
        pass


def test_without_a_queue_everybody_tries(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with turn(tmp_path / "no such file", 60), turn(tmp_path / "no such file", 60):
        pass
    assert list(tmp_path.iterdir()) == [file]

    def refuse(*_arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    with turn(file, 60), turn(file, 60):
        pass
    monkeypatch.setattr(turns, "SET", None)
    with turn(file, 60), turn(file, 60):
        pass


def test_the_queue_has_the_rights_of_its_file_and_nothing_in_it(file: Path) -> None:
    file.chmod(0o660)
    with turn(file, 60):
        pass
    queue = Path(f"{file}-queue")
    assert queue.stat().st_mode & 0o777 == 0o660
    assert queue.read_bytes() == b""
