# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What stands on a machine's disk, read from outside with mtools while the machine may be running."""

from __future__ import annotations

import subprocess

from .machine import Machine
from .media import MASTER_BOOT_RECORD, PARTITION_OFFSET_MIB


def is_empty(machine: Machine) -> bool:
    """Whether nothing was ever written to the disk."""
    return machine.disk.stat().st_blocks == 0


def boots_itself(machine: Machine) -> bool:
    """Whether the disk begins with the boot code of the image."""
    code = MASTER_BOOT_RECORD.read_bytes()
    with machine.disk.open("rb") as disk:
        return disk.read(len(code)) == code


def read(machine: Machine, path: str) -> bytes | None:
    """The file ``path`` of the disk's file system, None if there is no such file."""
    image = f"{machine.disk}@@{PARTITION_OFFSET_MIB}M"
    done = subprocess.run(["mtype", "-i", image, f"::/{path}"], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def boots(machine: Machine) -> int:
    """How often the installed system has booted from this disk."""
    return int(read(machine, "stage0/boots") or 0)
