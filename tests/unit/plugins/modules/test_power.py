# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The modules power and power_info over a scripted driver: states, faults, bounds, and the shape of results."""

from __future__ import annotations

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Capability, PowerAction, PowerState
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.conftest import use_driver
from ansible_collections.stage0.metal.tests.unit.support import (
    PASSWORD,
    Machine,
    ScriptedDriver,
    make_rack,
    ok,
    refused,
    run_module,
    store,
    three_runs,
)

Bmcs = dict[str, Machine]
FIRST = "10.2.1.1"


def error(code: ErrorCode) -> MetalError:
    return MetalError(code, f"scripted {code}")


@pytest.fixture
def rack() -> list[str]:
    return make_rack(3)


def test_on_over_many_nodes(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs["10.2.1.2"].state = PowerState.ON
    real = three_runs("power", nodes=["rack1"], state="on")
    assert list(real["nodes"]) == rack
    node = real["nodes"]["r1n01"]
    assert {key: node[key] for key in ("changed", "before", "after", "sent", "forced", "tries", "identity")} == {
        "changed": True,
        "before": {"power": "off"},
        "after": {"power": "on"},
        "sent": "on",
        "forced": False,
        "tries": 1,
        "identity": {
            "name": "r1n01",
            "serial": None,
            "uuid": "11112222-3333-4444-5555-666600000001",
            "mac": "52:54:00:01:00:01",
        },
    }
    assert isinstance(node["seconds"], float)
    assert real["nodes"]["r1n02"]["changed"] is False
    assert real["nodes"]["r1n02"]["sent"] is None
    summary = {key: value for key, value in real["summary"].items() if key != "seconds"}
    ranges = {"ok_range": "r1n[01-03]", "failed_range": ""}
    assert summary == {"total": 3, "changed": 2, "unchanged": 1, "failed": 0, **ranges}
    assert real["failed_nodes"] == {}
    assert all(machine.state is PowerState.ON for address, machine in bmcs.items() if address < "10.2.1.4")


def test_check_mode_sends_nothing(bmcs: Bmcs, rack: list[str]) -> None:
    ok("power", nodes=rack, state="reset", check=True)
    assert {call[0] for machine in bmcs.values() for call in machine.calls} == {"power_state"}


@pytest.mark.parametrize(
    ("state", "before", "sent", "after"),
    [
        ("on", "off", "on", {"power": "on"}),
        ("on", "on", None, {"power": "on"}),
        ("off", "on", "off", {"power": "off"}),
        ("off", "off", None, {"power": "off"}),
        ("shutdown", "on", "shutdown", {"power": "off"}),
        ("shutdown", "off", None, {"power": "off"}),
        ("reset", "on", "reset", {"power": "on", "by": "reset"}),
        ("reset", "off", "on", {"power": "on"}),
        ("cycle", "on", "cycle", {"power": "on", "by": "cycle"}),
        ("cycle", "off", "on", {"power": "on"}),
        ("boot", "on", "reset", {"power": "on", "by": "reset"}),
        ("boot", "off", "on", {"power": "on"}),
    ],
)
def test_every_state_from_either_side(
    bmcs: Bmcs, rack: list[str], state: str, before: str, sent: str | None, after: dict[str, str]
) -> None:
    bmcs[FIRST].state = PowerState(before)
    check = ok("power", nodes=["r1n01"], state=state, check=True, diff=True)
    real = ok("power", nodes=["r1n01"], state=state, diff=True)
    assert check["changed"] is real["changed"] is (sent is not None)
    assert check["diff"] == real["diff"]
    node = real["nodes"]["r1n01"]
    assert (node["sent"], node["before"], node["after"]) == (sent, {"power": before}, after)
    assert bmcs[FIRST].state == after["power"]


def test_the_task_waits_until_the_machine_is_in_the_state(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].looks = 3
    ok("power", nodes=["r1n01"], state="on")
    assert bmcs[FIRST].count("power_state") == 4
    assert bmcs[FIRST].count("power") == 1


def test_without_wait_nobody_looks(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].deaf = {PowerAction.ON}
    ok("power", nodes=["r1n01"], state="on", wait=False)
    assert [call[0] for call in bmcs[FIRST].calls] == ["power"]


def test_what_was_seen_is_remembered_and_no_more(bmcs: Bmcs, rack: list[str]) -> None:
    ok("power", nodes=rack, state="on", check=True)
    ok("power", nodes=rack[:1], state="on", wait=False)
    with store() as opened:
        assert opened.observed("power") == {}
    ok("power", nodes=rack, state="on")
    ok("power", nodes=rack[1:], state="off")
    with store() as opened:
        seen = opened.observed("power")
    assert {name: power for name, (power, _at) in seen.items()} == {rack[0]: "on", **dict.fromkeys(rack[1:], "off")}


def test_a_state_that_is_not_reached(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].deaf = {PowerAction.ON}
    failed = run_module("power", nodes=["rack1"], state="on", wait_timeout=0)
    sentence = "r1n01: the BMC took the command, but the machine is not on after 0 s; look at its event log"
    expected = {"code": "not_reached", "msg": sentence, "retryable": False, "sent": "on"}
    assert failed["failed_nodes"] == {"r1n01": expected}
    assert failed["msg"] == f"1 of 3 nodes failed, r1n01: {sentence}"
    assert failed["changed"] is True
    assert sorted(failed["nodes"]) == ["r1n02", "r1n03"]


def test_busy_while_waiting_is_asked_again(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].faults = {"power_state": [error(ErrorCode.BUSY), error(ErrorCode.TIMEOUT)]}
    ok("power", nodes=["r1n01"], state="on")
    assert bmcs[FIRST].count("power_state") == 3


def test_a_refusal_while_waiting_ends_the_wait(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].faults = {"power_state": [error(ErrorCode.AUTH)]}
    failed = run_module("power", nodes=["r1n01"], state="on")
    sentence = "r1n01: on was sent, but then: scripted auth"
    assert failed["failed_nodes"]["r1n01"] == {"code": "auth", "msg": sentence, "retryable": False, "sent": "on"}
    assert bmcs[FIRST].count("power") == 1


def test_shutdown_that_the_system_ignores(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST] = Machine(PowerState.ON, deaf={PowerAction.SHUTDOWN})
    failed = run_module("power", nodes=["r1n01"], state="shutdown", wait_timeout=0)
    assert failed["failed_nodes"]["r1n01"]["msg"] == (
        "r1n01: the operating system did not shut down within 0 s; wait longer, or say force: true to cut its power then"
    )
    assert bmcs[FIRST].state is PowerState.ON
    forced = ok("power", nodes=["r1n01"], state="shutdown", wait_timeout=0, force=True)
    assert forced["nodes"]["r1n01"]["forced"] is True
    assert forced["nodes"]["r1n01"]["sent"] == "shutdown"
    assert [call for call in bmcs[FIRST].calls if call[0] == "power"][-1] == ("power", PowerAction.OFF)
    assert bmcs[FIRST].state is PowerState.OFF


def test_a_machine_that_stays_on_whatever_is_done(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST] = Machine(PowerState.ON, deaf={PowerAction.SHUTDOWN, PowerAction.OFF})
    failed = run_module("power", nodes=["r1n01"], state="shutdown", wait_timeout=0, force=True)
    said = failed["failed_nodes"]["r1n01"]
    assert said["code"] == "not_reached"
    assert said["msg"] == "r1n01: the machine is still on 0 s after its power was cut by the BMC"


def test_a_wrong_password_is_never_tried_again(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].faults = {"power": [error(ErrorCode.AUTH), error(ErrorCode.AUTH)]}
    failed = run_module("power", nodes=["rack1"], state="on")
    assert bmcs[FIRST].count("power") == 1
    expected = {"code": "auth", "msg": "r1n01: scripted auth", "retryable": False}
    assert failed["failed_nodes"] == {"r1n01": expected}
    assert PASSWORD not in repr(failed)


@pytest.mark.parametrize("code", [ErrorCode.TIMEOUT, ErrorCode.UNREACHABLE, ErrorCode.BUSY])
def test_on_is_tried_three_times(bmcs: Bmcs, rack: list[str], code: ErrorCode) -> None:
    bmcs[FIRST].faults = {"power": [error(code), error(code)]}
    assert ok("power", nodes=["r1n01"], state="on")["nodes"]["r1n01"]["tries"] == 3
    bmcs[FIRST] = Machine(faults={"power": [error(code) for _try in range(4)]})
    failed = run_module("power", nodes=["r1n01"], state="on")
    assert bmcs[FIRST].count("power") == 3
    sentence = f"r1n01: scripted {code} (3 tries)"
    assert failed["failed_nodes"] == {"r1n01": {"code": code, "msg": sentence, "retryable": True}}


@pytest.mark.parametrize("state", ["reset", "cycle", "boot"])
def test_a_reset_whose_answer_was_lost_is_not_sent_again(bmcs: Bmcs, rack: list[str], state: str) -> None:
    bmcs[FIRST] = Machine(PowerState.ON, unanswered=[error(ErrorCode.TIMEOUT)])
    failed = run_module("power", nodes=["r1n01"], state=state)
    assert bmcs[FIRST].count("power") == 1
    assert failed["failed_nodes"]["r1n01"]["code"] == "not_reached"
    bmcs[FIRST] = Machine(PowerState.ON, faults={"power": [error(ErrorCode.BUSY)]})
    assert ok("power", nodes=["r1n01"], state=state)["nodes"]["r1n01"]["tries"] == 2


ADVICE = "find out with power_info what state the machine is in before you send it again"


@pytest.mark.parametrize("code", [ErrorCode.TIMEOUT, ErrorCode.UNREACHABLE, ErrorCode.BUSY])
@pytest.mark.parametrize("state", ["reset", "cycle", "boot", "off"])
def test_what_was_sent_is_not_sent_again_if_the_bmc_falls_silent(
    bmcs: Bmcs, rack: list[str], state: str, code: ErrorCode
) -> None:
    bmcs[FIRST] = Machine(PowerState.ON, faults={"power_state": [error(code) for _look in range(9)]})
    failed = run_module("power", nodes=["r1n01"], state=state, wait_timeout=0)
    sent = "reset" if state == "boot" else state
    sentence = f"r1n01: {sent} was sent, but then the BMC stopped answering: scripted {code}; {ADVICE}"
    expected = {"code": "not_reached", "msg": sentence, "retryable": False, "sent": sent}
    assert failed["failed_nodes"] == {"r1n01": expected}
    assert failed["changed"] is True
    assert failed["summary"]["changed"] == 0
    assert bmcs[FIRST].count("power") == 1


def test_what_was_sent_is_told_if_the_deadline_comes_while_waiting(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST] = Machine(PowerState.ON, hangs={"power_state"})
    failed = run_module("power", nodes=["r1n01"], state="reset", deadline=0.2)
    sentence = f"r1n01: reset was sent, but the task's deadline came before the machine was in its state; {ADVICE}"
    expected = {"code": "not_reached", "msg": sentence, "retryable": False, "sent": "reset"}
    assert failed["failed_nodes"] == {"r1n01": expected}


def test_a_shutdown_whose_forced_end_fails_is_not_begun_again(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST] = Machine(PowerState.ON, deaf={PowerAction.SHUTDOWN})

    def fail_next() -> None:
        if bmcs[FIRST].count("power"):
            bmcs[FIRST].faults = {"power": [error(ErrorCode.TIMEOUT)]}

    bmcs[FIRST].queued = {"power": fail_next}
    failed = run_module("power", nodes=["r1n01"], state="shutdown", wait_timeout=0, force=True)
    found = failed["failed_nodes"]["r1n01"]
    assert (found["code"], found["sent"]) == ("not_reached", "shutdown")
    assert bmcs[FIRST].count("power") == 2


def test_the_deadline_holds_whatever_the_bmcs_do(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].hangs = {"power"}
    failed = run_module("power", nodes=["rack1"], state="on", deadline=0.2)
    sentence = "r1n01: not finished when the task's deadline of 0 s came"
    assert failed["failed_nodes"]["r1n01"] == {"code": "timeout", "msg": sentence, "retryable": True}
    assert sorted(failed["nodes"]) == ["r1n02", "r1n03"]


def test_a_defect_costs_one_node_and_not_the_others(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].faults = {"power": [KeyError("x")]}
    failed = run_module("power", nodes=["rack1"], state="on")
    sentence = "r1n01: a defect in stage0.metal, please report it: KeyError: 'x'"
    assert failed["failed_nodes"] == {"r1n01": {"code": "internal", "msg": sentence, "retryable": False}}


@pytest.mark.parametrize(
    ("max_failed", "fails"), [("0", True), ("1", True), ("2", False), ("66%", True), ("67%", False), ("100%", False)]
)
def test_max_failed_is_a_count_or_a_percentage(bmcs: Bmcs, rack: list[str], max_failed: str, fails: bool) -> None:
    for address in ("10.2.1.1", "10.2.1.3"):
        bmcs[address].faults = {"power": [error(ErrorCode.AUTH)]}
    result = run_module("power", nodes=["rack1"], state="on", max_failed=max_failed)
    assert bool(result.get("failed")) is fails
    assert sorted(result["failed_nodes"]) == ["r1n01", "r1n03"]
    assert result["summary"]["failed_range"] == "r1n[01,03]"


@pytest.mark.parametrize("wrong", ["some", "-1", "101%", "", "1.5"])
def test_a_wrong_max_failed_is_refused_before_anything_is_touched(bmcs: Bmcs, rack: list[str], wrong: str) -> None:
    failed = refused("power", nodes=["rack1"], state="on", max_failed=wrong)
    assert failed["msg"] == f"max_failed: {wrong!r} is neither a count such as 3 nor a percentage such as 2%"
    assert not any(machine.calls for machine in bmcs.values())


def test_max_nodes_refuses_a_range_larger_than_meant(bmcs: Bmcs, rack: list[str]) -> None:
    failed = refused("power", nodes=["rack1"], state="on", max_nodes=2)
    assert failed["msg"] == "the task means 3 nodes, more than its max_nodes 2"
    assert not any(machine.calls for machine in bmcs.values())
    ok("power", nodes=["rack1"], state="on", max_nodes=3)


@pytest.mark.parametrize(
    ("detail", "listed"), [("all", ["r1n02", "r1n03"]), ("changed", ["r1n03"]), ("failed", []), ("none", [])]
)
def test_detail_bounds_the_result(bmcs: Bmcs, rack: list[str], detail: str, listed: list[str]) -> None:
    bmcs[FIRST].faults = {"power": [error(ErrorCode.AUTH)]}
    bmcs["10.2.1.2"].state = PowerState.ON
    result = ok("power", nodes=["rack1"], state="on", detail=detail, max_failed="1")
    assert sorted(result["nodes"]) == listed
    assert sorted(result["failed_nodes"]) == ["r1n01"]
    assert (result["summary"]["changed"], result["summary"]["unchanged"]) == (1, 1)


@pytest.mark.parametrize("attribute", ["bmc.address", "bmc.user", "bmc.password", "bmc.port", "bmc.driver"])
def test_a_missing_attribute_is_told_before_any_bmc_is_touched(bmcs: Bmcs, rack: list[str], attribute: str) -> None:
    ok("node", name="r1n02", attributes={attribute: None})
    failed = refused("power", nodes=["rack1"], state="on")
    sentence = f"r1n02: attribute {attribute} is not set, but the task has to reach the node's BMC"
    assert (failed["msg"], failed["error"]["code"]) == (sentence, "missing")
    assert not any(machine.calls for machine in bmcs.values())


def test_what_a_driver_cannot_do_is_refused_in_check_mode(monkeypatch: pytest.MonkeyPatch, rack: list[str]) -> None:
    driver = ScriptedDriver({}, frozenset({Capability.BOOT_DEVICE}))
    use_driver(monkeypatch, lambda: driver)
    failed = refused("power", nodes=["rack1"], state="on", check=True)
    assert failed["msg"] == "r1n01: the driver scripted cannot do power; see docs/reference/drivers.md"
    assert failed["error"]["code"] == "unsupported"
    assert not driver.targets


def test_driver_gets_address_user_and_password_and_is_closed(monkeypatch: pytest.MonkeyPatch, rack: list[str]) -> None:
    driver = ScriptedDriver({FIRST: Machine()})
    use_driver(monkeypatch, lambda: driver)
    ok("node", name="r1n01", attributes={"bmc.port": 6230})
    ok("power_info", nodes=["r1n01"])
    target = driver.targets[0]
    assert (target.address, target.port, target.user, target.password) == (FIRST, 6230, "admin", PASSWORD)
    assert PASSWORD not in repr(target)
    assert driver.closed == 1


def test_failure_message_names_three_and_counts_the_rest(bmcs: Bmcs) -> None:
    make_rack(5)
    for address in sorted(bmcs):
        bmcs[address].faults = {"power": [error(ErrorCode.AUTH)]}
    failed = run_module("power", nodes=["all"], state="on")
    said = "; ".join(f"r1n0{number}: scripted auth" for number in (1, 2, 3))
    assert failed["msg"] == f"5 of 5 nodes failed, r1n[01-05]: {said} (and 2 more; see failed_nodes)"


def test_power_info(bmcs: Bmcs, rack: list[str]) -> None:
    bmcs[FIRST].state = PowerState.ON
    bmcs["10.2.1.3"].faults = {"power_state": [error(ErrorCode.AUTH)]}
    result = ok("power_info", nodes=["rack1"], max_failed="1")
    assert result["changed"] is False
    assert {name: node["power"] for name, node in result["nodes"].items()} == {"r1n01": "on", "r1n02": "off"}
    assert result["failed_nodes"]["r1n03"]["code"] == "auth"
    assert "before" not in result["nodes"]["r1n01"]
    assert "diff" not in result
    assert refused("power_info", nodes=["r9"])["msg"] == "noderange 'r9': there is no node or group named 'r9'"
