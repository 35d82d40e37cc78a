# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lab profile's media: kernel, installer and the disk image that the installer writes.

The image starts on BIOS (syslinux) and UEFI (GRUB) alike; it is made without root, mounts or loop devices.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import initramfs
from .kernel import Kernel, publish

SIZE_MIB = 32
PARTITION_OFFSET_MIB = 1
LABEL = "LABOS"
MASTER_BOOT_RECORD = Path("/usr/lib/syslinux/mbr/mbr.bin")
COMMAND_LINE = "console=ttyS0,115200 quiet"
SYSLINUX_CONFIG = f"""\
SERIAL 0 115200
DEFAULT lab
PROMPT 0
LABEL lab
 KERNEL /vmlinuz
 APPEND initrd=/system.gz {COMMAND_LINE}
"""
GRUB_CONFIG = f"""\
serial --unit=0 --speed=115200
terminal_output serial
search --label {LABEL} --set=root
linux /vmlinuz {COMMAND_LINE}
initrd /system.gz
boot
"""
GRUB_MODULES = ("fat", "part_msdos", "linux", "normal", "search", "search_label", "serial", "boot", "echo")


def build(kernel: Kernel, cache: Path) -> Path:
    """The media directory (vmlinuz, installer.gz, disk.img.gz), from ``cache`` if nothing it is made of has changed."""
    media = cache / f"media-{_fingerprint(kernel)}"
    if media.exists():
        return media
    with tempfile.TemporaryDirectory(dir=cache, prefix="media.") as scratch:
        work, result = Path(scratch, "work"), Path(scratch, "result")
        work.mkdir()
        result.mkdir()
        shutil.copyfile(kernel.image, result / "vmlinuz")
        (result / "installer.gz").write_bytes(initramfs.build(kernel, "installer"))
        (result / "disk.img.gz").write_bytes(gzip.compress(_disk(kernel, work), compresslevel=1, mtime=0))
        publish(result, media)
    return media


def _fingerprint(kernel: Kernel) -> str:
    digest = hashlib.sha256(f"{kernel.release} {kernel.version}".encode())
    sources = [Path(__file__), Path(initramfs.__file__), initramfs.BUSYBOX, *sorted(initramfs.GUEST.iterdir())]
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _disk(kernel: Kernel, work: Path) -> bytes:
    """The whole disk: a master boot record and one bootable FAT partition."""
    disk = work / "disk.img"
    with disk.open("wb") as file:
        file.truncate(SIZE_MIB << 20)
    table = f"start={PARTITION_OFFSET_MIB << 11}, type=ef, bootable\n"
    subprocess.run(["sfdisk", "--quiet", disk], input=table.encode(), check=True)
    with disk.open("r+b") as file:
        file.write(MASTER_BOOT_RECORD.read_bytes())
        file.seek(PARTITION_OFFSET_MIB << 20)
        file.write(_file_system(kernel, work).read_bytes())
    return disk.read_bytes()


def _file_system(kernel: Kernel, work: Path) -> Path:
    image = work / "partition.img"
    with image.open("wb") as file:
        file.truncate((SIZE_MIB - PARTITION_OFFSET_MIB) << 20)
    subprocess.run(["mkfs.vfat", "-n", LABEL, image], check=True, stdout=subprocess.DEVNULL)
    system = work / "system.gz"
    system.write_bytes(initramfs.build(kernel, "system"))
    for directory in ("::/EFI", "::/EFI/BOOT"):
        subprocess.run(["mmd", "-i", image, directory], check=True)
    content: dict[str, Path] = {
        "::/EFI/BOOT/BOOTX64.EFI": _grub(work),
        "::/syslinux.cfg": _text(work / "syslinux.cfg", SYSLINUX_CONFIG),
        "::/vmlinuz": kernel.image,
        "::/system.gz": system,
    }
    for target, source in content.items():
        subprocess.run(["mcopy", "-i", image, source, target], check=True)
    subprocess.run(["syslinux", "--install", image], check=True)
    return image


def _grub(work: Path) -> Path:
    program, config = work / "BOOTX64.EFI", _text(work / "grub.cfg", GRUB_CONFIG)
    subprocess.run(
        ["grub-mkimage", "-O", "x86_64-efi", "-p", "/", "-c", config, "-o", program, *GRUB_MODULES], check=True
    )
    return program


def _text(path: Path, content: str) -> Path:
    path.write_text(content)
    return path
