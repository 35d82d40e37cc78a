# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Conversations with a simulated BMC, packet by packet: log-in, loss, repetition, refusal, and that nothing stays open."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import chassis, frames, login
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.login import Level, Wait
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.script import Pause, Reply, Script, ask
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import (
    Attempt,
    BootDevice,
    BootMode,
    BootOverride,
    Lamp,
    PowerAction,
    PowerState,
    PowerStep,
    ResetKind,
    Withdrawn,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.bmc import Bmc
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.bmc_data import Account
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.boot_options import BootOptions
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.faults import FaultSet, parse_fault
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.model_ss240 import SS240
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.line import (
    Losing,
    Wire,
    conversation,
    talk,
    wire_to,
)
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.console import (
    Clock,
    make_bmc,
)

NO_PASSWORD = "the BMC refuses the password of user 'admin'; see bmc.user and bmc.password"
NO_LEVEL = "; give the account that level on the LAN channel, or name another in bmc.user"


def bmc_with(*faults: str, accounts: Iterable[Account] = (), **more: Any) -> Bmc:
    """A BMC with other settings than console.make_bmc gives it."""
    plain, switch = make_bmc()
    clock = more.setdefault("clock", Clock())
    settings = FaultSet(tuple(parse_fault(fault) for fault in faults))
    who = list(accounts) or [Account(b"admin", b"secret")]
    return Bmc(plain.identity, who, switch, BootOptions(clock), settings, model=SS240, **more)


def held(bmc: Bmc) -> int:
    """How many session slots the BMC has given away."""
    return len(bmc.sessions._sessions)


def failure(wire: Wire, **arguments: Any) -> MetalError:
    with pytest.raises(MetalError) as caught:
        talk(wire, conversation(**arguments))
    assert "secret" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("suite", [3, 17, None])
def test_log_in_power_state_close(suite: int | None) -> None:
    bmc, switch = make_bmc()
    wire = wire_to(bmc)
    assert talk(wire, conversation(suite=suite)) is PowerState.OFF
    switch.powered = True
    assert talk(wire, conversation(suite=suite)) is PowerState.ON
    assert held(bmc) == 0
    assert bmc.counters.sessions_closed == 2
    assert len(wire.sent) == 2 * 6, "capabilities, open, two of RAKP, status, close"


def test_a_level_above_user_costs_one_packet_more() -> None:
    bmc, _switch = make_bmc()
    wire = wire_to(bmc)
    talk(wire, conversation(level=Level.ADMINISTRATOR))
    assert len(wire.sent) == 7


def test_a_bmc_without_suite_17_is_met_with_suite_3() -> None:
    bmc = bmc_with(suites=(3,))
    wire = wire_to(bmc)
    assert talk(wire, conversation()) is PowerState.OFF
    assert (len(wire.sent), held(bmc)) == (7, 0)
    error = failure(wire_to(bmc), suite=17)
    assert (error.code, error.message) == (
        ErrorCode.CIPHER,
        "the BMC refuses cipher suite 17; enable one of 17 and 3 on it",
    )
    assert failure(wire_to(bmc_with(suites=(8,)))).message == (
        "the BMC refuses cipher suite 17 and 3; enable one of 17 and 3 on it"
    )


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (8, "MD5 is broken, and no BMC has it that has not suite 3 as well"),
        (12, "MD5 is broken, and no BMC has it that has not suite 3 as well"),
        (0, "it lets anybody in without a password"),
        (1, "what is said is not encrypted"),
        (5, "RC4 is broken"),
    ],
)
def test_other_suites_are_refused_with_a_reason(number: int, why: str) -> None:
    with pytest.raises(MetalError) as caught:
        conversation(suite=number)
    assert caught.value.code is ErrorCode.CIPHER
    assert caught.value.message == f"cipher suite {number} is not used: {why}; say 17 or 3, or leave it out"


@pytest.mark.parametrize("suite", [3, 17])
def test_a_wrong_password_is_seen_before_the_bmc_counts_it(suite: int) -> None:
    bmc, _switch = make_bmc()
    error = failure(wire_to(bmc), password="wrong", suite=suite)
    assert (error.code, error.message) == (ErrorCode.AUTH, NO_PASSWORD)
    assert (bmc.counters.wrong_passwords, bmc.counters.given_up, held(bmc)) == (0, 1, 0)


def test_an_unknown_user() -> None:
    bmc, _switch = make_bmc()
    error = failure(wire_to(bmc), user="nobody")
    assert error.code is ErrorCode.AUTH
    assert error.message == ("the BMC has no user 'nobody', or has locked it or does not let it in; see bmc.user")
    assert held(bmc) == 0


def test_an_account_of_too_low_a_level() -> None:
    bmc = bmc_with(accounts=[Account(b"admin", b"secret", 2)])
    assert talk(wire_to(bmc), conversation()) is PowerState.OFF
    error = failure(wire_to(bmc), level=Level.OPERATOR)
    assert error.code is ErrorCode.PRIVILEGE
    assert error.message == f"the BMC does not give user 'admin' the privilege level OPERATOR{NO_LEVEL}"
    assert held(bmc) == 0


KG = "0x" + "4b" * 20


@pytest.mark.parametrize(
    ("kg", "says"),
    [
        ("", "the BMC has a key of its own (K_g), which bmc.kg does not give"),
        ("another", "the password is right, but the BMC has another key of its own (K_g) than bmc.kg"),
    ],
)
def test_a_key_of_the_bmc_itself(kg: str, says: str) -> None:
    bmc = bmc_with(k_g=b"K" * 20)
    assert talk(wire_to(bmc), conversation(kg=KG)) is PowerState.OFF
    assert talk(wire_to(bmc), conversation(kg="K" * 20)) is PowerState.OFF
    error = failure(wire_to(bmc), kg=kg)
    assert (error.code, error.message) == (ErrorCode.AUTH, says)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"user": "u" * 17}, "the user name 'uuuuuuuuuuuuuuuuu' is longer than IPMI's 16 bytes; see bmc.user"),
        ({"password": "p" * 21}, "the password has 21 bytes, IPMI takes 20; see bmc.password"),
        ({"kg": "0xzz"}, "bmc.kg begins with 0x, but is not hexadecimal"),
        ({"kg": "k" * 21}, "bmc.kg has 21 bytes, IPMI takes 20"),
    ],
)
def test_what_ipmi_has_no_room_for(given: dict[str, Any], says: str) -> None:
    with pytest.raises(MetalError) as caught:
        conversation(**given)
    assert (caught.value.code, caught.value.message) == (ErrorCode.INVALID, says)


def test_the_longest_names_and_passwords() -> None:
    bmc = bmc_with(accounts=[Account(b"u" * 16, b"p" * 20)])
    assert talk(wire_to(bmc), conversation(user="u" * 16, password="p" * 20)) is PowerState.OFF


@pytest.mark.parametrize("suite", [3, 17])
@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("way", ["requests", "replies"])
def test_any_one_packet_may_get_lost(suite: int, number: int, way: str) -> None:
    bmc, _switch = make_bmc()
    lossy: dict[str, Any] = {way: Losing(number)}
    wire = wire_to(bmc, **lossy)
    assert talk(wire, conversation(level=Level.OPERATOR, suite=suite)) is PowerState.OFF
    assert held(bmc) == 0


@pytest.mark.parametrize("seed", range(60))
def test_a_bad_wire(seed: int) -> None:
    """30 % loss each way, and some packets twice: every conversation comes to its answer, and every session is closed."""
    chance = random.Random(seed)

    def spoilt(datagram: bytes) -> Iterable[bytes]:
        return [datagram] * chance.choices([0, 1, 2], [0.3, 0.5, 0.2])[0]

    clock = Clock()
    bmc = bmc_with(clock=clock, slots=20)
    wire = wire_to(bmc, clock, requests=spoilt, replies=spoilt)
    assert talk(wire, conversation(level=Level.OPERATOR)) is PowerState.OFF
    clock.now += 3.0
    assert len(bmc.sessions.active()) <= 1, "a Close Session that is lost five times leaves one"


@pytest.mark.parametrize("number", range(7))
def test_every_packet_may_come_twice(number: int) -> None:
    bmc, _switch = make_bmc()
    wire = wire_to(bmc, requests=lambda datagram: (datagram,) * 2, replies=lambda datagram: (datagram,) * 2)
    assert talk(wire, conversation(level=Level.OPERATOR)) is PowerState.OFF
    assert (held(bmc), bmc.counters.commands["chassis_control"] if number > 7 else 0) == (0, 0)


def test_a_late_answer_is_not_taken_for_the_next_one() -> None:
    """The answer to the first status comes after that to the second, which says something else."""
    bmc, switch = make_bmc()
    kept: list[bytes] = []

    def program() -> Script[list[PowerState]]:
        first = yield from chassis.power_state()
        switch.powered = True
        return [first, (yield from chassis.power_state())]

    def replies(datagram: bytes) -> Iterable[bytes]:
        kept.append(datagram)
        return (*kept[-2:-1], datagram)  # each with the one before it in front

    assert talk(wire_to(bmc, replies=replies), conversation(program)) == [PowerState.OFF, PowerState.ON]


def test_a_bmc_that_takes_no_repeated_rakp_3() -> None:
    """Its answer got lost; it has gone on, and takes the repetition for an error: the session must not stay open."""
    bmc, _switch = make_bmc()
    seen: set[bytes] = set()
    lost = Losing(3)

    def receive(datagram: bytes) -> bytes | None:
        if datagram[5] == frames.RAKP_3 and datagram in seen:
            payload = bytes((datagram[16], 0x02, 0, 0)) + datagram[20:24]
            return frames.plus(frames.RAKP_4, 0, 0, payload)
        seen.add(datagram)
        return bmc.receive(datagram, ("127.0.0.1", 40000))

    assert talk(Wire(receive, replies=lost), conversation()) is PowerState.OFF
    assert bmc.counters.sessions_opened == 2
    assert held(bmc) == 0


@pytest.mark.parametrize("number", range(8))
def test_whenever_it_is_given_up_no_session_stays_open(number: int) -> None:
    bmc, _switch = make_bmc()
    wire = wire_to(bmc)
    talk(wire, conversation(level=Level.OPERATOR), stop_after=number)
    assert bmc.sessions.active() == []
    if number != 1:  # then the answer to Open Session was never seen, and with it the number of the slot
        assert held(bmc) == 0


def test_a_bmc_of_ipmi_1_5() -> None:
    def receive(datagram: bytes) -> bytes:
        asked = frames.of_outside(datagram)
        assert asked
        body = bytes((0x20, asked[4], asked[5], 0x00, 0x01, 0x15, 0x04, 0x00)) + bytes(4)
        head = bytes((0x81, 0x1C))
        raw = head + bytes((-sum(head) & 0xFF,)) + body
        return frames.outside(raw + bytes((-sum(body) & 0xFF,)))

    error = failure(Wire(receive))
    assert error.code is ErrorCode.UNSUPPORTED
    assert error.message == (
        "the BMC speaks IPMI 1.5 only, whose log-in anybody on the wire can read; this needs IPMI 2.0"
    )


def test_no_free_slot() -> None:
    bmc, _switch = make_bmc("session_table_full")
    error = failure(wire_to(bmc))
    assert (error.code, error.message) == (
        ErrorCode.BUSY,
        "the BMC has no free session slot; others are connected to it",
    )


def test_which_of_several_passwords_an_account_has() -> None:
    bmc, _switch = make_bmc()

    def which(*passwords: bytes, user: str = "admin") -> bytes | None:
        asking = conversation(user=user, password="")
        found: bytes | None = wire_to(bmc).run(asking.proof(passwords))
        wire_to(bmc).run(asking.closing())
        return found

    assert which(b"admin", b"secret", b"calvin") == b"secret"
    assert which(b"admin", b"calvin") is None
    with pytest.raises(MetalError) as caught:
        which(b"admin", user="nobody")
    assert caught.value.code is ErrorCode.AUTH
    assert (bmc.counters.wrong_passwords, bmc.counters.sessions_opened, held(bmc)) == (0, 0, 0)


def test_a_busy_bmc_is_asked_again_in_the_same_session() -> None:
    bmc = bmc_with("busy:20")
    assert [talk(wire_to(bmc), conversation()) for _turn in range(20)] == [PowerState.OFF] * 20
    assert held(bmc) == 0


def test_power_commands() -> None:
    bmc, switch = make_bmc()

    def power(action: PowerAction, still: Any = None) -> PowerStep:
        step: PowerStep = talk(
            wire_to(bmc), conversation(lambda: chassis.power(action, still, Attempt()), Level.OPERATOR)
        )
        return step

    assert power(PowerAction.OFF) == PowerStep(PowerState.OFF, None)
    with pytest.raises(Withdrawn):
        power(PowerAction.ON, lambda: False)
    assert power(PowerAction.ON, lambda: True) == PowerStep(PowerState.OFF, PowerAction.ON)
    assert power(PowerAction.BOOT) == PowerStep(PowerState.ON, PowerAction.RESET)
    assert power(PowerAction.NMI) == PowerStep(PowerState.ON, PowerAction.NMI)
    switch.powered = True
    assert power(PowerAction.SHUTDOWN).sent is PowerAction.SHUTDOWN
    switch.powered = False
    with pytest.raises(MetalError) as caught:
        power(PowerAction.NMI)
    assert caught.value.message == "the machine is off: there is no operating system to interrupt"
    assert [action.name for action in switch.actions] == ["ON", "RESET", "DIAGNOSTIC", "SOFT"]
    assert held(bmc) == 0


def test_a_repetition_that_the_bmc_refuses_was_done() -> None:
    script = chassis.power(PowerAction.RESET, None, Attempt())
    next(script)
    script.send(Reply(0, b"\x01\x00\x00"))
    with pytest.raises(StopIteration) as end:
        script.send(Reply(0xCF, b""))
    assert end.value.value == PowerStep(PowerState.ON, PowerAction.RESET)


def test_boot_device_and_lamp() -> None:
    bmc, _switch = make_bmc()

    def run(program: Any, level: Level = Level.OPERATOR) -> Any:
        return talk(wire_to(bmc), conversation(program, level))

    wish = BootOverride(BootDevice.CD, True, BootMode.UEFI)
    assert run(lambda: chassis.set_boot_override(wish, None)) == wish
    assert run(chassis.boot_override) == wish
    with pytest.raises(Withdrawn):
        run(lambda: chassis.set_boot_override(BootOverride(BootDevice.DISK), lambda: False))
    assert run(chassis.boot_override) == wish
    assert run(chassis.identify_state) is Lamp.OFF
    run(lambda: chassis.identify(None))
    assert run(chassis.identify_state) is Lamp.ON
    run(lambda: chassis.identify(0))
    assert run(chassis.identify_state) is Lamp.OFF
    run(lambda: chassis.reset_bmc(ResetKind.COLD, Attempt()), Level.ADMINISTRATOR)


def test_answers_that_are_too_short() -> None:
    script = chassis.power_state()
    next(script)
    with pytest.raises(MetalError) as caught:
        script.send(Reply(0, b""))
    assert caught.value.code is ErrorCode.PROTOCOL
    assert caught.value.message == "the BMC answers IPMI command 00h/01h with 0 bytes in place of 1"


def test_busy_is_repeated_after_pauses_and_then_told() -> None:
    script = ask(0, 1)
    asked = next(script)
    for _pause in range(4):
        assert isinstance(script.send(Reply(0xC0, b"")), Pause)
        assert script.send(Reply(0, b"")) == asked
    with pytest.raises(MetalError) as caught:
        script.send(Reply(0xC0, b""))
    assert caught.value.code is ErrorCode.BUSY


def test_a_session_is_used_for_a_window_of_numbers_only() -> None:
    from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.seal import Window

    window = Window()
    assert [window.take(number) for number in (1, 2, 2, 5, 3, 4, 3, 1)] == [
        True,
        True,
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    assert window.take(40)
    assert not window.take(8)
    assert window.take(9)
    assert not window.take(40 + 5000)


def test_accounts_of_one_kind_are_made_once() -> None:
    assert login.account("admin", "secret", "", Level.USER, 3) is login.account("admin", "secret", "", Level.USER, 3)


def test_what_must_not_be_done_twice_is_late_before_it_is_lost() -> None:
    """A BMC that takes a second over a reset gets it once; other requests are repeated meanwhile."""
    bmc, switch = make_bmc()
    switch.powered = True
    steps = conversation(lambda: chassis.power(PowerAction.RESET, None, Attempt()), Level.OPERATOR).packets()
    said: Any = next(steps)
    waits: list[float] = []
    while not waits:
        answer = bmc.receive(said, ("127.0.0.1", 40000))
        said = steps.send(answer)
        if isinstance(said, Wait):
            waits.append(said.seconds)
    assert waits == [4.0]
    assert bmc.receive(said.packet, ("127.0.0.1", 40000))
    assert [action.name for action in switch.actions] == ["RESET"]
    steps.close()


def test_busy_after_a_repetition_is_no_reason_to_send_it_anew() -> None:
    attempt: Attempt[PowerStep] = Attempt()
    script = chassis.power(PowerAction.RESET, None, attempt)
    next(script)
    script.send(Reply(0, b"\x01\x00\x00"))
    with pytest.raises(MetalError) as caught:
        script.send(Reply(0xC0, b"", repeated=True))
    assert caught.value.code is ErrorCode.BUSY
    assert attempt.sent == PowerStep(PowerState.ON, PowerAction.RESET), "it may have been carried out"


@pytest.mark.parametrize(("completion", "sent"), [(0xD4, False), (0xCC, False), (0xC3, True), (0xCE, True)])
def test_whether_a_refused_command_may_have_been_done(completion: int, sent: bool) -> None:
    attempt: Attempt[PowerStep] = Attempt()
    script = chassis.power(PowerAction.RESET, None, attempt)
    next(script)
    script.send(Reply(0, b"\x01\x00\x00"))
    with pytest.raises(MetalError):
        script.send(Reply(completion, b""))
    assert (attempt.sent is not None) is sent
