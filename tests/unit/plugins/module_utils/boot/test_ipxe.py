# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""iPXE scripts byte for byte, and values that cannot stand in one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._boot import ipxe
from ansible_collections.stage0.metal.plugins.module_utils._boot.architectures import ARCHITECTURES
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError

DISK = "iseq ${platform} efi && exit 1 ||\nsanboot --no-describe --drive 0x80 || exit 1\n"


def test_local_disk() -> None:
    assert ipxe.local("n1: nothing is armed") == (
        f"#!ipxe\n# stage0.metal: n1: nothing is armed\necho stage0.metal: n1: nothing is armed\n{DISK}"
    )


def test_linux() -> None:
    assert ipxe.linux(
        "n1", "http://h/vmlinuz-6", ["http://h/a/one.gz", "http://h/two.gz"], ["ks=http://h", "quiet"]
    ) == (
        "#!ipxe\n# stage0.metal: n1\n"
        "kernel --name vmlinuz http://h/vmlinuz-6 initrd=one.gz initrd=two.gz ks=http://h quiet\n"
        "initrd --name one.gz http://h/a/one.gz\ninitrd --name two.gz http://h/two.gz\nboot\n"
    )
    assert (
        ipxe.linux("n1", "http://h/k", [], []) == "#!ipxe\n# stage0.metal: n1\nkernel --name vmlinuz http://h/k\nboot\n"
    )


def test_esxi() -> None:
    assert ipxe.esxi("n1", "http://h/mboot.efi", "http://h/boot.cfg", None) == (
        "#!ipxe\n# stage0.metal: n1\niseq ${platform} efi || goto legacy\n"
        "kernel http://h/mboot.efi -c http://h/boot.cfg\nboot\n"
        ":legacy\necho stage0.metal: these media boot by UEFI only\nboot\n"
    )


EVIL = ["a\nshell", "a\rshell", "${net0/mac}", "a && shell", "a || shell", "a\x00", "a\x85b", "a\u2028b"]
PLACES: list[Callable[[str], str]] = [
    ipxe.local,
    lambda evil: ipxe.linux(evil, "http://h/k", [], []),
    lambda evil: ipxe.linux("n1", evil, [], []),
    lambda evil: ipxe.linux("n1", "http://h/k", [evil], []),
    lambda evil: ipxe.linux("n1", "http://h/k", [f"http://h/{evil}/x"], []),
    lambda evil: ipxe.linux("n1", "http://h/k", [], [evil]),
    lambda evil: ipxe.esxi(evil, "http://h/m", "http://h/c", None),
    lambda evil: ipxe.esxi("n1", evil, "http://h/c", "http://h/l"),
    lambda evil: ipxe.esxi("n1", "http://h/m", evil, "http://h/l"),
    lambda evil: ipxe.esxi("n1", "http://h/m", "http://h/c", evil),
]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("place", PLACES)
def test_what_would_be_another_command_is_refused(place: Callable[[str], str], evil: str) -> None:
    with pytest.raises(MetalError) as caught:
        place(evil)
    assert caught.value.code is ErrorCode.INVALID
    assert str(caught.value).endswith("cannot stand in an iPXE script: it holds a line break, '${', '&&' or '||'")


@pytest.mark.parametrize("word", ["a b", "a\tb", ""])
def test_a_blank_would_make_one_word_two(word: str) -> None:
    with pytest.raises(MetalError):
        ipxe.linux("n1", f"http://h/{word}" if word else word, [], [])
    with pytest.raises(MetalError):
        ipxe.linux("n1", "http://h/k", [], [word])


def test_architectures_are_told_apart() -> None:
    codes = [code for one in ARCHITECTURES for code in one.codes]
    assert len(codes) == len(set(codes))
    assert {one.tag: (one.codes, one.loader) for one in ARCHITECTURES} == {
        "bios": ((0,), "undionly.kpxe"),
        "efi64": ((7, 9), "snponly.efi"),
    }
