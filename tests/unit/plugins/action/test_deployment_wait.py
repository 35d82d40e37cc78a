# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action plugin deployment_wait: on the controller with lines of progress, or through the module elsewhere."""

from __future__ import annotations

import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.action.deployment_wait import ActionModule
from ansible_collections.stage0.metal.plugins.module_utils._deploy.deployments import Deployments
from ansible_collections.stage0.metal.plugins.module_utils._deploy.states import State
from ansible_collections.stage0.metal.plugins.module_utils._operations import deployment
from ansible_collections.stage0.metal.tests.unit.support import make_database, make_profile, make_rack, ok, store


class Action:
    """The plugin with a task and a connection that hold what it looks at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], **more: Any) -> None:
        task = {"args": arguments, "check_mode": False, "diff": False, "become": False, "environment": None, **more}
        task |= {"async_val": 0, "action": "stage0.metal.deployment_wait", "delegate_to": None, "collections": []}
        transport = task.pop("transport", "local")
        connection = SimpleNamespace(transport=transport, _shell=SimpleNamespace(tmpdir=None))
        make: Any = ActionModule
        self.plugin: ActionModule = make(SimpleNamespace(**task), connection, SimpleNamespace(), None, None, None)
        self.shown: list[str] = []
        self.modules: list[dict[str, Any]] = []
        monkeypatch.setattr(self.plugin, "_display", SimpleNamespace(display=self.shown.append))
        monkeypatch.setattr(self.plugin, "_execute_module", self._module)

    def _module(self, **arguments: Any) -> dict[str, Any]:
        self.modules.append(arguments)
        return {"changed": False, "by": "module"}

    def run(self) -> dict[str, Any]:
        """Run the task."""
        return self.plugin.run(None, {})


@pytest.fixture
def armed(tmp_path: Path) -> None:
    make_rack(2)
    make_profile(tmp_path / "media")
    ok("arm", nodes=["rack1"], profile="lab")


def move(node: str, *states: State, **values: Any) -> None:
    with store() as opened:
        deployments = Deployments(opened)
        for state in states:
            deployments.move(deployments.latest([node])[node], state, "by a test", **values)


def test_progress_is_shown_while_it_waits(armed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [
        lambda: move("r1n01", State.BOOTING, State.INSTALLING, percent=40),
        lambda: move("r1n02", State.FAILED, message="no disk found"),
        lambda: None,
        lambda: move("r1n01", State.INSTALLED, State.READY),
    ]
    monkeypatch.setattr(time, "sleep", lambda _seconds: steps.pop(0)())
    action = Action(monkeypatch, {"nodes": ["rack1"], "max_failed": 1})
    result = action.run()
    assert not result.get("failed")
    assert result["states"] == {"ready": 1, "failed": 1}
    assert result["failed_nodes"]["r1n02"]["msg"] == "r1n02: deployment 2 failed: no disk found"
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in action.shown)
    assert [line[9:] for line in action.shown] == [
        "0 of 2 over: 2 armed",
        "0 of 2 over: 1 armed, 1 installing, slowest installer at 40 %",
        "1 of 2 over: 1 installing, 1 failed, slowest installer at 40 %",
        "r1n02: failed: no disk found",
        "2 of 2 over: 1 ready, 1 failed",
    ]
    assert action.modules == []


def test_a_line_comes_now_and_then_though_nothing_happens(armed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    clock = SimpleNamespace(monotonic=lambda: now[0], time=time.time, sleep=sleep)
    monkeypatch.setattr(deployment, "time", clock)
    action = Action(monkeypatch, {"nodes": ["rack1"], "timeout": 100, "poll": 10})
    result = action.run()
    assert result["failed"] is True
    assert [line[9:] for line in action.shown] == ["0 of 2 over: 2 armed"] * 3
    assert result["failed_nodes"]["r1n01"]["code"] == "timeout"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "missing required arguments: nodes"),
        ({"nodes": ["a"], "patience": 1}, "patience. Supported parameters include:"),
        ({"nodes": ["a"], "timeout": "soon"}, "argument 'timeout' is of type"),
        ({"nodes": ["a"], "detail": "much"}, "value of detail must be one of: all, changed, failed, none, got: much"),
    ],
)
def test_wrong_arguments(monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], says: str) -> None:
    result = Action(monkeypatch, arguments).run()
    assert result["failed"] is True
    assert says in result["msg"]


def test_bad_input_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    make_database()
    result = Action(monkeypatch, {"nodes": "r9"}).run()
    assert (result["failed"], result["changed"]) == (True, False)
    assert result["msg"] == "noderange 'r9': there is no node or group named 'r9'"
    assert result["error"] == {"code": "unknown", "node": None, "retryable": False}


def test_check_mode_does_not_wait(armed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    result = Action(monkeypatch, {"nodes": ["rack1"]}, check_mode=True).run()
    assert result["nodes"]["r1n01"]["state"] == "armed"


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"transport": "ssh"},
        {"become": True},
        {"environment": [{"STAGE0_HOME": "/elsewhere"}]},
    ],
)
def test_elsewhere_the_module_runs(monkeypatch: pytest.MonkeyPatch, elsewhere: dict[str, Any]) -> None:
    action = Action(monkeypatch, {"nodes": ["rack1"]}, **elsewhere)
    assert action.run()["by"] == "module"
    assert action.modules == [{"task_vars": {}, "wrap_async": False}]
    assert action.shown == []


@pytest.mark.parametrize("environment", [None, [], [{}], [{}, {}]])
def test_an_empty_environment_is_none(armed: None, monkeypatch: pytest.MonkeyPatch, environment: Any) -> None:
    action = Action(monkeypatch, {"nodes": ["rack1"]}, environment=environment, check_mode=True)
    assert "by" not in action.run()
