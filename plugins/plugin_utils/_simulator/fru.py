# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the FRU inventory area of a simulated machine.

Standard: Platform Management FRU Information Storage Definition v1.0 revision 1.3.
"""

from __future__ import annotations

from .wire import checksum

MANUFACTURER_NAME = "Stage0 Simulation"
BOARD_NAME = "SimBoard 2"
PRODUCT_NAME = "SimServer 240"
_UNIT = 8
_VERSION = 1
_ENGLISH = 25
_END = 0xC1
_RACK_MOUNT_CHASSIS = 0x17
_MINUTES_SINCE_1996 = bytes((0x00, 0x00, 0xEC))


def inventory(serial: str) -> bytes:
    """Return the area of FRU device 0: chassis, board and product, the serial numbers derived from ``serial``."""
    chassis = _area(bytes((_VERSION, 0, _RACK_MOUNT_CHASSIS)), ("SC-1U", f"C{serial}"))
    board = _area(
        bytes((_VERSION, 0, _ENGLISH)) + _MINUTES_SINCE_1996,
        (MANUFACTURER_NAME, BOARD_NAME, f"B{serial}", "SB-2", ""),
    )
    product = _area(
        bytes((_VERSION, 0, _ENGLISH)),
        (MANUFACTURER_NAME, PRODUCT_NAME, "SS-240", "1.0", serial, "", ""),
    )
    at_chassis = 1
    at_board = at_chassis + len(chassis) // _UNIT
    at_product = at_board + len(board) // _UNIT
    header = bytes((_VERSION, 0, at_chassis, at_board, at_product, 0, 0))
    return header + bytes((checksum(header),)) + chassis + board + product


def _area(head: bytes, fields: tuple[str, ...]) -> bytes:
    area = bytearray(head)
    for text in fields:
        area += bytes((0xC0 | len(text),)) + text.encode("ascii")
    area.append(_END)
    area += bytes(-(len(area) + 1) % _UNIT)
    area[1] = (len(area) + 1) // _UNIT
    area.append(checksum(bytes(area)))
    return bytes(area)
