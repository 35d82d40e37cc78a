# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Database and key that root makes belong to the owner of their folder, else the hub could not use them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring


def test_what_is_made_belongs_to_the_owner_of_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, uid, gid: given.append((Path(path).name, uid, gid)))
    open_database(f"sqlite:///{tmp_path}/metal.db").close()
    Keyring(tmp_path / "secret.key").encrypt("x")
    owner = tmp_path.stat()
    assert [(uid, gid) for _name, uid, gid in given] == [(owner.st_uid, owner.st_gid)] * 2
    assert given[0][0].startswith(".metal.db.")  # which is linked to its name then
    assert given[1][0].startswith(".secret.key.")
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert not (tmp_path / "metal.db").stat().st_mode & stat.S_IRWXO
