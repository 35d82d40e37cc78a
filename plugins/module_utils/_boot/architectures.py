# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what a client says it is (DHCP option 93, RFC 4578 and IANA's list) to the loader it gets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Architecture:
    """One row: the tag it is called by, the ``codes`` of option 93, and the file that its firmware fetches by TFTP."""

    tag: str
    codes: tuple[int, ...]
    loader: str
    description: str


ARCHITECTURES = (
    Architecture("bios", (0,), "undionly.kpxe", "BIOS"),
    Architecture("efi64", (7, 9), "snponly.efi", "UEFI x64"),
)
"""iPXE's own file names, as Debian's package ipxe has them. UEFI x64 firmware says 7 or 9."""
