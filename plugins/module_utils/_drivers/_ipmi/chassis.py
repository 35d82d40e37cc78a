# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: scripts for the chassis: power, boot device, identify lamp, resetting the BMC itself.

Standard: IPMI v2.0 revision 1.1, chapter 28 (chassis) and sections 20.2 and 20.3 (cold and warm reset).
"""

from __future__ import annotations

from typing import Any

from ..._nodes.errors import ErrorCode, MetalError
from ..base import (
    Attempt,
    BootDevice,
    BootMode,
    BootOverride,
    Lamp,
    PowerAction,
    PowerState,
    PowerStep,
    ResetKind,
    Still,
    Withdrawn,
    power_command,
)
from .script import APP, CHASSIS, REPETITION, Refused, Script, ask

_GET_STATUS, _CONTROL, _IDENTIFY, _SET_BOOT_OPTIONS, _GET_BOOT_OPTIONS = 0x01, 0x02, 0x04, 0x08, 0x09
_INFO_ACKNOWLEDGE, _VALID_BIT_CLEARING, _BOOT_FLAGS = 4, 3, 5
_KEEP_ON_TIMEOUT = 0x08
"""Parameter 3, bit 3: do not clear the valid bit if no power command comes within 60 s."""
_RESETS = {ResetKind.COLD: 0x02, ResetKind.WARM: 0x03}
LONGEST_LAMP_SECONDS = 255

_LAMPS = {0: Lamp.OFF, 1: Lamp.TIMED, 2: Lamp.ON}

_CONTROL_CODES = {
    PowerAction.OFF: 0,
    PowerAction.ON: 1,
    PowerAction.CYCLE: 2,
    PowerAction.RESET: 3,
    PowerAction.NMI: 4,
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


def power_state() -> Script[PowerState]:
    """Get Chassis Status (28.2): bit 0 of the first byte."""
    data = yield from ask(CHASSIS, _GET_STATUS, least=1)
    return PowerState.ON if data[0] & 1 else PowerState.OFF


def power(action: PowerAction, still: Still | None, attempt: Attempt[PowerStep]) -> Script[PowerStep]:
    """Chassis Control (28.3), if the state asks for it and the request still holds. Raises: Withdrawn."""
    before = yield from power_state()
    command = power_command(action, before)
    if command is not None:
        if still is not None and not still():
            raise Withdrawn
        attempt.sent = PowerStep(before, command)
        yield from _once(CHASSIS, _CONTROL, bytes((_CONTROL_CODES[command],)), attempt)
    return PowerStep(before, command)


def identify(seconds: int | None) -> Script[None]:
    """Chassis Identify (28.5): light the lamp for so many seconds (0: put it out), or, with None, until told otherwise.

    Raises: MetalError ``unsupported`` if the BMC cannot light it for good.
    """
    if seconds is not None:
        yield from ask(CHASSIS, _IDENTIFY, bytes((min(seconds, LONGEST_LAMP_SECONDS),)))
        return
    try:
        yield from ask(CHASSIS, _IDENTIFY, b"\x00\x01")
    except Refused as exc:
        raise MetalError(
            exc.code, f"{exc.message}; it may not be able to light the lamp for good: name a duration"
        ) from exc


def identify_state() -> Script[Lamp]:
    """Whether the lamp is lit, by Get Chassis Status (byte 3, bits 6 to 4)."""
    data = yield from ask(CHASSIS, _GET_STATUS, least=3)
    return _LAMPS.get(data[2] >> 4 & 0x03, Lamp.UNKNOWN) if data[2] & 0x40 else Lamp.UNKNOWN


def reset_bmc(kind: ResetKind, attempt: Attempt[ResetKind]) -> Script[None]:
    """Cold or Warm Reset of the BMC itself (20.2, 20.3). Many BMCs do it and do not answer any more."""
    attempt.sent = kind
    yield from _once(APP, _RESETS[kind], b"", attempt)


def _once(netfn: int, command: int, data: bytes, attempt: Attempt[Any]) -> Script[None]:
    """Send what must not be carried out twice. ``attempt`` says that nothing was sent if the BMC refused it for sure."""
    try:
        yield from ask(netfn, command, data, once=True)
    except Refused as exc:
        if exc.completion == REPETITION:  # it is done; the answer to the first copy got lost
            return
        if not exc.unsure:
            attempt.sent = None
        raise


def boot_override() -> Script[BootOverride]:
    """Get System Boot Options (28.13), parameter 5."""
    data = yield from ask(CHASSIS, _GET_BOOT_OPTIONS, bytes((_BOOT_FLAGS, 0, 0)), least=4)
    locked, flags, selector = bool(data[1] & 0x80), data[2], (data[3] >> 2) & 0x0F
    return BootOverride(
        device=_DEVICES.get(selector, BootDevice.NONE),
        persistent=bool(flags & 0x40),
        mode=BootMode.UEFI if flags & 0x20 else BootMode.LEGACY,
        marked=bool(flags & 0x80) and not locked,
    )


def set_boot_override(wish: BootOverride, still: Still | None) -> Script[BootOverride]:
    """Set System Boot Options (28.12), parameters 3, 4 and 5, and read back. Raises: Withdrawn.

    Parameters 3 and 4 are what well-behaved software sets first; BMCs that lack them boot as told all the same.
    """
    if still is not None and not still():
        raise Withdrawn
    selector = _SELECTORS[wish.device]
    for parameter in (bytes((_VALID_BIT_CLEARING, _KEEP_ON_TIMEOUT)), bytes((_INFO_ACKNOWLEDGE, 0x01, 0x01))):
        try:
            yield from ask(CHASSIS, _SET_BOOT_OPTIONS, parameter)
        except Refused as exc:
            if exc.code is ErrorCode.PRIVILEGE:
                raise
    flags = 0
    if selector:
        flags = 0x80 | (0x40 if wish.persistent else 0) | (0x20 if wish.mode is BootMode.UEFI else 0)
    yield from ask(CHASSIS, _SET_BOOT_OPTIONS, bytes((_BOOT_FLAGS, flags, selector << 2, 0, 0, 0)))
    return (yield from boot_override())
