# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: words for the numbers of IPMI v2.0, tables 42-2 and 42-3. The words are pyghmi's."""

from __future__ import annotations

import re
from typing import Any

from ..._nodes.libraries import lazy
from ..sensing import KINDS
from . import severity

constants = lazy("pyghmi.ipmi.private.constants")
_OEM = 0xC0
"""Sensor types from here on are the makers' own."""


def kind(number: int) -> str:
    """Return the kind of a sensor type, one of sensing.KINDS."""
    if number >= _OEM:
        return "oem"
    word = re.sub("[^a-z]+", "_", constants.sensor_type_codes.get(number, "").lower())
    return word if word in KINDS else "unknown"


def _meaning(kind_number: int, reading: int, offset: int) -> dict[str, Any]:
    if reading == severity.SENSOR_SPECIFIC:
        tables, row = constants.sensor_type_offsets, kind_number
    else:
        tables, row = constants.generic_type_offsets, reading
    found: dict[str, Any] = tables.get(row, {}).get(offset, {})
    return found


def state(kind_number: int, reading: int, offset: int) -> str:
    """Return what state ``offset`` is called; a number for those that have no name."""
    return str(_meaning(kind_number, reading, offset).get("desc") or f"state {offset} of type {reading:02x}h")


def event(kind_number: int, reading: int, offset: int, *, asserted: bool) -> str:
    """Return what entering or leaving state ``offset`` is called."""
    name = "desc" if asserted else "deassertion_desc"
    text = _meaning(kind_number, reading, offset).get(name)
    if text:
        return str(text)
    return state(kind_number, reading, offset) + ("" if asserted else " deasserted")
