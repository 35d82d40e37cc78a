# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Scripts for accounts: with a simulated BMC, log-ins included, and with answers that BMCs are known to give."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import users
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.login import Level
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.script import Reply, Request, Script
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import PowerState
from ansible_collections.stage0.metal.plugins.module_utils._drivers.managing import (
    AccountLevel,
    AccountWish,
    BmcAccount,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.bmc import Bmc
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.bmc_data import Account
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.line import conversation, talk, wire_to
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.console import make_bmc
from hypothesis import given
from hypothesis import strategies as st

ADMINISTRATOR = AccountLevel.ADMINISTRATOR
OPERATOR = Account(b"ops", b"op", 3)
CLOSED = Account(b"off", b"off", 4, enabled=False)


def do(bmc: Bmc, program: Callable[[], Script[Any]], user: str = "admin", password: str = "secret") -> Any:
    return talk(wire_to(bmc), conversation(program, Level.ADMINISTRATOR, user=user, password=password))


def named(bmc: Bmc) -> list[BmcAccount]:
    return [each for each in do(bmc, users.accounts) if each.name]


def make(bmc: Bmc, name: str, password: str | None, level: AccountLevel = ADMINISTRATOR, present: bool = True) -> None:
    do(bmc, partial(users.set_account, AccountWish(name, password, level, present)))


def let_in(bmc: Bmc, user: str, password: str) -> bool:
    try:
        return talk(wire_to(bmc), conversation(user=user, password=password)) in PowerState
    except MetalError as exc:
        return exc.code is not ErrorCode.AUTH


def test_accounts_and_the_places_for_new_ones() -> None:
    bmc, _switch = make_bmc(accounts=(OPERATOR, CLOSED))
    listed = do(bmc, users.accounts)
    assert listed[:5] == (
        BmcAccount(1, "", AccountLevel.NONE, False),
        BmcAccount(2, "admin", ADMINISTRATOR, True),
        BmcAccount(3, "ops", AccountLevel.OPERATOR, True),
        BmcAccount(4, "off", ADMINISTRATOR, False),
        BmcAccount(5, "", AccountLevel.NONE, False, free=True),
    )
    assert [each.free for each in listed] == [False] * 4 + [True] * 6


@pytest.mark.parametrize("password", ["p", "p" * 16, "p" * 17, "p" * 20, "schlüssel"])
def test_an_account_is_made_changed_and_removed(password: str) -> None:
    bmc, _switch = make_bmc(accounts=(OPERATOR,))
    make(bmc, "new", password, AccountLevel.USER)
    assert named(bmc)[2] == BmcAccount(4, "new", AccountLevel.USER, True)
    assert let_in(bmc, "new", password)
    make(bmc, "new", None)
    assert named(bmc)[2].level is ADMINISTRATOR
    assert let_in(bmc, "new", password)
    make(bmc, "new", "another")
    assert (let_in(bmc, "new", password), let_in(bmc, "new", "another")) == (False, True)
    make(bmc, "new", None, AccountLevel.NONE, present=False)
    assert [each.name for each in named(bmc)] == ["admin", "ops"]
    assert not let_in(bmc, "new", "another")
    make(bmc, "new", None, AccountLevel.NONE, present=False)
    assert bmc.counters.wrong_passwords == 0


def test_a_disabled_account_is_enabled() -> None:
    bmc, _switch = make_bmc(accounts=(CLOSED,))
    make(bmc, "off", None)
    assert let_in(bmc, "off", "off")


def test_our_own_password_changes_within_the_session() -> None:
    bmc, _switch = make_bmc()
    make(bmc, "admin", "changed")
    assert let_in(bmc, "admin", "changed")
    assert not let_in(bmc, "admin", "secret")


def test_no_place_is_left() -> None:
    bmc, _switch = make_bmc(accounts=tuple(Account(f"u{number}".encode(), b"x") for number in range(8)))
    with pytest.raises(MetalError) as caught:
        make(bmc, "new", "password")
    assert (caught.value.code, caught.value.message) == (
        ErrorCode.CONFLICT,
        "the BMC has no free account: all 10 are taken",
    )


def test_a_new_account_needs_a_password() -> None:
    bmc, _switch = make_bmc()
    with pytest.raises(MetalError) as caught:
        make(bmc, "new", None)
    assert caught.value.code is ErrorCode.MISSING
    assert [each.name for each in named(bmc)] == ["admin"]


class Slots:
    """A BMC with three slots. ``refuse``: what it answers, by command, or by command and the first bytes of the data."""

    def __init__(self, **refuse: int) -> None:
        self.refuse = {tuple(bytes.fromhex(key[1:])): code for key, code in refuse.items()}
        self.access = {1: (0x83, 0x1F), 2: (0x43, 0x14), 3: (0x83, 0x1F)}
        self.names = {1: b"", 2: b"admin", 3: b""}
        self.requests: list[tuple[int, bytes]] = []

    def __call__(self, request: Request) -> Reply:
        self.requests.append((request.command, request.data))
        said = (request.command, *request.data)
        for beginning, code in self.refuse.items():
            if said[: len(beginning)] == beginning:
                return Reply(code, b"")
        if request.command == 0x42:
            return Reply(0, bytes((1, 4, 1, 0x80)))
        if request.command == 0x44:
            return Reply(0, bytes((3, self.access[request.data[1]][0], 1, self.access[request.data[1]][1])))
        if request.command == 0x45:
            self.names[request.data[0]] = request.data[1:].rstrip(b"\0")
        return Reply(0, self.names[request.data[0] & 0x3F].ljust(16, b"\0") if request.command == 0x46 else b"")

    def run(self, script: Script[Any]) -> Any:
        step = next(script)
        try:
            while True:
                step = script.send(self(step) if isinstance(step, Request) else Reply(0, b""))
        except StopIteration as end:
            return end.value

    def changes(self) -> list[tuple[int, bytes]]:
        return [(command, data) for command, data in self.requests if command in (0x43, 0x45, 0x47)]


def test_a_slot_that_the_bmc_does_not_know_is_neither_an_account_nor_free() -> None:
    listed = Slots(x440103=0xCC).run(users.accounts())
    assert [each.number for each in listed] == [1, 2]
    assert [each.number for each in Slots(x4603=0xCC).run(users.accounts()) if each.free] == [3]


@pytest.mark.parametrize(("slot", "code"), [("x4602", 0xC0), ("x4602", 0xC3), ("x4602", 0xD4), ("x440102", 0xD5)])
def test_an_account_that_cannot_be_read_now_is_not_taken_for_free(slot: str, code: int) -> None:
    bmc = Slots(**{slot: code})
    with pytest.raises(MetalError):
        bmc.run(users.set_account(AccountWish("new", "password", ADMINISTRATOR)))
    assert bmc.changes() == []


def test_an_account_that_may_not_use_the_network_is_given_the_way() -> None:
    bmc = Slots()
    bmc.access[2] = (0x43, 0x04)
    assert bmc.run(users.accounts())[1].enabled is False
    bmc.run(users.set_account(AccountWish("admin", None, ADMINISTRATOR)))
    assert bmc.changes() == [(0x43, bytes((0xB1, 2, 4, 0))), (0x47, bytes((2, 1)))]


def test_a_level_that_is_right_is_not_set_again() -> None:
    """The user root of Intel's BMCs refuses to be given the level that it has."""
    bmc = Slots(x43=0xCC)
    bmc.run(users.set_account(AccountWish("admin", "password", ADMINISTRATOR)))
    assert bmc.changes() == [(0x47, bytes((2, 2)) + b"password".ljust(16, b"\0"))]


def test_a_bmc_that_wants_a_password_to_enable_a_user() -> None:

    class Wanting(Slots):
        def __call__(self, request: Request) -> Reply:
            short = request.command == 0x47 and len(request.data) < 18
            self.refuse = {(0x47,): 0xC7} if short else {}
            return super().__call__(request)

    bmc = Wanting()
    bmc.run(users.set_account(AccountWish("new", "password", ADMINISTRATOR)))
    assert bmc.changes()[-1] == (0x47, bytes((3, 1)) + bytes(16))


def test_a_password_too_long_for_the_bmc_leaves_nothing_behind() -> None:
    for slot in (2, 3):
        bmc = Slots(**{f"x47{0x80 | slot:02x}": 0xC7})
        name = "admin" if slot == 2 else "new"
        with pytest.raises(MetalError) as caught:
            bmc.run(users.set_account(AccountWish(name, "p" * 17, ADMINISTRATOR)))
        assert caught.value.code is ErrorCode.UNSUPPORTED
        assert caught.value.message.startswith("the BMC takes no password of 17 bytes, but perhaps one of 16: ")
        assert bmc.names == {1: b"", 2: b"admin", 3: b""}


def test_busy_is_not_taken_for_too_long() -> None:
    with pytest.raises(MetalError) as caught:
        Slots(x4782=0xC3).run(users.set_account(AccountWish("admin", "p" * 17, ADMINISTRATOR)))
    assert caught.value.code is ErrorCode.TIMEOUT


def test_a_place_that_nobody_can_use_is_taken_first() -> None:
    bmc = Slots()
    bmc.access[2] = (0x43, 0x14)
    bmc.names[2] = b""
    bmc.run(users.set_account(AccountWish("new", "password", ADMINISTRATOR)))
    assert bmc.names == {1: b"", 2: b"", 3: b"new"}


def test_an_account_goes_even_if_its_name_stays() -> None:
    bmc = Slots(x45=0xCC)
    bmc.run(users.set_account(AccountWish("admin", None, AccountLevel.NONE, present=False)))
    assert bmc.changes()[:2] == [(0x47, bytes((2, 0))), (0x43, bytes((0xB1, 2, 15, 0)))]


def test_passwords_are_not_shown() -> None:
    assert "hidden" not in repr(AccountWish("name", "hidden", ADMINISTRATOR))


answers = st.lists(st.tuples(st.sampled_from([0, 0, 0, 0, 0xC1, 0xCC, 0xD4]), st.binary(max_size=24)), max_size=200)


@given(answers=answers, name=st.sampled_from(["admin", "new"]), present=st.booleans())
def test_any_bytes_come_to_an_end(answers: list[tuple[int, bytes]], name: str, present: bool) -> None:
    replies = iter(answers)
    for script in (users.accounts(), users.set_account(AccountWish(name, "p" * 17, ADMINISTRATOR, present))):
        asked = 0
        try:
            step = next(script)
            while True:
                asked += 1
                assert asked < 400
                del step
                step = script.send(Reply(*next(replies, (0, b"\xff" * 24))))
        except (StopIteration, MetalError):
            pass
