# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which addresses subnets, ranges and single addresses mean."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.addresses import addresses
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from hypothesis import given
from hypothesis import strategies as st

MOST = 1000
FORMS = "a subnet as in 10.2.0.0/16, a range as in 10.2.0.1-10.2.3.254, an address"
MEANT: dict[tuple[str, ...], list[str]] = {
    ("10.2.0.0/30",): ["10.2.0.1", "10.2.0.2"],
    ("10.2.0.0/31",): ["10.2.0.0", "10.2.0.1"],
    ("10.2.0.7/32",): ["10.2.0.7"],
    ("10.2.0.9-10.2.0.11",): ["10.2.0.9", "10.2.0.10", "10.2.0.11"],
    ("10.2.0.254 - 10.2.1.1",): ["10.2.0.254", "10.2.0.255", "10.2.1.0", "10.2.1.1"],
    (" 10.2.0.3 ", ""): ["10.2.0.3"],
    ("10.2.0.3", "10.2.0.0/29", "10.2.0.2-10.2.0.7"): [f"10.2.0.{number}" for number in range(1, 8)],
    ("FD00:0::5", "10.2.0.3", "fd00::/126"): ["10.2.0.3", "fd00::1", "fd00::2", "fd00::3", "fd00::5"],
    ("fd00::8/127",): ["fd00::8", "fd00::9"],
    ("fd00::1-fd00::3",): ["fd00::1", "fd00::2", "fd00::3"],
}


@pytest.mark.parametrize("wanted", MEANT)
def test_what_is_meant(wanted: tuple[str, ...]) -> None:
    assert addresses(wanted, MOST) == MEANT[wanted]


REFUSED: dict[tuple[str, ...], str] = {
    ("10.0.0.0/8",): "10.0.0.0/8 means 16777214 addresses, more than max_addresses 1000; is the prefix right?",
    (
        "fd00::/64",
    ): "fd00::/64 means 18446744073709551615 addresses, more than max_addresses 1000; is the prefix right?",
    ("10.2.0.5/24",): "'10.2.0.5/24' has host bits set; the subnet is 10.2.0.0/24",
    ("10.2.0.9-10.2.0.1",): "'10.2.0.9-10.2.0.1' descends; write 10.2.0.1-10.2.0.9",
    (): "the list is empty; name a subnet, a range or an address",
    ("",): "the list is empty; name a subnet, a range or an address",
    **{
        (text,): f"{text!r} is none of these: {FORMS}"
        for text in (
            "10.2.0.0/33",
            "10.2.0.0/",
            "10.2.0.0/-1",
            "10.2.0.0/255.255.255.0",
            "10.2",
            "17",
            "010.2.0.1",
            "10.2.0.1-20",
            "10.2.0.1-10.2.0.2-10.2.0.3",
            "10.2.0.1-fd00::1",
            "fe80::1%eth0",
            "bmc1.example.com",
            "10.2.0.0/" + "9" * 5000,
            "-",
        )
    },
}


@pytest.mark.parametrize("wanted", REFUSED)
def test_what_is_refused(wanted: tuple[str, ...]) -> None:
    with pytest.raises(MetalError) as caught:
        addresses(wanted, MOST)
    assert caught.value.code is ErrorCode.INVALID
    assert caught.value.message == f"networks: {REFUSED[wanted]}"


@given(st.ip_addresses(v=4), st.integers(23, 32))
def test_as_pythons_own_library_has_it(address: ipaddress.IPv4Address, prefix: int) -> None:
    network = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
    assert addresses([str(network)], MOST) == [str(host) for host in network.hosts()]
    first, last = network[0], network[-1]
    assert addresses([f"{first}-{last}", str(first)], MOST) == [str(one) for one in network]


def refusal(text: str) -> str | None:
    try:
        addresses([text], MOST)
    except MetalError as error:
        return error.message
    return None


@given(st.text(alphabet="0123456789./-:%abf \u0663"))
def test_any_text(text: str) -> None:
    assert (refusal(text) or "networks: ").startswith("networks: ")
