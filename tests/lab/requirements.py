# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the lab needs from Debian: a file that must be there, and the package that brings it."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGES = {
    "/usr/bin/qemu-system-x86_64": "qemu-system-x86",
    "/usr/share/OVMF/OVMF_CODE_4M.fd": "ovmf",
    "/usr/share/seabios/bios-256k.bin": "seabios",
    "/usr/lib/ipxe/snponly.efi": "ipxe",
    "/usr/lib/ipxe/qemu/efi-virtio.rom": "ipxe-qemu",
    "/usr/bin/ipmi_sim": "openipmi",
    "/usr/bin/ipmitool": "ipmitool",
    "/usr/sbin/ipmipower": "freeipmi-tools",
    "/usr/sbin/dnsmasq": "dnsmasq-base",
    "/usr/sbin/ip": "iproute2",
    "/usr/sbin/modprobe": "kmod",
    "/usr/sbin/sfdisk": "fdisk",
    "/usr/sbin/mkfs.vfat": "dosfstools",
    "/usr/bin/mcopy": "mtools",
    "/usr/bin/syslinux": "syslinux",
    "/usr/lib/syslinux/mbr/mbr.bin": "syslinux-common",
    "/usr/bin/grub-mkimage": "grub-common",
    "/usr/lib/grub/x86_64-efi/linux.mod": "grub-efi-amd64-bin",
    "/var/lib/dpkg/info/busybox-static.list": "busybox-static",
}


class LabError(Exception):
    """The lab cannot go on; the message says why and what to do."""


def check() -> None:
    """Raise LabError, with what to do, unless this is root on a machine that has every package."""
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and so needs root: run it with sudo or in a container as root")
    if not Path("/dev/net/tun").exists():
        raise LabError("the lab needs /dev/net/tun: load the kernel's tun module, or give the container that device")
    missing = sorted({package for path, package in PACKAGES.items() if not Path(path).exists()})
    if missing:
        raise LabError(f"the lab lacks Debian packages: apt-get install --no-install-recommends {' '.join(missing)}")
