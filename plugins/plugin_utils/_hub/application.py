# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the hub's HTTP routes (aiohttp). docs/reference/hub.md documents each.

Boot loaders and installers need plain text, GET and HTTP/1.1; people and programs get JSON under /api.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from ...module_utils._deploy.requests import Refused, Report
from ...module_utils._deploy.states import State
from ...module_utils._nodes.errors import MetalError
from ...module_utils._nodes.libraries import lazy
from . import media
from .service import Service

if TYPE_CHECKING:
    from aiohttp import web
else:
    web = lazy("aiohttp.web")

LOG = logging.getLogger("stage0.hub")
MAX_BODY = 64 * 1024
"""Bytes of a request's body: reports are small."""
FORM = "application/x-www-form-urlencoded"
"""What curl -d and wget --post-data send; a body of another type says nothing."""


class Routes:
    """The handlers. Each is a coroutine from request to response."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def health(self, _request: web.Request) -> web.Response:
        """GET /healthz: 200 if the database answers."""
        await self.service.nodes(only="")
        return web.json_response({"status": "ok", "url": self.service.hub.url})

    async def boot(self, request: web.Request) -> web.Response:
        """GET /boot?mac=...&uuid=...: an iPXE script, always."""
        script = await self.service.boot_script(request.query.get("mac"), request.query.get("uuid"))
        return web.Response(text=script)

    async def answer(self, request: web.Request) -> web.Response:
        """GET /deploy/NODE/TOKEN/answer: the answer file."""
        return web.Response(
            text=await self.service.answer_file(request.match_info["node"], request.match_info["token"])
        )

    async def boot_config(self, request: web.Request) -> web.Response:
        """GET /deploy/NODE/TOKEN/boot.cfg: the loader's configuration."""
        return web.Response(
            text=await self.service.boot_config(request.match_info["node"], request.match_info["token"])
        )

    async def report(self, request: web.Request) -> web.Response:
        """GET or POST /deploy/NODE/TOKEN/report?state=...: what the node says of itself; options in the query or a form."""
        said = dict(request.query)
        if request.content_type == FORM:
            said.update(parse_qsl((await request.read()).decode(errors="replace")))
        became = await self.service.report(request.match_info["node"], request.match_info["token"], _report(said))
        return web.Response(text=f"{became}\n")

    async def media(self, request: web.Request) -> web.StreamResponse:
        """GET /media/PROFILE/PATH: a file of the medium, by sendfile."""
        root = await self.service.media_root(request.match_info["profile"])
        if root is None:
            raise web.HTTPNotFound(text="no such profile\n")
        path = await asyncio.to_thread(media.find, root, request.match_info["path"])
        if path is None:
            raise web.HTTPNotFound(text="no such file in these media\n")
        return media.response(path)

    async def nodes(self, _request: web.Request) -> web.Response:
        """GET /api/nodes: the state of every node."""
        return web.json_response({"nodes": await self.service.nodes()})

    async def node(self, request: web.Request) -> web.Response:
        """GET /api/nodes/NODE: the state of one, with its timeline."""
        name = request.match_info["node"]
        found = await self.service.nodes(only=name)
        if name not in found:
            raise web.HTTPNotFound(text="no such node\n")
        return web.json_response({"name": name, **found[name]})


def _report(said: dict[str, str]) -> Report:
    """Read a report's options. Raises: Refused with status 400."""
    try:
        state = State(said.get("state", ""))
    except ValueError:
        raise Refused(400, "the report's state is missing or unknown") from None
    percent = said.get("percent")
    if percent is not None and not (re.fullmatch(r"[0-9]{1,3}", percent) and int(percent) <= 100):
        raise Refused(400, "the report's percent is not a whole number from 0 to 100")
    message = "".join(char if char.isprintable() else " " for char in said.get("message", "")).strip()
    return Report(state, None if percent is None else int(percent), message or None)


async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Middleware: whatever goes wrong in one request is that request's answer, and a line in the log without tokens."""
    try:
        return await handler(request)
    except Refused as exc:
        LOG.warning("%s refused to %s: %s", request.match_info.get("node", "?"), request.remote, exc)
        return web.Response(status=exc.status, text=f"{exc}\n")
    except MetalError as exc:
        LOG.error("%s: %s", request.match_info.get("node", request.path), exc.message)
        return web.Response(status=500, text="the hub cannot answer this; its log and the node's events say why\n")
    except web.HTTPException:
        raise
    except web.RequestPayloadError:
        return web.Response(status=400, text="the request's body is not what its headers say\n")
    except Exception:
        LOG.exception("a defect of the hub")
        return web.Response(status=500, text="a defect of the hub; its log has it\n")


def application(service: Service, sweep_seconds: float) -> web.Application:
    """Return the hub's application around ``service``, which it closes at its end."""
    app = web.Application(middlewares=[web.middleware(_errors)], client_max_size=MAX_BODY)
    routes = Routes(service)
    deploy = r"/deploy/{node:[a-z0-9._-]{1,253}}/{token:[A-Za-z0-9_-]{1,128}}"
    app.router.add_get("/healthz", routes.health)
    # No HEAD where a GET moves the deployment: nobody who only looks may boot, or report for, a node.
    app.router.add_get("/boot", routes.boot, allow_head=False)
    app.router.add_get(deploy + "/answer", routes.answer, allow_head=False)
    app.router.add_get(deploy + "/boot.cfg", routes.boot_config)
    app.router.add_get(deploy + "/report", routes.report, allow_head=False)
    app.router.add_post(deploy + "/report", routes.report)
    app.router.add_get(r"/media/{profile:[a-z0-9._-]+}/{path:.+}", routes.media)
    app.router.add_get("/api/nodes", routes.nodes)
    app.router.add_get("/api/nodes/{node}", routes.node)

    async def life(_app: web.Application) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(_sweep(service, sweep_seconds))
        yield
        sweeper.cancel()
        await asyncio.gather(sweeper, return_exceptions=True)
        service.close()

    app.cleanup_ctx.append(life)
    return app


async def _sweep(service: Service, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            for node in await service.sweep():
                LOG.warning("%s: its deployment is overdue", node)
        except MetalError as exc:
            LOG.error("looking for overdue deployments: %s", exc)
        except Exception:  # a defect of ours must not end the looking for good
            LOG.exception("a defect of the hub, in looking for overdue deployments")
