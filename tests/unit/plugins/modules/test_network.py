# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module network, run for real."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stage0.metal.tests.unit.support import events, ok, refused, run_module, three_runs


def test_a_network_is_made_changed_and_removed() -> None:
    values = {
        "subnet": "10.1.0.0/16",
        "vlan": 101,
        "gateway": "10.1.0.1",
        "dns": ["10.0.0.53", "10.0.1.53"],
        "ntp": ["ntp1.example.com"],
        "domain": "boot.example.com",
        "dynamic_range": "10.1.200.1-10.1.200.99",
    }
    made = three_runs("network", name="boot", **values)
    assert made["network"] == {"name": "boot", "values": values}
    assert made["diff"]["before"] == {}
    changed = three_runs("network", name="boot", vlan=102, unset=["dynamic_range", "dns"])
    left = {key: value for key, value in values.items() if key not in ("dynamic_range", "dns")}
    assert changed["network"]["values"] == {**left, "vlan": 102}
    assert changed["diff"]["before"]["values"]["vlan"] == 101
    gone = three_runs("network", name="boot", state="absent")
    assert gone["network"] == {}
    assert [event["what"] for event in events("boot")] == ["network added", "network changed", "network removed"]


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({}, "missing", "network boot has no subnet; write one as in 10.1.0.0/16"),
    (
        {"subnet": "10.1.0.1/16"},
        "invalid",
        "network boot: subnet '10.1.0.1/16' has host bits set; the subnet is 10.1.0.0/16",
    ),
    ({"subnet": "10.2.7.0/24"}, "conflict", "network boot 10.2.7.0/24 overlaps network bmc 10.2.0.0/16"),
    (
        {"subnet": "10.1.0.0/24", "gateway": "10.1.0.1", "unset": ["gateway"]},
        "invalid",
        "network boot: gateway is both set and unset",
    ),
    ({"name": "-", "subnet": "10.1.0.0/24"}, "invalid", "'-' cannot be the name of a network: use lower-case letters,"),
    (
        {"subnet": "10.7.0.0/24", "dynamic_range": "10.7.0.9-10.7.0.20"},
        "conflict",
        "n1: net.ip 10.7.0.9 lies in the dynamic range 10.7.0.9-10.7.0.20 of network boot",
    ),
]


@pytest.mark.parametrize(("arguments", "code", "says"), REFUSED)
def test_bad_input_is_one_sentence_and_nothing_is_written(arguments: dict[str, Any], code: str, says: str) -> None:
    ok("network", name="bmc", subnet="10.2.0.0/16")
    ok("node", name="n1", attributes={"net.ip": "10.7.0.9"})
    failed = refused("network", **{"name": "boot", **arguments})
    assert failed["msg"].startswith(says)
    assert failed["error"]["code"] == code
    assert events("boot") == []


def test_a_subnet_cannot_be_unset() -> None:
    result = run_module("network", name="x", unset=["subnet"])
    assert result["failed"] is True
    assert "value of unset must be one or more of: vlan, gateway" in result["msg"]


def test_which_networks_there_are() -> None:
    pool = "10.10.9.1-10.10.9.9"
    ok("network", name="net10", subnet="10.10.0.0/16", dynamic_range=pool)
    ok("network", name="net9", subnet="10.9.0.0/16", dns=["10.0.0.53"], vlan=9)
    found = ok("network_info")
    assert found == {
        "changed": False,
        "networks": {
            "net9": {"subnet": "10.9.0.0/16", "dns": ["10.0.0.53"], "vlan": 9},
            "net10": {"subnet": "10.10.0.0/16", "dynamic_range": pool},
        },
        "count": 2,
    }
    assert list(found["networks"]) == ["net9", "net10"]
    for name in found["networks"]:
        ok("network", name=name, state="absent")
    assert ok("network_info", check=True) == {"changed": False, "networks": {}, "count": 0}


@pytest.mark.parametrize("empty", [{"dns": []}, {"gateway": ""}])
def test_what_is_empty_takes_away(empty: dict[str, Any]) -> None:
    ok("network", name="boot", subnet="10.1.0.0/16", dns=["10.0.0.53"], gateway="10.1.0.1")
    real = three_runs("network", name="boot", **empty)
    assert not empty.keys() & real["network"]["values"].keys()
    assert len(real["network"]["values"]) == 2


def test_the_item_of_a_list_that_is_wrong_is_named() -> None:
    said = refused("network", name="boot", subnet="10.1.0.0/16", dns=["10.0.0.1", "ns1"])["msg"]
    assert said == "network boot: dns 'ns1' is not an IP address; write one as in 10.1.2.3"
