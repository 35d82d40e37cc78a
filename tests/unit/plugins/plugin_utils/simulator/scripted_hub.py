# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a hub of a hundred lines for tests: arms nodes, serves files, takes reports, can go away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.machine import Machine

LOCAL_DISK = "#!ipxe\niseq ${platform} efi && exit 1 ||\nsanboot --no-describe --drive 0x80 || exit 1\n"
SECONDS = 20.0
"""After so long a test gives up waiting."""
TURNS = 4000
"""How often it looks until then."""


class ScriptedHub:
    """Deploys ``style`` (linux or esxi) to machines whose MAC address is in ``armed``; ``async with`` runs it."""

    def __init__(self, style: str = "linux") -> None:
        self.style = style
        self.armed: set[str] = set()
        self.requests: list[str] = []
        self.reports: list[tuple[str, ...]] = []
        self.missing: set[str] = set()
        self.refuse_reports = 0
        self.port = 0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> ScriptedHub:
        await self.start()
        return self

    async def __aexit__(self, *_what: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, on the same port as the last time."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be gone."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def states(self) -> list[str]:
        """Return the states that were reported, repetitions of one left out."""
        found: list[str] = []
        for report in self.reports:
            if not found or found[-1] != report[0]:
                found.append(report[0])
        return found

    def asked(self, start: str) -> int:
        """Return how many requests began so."""
        return sum(request.startswith(start) for request in self.requests)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            target = head.split(b" ", 2)[1].decode()
            self.requests.append(target)
            status, body = self._answer(target)
            data = body.encode()
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode())
            writer.write(data)
            await writer.drain()
            writer.close()

    def _answer(self, target: str) -> tuple[int, str]:
        parts = urlsplit(target)
        if parts.path in self.missing:
            return 404, ""
        if parts.path == "/boot":
            armed = parse_qs(parts.query)["mac"][0] in self.armed
            return 200, self._boot_script() if armed else LOCAL_DISK
        routes: dict[str, Callable[[], tuple[int, str]]] = {
            "/deploy/n01/token/answer": lambda: (200, self._answer_file()),
            "/deploy/n01/token/boot.cfg": lambda: (200, self._boot_cfg()),
            "/deploy/n01/token/report": lambda: self._report(parts.query),
        }
        route = routes.get(parts.path)
        if route is not None:
            return route()
        return (200, "x" * 1000) if parts.path.startswith("/media/") else (404, "")

    def _boot_script(self) -> str:
        scripts = {
            "linux": f"kernel --name vmlinuz {self.url}/media/p/vmlinuz initrd=i.gz ks={self.url}/deploy/n01/token/answer\n"
            f"initrd --name i.gz {self.url}/media/p/i.gz\nboot\n",
            "esxi": f"kernel {self.url}/media/p/efi/boot/bootx64.efi -c {self.url}/deploy/n01/token/boot.cfg\nboot\n",
        }
        return "#!ipxe\n" + scripts[self.style]

    def _boot_cfg(self) -> str:
        answer = f"{self.url}/deploy/n01/token/answer"
        return f"prefix={self.url}/media/p\nkernel=b.b00\nmodules=m1.gz --- m2.gz\nkernelopt=runweasel ks={answer}\n"

    def _answer_file(self) -> str:
        return (
            f"hostname n01.example\nimage {self.url}/media/p/disk.img.gz\nreport {self.url}/deploy/n01/token/report\n"
        )

    def _report(self, query: str) -> tuple[int, str]:
        if self.refuse_reports:
            return self.refuse_reports, ""
        fields = parse_qs(query)
        report = (fields["state"][0], *fields.get("percent", []))
        self.reports.append(report)
        if report[0] == "installed":
            self.armed.clear()
        return 200, "{}"


async def until(condition: Callable[[], bool], machine: Machine | None = None) -> None:
    """Wait until the condition holds; fail with what the machine did if it does not."""
    for _turn in range(TURNS):
        if condition():
            return
        await asyncio.sleep(SECONDS / TURNS)
    raise AssertionError(texts(machine) if machine else "it did not come to pass")


def texts(machine: Machine) -> str:
    """Return the machine's events as one text."""
    return "\n".join(event.text for event in machine.events)
