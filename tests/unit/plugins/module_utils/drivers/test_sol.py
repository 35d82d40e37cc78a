# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Listening to a console, packet by packet: order, loss, repetition, late packets, wrapping numbers; any bytes at all.

What the console said becomes text that can act on no terminal.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import sol
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.login import Level, Wait
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.script import (
    TIMED_OUT,
    Listen,
    Pause,
    Reply,
    Request,
    Script,
)
from ansible_collections.stage0.metal.plugins.module_utils._drivers.hearing import Recording, readable
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.line import conversation
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.play import one_line
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.console import PEER, Clock, make_bmc
from hypothesis import given
from hypothesis import strategies as st

ACTIVATE, DEACTIVATE, OWNER = 0x48, 0x49, 0x4B
GRANTED = bytes(4) + (204).to_bytes(2, "little") * 2 + (623).to_bytes(2, "little") + b"\xff\xff"
OURS, STRANGE = b"\x11\x22\x33\x44\x01" + bytes(7), b"\x55\x22\x33\x44\x01" + bytes(7)
SECONDS = 60.0
MOST_STEPS = 2000


def packet(number: int, said: bytes, status: int = 0) -> bytes:
    return bytes((number, 0, 0, status)) + said


class Console:
    """A BMC's side of it: ``packets`` come one after the other, None is silence for as long as is waited.

    ``answers``: by command, its answers in turn (data, or a completion code); the last one stays.
    """

    def __init__(self, packets: Iterable[bytes | None] = (), **answers: list[bytes | int]) -> None:
        self.packets = list(packets)
        self.answers: dict[int, list[bytes | int]] = {ACTIVATE: [GRANTED], DEACTIVATE: [b""], OWNER: [OURS]}
        self.answers.update({int(command.removeprefix("c"), 16): found for command, found in answers.items()})
        self.now = 0.0
        self.acknowledged: list[tuple[int, int]] = []
        self.commands: list[int] = []
        self.paused = 0.0

    def run(self, script: Script[Any]) -> None:
        try:
            wanted = next(script)
            for _step in range(MOST_STEPS):
                wanted = script.send(self.answer(wanted))
        except StopIteration:
            return
        raise AssertionError("it comes to no end")

    def answer(self, wanted: Request | Pause | Listen) -> Reply:
        self.now += 0.01
        if isinstance(wanted, Pause):
            self.paused += wanted.seconds
            return Reply(0, b"")
        if isinstance(wanted, Request):
            self.commands.append(wanted.command)
            found = self.answers[wanted.command]
            answer = found.pop(0) if len(found) > 1 else found[0]
            return Reply(answer, b"") if isinstance(answer, int) else Reply(0, answer)
        if wanted.payload:
            assert wanted.payload[0] == wanted.payload[3] == 0, "it types nothing, and asks for nothing"
            assert len(wanted.payload) == 4
            self.acknowledged.append((wanted.payload[1], wanted.payload[2]))
        said = self.packets.pop(0) if self.packets else None
        if said is None:
            self.now += wanted.seconds
            return TIMED_OUT
        return Reply(0, said)

    def heard(self, most: int = 1000, seconds: float = SECONDS, *, take: bool = False) -> Recording:
        recording = Recording(most)
        self.run(sol.listen(623, seconds, recording, lambda: self.now, take=take))
        return recording


def test_packets_in_order() -> None:
    console = Console([packet(1, b"one "), None, packet(2, b"two "), packet(3, b"three")])
    heard = console.heard()
    assert bytes(heard.data) == b"one two three"
    assert (heard.opened, heard.over, heard.ended, heard.full, heard.notes) == (True, True, None, False, [])
    assert console.acknowledged == [(1, 4), (2, 4), (3, 5)]
    assert console.commands[0] == ACTIVATE
    assert console.commands[-1] == DEACTIVATE
    assert SECONDS <= console.now < SECONDS + 1


def test_numbers_wrap() -> None:
    console = Console(packet(number % 15 + 1, bytes((65 + number,))) for number in range(40))
    assert bytes(console.heard().data) == bytes(range(65, 105))


def test_a_repetition_is_acknowledged_and_heard_once() -> None:
    console = Console([packet(1, b"a"), packet(1, b"a"), packet(2, b"b"), packet(2, b"b"), packet(3, b"c")])
    assert bytes(console.heard().data) == b"abc"
    assert [number for number, _count in console.acknowledged] == [1, 1, 2, 2, 3]


def test_a_repetition_may_have_more_in_it() -> None:
    """IPMI v2.0, 15.11: what came meanwhile may be sent with it."""
    console = Console([packet(1, b"ab"), packet(1, b"abcd"), packet(1, b"ab"), packet(2, b"e")])
    assert bytes(console.heard().data) == b"abcde"
    assert console.acknowledged[:2] == [(1, 2), (1, 4)]


def test_a_late_packet_is_not_heard_again() -> None:
    late = [packet(14, b"a"), packet(15, b"b"), packet(1, b"c"), packet(14, b"a"), packet(15, b"b"), packet(2, b"d")]
    console = Console(late)
    assert bytes(console.heard().data) == b"abcd"
    assert [number for number, _count in console.acknowledged] == [14, 15, 1, 2]


def test_packets_that_got_lost_for_good_stop_nothing() -> None:
    console = Console([packet(1, b"a"), packet(4, b"d"), packet(5, b"e")])
    assert bytes(console.heard().data) == b"ade"


def test_packets_without_characters() -> None:
    console = Console([packet(0, b""), packet(1, b""), b"", b"\x01\x00", packet(0, b"no"), packet(2, b"a")])
    assert bytes(console.heard().data) == b"a"
    assert [number for number, _count in console.acknowledged] == [1, 2]


def test_a_full_recording_ends_it() -> None:
    console = Console([packet(number % 15 + 1, b"x" * 100) for number in range(50)])
    heard = console.heard(250)
    assert bytes(heard.data) == b"x" * 250
    assert (heard.full, heard.over) == (True, True)
    assert console.acknowledged[-1] == (3, 100)  # the packet that filled it is acknowledged too
    assert console.commands[-1] == DEACTIVATE


def test_a_console_that_is_taken_away_is_left_to_whoever_took_it() -> None:
    console = Console([packet(1, b"a"), packet(0, b"", status=0x10), packet(2, b"never")])
    heard = console.heard()
    assert bytes(heard.data) == b"a"
    assert (heard.ended, heard.over) == (
        "the BMC took the console away: another session wants it, or it was switched off",
        False,
    )
    assert DEACTIVATE not in console.commands
    assert console.now < 1


@pytest.mark.parametrize(("answers", "seconds"), [([OURS, STRANGE], 15), ([OURS, OURS, bytes(12)], 30)])
def test_a_console_that_is_taken_away_in_silence(answers: list[bytes | int], seconds: int) -> None:
    console = Console([packet(1, b"a")], c4b=answers)
    heard = console.heard(seconds=50)
    assert (heard.ended, heard.over) == (
        "the BMC took the console away: another session wants it, or it was switched off",
        False,
    )
    assert DEACTIVATE not in console.commands
    assert seconds <= console.now < seconds + 2


@pytest.mark.parametrize("silent", [0xC1, b"", b"\x11\x22"])
def test_a_bmc_that_does_not_tell_whose_it_is(silent: bytes | int) -> None:
    console = Console([packet(1, b"a")], c4b=[silent])
    assert (console.heard().over, console.commands[-1]) == (True, DEACTIVATE)
    assert Console(c4b=[OURS, silent]).heard().over


def test_what_is_noticed() -> None:
    elsewhere = GRANTED[:8] + (664).to_bytes(2, "little") + GRANTED[10:]
    console = Console([packet(1, b"a", status=0x08), packet(2, b"b", status=0x08)], c48=[elsewhere])
    heard = console.heard()
    assert bytes(heard.data) == b"ab"
    assert heard.notes == [
        "the BMC says that its console is at port 664; it was listened to at port 623, as some that say so want it",
        "the BMC says that it lost characters",
    ]


def test_a_session_is_kept_alive() -> None:
    console = Console()
    console.heard(seconds=200)
    assert 12 <= console.commands.count(OWNER) <= 15
    assert console.acknowledged == []


@pytest.mark.parametrize(
    ("completion", "code", "sentence"),
    [
        (0x80, ErrorCode.BUSY, "the console is in use by another session; end that, or say take_over: true"),
        (0x82, ErrorCode.BUSY, "the console is in use by another session; end that, or say take_over: true"),
        (
            0x81,
            ErrorCode.UNSUPPORTED,
            "the BMC gives no serial console: serial over LAN is disabled on it, or for this account (completion code 81h)",
        ),
        (
            0xC1,
            ErrorCode.UNSUPPORTED,
            "the BMC gives no serial console: serial over LAN is disabled on it, or for this account (completion code c1h)",
        ),
        (
            0xD4,
            ErrorCode.PRIVILEGE,
            "the account's privilege level is too low for this command (IPMI command 06h/48h, completion code d4h)",
        ),
    ],
)
def test_consoles_that_are_not_given(completion: int, code: ErrorCode, sentence: str) -> None:
    console, recording = Console(c48=[completion]), Recording(10)
    with pytest.raises(MetalError) as caught:
        console.run(sol.listen(623, SECONDS, recording, lambda: console.now))
    assert (caught.value.code, caught.value.message) == (code, sentence)
    assert recording.opened is False
    assert console.commands == [ACTIVATE]


def test_taking_over() -> None:
    console = Console([packet(1, b"a")], c48=[0x80, 0x80, GRANTED])
    assert bytes(console.heard(take=True).data) == b"a"
    assert console.commands[:6] == [DEACTIVATE, ACTIVATE] * 3
    assert console.paused == 1.5
    nobody = Console(c49=[0x80])  # the standard's "already deactivated"
    assert nobody.heard(take=True).over
    with pytest.raises(MetalError, match="the console is in use"):
        Console(c48=[0x80]).heard(take=True)
    with pytest.raises(MetalError, match="privilege level is too low"):
        Console(c49=[0xD4]).heard(take=True)


@given(st.lists(st.none() | st.binary(max_size=40)), st.binary(max_size=16), st.integers(0, 255))
def test_any_bytes(packets: list[bytes | None], granted: bytes, completion: int) -> None:
    console, recording = Console(packets, c48=[granted], c49=[completion], c4b=[completion, granted]), Recording(100)
    try:
        console.run(sol.listen(623, SECONDS, recording, lambda: console.now))
    except MetalError as error:
        one_line(error)
    assert len(recording.data) <= 100


class Network:
    """A simulated BMC, its clock, and what becomes of the packets of its console on the way: lost, twice, late."""

    def __init__(self, lines: list[str], chance: random.Random | None = None) -> None:
        self.clock = Clock()
        self.bmc, _switch = make_bmc(clock=self.clock, history=lambda: lines)
        self.chance = chance
        self.coming: list[tuple[float, bytes]] = []

    def run(self, steps: Any) -> None:
        try:
            said = next(steps)
            for _step in range(MOST_STEPS):
                packet, patience = (said.packet, said.seconds) if isinstance(said, Wait) else (said, 0.5)
                self.say(packet, lost=bool(self.chance and isinstance(said, Wait) and self.chance.random() < 0.3))
                said = steps.send(self.next(self.clock.now + patience))
                while said is None:
                    said = steps.send(self.next(self.clock.now + patience))
        except StopIteration:
            return
        raise AssertionError("it comes to no end")

    def say(self, packet: bytes | None, *, lost: bool) -> None:
        answer = self.bmc.receive(packet, PEER) if packet and not lost else None
        if answer is not None:
            self.coming.append((self.clock.now, answer))

    def next(self, end: float) -> bytes | None:
        """The next datagram that arrives; None if none does until ``end``."""
        while True:
            for datagram, _peer in self.bmc.tick() or ():
                self.coming += [(self.clock.now + late, datagram) for late in self.delays()]
            ready = [one for one in self.coming if one[0] <= self.clock.now]
            if ready:
                self.coming.remove(ready[0])
                return ready[0][1]
            if self.clock.now >= end:
                return None
            self.clock.now += 0.02

    def delays(self) -> list[float]:
        if self.chance is None:
            return [0.0]
        return self.chance.choice([[], [0.0], [0.0], [0.0, 0.0], [0.0, 0.15], [0.12]])


@pytest.mark.parametrize("seed", [None, *range(20)])
def test_over_a_session(seed: int | None) -> None:
    """Everything comes through once, in order, over a line that loses a third of the packets, and has others late."""
    lines = [f"line {number} of the machine" for number in range(120)]
    network = Network(lines, None if seed is None else random.Random(seed))
    recording = Recording(10_000)
    talked = conversation(lambda: sol.listen(6230, 60.0, recording, network.clock), Level.ADMINISTRATOR)
    network.run(talked.packets())
    network.run(talked.closing())
    assert bytes(recording.data) == "".join(f"{line}\r\n" for line in lines).encode()
    assert (recording.over, recording.notes) == (True, [])
    assert network.bmc.sessions.active() == []


def test_another_takes_it() -> None:
    network = Network(["hello"])
    heard = [Recording(1000), Recording(1000)]
    first, second = (
        conversation(partial(sol.listen, 6230, 9.0, one, network.clock, take=True), Level.ADMINISTRATOR)
        for one in heard
    )
    talking = first.packets()
    said = next(talking)
    while not heard[0].data:
        network.say(said.packet if isinstance(said, Wait) else said, lost=False)
        said = talking.send(network.next(network.clock.now + 1))
    network.run(second.packets())
    assert (heard[1].ended, heard[1].over) == (None, True)
    assert heard[0].data == heard[1].data == b"hello\r\n"


TEXTS = {
    b"plain\r\nlines\n": "plain\nlines\n",
    b"\x1b[0;1;31mred\x1b[0m \x1b[Kend": "red end",
    b"a\0b\0\0c": "abc",
    b"\x1b[2J\x1b[1;1HSetup\x1b[2;1HBoot\x1b[3;1H\x1b[1mExit": "\nSetup\nBoot\nExit",
    b"10%\r20%\r30%\r\n": "10%\n20%\n30%\n",
    b"\x1b]0;title\x07text": "text",
    b"\x1b]52;c;ZXZpbA==\x1b\\text": "text",
    b"\x1bP1$r0m\x1b\\text": "text",
    "\x9b31mred\x9b0m".encode(): "red",
    b"\x1b(B\x1b7\x1b8\x1bctext": "text",
    b"bell\x07 back\x08 del\x7f": "bell back del",
    b"\xff\xfebytes": "��bytes",
    "žluťoučký 日本".encode(): "žluťoučký 日本",
    "abc\u202egnp.exe\u2066x".encode(): "abcgnp.exex",
    b"tab\tstays": "tab\tstays",
    b"\x1b]0;without an end\nnext": "0;without an end\nnext",
    b"\x1b": "",
    b"end \x1b[12;": "end 12;",
    "a\u2028b\x85c".encode(): "a\nb\nc",
    b"": "",
}


@pytest.mark.parametrize("data", TEXTS)
def test_text_that_can_be_read(data: bytes) -> None:
    assert readable(data) == TEXTS[data]


ALPHABET = [bytes((byte,)) for byte in range(256)] + [
    b"\x1b[",
    b"\x1b]",
    b"\x1b\\",
    b"\x9b",
    b"\r\n",
    "\u202e".encode(),
]


@given(st.lists(st.sampled_from(ALPHABET)).map(b"".join))
def test_no_text_acts_on_a_terminal(data: bytes) -> None:
    text = readable(data)
    assert all(letter in "\n\t" or unicodedata.category(letter)[0] != "C" for letter in text)
    assert readable(text.encode()) == text


@pytest.mark.parametrize("piece", [b"\x1b[", b"\x1b]", b"\xc2\x9d", b"\r", b"\x1b[0", b"\x1b ", b"\x1b[1;1H", b"\0"])
def test_long_nonsense_is_read_at_once(piece: bytes) -> None:
    """Work that grew with the square of the length would not come to an end here."""
    assert len(readable(piece * 300_000)) <= 600_000
