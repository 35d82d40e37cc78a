# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the drivers by name. A new hardware family is one driver file and one row here."""

from __future__ import annotations

from collections.abc import Callable

from .base import Driver
from .ipmi import IpmiDriver

DRIVERS: dict[str, Callable[[], Driver]] = {"ipmi": IpmiDriver}
"""Value of the attribute bmc.driver to what makes the driver."""
