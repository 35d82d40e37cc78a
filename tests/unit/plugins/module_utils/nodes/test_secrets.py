# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets at rest: encrypted, with a key that only its owner can read; wrong, missing and new keys."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes import dump
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store, Wish
from ansible_collections.stage0.metal.tests.unit.support import PASSWORD, events, make_rack, ok, refused, store
from cryptography.fernet import Fernet


def password(node: str = "r1n01") -> str:
    with store() as opened:
        return str(opened.views([node])[node]["bmc.password"])


def everything() -> bytes:
    """All that the database holds, as a backup would have it."""
    lines: list[bytes] = []
    with store() as opened:
        dump.scan(opened.connection, lines.append)
    return b"".join(lines)


def test_a_password_stands_nowhere_in_the_clear(home: Path) -> None:
    make_rack(2)
    with store() as opened:
        opened.put("node", "r1n01", Wish({"bmc.password": "another-one-9"}))
    assert password("r1n01") == "another-one-9"
    assert password("r1n02") == PASSWORD
    files = list(home.iterdir())
    written = b"".join(path.read_bytes() for path in files) + everything()
    assert "secret.key" in {path.name for path in files}
    for secret in (PASSWORD, "another-one-9"):
        assert secret.encode() not in written
        assert secret not in repr(events())


def test_the_key_file_is_made_once_and_for_its_owner_only(home: Path) -> None:
    assert not (home / "secret.key").exists()
    first = Keyring()
    stored = first.encrypt("x")
    key = home / "secret.key"
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    assert Keyring().decrypt(stored) == "x"
    assert key.read_bytes() == before
    assert [path.name for path in home.iterdir()] == ["secret.key"]


def test_a_key_file_that_others_can_read_is_refused(home: Path) -> None:
    make_rack(1)
    (home / "secret.key").chmod(0o640)
    with pytest.raises(MetalError) as caught:
        password()
    assert caught.value.code is ErrorCode.DATABASE
    key = home / "secret.key"
    assert str(caught.value) == f"the key file {key} can be read by others; run: chmod 600 {key}"


def test_a_missing_key_file(home: Path) -> None:
    make_rack(1)
    (home / "secret.key").unlink()
    with pytest.raises(
        MetalError, match=r"secret.key is missing, so no secret can be read; bring it back or set STAGE0"
    ):
        password()
    assert not (home / "secret.key").exists()


def test_a_wrong_key(home: Path) -> None:
    make_rack(1)
    (home / "secret.key").write_bytes(Fernet.generate_key())
    sentence = f"bmc.password of node r1n01 cannot be decrypted with the keys of {home / 'secret.key'}"
    with pytest.raises(MetalError) as caught:
        password()
    assert str(caught.value) == sentence
    failed = refused("power_info", nodes=["r1n01"])
    assert (failed["error"]["code"], failed["msg"]) == ("database", sentence)


@pytest.mark.parametrize("content", [b"", b"no key", b"\xff\xfe", b"A" * 44])
def test_a_key_file_with_something_else_in_it(home: Path, content: bytes) -> None:
    make_rack(1)
    (home / "secret.key").write_bytes(content)
    with pytest.raises(MetalError) as caught:
        password()
    assert caught.value.code is ErrorCode.DATABASE
    if content != b"A" * 44:  # 44 letters are a key, if not this one
        assert str(caught.value) == f"a key in {home / 'secret.key'} is not a Fernet key"


def test_a_key_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE0_SECRET_KEY", Fernet.generate_key().decode())
    make_rack(1)
    assert password() == PASSWORD
    assert not (home / "secret.key").exists()
    monkeypatch.setenv("STAGE0_SECRET_KEY", Fernet.generate_key().decode())
    with pytest.raises(MetalError, match=r"cannot be decrypted with the keys of STAGE0_SECRET_KEY$"):
        password()
    monkeypatch.setenv("STAGE0_SECRET_KEY", "no key")
    with pytest.raises(MetalError, match=r"^a key in STAGE0_SECRET_KEY is not a Fernet key$"):
        password()


def test_rotation(home: Path) -> None:
    make_rack(1)
    key = home / "secret.key"
    old, new = key.read_text(), Fernet.generate_key().decode()
    key.write_text(f"{new}\n{old}")
    assert password() == PASSWORD
    with store() as opened:
        opened.put("node", "r1n01", Wish({"bmc.password": "after-rotation"}))
    key.write_text(new)
    assert password() == "after-rotation"


def test_a_key_that_cannot_be_written(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STAGE0_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setenv("STAGE0_DATABASE", f"sqlite:///{tmp_path}/metal.db")
    failed = refused("node", name="n1", secrets={"bmc.password": "xyz-secret"})
    assert failed["error"]["code"] == "database"
    assert failed["msg"] == f"n1: the key file {tmp_path}/file/home/secret.key cannot be read or made: Not a directory"


def test_many_that_need_a_key_at_once_make_one(home: Path) -> None:
    rings = [Keyring() for _number in range(8)]
    stored: list[str] = []
    gate = threading.Barrier(len(rings))

    def encrypt(ring: Keyring) -> None:
        gate.wait()
        stored.append(ring.encrypt("x"))

    threads = [threading.Thread(target=encrypt, args=(ring,)) for ring in rings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [Keyring().decrypt(one) for one in stored] == ["x"] * len(rings)
    assert [path.name for path in home.iterdir()] == ["secret.key"]


def test_what_an_interrupted_run_left_behind_is_no_obstacle(home: Path) -> None:
    home.mkdir()
    (home / f".secret.key.{os.getpid()}").write_text("half a key")
    (home / ".secret.key.abc").write_text("half a key")
    assert Keyring().decrypt(Keyring().encrypt("x")) == "x"


def test_a_lost_key_is_not_replaced_while_its_secrets_are_there(home: Path) -> None:
    make_rack(1)
    (home / "secret.key").unlink()
    sentence = (
        f"the key file {home}/secret.key is missing, so no secret can be read; bring it back or set STAGE0_SECRET_KEY"
    )
    for check in (True, False):
        failed = refused("node", name="new", secrets={"bmc.password": "other-9"}, check=check)
        assert failed["msg"] == f"new: {sentence}"
        failed = refused("group", name="rack1", secrets={"bmc.password": "other-9"}, check=check)
        assert failed["msg"] == f"rack1: {sentence}"
    assert not (home / "secret.key").exists()
    ok("node", name="new", attributes={"net.ip": "10.9.9.9"})
    ok("group", name="rack1", unset=["bmc.password"])
    assert sentence in refused("node", name="new", secrets={"bmc.password": "other-9"})["msg"]
    ok("node", name="r1n01", unset=["deploy.root_password_hash"])
    ok("node", name="new", secrets={"bmc.password": "other-9"})
    assert (home / "secret.key").exists()


def test_who_reads_while_keys_are_rotated_reads_on(home: Path) -> None:
    make_rack(1)
    with closing(open_database()) as database, database.read() as connection:
        reader = Store(connection, Keyring(), "x")
        assert reader.views(["r1n01"])["r1n01"]["bmc.password"] == PASSWORD
        assert ok("secret_key", rotate_after=0)["rewritten"] == 2
        assert reader.views(["r1n01"])["r1n01"]["bmc.password"] == PASSWORD
    with store() as opened:
        assert opened.views(["r1n01"])["r1n01"]["bmc.password"] == PASSWORD
