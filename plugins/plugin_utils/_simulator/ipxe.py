# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: as much of iPXE as a boot script from the hub may use.

Follows the behaviour of iPXE's shell (https://ipxe.org/scripting): ``&&`` and ``||`` bind to the left, a command
that fails ends the script unless ``||`` follows, ``exit`` ends it at once, ``boot`` starts what was loaded.
Understood: set, isset, iseq, echo, goto and labels, kernel, initrd, imgfree, boot, chain, sanboot, exit, dhcp,
sleep (taken as done), ``${variables}`` with ``:hexhyp``. Anything else is an error, as in iPXE.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urljoin

SIGNATURE = "#!ipxe"
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_MOST_STEPS = 10_000
_MOST_CHAINS = 8
_OPERATORS = frozenset({"&&", "||"})


class ScriptError(Exception):
    """The script cannot be run, or ended with an error."""


class Way(Enum):
    """How a script ended."""

    BOOT = "boot"
    DISK = "disk"
    EXIT = "exit"


@dataclass
class Image:
    """A file that was loaded: where from, and its arguments."""

    url: str
    arguments: list[str] = field(default_factory=list)


@dataclass
class Outcome:
    """What a script led to: ``kernel`` and ``initrds`` for Way.BOOT."""

    way: Way
    kernel: Image | None = None
    initrds: list[Image] = field(default_factory=list)


class _Ended(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


Fetch = Callable[[str], Awaitable[bytes | None]]
"""Fetches a URL: the beginning of the file (a script in whole), None if it cannot be had."""


class Shell:
    """Runs boot scripts. ``variables``: iPXE's settings, such as ``platform`` and ``net0/mac``."""

    def __init__(self, variables: dict[str, str], fetch: Fetch, *, disk: Callable[[], bool]) -> None:
        self._variables = dict(variables)
        self._fetch = fetch
        self._disk = disk
        self._base = ""
        self._chains = 0
        self._goto: str | None = None
        self._kernel: Image | None = None
        self._initrds: list[Image] = []
        self._commands: dict[str, Callable[[list[str]], Awaitable[bool]]] = {
            "set": self._do_set,
            "isset": self._do_isset,
            "iseq": self._do_iseq,
            "echo": self._do_nothing,
            "dhcp": self._do_nothing,
            "ifopen": self._do_nothing,
            "sleep": self._do_nothing,
            "goto": self._do_goto,
            "kernel": self._do_kernel,
            "initrd": self._do_initrd,
            "imgfree": self._do_imgfree,
            "boot": self._do_boot,
            "chain": self._do_chain,
            "sanboot": self._do_sanboot,
            "exit": self._do_exit,
        }

    async def run(self, url: str, script: str) -> Outcome:
        """Run the script that came from ``url``. Raises ScriptError."""
        try:
            await self._script(url, script)
        except _Ended as end:
            return end.outcome
        return Outcome(Way.EXIT)

    async def _script(self, url: str, script: str) -> None:
        lines = script.splitlines()
        if not lines or not lines[0].startswith(SIGNATURE):
            raise ScriptError(f"what the server sent is no boot script (its first line is not {SIGNATURE})")
        self._base, at = url, 1
        for _step in range(_MOST_STEPS):
            if at >= len(lines):
                return
            line = lines[at].strip()
            if line and not line.startswith((":", "#")) and not await self._line(line):
                raise ScriptError(f"the boot script failed at line {at + 1}: {line.split()[0]}")
            at += 1
            if self._goto is not None:
                at = _label(lines, self._goto)
                self._goto = None
        raise ScriptError("the boot script runs in circles")

    async def _line(self, line: str) -> bool:
        """Run a line: commands joined by ``&&`` and ``||``. Return whether it ended well."""
        done, wanted = True, {True, False}
        words: list[str] = []
        for word in [*_split(line), ""]:
            if word and word not in _OPERATORS:
                words.append(word)
                continue
            if done in wanted:
                done = await self._command(words)
            wanted = {True} if word == "&&" else {False}
            words = []
            if self._goto is not None:
                return True
        return done

    async def _command(self, words: list[str]) -> bool:
        if not words:
            return True
        words = [self._expand(word) for word in words]
        handler = self._commands.get(words[0])
        if handler is None:
            raise ScriptError(f"{words[0]}: command not found")
        return await handler(words[1:])

    def _expand(self, word: str) -> str:
        for _depth in range(8):
            word, changed = _VARIABLE.subn(self._value, word)
            if not changed:
                break
        return word

    def _value(self, match: re.Match[str]) -> str:
        name, _colon, form = match.group(1).partition(":")
        value = self._variables.get(name, "")
        return value.replace(":", "-") if form == "hexhyp" else value

    async def _do_nothing(self, _arguments: list[str]) -> bool:
        return True

    async def _do_set(self, arguments: list[str]) -> bool:
        if not arguments:
            return False
        self._variables[arguments[0].partition(":")[0]] = " ".join(arguments[1:])
        return True

    async def _do_isset(self, arguments: list[str]) -> bool:
        return bool(arguments and arguments[0])

    async def _do_iseq(self, arguments: list[str]) -> bool:
        return len(arguments) == 2 and arguments[0] == arguments[1]

    async def _do_goto(self, arguments: list[str]) -> bool:
        self._goto = arguments[0] if arguments else ""
        return True

    async def _do_kernel(self, arguments: list[str]) -> bool:
        image = self._image(arguments)
        if image is None or await self._fetch(image.url) is None:
            return False
        self._kernel = image
        return True

    async def _do_initrd(self, arguments: list[str]) -> bool:
        image = self._image(arguments)
        if image is None or await self._fetch(image.url) is None:
            return False
        self._initrds.append(image)
        return True

    async def _do_imgfree(self, _arguments: list[str]) -> bool:
        self._kernel = None
        self._initrds = []
        return True

    async def _do_boot(self, arguments: list[str]) -> bool:
        if arguments and not await self._do_kernel(arguments):
            return False
        if self._kernel is None:
            return False
        raise _Ended(Outcome(Way.BOOT, self._kernel, self._initrds))

    async def _do_chain(self, arguments: list[str]) -> bool:
        image = self._image(arguments)
        start = None if image is None else await self._fetch(image.url)
        if image is None or start is None:
            return False
        if not start.startswith(SIGNATURE.encode()):
            raise _Ended(Outcome(Way.BOOT, image, self._initrds))
        self._chains += 1
        if self._chains > _MOST_CHAINS:
            raise ScriptError("boot scripts that chain to each other without end")
        base = self._base
        await self._script(image.url, start.decode("utf-8", "replace"))
        self._base = base
        return True

    async def _do_sanboot(self, _arguments: list[str]) -> bool:
        if not self._disk():
            return False
        raise _Ended(Outcome(Way.DISK))

    async def _do_exit(self, _arguments: list[str]) -> bool:
        raise _Ended(Outcome(Way.EXIT))

    def _image(self, arguments: list[str]) -> Image | None:
        rest = list(arguments)
        while rest and rest[0].startswith("-"):
            option = rest.pop(0)
            if option in ("--name", "-n", "--timeout", "-t") and rest:
                rest.pop(0)
        return Image(urljoin(self._base, rest[0]), rest[1:]) if rest else None


def _split(line: str) -> list[str]:
    """Split at blanks; iPXE knows no quotes, and a word that begins with # begins a comment."""
    words = line.split()
    ends = [number for number, word in enumerate(words) if word.startswith("#")]
    return words[: ends[0]] if ends else words


def _label(lines: list[str], name: str) -> int:
    for number, line in enumerate(lines):
        if line.strip() == f":{name}":
            return number + 1
    raise ScriptError(f"goto {name}: no such label")
