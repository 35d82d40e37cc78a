# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what a BMC is set up with: its network, its accounts; neutral words for every driver."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class AddressSource(StrEnum):
    """Where a BMC has its address from."""

    STATIC = "static"
    DHCP = "dhcp"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class BmcNetwork:
    """A BMC's IPv4 network. In a wish, None: leave it as it is; ``vlan`` 0: no VLAN."""

    source: AddressSource | None = None
    address: str | None = None
    netmask: str | None = None
    gateway: str | None = None
    vlan: int | None = None
    mac: str | None = None


class AccountLevel(StrEnum):
    """What an account of a BMC may do."""

    NONE = "none"
    CALLBACK = "callback"
    USER = "user"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    OEM = "oem"


@dataclass(frozen=True, slots=True)
class BmcAccount:
    """An account of a BMC. ``enabled``: whether it may log in over the network; None where the BMC does not tell.

    ``free``: it is the place for a new one.
    """

    number: int
    name: str
    level: AccountLevel
    enabled: bool | None
    free: bool = False


@dataclass(frozen=True, slots=True)
class AccountWish:
    """What an account is to be. ``password``: None leaves it; ``present``: False disables it and takes its name."""

    name: str
    password: str | None = field(repr=False)
    level: AccountLevel
    present: bool = True
