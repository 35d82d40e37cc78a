# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the simulated data center.

N BMCs that speak IPMI 2.0 on loopback addresses and N machines that power on, ask the hub for a boot script, fetch
kernel and answer file, report, reboot and come up from disk, with faults on demand. It knows wire formats and
nothing of this collection's drivers.

From Python: ``async with Rack(RackOptions(...)) as rack``, or :class:`RackThread`, :class:`RackProcess` from a
program that is not asynchronous. From a shell: ``python -m`` this package, ``--help``.
"""

from __future__ import annotations

from .bmc_data import Account
from .control import ask
from .faults import Fault, FaultSetting, parse_fault
from .machine import BootOrder, Firmware, Phase, Timing
from .models import MODELS
from .options import RackOptions, inventory_csv, node_identities
from .rack import Rack
from .runner import RackProcess, RackThread, private_address

__all__ = [
    "MODELS",
    "Account",
    "BootOrder",
    "Fault",
    "FaultSetting",
    "Firmware",
    "Phase",
    "Rack",
    "RackOptions",
    "RackProcess",
    "RackThread",
    "Timing",
    "ask",
    "inventory_csv",
    "node_identities",
    "parse_fault",
    "private_address",
]
