# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""IPMI commands byte for byte (IPMI v2.0 rev. 1.1, chapter 28) over a scripted raw_command."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import wire
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import (
    BootDevice,
    BootMode,
    BootOverride,
    PowerAction,
    PowerState,
    PowerStep,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError

ON, OFF = [0x21, 0x10, 0x40], [0x20, 0x10, 0x40]
GET_STATUS = (0x00, 0x01, ())


class Bmc:
    """Answers requests from ``script``: (network function, command) to the answers, one after the other, the last for ever."""

    def __init__(self, **script: list[dict[str, Any]]) -> None:
        self.script = script
        self.sent: list[tuple[int, int, tuple[int, ...]]] = []

    def raw(self, *, netfn: int, command: int, data: tuple[int, ...]) -> dict[str, Any]:
        """pyghmi's raw_command."""
        self.sent.append((netfn, command, data))
        answers = self.script.get(f"x{command:02x}", [{}])
        return answers.pop(0) if len(answers) > 1 else answers[0]


def status(data: list[int]) -> list[dict[str, Any]]:
    return [{"netfn": 1, "command": 1, "code": 0, "data": bytearray(data)}]


@pytest.mark.parametrize(("data", "state"), [(ON, PowerState.ON), (OFF, PowerState.OFF), ([0x01], PowerState.ON)])
def test_power_state(data: list[int], state: PowerState) -> None:
    bmc = Bmc(x01=status(data))
    assert wire.power_state(bmc.raw) is state
    assert bmc.sent == [GET_STATUS]


def test_status_without_data_is_a_broken_protocol() -> None:
    with pytest.raises(MetalError, match=r"^the BMC answers Get Chassis Status without data$") as caught:
        wire.power_state(Bmc(x01=status([])).raw)
    assert caught.value.code is ErrorCode.PROTOCOL


CONTROL = [
    ("on", OFF, 0x01, "on"),
    ("off", ON, 0x00, "off"),
    ("cycle", ON, 0x02, "cycle"),
    ("reset", ON, 0x03, "reset"),
    ("shutdown", ON, 0x05, "shutdown"),
    ("boot", ON, 0x03, "reset"),
    ("boot", OFF, 0x01, "on"),
    ("reset", OFF, 0x01, "on"),
    ("cycle", OFF, 0x01, "on"),
]


@pytest.mark.parametrize(("action", "before", "code", "sent"), CONTROL)
def test_chassis_control(action: str, before: list[int], code: int, sent: str) -> None:
    bmc = Bmc(x01=status(before))
    was = PowerState.ON if before is ON else PowerState.OFF
    assert wire.power(bmc.raw, action) == PowerStep(was, PowerAction(sent))
    assert bmc.sent == [GET_STATUS, (0x00, 0x02, (code,))]


@pytest.mark.parametrize(("action", "before"), [("on", ON), ("off", OFF), ("shutdown", OFF)])
def test_nothing_is_sent_to_a_machine_that_is_there_already(action: str, before: list[int]) -> None:
    bmc = Bmc(x01=status(before))
    assert wire.power(bmc.raw, action).sent is None
    assert bmc.sent == [GET_STATUS]


# Table 28-14, parameter 5: data 1 is valid (80h), persistent (40h), EFI (20h); data 2 is the selector in bits 5:2.
FLAGS = [
    ("none", False, "legacy", 0x00, 0x00),
    ("network", False, "legacy", 0x80, 0x04),
    ("network", False, "uefi", 0xA0, 0x04),
    ("network", True, "uefi", 0xE0, 0x04),
    ("disk", True, "legacy", 0xC0, 0x08),
    ("disk", False, "uefi", 0xA0, 0x08),
    ("cd", False, "uefi", 0xA0, 0x14),
    ("setup", False, "legacy", 0x80, 0x18),
    ("setup", True, "uefi", 0xE0, 0x18),
]


def options(first: int, second: int, *, locked: bool = False) -> dict[str, Any]:
    parameter = 0x85 if locked else 0x05
    return {"netfn": 1, "command": 9, "code": 0, "data": bytearray([0x01, parameter, first, second, 0, 0, 0])}


@pytest.mark.parametrize(("device", "persistent", "mode", "first", "second"), FLAGS)
def test_set_boot_override(device: str, persistent: bool, mode: str, first: int, second: int) -> None:
    bmc = Bmc(x09=[options(first, second)])
    found = wire.set_boot_override(bmc.raw, device, persistent, mode)
    assert bmc.sent == [
        (0x00, 0x08, (0x03, 0x08)),  # do not clear the flags if no power command comes within 60 s
        (0x00, 0x08, (0x04, 0x01, 0x01)),  # boot info acknowledge: BIOS
        (0x00, 0x08, (0x05, first, second, 0x00, 0x00, 0x00)),
        (0x00, 0x09, (0x05, 0x00, 0x00)),
    ]
    wish = BootOverride(BootDevice(device), persistent, BootMode(mode))
    assert found.effective == wish if device != "none" else found.effective == BootOverride(BootDevice.NONE)


READ = [
    (options(0xE0, 0x04), BootOverride(BootDevice.NETWORK, True, BootMode.UEFI)),
    (options(0x80, 0x08), BootOverride(BootDevice.DISK)),
    (options(0x00, 0x04), BootOverride(BootDevice.NETWORK, marked=False)),
    (options(0x80, 0x04, locked=True), BootOverride(BootDevice.NETWORK, marked=False)),
    (options(0x80, 0x00), BootOverride(BootDevice.NONE)),
    (options(0x80, 0x44), BootOverride(BootDevice.NETWORK)),  # other bits of data 2: lock keyboard
    (options(0x80, 0x3C), BootOverride(BootDevice.NONE)),  # floppy: a device that we have no word for
    ({"code": 0, "data": [0x01, 0x05, 0xA0, 0x14]}, BootOverride(BootDevice.CD, False, BootMode.UEFI)),
]


@pytest.mark.parametrize(("answer", "found"), READ)
def test_read_boot_override(answer: dict[str, Any], found: BootOverride) -> None:
    bmc = Bmc(x09=[answer])
    assert wire.boot_override(bmc.raw) == found
    assert bmc.sent == [(0x00, 0x09, (0x05, 0x00, 0x00))]


def test_a_short_answer_is_a_broken_protocol() -> None:
    with pytest.raises(MetalError, match=r"^the BMC answers Get System Boot Options with 3 bytes$"):
        wire.boot_override(Bmc(x09=[{"code": 0, "data": [1, 5, 0]}]).raw)


def test_parameters_3_and_4_may_be_missing_but_not_5() -> None:
    bmc = Bmc(x08=[{"code": 0x80}, {"code": 0xCC}, {"code": 0}], x09=[options(0x80, 0x04)])
    assert wire.set_boot_override(bmc.raw, "network", False, "legacy").device is BootDevice.NETWORK
    with pytest.raises(MetalError, match=r"\(IPMI command 0x08, completion code 0x80\)$") as caught:
        wire.set_boot_override(Bmc(x08=[{"code": 0x80}]).raw, "network", False, "legacy")
    assert caught.value.code is ErrorCode.UNSUPPORTED


CODES = [
    (0xC0, ErrorCode.BUSY, True),
    (0xC1, ErrorCode.UNSUPPORTED, False),
    (0xC3, ErrorCode.TIMEOUT, True),
    (0xC4, ErrorCode.BUSY, True),
    (0xC9, ErrorCode.UNSUPPORTED, False),
    (0xCC, ErrorCode.UNSUPPORTED, False),
    (0xD3, ErrorCode.UNREACHABLE, True),
    (0xD4, ErrorCode.PRIVILEGE, False),
    (0xD5, ErrorCode.BUSY, True),
    (0x80, ErrorCode.UNSUPPORTED, False),
    (0xFF, ErrorCode.PROTOCOL, False),
    (0xC7, ErrorCode.PROTOCOL, False),
]


@pytest.mark.parametrize(("code", "kind", "retryable"), CODES)
def test_completion_codes(code: int, kind: ErrorCode, retryable: bool) -> None:
    with pytest.raises(MetalError) as caught:
        wire.power_state(Bmc(x01=[{"code": code, "data": b""}]).raw)
    assert (caught.value.code, caught.value.retryable) == (kind, retryable)
    assert str(caught.value).endswith(f"(IPMI command 0x01, completion code 0x{code:02x})")


@pytest.mark.parametrize("verb", ["power_state", "boot_override", "power", "set_boot_override"])
def test_silence_in_mid_session(verb: str) -> None:
    """pyghmi answers for a BMC that no longer does: that is no completion code, and nothing may be ignored."""
    silent: dict[str, Any] = {"error": "timeout", "code": 0xFFFF}
    arguments = {"power": ("on",), "set_boot_override": ("network", False, "uefi")}.get(verb, ())
    bmc = Bmc(x01=[silent], x08=[silent], x09=[silent])
    with pytest.raises(
        MetalError, match=r"^the BMC stopped answering in mid-session \(IPMI command 0x0\d\)$"
    ) as caught:
        wire.VERBS[verb](bmc.raw, *arguments)
    assert caught.value.code is ErrorCode.TIMEOUT
    assert len(bmc.sent) == 1
