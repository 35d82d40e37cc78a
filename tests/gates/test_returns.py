# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The judge of results, on a module with a small RETURN."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.tests.gates.returns import documented, judge

MODULE = '''
RETURN = r"""
summary:
  description: Counts.
  returned: always
  type: dict
  contains:
    total: {description: All., type: int, returned: always}
    note: {description: A remark., type: str, returned: if there is one}
nodes:
  description: By name.
  returned: success
  type: dict
  contains:
    NODE:
      description: What was done.
      type: dict
      contains:
        state: {description: Its state., type: str, choices: ["on", "off"], returned: always}
        tries: {description: How often., type: int}
names:
  description: Names.
  returned: success
  type: list
  elements: str
"""
'''
GOOD: dict[str, Any] = {
    "changed": True,
    "_ansible_verbose_always": True,
    "summary": {"total": 1, "note": "x"},
    "nodes": {"r1": {"state": "on", "tries": 2}},
    "names": ["r1"],
}


def found(
    tmp_path: Path, *results: dict[str, Any], complete: bool = False, module: str = "power", text: str = MODULE
) -> list[str]:
    folder = tmp_path / "plugins" / "modules"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "power.py").write_text(text)
    log = tmp_path / "log"
    log.write_text("".join(json.dumps({"module": module, "result": result}) + "\n" for result in results))
    return judge(documented(tmp_path), log, complete=complete)


def test_all_seen_and_all_documented(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD, complete=True) == []


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "not documented": ({**GOOD, "nods": 1}, "nods is returned and not documented"),
    "not documented, below": ({**GOOD, "summary": {"total": 1, "x": 1}}, "summary.x is returned and not documented"),
    "not documented, by name": (
        {**GOOD, "nodes": {"r1": {"state": "on", "x": 1}}},
        "nodes.NODE.x is returned and not documented",
    ),
    "wrong type": ({**GOOD, "names": "r1"}, "names is documented as list and was str"),
    "a number that is a boolean": ({**GOOD, "summary": {"total": True}}, "documented as int and was bool"),
    "wrong type of an element": ({**GOOD, "names": [1]}, "elements documented as str; one was int"),
    "not a choice": ({**GOOD, "nodes": {"r1": {"state": "up"}}}, "nodes.NODE.state was 'up'"),
    "always, and missing": ({**GOOD, "summary": {}}, "summary.total is documented as returned always"),
    "success, and missing": (
        {key: value for key, value in GOOD.items() if key != "names"},
        "names is documented as returned success and was missing",
    ),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=list(WRONG))
def test_wrong(tmp_path: Path, case: tuple[dict[str, Any], str]) -> None:
    sentences = found(tmp_path, case[0])
    assert len(sentences) == 1
    assert case[1] in sentences[0]


def test_a_failure_may_be_short(tmp_path: Path) -> None:
    assert found(tmp_path, {"failed": True, "msg": "no"}) == []


def test_what_was_never_seen(tmp_path: Path) -> None:
    result = {**GOOD, "nodes": {"r1": {"state": "on"}}}
    assert found(tmp_path, result, complete=True) == ["power: nodes.NODE.tries is documented and no test saw it"]


def test_a_module_without_a_result(tmp_path: Path) -> None:
    assert found(tmp_path, complete=True) == ["power: no test has a result of this module"]


def test_a_result_without_a_module(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD, module="powr") == ["there is no module powr"]


SAMPLED = '''
RETURN = r"""
nodes:
  description: By name.
  returned: success
  type: dict
  sample:
    r1n01:
      changed: true
      before: {power: "off"}
      seconds: 0.8
      values: {bmc.user: admin}
    r1n02: {note: x}
"""
'''


def test_a_sample_documents_entries(tmp_path: Path) -> None:
    entry = {"changed": False, "before": {"power": "on"}, "seconds": 1, "values": {"net.ip": "10.0.0.1"}, "note": "y"}
    assert found(tmp_path, {"nodes": {"a": entry}}, complete=True, text=SAMPLED) == []
    more = {**entry, "before": {"state": "on"}, "tries": 1}
    assert found(tmp_path, {"nodes": {"a": more}}, complete=True, text=SAMPLED) == [
        "power: nodes.NAME.before.state is returned and not documented",
        "power: nodes.NAME.tries is returned and not documented",
        "power: nodes.NAME.before.power is documented and no test saw it",
    ]
