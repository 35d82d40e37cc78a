# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: accounts that BMCs are known to be delivered with, and by whom.

HPE's iLO and newer machines of most makers have a random password on a label, which no table can know.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class LogIn(NamedTuple):
    """An account as it is delivered, and whose it is."""

    user: str
    password: str
    maker: str = ""


FACTORY = (
    LogIn("ADMIN", "ADMIN", "Supermicro, until 2019"),
    LogIn("ADMIN", "admin", "Supermicro, some older"),
    LogIn("Administrator", "Admin@9000", "Huawei iBMC, xFusion"),
    LogIn("Administrator", "password", "HP Lights-Out 100 and copies of it"),
    LogIn("USERID", "PASSW0RD", "IBM and Lenovo IMM, XCC; with a zero"),
    LogIn("admin", "admin", "AMI MegaRAC, ASUS, ASRock Rack, Fujitsu iRMC, Inspur, NVIDIA DGX, HP Lights-Out 100"),
    LogIn("admin", "cmb9.admin", "Quanta"),
    LogIn("admin", "password", "Cisco CIMC, Gigabyte"),
    LogIn("lenovo", "len0vO", "Lenovo ThinkServer"),
    LogIn("qct.admin", "qct.admin", "Quanta, NVIDIA DGX-1"),
    LogIn("root", "0penBmc", "OpenBMC, NVIDIA BlueField"),
    LogIn("root", "Huawei12#$", "Huawei iBMC, older"),
    LogIn("root", "calvin", "Dell iDRAC, DRAC"),
    LogIn("root", "changeme", "Oracle and Sun ILOM"),
    LogIn("root", "root", "AMI MegaRAC, some"),
    LogIn("root", "superuser", "Intel, Tyan"),
    LogIn("sysadmin", "superuser", "AMI MegaRAC"),
    LogIn("test1", "superuser", "Intel"),
)


def by_user(more: Iterable[LogIn] = ()) -> dict[str, tuple[str, ...]]:
    """Return the passwords to ask for by user name, the names in order: those above and ``more``."""
    found: dict[str, dict[str, None]] = {}
    for each in (*FACTORY, *more):
        found.setdefault(each.user, {})[each.password] = None
    return {user: tuple(found[user]) for user in sorted(found)}
