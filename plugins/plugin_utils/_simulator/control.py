# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: asking a running simulator for its state and changing its faults, over a Unix socket.

A client connects, may send one line of JSON, and gets one JSON document. An empty line, or none, asks for the
state. Requests: ``{"do": "state"}``, ``{"do": "fault", "node": N, "fault": F}``, ``{"do": "clear", "node": N,
"fault": F or null}``. An error is ``{"error": sentence}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Any

from ...module_utils._nodes.errors import ErrorCode, MetalError
from .rack import Rack

_LONGEST_REQUEST = 64 * 1024
_REQUEST_SECONDS = 5.0


class ControlServer:
    """Answers at ``path`` for as long as ``async with`` lasts."""

    def __init__(self, rack: Rack, path: str) -> None:
        self._rack = rack
        self._path = path
        self._server: asyncio.Server | None = None
        self._verbs: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "state": lambda _request: rack.state(),
            "fault": self._fault,
            "clear": self._clear,
        }

    async def __aenter__(self) -> ControlServer:
        if _answers(self._path):
            raise MetalError(ErrorCode.CONFLICT, f"another simulator answers at {self._path}")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        try:
            self._server = await asyncio.start_unix_server(self._serve, self._path, limit=_LONGEST_REQUEST)
        except OSError as exc:
            raise MetalError(ErrorCode.INVALID, f"the state socket {self._path} cannot be made ({exc})") from exc
        # the state names no password, but faults are not for everybody on the machine to set
        os.chmod(self._path, 0o600)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            try:
                line = await asyncio.wait_for(reader.readline(), _REQUEST_SECONDS)
                answer = self._answer(line)
            except (TimeoutError, ValueError):
                answer = {"error": "the request is not one line of JSON"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
            writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        request = json.loads(line) if line.strip() else {"do": "state"}
        verb = self._verbs.get(str(request.get("do"))) if isinstance(request, dict) else None
        if verb is None:
            return {"error": f"a request has 'do': one of {', '.join(self._verbs)}"}
        try:
            return verb(request)
        except MetalError as error:
            return {"error": str(error)}

    def _fault(self, request: dict[str, Any]) -> dict[str, Any]:
        name = str(request.get("node"))
        self._rack.set_fault(name, str(request.get("fault")))
        return {"node": name, "faults": self._rack.node(name).faults.names()}

    def _clear(self, request: dict[str, Any]) -> dict[str, Any]:
        name, fault = str(request.get("node")), request.get("fault")
        self._rack.clear_fault(name, None if fault is None else str(fault))
        return {"node": name, "faults": self._rack.node(name).faults.names()}


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
        probe.connect(path)
        return True
    return False


def ask(path: str, request: dict[str, Any] | None = None, timeout: float = 10.0) -> dict[str, Any]:
    """Return the answer of the simulator whose state socket is ``path``; without a request, its state.

    ``timeout`` in seconds. Raises MetalError: ``unreachable`` if nobody answers there, ``invalid`` if it refused.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(timeout)
            sock.connect(path)
            sock.sendall(json.dumps(request or {"do": "state"}).encode() + b"\n")
            with sock.makefile("rb") as stream:
                answer: dict[str, Any] = json.loads(stream.read())
    except (OSError, ValueError) as exc:
        raise MetalError(ErrorCode.UNREACHABLE, f"no simulator answers at {path} ({exc})") from exc
    if "error" in answer:
        raise MetalError(ErrorCode.INVALID, str(answer["error"]))
    return answer
