# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An initramfs of busybox, some kernel modules and our init: a gzip'ed cpio archive in the kernel's "newc" format.

The format is the one of Documentation/driver-api/early-userspace/buffer-format.rst of the Linux kernel.
"""

from __future__ import annotations

import gzip
import stat
from pathlib import Path

from .kernel import Kernel

BUSYBOX = Path("/bin/busybox")
GUEST = Path(__file__).with_name("guest")
MODULES = ("virtio_pci", "virtio_net", "virtio_blk", "virtio_rng", "vfat", "nls_ascii", "nls_cp437", "button", "evdev")
DIRECTORIES = ("bin", "dev", "etc", "etc/acpi", "etc/acpi/PWRF", "lib", "lib/modules", "mnt", "proc", "sys", "tmp")
SHEBANG = b"#!/bin/sh\n"


class Archive:
    """A cpio archive that is being written; everything in it belongs to root."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._count = 0

    def directory(self, name: str) -> None:
        """Add a directory; its parents come first."""
        self._add(name, stat.S_IFDIR | 0o755, b"")

    def file(self, name: str, content: bytes, permissions: int = 0o755) -> None:
        """Add a regular file."""
        self._add(name, stat.S_IFREG | permissions, content)

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def close(self) -> bytes:
        """The archive, compressed; the same entries give the same bytes."""
        self._add("TRAILER!!!", 0, b"")
        return gzip.compress(b"".join(self._parts), compresslevel=6, mtime=0)

    def _add(self, name: str, mode: int, content: bytes) -> None:
        self._count += 1
        raw_name = name.encode() + b"\0"
        # inode, mode, uid, gid, links, mtime, size, device and rdevice (major, minor each), name's length, checksum
        fields = (self._count, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(raw_name), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._parts += [_padded(header + raw_name), _padded(content)]


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def build(kernel: Kernel, init: str) -> bytes:
    """The initramfs whose ``/init`` is the file ``guest/{init}``."""
    archive = Archive()
    for name in DIRECTORIES:
        archive.directory(name)
    archive.file("bin/busybox", BUSYBOX.read_bytes())
    archive.link("bin/sh", "busybox")
    modules = kernel.modules(MODULES)
    for module in modules:
        archive.file(f"lib/modules/{module.name}", module.read_bytes())
    archive.file("etc/modules", "".join(f"{module.name}\n" for module in modules).encode())
    archive.file("lib/guest", _script("common"))
    archive.file("etc/udhcpc", _script("udhcpc"))
    archive.file("etc/acpi/PWRF/00000080", _script("power_button"))
    archive.file("init", _script(init))
    return archive.close()


def _script(name: str) -> bytes:
    # The interpreter line is added here: in the repository these files are no programs.
    return SHEBANG + (GUEST / name).read_bytes()
