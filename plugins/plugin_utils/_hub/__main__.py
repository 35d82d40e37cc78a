# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: ``python -m ansible_collections.stage0.metal.plugins.plugin_utils._hub`` runs the hub."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from typing import TYPE_CHECKING

from ansible_collections.stage0.metal.plugins.module_utils._deploy.answer import Hub
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.libraries import lazy
from ansible_collections.stage0.metal.plugins.plugin_utils._hub.application import application
from ansible_collections.stage0.metal.plugins.plugin_utils._hub.service import Service
from ansible_collections.stage0.metal.plugins.plugin_utils._hub.settings import Settings, parse

if TYPE_CHECKING:
    from aiohttp import web
else:
    web = lazy("aiohttp.web")


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises: MetalError, OSError (the address cannot be had)."""
    service = Service(open_database(settings.database), Hub(settings.url))
    runner = web.AppRunner(application(service, settings.sweep_seconds), access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.bind, settings.port).start()
        await service.announce()
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        print(f"the hub listens on {settings.bind} port {settings.port}; nodes reach it as {settings.url}", flush=True)
        await stopped.wait()
    finally:
        await runner.cleanup()


def main() -> int:
    """Run the hub; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    settings = parse()
    try:
        asyncio.run(serve(settings))
    except (MetalError, OSError) as exc:
        print(f"the hub cannot run: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
