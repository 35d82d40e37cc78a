# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The scripts for the BMC's own network (IPMI v2.0, chapter 23): the order of what is set, and how it ends."""

from __future__ import annotations

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import lan
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.script import Request
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Attempt
from ansible_collections.stage0.metal.plugins.module_utils._drivers.managing import AddressSource, BmcNetwork
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.play import Player, attempt, noise, run
from hypothesis import given
from hypothesis import strategies as st

PROGRESS, ADDRESS, SOURCE, MAC, NETMASK, GATEWAY, VLAN = 0, 3, 4, 5, 6, 12, 20
STATIC, DHCP = 1, 2
FIXED = BmcNetwork(AddressSource.STATIC, "10.2.1.1", "255.255.0.0", "10.2.0.1", 12)


class Lan:
    """The parameters of a BMC that gives address, netmask and gateway to nobody but DHCP while that is on.

    ``refusals``: parameter to the completion code by which it is refused. ``wrote``: the numbers and values taken.
    """

    def __init__(self, source: int = STATIC, **refusals: int) -> None:
        self.values = {
            PROGRESS: b"\0",
            ADDRESS: b"\x0a\x02\xc8\x11",
            SOURCE: bytes((source,)),
            MAC: bytes.fromhex("565400000001"),
            NETMASK: b"\xff\xff\0\0",
            GATEWAY: bytes(4),
            VLAN: bytes(2),
        }
        self.refusals = {int(name[1:]): code for name, code in refusals.items()}
        self.wrote: list[int] = []

    def __call__(self, request: Request) -> bytes | int:
        if request.netfn != 0x0C:
            return 0xC1
        number, value = request.data[1], request.data[2:]
        if request.command == 2:
            return b"\x11" + self.values[number]
        if number == PROGRESS and value == self.values[PROGRESS] == b"\x01":
            return 0x81
        if number in (ADDRESS, NETMASK, GATEWAY) and self.values[SOURCE][0] == DHCP:
            return 0x82
        if number in self.refusals:
            return self.refusals[number]
        self.values[number] = value
        self.wrote.append(number)
        return b""


def refused(wish: BmcNetwork, bmc: Lan) -> tuple[MetalError, BmcNetwork | None]:
    """Set what is refused; return why, and what was sent before."""
    told = Attempt[BmcNetwork]()
    with pytest.raises(MetalError) as caught:
        run(lan.set_network(wish, told), bmc)
    return caught.value, told.sent


@pytest.mark.parametrize("source", [STATIC, DHCP])
def test_to_a_fixed_address_the_source_comes_first(source: int) -> None:
    bmc, told = Lan(source), Attempt[BmcNetwork]()
    run(lan.set_network(FIXED, told), bmc)
    assert bmc.wrote == [PROGRESS, SOURCE, NETMASK, GATEWAY, VLAN, ADDRESS, PROGRESS]
    assert bmc.values[PROGRESS] == b"\0"
    assert told.sent == FIXED
    assert run(lan.network(), bmc) == BmcNetwork(*_values(FIXED), mac="56:54:00:00:00:01")


def _values(wish: BmcNetwork) -> tuple[AddressSource | None, str | None, str | None, str | None, int | None]:
    return wish.source, wish.address, wish.netmask, wish.gateway, wish.vlan


def test_to_dhcp_the_source_comes_last() -> None:
    bmc = Lan()
    run(lan.set_network(BmcNetwork(AddressSource.DHCP, vlan=0), Attempt()), bmc)
    assert bmc.wrote == [PROGRESS, VLAN, SOURCE, PROGRESS]


def test_what_is_refused_on_the_way_takes_the_mark_back() -> None:
    bmc = Lan(_12=0x80)
    error, sent = refused(FIXED, bmc)
    assert error.code is ErrorCode.UNSUPPORTED
    assert sent == BmcNetwork(AddressSource.STATIC, netmask="255.255.0.0")
    assert (bmc.wrote[-1], bmc.values[PROGRESS]) == (PROGRESS, b"\0")


def test_what_is_refused_at_first_has_changed_nothing() -> None:
    bmc = Lan(DHCP)
    error, sent = refused(BmcNetwork(netmask="255.0.0.0"), bmc)
    assert error.message == "the BMC's LAN parameter 6 can only be read"
    assert sent is None
    assert bmc.values[PROGRESS] == b"\0"


def test_what_may_have_been_set_was_sent() -> None:
    assert refused(BmcNetwork(netmask="255.0.0.0"), Lan(_6=0xC3))[1] == BmcNetwork(netmask="255.0.0.0")


def test_somebody_else_who_sets_it_up_is_not_disturbed() -> None:
    bmc = Lan()
    bmc.values[PROGRESS] = b"\x01"
    error, sent = refused(FIXED, bmc)
    assert (error.code, error.message) == (ErrorCode.BUSY, "somebody else is setting up the BMC's network")
    assert (sent, bmc.wrote) == (None, [])


def test_bmc_that_has_no_such_mark() -> None:
    bmc = Lan(_0=0x80)
    player = Player(bmc)
    player.run(lan.set_network(FIXED, Attempt()))
    assert bmc.wrote == [SOURCE, NETMASK, GATEWAY, VLAN, ADDRESS]


REPLIES = st.lists(
    st.tuples(st.sampled_from([0, 0, 0, 0x80, 0x81, 0x82, 0xC0, 0xC1, 0xC3, 0xD4]), st.binary(max_size=8)),
    min_size=1,
    max_size=20,
)


@given(REPLIES)
def test_any_answers_end_in_a_value_or_an_error(replies: list[tuple[int, bytes]]) -> None:
    assert isinstance(attempt(lan.network(), noise(replies)), BmcNetwork | MetalError)
    assert isinstance(attempt(lan.set_network(FIXED, Attempt()), noise(replies)), MetalError | None)
