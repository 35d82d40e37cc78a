# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what a simulated BMC is made of: its identity, its account, its counters."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

ADMINISTRATOR = 4


@dataclass(frozen=True)
class Account:
    """The one account of a BMC (user number 2): name and password as bytes, highest privilege (4: administrator)."""

    name: bytes
    password: bytes
    privilege: int = ADMINISTRATOR


@dataclass(frozen=True)
class BmcIdentity:
    """What tells one BMC from another. ``system`` is the UUID of the machine that it manages."""

    name: str
    address: str
    port: int
    mac: str
    system: uuid.UUID
    serial: str

    @property
    def guid(self) -> bytes:
        """The UUID in SMBIOS byte order, which is what BMCs send although IPMI section 20.8 says otherwise."""
        return self.system.bytes_le


@dataclass
class Counters:
    """What a BMC has seen since it was started."""

    packets_in: int = 0
    packets_out: int = 0
    packets_lost: int = 0
    packets_refused: int = 0
    repeated: int = 0
    bad_auth: int = 0
    sessions_opened: int = 0
    sessions_closed: int = 0
    sessions_expired: int = 0
    sessions_refused: int = 0
    commands: dict[str, int] = field(default_factory=dict)

    def command(self, name: str) -> None:
        """Count one command that was carried out (a repeated request is not)."""
        self.commands[name] = self.commands.get(name, 0) + 1
