# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the HTTP client of the simulated machines: one connection pool, retries with patience.

A machine in the middle of an install must live through a restart of the hub, as an installer's ``curl --retry``
does; a firmware gives up sooner. An HTTP status from 400 to 499 is an answer and is never retried.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ...module_utils._nodes.libraries import lazy

if TYPE_CHECKING:
    import aiohttp
else:
    aiohttp = lazy("aiohttp")

MOST_TEXT = 4 * 1024 * 1024
"""Bytes that a script or an answer file may have."""
MOST_START = 64 * 1024
"""Bytes that are kept of a file which may be big: enough for a boot script."""
_CHUNK = 256 * 1024
_T = TypeVar("_T")


class HttpFailure(Exception):
    """The request failed for good. ``status`` is the HTTP status, or None if no server answered."""

    def __init__(self, url: str, reason: str, status: int | None = None) -> None:
        super().__init__(f"{reason} from {without_secrets(url)}")
        self.status = status


class _TryAgain(Exception):
    """No answer, or one that may be better a moment later."""


@dataclass(frozen=True)
class Patience:
    """For how many seconds a request is repeated, after pauses that double from ``first`` up to ``longest``.

    ``tell`` is called with a sentence when the first try has failed and others follow.
    """

    seconds: float
    tell: Callable[[str], None]
    first: float = 0.25
    longest: float = 5.0


@dataclass(frozen=True)
class Fetched:
    """A file that was fetched: its length in bytes, and its beginning."""

    size: int
    start: bytes


def without_secrets(url: str) -> str:
    """Return the URL with its token cut out, for messages (`/deploy/NODE/TOKEN/...`)."""
    head, middle, tail = url.partition("/deploy/")
    parts = tail.split("/")
    if not middle or len(parts) < 2:
        return url
    return "/".join((head + "/deploy", parts[0], "…", *parts[2:]))


class HttpClient:
    """HTTP for all machines of a rack: at most ``connections`` at a time, ``timeout`` seconds without a byte."""

    def __init__(self, connections: int = 48, timeout: float = 15.0) -> None:
        self._connections = connections
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def text(self, url: str, patience: Patience) -> str:
        """Return the body of ``url``. Raises HttpFailure."""

        async def read(response: aiohttp.ClientResponse) -> str:
            body = await response.content.read(MOST_TEXT + 1)
            while len(body) <= MOST_TEXT and (more := await response.content.read(_CHUNK)):
                body += more
            if len(body) > MOST_TEXT:
                raise HttpFailure(url, f"more than {MOST_TEXT} bytes of text")
            return body.decode("utf-8", "replace")

        return await self._get(url, patience, read)

    async def fetch(self, url: str, patience: Patience) -> Fetched:
        """Fetch ``url`` to its end and keep no more than its beginning. Raises HttpFailure."""

        async def read(response: aiohttp.ClientResponse) -> Fetched:
            size, start = 0, b""
            async for chunk in response.content.iter_chunked(_CHUNK):
                size += len(chunk)
                if len(start) < MOST_START:
                    start = (start + chunk)[:MOST_START]
            return Fetched(size, start)

        return await self._get(url, patience, read)

    async def _get(self, url: str, patience: Patience, read: Callable[[aiohttp.ClientResponse], Awaitable[_T]]) -> _T:
        give_up, pause, told = time.monotonic() + patience.seconds, patience.first, False
        while True:
            try:
                return await self._once(url, read)
            except _TryAgain as problem:
                if time.monotonic() + pause > give_up:
                    raise HttpFailure(url, str(problem)) from None
                if not told:
                    patience.tell(f"{problem} from {without_secrets(url)}; trying again")
                    told = True
            await asyncio.sleep(pause)
            pause = min(pause * 2, patience.longest)

    async def _once(self, url: str, read: Callable[[aiohttp.ClientResponse], Awaitable[_T]]) -> _T:
        try:
            async with self._opened().get(url) as response:
                if response.status >= 500:
                    raise _TryAgain(f"HTTP status {response.status}")
                if response.status != 200:
                    raise HttpFailure(url, f"HTTP status {response.status}", response.status)
                return await read(response)
        except aiohttp.InvalidURL:
            raise HttpFailure(url, "not a URL that can be fetched: no answer") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise _TryAgain(f"no answer ({type(exc).__name__})") from exc

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout, sock_read=self._timeout)
            connector = aiohttp.TCPConnector(limit=self._connections)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        return self._session
