# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module event_log over a scripted driver: each entry is saved once, and nothing is cleared that is not saved."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers.sensing import Health, LogEntry
from ansible_collections.stage0.metal.plugins.module_utils._nodes import files
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._operations import log_file
from ansible_collections.stage0.metal.tests.unit.support import Machine, make_rack, ok, refused, run_module, three_runs

Bmcs = dict[str, Machine]
FIRST = "10.2.1.1"


def entry(number: int, time: str | None = "2026-05-01T12:00:00Z", *, raw: str = "", cleared: bool = False) -> LogEntry:
    event = "Log clear" if cleared else "Upper critical"
    return LogEntry(
        number,
        time,
        "Inlet Temp",
        1,
        "temperature",
        event,
        None,
        True,
        Health.CRITICAL,
        raw or f"{number:04x}{'00' if time else 'ff'}",
        cleared,
    )


CLEARED = entry(1, cleared=True, raw="c1ea")


@pytest.fixture
def rack(bmcs: Bmcs) -> list[str]:
    names = make_rack(2)
    for address in (FIRST, "10.2.1.2"):
        fill(bmcs[address], *(entry(number) for number in (1, 2, 3)))
    return names


def fill(machine: Machine, *found: LogEntry) -> None:
    machine.log += found
    machine.logged += len(found)


def saved(folder: Path, node: str = "r1n01") -> list[Any]:
    """The record numbers in a file, and "cleared"."""
    lines = (folder / f"{node}.jsonl").read_text(encoding="utf-8").splitlines()
    return [found.get("id", "cleared") for found in map(json.loads, lines)]


def test_reading(bmcs: Bmcs, rack: list[str]) -> None:
    node = ok("event_log", nodes=["rack1"])["nodes"]["r1n01"]
    assert [one["id"] for one in node["entries"]] == [1, 2, 3]
    assert node["entries"][0] == {
        "id": 1,
        "time": "2026-05-01T12:00:00Z",
        "sensor": "Inlet Temp",
        "number": 1,
        "kind": "temperature",
        "event": "Upper critical",
        "detail": None,
        "asserted": True,
        "severity": "critical",
        "raw": "000100",
        "housekeeping": False,
    }
    assert (node["total"], node["overflow"], node["clock_offset"], node["changed"]) == (3, False, 0, False)


def test_last_and_since_are_handed_on(bmcs: Bmcs, rack: list[str]) -> None:
    assert [one["id"] for one in ok("event_log", nodes=["r1n01"], last=2)["nodes"]["r1n01"]["entries"]] == [2, 3]
    ok("event_log", nodes=["r1n01"], since="2026-05-01T14:00:00+02:00")
    since = bmcs[FIRST].calls[-1][1]
    assert (since.time, since.last, since.after) == ("2026-05-01T12:00:00Z", None, None)


def test_saving(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    real = three_runs("event_log", nodes=["rack1"], save=str(tmp_path))
    assert real["nodes"]["r1n01"]["saved"] == 3
    assert real["diff"]["after"]["r1n01"] == {"in_file": 3, "in_log": 3}
    assert saved(tmp_path) == saved(tmp_path, "r1n02") == [1, 2, 3]
    fill(bmcs[FIRST], entry(4))
    again = ok("event_log", nodes=["rack1"], save=str(tmp_path))
    assert [one["id"] for one in again["nodes"]["r1n01"]["entries"]] == [4]
    assert again["summary"]["changed"] == 1
    assert bmcs[FIRST].calls[-1][1].after == "000300"
    assert saved(tmp_path) == [1, 2, 3, 4]
    assert len(bmcs[FIRST].log) == 4
    assert os.stat(tmp_path / "r1n01.jsonl").st_mode & 0o777 == 0o640


def test_after_an_entry_without_a_time_all_is_read(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    """Another entry may look like it."""
    fill(bmcs[FIRST], entry(4, None))
    ok("event_log", nodes=["r1n01"], save=str(tmp_path))
    ok("event_log", nodes=["r1n01"], save=str(tmp_path))
    assert bmcs[FIRST].calls[-1][1].after is None
    assert saved(tmp_path) == [1, 2, 3, 4]


def test_check_mode_saves_and_clears_nothing(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    check = ok("event_log", nodes=["rack1"], save=str(tmp_path), clear=True, check=True, diff=True)
    node = check["nodes"]["r1n01"]
    assert (node["saved"], node["cleared"], node["changed"]) == (3, 3, True)
    assert list(tmp_path.glob("*.jsonl")) == []
    assert bmcs[FIRST].count("clear_event_log") == 0


def test_clearing(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    real = three_runs("event_log", nodes=["rack1"], save=str(tmp_path), clear=True)
    assert real["nodes"]["r1n01"]["cleared"] == 3
    assert real["diff"]["after"]["r1n01"] == {"in_file": 3, "in_log": 0}
    assert saved(tmp_path) == [1, 2, 3, "cleared"]
    assert bmcs[FIRST].log == []


def test_clearing_what_was_saved_before(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    ok("event_log", nodes=["r1n01"], save=str(tmp_path))
    node = ok("event_log", nodes=["r1n01"], save=str(tmp_path), clear=True)["nodes"]["r1n01"]
    assert (node["saved"], node["cleared"], node["entries"], node["total"]) == (0, 3, [], 0)
    assert bmcs[FIRST].calls[-3][1].after is None  # whatever the file has, all is compared before it is cleared


def test_entry_that_tells_of_the_clearing_is_saved_and_not_cleared(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    bmcs[FIRST].after_clearing = [CLEARED]
    first = ok("event_log", nodes=["r1n01"], save=str(tmp_path), clear=True)["nodes"]["r1n01"]
    assert (first["saved"], first["cleared"], first["total"]) == (4, 3, 1)
    assert ok("event_log", nodes=["r1n01"], save=str(tmp_path), clear=True)["changed"] is False
    assert saved(tmp_path) == [1, 2, 3, "cleared", 1]


def test_entries_look_alike_after_a_clearing(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    """Record numbers begin anew, and without a clock the times do too: it is another entry all the same."""
    ok("event_log", nodes=["r1n01"], save=str(tmp_path), clear=True)
    fill(bmcs[FIRST], entry(1), entry(2))
    assert ok("event_log", nodes=["r1n01"], save=str(tmp_path))["nodes"]["r1n01"]["saved"] == 2
    assert saved(tmp_path) == [1, 2, 3, "cleared", 1, 2]


def late_entry(machine: Machine, times: int) -> None:
    """Let an entry come each time that the log is about to be cleared."""

    def come() -> None:
        if machine.count("clear_event_log") < times:
            fill(machine, entry(10 + machine.logged))

    machine.queued["clear_event_log"] = come


def test_what_comes_meanwhile_is_saved_first(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    late_entry(bmcs[FIRST], 2)
    node = ok("event_log", nodes=["r1n01"], save=str(tmp_path), clear=True)["nodes"]["r1n01"]
    assert (node["saved"], node["cleared"]) == (5, 5)
    assert saved(tmp_path) == [1, 2, 3, 13, 14, "cleared"]
    assert bmcs[FIRST].log == []


def test_a_log_that_never_rests_is_not_cleared(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    late_entry(bmcs[FIRST], 99)
    result = run_module("event_log", nodes=["r1n01"], save=str(tmp_path), clear=True)
    failed = result["failed_nodes"]["r1n01"]
    assert "each of 4 times that it was saved and about to be cleared" in failed["msg"]
    assert (failed["code"], failed["saved"], failed["cleared"], result["changed"]) == ("conflict", 7, 0, True)
    assert len(bmcs[FIRST].log) == len(saved(tmp_path)) == 7


def test_a_log_that_was_not_read_whole_is_not_cleared(
    bmcs: Bmcs, rack: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = Machine.mark
    monkeypatch.setattr(Machine, "mark", lambda self: mark(self).__class__(9, self.logged))
    failed = run_module("event_log", nodes=["r1n01"], save=str(tmp_path), clear=True)["failed_nodes"]["r1n01"]
    assert "has 9 entries, but 3 could be read" in failed["msg"]
    assert bmcs[FIRST].count("clear_event_log") == 0
    assert saved(tmp_path) == [1, 2, 3]


def test_answer_to_the_clearing_that_gets_lost(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    machine = bmcs[FIRST]

    def cleared_but_silent() -> None:
        if not machine.count("clear_event_log"):
            machine.log = []
            machine.faults["clear_event_log"] = [MetalError(ErrorCode.TIMEOUT, "scripted")]

    machine.queued["clear_event_log"] = cleared_but_silent
    node = ok("event_log", nodes=["r1n01"], save=str(tmp_path), clear=True)["nodes"]["r1n01"]
    assert (node["saved"], node["cleared"], node["changed"]) == (3, 3, True)
    assert saved(tmp_path) == [1, 2, 3, "cleared"]


def test_nothing_is_cleared_if_the_file_cannot_be_written(
    bmcs: Bmcs, rack: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _text: str, **_more: Any) -> None:
        raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be written: No space left on device")

    monkeypatch.setattr(files, "replace", full)
    result = run_module("event_log", nodes=["rack1"], save=str(tmp_path), clear=True)
    assert "No space left on device" in result["failed_nodes"]["r1n01"]["msg"]
    assert result["changed"] is False
    assert bmcs[FIRST].count("clear_event_log") == 0


def test_nothing_is_cleared_if_the_file_is_not_what_was_written(
    bmcs: Bmcs, rack: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "replace", lambda _path, _text, **_more: None)
    failed = run_module("event_log", nodes=["r1n01"], save=str(tmp_path), clear=True)["failed_nodes"]["r1n01"]
    assert failed["msg"].endswith("is not what was just written to it; who else writes there?")
    assert bmcs[FIRST].count("clear_event_log") == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"not JSON\n", "line 1 is no entry"),
        (b'{"raw": "00"}\n[]\n', "line 2 is no entry"),
        (b'{"raw": 1}\n', "line 1 is no entry"),
        (b"\xff\n", "it is no text"),
    ],
)
def test_files_of_others_are_left_alone(rack: list[str], tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "r1n01.jsonl"
    path.write_bytes(content)
    failed = run_module("event_log", nodes=["rack1"], save=str(tmp_path))["failed_nodes"]
    assert failed["r1n01"]["msg"] == f"r1n01: {path} is no file of an event log: {why}; name another folder"
    assert list(failed) == ["r1n01"]
    assert path.read_bytes() == content


@pytest.mark.parametrize("what", ["a symbolic link", "a folder", "no regular file"])
@pytest.mark.parametrize("check", [True, False])
def test_what_is_no_regular_file_is_left_alone(
    bmcs: Bmcs, rack: list[str], tmp_path: Path, what: str, check: bool
) -> None:
    path = tmp_path / "r1n01.jsonl"
    make = {
        "a symbolic link": lambda: path.symlink_to(tmp_path.parent / "elsewhere"),
        "a folder": path.mkdir,
        "no regular file": lambda: os.mkfifo(path),
    }
    make[what]()
    failed = run_module("event_log", nodes=["rack1"], save=str(tmp_path), check=check)["failed_nodes"]
    assert failed["r1n01"]["msg"] == f"r1n01: {path} is no file of an event log: it is {what}; name another folder"
    assert list(failed) == ["r1n01"]
    assert not (tmp_path.parent / "elsewhere").exists()
    assert not bmcs[FIRST].calls


def test_a_file_that_somebody_else_has_holds_up_its_node_only(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    path = tmp_path / "r1n01.jsonl"
    with path.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        by_deadline = run_module("event_log", nodes=["rack1"], save=str(tmp_path), deadline=1)
        by_timeout = run_module("event_log", nodes=["rack1"], save=str(tmp_path), timeout=0.1)
        ok("event_log", nodes=["rack1"], save=str(tmp_path), check=True)
    for result, tries in ((by_deadline, ""), (by_timeout, " (3 tries)")):
        assert result["summary"]["ok_range"] == "r1n02"
        failed = result["failed_nodes"]["r1n01"]
        assert failed["code"] == "busy"
        assert failed["msg"] == (
            f"r1n01: the file {path} is locked by somebody else; does another task save this node's log?{tries}"
        )
    assert saved(tmp_path, "r1n02") == [1, 2, 3]
    assert ok("event_log", nodes=["r1n01"], save=str(tmp_path))["nodes"]["r1n01"]["saved"] == 3


def test_the_file_is_nobody_elses_from_reading_to_the_end(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    """Another task that had read the log before it was cleared would put the same entries behind the clearing."""
    path, tried = tmp_path / "r1n01.jsonl", list[object]()
    for verb in ("event_log", "clear_event_log"):
        bmcs[FIRST].queued[verb] = lambda: tried.append(log_file.LogFile.locked(path))
    ok("event_log", nodes=["r1n01"], save=str(tmp_path), clear=True)
    assert tried == [None, None, None]
    assert saved(tmp_path) == [1, 2, 3, "cleared"]
    free = log_file.LogFile.locked(path)
    assert free is not None
    free.close()
    assert saved(tmp_path) == [1, 2, 3, "cleared"]


def test_no_file_is_left_where_there_is_nothing_to_save(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    bmcs[FIRST].log = []
    bmcs["10.2.1.2"].faults["event_log"] = [MetalError(ErrorCode.AUTH, "scripted")]
    run_module("event_log", nodes=["rack1"], save=str(tmp_path))
    assert list(tmp_path.glob("*.jsonl")) == []


def test_what_came_after_a_clearing_without_an_answer_stands_behind_it(
    bmcs: Bmcs, rack: list[str], tmp_path: Path
) -> None:
    """The first entry since looks like the first one before."""
    machine = bmcs[FIRST]

    def cleared_but_silent() -> None:
        if not machine.count("clear_event_log"):
            machine.log = [entry(1)]
            machine.faults["clear_event_log"] = [MetalError(ErrorCode.TIMEOUT, "scripted")]

    machine.queued["clear_event_log"] = cleared_but_silent
    node = ok("event_log", nodes=["r1n01"], save=str(tmp_path), clear=True)["nodes"]["r1n01"]
    assert (node["saved"], node["cleared"], node["total"]) == (4, 4, 0)
    assert saved(tmp_path) == [1, 2, 3, "cleared", 1, "cleared"]


def test_a_clearing_that_is_refused_is_none(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    ok("event_log", nodes=["r1n01"], save=str(tmp_path))
    bmcs[FIRST].faults["clear_event_log"] = [MetalError(ErrorCode.PRIVILEGE, "scripted")]
    assert run_module("event_log", nodes=["r1n01"], save=str(tmp_path), clear=True)["changed"] is False


def test_refused(rack: list[str], tmp_path: Path) -> None:
    missing = tmp_path / "none"
    assert refused("event_log", nodes=["rack1"], save=str(missing))["msg"] == (
        f"there is no folder {missing} to save event logs in; make it first"
    )
    assert run_module("event_log", nodes=["rack1"], clear=True)["msg"].endswith("following are missing: save")
    assert "mutually exclusive" in run_module("event_log", nodes=["rack1"], last=1, since="1h")["msg"]
    assert refused("event_log", nodes=["rack1"], last=0)["msg"] == "last: 0 is no number of entries; 1 is the least"
    assert refused("event_log", nodes=["rack1"], since="tea")["msg"].startswith("'tea' is no time; write one as in")
