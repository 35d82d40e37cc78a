# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the hub in this process, and a client to it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from ansible_collections.stage0.metal.plugins.module_utils._deploy.answer import Hub
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.plugin_utils._hub.application import application
from ansible_collections.stage0.metal.plugins.plugin_utils._hub.service import Service
from yarl import URL

URL_OF_HUB = "http://10.1.0.1:8480"
MAC = "52:54:00:01:00:01"


class Client:
    """Asks the hub. A ``path`` goes out as it is, with nothing tidied up."""

    def __init__(self, client: TestClient[web.Request, web.Application], service: Service) -> None:
        self._client = client
        self.service = service

    async def ask(
        self, path: str, method: str = "GET", data: bytes | dict[str, str] | None = None, **headers: str
    ) -> tuple[int, str]:
        """Return status and body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = URL(f"http://{self._client.host}:{self._client.port}{path}", encoded=True)
        async with self._client.session.request(method, url, data=data, headers=named) as answer:
            return answer.status, await answer.text()

    async def headers(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers in lower case, and body."""
        async with self._client.request(method, path, headers=headers) as answer:
            return answer.status, {key.lower(): value for key, value in answer.headers.items()}, await answer.read()

    async def raw(self, request: bytes) -> bytes:
        """Send bytes of our own, which must make the hub close the connection, and return all that comes back."""
        reader, writer = await asyncio.open_connection(self._client.host, self._client.port)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 30) if request else b""
        writer.close()
        await writer.wait_closed()
        return answer

    async def boot(self, mac: str = MAC) -> str:
        """Fetch a boot script and return its token."""
        _status, script = await self.ask(f"/boot?mac={mac}")
        found = re.search(r"/deploy/[^/]+/([A-Za-z0-9_-]{43})/", script)
        assert found, script
        return found[1]


def with_hub(scenario: Callable[[Client], Awaitable[None]], *, sweep_seconds: float = 3600.0) -> None:
    """Run ``scenario`` with a client of a hub over the database of STAGE0_HOME."""

    async def run() -> None:
        service = Service(open_database(), Hub(URL_OF_HUB))
        server = TestServer(application(service, sweep_seconds))
        async with TestClient(server) as client:
            await scenario(Client(client, service))

    asyncio.run(run())
