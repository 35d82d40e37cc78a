# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module event_info: who did what, when, to whom."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Wish
from ansible_collections.stage0.metal.tests.unit.support import PASSWORD, make_rack, ok, refused, store

DAY = 86400


@pytest.fixture
def history() -> list[str]:
    """Five events of different people, one a day, the last now; returns when they were."""
    with store("alice") as opened:
        opened.put("node", "n1", Wish({"bmc.password": PASSWORD}))
        opened.put("node", "n1", Wish({"net.ip": "10.0.0.1"}))
    with store("bob (as root)") as opened:
        opened.put("node", "n2", Wish())
        opened.put("node", "n1", Wish({"net.ip": "10.0.0.2"}))
        opened.remove("node", "n2")
        times = [float(int(time.time()) - days * DAY - 1) for days in (4, 3, 2, 1, 0)]
        t = opened.t.events
        for number, at in zip(
            opened.connection.execute(t.select().order_by(t.c.id)).scalars().all(), times, strict=True
        ):
            opened.connection.execute(t.update().where(t.c.id == number).values(at=at))
    return [datetime.fromtimestamp(at, UTC).isoformat() for at in times]


def shown(**arguments: Any) -> list[str]:
    return [f"{event['what']} {event['subject']}" for event in ok("event_info", **arguments)["events"]]


ALL = ["node removed n2", "node changed n1", "node added n2", "node changed n1", "node added n1"]


def test_all_of_them_newest_first(history: list[str]) -> None:
    assert shown() == ALL
    assert shown(order="oldest") == ALL[::-1]
    found = ok("event_info", limit=2)
    assert (found["count"], found["more"]) == (2, True)
    assert [event["subject"] for event in found["events"]] == ["n2", "n1"]
    last = found["events"][1]
    assert (last["before"], last["after"]) == ({"net.ip": "10.0.0.1"}, {"net.ip": "10.0.0.2"})
    assert last["who"] == "bob (as root)"
    assert datetime.fromisoformat(last["at"]).timestamp() == pytest.approx(
        datetime.fromisoformat(history[3]).timestamp(), abs=0.01
    )
    assert PASSWORD not in repr(ok("event_info"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"nodes": ["n1"]}, [1, 3, 4]),
        ({"subjects": ["n2"]}, [0, 2]),
        ({"nodes": ["n1"], "subjects": ["n2"]}, [0, 1, 2, 3, 4]),
        ({"what": ["node added"]}, [2, 4]),
        ({"what": ["node added", "* removed"]}, [0, 2, 4]),
        ({"what": ["node *"]}, [0, 1, 2, 3, 4]),
        ({"what": ["node_added"]}, []),
        ({"what": ["%"]}, []),
        ({"who": "alice"}, [3, 4]),
        ({"who": "bob*"}, [0, 1, 2]),
        ({"since": "36h"}, [0, 1]),
        ({"until": "2d"}, [2, 3, 4]),
        ({"since": "4d", "until": "1d"}, [1, 2, 3]),
        ({"subjects": []}, []),
    ],
)
def test_those_that_are_asked_for(history: list[str], arguments: dict[str, Any], expected: list[int]) -> None:
    assert shown(**arguments) == [ALL[number] for number in expected]


def test_times_of_day(history: list[str]) -> None:
    assert shown(since=history[3]) == ALL[:2]
    assert shown(until=history[0].replace("+00:00", "")) == ALL[4:]


def test_many_nodes_at_once() -> None:
    with store() as opened:
        opened.put_many("node", {f"n{number:04d}": Wish() for number in range(600)})
        opened.put("group", "g", Wish())
    assert ok("event_info", nodes=["all"], limit=1000)["count"] == 600
    assert shown(nodes=["all"], limit=1) == ["node added n0599"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (
            {"since": "yesterday"},
            "invalid",
            "'yesterday' is no time; write one as in 2026-05-01T12:00:00Z, or how long ago",
        ),
        ({"since": "1d", "until": "2d"}, "invalid", "since (1d) is later than until (2d)"),
        ({"limit": 0}, "invalid", "limit 0 is not a number of events; write 1 or more"),
        ({"nodes": ["nobody"]}, "unknown", "nobody"),
        ({"since": "99999999w"}, "invalid", "is no time"),
    ],
)
def test_bad_questions(arguments: dict[str, Any], code: str, sentence: str) -> None:
    make_rack(1)
    if arguments == {"since": "99999999w"}:
        assert ok("event_info", **arguments)["count"] > 0
        return
    failed = refused("event_info", **arguments)
    assert failed["error"]["code"] == code
    assert sentence in failed["msg"]
