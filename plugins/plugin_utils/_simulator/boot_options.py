# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the system boot options that a BMC keeps and the machine's firmware obeys.

Standard: IPMI v2.0 revision 1.1, sections 28.12 to 28.14. A boot override that is set for one boot only is gone
after 60 s without a chassis command, unless parameter 3 asked to keep it: real BMCs do that, so this one does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

SET_IN_PROGRESS = 0
VALID_BIT_CLEARING = 3
BOOT_INFO_ACKNOWLEDGE = 4
BOOT_FLAGS = 5
LENGTHS = {SET_IN_PROGRESS: 1, 1: 1, 2: 1, VALID_BIT_CLEARING: 1, BOOT_INFO_ACKNOWLEDGE: 2, BOOT_FLAGS: 5}
"""Parameters offered and their lengths in bytes."""

_VALID = 0x80
_PERSISTENT = 0x40
_EFI = 0x20
_NO_TIMEOUT = 0x08
_TIMEOUT_SECONDS = 60.0


class BootDevice(IntEnum):
    """Boot device selector of the boot flags (data byte 2, bits 5 to 2)."""

    NONE = 0
    NETWORK = 1
    DISK = 2
    DISK_SAFE_MODE = 3
    DIAGNOSTIC = 4
    CD = 5
    SETUP = 6
    REMOTE_FLOPPY = 7
    REMOTE_CD = 8
    REMOTE_PRIMARY = 9
    REMOTE_DISK = 11
    FLOPPY = 15


@dataclass(frozen=True)
class Override:
    """A boot override in force: the device's number, whether for all boots to come, whether in EFI mode."""

    device: int
    persistent: bool
    efi: bool


class BootOptions:
    """The boot option parameters of one BMC. ``clock`` gives seconds, steadily."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._values = {number: bytes(length) for number, length in LENGTHS.items()}
        self._locked: set[int] = set()
        self._deadline: float | None = None

    def set(self, selector: int, data: bytes) -> None:
        """Store parameter ``selector & 0x7f``; bit 7 marks it invalid (locked). Without data only the mark is set.

        Raises KeyError for a parameter that is not offered, ValueError if the data is shorter than it.
        """
        number = selector & 0x7F
        length = LENGTHS[number]
        if data and len(data) < length:
            raise ValueError(f"boot option parameter {number} has {length} bytes")
        (self._locked.add if selector & 0x80 else self._locked.discard)(number)
        if not data:
            return
        self._values[number] = data[:length]
        if number in (BOOT_FLAGS, VALID_BIT_CLEARING):
            self._arm_timeout()

    def get(self, number: int) -> tuple[int, bytes]:
        """Return selector (with the lock bit) and data of a parameter. Raises KeyError if it is not offered."""
        self._expire()
        return number | (0x80 if number in self._locked else 0), self._values[number]

    def override(self) -> Override | None:
        """Return the override that the next boot would obey, or None."""
        self._expire()
        flags, device = self._values[BOOT_FLAGS][0], self._values[BOOT_FLAGS][1] >> 2 & 0x0F
        if not flags & _VALID or device == BootDevice.NONE:
            return None
        return Override(device=device, persistent=bool(flags & _PERSISTENT), efi=bool(flags & _EFI))

    def chassis_command(self) -> None:
        """A chassis control command came: the override no longer times out."""
        self._expire()
        self._deadline = None

    def take(self) -> Override | None:
        """Return the override for a boot that begins now, and forget it if it was for one boot."""
        override = self.override()
        if override is not None and not override.persistent:
            self._clear()
        return override

    def _arm_timeout(self) -> None:
        flags = self._values[BOOT_FLAGS][0]
        one_shot = flags & _VALID and not flags & _PERSISTENT
        kept = self._values[VALID_BIT_CLEARING][0] & _NO_TIMEOUT
        self._deadline = self._clock() + _TIMEOUT_SECONDS if one_shot and not kept else None

    def _expire(self) -> None:
        if self._deadline is not None and self._clock() >= self._deadline:
            self._clear()

    def _clear(self) -> None:
        self._values[BOOT_FLAGS] = bytes(LENGTHS[BOOT_FLAGS])
        self._deadline = None
