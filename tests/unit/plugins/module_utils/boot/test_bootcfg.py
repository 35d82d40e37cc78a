# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ESXi's boot.cfg: read as mboot reads it, rewritten byte for byte, served for a synthetic medium."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._boot import bootcfg
from ansible_collections.stage0.metal.plugins.module_utils._deploy import answer, installers
from ansible_collections.stage0.metal.plugins.module_utils._deploy.answer import Hub
from ansible_collections.stage0.metal.plugins.module_utils._deploy.profile import Profile
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.support import make_rack, store

URL = "http://10.1.0.1:8480/media/esxi8"
KS = "ks=http://10.1.0.1:8480/deploy/n1/T/answer"

MEDIUM = (
    "bootstate=0\n"
    "title=Loading ESXi installer\n"
    "timeout=5\n"
    "prefix=\n"
    "kernel=/b.b00\n"
    "kernelopt=runweasel cdromBoot\n"
    "modules=/jumpstrt.gz --- /useropts.gz --- /features.gz --- /drivers/net/ne1000.v00 -x a=b --- imgdb.tgz\n"
    "build=8.0.3-0.0.24022510\n"
    "updated=0\n"
)
REWRITTEN = (
    "bootstate=0\n"
    "title=Loading ESXi installer\n"
    "timeout=5\n"
    f"prefix={URL}\n"
    "kernel=b.b00\n"
    f"kernelopt=runweasel {KS}\n"
    "modules=jumpstrt.gz --- useropts.gz --- features.gz --- drivers/net/ne1000.v00 -x a=b --- imgdb.tgz\n"
    "build=8.0.3-0.0.24022510\n"
    "updated=0\n"
)


def rewrite(text: str) -> str:
    return bootcfg.rewrite(text, prefix=URL, kernelopt=[KS])


def test_a_medium_byte_for_byte() -> None:
    assert rewrite(MEDIUM) == REWRITTEN
    assert rewrite(MEDIUM.replace("\n", "\r\n")) == REWRITTEN.replace("\n", "\r\n")


def test_twice_changes_only_the_options() -> None:
    assert bootcfg.rewrite(REWRITTEN, prefix=URL, kernelopt=[]) == REWRITTEN


ODD = [
    # no prefix line, as before 6.0, and no options
    ("kernel=b.b00\nmodules=a.b00\n", f"prefix={URL}\nkernelopt={KS}\nkernel=b.b00\nmodules=a.b00\n"),
    # no line break at the end
    ("kernel=b.b00\nkernelopt=x\nprefix=", f"kernel=b.b00\nkernelopt=x {KS}\nprefix={URL}\n"),
    # keys in any case and in any unambiguous beginning stay as they are written
    ("PREFIX=\nKernel=/B.B00\nKERNELOPT=a\nmod=/A\n", f"PREFIX={URL}\nKernel=B.B00\nKERNELOPT=a {KS}\nmod=A\n"),
    # the last line of a key counts, and only it stays
    ("prefix=a\nkernel=x\nkernel=y\nkernelopt=\nprefix=b\n", f"kernel=y\nkernelopt={KS}\nprefix={URL}\n"),
    # one slash goes, no more
    ("prefix=\nkernel=//b.b00\nkernelopt=\n", f"prefix={URL}\nkernel=/b.b00\nkernelopt={KS}\n"),
    # comments, unknown keys and empty lines stay
    (
        "# kernel=no\n\nprefix=\n  kernel=/b.b00\nkernelopt=cdromboot\nnorts=1\nfoo\n",
        f"# kernel=no\n\nprefix={URL}\n  kernel=b.b00\nkernelopt={KS}\nnorts=1\nfoo\n",
    ),
    # an empty list of modules, and options that the medium has
    ("prefix=\nkernel=b\nkernelopt=a=1  b\nmodules=\n", f"prefix={URL}\nkernel=b\nkernelopt=a=1 b {KS}\nmodules=\n"),
]


@pytest.mark.parametrize(("text", "result"), ODD)
def test_odd_media(text: str, result: str) -> None:
    assert rewrite(text) == result


def test_what_mboot_will_ask_for() -> None:
    config = bootcfg.parse(MEDIUM)
    files = ["b.b00", "jumpstrt.gz", "useropts.gz", "features.gz", "drivers/net/ne1000.v00", "imgdb.tgz"]
    assert config.files() == files
    assert config.modules()[3] == "/drivers/net/ne1000.v00 -x a=b"
    assert (config.value("title"), config.value("norts")) == ("Loading ESXi installer", "")


@pytest.mark.parametrize("text", ["", "title=x\n", "kernel =b.b00\n", "#kernel=b.b00\n", "kernel=\n", "kernel\n"])
def test_without_a_kernel(text: str) -> None:
    with pytest.raises(
        MetalError, match=r"^boot.cfg names no kernel; there may be no blank before or after '='$"
    ) as caught:
        bootcfg.parse(text)
    assert caught.value.code is ErrorCode.MEDIA


def test_a_line_break_cannot_come_in() -> None:
    for kernelopt in (["a\nkernel=evil"], ["a\rb"]):
        with pytest.raises(MetalError, match=r"^a line break cannot stand in kernelopt of boot.cfg$"):
            bootcfg.rewrite(MEDIUM, prefix=URL, kernelopt=kernelopt)


# -- a synthetic medium, as the hub serves it ----------------------------------------------------------------------


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "esxi8"
    for name in (*bootcfg.parse(MEDIUM).files(), "efi/boot/bootx64.efi", "mboot.c32"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    (folder / "efi" / "boot" / "boot.cfg").write_bytes(MEDIUM.replace("\n", "\r\n").encode())
    (folder / "boot.cfg").write_text("kernel=/isolinux-only\n")
    return folder


def make(media: Path, *arguments: str) -> Profile:
    return Profile("esxi8", "esxi", str(media), "", kernel_arguments=arguments)


def test_boot_script_and_boot_cfg_of_a_node(media: Path, home: Path) -> None:
    make_rack(1)
    profile, hub = make(media, "netdevice={{ network.mac }}", "a  b"), Hub("http://10.1.0.1:8480")
    installers.check_media(profile)
    with store() as opened:
        view = opened.views(["r1n01"])["r1n01"]
        script = answer.boot_script(view, profile, hub, "T", 7)
        config = answer.boot_config(view, profile, hub, "T", 7)
    assert script == (
        "#!ipxe\n# stage0.metal: r1n01: install esxi8, deployment 7\niseq ${platform} efi || goto legacy\n"
        f"kernel {URL}/efi/boot/bootx64.efi -c http://10.1.0.1:8480/deploy/r1n01/T/boot.cfg\nboot\n"
        f":legacy\nkernel {URL}/mboot.c32 -c http://10.1.0.1:8480/deploy/r1n01/T/boot.cfg\nboot\n"
    )
    options = "ks=http://10.1.0.1:8480/deploy/r1n01/T/answer netdevice=52:54:00:01:00:01 a b"
    assert config == REWRITTEN.replace(KS, options).replace("\n", "\r\n")


def test_media_by_uefi_only(media: Path, home: Path) -> None:
    make_rack(1)
    (media / "mboot.c32").unlink()
    with store() as opened:
        script = answer.boot_script(opened.views(["r1n01"])["r1n01"], make(media), Hub("http://h"), "T", 7)
    assert script.endswith(":legacy\necho stage0.metal: these media boot by UEFI only\nboot\n")


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("imgdb.tgz", "the media in {m} lack imgdb.tgz; names count in exact case"),
        ("drivers/net/ne1000.v00", "the media in {m} lack drivers/net/ne1000.v00; names count in exact case"),
        ("efi/boot/bootx64.efi", "the media in {m} hold no efi/boot/bootx64.efi; is this the unpacked medium?"),
    ],
)
def test_incomplete_media(media: Path, missing: str, says: str) -> None:
    (media / missing).unlink()
    with pytest.raises(MetalError) as caught:
        installers.check_media(make(media))
    assert (caught.value.code, str(caught.value)) == (ErrorCode.MEDIA, says.format(m=media))


def test_media_of_another_kind(media: Path) -> None:
    (media / "imgdb.tgz").rename(media / "IMGDB.TGZ")
    with pytest.raises(MetalError, match=r"lack imgdb.tgz; names count in exact case$"):
        installers.check_media(make(media))
    (media / "efi" / "boot" / "boot.cfg").write_text("kernel=../../secret\n")
    with pytest.raises(MetalError, match=r"^'../../secret' points outside the media in"):
        installers.check_media(make(media))
    (media / "efi" / "boot" / "boot.cfg").write_bytes(b"kernel=\xff\n")
    with pytest.raises(MetalError, match=r"boot.cfg cannot be read: 'utf-8' codec can't decode"):
        installers.check_media(make(media))
    (media / "efi" / "boot" / "boot.cfg").unlink()
    with pytest.raises(MetalError, match=r"lack isolinux-only; names count in exact case$"):
        installers.check_media(make(media))
    (media / "boot.cfg").unlink()
    with pytest.raises(MetalError, match=r"hold no efi/boot/boot.cfg or boot.cfg; is this the unpacked medium\?$"):
        installers.check_media(make(media))
