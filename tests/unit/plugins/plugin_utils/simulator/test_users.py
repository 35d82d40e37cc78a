# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import struct

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.bmc_data import Account
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.console import (
    Clock,
    Console,
    Refused,
    make_bmc,
)

OPERATOR = Account(b"ops", b"op", 3)
DISABLED = Account(b"off", b"off", 4, enabled=False)


def administrator() -> Console:
    bmc, _switch = make_bmc(accounts=(OPERATOR, DISABLED))
    return Console(bmc).log_in().administrator()


def log_in(console: Console, user: bytes, password: bytes, role: int = 0x13) -> Console:
    other = Console(console.bmc, user=user, password=password)
    other.role = role
    return other.log_in()


def status(console: Console, user: bytes, password: bytes, role: int = 0x13) -> int:
    with pytest.raises(Refused) as caught:
        log_in(console, user, password, role)
    return caught.value.status


def test_names_are_set_read_and_refused() -> None:
    console = administrator()
    assert console.command(6, 0x46, b"\x02") == (0, b"admin".ljust(16, b"\0"))
    assert console.command(6, 0x45, b"\x05" + b"new".ljust(16, b"\0")) == (0, b"")
    assert console.command(6, 0x46, b"\x05") == (0, b"new".ljust(16, b"\0"))
    assert console.command(6, 0x45, b"\x06" + b"new".ljust(16, b"\0")) == (0xCC, b"")
    assert console.command(6, 0x45, b"\x01" + b"new".ljust(16, b"\0")) == (0xCC, b"")
    assert console.command(6, 0x45, b"\x0b" + b"x".ljust(16, b"\0")) == (0xCC, b"")
    assert console.command(6, 0x45, b"\x05" + bytes(16)) == (0, b"")
    assert console.command(6, 0x46, b"\x05") == (0, bytes(16))


@pytest.mark.parametrize(("size", "length"), [(0x00, 16), (0x80, 20)])
def test_a_password_is_set_and_tested(size: int, length: int) -> None:
    console = administrator()
    other = {16: (0x80, 20), 20: (0x00, 16)}[length]

    def change(operation: int, password: bytes, form: tuple[int, int]) -> tuple[int, bytes]:
        return console.command(6, 0x47, bytes((3 | form[0], operation)) + password.ljust(form[1], b"\0"))

    assert change(2, b"new secret", (size, length)) == (0, b"")
    assert change(3, b"new secret", (size, length)) == (0, b"")
    assert change(3, b"new secreT", (size, length)) == (0x80, b"")
    assert change(3, b"new secret", other) == (0x81, b"")
    assert console.command(6, 0x47, bytes((3 | size, 2)) + bytes(length - 1)) == (0xC7, b"")
    assert status(console, b"ops", b"op") == 0x0F
    assert log_in(console, b"ops", b"new secret").command(0, 1)[0] == 0


def test_an_account_is_disabled_enabled_and_limited() -> None:
    console = administrator()
    assert status(console, b"off", b"off", 0x14) == 0x0D
    assert console.command(6, 0x44, b"\x01\x04") == (0, bytes((10, 0x82, 1, 0x14)))
    assert console.command(6, 0x47, b"\x04\x01") == (0, b"")
    assert console.command(6, 0x44, b"\x01\x04") == (0, bytes((10, 0x43, 1, 0x14)))
    assert console.command(6, 0x43, b"\x91\x04\x02") == (0, b"")
    assert console.command(6, 0x44, b"\x01\x04")[1][3] == 0x12
    assert status(console, b"off", b"off", 0x14) == 0x0A
    user = log_in(console, b"off", b"off", 0x12)
    assert user.command(0, 2, b"\x01") == (0xD4, b"")
    assert user.command(6, 0x3B, b"\x03") == (0x81, b"")
    assert console.command(6, 0x43, b"\x81\x04\x02") == (0, b"")
    assert status(console, b"off", b"off", 0x12) == 0x0D
    assert console.command(6, 0x43, b"\x91\x04\x0f") == (0, b"")
    assert status(console, b"off", b"off", 0x12) == 0x0A
    assert console.command(6, 0x43, b"\x91\x04\x07") == (0xCC, b"")
    assert console.command(6, 0x47, b"\x04\x00") == (0, b"")
    assert status(console, b"off", b"off", 0x12) == 0x0D


def test_look_up_by_name_and_privilege() -> None:
    console = administrator()
    assert log_in(console, b"ops", b"op", 0x03).command(0, 1)[0] == 0
    assert status(console, b"ops", b"op", 0x02) == 0x0D
    assert log_in(console, b"ops", b"op", 0x02 | 0x10).command(0, 1)[0] == 0
    highest = log_in(console, b"ops", b"op", 0x00)
    assert highest.command(6, 0x3B, b"\x03") == (0, b"\x03")
    assert highest.command(6, 0x3B, b"\x04") == (0x81, b"")


def test_the_channel_limits_everybody() -> None:
    console = administrator()
    assert console.command(6, 0x41, b"\x0e\x80") == (0, b"\x22\x04")
    assert console.command(6, 0x40, b"\x01\x82\x83") == (0, b"")
    assert console.command(6, 0x41, b"\x01\x40") == (0, b"\x22\x03")
    assert status(console, b"admin", b"secret", 0x14) == 0x0A
    assert console.command(6, 0x41, b"\x07\x40") == (0xCC, b"")


def test_operators_do_not_change_accounts() -> None:
    console = log_in(administrator(), b"ops", b"op")
    assert console.command(6, 0x3B, b"\x03") == (0, b"\x03")
    for command, data in ((0x43, bytes(3)), (0x45, bytes(17)), (0x47, bytes(18)), (0x02, b"")):
        assert console.command(6, command, data) == (0xD4, b"")


@pytest.mark.parametrize("suite", [3, 17])
def test_the_bmcs_key_is_needed_beside_the_password(suite: int) -> None:
    key = bytes(range(20))
    bmc, _switch = make_bmc(k_g=key)
    assert Console(bmc, suite, k_g=key).log_in().command(0, 1)[0] == 0
    with pytest.raises(AssertionError):
        Console(bmc, suite).log_in()


def test_what_is_counted_of_log_ins() -> None:
    clock = Clock()
    bmc, _switch = make_bmc("wrong_password", clock=clock)
    for _turn in range(2):
        with pytest.raises(Refused):
            Console(bmc).log_in()
    count = bmc.counters
    assert (count.log_ins, count.wrong_passwords, bmc.sessions.half_open()) == (2, 0, 2)
    clock.now += 61
    bmc.sessions.expire()
    assert (count.unfinished, count.sessions_expired, bmc.sessions.half_open()) == (2, 0, 0)
    stubborn = Console(bmc)
    stubborn.open()
    answer = stubborn.exchange(0x12, stubborn.rakp1_message())
    assert answer is not None
    refused = stubborn.exchange(0x14, stubborn.rakp3_message(answer[8:24]))
    assert refused is not None
    assert refused[1] == 0x0F
    assert (count.log_ins, count.wrong_passwords, count.given_up) == (3, 1, 0)
    polite = Console(bmc)
    polite.open()
    polite.exchange(0x12, polite.rakp1_message())
    polite.exchange(0x14, struct.pack("<BBHI", 2, 0x0F, 0, polite.bmc_id))
    assert (count.log_ins, count.wrong_passwords, count.given_up) == (4, 1, 1)


def test_locked_after_so_many_tries() -> None:
    bmc, _switch = make_bmc("locked:1")
    assert Console(bmc).log_in().command(0, 1)[0] == 0
    console = Console(bmc)
    console.open()
    answer = console.exchange(0x12, console.rakp1_message())
    assert answer is not None
    console.password = b"wrong"
    console.exchange(0x14, console.rakp3_message(answer[8:24]))
    with pytest.raises(Refused) as caught:
        Console(bmc).log_in()
    assert caught.value.status == 0x0D
    assert bmc.counters.refused_log_ins == 1
