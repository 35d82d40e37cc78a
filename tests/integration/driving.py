# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: run something with an IPMI driver of its own, from a test that is not asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ansible_collections.stage0.metal.plugins.module_utils._drivers.ipmi import IpmiDriver


def drive(work: Callable[[IpmiDriver], Awaitable[Any]]) -> Any:
    """Return what ``work`` returns; its sessions are closed by then."""

    async def run() -> Any:
        driver = IpmiDriver()
        try:
            return await work(driver)
        finally:
            await driver.close()

    return asyncio.run(run())
