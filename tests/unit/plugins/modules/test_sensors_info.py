# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module sensors_info over a scripted driver: what is listed, and whose health it is."""

from __future__ import annotations

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Capability
from ansible_collections.stage0.metal.plugins.module_utils._drivers.sensing import Health, Readings, Sensor, Thresholds
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.conftest import use_driver
from ansible_collections.stage0.metal.tests.unit.support import (
    Machine,
    ScriptedDriver,
    make_rack,
    ok,
    refused,
    run_module,
)

Bmcs = dict[str, Machine]


def sensor(name: str, kind: str, value: float | None, health: Health, *states: str) -> Sensor:
    limits = Thresholds(upper_critical=42.0) if value is not None else None
    available = health is not Health.UNKNOWN
    return Sensor(name, kind, "Air inlet 1", value, "°C" if value else "", states, limits, health, available)


GOOD = Readings(
    (
        sensor("Inlet Temp", "temperature", 22.0, Health.OK),
        sensor("CPU1 Temp", "temperature", None, Health.UNKNOWN),
        sensor("PSU1", "power_supply", None, Health.OK, "Present"),
    ),
    skipped=2,
    warnings=("1 of 9 sensor data records cannot be read",),
)
BAD = Readings(
    (
        sensor("Inlet Temp", "temperature", 39.0, Health.WARNING, "upper_non_critical"),
        sensor("PSU1", "power_supply", None, Health.CRITICAL, "Present", "Failure"),
    )
)


@pytest.fixture
def rack(bmcs: Bmcs) -> list[str]:
    names = make_rack(3)
    bmcs["10.2.1.1"].readings, bmcs["10.2.1.2"].readings = GOOD, BAD
    return names


def test_everything(rack: list[str]) -> None:
    result = ok("sensors_info", nodes=["rack1"])
    assert result["changed"] is False
    assert result["health"] == {"ok": "r1n01", "warning": "", "critical": "r1n02", "unknown": "r1n03"}
    node = result["nodes"]["r1n01"]
    assert (node["health"], node["skipped"]) == ("ok", 2)
    assert node["warnings"] == ["1 of 9 sensor data records cannot be read"]
    assert node["sensors"][0] == {
        "name": "Inlet Temp",
        "kind": "temperature",
        "place": "Air inlet 1",
        "value": 22.0,
        "unit": "°C",
        "states": [],
        "health": "ok",
        "available": True,
        "thresholds": {"upper_critical": 42.0},
    }
    assert node["sensors"][2]["thresholds"] == {}
    assert "before" not in node


@pytest.mark.parametrize(
    ("options", "listed", "health"),
    [
        ({"kinds": ["temperature"]}, ["Inlet Temp"], "warning"),
        ({"names": ["psu*"]}, ["PSU1"], "critical"),
        ({"names": ["*temp"], "kinds": ["power_supply"]}, [], "unknown"),
        ({"names": ["[p]su?", "inlet*"]}, ["Inlet Temp", "PSU1"], "critical"),
    ],
)
def test_what_is_selected(rack: list[str], options: dict[str, list[str]], listed: list[str], health: str) -> None:
    node = ok("sensors_info", nodes=["r1n02"], **options)["nodes"]["r1n02"]
    assert ([one["name"] for one in node["sensors"]], node["health"]) == (listed, health)


def test_only_what_is_wrong(rack: list[str]) -> None:
    """Sensors that cannot be read now are not wrong: most of a machine that is off cannot."""
    nodes = ok("sensors_info", nodes=["rack1"], unhealthy=True)["nodes"]
    assert [len(node["sensors"]) for node in nodes.values()] == [0, 2, 0]
    assert [node["health"] for node in nodes.values()] == ["ok", "critical", "unknown"]


def test_health_is_told_of_nodes_that_are_not_listed(rack: list[str]) -> None:
    result = ok("sensors_info", nodes=["rack1"], detail="none")
    assert result["nodes"] == {}
    assert result["health"]["critical"] == "r1n02"


def test_node_that_does_not_answer(rack: list[str], bmcs: Bmcs) -> None:
    bmcs["10.2.1.2"].faults["sensors"] = [MetalError(ErrorCode.AUTH, "scripted")]
    result = ok("sensors_info", nodes=["rack1"], max_failed="1")
    assert result["failed_nodes"]["r1n02"]["code"] == "auth"
    assert result["health"] == {"ok": "r1n01", "warning": "", "critical": "", "unknown": "r1n03"}


def test_refused(rack: list[str], bmcs: Bmcs, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = run_module("sensors_info", nodes=["rack1"], kinds=["warmth"])
    assert failed["msg"].startswith("value of kinds must be one or more of: temperature, voltage")
    use_driver(monkeypatch, lambda: ScriptedDriver(bmcs, frozenset({Capability.POWER})))
    assert refused("sensors_info", nodes=["rack1"])["msg"].startswith("r1n01: the driver scripted cannot do sensors")
