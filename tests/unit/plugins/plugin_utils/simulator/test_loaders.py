# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import asyncio

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.ipxe import Image
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.loaders import (
    LoadError,
    answer_url,
    load,
    parse_answer,
    parse_boot_config,
)

PLACE = "http://hub/deploy/n01/token/boot.cfg"
BOOT_CFG = """bootstate=0
title=Loading ESXi installer
timeout=5
prefix=http://hub/media/esxi8
kernel=/b.b00
kernelopt=runweasel ks=http://hub/deploy/n01/token/answer
modules=/jumpstrt.gz --- /useropts.gz --- features.gz
build=8.0.2
updated=0
"""


def test_boot_cfg_with_prefix() -> None:
    config = parse_boot_config(PLACE, BOOT_CFG)
    assert config.kernel == "http://hub/media/esxi8/b.b00"
    assert config.modules == tuple(
        f"http://hub/media/esxi8/{name}" for name in ("jumpstrt.gz", "useropts.gz", "features.gz")
    )
    assert answer_url(config.options.split()) == "http://hub/deploy/n01/token/answer"


def test_boot_cfg_without_prefix_is_relative_to_itself() -> None:
    config = parse_boot_config(PLACE, "kernel=b.b00 arguments\n# modules=x\nmodules=http://other/m.gz\n")
    assert config.kernel == "http://hub/deploy/n01/token/b.b00"
    assert config.modules == ("http://other/m.gz",)


def test_boot_cfg_without_kernel() -> None:
    with pytest.raises(LoadError, match="names no kernel"):
        parse_boot_config(PLACE, "modules=a\n")


@pytest.mark.parametrize("word", ["ks=", "inst.ks=", "answer="])
def test_answer_url_by_any_name(word: str) -> None:
    assert answer_url(["quiet", f"{word}http://hub/a"]) == "http://hub/a"


def test_no_answer_url() -> None:
    with pytest.raises(LoadError, match="name no answer file"):
        answer_url(["quiet", "ks=cdrom:/KS.CFG"])


def test_the_lab_s_answer_file() -> None:
    answer = parse_answer(
        "hostname n01\ndisk first\nimage http://hub/media/lab/disk.img.gz\nreport http://hub/deploy/n01/t/report\n"
    )
    assert (answer.hostname, answer.image) == ("n01", "http://hub/media/lab/disk.img.gz")
    assert answer.report == "http://hub/deploy/n01/t/report"


def test_a_kickstart() -> None:
    answer = parse_answer(
        "vmaccepteula\ninstall --firstdisk --overwritevmfs\n"
        "network --bootproto=static --ip=10.0.0.5 --hostname=esx01.example.com\n"
        "%pre --interpreter=busybox\nwget -O /dev/null 'http://hub/deploy/esx01/t/report?state=installing'\n"
    )
    assert answer.report == "http://hub/deploy/esx01/t/report"
    assert answer.hostname == "esx01.example.com"
    assert answer.image is None
    assert parse_answer("d-i nothing string here\n").report is None


def run_load(kernel: Image, *, efi: bool = True) -> tuple[str, list[str]]:
    fetched: list[str] = []

    async def text(url: str) -> str:
        fetched.append(url)
        return BOOT_CFG

    async def fetch(url: str) -> object:
        fetched.append(url)
        return None

    return asyncio.run(load(kernel, efi, text, fetch)), fetched


def test_the_esxi_loader_fetches_everything() -> None:
    kernel = Image("http://hub/media/esxi8/efi/boot/bootx64.efi", ["-c", PLACE])
    url, fetched = run_load(kernel)
    assert url == "http://hub/deploy/n01/token/answer"
    assert fetched == [PLACE] + [
        f"http://hub/media/esxi8/{n}" for n in ("b.b00", "jumpstrt.gz", "useropts.gz", "features.gz")
    ]


def test_an_efi_program_on_a_bios_machine() -> None:
    with pytest.raises(LoadError, match="exec format error"):
        run_load(Image("http://hub/bootx64.efi", ["-c", PLACE]), efi=False)


def test_an_option_without_its_value() -> None:
    with pytest.raises(LoadError, match="option -c"):
        run_load(Image("http://hub/bootx64.efi", ["-c"]))
