# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Action plugins of tasks on BMCs: one run for a batch, whoever asks; and the module where the controller is not meant."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible_collections.stage0.metal.plugins.action.power_info import ActionModule
from ansible_collections.stage0.metal.tests.unit.support import Machine, make_rack

Bmcs = dict[str, Machine]
HOSTS = ["r1n01", "r1n02", "r1n03"]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "ansible-local"
    folder.mkdir()
    monkeypatch.setitem(vars(constants), "DEFAULT_LOCAL_TMP", str(folder))
    make_rack(3)


class Task:
    """One task of a play, run for one host after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **keywords: Any) -> None:
        self.monkeypatch = monkeypatch
        self.keywords = {
            "run_once": False,
            "async_val": 0,
            "_uuid": "u-1",
            "become": False,
            "environment": None,
            **keywords,
        }
        self.warned: list[str] = []
        self.modules: list[dict[str, Any]] = []

    def run(self, host: str, nodes: Any, batch: list[str] | None = None, **more: Any) -> dict[str, Any]:
        """Run it for ``host``."""
        task = SimpleNamespace(
            args={"nodes": nodes, **more},
            check_mode=False,
            diff=False,
            action="stage0.metal.power_info",
            delegate_to=None,
            collections=[],
            **self.keywords,
        )
        connection = SimpleNamespace(transport="local", _shell=SimpleNamespace(tmpdir=None))
        make: Any = ActionModule
        plugin = make(task, connection, SimpleNamespace(), None, None, None)
        display = SimpleNamespace(display=lambda _line: None, warning=self.warned.append)
        self.monkeypatch.setattr(plugin, "_display", display)
        self.monkeypatch.setattr(plugin, "_execute_module", self._module)
        variables = {"inventory_hostname": host, "ansible_play_batch": batch or HOSTS, "ansible_play_hosts_all": HOSTS}
        result: dict[str, Any] = plugin.run(None, variables)
        return result

    def _module(self, **how: Any) -> dict[str, Any]:
        self.modules.append(how)
        return {"changed": False}


def test_the_whole_batch_runs_for_the_first_host(bmcs: Bmcs, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(monkeypatch)
    assert set(task.run("r1n02", HOSTS)["nodes"]) == set(HOSTS)
    for host in ("r1n01", "r1n03"):
        result = task.run(host, HOSTS)
        assert result["skipped"]
        assert not result["changed"]
    why = "the same task has run for all of it with r1n02; say run_once: true and it runs once without this warning"
    assert task.warned == [f"stage0.metal.power_info: {why}"] * 2
    assert bmcs["10.2.1.1"].count("power_state") == 1


def test_a_batch_that_shrank_means_nothing_new(bmcs: Bmcs, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(monkeypatch)
    task.run("r1n01", HOSTS)
    assert task.run("r1n03", ["r1n03"], batch=["r1n03"])["skipped"]


@pytest.mark.parametrize(
    ("host", "nodes", "batch", "more"),
    [
        ("r1n01", HOSTS, None, {}),
        ("r1n02", ["r1n04"], None, {}),
        ("r1n02", HOSTS, None, {"timeout": 5}),
        ("r1n04", HOSTS, ["r1n04"], {}),
    ],
    ids=["the same host again", "other nodes", "other options", "another part of a play with serial"],
)
def test_what_is_another_task(
    bmcs: Bmcs,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    nodes: list[str],
    batch: list[str] | None,
    more: dict[str, Any],
) -> None:
    make_rack(4)
    task = Task(monkeypatch)
    task.run("r1n01", HOSTS)
    assert "skipped" not in task.run(host, nodes, batch, **more)
    assert not task.warned


def test_each_host_for_itself(bmcs: Bmcs, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(monkeypatch)
    for host in HOSTS:
        assert list(task.run(host, [host])["nodes"]) == [host]


def test_run_once_is_no_matter_for_a_guard(bmcs: Bmcs, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(monkeypatch, run_once=True)
    for _turn in range(2):
        assert "skipped" not in task.run("r1n01", HOSTS)
    assert "skipped" not in Task(monkeypatch, run_once=True).run("r1n02", HOSTS)


@pytest.mark.parametrize("keyword", [{"become": True}, {"environment": [{"A": "b"}]}, {"async_val": 60}])
def test_elsewhere_or_in_the_background_the_module_runs(
    bmcs: Bmcs, monkeypatch: pytest.MonkeyPatch, keyword: dict[str, Any]
) -> None:
    task = Task(monkeypatch, **keyword)
    task.run("r1n01", HOSTS)
    assert "skipped" not in task.run("r1n02", HOSTS), "it may be another machine, or another database"
    assert len(task.modules) == 2
    assert not bmcs["10.2.1.1"].calls


def test_a_wrong_option_is_told(bmcs: Bmcs, monkeypatch: pytest.MonkeyPatch) -> None:
    result = Task(monkeypatch).run("r1n01", HOSTS, detail="much")
    assert result["failed"]
    assert result["msg"].startswith("value of detail must be one of: all, changed, failed, none")
