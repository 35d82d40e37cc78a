# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the user accounts of a simulated BMC.

Standard: IPMI v2.0 revision 1.1, sections 22.26 to 22.30 (commands) and 13.17 (look-up at log-in).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .bmc_data import Account

SLOTS = 10
NAME_LENGTH = 16
SHORT_PASSWORD, LONG_PASSWORD = 16, 20
NO_ACCESS = 0x0F
FIRST = 2
"""Slot of the rack's own account; slot 1 is kept for the user without a name, who is disabled and stays so."""


@dataclass(slots=True)
class User:
    """One slot. ``password``: without zeros behind it; ``long``: it was stored as one of 20 bytes."""

    number: int
    name: bytes = b""
    password: bytes = b""
    privilege: int = NO_ACCESS
    enabled: bool = False
    long: bool = False
    messaging: bool = True
    link: bool = False

    @property
    def access(self) -> int:
        """The access byte of Get User Access."""
        return self.link << 5 | self.messaging << 4 | self.privilege


class Users:
    """The slots of one BMC, numbers 1 to 10."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._slots: dict[int, User] = {}
        for number, account in enumerate(accounts, FIRST):
            self._slots[number] = User(
                number,
                account.name,
                account.password,
                account.privilege,
                account.enabled,
                len(account.password) > SHORT_PASSWORD,
            )

    def slot(self, number: int) -> User | None:
        """Return the slot with this number, or None. Most slots of most BMCs are never asked for, so it is made now."""
        if not 1 <= number <= SLOTS:
            return None
        return self._slots.setdefault(number, User(number))

    @property
    def enabled(self) -> int:
        """How many accounts are enabled."""
        return sum(user.enabled for user in self._slots.values())

    def named(self, name: bytes, privilege: int | None = None) -> User | None:
        """Return the first enabled account of this name (and with just this privilege limit), or None."""
        for user in self._slots.values():
            if user.name == name and user.enabled and user.messaging and privilege in (None, user.privilege):
                return user
        return None

    def taken(self, name: bytes, besides: int) -> bool:
        """Return whether another slot than ``besides`` has this name."""
        return any(user.name == name for user in self._slots.values() if user.number != besides)
