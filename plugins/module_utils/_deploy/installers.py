# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the installers, one row each: how its media are checked, what its machines boot,
which linter reads its answer files. A new installer is a new row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._answers import kickstart_esxi, lab
from .._boot import bootcfg, ipxe
from .._media import tree
from .._nodes.errors import ErrorCode, MetalError
from .profile import Profile

ESXI_BOOT_CFG = ("efi/boot/boot.cfg", "boot.cfg")
ESXI_LOADER = ("efi/boot/bootx64.efi",)
ESXI_LEGACY_LOADER = "mboot.c32"


@dataclass(frozen=True, slots=True)
class Links:
    """The URLs that one boot of one node needs; the secret ones hold its token."""

    media: str
    answer: str
    boot_config: str


@dataclass(frozen=True, slots=True)
class Installer:
    """How one family of installers is started.

    ``check_media`` raises MetalError ``media``; ``script`` gives the iPXE script; ``boot_config`` the loader's own
    configuration, or None where there is none; ``lint`` raises MetalError ``template``.
    """

    check_media: Callable[[Profile], None]
    script: Callable[[Profile, str, Links, Sequence[str]], str]
    boot_config: Callable[[Profile, Links, Sequence[str]], str] | None
    lint: Callable[[str], None]


def _esxi_config(profile: Profile) -> str:
    path = tree.find(profile.root, ESXI_BOOT_CFG)
    try:
        return path.read_bytes().decode()  # read_text() would turn CR LF into LF
    except (OSError, UnicodeDecodeError) as exc:
        raise MetalError(ErrorCode.MEDIA, f"{path} cannot be read: {exc}") from exc


def _check_esxi(profile: Profile) -> None:
    tree.find(profile.root, ESXI_LOADER)
    tree.need(profile.root, bootcfg.parse(_esxi_config(profile)).files())


def _esxi_script(profile: Profile, comment: str, links: Links, _arguments: Sequence[str]) -> str:
    loader = tree.find(profile.root, ESXI_LOADER).relative_to(profile.root)
    legacy = f"{links.media}/{ESXI_LEGACY_LOADER}" if Path(profile.root, ESXI_LEGACY_LOADER).is_file() else None
    return ipxe.esxi(comment, f"{links.media}/{loader}", links.boot_config, legacy)


def _esxi_boot_config(profile: Profile, links: Links, arguments: Sequence[str]) -> str:
    return bootcfg.rewrite(_esxi_config(profile), prefix=links.media, kernelopt=[f"ks={links.answer}", *arguments])


def _check_linux(profile: Profile) -> None:
    tree.need(profile.root, [profile.kernel, *profile.initrd])


def _linux_script(profile: Profile, comment: str, links: Links, arguments: Sequence[str]) -> str:
    initrds = [f"{links.media}/{name}" for name in profile.initrd]
    return ipxe.linux(comment, f"{links.media}/{profile.kernel}", initrds, [f"ks={links.answer}", *arguments])


INSTALLERS: dict[str, Installer] = {
    "esxi": Installer(_check_esxi, _esxi_script, _esxi_boot_config, kickstart_esxi.lint),
    "lab": Installer(_check_linux, _linux_script, None, lab.lint),
}
"""Value of a profile's ``installer`` to what it means."""


def check_media(profile: Profile) -> None:
    """Raise MetalError ``media`` unless everything that the machines will fetch is there."""
    if not profile.root.is_dir():
        raise MetalError(
            ErrorCode.MEDIA, f"profile {profile.name}: the media folder {profile.media} does not exist here"
        )
    INSTALLERS[profile.installer].check_media(profile)
