# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: iPXE scripts (https://ipxe.org/scripting), in the commands that Debian 12's build of 2019 knows.

Only values that were checked go in: a line break or a ``${`` in one would be another command.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .._nodes.errors import ErrorCode, MetalError

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]|\$\{|&&|\|\|")

LOCAL_DISK = "iseq ${platform} efi && exit 1 ||\nsanboot --no-describe --drive 0x80 || exit 1"
"""BIOS boots the first disk; UEFI's iPXE cannot and hands back to the firmware, whose next entry is the disk."""


def _script(comment: str, *lines: str) -> str:
    return "\n".join(["#!ipxe", f"# stage0.metal: {_safe(comment)}", *lines, ""])


def _safe(text: str) -> str:
    if _UNSAFE.search(text):
        raise MetalError(
            ErrorCode.INVALID, f"{text!r} cannot stand in an iPXE script: it holds a line break, '${{', '&&' or '||'"
        )
    return text


def _word(text: str) -> str:
    if not text or re.search(r"\s", _safe(text)):
        raise MetalError(ErrorCode.INVALID, f"{text!r} is not one word of an iPXE script: it is empty or holds a blank")
    return text


def local(comment: str) -> str:
    """Return the script that boots the machine's own disk."""
    return _script(comment, f"echo stage0.metal: {_safe(comment)}", LOCAL_DISK)


def linux(comment: str, kernel: str, initrds: Sequence[str], arguments: Sequence[str]) -> str:
    """Return the script that boots ``kernel`` and ``initrds`` (URLs) with kernel ``arguments``."""
    names = [_word(url).rsplit("/", 1)[-1] for url in initrds]
    words = [_word(kernel), *(f"initrd={name}" for name in names), *(_word(argument) for argument in arguments)]
    return _script(
        comment,
        f"kernel --name vmlinuz {' '.join(words)}",
        *(f"initrd --name {name} {url}" for name, url in zip(names, initrds, strict=True)),
        "boot",
    )


def esxi(comment: str, loader: str, boot_cfg: str, legacy_loader: str | None) -> str:
    """Return the script that starts ESXi's mboot: ``loader`` (mboot.efi) under UEFI, ``legacy_loader`` (mboot.c32) under BIOS.

    mboot takes its configuration from ``boot_cfg`` by the option -c, over the protocol that iPXE installs for it.
    """
    legacy = (
        f"kernel {_word(legacy_loader)} -c {boot_cfg}"
        if legacy_loader
        else "echo stage0.metal: these media boot by UEFI only"
    )
    return _script(
        comment,
        "iseq ${platform} efi || goto legacy",
        f"kernel {_word(loader)} -c {_word(boot_cfg)}",
        "boot",
        ":legacy",
        legacy,
        "boot",
    )
