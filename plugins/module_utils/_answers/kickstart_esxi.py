# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a linter for ESXi kickstarts, versions 7 to 9 (VMware's installation guide, "Installation
and Upgrade Script Commands"; the facts for each version are in the table).

ESXi's installer stops in front of a screen nobody looks at when a command is wrong; that is to be found out before.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from .._nodes.errors import ErrorCode, MetalError


@dataclass(frozen=True, slots=True)
class Command:
    """An installer command: its ``options`` (with ``=`` if they take a value) and whether it may have ``words``."""

    options: frozenset[str] = frozenset()
    words: bool = False


def _command(*options: str, words: bool = False) -> Command:
    return Command(frozenset(options), words)


_DISK = (
    "--disk=",
    "--drive=",
    "--firstdisk",
    "--firstdisk=",
    "--overwritevmfs",
    "--preservevmfs",
    "--novmfsondisk",
    "--ignoressd",
)
_INSTALL = (
    *_DISK,
    "--overwritevsan",
    "--forceunsupportedinstall",
    "--systemDisk=",
    "--repartitionSystemDisk",
    "--dpuPciSlots=",
)
_PREREQUISITES = ("--ignoreprereqwarnings", "--ignoreprereqerrors")

COMMANDS: dict[str, Command] = {
    "accepteula": _command(),
    "vmaccepteula": _command(),
    "clearpart": _command(
        "--drives=", "--alldrives", "--ignoredrives=", "--firstdisk", "--firstdisk=", "--overwritevmfs", "--all"
    ),
    "dryrun": _command(),
    "install": _command(*_INSTALL, *_PREREQUISITES),
    "upgrade": _command(*_INSTALL, *_PREREQUISITES, "--forcemigrate"),
    "installorupgrade": _command(*_INSTALL, *_PREREQUISITES, "--forcemigrate"),
    "keyboard": _command(words=True),
    "network": _command(
        "--bootproto=",
        "--device=",
        "--ip=",
        "--netmask=",
        "--gateway=",
        "--nameserver=",
        "--hostname=",
        "--vlanid=",
        "--addvmportgroup=",
    ),
    "paranoid": _command(),
    "part": _command("--ondisk=", "--ondrive=", "--onfirstdisk=", "--onfirstdisk", words=True),
    "partition": _command("--ondisk=", "--ondrive=", "--onfirstdisk=", "--onfirstdisk", words=True),
    "reboot": _command("--noeject"),
    "rootpw": _command("--iscrypted", words=True),
    "serialnum": _command("--esx="),
    "vmserialnum": _command("--esx="),
    "%include": _command(words=True),
    "include": _command(words=True),
}
SECTIONS: dict[str, frozenset[str]] = {
    "%pre": frozenset({"--interpreter="}),
    "%post": frozenset({"--interpreter=", "--timeout=", "--ignorefailure="}),
    "%firstboot": frozenset({"--interpreter="}),
}
INTERPRETERS = frozenset({"busybox", "python"})
_STATIC_ONLY = ("--ip=", "--netmask=", "--gateway=", "--nameserver=")


def lint(text: str) -> None:
    """Check an ESXi kickstart. Raises: MetalError ``template`` with the line and what would be right."""
    commands: dict[str, dict[str, str | None]] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        word = stripped.split(None, 1)[0] if stripped else ""
        if word in SECTIONS:
            section = word
            _check_section(number, _words(number, stripped))
        elif word.startswith("%") and word != "%include":
            raise _wrong(number, f"{word} is not a section of ESXi's installer; it knows {', '.join(SECTIONS)}")
        elif section or not stripped or stripped.startswith("#"):
            continue
        else:
            words = _words(number, stripped)
            if words[0] in commands and words[0] in ("install", "network", "rootpw"):
                raise _wrong(number, f"the command {words[0]} stands there twice")
            commands[words[0]] = _check_command(number, words)
    _check_whole(commands)


def _wrong(number: int, message: str) -> MetalError:
    return MetalError(ErrorCode.TEMPLATE, f"ESXi kickstart, line {number}: {message}")


def _words(number: int, line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as exc:
        raise _wrong(number, f"{exc}") from exc


def _options(number: int, words: list[str], known: frozenset[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if f"{name}{equals}" not in known:
            hint = ", ".join(sorted(option for option in known)) or "none"
            raise _wrong(number, f"option {name}{equals} is not known here; known are: {hint}")
        if equals and not value:
            raise _wrong(number, f"option {name}= has no value")
        found[name] = value if equals else None
    return found


def _check_section(number: int, words: list[str]) -> None:
    options = _options(number, words[1:], SECTIONS[words[0]])
    interpreter = options.get("--interpreter")
    if interpreter not in INTERPRETERS:
        raise _wrong(number, f"{words[0]} needs --interpreter=busybox or --interpreter=python")


def _check_command(number: int, words: list[str]) -> dict[str, str | None]:
    command = COMMANDS.get(words[0])
    if command is None:
        raise _wrong(number, f"{words[0]!r} is not a command of ESXi's installer")
    options = _options(number, [word for word in words[1:] if word.startswith("--")], command.options)
    plain = [word for word in words[1:] if not word.startswith("--")]
    if plain and not command.words:
        raise _wrong(number, f"the command {words[0]} takes no word such as {plain[0]!r}")
    if words[0] == "rootpw":
        _check_rootpw(number, options, plain)
    if words[0] == "network":
        _check_network(number, options)
    return options


def _check_rootpw(number: int, options: dict[str, str | None], plain: list[str]) -> None:
    if len(plain) != 1:
        raise _wrong(number, "rootpw needs exactly one password")
    if "--iscrypted" not in options:
        raise _wrong(number, "rootpw without --iscrypted would carry the password in the clear; give a crypt(3) hash")
    if not re.fullmatch(r"\$[156]\$.+", plain[0]):
        raise _wrong(number, "rootpw --iscrypted needs a crypt(3) hash that begins with $6$")


def _check_network(number: int, options: dict[str, str | None]) -> None:
    protocol = options.get("--bootproto")
    if protocol not in ("dhcp", "static"):
        raise _wrong(number, "network needs --bootproto=dhcp or --bootproto=static")
    given = [name for name in _STATIC_ONLY if name.rstrip("=") in options]
    if protocol == "dhcp" and given:
        raise _wrong(number, f"network --bootproto=dhcp does not go with {given[0]}")
    if protocol == "static" and not {"--ip", "--netmask"} <= set(options):
        raise _wrong(number, "network --bootproto=static needs --ip= and --netmask=")
    vlan = options.get("--vlanid")
    if vlan is not None and not (re.fullmatch(r"[0-9]{1,4}", vlan) and 2 <= int(vlan) <= 4095):
        raise _wrong(number, "network --vlanid= needs a number from 2 to 4095; leave it out for untagged frames")


def _check_whole(commands: dict[str, dict[str, str | None]]) -> None:
    def missing(message: str) -> MetalError:
        return MetalError(ErrorCode.TEMPLATE, f"ESXi kickstart: {message}")

    if not {"accepteula", "vmaccepteula"} & set(commands):
        raise missing("the command vmaccepteula is missing")
    if "rootpw" not in commands:
        raise missing("the command rootpw is missing")
    kinds = {"install", "upgrade", "installorupgrade"} & set(commands)
    if len(kinds) != 1:
        raise missing("exactly one of install, upgrade and installorupgrade has to be there")
    options = commands[kinds.pop()]
    if len({"--disk", "--drive", "--firstdisk"} & set(options)) != 1:
        raise missing("the install command needs exactly one of --disk=, --drive= and --firstdisk")
    if "--novmfsondisk" in options and "--overwritevmfs" not in options:
        raise missing("--novmfsondisk only goes with --overwritevmfs")
    if "reboot" not in commands:
        raise missing("the command reboot is missing, so the installer would wait for a key")
