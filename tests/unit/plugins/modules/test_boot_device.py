# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The modules boot_device and boot_device_info over a scripted driver."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import BootDevice, BootMode, BootOverride
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.support import (
    Machine,
    begin_installing,
    make_profile,
    make_rack,
    ok,
    refused,
    run_module,
    three_runs,
)

Bmcs = dict[str, Machine]
FIRST = "10.2.1.1"
NONE = {"device": "none", "persistent": False, "mode": None}


@pytest.fixture
def rack() -> list[str]:
    return make_rack(2)


def shown(device: str, persistent: bool = False, mode: str = "uefi") -> dict[str, Any]:
    return {"device": device, "persistent": persistent, "mode": mode}


def test_set_verified_and_told(bmcs: Bmcs, rack: list[str]) -> None:
    real = three_runs("boot_device", nodes=["rack1"], device="network")
    assert real["nodes"]["r1n01"]["before"] == NONE
    assert real["nodes"]["r1n01"]["after"] == shown("network")
    assert bmcs[FIRST].override == BootOverride(BootDevice.NETWORK, False, BootMode.UEFI)
    assert bmcs[FIRST].count("set_boot_override") == 1
    info = ok("boot_device_info", nodes=["rack1"])
    assert {key: info["nodes"]["r1n01"][key] for key in NONE} == shown("network")
    three_runs("boot_device", nodes=["rack1"], device="none")
    assert {key: ok("boot_device_info", nodes=["rack1"])["nodes"]["r1n01"][key] for key in NONE} == NONE


@pytest.mark.parametrize("device", ["network", "disk", "cd", "setup"])
@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("mode", ["uefi", "legacy"])
def test_every_device_in_either_mode(bmcs: Bmcs, rack: list[str], device: str, persistent: bool, mode: str) -> None:
    arguments = {"device": device, "persistent": persistent, "mode": mode}
    real = three_runs("boot_device", nodes=["r1n01"], **arguments)
    assert real["nodes"]["r1n01"]["after"] == arguments
    assert bmcs[FIRST].override == BootOverride(BootDevice(device), persistent, BootMode(mode))


def test_the_mode_follows_the_firmware(bmcs: Bmcs, rack: list[str]) -> None:
    ok("node", name="r1n01", attributes={"boot.firmware": "bios"})
    result = ok("boot_device", nodes=["rack1"], device="network")
    assert result["nodes"]["r1n01"]["after"]["mode"] == "legacy"
    assert result["nodes"]["r1n02"]["after"]["mode"] == "uefi"


def test_without_a_firmware_the_mode_has_to_be_named(bmcs: Bmcs, rack: list[str]) -> None:
    ok("node", name="r1n02", attributes={"boot.firmware": None})
    failed = refused("boot_device", nodes=["rack1"], device="network")
    assert failed["msg"] == "r1n02: attribute boot.firmware is not set, but the task names no mode either"
    assert not bmcs[FIRST].calls
    ok("boot_device", nodes=["rack1"], device="network", mode="uefi")
    ok("boot_device", nodes=["rack1"], device="none")


def test_an_override_that_is_not_marked_valid_is_none(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].override = BootOverride(BootDevice.NETWORK, True, BootMode.UEFI, marked=False)
    found = ok("boot_device_info", nodes=["r1n01"])["nodes"]["r1n01"]
    assert {key: found[key] for key in NONE} == NONE
    assert ok("boot_device", nodes=["r1n01"], device="network", persistent=True)["changed"] is True


def test_a_bmc_that_reads_back_another_device(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].reads_back = lambda wish: replace(wish, device=BootDevice.DISK)
    failed = run_module("boot_device", nodes=["r1n01"], device="cd")
    sentence = "r1n01: the BMC took the boot device cd, but reads back disk; it may not support it"
    assert failed["failed_nodes"]["r1n01"] == {"code": "not_reached", "msg": sentence, "retryable": False}


def test_a_bmc_that_cannot_keep_it(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].reads_back = lambda wish: replace(wish, persistent=False)
    failed = run_module("boot_device", nodes=["r1n01"], device="disk", persistent=True)
    sentence = "r1n01: the BMC took the boot device disk, but only for one boot; it cannot keep it persistent"
    assert failed["failed_nodes"]["r1n01"] == {"code": "unsupported", "msg": sentence, "retryable": False}


def test_a_bmc_that_drops_the_valid_or_uefi_bit_boots_as_told(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].reads_back = lambda wish: replace(wish, marked=False, mode=BootMode.LEGACY)
    assert ok("boot_device", nodes=["r1n01"], device="network")["changed"] is True


def test_setting_is_tried_again_and_a_wrong_password_is_not(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].faults = {"set_boot_override": [MetalError(ErrorCode.TIMEOUT, "lost")]}
    bmcs["10.2.1.2"].faults = {"boot_override": [MetalError(ErrorCode.AUTH, "no"), MetalError(ErrorCode.AUTH, "no")]}
    result = run_module("boot_device", nodes=["rack1"], device="network")
    assert result["nodes"]["r1n01"]["tries"] == 2
    assert result["failed_nodes"]["r1n02"]["msg"] == "r1n02: no"
    assert bmcs["10.2.1.2"].count("boot_override") == 1


def test_only_armed_nodes_are_touched_and_their_timeline_tells(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    make_profile(tmp_path / "media")
    ok("arm", nodes=["r1n01"], profile="lab")
    real = three_runs("boot_device", nodes=["rack1"], device="network", only_armed=True)
    assert real["nodes"]["r1n02"]["left_alone"] == "no armed deployment"
    assert not bmcs["10.2.1.2"].calls
    found = ok("deployment_info", nodes=["r1n01"], timeline=True)["nodes"]["r1n01"]
    assert [(entry["stage"], entry["detail"]) for entry in found["timeline"]][1:] == [("boot device", "network once")]


def test_a_node_that_began_to_install_while_the_request_waited_is_left_alone(
    bmcs: Bmcs, rack: list[str], tmp_path: Path
) -> None:
    make_profile(tmp_path / "media")
    ok("arm", nodes=["r1n01"], profile="lab")
    bmcs[FIRST].queued = {"set_boot_override": lambda: begin_installing("r1n01")}
    node = ok("boot_device", nodes=["r1n01"], device="network", only_armed=True)["nodes"]["r1n01"]
    assert (node["changed"], node["left_alone"]) == (False, "no armed deployment")
    assert [call[0] for call in bmcs[FIRST].calls] == ["boot_override"]
    assert bmcs[FIRST].override.device is BootDevice.NONE


def test_a_failing_bmc_fails_the_deployment_of_an_armed_node(bmcs: Bmcs, rack: list[str], tmp_path: Path) -> None:
    make_profile(tmp_path / "media")
    ok("arm", nodes=["rack1"], profile="lab")
    bmcs[FIRST].faults = {"boot_override": [MetalError(ErrorCode.AUTH, "no")]}
    run_module("boot_device", nodes=["rack1"], device="network", only_armed=True)
    found = ok("deployment_info", nodes=["rack1"])
    assert found["states"] == {"failed": 1, "armed": 1}
    assert found["nodes"]["r1n01"]["message"] == "the BMC could not be used: no"


def test_info_of_a_dead_bmc_and_of_an_unknown_node(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].faults = {"boot_override": [MetalError(ErrorCode.AUTH, "no")]}
    failed = run_module("boot_device_info", nodes=["rack1"])
    assert failed["failed_nodes"] == {"r1n01": {"code": "auth", "msg": "r1n01: no", "retryable": False}}
    assert list(failed["nodes"]) == ["r1n02"]
    assert refused("boot_device_info", nodes=["r9"])["error"]["code"] == "unknown"
