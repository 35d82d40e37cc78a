# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: addresses of BMCs that are given by name, within a time limit.

The system's resolver cannot be bounded or cancelled, and asyncio waits at its end for the threads in which it calls it:
so it runs in threads here for which nobody waits.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import Any

from ..._nodes.errors import ErrorCode, MetalError
from ..base import Target

THREADS = 16
"""Names that are looked up at once."""

Address = tuple[Any, ...]
"""What recvfrom() tells of a sender: the address, the port, for IPv6 two numbers more."""


class Resolver:
    """Belongs to one event loop, and asks for each name once."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(THREADS)
        self._known: dict[tuple[str, int], asyncio.Future[list[tuple[Address, int]]]] = {}

    async def resolve(self, target: Target, seconds: float) -> tuple[Address, int]:
        """Return the socket address of a BMC, and its family. Raises: MetalError ``unreachable`` or ``timeout``."""
        try:
            socket.inet_pton(socket.AF_INET, target.address)
            return (target.address, target.port), socket.AF_INET
        except OSError:
            pass
        return (await self.every(target.address, target.port, seconds))[0]

    async def every(self, name: str, port: int, seconds: float) -> list[tuple[Address, int]]:
        """Return all socket addresses of a name, at least one, each with its family. Raises: MetalError as resolve()."""
        try:
            async with asyncio.timeout(seconds):
                return await self._looked_up(name, port)
        except TimeoutError:
            why = f"the BMC's name {name!r} was not looked up within {seconds:.0f} s; do the name servers answer?"
            raise MetalError(ErrorCode.TIMEOUT, why) from None

    async def _looked_up(self, name: str, port: int) -> list[tuple[Address, int]]:
        found = self._known.get((name, port))
        if found is None or (found.done() and (found.cancelled() or found.exception() is not None)):
            found = self._known[name, port] = asyncio.get_running_loop().create_future()
            await self._begin(name, port, found)
        return await asyncio.shield(found)

    async def _begin(self, name: str, port: int, found: asyncio.Future[list[tuple[Address, int]]]) -> None:
        loop = asyncio.get_running_loop()
        await self._slots.acquire()

        def tell(addresses: list[tuple[Address, int]], error: MetalError | None) -> None:
            self._slots.release()
            if found.done():
                return
            if error is None:
                found.set_result(addresses)
            else:
                found.set_exception(error)
                found.exception()  # whoever waited may have gone: nobody need be told that it was not fetched

        def look() -> None:
            addresses, error = _addresses(name, port)
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(tell, addresses, error)

        threading.Thread(target=look, daemon=True).start()


def _addresses(name: str, port: int) -> tuple[list[tuple[Address, int]], MetalError | None]:
    try:
        rows = socket.getaddrinfo(name, port, type=socket.SOCK_DGRAM, flags=socket.AI_ADDRCONFIG)
    except (OSError, UnicodeError) as exc:
        why = getattr(exc, "strerror", None) or exc
        return [], MetalError(ErrorCode.UNREACHABLE, f"the BMC's name {name!r} has no address: {why}")
    return [(row[4], row[0]) for row in rows], None
