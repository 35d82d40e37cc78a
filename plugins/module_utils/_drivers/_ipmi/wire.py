# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the IPMI commands that the driver sends, over an open pyghmi session.

Intelligent Platform Management Interface Specification v2.0 rev. 1.1, chapter 28 (chassis commands). The commands
are sent raw: pyghmi's own get_bootdev hides what the BMC answers, and its set_power asks for the device ID of every
unknown vendor again each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..._nodes.errors import ErrorCode, MetalError
from ..base import BootDevice, BootMode, BootOverride, PowerAction, PowerState, PowerStep, power_command

_CHASSIS = 0x00
_GET_STATUS, _CONTROL, _SET_BOOT_OPTIONS, _GET_BOOT_OPTIONS = 0x01, 0x02, 0x08, 0x09
_INFO_ACKNOWLEDGE, _VALID_BIT_CLEARING, _BOOT_FLAGS = 4, 3, 5
_KEEP_ON_TIMEOUT = 0x08
"""Parameter 3, bit 3: do not clear the valid bit if no power command comes within 60 s."""

_CONTROL_CODES = {
    PowerAction.OFF: 0,
    PowerAction.ON: 1,
    PowerAction.CYCLE: 2,
    PowerAction.RESET: 3,
    PowerAction.SHUTDOWN: 5,
}
_SELECTORS = {
    BootDevice.NONE: 0,
    BootDevice.NETWORK: 1,
    BootDevice.DISK: 2,
    BootDevice.CD: 5,
    BootDevice.SETUP: 6,
}
_DEVICES = {number: device for device, number in _SELECTORS.items()}

COMPLETION_CODES: dict[int, tuple[ErrorCode, str]] = {
    0xC0: (ErrorCode.BUSY, "the BMC says that it is busy"),
    0xC1: (ErrorCode.UNSUPPORTED, "the BMC does not know this command"),
    0xC3: (ErrorCode.TIMEOUT, "the BMC timed out on its own command"),
    0xC4: (ErrorCode.BUSY, "the BMC is out of space"),
    0xC9: (ErrorCode.UNSUPPORTED, "the BMC does not know this parameter"),
    0xCC: (ErrorCode.UNSUPPORTED, "the BMC refuses a field of this request"),
    0xD3: (ErrorCode.UNREACHABLE, "the BMC cannot reach the part of the machine that would have to act"),
    0xD4: (ErrorCode.PRIVILEGE, "the account's privilege level is too low for this command; it needs OPERATOR"),
    0xD5: (ErrorCode.BUSY, "the BMC cannot do this in its present state"),
    0x80: (ErrorCode.UNSUPPORTED, "the BMC does not support this parameter"),
}
"""Completion codes (table 5-2) that mean something to the user; others are told by their number."""

_SILENCE = 0xFFFF
"""What pyghmi gives in place of a completion code when it got no answer; those of IPMI have one byte."""

Raw = Callable[..., dict[str, Any]]
"""pyghmi's raw_command: netfn, command, data -> {"data": ..., "code": ...}."""


def _send(raw: Raw, command: int, data: Sequence[int] = (), *, ignore: bool = False) -> bytes:
    response = raw(netfn=_CHASSIS, command=command, data=tuple(data))
    code = response.get("code", 0)
    if code == _SILENCE:
        raise MetalError(ErrorCode.TIMEOUT, f"the BMC stopped answering in mid-session (IPMI command 0x{command:02x})")
    if code and not ignore:
        kind, text = COMPLETION_CODES.get(code, (ErrorCode.PROTOCOL, "the BMC refuses"))
        raise MetalError(kind, f"{text} (IPMI command 0x{command:02x}, completion code 0x{code:02x})")
    return bytes(response.get("data") or b"")


def power_state(raw: Raw) -> PowerState:
    """Get Chassis Status (28.2): bit 0 of the first byte."""
    data = _send(raw, _GET_STATUS)
    if not data:
        raise MetalError(ErrorCode.PROTOCOL, "the BMC answers Get Chassis Status without data")
    return PowerState.ON if data[0] & 1 else PowerState.OFF


def power(raw: Raw, action: str) -> PowerStep:
    """Chassis Control (28.3), if the state asks for it."""
    before = power_state(raw)
    command = power_command(PowerAction(action), before)
    if command is not None:
        _send(raw, _CONTROL, [_CONTROL_CODES[command]])
    return PowerStep(before, command)


def boot_override(raw: Raw) -> BootOverride:
    """Get System Boot Options (28.13), parameter 5."""
    data = _send(raw, _GET_BOOT_OPTIONS, [_BOOT_FLAGS, 0, 0])
    if len(data) < 4:
        raise MetalError(ErrorCode.PROTOCOL, f"the BMC answers Get System Boot Options with {len(data)} bytes")
    locked, flags, selector = bool(data[1] & 0x80), data[2], (data[3] >> 2) & 0x0F
    return BootOverride(
        device=_DEVICES.get(selector, BootDevice.NONE),
        persistent=bool(flags & 0x40),
        mode=BootMode.UEFI if flags & 0x20 else BootMode.LEGACY,
        marked=bool(flags & 0x80) and not locked,
    )


def set_boot_override(raw: Raw, device: str, persistent: bool, mode: str) -> BootOverride:
    """Set System Boot Options (28.12), parameters 3, 4 and 5, and read back.

    Parameters 3 and 4 are what well-behaved software sets first; BMCs that lack them boot as told all the same.
    """
    selector = _SELECTORS[BootDevice(device)]
    _send(raw, _SET_BOOT_OPTIONS, [_VALID_BIT_CLEARING, _KEEP_ON_TIMEOUT], ignore=True)
    _send(raw, _SET_BOOT_OPTIONS, [_INFO_ACKNOWLEDGE, 0x01, 0x01], ignore=True)
    flags = 0
    if selector:
        flags = 0x80 | (0x40 if persistent else 0) | (0x20 if mode == BootMode.UEFI else 0)
    _send(raw, _SET_BOOT_OPTIONS, [_BOOT_FLAGS, flags, selector << 2, 0, 0, 0])
    return boot_override(raw)


VERBS: dict[str, Callable[..., Any]] = {
    "power_state": power_state,
    "power": power,
    "boot_override": boot_override,
    "set_boot_override": set_boot_override,
}
"""What a worker can be asked for, by name."""
