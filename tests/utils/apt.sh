#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# Installs the Debian packages that the lab, the integration tests and the gates call. Does nothing if all are there.
set -euo pipefail

packages=(
    # The lab's machines, their BMCs and what they boot from.
    qemu-system-x86 qemu-utils ipxe ipxe-qemu ovmf seabios openipmi dnsmasq-base iproute2
    syslinux syslinux-common grub-common grub-efi-amd64-bin
    # The installer's initramfs and disk image.
    busybox-static kmod cpio mtools dosfstools fdisk
    # The other kind of node database; the tests make a cluster of their own.
    postgresql
    # The peers that results are compared with, and the linter for shell scripts.
    ipmitool freeipmi-tools shellcheck perl
    # The benchmarks' farm of BMCs is compiled.
    gcc make libssl-dev
)

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    [ "$status" = "ii " ] || missing+=("$package")
done
[ "${#missing[@]}" -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
    printf 'These Debian packages are missing; run as root, or: apt-get install %s\n' "${missing[*]}" >&2
    exit 1
fi
# Packages must not start the daemons that they bring: the tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends "${packages[@]}"
