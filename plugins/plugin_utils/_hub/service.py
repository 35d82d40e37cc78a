# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what the hub does with the database: each request one transaction, in a thread.

A node that is refused leaves a trace, so a refusal commits; an error of ours rolls back and is written as an event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ...module_utils._deploy import hubs, profile, requests
from ...module_utils._deploy.answer import Hub
from ...module_utils._deploy.deployments import Deployments
from ...module_utils._deploy.requests import Refused, Report
from ...module_utils._nodes.database import Database
from ...module_utils._nodes.errors import MetalError
from ...module_utils._nodes.secrets import Keyring
from ...module_utils._nodes.store import Store

T = TypeVar("T")
WHO = "hub"
READERS = 4
"""Reads gain from a few threads. SQLite writes one at a time, so one thread writes: those who wait hold up no reader."""


class Service:
    """The hub's requests, as coroutines."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self.database = database
        self.hub = hub
        self.keyring = Keyring()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="stage0-reader")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="stage0-writer")

    async def boot_script(self, mac: str | None, uuid: str | None) -> str:
        """The iPXE script for the machine that asks."""
        return await self._write(lambda store: requests.boot_script(store, self.hub, mac, uuid))

    async def answer_file(self, node: str, token: str) -> str:
        """The answer file. Raises: Refused, MetalError."""
        return await self._write(lambda store: requests.answer_file(store, self.hub, node, token), node)

    async def boot_config(self, node: str, token: str) -> str:
        """The loader's configuration. Raises: Refused, MetalError."""
        return await self._write(lambda store: requests.boot_config(store, self.hub, node, token), node)

    async def report(self, node: str, token: str, said: Report) -> str:
        """Take a report. Raises: Refused."""
        return await self._write(lambda store: requests.report(store, node, token, said), node)

    async def media_root(self, name: str) -> Path | None:
        """The folder of a profile's media, or None."""

        def work(store: Store) -> Path | None:
            found = profile.load(store.connection, name)
            return found.root if found else None

        return await self._read(work)

    async def nodes(self, only: str | None = None) -> dict[str, Any]:
        """State of every node, or of one, with its timeline; {} if there is none of that name."""

        def work(store: Store) -> dict[str, Any]:
            names = [name for name in store.node_names() if only in (None, name)]
            deployments = Deployments(store)
            latest = deployments.latest(names)
            shown: dict[str, Any] = {
                name: {"deployment": latest[name].shown() if name in latest else None} for name in names
            }
            if only in latest:
                shown[only]["deployment"]["timeline"] = deployments.timeline(latest[only].id)
            return shown

        return await self._read(work)

    async def announce(self) -> None:
        """Write down where this hub is."""
        await self._write(lambda store: hubs.remember(store.connection, self.hub.url))

    async def sweep(self) -> list[str]:
        """Fail what is overdue."""

        def overdue(store: Store) -> bool:
            return bool(Deployments(store).overdue())

        return await self._write(lambda store: Deployments(store).sweep()) if await self._read(overdue) else []

    def close(self) -> None:
        """Give threads and database back."""
        self._writer.shutdown()
        self._readers.shutdown()
        self.database.close()

    async def _read(self, work: Callable[[Store], T]) -> T:
        def run() -> T:
            with self.database.read() as connection:
                return work(Store(connection, self.keyring, WHO))

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def _write(self, work: Callable[[Store], T], node: str | None = None) -> T:
        def run() -> T:
            refused: Refused | None = None
            with self.database.write() as connection:
                try:
                    result = work(Store(connection, self.keyring, WHO))
                except Refused as exc:
                    refused = exc
            if refused is not None:
                raise refused
            return result

        try:
            return await asyncio.get_running_loop().run_in_executor(self._writer, run)
        except MetalError as exc:
            with suppress(MetalError):
                await self._failed(node, str(exc))
            raise

    async def _failed(self, node: str | None, message: str) -> None:
        def run() -> None:
            with self.database.write() as connection:
                Store(connection, self.keyring, WHO).event("hub failed", node or "hub", None, message)

        await asyncio.get_running_loop().run_in_executor(self._writer, run)
