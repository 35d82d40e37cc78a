# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: which BMC and which machine it is: Get Device ID and Get System GUID (IPMI v2.0, 20.1, 22.14)."""

from __future__ import annotations

import struct
import uuid

from ..._nodes.errors import ErrorCode
from ..facts import Controller
from .script import APP, Refused, Script, ask

_GET_DEVICE_ID = 0x01
_GET_SYSTEM_GUID = 0x37


def controller() -> Script[Controller]:
    """Return what the BMC says of itself. Raises: MetalError."""
    data = yield from ask(APP, _GET_DEVICE_ID, least=11)
    return decode_device_id(data)


def decode_device_id(data: bytes) -> Controller:
    """Return the answer to Get Device ID (table 20-2, at least 11 bytes) in words.

    The minor revision is two BCD digits, and the IPMI version has its halves swapped: 02h is 2.0, 51h is 1.5.
    """
    major, minor, version = struct.unpack_from("<BBB", data, 2)
    maker = int.from_bytes(data[6:9], "little") & 0xFFFFF
    (product,) = struct.unpack_from("<H", data, 9)
    build = data[11:15]
    return Controller(
        firmware=f"{major & 0x7F}.{minor:02x}",
        manufacturer_id=maker,
        product_id=product,
        protocol=f"IPMI {version & 0x0F:x}.{version >> 4:x}",
        firmware_build=build.hex() if any(build) else None,
    )


def system_uuid() -> Script[str | None]:
    """Return the machine's UUID as dmidecode shows it, or None if the BMC has none. Raises: MetalError.

    The specification (table 20-10) sends all sixteen bytes the other way round, but BMCs copy them from the SMBIOS
    structure, whose first three fields are little-endian and the rest is not; that is also how ipmitool's "smbios"
    encoding, pyghmi and the kernel's DMI files read it.
    """
    try:
        data = yield from ask(APP, _GET_SYSTEM_GUID, least=16)
    except Refused as refused:
        if refused.retryable or refused.code is ErrorCode.PRIVILEGE:  # it may well have one
            raise
        return None
    return decode_guid(data)


def decode_guid(data: bytes) -> str | None:
    """Return sixteen bytes in SMBIOS order as text; None if they are all 00h (not set) or FFh (not known)."""
    guid = data[:16]
    return None if guid in (bytes(16), b"\xff" * 16) else str(uuid.UUID(bytes_le=guid))
