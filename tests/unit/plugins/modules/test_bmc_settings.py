# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The modules identify, bmc_reset and bmc_network, and power's stagger and nmi, over a scripted driver."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import (
    Capability,
    Lamp,
    PowerAction,
    PowerState,
    ResetKind,
)
from ansible_collections.stage0.metal.plugins.module_utils._drivers.managing import AddressSource, BmcNetwork
from ansible_collections.stage0.metal.plugins.module_utils._fleet import stagger
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._operations import bmc_network, bmc_reset, hardware
from ansible_collections.stage0.metal.tests.unit.conftest import use_driver
from ansible_collections.stage0.metal.tests.unit.support import (
    PASSWORD,
    Machine,
    ScriptedDriver,
    cannot_write,
    make_rack,
    ok,
    refused,
    run_module,
    store,
    three_runs,
    warned,
)

Bmcs = dict[str, Machine]
FIRST = "10.2.1.1"


@pytest.fixture(autouse=True)
def rack(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(bmc_network, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(bmc_reset, "AWAY_PAUSE", 0.0)
    monkeypatch.setattr(bmc_reset, "BACK_PAUSE", 0.0)
    return make_rack(3)


def failed(module: str, **arguments: Any) -> dict[str, Any]:
    """Run a module of which nodes fail; returns failed_nodes."""
    result = run_module(module, **arguments)
    assert result["failed"]
    found: dict[str, Any] = result["failed_nodes"]
    return found


def test_identify(bmcs: Bmcs) -> None:
    bmcs["10.2.1.2"].lamp = Lamp.ON
    real = three_runs("identify", nodes=["rack1"])
    assert real["nodes"]["r1n01"]["before"] == {"lamp": "off"}
    assert real["nodes"]["r1n01"]["after"] == {"lamp": "on"}
    assert real["nodes"]["r1n02"]["changed"] is False
    three_runs("identify", nodes=["rack1"], state="off")
    assert ("identify", 0) in bmcs[FIRST].calls


def test_identify_for_a_time_acts_each_time(bmcs: Bmcs) -> None:
    for _turn in range(2):
        assert ok("identify", nodes=["r1n01"], duration=60)["nodes"]["r1n01"]["after"] == {"lamp": "on", "seconds": 60}
    assert bmcs[FIRST].calls.count(("identify", 60)) == 2


def test_identify_where_the_bmc_does_not_tell(bmcs: Bmcs) -> None:
    bmcs[FIRST].lamp = Lamp.UNKNOWN
    assert ok("identify", nodes=["r1n01"])["nodes"]["r1n01"]["before"] == {"lamp": "unknown"}


def test_a_lamp_that_goes_out_by_itself_is_lit_for_good(bmcs: Bmcs) -> None:
    ok("identify", nodes=["r1n01"], duration=60)
    real = three_runs("identify", nodes=["r1n01"])
    assert real["nodes"]["r1n01"]["before"] == {"lamp": "timed"}
    assert bmcs[FIRST].lamp is Lamp.ON


def test_a_lamp_that_cannot_be_reached(bmcs: Bmcs) -> None:
    bmcs[FIRST].faults["identify"] = [MetalError(ErrorCode.UNSUPPORTED, "the BMC does not know this command")]
    found = failed("identify", nodes=["rack1"])
    assert found == {
        "r1n01": {
            "code": "unsupported",
            "msg": "r1n01: the BMC does not know this command",
            "retryable": False,
        }
    }


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"duration": 300}, "duration: 300 s cannot be; write 1 to 255, or leave it out"),
        ({"duration": 0}, "duration: 0 s cannot be; write 1 to 255, or leave it out"),
        ({"duration": 9, "state": "off"}, "duration says how long the lamp is lit; leave it out with state: off"),
    ],
)
def test_identify_refuses(bmcs: Bmcs, given: dict[str, Any], says: str) -> None:
    assert refused("identify", nodes=["rack1"], **given)["msg"] == says
    assert not bmcs[FIRST].calls


def test_bmc_reset(bmcs: Bmcs) -> None:
    check = ok("bmc_reset", nodes=["rack1"], check=True, diff=True)
    assert not bmcs[FIRST].count("reset_bmc")
    real = ok("bmc_reset", nodes=["rack1"], diff=True)
    assert (
        check["diff"]
        == real["diff"]
        == {
            "before": {name: {"bmc": "running"} for name in ("r1n01", "r1n02", "r1n03")},
            "after": {name: {"bmc": "cold reset"} for name in ("r1n01", "r1n02", "r1n03")},
        }
    )
    assert ("reset_bmc", ResetKind.COLD) in bmcs[FIRST].calls
    ok("bmc_reset", nodes=["r1n01"], kind="warm", wait=False)
    assert bmcs[FIRST].calls[-1] == ("reset_bmc", ResetKind.WARM)


def test_a_reset_without_an_answer_is_a_reset(bmcs: Bmcs) -> None:
    bmcs[FIRST].unanswered = [MetalError(ErrorCode.TIMEOUT, "stopped answering")]
    bmcs[FIRST].faults["power_state"] = [MetalError(ErrorCode.UNREACHABLE, "no answer")] * 3
    node = ok("bmc_reset", nodes=["r1n01"])["nodes"]["r1n01"]
    assert node["changed"]
    assert node["seen_away"] is True
    assert bmcs[FIRST].count("reset_bmc") == 1
    assert ok("bmc_reset", nodes=["r1n01"])["nodes"]["r1n01"]["seen_away"] is False
    assert ok("bmc_reset", nodes=["r1n01"], wait=False)["nodes"]["r1n01"]["seen_away"] is None


def test_a_reset_that_was_never_sent_is_none(bmcs: Bmcs) -> None:
    bmcs[FIRST].faults["reset_bmc"] = [MetalError(ErrorCode.TIMEOUT, "no answer within 2 s")] * 3
    found = failed("bmc_reset", nodes=["r1n01"], wait=False)
    assert found["r1n01"]["msg"] == "r1n01: no answer within 2 s (3 tries)"


def test_a_bmc_that_does_not_come_back(bmcs: Bmcs) -> None:
    bmcs[FIRST].faults["power_state"] = [MetalError(ErrorCode.UNREACHABLE, "no answer")] * 2
    found = failed("bmc_reset", nodes=["r1n01"], wait_timeout=0)
    assert found["r1n01"]["code"] == "not_reached"
    assert found["r1n01"]["sent"] == "reset"
    assert found["r1n01"]["msg"] == ("r1n01: the reset was sent, but the BMC does not let us in after 0 s: no answer")


def test_bmc_network_reads(bmcs: Bmcs) -> None:
    result = ok("bmc_network", nodes=["r1n01"])
    assert not result["changed"]
    assert result["nodes"]["r1n01"]["after"] == {
        "source": "static",
        "address": "10.2.1.1",
        "netmask": "255.255.0.0",
        "gateway": "10.2.0.1",
        "vlan": None,
    }
    assert result["nodes"]["r1n01"]["mac"] == "56:54:00:00:00:01"


def test_bmc_network_is_proved_where_the_bmc_is_then(bmcs: Bmcs) -> None:
    given: dict[str, Any] = {"nodes": ["r1n01"], "address": "10.2.9.{n2}", "vlan": 12}
    check = ok("bmc_network", check=True, diff=True, **given)
    assert not bmcs[FIRST].count("set_network")
    real = ok("bmc_network", diff=True, **given)
    assert check["diff"] == real["diff"]
    assert real["nodes"]["r1n01"]["after"]["address"] == "10.2.9.1"
    with store() as opened:
        assert opened.views(["r1n01"])["r1n01"]["bmc.address"] == "10.2.9.1"
    assert not ok("bmc_network", **given)["changed"]


def test_where_a_bmc_went_is_told_though_the_database_cannot_be_written(
    bmcs: Bmcs, monkeypatch: pytest.MonkeyPatch
) -> None:
    cannot_write(monkeypatch)
    result, warnings = warned("bmc_network", nodes=["r1n01", "r1n02"], address="10.2.9.{n2}")
    assert result["changed"]
    assert result["nodes"]["r1n02"]["after"]["address"] == "10.2.9.2"
    assert warnings == [
        "BMCs have moved, but their bmc.address could not be written; they are now at: r1n01 10.2.9.1, r1n02 10.2.9.2:"
        " the database is locked; set bmc.address of these nodes to it"
    ]
    assert sorted(bmcs)[-2:] == ["10.2.9.1", "10.2.9.2"]


def test_where_a_bmc_went_is_kept_if_a_signal_ends_the_task(bmcs: Bmcs, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(*_given: Any, **more: Any) -> dict[str, Any]:
        hardware.run(*_given, **more)
        raise MetalError(ErrorCode.SKIPPED, "ended by a signal")

    monkeypatch.setattr(bmc_network, "run", ended)
    assert run_module("bmc_network", nodes=["r1n01"], address="10.2.9.1")["msg"] == "ended by a signal"
    with store() as opened:
        assert opened.views(["r1n01"])["r1n01"]["bmc.address"] == "10.2.9.1"
    cannot_write(monkeypatch)
    said = run_module("bmc_network", nodes=["r1n02"], address="10.2.9.2")["msg"]
    assert said.startswith("ended by a signal; BMCs have moved, ")
    assert "they are now at: r1n02 10.2.9.2" in said


def test_bmc_address_is_left_where_nobody_wants_it_stored(bmcs: Bmcs) -> None:
    ok("bmc_network", nodes=["r1n01"], address="10.2.9.1", store=False)
    with store() as opened:
        assert opened.views(["r1n01"])["r1n01"]["bmc.address"] == FIRST


def test_a_bmc_that_moves_only_with_its_next_reset(bmcs: Bmcs) -> None:
    bmcs[FIRST].moves = False
    assert ok("bmc_network", nodes=["r1n01"], address="10.2.9.1")["changed"]
    with store() as opened:
        assert opened.views(["r1n01"])["r1n01"]["bmc.address"] == FIRST


def test_a_bmc_that_is_lost(bmcs: Bmcs) -> None:
    gone: dict[str, list[Exception]] = {"network": [MetalError(ErrorCode.UNREACHABLE, "no answer")]}
    bmcs[FIRST].moves = False
    bmcs[FIRST].queued["set_network"] = lambda: bmcs[FIRST].faults.update(gone)
    found = failed("bmc_network", nodes=["r1n01"], address="10.2.9.1", wait_timeout=0)
    assert found["r1n01"]["code"] == "not_reached"
    assert found["r1n01"]["msg"] == (
        "r1n01: the BMC was sent source static, address 10.2.9.1, but then: it does not tell what was set at 10.2.9.1"
        " or 10.2.1.1 after 0 s: no answer; bmc.address is left as it was"
    )
    assert found["r1n01"]["sent"]["address"] == "10.2.9.1"
    with store() as opened:
        assert opened.views(["r1n01"])["r1n01"]["bmc.address"] == FIRST


MASK = "255.254.0.0"


def test_a_refusal_after_something_was_set_is_told_as_a_change(bmcs: Bmcs) -> None:
    bmcs[FIRST].unanswered = [MetalError(ErrorCode.UNSUPPORTED, "scripted")]
    result = run_module("bmc_network", nodes=["r1n01"], netmask=MASK, gateway="10.2.1.9")
    assert result["changed"]
    assert result["failed_nodes"]["r1n01"] == {
        "code": "unsupported",
        "msg": f"r1n01: the BMC was sent netmask {MASK}, but then: scripted; bmc.address is left as it was",
        "retryable": False,
        "sent": {"netmask": MASK},
    }


def test_a_refusal_before_anything_was_set_is_no_change(bmcs: Bmcs) -> None:
    bmcs[FIRST].faults["set_network"] = [MetalError(ErrorCode.UNSUPPORTED, "scripted")]
    result = run_module("bmc_network", nodes=["r1n01"], netmask=MASK)
    assert not result["changed"]
    assert result["failed_nodes"]["r1n01"]["msg"] == "r1n01: scripted"


def test_what_the_first_try_set_is_a_change_whatever_the_next_ones_find(bmcs: Bmcs) -> None:
    busy = MetalError(ErrorCode.BUSY, "scripted")
    bmcs[FIRST].unanswered = [busy]
    node = ok("bmc_network", nodes=["r1n01"], netmask=MASK)["nodes"]["r1n01"]
    assert (node["changed"], node["before"]["netmask"], node["after"]["netmask"]) == (True, "255.255.0.0", MASK)
    bmcs["10.2.1.2"].unanswered = [busy]
    bmcs["10.2.1.2"].queued["set_network"] = lambda: bmcs["10.2.1.2"].faults.update(
        network=[MetalError(ErrorCode.AUTH, "out")]
    )
    result = run_module("bmc_network", nodes=["r1n02"], netmask=MASK, gateway="10.2.1.9")
    assert result["changed"]
    assert result["failed_nodes"]["r1n02"]["code"] == "auth"
    assert result["failed_nodes"]["r1n02"]["sent"] == {"netmask": MASK}


def test_a_bmc_that_is_looked_for_when_the_deadline_comes(bmcs: Bmcs) -> None:
    bmcs[FIRST].queued["set_network"] = lambda: bmcs[FIRST].hangs.add("network")
    result = run_module("bmc_network", nodes=["r1n01"], netmask=MASK, deadline=1)
    assert result["changed"]
    assert result["failed_nodes"]["r1n01"]["sent"] == {"netmask": MASK}
    assert "but then: the task's deadline came before it was proved" in result["failed_nodes"]["r1n01"]["msg"]


@pytest.mark.parametrize("check", [True, False])
def test_an_address_that_is_another_nodes(bmcs: Bmcs, check: bool) -> None:
    said = refused("bmc_network", nodes=["r1n01"], address="10.2.1.3", check=check)
    assert said["msg"] == "r1n01: it would get the BMC address 10.2.1.3, which is the bmc.address of r1n03"
    assert said["error"]["code"] == "conflict"
    assert not bmcs[FIRST].calls


def test_an_address_that_only_looks_like_another_nodes(bmcs: Bmcs) -> None:
    """One machine behind another's port."""
    ok("node", name="r1n02", attributes={"bmc.address": FIRST, "bmc.port": 6230})
    assert not ok("bmc_network", nodes=["r1n01"], address=FIRST)["changed"]


def test_dhcp(bmcs: Bmcs) -> None:
    assert ok("bmc_network", nodes=["r1n01"], source="dhcp")["changed"]
    assert not ok("bmc_network", nodes=["r1n01"], source="dhcp")["changed"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"address": "10.2.9.5"}, "r1n02: it would get the BMC address 10.2.9.5, as r1n01 would"),
        ({"address": "10.2.9"}, "r1n01: address: '10.2.9' "),
        ({"address": "10.2.9.{n7}"}, "r1n01: address: "),
        ({"address": "{bmc.password}"}, "r1n01: address: bmc.password is a secret, which no expression may show"),
        ({"source": "dhcp", "netmask": "255.0.0.0"}, "address, netmask and gateway are for source: static;"),
        ({"vlan": 5000}, "vlan: 5000 cannot be; write 1 to 4094, or 0 for none"),
    ],
)
def test_bmc_network_refuses(bmcs: Bmcs, given: dict[str, Any], says: str) -> None:
    said = refused("bmc_network", nodes=["rack1"], **given)["msg"]
    assert said.startswith(says)
    assert PASSWORD not in said
    assert not bmcs[FIRST].calls


def test_a_gateway_that_could_not_be_reached(bmcs: Bmcs) -> None:
    found = failed("bmc_network", nodes=["r1n01"], gateway="10.9.0.1")
    assert found["r1n01"]["msg"] == (
        "r1n01: the gateway 10.9.0.1 is not in 10.2.0.0/16, where the BMC would be with 10.2.1.1"
    )
    assert not bmcs[FIRST].count("set_network")


def test_what_a_driver_cannot_do(monkeypatch: pytest.MonkeyPatch) -> None:
    use_driver(monkeypatch, lambda: ScriptedDriver({}, frozenset({Capability.POWER})))
    for module, given, what in (
        ("identify", {}, "identify"),
        ("bmc_reset", {}, "bmc_reset"),
        ("bmc_network", {}, "network"),
        ("power", {"state": "nmi"}, "nmi"),
    ):
        said = refused(module, nodes=["rack1"], check=True, **given)["msg"]
        assert said == f"r1n01: the driver scripted cannot do {what}; see docs/reference/drivers.md"


def test_nmi(bmcs: Bmcs) -> None:
    bmcs[FIRST].state = PowerState.ON
    real = ok("power", nodes=["r1n01"], state="nmi", diff=True)
    assert real["nodes"]["r1n01"]["sent"] == "nmi"
    assert real["diff"] == {
        "before": {"r1n01": {"power": "on"}},
        "after": {"r1n01": {"power": "on", "by": "nmi"}},
    }
    for check in (True, False):
        found = failed("power", nodes=["r1n02"], state="nmi", check=check)
        assert found["r1n02"]["msg"] == "r1n02: the machine is off: there is no operating system to interrupt"


def test_only_nodes_that_need_it_take_a_turn(bmcs: Bmcs, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    turn = stagger.Stagger.turn

    async def note(self: stagger.Stagger, name: str) -> None:
        taken.append(name)
        await turn(self, name)

    monkeypatch.setattr(stagger.Stagger, "turn", note)
    bmcs["10.2.1.2"].state = PowerState.ON
    pace = {"count": 2, "interval": 5}
    real = three_runs("power", nodes=["rack1"], state="on", stagger=pace)
    assert real["summary"]["changed"] == 2
    assert taken == ["r1n01", "r1n03"]


@pytest.mark.parametrize(
    ("pace", "says"),
    [
        (
            {"count": 1, "interval": 900},
            "stagger: the last of 3 nodes would begin after 1800 s, but the task's deadline is",
        ),
        ({"count": 0, "interval": 5}, "stagger: 0 nodes every 5 s is no pace; both have to be more than 0"),
        (
            {"count": 1, "interval": 5, "per": "location.feed"},
            "r1n01: attribute location.feed is not set, but the task is to be spread over it",
        ),
        ({"count": 1, "interval": 5, "per": "location.fed"}, "'location.fed' is not an attribute; did you mean"),
        ({"count": 1, "interval": 5, "per": "bmc.password"}, "stagger: bmc.password is a secret, by which nothing"),
    ],
)
def test_a_pace_that_cannot_be(bmcs: Bmcs, pace: dict[str, Any], says: str) -> None:
    for check in (True, False):
        assert refused("power", nodes=["rack1"], state="on", stagger=pace, check=check)["msg"].startswith(says)
    assert not bmcs[FIRST].calls


def test_networks_are_compared_as_they_are_read() -> None:
    here = BmcNetwork(AddressSource.DHCP, "10.2.1.1", "255.0.0.0", "10.0.0.1", 5, "m")
    there = BmcNetwork(AddressSource.DHCP, "10.2.1.9", "255.0.0.0", "10.0.0.1", 5, "m")
    assert bmc_network.agrees(here, there)
    assert not bmc_network.agrees(here, BmcNetwork(AddressSource.STATIC, "10.2.1.1"))


# -- what was sent, and got no answer ---------------------------------------------------------------------------


def test_a_reset_without_an_answer_is_not_sent_again(bmcs: Bmcs) -> None:
    bmcs[FIRST].state = PowerState.ON
    bmcs[FIRST].unanswered = [MetalError(ErrorCode.TIMEOUT, "stopped answering")]
    result = run_module("power", nodes=["r1n01"], state="reset")
    assert result["changed"]
    assert result["failed_nodes"]["r1n01"] == {
        "code": "not_reached",
        "msg": "r1n01: reset was sent, but it is not known whether the BMC took it: stopped answering; find out with"
        " power_info what state the machine is in before you send it again",
        "retryable": False,
        "sent": "reset",
    }
    assert bmcs[FIRST].count("power") == 1


def test_an_on_without_an_answer_is_tried_again_and_told_as_what_it_was(bmcs: Bmcs) -> None:
    bmcs[FIRST].unanswered = [MetalError(ErrorCode.TIMEOUT, "stopped answering")]
    node = ok("power", nodes=["r1n01"], state="on")["nodes"]["r1n01"]
    assert (node["changed"], node["before"], node["sent"], node["tries"]) == (True, {"power": "off"}, "on", 2)


def test_an_on_that_is_never_answered(bmcs: Bmcs) -> None:
    bmcs[FIRST].unanswered = [MetalError(ErrorCode.TIMEOUT, "stopped answering")] * 3
    bmcs[FIRST].unanswered_state = PowerState.OFF
    result = run_module("power", nodes=["r1n01"], state="on")
    assert result["changed"]
    found = result["failed_nodes"]["r1n01"]
    assert (found["code"], found["sent"]) == ("timeout", "on")
    assert found["msg"] == "r1n01: on was sent, but then: stopped answering (3 tries)"


def test_a_reset_that_could_not_even_be_sent_is_tried_again(bmcs: Bmcs) -> None:
    bmcs[FIRST].state = PowerState.ON
    bmcs[FIRST].faults["power"] = [MetalError(ErrorCode.TIMEOUT, "no answer within 3 s")]
    node = ok("power", nodes=["r1n01"], state="reset")["nodes"]["r1n01"]
    assert (node["sent"], node["tries"]) == ("reset", 2)


def test_a_cycle_is_over_when_the_machine_was_off(bmcs: Bmcs) -> None:
    bmcs[FIRST].state = PowerState.ON
    ok("power", nodes=["r1n01"], state="cycle", wait_timeout=0)
    assert bmcs[FIRST].count("power_state") == 2, "once for the off, once for the on"


def test_a_power_that_was_cut_perhaps_is_told(bmcs: Bmcs) -> None:
    machine = bmcs[FIRST]
    machine.state = PowerState.ON
    machine.deaf = {PowerAction.SHUTDOWN}

    def lose_the_next() -> None:
        if machine.count("power"):
            machine.unanswered = [MetalError(ErrorCode.TIMEOUT, "stopped answering")]

    machine.queued["power"] = lose_the_next
    result = run_module("power", nodes=["r1n01"], state="shutdown", force=True, wait_timeout=0)
    found = result["failed_nodes"]["r1n01"]
    assert found["sent"] == "off"
    assert found["msg"].startswith(
        "r1n01: shutdown was sent, and then off, so that its power may have been cut, but then"
    )


def test_a_cycle_has_its_time_though_the_bmc_is_silent_for_a_moment(bmcs: Bmcs) -> None:
    bmcs[FIRST].state = PowerState.ON
    bmcs[FIRST].faults["power_state"] = [MetalError(ErrorCode.PROTOCOL, "nonsense")]
    assert ok("power", nodes=["r1n01"], state="cycle", wait_timeout=0)["changed"]


def test_a_slow_bmc_is_not_away(bmcs: Bmcs) -> None:
    bmcs[FIRST].faults["power_state"] = [MetalError(ErrorCode.BUSY, "busy")] * 9
    assert ok("bmc_reset", nodes=["r1n01"])["nodes"]["r1n01"]["seen_away"] is False


# -- what a task refuses --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"timeout": 0}, "timeout: 0 s cannot be; write how many seconds, such as 20"),
        ({"timeout": -1}, "timeout: -1 s cannot be"),
        ({"deadline": "nan"}, "deadline: nan s cannot be"),
        ({"deadline": "inf"}, "deadline: inf s cannot be"),
        ({"wait_timeout": -5}, "wait_timeout: -5 s cannot be"),
    ],
)
def test_times_that_cannot_be(bmcs: Bmcs, given: dict[str, Any], says: str) -> None:
    assert refused("power", nodes=["rack1"], state="on", **given)["msg"].startswith(says)
    assert not bmcs[FIRST].calls


def test_two_nodes_with_one_bmc(bmcs: Bmcs) -> None:
    ok("node", name="r1n03", attributes={"bmc.address": "10.2.1.2"})
    for check in (True, False):
        assert refused("power", nodes=["rack1"], state="boot", check=check)["msg"] == (
            "r1n03: its BMC 10.2.1.2:623 is that of r1n02, too; see bmc.address and bmc.port of both"
        )
    assert set(ok("power_info", nodes=["rack1"])["nodes"]) == {"r1n01", "r1n02", "r1n03"}
