# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files that users keep: replaced whole, or left as they are."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.files import check_writable, current, replace


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_made_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert current(path) == ""
    replace(path, "é\nb\n")
    assert (path.read_bytes(), current(path), mode(path)) == ("é\nb\n".encode(), "é\nb\n", 0o640)
    replace(path, "", mode=0o600)
    assert (path.read_bytes(), mode(path)) == (b"", 0o600)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("had", "asked", "has"),
    [(0o644, 0o600, 0o600), (0o600, 0o644, 0o600), (0o666, 0o644, 0o644), (0o400, 0o640, 0o400)],
)
def test_nobody_gets_to_read_what_was_closed_to_them(had: int, asked: int, has: int, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(had)
    replace(path, "new", mode=asked)
    assert (path.read_text(), mode(path)) == ("new", has)


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_and_what_it_leads_to_is_replaced(exists: bool, tmp_path: Path) -> None:
    target, link = tmp_path / "far" / "target", tmp_path / "link"
    target.parent.mkdir()
    if exists:
        target.write_text("old")
    (tmp_path / "middle").symlink_to("far/target")
    link.symlink_to("middle")
    replace(link, "new")
    assert (target.read_text(), current(link)) == ("new", "new")
    assert (os.readlink(link), os.readlink(tmp_path / "middle")) == ("middle", "far/target")
    assert list(target.parent.iterdir()) == [target]


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("no/target")
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(MetalError, match=rf"link cannot be written: the folder {tmp_path}/no is missing or"):
        replace(tmp_path / "link", "new")
    with pytest.raises(MetalError, match=r"circle cannot be written: it is no regular file$"):
        replace(tmp_path / "circle", "new")
    assert (tmp_path / "circle").is_symlink()


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MetalError, match=rf"^the file {tmp_path}/pipe cannot be written: it is no regular file$"):
        replace(tmp_path / "pipe", "new")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xff\xfe")
    assert current(tmp_path / "a") is None
    for path, why in ((tmp_path, "Is a directory"), (tmp_path / "a" / "b", "Not a dir")):
        with pytest.raises(MetalError, match=rf"^the file {path} cannot be read: {why}") as caught:
            current(path)
        assert caught.value.code is ErrorCode.INVALID


def test_where_no_file_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MetalError, match=rf"^the file {tmp_path} cannot be written: it is a folder$"):
        check_writable(tmp_path)
    with pytest.raises(
        MetalError, match=rf"^the file {tmp_path}/no/a cannot be written: the folder {tmp_path}/no is missing or"
    ):
        check_writable(tmp_path / "no" / "a")
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with pytest.raises(MetalError, match=r"is missing or cannot be written$"):
        replace(tmp_path / "a", "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
def test_a_step_that_fails_leaves_the_old_file_alone(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def fails(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fails)
    with pytest.raises(MetalError, match=rf"^the file {path} cannot be written: No space left on device$"):
        replace(path, "new")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a", "old")]
