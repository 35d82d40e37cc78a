# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module bios_inventory over a scripted driver: what is kept, what changed, and whether it is the same machine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers import facts
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Capability, Target
from ansible_collections.stage0.metal.plugins.module_utils._drivers.facts import (
    Board,
    Chassis,
    Controller,
    Inventory,
    Product,
)
from ansible_collections.stage0.metal.plugins.module_utils._module.run import execute
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._operations.bios_inventory import bios_inventory
from ansible_collections.stage0.metal.plugins.modules.bios_inventory import ARGUMENT_SPEC
from ansible_collections.stage0.metal.tests.unit import support
from ansible_collections.stage0.metal.tests.unit.conftest import use_driver
from ansible_collections.stage0.metal.tests.unit.support import (
    Machine,
    ScriptedDriver,
    cannot_write,
    events,
    make_rack,
    ok,
    refused,
    three_runs,
)

Bmcs = dict[str, Machine]
FIRST = "10.2.1.1"
UUID = "11112222-3333-4444-5555-666600000001"
"""That of r1n01 in the node database."""
FOUND = Inventory(
    Controller("2.23", 674, 256, "IPMI 2.0", "00233607"),
    uuid=UUID,
    chassis=Chassis("Rack Mount Chassis", "SC-1U", "CS-1", ("Rail kit",)),
    board=Board("Maker", "Board 2", "BS-1", "B-2", "2025-05-28T14:56Z"),
    product=Product("Maker Inc", "Server 240", "S-240", "1.0", "PS-1", "AT-1"),
    warnings=("the checksum of the board area of the FRU is wrong",),
)


@pytest.fixture
def rack(bmcs: Bmcs) -> list[str]:
    names = make_rack(2)
    bmcs[FIRST].inventory = FOUND
    return names


def test_reading(rack: list[str]) -> None:
    result = ok("bios_inventory", nodes=["rack1"])
    assert result["changed"] is False
    node = result["nodes"]["r1n01"]
    assert node["warnings"] == ["the checksum of the board area of the FRU is wrong"]
    assert node["inventory"] == {
        "serial": "PS-1",
        "uuid": UUID,
        "controller": {
            "firmware": "2.23",
            "manufacturer_id": 674,
            "product_id": 256,
            "protocol": "IPMI 2.0",
            "firmware_build": "00233607",
        },
        "chassis": {"kind": "Rack Mount Chassis", "part_number": "SC-1U", "serial": "CS-1", "custom": ["Rail kit"]},
        "board": {
            "manufacturer": "Maker",
            "product": "Board 2",
            "serial": "BS-1",
            "part_number": "B-2",
            "made": "2025-05-28T14:56Z",
            "custom": [],
        },
        "product": {
            "manufacturer": "Maker Inc",
            "name": "Server 240",
            "part_number": "S-240",
            "version": "1.0",
            "serial": "PS-1",
            "asset_tag": "AT-1",
            "custom": [],
        },
    }
    assert result["nodes"]["r1n02"]["inventory"]["product"] is None
    assert "history" not in node
    assert [row for row in events("r1n01") if row["what"] == "hardware changed"] == []


def test_keeping(rack: list[str], bmcs: Bmcs) -> None:
    first = three_runs("bios_inventory", nodes=["rack1"], store=True)
    assert first["diff"]["before"] == {"r1n01": {}, "r1n02": {}}
    assert first["diff"]["after"]["r1n01"]["product.serial"] == "PS-1"
    assert first["diff"]["after"]["r1n02"]["controller.firmware"] == "1.02"
    assert FOUND.board is not None
    bmcs[FIRST].inventory = replace(FOUND, board=replace(FOUND.board, serial="BS-2"), chassis=None)
    second = three_runs("bios_inventory", nodes=["rack1"], store=True)
    assert second["summary"]["changed"] == 1
    assert second["nodes"]["r1n01"]["before"] == {
        "board.serial": "BS-1",
        "chassis.custom": ["Rail kit"],
        "chassis.kind": "Rack Mount Chassis",
        "chassis.part_number": "SC-1U",
        "chassis.serial": "CS-1",
    }
    assert second["nodes"]["r1n01"]["after"]["chassis.serial"] is None
    told = [row for row in events("r1n01") if row["what"] == "hardware changed"]
    assert json.loads(told[1]["after"])["board.serial"] == "BS-2"
    assert len(told) == 2


def test_warnings_about_the_reading_are_no_change(rack: list[str], bmcs: Bmcs) -> None:
    ok("bios_inventory", nodes=["r1n01"], store=True)
    bmcs[FIRST].inventory = replace(FOUND, warnings=())
    assert ok("bios_inventory", nodes=["r1n01"], store=True)["changed"] is False


def test_parts_that_could_not_be_read_are_not_gone(rack: list[str], bmcs: Bmcs) -> None:
    ok("bios_inventory", nodes=["r1n01"], store=True)
    told = ("the FRU data cannot be read: scripted",)
    bmcs[FIRST].inventory = Inventory(FOUND.controller, UUID, warnings=told, unread=facts.PARTS)
    result = ok("bios_inventory", nodes=["r1n01"], store=True)
    assert result["changed"] is False
    assert result["nodes"]["r1n01"]["inventory"]["product"] is None
    assert result["nodes"]["r1n01"]["warnings"] == [
        *told,
        *(f"of the {part}, what could not be read is kept as it was stored" for part in facts.PARTS),
    ]
    assert kept() == FOUND.document()


def test_what_is_told_of_a_part_that_is_doubtful_is_kept(rack: list[str], bmcs: Bmcs) -> None:
    """Checksums are wrong for good on some machines: a new serial number is new, one that is missing is not gone."""
    ok("bios_inventory", nodes=["r1n01"], store=True)
    bmcs[FIRST].inventory = replace(FOUND, product=Product(serial="PS-2"), chassis=None, unread=("product",))
    result = ok("bios_inventory", nodes=["r1n01"], store=True, diff=True)
    assert result["diff"]["after"]["r1n01"]["product.serial"] == "PS-2"
    assert (kept()["serial"], kept()["product"]["name"], kept()["chassis"]) == ("PS-2", "Server 240", None)


def kept() -> dict[str, Any]:
    """What the database has of r1n01."""
    found: dict[str, Any] = ok("bios_inventory", nodes=["r1n01"], read=False)["nodes"]["r1n01"]["inventory"]
    return found


def test_history(rack: list[str], bmcs: Bmcs) -> None:
    for number in range(4):
        bmcs[FIRST].inventory = replace(FOUND, controller=replace(FOUND.controller, firmware=f"2.{number}"))
        ok("bios_inventory", nodes=["r1n01"], store=True)
    found = ok("bios_inventory", nodes=["rack1"], history=2)["nodes"]
    assert [one["inventory"]["controller"]["firmware"] for one in found["r1n01"]["history"]] == ["2.3", "2.2"]
    assert found["r1n01"]["history"][0]["at"].endswith("Z")
    assert found["r1n02"]["history"] == []


def test_what_is_kept_is_told_without_the_machines(rack: list[str], bmcs: Bmcs) -> None:
    ok("bios_inventory", nodes=["r1n01"], store=True)
    bmcs.clear()
    found = ok("bios_inventory", nodes=["rack1"], read=False, history=3)
    assert found["changed"] is False
    assert found["nodes"]["r1n01"]["inventory"]["serial"] == "PS-1"
    assert len(found["nodes"]["r1n01"]["history"]) == 1
    assert (found["nodes"]["r1n02"]["inventory"], found["nodes"]["r1n02"]["history"]) == (None, [])
    assert found["summary"]["ok_range"] == "r1n[01-02]"


def warned(nodes: list[str]) -> list[str]:
    """What the task warns of; AnsibleModule collects the warnings of a whole process."""
    defaults = {name: about.get("default") for name, about in ARGUMENT_SPEC.to_kwargs()["argument_spec"].items()}
    result = execute(bios_inventory, {**defaults, "nodes": nodes}, check_mode=False, diff=True)
    found: list[str] = result["warnings"]
    return found


DIFFERENT = {
    "system.serial": ("PS-9", "PS-1"),
    "system.uuid": ("aaaabbbb-3333-4444-5555-666600000001", UUID),
    "system.manufacturer": ("Other", "Maker Inc"),
    "system.model": ("Server 9", "Server 240"),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_machine_that_may_be_another(rack: list[str], name: str) -> None:
    wanted, found = DIFFERENT[name]
    ok("node", name="r1n01", attributes={name: wanted})
    result = ok("bios_inventory", nodes=["rack1"])
    sentence = (
        f"r1n01: {name} is {wanted} in the node database, but the machine says {found}; was the machine replaced?"
    )
    assert sentence in result["nodes"]["r1n01"]["warnings"]
    assert warned(["rack1"]) == [sentence]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("system.serial", "CS-1"),
        ("system.serial", "bs-1"),
        ("system.uuid", "22221111-3333-4444-5555-666600000001"),
        ("system.manufacturer", "maker  inc"),
        ("system.manufacturer", "Maker"),
        ("system.model", "S-240"),
        ("system.model", "Board 2"),
    ],
)
def test_machine_that_is_the_same(rack: list[str], bmcs: Bmcs, name: str, value: str) -> None:
    """Any of its serial numbers, names and models; a UUID sent the other way round; case and blanks do not count."""
    ok("node", name="r1n01", attributes={name: value})
    assert warned(["r1n01"]) == []


def test_many_warnings_are_counted(bmcs: Bmcs, monkeypatch: pytest.MonkeyPatch) -> None:
    names = make_rack(5)
    monkeypatch.setattr(
        "ansible_collections.stage0.metal.plugins.module_utils._operations.bios_inventory.MOST_WARNINGS", 2
    )
    for address in bmcs:
        bmcs[address].inventory = replace(FOUND, uuid="aaaabbbb-3333-4444-5555-666600000001")
    assert warned(names)[2:] == ["3 more differences, see warnings of the nodes"]


def test_node_that_does_not_answer_keeps_what_it_had(rack: list[str], bmcs: Bmcs) -> None:
    ok("bios_inventory", nodes=["rack1"], store=True)
    bmcs[FIRST].faults["inventory"] = [MetalError(ErrorCode.AUTH, "scripted")]
    assert ok("bios_inventory", nodes=["rack1"], store=True, max_failed="1")["changed"] is False
    assert ok("bios_inventory", nodes=["r1n01"], read=False)["nodes"]["r1n01"]["inventory"]["serial"] == "PS-1"


def test_what_was_read_is_told_though_it_cannot_be_kept(rack: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    cannot_write(monkeypatch)
    result, warnings = support.warned("bios_inventory", nodes=["rack1"], store=True)
    assert result["nodes"]["r1n01"]["inventory"]["serial"] == "PS-1"
    assert warnings == [
        "what was read of r1n[01-02] is not kept in the node database: the database is locked;"
        " run the task again once it can be written"
    ]


PARTS: dict[str, Any] = {"parts": {"DIMM 1": {"Serial Number": "M-1"}}, "firmware": {"BIOS": {"version": "1.2"}}}


class Makers(ScriptedDriver):
    """What a maker's extensions tell, by BMC address; others have none."""

    told: dict[str, Any]

    async def parts(self, target: Target, seconds: float) -> dict[str, dict[str, Any]]:
        """What is told."""
        await self._begin(target, "parts")
        found: dict[str, dict[str, Any]] = self.told[target.address]
        return found


@pytest.fixture
def makers(rack: list[str], bmcs: Bmcs, monkeypatch: pytest.MonkeyPatch) -> Makers:
    made = Makers(bmcs)
    made.told = {FIRST: PARTS, "10.2.1.2": {"parts": {}, "firmware": {}}}
    use_driver(monkeypatch, lambda: made)
    return made


def test_what_makers_tell(makers: Makers, bmcs: Bmcs) -> None:
    assert "oem" not in ok("bios_inventory", nodes=["rack1"])["nodes"]["r1n01"]["inventory"]
    assert bmcs[FIRST].count("parts") == 0
    first = three_runs("bios_inventory", nodes=["rack1"], store=True, oem=True)
    assert first["nodes"]["r1n01"]["inventory"]["oem"] == PARTS
    assert first["nodes"]["r1n01"]["after"]["oem.parts.DIMM 1.Serial Number"] == "M-1"
    makers.told[FIRST] = {**PARTS, "firmware": {"BIOS": {"version": "1.3"}}}
    second = three_runs("bios_inventory", nodes=["rack1"], store=True, oem=True)
    assert second["diff"]["after"] == {"r1n01": {"oem.firmware.BIOS.version": "1.3"}}
    assert ok("bios_inventory", nodes=["r1n01"], read=False)["nodes"]["r1n01"]["inventory"]["oem"] == makers.told[FIRST]


def test_what_is_not_read_of_makers_is_not_gone(makers: Makers, bmcs: Bmcs) -> None:
    ok("bios_inventory", nodes=["rack1"], store=True, oem=True)
    assert ok("bios_inventory", nodes=["rack1"], store=True)["changed"] is False
    bmcs[FIRST].faults["parts"] = [MetalError(ErrorCode.TIMEOUT, "no answer from the BMC within 20 s")]
    result = ok("bios_inventory", nodes=["rack1"], store=True, oem=True)
    assert result["changed"] is False
    assert result["nodes"]["r1n01"]["warnings"][-1] == (
        "what the maker's extensions tell could not be read: no answer from the BMC within 20 s"
    )
    bmcs[FIRST].inventory = replace(FOUND, uuid=None)
    ok("bios_inventory", nodes=["rack1"], store=True)
    assert ok("bios_inventory", nodes=["r1n01"], read=False)["nodes"]["r1n01"]["inventory"]["oem"] == PARTS


def test_a_driver_without_makers_extensions(makers: Makers) -> None:
    makers.capabilities = frozenset(Capability) - {Capability.PARTS}
    warnings = ok("bios_inventory", nodes=["r1n01"], oem=True)["nodes"]["r1n01"]["warnings"]
    assert "the driver scripted cannot do parts" in warnings[-1]


def test_refused(rack: list[str]) -> None:
    assert refused("bios_inventory", nodes=["rack1"], read=False, store=True)["msg"] == (
        "store: true needs read: true; there is nothing new to keep"
    )
    assert refused("bios_inventory", nodes=["rack1"], read=False, oem=True)["msg"] == (
        "oem: true needs read: true; what was kept of it is shown anyway"
    )
    assert refused("bios_inventory", nodes=["rack1"], history=-1)["msg"] == (
        "history: -1 is no number of inventories; 0 is the least"
    )
