# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What machines are made of, and were: kept when it changes, with an event; it goes and comes with its node."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes import hardware
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store
from ansible_collections.stage0.metal.tests.unit.support import events, make_rack, ok, store

FIRST: dict[str, Any] = {"serial": "S1", "board": {"serial": "B1", "custom": ["a"]}, "chassis": None}
SECOND: dict[str, Any] = {"serial": "S1", "board": {"serial": "B2", "custom": ["a"]}, "chassis": {"serial": "C2"}}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    make_rack(3)
    monkeypatch.setattr("time.time", lambda: 1000.0)
    with store() as one:
        yield one


def documents(found: dict[str, list[hardware.Kept]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [kept.document for kept in row] for name, row in found.items()}


def test_only_what_changes_is_kept(opened: Store) -> None:
    assert hardware.keep(opened, {"r1n01": FIRST, "r1n02": FIRST, "nobody": FIRST}) == ["r1n01", "r1n02"]
    assert hardware.keep(opened, {"r1n01": FIRST, "r1n02": SECOND}) == ["r1n02"]
    found = hardware.history(opened, ["r1n01", "r1n02", "r1n03"], 5)
    assert documents(found) == {"r1n01": [FIRST], "r1n02": [SECOND, FIRST]}
    assert documents(hardware.history(opened, ["r1n02"])) == {"r1n02": [SECOND]}


def test_order_is_kept_when_the_clock_stands_or_goes_back(opened: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, now in enumerate((1000.0, 1000.0, 900.0)):
        monkeypatch.setattr("time.time", lambda now=now: now)
        hardware.keep(opened, {"r1n01": {"serial": f"S{number}"}})
    found = hardware.history(opened, ["r1n01"], 9)["r1n01"]
    assert [kept.document["serial"] for kept in found] == ["S2", "S1", "S0"]
    assert [kept.at for kept in found] == pytest.approx([1000.002, 1000.001, 1000.0])


def test_difference() -> None:
    assert hardware.difference(FIRST, SECOND) == (
        {"board.serial": "B1", "chassis.serial": None},
        {"board.serial": "B2", "chassis.serial": "C2"},
    )
    assert hardware.difference(SECOND, SECOND) == ({}, {})
    assert hardware.difference({}, {"serial": None}) == ({}, {})


def test_nodes_without_anything_to_tell_are_kept_once(opened: Store) -> None:
    assert hardware.keep(opened, {"r1n01": {"serial": None}}) == ["r1n01"]
    assert hardware.keep(opened, {"r1n01": {"serial": None}}) == []


def test_events_tell_what_changed(opened: Store) -> None:
    hardware.keep(opened, {"r1n01": FIRST})
    hardware.keep(opened, {"r1n01": SECOND})
    opened.connection.commit()
    found = [row for row in events("r1n01") if row["what"] == "hardware changed"]
    assert [json.loads(row["before"]) for row in found] == [None, {"board.serial": "B1", "chassis.serial": None}]
    assert json.loads(found[0]["after"]) == {"board.custom": ["a"], "board.serial": "B1", "serial": "S1"}


def test_it_comes_along_with_a_rename_and_goes_with_its_node() -> None:
    make_rack(3)
    with store() as one:
        hardware.keep(one, {"r1n01": FIRST, "r1n02": FIRST})
        one.rename("node", "r1n01", "spare")
    ok("node", name="r1n02", state="absent")
    with store() as one:
        assert documents(hardware.history(one, ["r1n01", "r1n02", "spare"])) == {"spare": [FIRST]}
