# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module discover_bmcs over a scripted network: whose BMCs they are and may be, log-ins, and what is refused."""

from __future__ import annotations

import asyncio
import socket
import threading
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.discovery import Found, Scan
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Target
from ansible_collections.stage0.metal.plugins.module_utils._drivers.facts import (
    Board,
    Chassis,
    Controller,
    Inventory,
    Product,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._operations import discover_bmcs as operation
from ansible_collections.stage0.metal.plugins.module_utils._operations.bmc_matching import uuid_orders
from ansible_collections.stage0.metal.tests.unit.conftest import use_driver
from ansible_collections.stage0.metal.tests.unit.support import (
    PASSWORD,
    Machine,
    ScriptedDriver,
    events,
    make_rack,
    ok,
    raw_output,
    refused,
    warned,
)

NETWORK = "10.2.1.0/29"
FIRST, STRANGE = "10.2.1.1", "10.2.1.6"
UUID = "11112222-3333-4444-5555-66660000000{}"
Bmcs = dict[str, Machine]
UNPLACED = "could not be compared by their place, as bmc.address is a name:"


@pytest.fixture
def air(monkeypatch: pytest.MonkeyPatch) -> dict[str, Found]:
    """Who answers, by address. Nothing is sent."""
    found: dict[str, Found] = {}

    async def run(_scan: Scan, addresses: Iterable[str]) -> dict[str, Found]:
        return {address: found[address] for address in addresses if address in found}

    monkeypatch.setattr(Scan, "run", run)
    return found


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch, air: dict[str, Found]) -> ScriptedDriver:
    """Three nodes; the BMCs of the first two answer, and one that is strange."""
    make_rack(3)
    numbers = {FIRST: 1, "10.2.1.2": 2, STRANGE: 3}
    air.update({address: Found(address, 623, "2.0", UUID.format(number)) for address, number in numbers.items()})
    made = ScriptedDriver({address: Machine() for address in numbers})
    for address, number in numbers.items():
        machine = made.machines[address]
        product = Product("Maker Inc", "Server 240", serial=f"PS-{number}")
        machine.inventory = Inventory(Controller("1.0", 674, 256, "IPMI 2.0"), UUID.format(number), product=product)
        machine.network = replace(machine.network, mac=f"56:54:00:99:00:0{number}")
    use_driver(monkeypatch, lambda: made)
    return made


def bmc(result: dict[str, Any], address: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [one for one in result["bmcs"] if one["address"] == address]
    assert len(found) == 1
    return found[0]


def test_looking_around(driver: ScriptedDriver) -> None:
    before = len(events())
    result = ok("discover_bmcs", networks=[NETWORK])
    assert result["changed"] is False
    assert [one["address"] for one in result["bmcs"]] == [FIRST, "10.2.1.2", STRANGE]
    assert bmc(result, STRANGE) == {
        "address": STRANGE,
        "port": 623,
        "ipmi": "2.0",
        "uuid": UUID.format(3),
        "serial": None,
        "mac": None,
        "manufacturer": None,
        "model": None,
        "manufacturer_id": None,
        "node": None,
        "candidates": [{"node": "r1n03", "by": ["uuid"]}],
        "code": None,
        "msg": None,
    }
    assert bmc(result, FIRST)["node"] == "r1n01"
    assert bmc(result, FIRST)["candidates"] == [{"node": "r1n01", "by": ["uuid"]}]
    assert (result["unknown"], result["silent"]) == ([STRANGE], "r1n03")
    seconds = result["summary"].pop("seconds")
    assert isinstance(seconds, float)
    counts = {"bmcs": 3, "known": 2, "unknown": 1, "silent": 1, "not_logged_in": 0}
    assert result["summary"] == {"addresses": 6, **counts}
    assert driver.targets == []
    assert len(events()) == before
    assert ok("discover_bmcs", networks=[NETWORK], check=True)["bmcs"] == result["bmcs"]


def test_other_ports_and_places_are_other_bmcs(driver: ScriptedDriver) -> None:
    ok("node", name="r1n01", attributes={"bmc.port": 6230})
    result = ok("discover_bmcs", networks=[FIRST, "10.2.1.2"])
    assert (bmc(result, FIRST)["node"], bmc(result, "10.2.1.2")["node"]) == (None, "r1n02")
    assert (result["unknown"], result["silent"]) == ([FIRST], "")


def test_nodes_whose_bmc_is_named(driver: ScriptedDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    ok("node", name="r1n01", attributes={"bmc.address": "r1n01-bmc"})
    ok("node", name="r1n03", attributes={"bmc.address": "r1n03-bmc"})

    def getaddrinfo(name: str, *_more: Any, **_named: Any) -> list[Any]:
        if name != "r1n01-bmc":
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (address, 623)) for address in ("10.9.9.9", FIRST)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    result, told = warned("discover_bmcs", networks=[NETWORK])
    assert bmc(result, FIRST)["node"] == "r1n01"
    assert result["silent"] == ""
    why = "the BMC's name 'r1n03-bmc' has no address: no such name"
    assert f"the nodes r1n03 {UNPLACED} {why}" in str(told)


def test_name_servers_that_do_not_answer(driver: ScriptedDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task ends while the system's resolver still waits; more names than are looked up at once make it no longer."""
    over = threading.Event()
    for number in range(1, 41):
        ok("node", name=f"far{number:02}", attributes={"bmc.address": f"far{number:02}-bmc"}, groups=["metal"])

    def getaddrinfo(*_given: Any, **_named: Any) -> list[Any]:
        over.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(operation, "RESOLVE_SECONDS", 0.05)
    try:
        result, told = warned("discover_bmcs", networks=[NETWORK])
        assert not over.is_set()
    finally:
        over.set()
    assert result["summary"]["known"] == 2
    why = "the BMC's name 'far01-bmc' was not looked up within 0 s; do the name servers answer?"
    assert f"the nodes far[01-40] {UNPLACED} {why}" in str(told)


def test_logging_in_with_the_nodes_accounts(driver: ScriptedDriver) -> None:
    ok("node", name="r1n03", attributes={"system.serial": " ps-3 "})
    result = ok("discover_bmcs", networks=[NETWORK], log_in=True)
    found = bmc(result, FIRST)
    told = {"serial": "PS-1", "manufacturer": "Maker Inc", "model": "Server 240", "mac": "56:54:00:99:00:01"}
    assert {key: found[key] for key in told} == told
    assert found["manufacturer_id"] == 674
    assert bmc(result, STRANGE)["serial"] is None
    assert {(target.address, target.user, target.password) for target in driver.targets} == {
        (FIRST, "admin", PASSWORD),
        ("10.2.1.2", "admin", PASSWORD),
    }


def test_logging_in_with_another_account(driver: ScriptedDriver) -> None:
    ok("node", name="r1n03", attributes={"system.serial": " ps-3 ", "bmc.mac": "56:54:00:99:00:03"})
    ok("node", name="r1n02", attributes={"system.serial": "PS-3"})
    result = ok("discover_bmcs", networks=[NETWORK], log_in=True, user="ADMIN", password="factory")
    assert bmc(result, STRANGE)["candidates"] == [
        {"node": "r1n03", "by": ["uuid", "serial", "mac"]},
        {"node": "r1n02", "by": ["serial"]},
    ]
    users = {target.address: target.user for target in driver.targets}
    assert users == {FIRST: "admin", "10.2.1.2": "admin", STRANGE: "ADMIN"}
    driver.targets.clear()
    ok("discover_bmcs", networks=[NETWORK], user="ADMIN", password="factory")
    assert {target.user for target in driver.targets} == {"ADMIN"}


def test_log_ins_that_fail(driver: ScriptedDriver, air: dict[str, Found]) -> None:
    """A wrong password is tried once; what is busy, again; nothing is tried where nobody can log in."""
    driver.machines[FIRST].faults["inventory"] = [MetalError(ErrorCode.AUTH, "the BMC refuses the password")]
    driver.machines["10.2.1.2"].faults["inventory"] = [MetalError(ErrorCode.BUSY, "the BMC has no free session slot")]
    air[STRANGE].ipmi = "1.5"
    result = ok("discover_bmcs", networks=[NETWORK], user="ADMIN", password="wrong")
    found = bmc(result, FIRST)
    assert (found["code"], found["msg"], found["serial"]) == ("auth", "the BMC refuses the password", None)
    assert driver.machines[FIRST].calls == [("inventory",)]
    assert bmc(result, "10.2.1.2")["serial"] == "PS-2"
    assert bmc(result, STRANGE)["msg"] == "it does not speak IPMI 2.0, so that nobody can log in"
    assert result["summary"]["not_logged_in"] == 2


@pytest.mark.parametrize(("rate", "most"), [(1, 1), (40, 2), (20_000, 3)])
def test_so_many_log_ins_at_once(driver: ScriptedDriver, monkeypatch: pytest.MonkeyPatch, rate: int, most: int) -> None:
    """One at a twentieth of the rate; each waits until others had every chance to begin."""
    at_once, seen = set[str](), list[int]()
    inventory = driver.inventory

    async def slow(target: Target, seconds: float) -> Inventory:
        at_once.add(target.address)
        for _turn in range(20):
            await asyncio.sleep(0)
        seen.append(len(at_once))
        at_once.discard(target.address)
        return await inventory(target, seconds)

    monkeypatch.setattr(driver, "inventory", slow)
    result = ok("discover_bmcs", networks=[NETWORK], user="ADMIN", password="factory", rate=rate)
    assert (max(seen), result["summary"]["not_logged_in"]) == (most, 0)


def test_a_mac_address_that_is_not_told(driver: ScriptedDriver) -> None:
    driver.machines[FIRST].faults["network"] = [MetalError(ErrorCode.PRIVILEGE, "too low")]
    found = bmc(ok("discover_bmcs", networks=[FIRST], log_in=True), FIRST)
    assert (found["serial"], found["mac"], found["msg"]) == ("PS-1", None, "too low")


def test_nodes_without_an_account(driver: ScriptedDriver) -> None:
    ok("node", name="r1n01", attributes={"bmc.password": None})
    found = bmc(ok("discover_bmcs", networks=[FIRST], log_in=True), FIRST)
    assert found["msg"] == "attribute bmc.password is not set, but the task has to reach the node's BMC"


def test_any_of_a_machines_serial_numbers(driver: ScriptedDriver) -> None:
    inventory = driver.machines[FIRST].inventory
    parts = replace(inventory, chassis=Chassis(serial="CS-1"), board=Board(serial="None"), uuid=None)
    driver.machines[FIRST].inventory = parts
    ok("node", name="r1n02", attributes={"system.serial": "cs-1"})
    ok("node", name="r1n03", attributes={"system.serial": "None"})
    found = bmc(ok("discover_bmcs", networks=[FIRST], log_in=True), FIRST)
    assert found["candidates"] == [{"node": "r1n01", "by": ["uuid"]}, {"node": "r1n02", "by": ["serial"]}]


@pytest.mark.parametrize("order", ["smbios", "rfc4122", "backwards"])
def test_uuids_in_any_order(driver: ScriptedDriver, air: dict[str, Found], order: str) -> None:
    """As decode_guid() reads the bytes that a BMC sends in each of them."""
    machine = uuid.UUID(UUID.format(3))
    sent = {"smbios": machine.bytes_le, "rfc4122": machine.bytes, "backwards": machine.bytes[::-1]}[order]
    air[STRANGE].uuid = str(uuid.UUID(bytes_le=sent))
    found = bmc(ok("discover_bmcs", networks=[STRANGE]), STRANGE)
    assert found["candidates"] == [{"node": "r1n03", "by": ["uuid"]}]


def test_uuids_that_tell_nothing() -> None:
    assert uuid_orders("03000200-0400-0500-0006-000700080009") == []
    assert uuid_orders("00020003-0004-0005-0006-000700080009") == []
    assert uuid_orders(None) == uuid_orders("") == []


REFUSED: dict[str, dict[str, Any]] = {
    "rate: 0 cannot be; write 1 to 20000": {"rate": 0},
    "rate: -1 cannot be; write 1 to 20000": {"rate": -1},
    "rate: 20001 cannot be; write 1 to 20000": {"rate": 20_001},
    "timeout: -1 s cannot be; write how many seconds, such as 20": {"timeout": -1},
    "timeout: nan s cannot be; write how many seconds, such as 20": {"timeout": "nan"},
    "deadline: inf s cannot be; write how many seconds, such as 20": {"deadline": "inf"},
    "deadline: 0 s cannot be; write how many seconds, such as 20": {"deadline": 0},
    "port: 65536 cannot be; write 1 to 65535": {"port": 65536},
    "max_addresses: 0 cannot be; write 1 to 1048576": {"max_addresses": 0},
    "user and password: one needs the other": {"user": "ADMIN"},
    "networks: 10.0.0.0/8 means 16777214 addresses, more than max_addresses 65536; is the prefix right?": {
        "networks": ["10.0.0.0/8"]
    },
    (
        "networks: 65534 addresses take up to 334 s at a rate of 1000 packets a second, more than the deadline of 300 s"
    ): {"networks": ["10.2.0.0/16"], "deadline": 300},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_refused(driver: ScriptedDriver, sentence: str) -> None:
    arguments = {"networks": [NETWORK], **REFUSED[sentence]}
    assert refused("discover_bmcs", **arguments)["msg"] == sentence


def test_a_database_that_is_not_there_is_not_made() -> None:
    assert refused("discover_bmcs", networks=[NETWORK])["error"]["code"] == "database"


def test_no_password_is_told(driver: ScriptedDriver) -> None:
    assert "fact0ry-pass" not in raw_output("discover_bmcs", networks=[NETWORK], user="ADMIN", password="fact0ry-pass")
