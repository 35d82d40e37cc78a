# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what a simulated BMC is made of: its identity, its accounts, its counters."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

ADMINISTRATOR = 4


@dataclass(frozen=True)
class Account:
    """An account as the rack sets it up: name and password as bytes, highest privilege (4: administrator)."""

    name: bytes
    password: bytes
    privilege: int = ADMINISTRATOR
    enabled: bool = True


@dataclass(frozen=True)
class BmcIdentity:
    """What tells one BMC from another. ``system`` is the UUID of the machine that it manages."""

    name: str
    address: str
    port: int
    mac: str
    system: uuid.UUID
    serial: str
    address6: str | None = None
    """A second, IPv6 address that the BMC answers at, on ``port6``."""
    port6: int = 0

    @property
    def guid(self) -> bytes:
        """The UUID in SMBIOS byte order, which is what BMCs send although IPMI section 20.8 says otherwise."""
        return self.system.bytes_le


@dataclass
class Counters:
    """What a BMC has seen since it was started.

    ``log_ins``: RAKP messages 1 that got an answer to go on with. Of these, ``wrong_passwords`` went on with a wrong
    code in message 3: each is a password tried. ``given_up`` said in message 3 that they do not believe the BMC.
    ``unfinished`` never sent one: a client that sees from message 2 that its password is wrong may just go.
    ``refused_log_ins``: message 1 was refused (name, role). ``bad_auth``: everything with a wrong code, these included.
    """

    packets_in: int = 0
    packets_out: int = 0
    packets_lost: int = 0
    packets_refused: int = 0
    repeated: int = 0
    bad_auth: int = 0
    log_ins: int = 0
    refused_log_ins: int = 0
    wrong_passwords: int = 0
    given_up: int = 0
    unfinished: int = 0
    resets: int = 0
    sessions_opened: int = 0
    sessions_closed: int = 0
    sessions_expired: int = 0
    sessions_refused: int = 0
    commands: dict[str, int] = field(default_factory=dict)

    def command(self, name: str) -> None:
        """Count one command that was carried out (a repeated request is not)."""
        self.commands[name] = self.commands.get(name, 0) + 1
