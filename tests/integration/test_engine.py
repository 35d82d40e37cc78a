# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The engine over real sockets: faults, time limits, IPv6, a BMC's own key, cancellation; and nothing stays open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import engine as engines
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import PowerState, Target
from ansible_collections.stage0.metal.plugins.module_utils._drivers.ipmi import IpmiDriver
from ansible_collections.stage0.metal.plugins.module_utils._fleet import fleet
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import RackProcess, private_address

from tests.integration.driving import drive

NODES = 40
PORT = 6231
BASE = private_address(11)
NETWORK = BASE.rsplit(".", 1)[0]


@pytest.fixture(scope="module")
def rack() -> Iterator[RackProcess]:
    arguments = ["--nodes", str(NODES), "--bind", BASE, "--port", str(PORT), "--post-seconds", "0", "--ipv6"]
    with RackProcess(arguments) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean(rack: RackProcess) -> Iterator[None]:
    yield
    for name, node in rack.state()["nodes"].items():
        if node["faults"]:
            rack.clear_fault(name)


def name_of(number: int) -> str:
    return f"n{number:02d}"


def target(number: int, **more: Any) -> Target:
    return Target(f"{NETWORK}.{number}", PORT, "admin", "secret", **more)


def outcomes(numbers: Sequence[int], limits: fleet.Limits | None = None) -> dict[str, fleet.Outcome]:
    """Read the power state of these nodes, as power_info does."""

    async def work(driver: IpmiDriver) -> dict[str, fleet.Outcome]:
        async def one(name: str) -> fleet.Done:
            state = await driver.power_state(target(int(name[1:])), 20.0)
            return fleet.Done(more={"power": str(state)})

        return await fleet.run([name_of(number) for number in numbers], one, limits or fleet.Limits(deadline=60.0))

    found: dict[str, fleet.Outcome] = drive(work)
    return found


def left_open(rack: RackProcess) -> dict[str, int]:
    return {
        name: node["counters"]["sessions_open"] + node["counters"]["sessions_half_open"]
        for name, node in rack.state()["nodes"].items()
        if node["counters"]["sessions_open"] + node["counters"]["sessions_half_open"]
    }


@pytest.mark.parametrize(
    "fault", ["slow:0.4", "lossy:10", "duplicate", "late:20", "busy:20", "garbage:20", "reset_mid_session:2"]
)
def test_what_a_bmc_may_do_and_is_still_reached(rack: RackProcess, fault: str) -> None:
    """Right answers, and sessions closed; what a restart forgot needs no closing."""
    numbers = range(1, 6)
    for number in numbers:
        rack.set_fault(name_of(number), fault)
    found = outcomes(numbers, fleet.Limits(deadline=90.0, tries=6))
    assert {name: str(outcome.error) for name, outcome in found.items() if outcome.error} == {}
    for number in numbers:
        rack.clear_fault(name_of(number))
    assert left_open(rack) == {}


FAULTS = [
    ("dead", ErrorCode.UNREACHABLE, "no answer from the BMC at {place}; is it cabled and powered,"),
    ("wrong_password", ErrorCode.AUTH, "the BMC refuses the password of user 'admin'; see bmc.user"),
    ("locked", ErrorCode.AUTH, "the BMC has no user 'admin', or has locked it or does not let it in; see bmc.user"),
    ("session_table_full", ErrorCode.BUSY, "the BMC has no free session slot; others are connected to it"),
]


@pytest.mark.parametrize(("fault", "code", "says"), FAULTS)
def test_what_a_bmc_may_do_and_is_told(rack: RackProcess, fault: str, code: ErrorCode, says: str) -> None:
    rack.set_fault("n07", fault)
    before = rack.state()["nodes"]["n07"]["counters"]
    found = outcomes([6, 7, 8], fleet.Limits(tries=1))
    error = found["n07"].error
    assert error
    assert error.code is code
    assert says.format(place=target(7).place) in error.message
    assert found["n06"].done
    assert found["n08"].done
    after = rack.state()["nodes"]["n07"]["counters"]
    assert after["wrong_passwords"] == before["wrong_passwords"] == 0
    assert after["log_ins"] <= before["log_ins"] + 1, "a password was tried twice"
    assert left_open(rack) == {}


def test_a_wrong_password_is_never_tried_again(rack: RackProcess) -> None:
    rack.set_fault("n09", "wrong_password")
    before = rack.state()["nodes"]["n09"]["counters"]["log_ins"]
    assert outcomes([9])["n09"].tries == 1
    assert rack.state()["nodes"]["n09"]["counters"]["log_ins"] == before + 1


def test_one_conversation_at_a_time_at_each_bmc(rack: RackProcess) -> None:
    """Twenty requests for one BMC of five slots, at once: each has its turn."""

    async def work(driver: IpmiDriver) -> list[PowerState]:
        return await asyncio.gather(*(driver.power_state(target(10), 20.0) for _number in range(20)))

    before = rack.state()["nodes"]["n10"]["counters"]["sessions_refused"]
    assert drive(work) == [PowerState.OFF] * 20
    assert rack.state()["nodes"]["n10"]["counters"]["sessions_refused"] == before
    assert left_open(rack) == {}


def test_ipv6_and_names(rack: RackProcess) -> None:
    async def work(driver: IpmiDriver) -> list[PowerState]:
        six = [Target("::1", PORT + number, "admin", "secret") for number in range(3)]
        return await asyncio.gather(*(driver.power_state(each, 20.0) for each in six))

    assert drive(work) == [PowerState.OFF] * 3
    assert Target("fd00::1", 623, "u", "p").place == "[fd00::1]:623"

    async def unknown(driver: IpmiDriver) -> MetalError:
        with pytest.raises(MetalError) as caught:
            await driver.power_state(Target("no-such-bmc.invalid", 623, "admin", "secret"), 5.0)
        return caught.value

    error = drive(unknown)
    assert error.code is ErrorCode.UNREACHABLE
    assert error.message.startswith("the BMC's name 'no-such-bmc.invalid' has no address: ")


def test_an_address_that_cannot_be_sent_to() -> None:
    async def work(driver: IpmiDriver) -> MetalError:
        with pytest.raises(MetalError) as caught:
            await driver.power_state(Target("255.255.255.255", 623, "admin", "secret"), 5.0)
        return caught.value

    error = drive(work)
    assert error.code is ErrorCode.UNREACHABLE
    assert error.message == "the BMC at 255.255.255.255:623 cannot be reached from here: Permission denied"


def test_a_request_has_its_time_and_a_task_its_deadline(rack: RackProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "UNREACHED_SECONDS", 30.0)
    rack.set_fault("n11", "dead")

    async def work(driver: IpmiDriver) -> MetalError:
        with pytest.raises(MetalError) as caught:
            await driver.power_state(target(11), 0.4)
        return caught.value

    begun = time.monotonic()
    error = drive(work)
    assert (error.code, error.message) == (
        ErrorCode.TIMEOUT,
        f"no answer from the BMC at {target(11).place} within 0 s",
    )
    found = outcomes([11, 12], fleet.Limits(deadline=0.5))
    late = found["n11"].error
    assert late
    assert late.message == "not finished when the task's deadline of 0 s came"
    assert found["n12"].done
    assert time.monotonic() - begun < 15.0


def test_a_task_that_is_cancelled_closes_its_sessions(rack: RackProcess) -> None:
    """At any point of the conversation: the deadline falls somewhere into it at BMCs that are slow."""
    for number in range(13, 33):
        rack.set_fault(name_of(number), f"slow:{0.01 * (number - 12):.2f}")
    for deadline in (0.05, 0.15, 0.3, 0.5):
        outcomes(range(13, 33), fleet.Limits(deadline=deadline))
    for number in range(13, 33):
        rack.clear_fault(name_of(number))
    states = rack.state()["nodes"]
    assert {
        name: node["counters"]["sessions_open"] for name, node in states.items() if node["counters"]["sessions_open"]
    } == {}


def test_the_bmcs_own_key() -> None:
    key = "0x" + "4b" * 20
    with RackProcess(["--nodes", "2", "--bind", private_address(12), "--port", str(PORT), "--k-g", key]):

        async def work(driver: IpmiDriver) -> list[Any]:
            here = [Target(private_address(12), PORT, "admin", "secret", kg) for kg in (key, "K" * 20, "", "other")]
            return await asyncio.gather(*(driver.power_state(each, 10.0) for each in here), return_exceptions=True)

        first, second, none, other = drive(work)
    assert first is second is PowerState.OFF
    assert none.message == "the BMC has a key of its own (K_g), which bmc.kg does not give"
    assert other.message == "the password is right, but the BMC has another key of its own (K_g) than bmc.kg"
