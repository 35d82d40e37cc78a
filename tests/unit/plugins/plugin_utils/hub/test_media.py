# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Media over the hub: whole files, parts, and nothing outside of the media folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.hub.console import Client, with_hub
from ansible_collections.stage0.metal.tests.unit.support import make_profile

CONTENT = b"vmlinuz" * 100


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Path:
    """Media with a folder, a link that stays inside and some that lead out, beside a secret."""
    folder = tmp_path / "media"
    make_profile(folder)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "media-too").mkdir()
    (tmp_path / "media-too" / "secret").write_text("secret")
    (folder / "efi" / "boot").mkdir(parents=True)
    (folder / "efi" / "boot" / "my file+1.efi").write_text("loader")
    (folder / "vmlinuz.gz").write_text("another file")
    (folder / "inside").symlink_to("vmlinuz")
    (folder / "out").symlink_to(tmp_path / "secret")
    (folder / "out-folder").symlink_to(tmp_path)
    (folder / "loop").symlink_to("loop")
    return folder


def test_whole_files_and_parts() -> None:
    async def scenario(hub: Client) -> None:
        status, headers, body = await hub.headers("/media/lab/vmlinuz")
        assert (status, body, headers["content-type"]) == (200, CONTENT, "application/octet-stream")
        assert headers["content-length"] == str(len(CONTENT))
        status, headers, body = await hub.headers("/media/lab/vmlinuz", **{"Accept-Encoding": "gzip"})
        assert ("content-encoding" in headers, body) == (False, CONTENT)
        status, headers, body = await hub.headers("/media/lab/vmlinuz", "HEAD")
        assert (status, headers["content-length"], body) == (200, str(len(CONTENT)), b"")
        status, headers, body = await hub.headers("/media/lab/vmlinuz", Range="bytes=7-13")
        assert (status, body, headers["content-range"]) == (206, b"vmlinuz", f"bytes 7-13/{len(CONTENT)}")
        status, headers, body = await hub.headers("/media/lab/vmlinuz", Range="bytes=9999-")
        assert (status, headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")
        assert (await hub.headers("/media/lab/inside"))[2] == CONTENT
        assert await hub.ask("/media/lab/efi/boot/my%20file%2B1.efi") == (200, "loader")
        assert await hub.ask("/media/lab/efi//boot/my%20file+1.efi") == (200, "loader")

    with_hub(scenario)


NOT_THERE = [
    "nothing",
    "VMLINUZ",
    "efi",
    "efi/boot/",
    "../secret",
    "%2e%2e/secret",
    "%2e%2e%2fsecret",
    "..%2fsecret",
    "..%5csecret",
    "efi/../../secret",
    "efi/%2e%2e/%2E%2E/secret",
    "../media-too/secret",
    "%2fetc/passwd",
    "/etc/passwd",
    "out",
    "out-folder/secret",
    "loop",
    "loop/x",
    "vmlinuz/x",
    "a%00b",
    "%ff%fe",
    "x" * 300,
    "x/" * 2500,
    "~root/x",
    "%c0%ae%c0%ae/secret",
    "%252e%252e/secret",
]


@pytest.mark.parametrize("path", NOT_THERE)
def test_nothing_else_is_served(path: str) -> None:
    async def scenario(hub: Client) -> None:
        request = f"GET /media/lab/{path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n"
        answer = await hub.raw(request.encode())
        assert answer.startswith(b"HTTP/1.1 404 "), answer
        assert answer.endswith((b"no such file in these media\n", b"404: Not Found"))
        assert (await hub.ask("/healthz"))[0] == 200

    with_hub(scenario)


def test_an_unknown_profile_has_no_media() -> None:
    async def scenario(hub: Client) -> None:
        assert await hub.ask("/media/other/vmlinuz") == (404, "no such profile\n")
        assert (await hub.ask("/media/../lab/vmlinuz"))[0] == 404
        assert (await hub.ask("/media/LAB/vmlinuz"))[0] == 404

    with_hub(scenario)


def test_media_that_are_gone(media: Path) -> None:
    media.rename(media.with_name("elsewhere"))

    async def scenario(hub: Client) -> None:
        assert await hub.ask("/media/lab/vmlinuz") == (404, "no such file in these media\n")

    with_hub(scenario)
