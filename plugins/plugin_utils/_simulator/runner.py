# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a rack beside a program that is not asynchronous: in a process or in a thread."""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from ...module_utils._nodes.errors import ErrorCode, MetalError
from .control import ask
from .options import RackOptions
from .rack import Rack

_MODULE = "ansible_collections.stage0.metal.plugins.plugin_utils._simulator"
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_T = TypeVar("_T")


def private_address(salt: int = 0) -> str:
    """Return a loopback address from which a rack of this process (``salt`` tells its racks apart) may count up."""
    number = (os.getpid() * 7 + salt) % (100 * 60)
    return f"127.{100 + number // 60}.{number % 60 * 4}.1"


class RackProcess:
    """The simulator's command line as a subprocess; ``with`` starts and ends it.

    ``arguments``: of the command line; a state socket is added. Raises MetalError if it does not start.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = list(arguments)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.ready_line = ""

    @property
    def socket(self) -> str:
        """Path of the state socket."""
        return str(Path(self._folder.name) / "state") if self._folder else ""

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid if self._process else 0

    def __enter__(self) -> RackProcess:
        self._folder = tempfile.TemporaryDirectory(prefix="stage0-sim-")
        # --until-eof: the simulator must not outlive a test run that was killed
        command = [sys.executable, "-m", _MODULE, "--until-eof", "--state-socket", self.socket, *self._arguments]
        errors = Path(self._folder.name) / "errors"
        with errors.open("wb") as stderr:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=environment()
            )
        line = _first_line(self._process)
        if not line:
            said = errors.read_text(encoding="utf-8", errors="replace").strip()
            self.stop()
            raise MetalError(ErrorCode.INTERNAL, f"the simulator did not start: {said or 'it said nothing'}")
        self.ready_line = line
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> int | None:
        """End the process with SIGTERM (SIGKILL if it does not listen) and return its exit status."""
        process, self._process = self._process, None
        status = None
        if process is not None:
            process.terminate()
            try:
                status = process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                status = process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
        return status

    def state(self) -> dict[str, Any]:
        """Return the state of the rack (see :meth:`Rack.state`). Raises MetalError."""
        return ask(self.socket)

    def set_fault(self, node: str, fault: str) -> None:
        """Give a node a fault. Raises MetalError."""
        ask(self.socket, {"do": "fault", "node": node, "fault": fault})

    def clear_fault(self, node: str, fault: str | None = None) -> None:
        """Take a fault from a node, or all of them. Raises MetalError."""
        ask(self.socket, {"do": "clear", "node": node, "fault": fault})


def environment() -> dict[str, str]:
    """Return the environment in which the subprocess finds this collection: where this process found it."""
    home = str(Path(__file__).absolute().parents[6])
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{home}{os.pathsep}{known}" if known else home}


def _first_line(process: subprocess.Popen[bytes]) -> str:
    """Return the first line of output; "" if the process ends, or says nothing for a long time."""
    stream = process.stdout
    if stream is None:
        return ""
    end, text = time.monotonic() + _START_SECONDS, b""
    while not text.endswith(b"\n") and time.monotonic() < end:
        if select.select([stream], [], [], max(0.0, end - time.monotonic()))[0]:
            part = os.read(stream.fileno(), 4096)
            if not part:
                return ""
            text += part
    return text.decode("utf-8", "replace").strip()


class RackThread:
    """A rack in a thread of its own; ``with`` starts and ends it. Raises MetalError if it does not start."""

    def __init__(self, options: RackOptions) -> None:
        self._options = options
        self._thread = threading.Thread(target=self._work, name="simulator", daemon=True)
        self._started = threading.Event()
        self._problem: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._rack: Rack | None = None

    def __enter__(self) -> RackThread:
        self._thread.start()
        self._started.wait(_START_SECONDS)
        if self._problem is not None:
            self._thread.join()
            raise self._problem
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_SECONDS)

    def call(self, function: Callable[[Rack], _T]) -> _T:
        """Run ``function(rack)`` in the rack's own thread and return what it returns."""
        loop, rack = self._loop, self._rack
        if loop is None or rack is None:
            raise MetalError(ErrorCode.INTERNAL, "the simulator does not run")

        async def run() -> _T:
            return function(rack)

        return asyncio.run_coroutine_threadsafe(run(), loop).result(_START_SECONDS)

    def state(self) -> dict[str, Any]:
        """Return the state of the rack (see :meth:`Rack.state`)."""
        return self.call(lambda rack: rack.state())

    def _work(self) -> None:
        try:
            asyncio.run(self._main())
        except MetalError as problem:
            self._problem = problem
        finally:
            self._started.set()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with Rack(self._options) as rack:
            self._rack = rack
            self._started.set()
            await self._stop.wait()
