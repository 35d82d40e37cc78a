# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: ESXi's boot.cfg, read as mboot reads it and rewritten for booting over the network.

Lines ``key=value`` without blanks around ``=``; keys in any case and in any unambiguous beginning of the real
one; modules separated by `` --- ``; lines that begin with ``#`` are comments. Rewriting changes the lines of
prefix, kernel, modules and kernelopt and leaves every other byte as it is. (VMware's installation guide,
"Boot.cfg Options"; facts in the source of esx-boot.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._nodes.errors import ErrorCode, MetalError

KEYS = (
    "kernel",
    "kernelopt",
    "modules",
    "title",
    "prefix",
    "nobootif",
    "timeout",
    "noquirks",
    "norts",
    "build",
    "updated",
    "bootstate",
)
SEPARATOR = "---"
NETWORK_ONLY = frozenset({"cdromboot"})
"""Words of kernelopt, in lower case, that must go when the medium is the network."""


@dataclass(frozen=True, slots=True)
class BootCfg:
    """A boot.cfg: its ``lines`` as they are, and what mboot makes of them."""

    lines: tuple[str, ...]

    def value(self, key: str) -> str:
        """Return the value of ``key``: that of its last line, or an empty string."""
        found = [line.partition("=")[2].strip() for line in self.lines if _key(line) == key]
        return found[-1] if found else ""

    def modules(self) -> list[str]:
        """Return the modules, each with its arguments, as they stand."""
        return [item.strip() for item in self.value("modules").split(SEPARATOR) if item.strip()]

    def files(self) -> list[str]:
        """Return the files that mboot will ask for, relative to the prefix: the kernel and the modules."""
        names = [self.value("kernel"), *self.modules()]
        return [_relative(name.split(None, 1)[0]) for name in names if name]


def parse(text: str) -> BootCfg:
    """Read a boot.cfg. Raises: MetalError ``media`` if it names no kernel (mboot: "Fatal error: 32 (Syntax)")."""
    config = BootCfg(tuple(text.splitlines(keepends=True)))
    if not config.value("kernel"):
        raise MetalError(ErrorCode.MEDIA, "boot.cfg names no kernel; there may be no blank before or after '='")
    return config


def rewrite(text: str, *, prefix: str, kernelopt: Sequence[str]) -> str:
    """Return ``text`` for booting from the URL ``prefix``, with the words ``kernelopt`` added to the kernel's options."""
    config = parse(text)
    options = [word for word in config.value("kernelopt").split() if word.lower() not in NETWORK_ONLY]
    new = {
        "prefix": prefix,
        "kernel": _relative(config.value("kernel")),
        "kernelopt": " ".join([*options, *kernelopt]),
        "modules": f" {SEPARATOR} ".join(_relative(module) for module in config.modules()),
    }
    for key, value in new.items():
        if "\n" in value or "\r" in value:
            raise MetalError(ErrorCode.INVALID, f"a line break cannot stand in {key} of boot.cfg")
    return "".join(_rewritten(config, new))


def _rewritten(config: BootCfg, new: dict[str, str]) -> list[str]:
    last = {_key(line): index for index, line in enumerate(config.lines)}
    result: list[str] = []
    for index, line in enumerate(config.lines):
        key = _key(line)
        end = line[len(line.rstrip("\r\n")) :] or "\n"
        if key == "kernel" and index == last["kernel"]:
            if "prefix" not in last:  # media before 6.0 have none
                result.append(f"prefix={new['prefix']}{end}")
            if "kernelopt" not in last:
                result.append(f"kernelopt={new['kernelopt']}{end}")
        if key in new:
            if index == last[key]:
                result.append(f"{line.partition('=')[0]}={new[key]}{end}")
        else:
            result.append(line)
    return result


def _key(line: str) -> str:
    name, equals, _value = line.strip().partition("=")
    if not equals or name.startswith("#") or not name:
        return ""
    return next((key for key in KEYS if key.startswith(name.lower())), "")


def _relative(name: str) -> str:
    """Drop the one leading slash: a name with it is absolute to mboot, and the prefix would not be used."""
    return name[1:] if name.startswith("/") else name
