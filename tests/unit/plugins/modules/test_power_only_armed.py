# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module power with only_armed: a node is touched only while it is armed, and its deployment tells of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._deploy.deployments import Deployments
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import PowerAction, PowerState
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.support import (
    Machine,
    begin_installing,
    cannot_write,
    make_profile,
    make_rack,
    ok,
    run_module,
    three_runs,
    warned,
)

Bmcs = dict[str, Machine]
FIRST = "10.2.1.1"


def error(code: ErrorCode) -> MetalError:
    return MetalError(code, f"scripted {code}")


@pytest.fixture
def armed(tmp_path: Path) -> list[str]:
    """Return a rack, of which the first node is armed."""
    rack = make_rack(3)
    make_profile(tmp_path / "media")
    ok("arm", nodes=["r1n01"], profile="lab")
    return rack


def test_only_armed_nodes_are_touched(bmcs: Bmcs, armed: list[str]) -> None:
    result = three_runs_of_armed()
    assert result["nodes"]["r1n01"]["sent"] == "on"
    for name in ("r1n02", "r1n03"):
        assert result["nodes"][name]["changed"] is False
        assert result["nodes"][name]["left_alone"] == "no armed deployment"
    assert not bmcs["10.2.1.2"].calls
    found = ok("deployment_info", nodes=["r1n01"], timeline=True)["nodes"]["r1n01"]
    assert [entry["stage"] for entry in found["timeline"]] == ["armed", "power"]
    assert found["timeline"][1]["detail"] == "on sent to the BMC"


def three_runs_of_armed() -> dict[str, Any]:
    return three_runs("power", nodes=["rack1"], state="on", only_armed=True)


def test_a_failing_bmc_fails_the_deployment_of_an_armed_node(bmcs: Bmcs, armed: list[str]) -> None:
    for address in ("10.2.1.1", "10.2.1.2"):
        bmcs[address].faults = {"power": [error(ErrorCode.AUTH)]}
    failed = run_module("power", nodes=["rack1"], state="on", only_armed=True)
    assert sorted(failed["failed_nodes"]) == ["r1n01"]
    found = ok("deployment_info", nodes=["rack1"])["nodes"]
    assert found["r1n01"]["state"] == "failed"
    assert found["r1n01"]["message"] == "the BMC could not be used: scripted auth"
    assert found["r1n02"] is None


def test_a_result_stands_though_the_deployment_cannot_be_written(
    bmcs: Bmcs, armed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ok("arm", nodes=["r1n02"], profile="lab")
    bmcs[FIRST].faults = {"power": [error(ErrorCode.AUTH)]}
    cannot_write(monkeypatch)
    result, warnings = warned("power", nodes=["rack1"], state="on", only_armed=True)
    assert result["changed"]
    assert result["nodes"]["r1n02"]["sent"] == "on"
    assert result["failed_nodes"]["r1n01"]["code"] == "auth"
    assert warnings == [
        "the deployments of r1n01 could not be said to have failed, so that what is armed stays armed:"
        " the database is locked; disarm what will not install"
    ]


def test_a_failing_bmc_leaves_the_deployment_alone_otherwise(bmcs: Bmcs, armed: list[str]) -> None:
    bmcs[FIRST].faults = {"power": [error(ErrorCode.AUTH)]}
    run_module("power", nodes=["r1n01"], state="on")
    assert ok("deployment_info", nodes=["r1n01"])["nodes"]["r1n01"]["state"] == "armed"


def test_a_node_that_began_to_install_while_the_request_waited_is_left_alone(bmcs: Bmcs, armed: list[str]) -> None:
    bmcs[FIRST] = Machine(PowerState.ON, queued={"power": lambda: begin_installing("r1n01")})
    result = ok("power", nodes=["r1n01"], state="boot", only_armed=True)
    node = result["nodes"]["r1n01"]
    assert (node["changed"], node["sent"], node["left_alone"]) == (False, None, "no armed deployment")
    assert not bmcs[FIRST].count("power")
    assert ok("deployment_info", nodes=["r1n01"])["nodes"]["r1n01"]["state"] == "booting"


def test_without_only_armed_nobody_asks_for_a_deployment(bmcs: Bmcs, armed: list[str]) -> None:
    bmcs[FIRST] = Machine(PowerState.ON, queued={"power": lambda: begin_installing("r1n01")})
    assert ok("power", nodes=["r1n01"], state="boot")["nodes"]["r1n01"]["sent"] == "reset"


def test_power_is_not_cut_once_the_node_began_to_install(bmcs: Bmcs, armed: list[str]) -> None:
    bmcs[FIRST] = Machine(PowerState.ON, deaf={PowerAction.SHUTDOWN})
    bmcs[FIRST].queued = {"power_state": lambda: begin_installing("r1n01")}
    failed = run_module("power", nodes=["r1n01"], state="shutdown", wait_timeout=0, force=True, only_armed=True)
    assert failed["failed_nodes"]["r1n01"]["msg"] == (
        "r1n01: the operating system did not shut down within 0 s; its power was not cut, since the node has no armed"
        " deployment any more"
    )
    assert bmcs[FIRST].state is PowerState.ON


def test_a_timeline_that_cannot_be_written_fails_no_node(
    bmcs: Bmcs, armed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_given: Any) -> None:
        raise error(ErrorCode.DATABASE)

    monkeypatch.setattr(Deployments, "note", locked)
    assert ok("power", nodes=["r1n01"], state="on", only_armed=True)["nodes"]["r1n01"]["sent"] == "on"
    assert bmcs[FIRST].count("power") == 1
