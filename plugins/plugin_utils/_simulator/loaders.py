# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what happens between the boot script and the installer's answer file.

Two loaders: Linux (kernel, initrd, ``ks=`` on the command line) and ESXi's ``bootx64.efi -c URL`` (mboot), which
reads boot.cfg: ``prefix``, ``kernel``, ``modules`` separated by ``---``, ``kernelopt``. Format of boot.cfg: VMware
ESXi Installation and Setup, "About the boot.cfg File".
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urljoin

from .ipxe import Image

REPORT_URL = re.compile(r"https?://[^\s\"'?]+/report")
"""Where any answer file says that the installer is to report."""
_IMAGE_LINE = re.compile(r"^image\s+(\S+)\s*$", re.MULTILINE)
_HOSTNAME = re.compile(r"^hostname\s+(\S+)|--hostname[= ](\S+)", re.MULTILINE)
_ANSWER_WORDS = ("ks=", "inst.ks=", "answer=")


class LoadError(Exception):
    """The installer cannot be started."""


@dataclass(frozen=True)
class BootConfig:
    """A boot.cfg: absolute URLs of kernel and modules, and the kernel's options."""

    kernel: str
    modules: tuple[str, ...]
    options: str


@dataclass(frozen=True)
class Answer:
    """What a simulated installer takes from an answer file; ``image`` is what it writes to disk, if named."""

    text: str
    report: str | None
    hostname: str | None
    image: str | None


def parse_boot_config(url: str, text: str) -> BootConfig:
    """Take the boot.cfg that came from ``url`` apart. Raises LoadError if it names no kernel."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.lstrip().startswith("#"):
            values[key.strip().lower()] = value.strip()
    if not values.get("kernel"):
        raise LoadError("boot.cfg names no kernel")
    prefix = values.get("prefix", "")

    def place(name: str) -> str:
        path = name.split()[0]
        return urljoin(url, f"{prefix.rstrip('/')}/{path.lstrip('/')}" if prefix and "://" not in path else path)

    modules = [part.strip() for part in values.get("modules", "").split("---")]
    return BootConfig(place(values["kernel"]), tuple(place(m) for m in modules if m), values.get("kernelopt", ""))


def parse_answer(text: str) -> Answer:
    """Return what matters here of an answer file of any installer."""
    report = REPORT_URL.search(text)
    image = _IMAGE_LINE.search(text)
    host = _HOSTNAME.search(text)
    return Answer(
        text=text,
        report=report.group(0) if report else None,
        hostname=next((name for name in host.groups() if name), None) if host else None,
        image=image.group(1) if image else None,
    )


def answer_url(words: list[str]) -> str:
    """Return the URL of the answer file among the kernel's arguments. Raises LoadError if there is none."""
    for word in words:
        for start in _ANSWER_WORDS:
            if word.startswith((start + "http://", start + "https://")):
                return word[len(start) :]
    raise LoadError("the kernel's arguments name no answer file (ks=http://...)")


async def load(
    kernel: Image, efi: bool, text: Callable[[str], Awaitable[str]], fetch: Callable[[str], Awaitable[object]]
) -> str:
    """Start what the boot script loaded; return the URL of the answer file.

    ``text`` reads a URL, ``fetch`` reads one whose content does not matter. Raises LoadError, and what they raise.
    """
    if "-c" not in kernel.arguments:
        return answer_url(kernel.arguments)
    if kernel.url.endswith(".efi") and not efi:
        raise LoadError("exec format error: an EFI program on a machine that boots in BIOS mode")
    at = kernel.arguments.index("-c") + 1
    if at >= len(kernel.arguments):
        raise LoadError("option -c of the boot loader has no URL")
    place = kernel.arguments[at]
    config = parse_boot_config(place, await text(place))
    for url in (config.kernel, *config.modules):
        await fetch(url)
    return answer_url(config.options.split())
