# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module console_log over a scripted driver: what was heard, what ended it, the file, and what is refused."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Target
from ansible_collections.stage0.metal.plugins.module_utils._drivers.hearing import Recording
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._operations.log_file import LogFile
from ansible_collections.stage0.metal.tests.unit.conftest import use_driver
from ansible_collections.stage0.metal.tests.unit.support import Machine, ScriptedDriver, make_rack, ok, refused

FIRST, SECOND = "10.2.1.1", "10.2.1.2"
SAID = b"\x1b[1mlogin:\x1b[0m \0\xff\r\n"
TEXT = "login: �\n"


class Consoles(ScriptedDriver):
    """Consoles that say SAID at once; ``cut``: the errors by which listening ends then, by address."""

    cut: dict[str, MetalError]
    asked: list[tuple[str, float, float, bool]]

    async def console(
        self, target: Target, recording: Recording, listen: float, seconds: float, *, take: bool = False
    ) -> None:
        await self._begin(target, "console")
        self.asked.append((target.address, listen, seconds, take))
        recording.opened = True
        recording.add(SAID)
        if target.address in self.cut:
            raise self.cut[target.address]
        recording.over = True


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Consoles:
    make_rack(2)
    made = Consoles({FIRST: Machine(), SECOND: Machine()})
    made.cut, made.asked = {}, []
    use_driver(monkeypatch, lambda: made)
    return made


def test_listening(driver: Consoles) -> None:
    result = ok("console_log", nodes=["rack1"], seconds=5, timeout=7, take_over=True)
    assert result["changed"] is False
    found: dict[str, Any] = result["nodes"]["r1n01"]
    assert {key: found[key] for key in ("text", "bytes", "truncated", "ended", "warnings")} == {
        "text": TEXT,
        "bytes": len(SAID),
        "truncated": False,
        "ended": None,
        "warnings": [],
    }
    assert sorted(driver.asked) == [(FIRST, 5.0, 7.0, True), (SECOND, 5.0, 7.0, True)]


def test_no_more_than_is_wanted(driver: Consoles) -> None:
    found = ok("console_log", nodes=["r1n01"], max_bytes=6)["nodes"]["r1n01"]
    assert (found["text"], found["bytes"], found["truncated"]) == ("lo", 6, True)


def test_saving(driver: Consoles, tmp_path: Path) -> None:
    folder = tmp_path / "consoles"
    folder.mkdir()
    (folder / "r1n01.log").write_bytes(b"before\n")
    check = ok("console_log", nodes=["rack1"], save=str(folder), check=True)
    assert (check["changed"], driver.asked, check["nodes"]["r1n01"]["text"]) == (False, [], "")
    assert driver.machines[FIRST].count("power_state") == 1
    result = ok("console_log", nodes=["rack1"], save=str(folder), diff=True)
    assert result["changed"] is True
    assert result["diff"] == {
        "before": {"r1n01": {"file_bytes": 7}, "r1n02": {"file_bytes": 0}},
        "after": {"r1n01": {"file_bytes": 7 + len(SAID)}, "r1n02": {"file_bytes": len(SAID)}},
    }
    assert result["nodes"]["r1n02"]["file"] == str(folder / "r1n02.log")
    assert (folder / "r1n01.log").read_bytes() == b"before\n" + SAID
    assert (folder / "r1n02.log").stat().st_mode & 0o007 == 0


def test_what_was_heard_before_the_bmc_went_away_is_kept(driver: Consoles, tmp_path: Path) -> None:
    driver.cut[FIRST] = MetalError(ErrorCode.TIMEOUT, "the BMC at 10.2.1.1:623 stopped answering in mid-session")
    found = ok("console_log", nodes=["rack1"], save=str(tmp_path))["nodes"]["r1n01"]
    assert (found["text"], found["ended"], found["tries"]) == (TEXT, driver.cut[FIRST].message, 1)
    assert (tmp_path / "r1n01.log").read_bytes() == SAID


def test_what_was_heard_before_the_deadline_is_kept(driver: Consoles, tmp_path: Path) -> None:
    driver.machines[SECOND].hangs.add("console")
    result = ok(
        "console_log", nodes=["rack1"], save=str(tmp_path), max_failed="1", seconds=0.1, timeout=0.2, deadline=0.4
    )
    assert result["failed_nodes"]["r1n02"]["code"] == "timeout"
    assert [path.name for path in tmp_path.glob("*.log")] == ["r1n01.log"]


def test_a_console_in_use_is_tried_again(driver: Consoles) -> None:
    busy: list[Exception] = [
        MetalError(ErrorCode.BUSY, "the console is in use by another session") for _number in range(3)
    ]
    driver.machines[FIRST].faults["console"] = busy[:2]
    assert ok("console_log", nodes=["rack1"])["nodes"]["r1n01"]["tries"] == 3
    driver.machines[FIRST].faults["console"] = busy
    failed = ok("console_log", nodes=["rack1"], max_failed="1")["failed_nodes"]["r1n01"]
    assert failed["msg"] == "r1n01: the console is in use by another session (3 tries)"


REFUSED: dict[str, dict[str, Any]] = {
    "seconds: 0 cannot be; write up to 3600": {"seconds": 0},
    "seconds: nan cannot be; write up to 3600": {"seconds": "nan"},
    "seconds: 3601 cannot be; write up to 3600": {"seconds": 3601, "deadline": 10_000},
    "max_bytes: 0 cannot be; write 1 to 16777216": {"max_bytes": 0},
    "max_bytes: 16777217 cannot be; write 1 to 16777216": {"max_bytes": (16 << 20) + 1},
    ("seconds: listening for 890 s and logging in within 20 s takes up to 910 s, more than the deadline of 900 s"): {
        "seconds": 890
    },
    "there is no folder /nowhere to save consoles in; make it first": {"save": "/nowhere"},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_refused(driver: Consoles, sentence: str) -> None:
    assert refused("console_log", nodes=["rack1"], **REFUSED[sentence])["msg"] == sentence
    assert driver.targets == []


def test_many_nodes_listen_in_turns(driver: Consoles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.stage0.metal.plugins.module_utils._operations.console_log.WINDOW", 1)
    assert refused("console_log", nodes=["rack1"], seconds=450)["msg"] == (
        "seconds: listening for 450 s and logging in within 20 s, in 2 turns for 2 nodes,"
        " takes up to 940 s, more than the deadline of 900 s"
    )


@pytest.mark.parametrize("what", ["a symbolic link", "a folder", "no regular file"])
def test_what_is_no_regular_file_is_left_alone(driver: Consoles, tmp_path: Path, what: str) -> None:
    path = tmp_path / "r1n01.log"
    make = {
        "a symbolic link": lambda: path.symlink_to(tmp_path.parent / "elsewhere"),
        "a folder": path.mkdir,
        "no regular file": lambda: os.mkfifo(path),
    }
    make[what]()
    failed = ok("console_log", nodes=["rack1"], save=str(tmp_path), max_failed="1")["failed_nodes"]["r1n01"]
    assert failed["msg"] == f"r1n01: {path} is no file of a console: it is {what}; name another folder"
    assert not (tmp_path.parent / "elsewhere").exists()
    assert [asked[0] for asked in driver.asked] == [SECOND]


def test_a_file_that_somebody_else_has_holds_up_its_node_only(driver: Consoles, tmp_path: Path) -> None:
    """A shared lock is enough, as a reader has it; the node is not listened to, as nothing could be saved."""
    path, options = tmp_path / "r1n01.log", {"nodes": ["rack1"], "save": str(tmp_path), "max_failed": "1"}
    with path.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        by_deadline = ok("console_log", **options, seconds=0.1, timeout=0.7, deadline=0.8)
        by_timeout = ok("console_log", **options, seconds=0.1, timeout=0.1)
    for result in (by_deadline, by_timeout):
        assert result["summary"]["ok_range"] == "r1n02"
        failed = result["failed_nodes"]["r1n01"]
        assert failed["code"] == "busy"
        why = f"r1n01: the file {path} is locked by somebody else; does another task save this node's log?"
        assert failed["msg"].startswith(why)
    assert {asked[0] for asked in driver.asked} == {SECOND}
    assert (tmp_path / "r1n02.log").read_bytes() == SAID * 2


def test_what_was_heard_is_saved_once_the_file_is_free(
    driver: Consoles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody takes the file while it is listened: what was heard is saved in the next try, and not heard again."""
    path, locked, add = tmp_path / "r1n01.log", LogFile.locked, Recording.add
    others, misses = list[LogFile | None](), list[Path]()

    def heard(recording: Recording, data: bytes) -> None:
        add(recording, data)
        others.append(locked(path))

    def tried(path: Path, kind: str) -> LogFile | None:
        found = locked(path, kind)
        if found is None:
            misses.append(path)
            if len(misses) == 3:  # in the second try
                other = others.pop()
                assert other is not None
                other.close()
        return found

    monkeypatch.setattr(Recording, "add", heard)
    monkeypatch.setattr(LogFile, "locked", tried)
    found = ok("console_log", nodes=["r1n01"], save=str(tmp_path), timeout=0.05)["nodes"]["r1n01"]
    assert (found["text"], found["after"], found["tries"]) == (TEXT, {"file_bytes": len(SAID)}, 2)
    assert (len(driver.asked), path.read_bytes()) == (1, SAID)


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "n01.log"
    path.write_bytes(b"before")
    file = LogFile.locked(path)
    assert file is not None
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:3]) if len(data) > 3 else write(-1, data))
    with pytest.raises(MetalError, match=r"n01\.log cannot be written: Bad file descriptor"):
        file.add_bytes(b"abcdef")
    monkeypatch.undo()
    assert file.add_bytes(b" and after") == 6
    file.close()
    assert path.read_bytes() == b"before and after"
