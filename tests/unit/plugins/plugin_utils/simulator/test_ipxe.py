# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import asyncio

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.ipxe import Outcome, ScriptError, Shell, Way

BASE = "http://hub:8480/boot?mac=52:54:00:99:00:01"
VARIABLES = {"platform": "efi", "net0/mac": "52:54:00:99:00:01", "uuid": "u-u-i-d"}


def run(
    script: str, files: dict[str, bytes] | None = None, *, disk: bool = True, platform: str = "efi"
) -> tuple[Outcome, list[str]]:
    """Run a script; ``files``: what the server has (None: everything). Return its outcome and the URLs fetched."""
    fetched: list[str] = []

    async def fetch(url: str) -> bytes | None:
        fetched.append(url)
        return b"binary" if files is None else files.get(url)

    shell = Shell({**VARIABLES, "platform": platform}, fetch, disk=lambda: disk)
    return asyncio.run(shell.run(BASE, script)), fetched


LOCAL_DISK = "#!ipxe\necho n01: nothing is armed\niseq ${platform} efi && exit 1 ||\nsanboot --no-describe --drive 0x80 || exit 1\n"


def test_local_disk_on_bios_and_uefi() -> None:
    assert run(LOCAL_DISK, platform="pcbios")[0].way is Way.DISK
    assert run(LOCAL_DISK, platform="pcbios", disk=False)[0].way is Way.EXIT
    assert run(LOCAL_DISK, platform="efi")[0].way is Way.EXIT


def test_a_linux_installer() -> None:
    script = (
        "#!ipxe\n"
        "set base http://hub:8480/media/lab\n"
        "kernel --name vmlinuz ${base}/vmlinuz initrd=installer.gz quiet ks=http://hub:8480/deploy/n01/t/answer "
        "BOOTIF=01-${net0/mac:hexhyp}\n"
        "initrd --name installer.gz ${base}/installer.gz\n"
        "boot\n"
    )
    outcome, fetched = run(script)
    assert outcome.way is Way.BOOT
    assert outcome.kernel is not None
    assert outcome.kernel.url == "http://hub:8480/media/lab/vmlinuz"
    assert outcome.kernel.arguments[-1] == "BOOTIF=01-52-54-00-99-00-01"
    assert fetched == ["http://hub:8480/media/lab/vmlinuz", "http://hub:8480/media/lab/installer.gz"]


def test_what_cannot_be_fetched_ends_the_script_unless_it_says_otherwise() -> None:
    with pytest.raises(ScriptError, match="failed at line 2: kernel"):
        run("#!ipxe\nkernel http://hub/k\nboot\n", files={})
    outcome, fetched = run("#!ipxe\nkernel /a || kernel /b\nboot\n", files={"http://hub:8480/b": b"x"})
    assert outcome.way is Way.BOOT
    assert fetched == ["http://hub:8480/a", "http://hub:8480/b"]


def test_goto_labels_and_comments() -> None:
    script = "#!ipxe\n# a comment\ngoto there\nexit 1\n:there\nboot http://hub/k a b # c\n"
    outcome, _fetched = run(script)
    assert outcome.kernel is not None
    assert outcome.kernel.arguments == ["a", "b"]


def test_conditions_bind_to_the_left() -> None:
    assert run("#!ipxe\niseq a b && sanboot || isset x && exit\nboot nowhere\n")[0].way is Way.EXIT
    assert run("#!ipxe\nisset ${nothing} || isset ${uuid} && sanboot\n")[0].way is Way.DISK


def test_chain_follows_scripts_and_starts_programs() -> None:
    files = {"http://hub:8480/next.ipxe": b"#!ipxe\nsanboot\n", "http://hub:8480/prog.efi": b"MZ"}
    assert run("#!ipxe\nchain /next.ipxe\n", files)[0].way is Way.DISK
    outcome = run("#!ipxe\nchain /prog.efi -c http://hub/boot.cfg\n", files)[0]
    assert outcome.kernel is not None
    assert outcome.kernel.arguments == ["-c", "http://hub/boot.cfg"]
    with pytest.raises(ScriptError, match="without end"):
        run("#!ipxe\nchain /me\n", {"http://hub:8480/me": b"#!ipxe\nchain /me\n"})


def test_a_script_that_ends_without_a_boot_is_an_exit() -> None:
    assert run("#!ipxe\ndhcp\nsleep 3\nimgfree\necho ${nothing}\n")[0].way is Way.EXIT


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("", "is no boot script"),
        ("<html>502</html>", "is no boot script"),
        ("#!ipxe\nboot\n", "failed at line 2: boot"),
        ("#!ipxe\nkernel --name x\n", "failed at line 2: kernel"),
        ("#!ipxe\nfrobnicate now\n", "frobnicate: command not found"),
        ("#!ipxe\ngoto nowhere\n", "no such label"),
        ("#!ipxe\n:a\ngoto a\n", "in circles"),
    ],
)
def test_scripts_that_fail(script: str, sentence: str) -> None:
    with pytest.raises(ScriptError, match=sentence):
        run(script)
