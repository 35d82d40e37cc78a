# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module node_export: what it writes, that nothing is lost on the way back, and who may read it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.files import replace
from ansible_collections.stage0.metal.tests.unit.support import HASH, PASSWORD, ok, refused, store, three_runs

FORMATS = ["csv", "yaml"]
MASK = "********"


def make_site() -> None:
    """Make nodes, groups and networks with everything that could get lost."""
    ok("network", name="boot", subnet="10.1.0.0/16", vlan=7, gateway="10.1.0.1", dns=["10.0.0.1", "10.0.0.2"])
    ok("network", name="bmc", subnet="fd00::/64")
    ok("group", name="rack1", attributes={"net.ip": "10.1.{n1}.{n2}", "net.dns": [], "site.owner": "team a"})
    ok("group", name="rack10", attributes={"bmc.port": 6230}, secrets={"bmc.password": PASSWORD})
    ok("group", name="rack2")
    ok("group", name="alone", attributes={"site.literal": "{{not}} an expression"})
    ok("node", name="r1n10", groups=["rack10", "rack1"], attributes={"site.owner": None, "net.gateway": None})
    ok("node", name="r1n2", groups=["rack1", "rack10"], attributes={"net.dns": ["10.0.0.1", "10.0.0.2"]})
    odd = {
        "site.a": "yes",
        "site.b": "1e3",
        "site.c": "é ü 漢 🙂",
        "site.d": "a, \"b\"; 'c' # d: [e] - ~",
        "site.e": "null",
        "site.f": "[]",
        "site.g": "{{null}}",
        "site.h": "=1+1",
        "site.i": "52:54:00:00:00:01",
        "site.j": "0123",
        "net.mac": "525400000001",
        "net.netmask": "16",
        "net.dns": ["10.0.0.{n1}", "10.0.0.9"],
        "custom.x": "x" * 500,
    }
    ok(
        "node",
        name="r1n1",
        attributes=odd,
        secrets={"deploy.root_password_hash": HASH, "bmc.password": "{{braces}} in it"},
    )
    ok("node", name="r1n1", attributes={"system.uuid": None})


def use_another_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on with an empty database and the same key."""
    monkeypatch.setenv("STAGE0_DATABASE", f"sqlite:///{tmp_path}/another.db")


@pytest.mark.parametrize("secrets", ["omit", "encrypted"])
@pytest.mark.parametrize("form", FORMATS)
def test_what_was_exported_is_imported_without_loss(
    form: str, secrets: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_site()
    path, again = tmp_path / f"site.{form}", tmp_path / "again"
    real = three_runs("node_export", path=str(path), secrets=secrets)
    assert real["summary"] == {"nodes": 3, "groups": 4, "networks": 2 if form == "yaml" else 0}
    before = ok("node_info", show=["values", "own", "origins"])["nodes"]
    use_another_database(tmp_path, monkeypatch)
    imported = ok("node_import", path=str(path))
    assert imported["summary"]["added_range"] == "r1n[1-2,10]"
    ok("node_export", path=str(again), format=form, secrets=secrets)
    cipher = re.compile(r"fernet:[\w=-]+")  # a cipher of the same secret is another one each time
    assert cipher.sub(MASK, again.read_text()) == cipher.sub(MASK, path.read_text())
    if secrets == "encrypted":
        assert ok("node_info", show=["values", "own", "origins"])["nodes"] == before
        with store() as opened:
            views = opened.views(["r1n1", "r1n2"])
            assert views["r1n1"]["bmc.password"] == "{{braces}} in it"
            assert views["r1n2"]["bmc.password"] == PASSWORD
            assert views["r1n1"]["deploy.root_password_hash"] == HASH
    for state in ("merged", "replaced", "overridden"):
        assert ok("node_import", path=str(path), state=state)["changed"] is False


def test_csv_is_fit_for_git(tmp_path: Path) -> None:
    ok("group", name="rack1", attributes={"bmc.user": "admin"})
    ok("node", name="n10", groups=["rack1", "esx"], attributes={"net.dns": ["10.0.0.1", "10.0.0.2"], "bmc.port": 7})
    ok("node", name="n9", attributes={"bmc.user": None, "net.dns": []})
    path = tmp_path / "nodes.csv"
    three_runs("node_export", path=str(path))
    assert path.read_text().splitlines() == [
        "name,groups,bmc.port,bmc.user,net.dns",
        "group:esx,,,,",
        "group:rack1,,,admin,",
        "n9,,,{null},[]",
        "n10,rack1;esx,7,,10.0.0.1;10.0.0.2",
    ]
    ok("node", name="n10", attributes={"bmc.port": 8})
    changed = three_runs("node_export", path=str(path))
    before, after = (changed["diff"][side].splitlines() for side in ("before", "after"))
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        ("n10,rack1;esx,7,,10.0.0.1;10.0.0.2", "n10,rack1;esx,8,,10.0.0.1;10.0.0.2")
    ]
    assert changed["diff"]["after_header"] == str(path)


def test_yaml_is_one_line_a_value(tmp_path: Path) -> None:
    ok("network", name="boot", subnet="10.1.0.0/16")
    ok("node", name="n10", groups=["rack1"], attributes={"site.x": "yes", "net.dns": ["10.0.0.1"]})
    path = tmp_path / "nodes.yml"
    three_runs("node_export", path=str(path))
    assert path.read_text().splitlines() == [
        "# Node database of stage0.metal; read it with stage0.metal.node_import.",
        "format: stage0.metal",
        "version: 1",
        "networks:",
        "  boot:",
        "    subnet: 10.1.0.0/16",
        "groups:",
        "  rack1: {}",
        "nodes:",
        "  n10:",
        "    groups:",
        "    - rack1",
        "    values:",
        "      net.dns:",
        "      - 10.0.0.1",
        "      site.x: 'yes'",
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_some_nodes_bring_their_groups_and_nothing_else(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_site()
    path = tmp_path / "some"
    real = three_runs("node_export", path=str(path), format=form, nodes=["rack10,-r1n10", "r1n1"])
    assert real["summary"] == {"nodes": 2, "groups": 2, "networks": 0}
    use_another_database(tmp_path, monkeypatch)
    imported = ok("node_import", path=str(path), format=form)
    assert (imported["summary"]["added_range"], imported["groups"]["added_range"]) == ("r1n[1-2]", "rack[1,10]")


def test_the_suffix_tells_the_format(tmp_path: Path) -> None:
    ok("node", name="n1")
    first = {}
    for name in ("a.yml", "a.yaml", "a.csv", "a.txt", "a"):
        ok("node_export", path=str(tmp_path / name))
        first[name] = (tmp_path / name).read_text()[:6]
    assert first == {"a.yml": "# Node", "a.yaml": "# Node", "a.csv": "name,g", "a.txt": "name,g", "a": "name,g"}
    ok("node_export", path=str(tmp_path / "b.csv"), format="yaml")
    assert (tmp_path / "b.csv").read_text().startswith("# Node")


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_database_is_a_file_of_nothing(form: str, tmp_path: Path) -> None:
    ok("node", name="n1")
    ok("node", name="n1", state="absent")
    path = tmp_path / f"nothing.{form}"
    assert three_runs("node_export", path=str(path))["summary"]["nodes"] == 0
    assert ok("node_import", path=str(path), state="overridden")["changed"] is False


@pytest.mark.parametrize("form", FORMATS)
def test_a_diff_has_neither_secret_nor_cipher(form: str, tmp_path: Path) -> None:
    make_site()
    path = tmp_path / f"site.{form}"
    first = three_runs("node_export", path=str(path), secrets="encrypted")
    ok("node", name="r1n1", secrets={"bmc.password": "another-1"})
    second = ok("node_export", path=str(path), secrets="encrypted", diff=True)
    assert second["changed"] is True
    text = path.read_text()
    assert text.count("fernet:") == 3
    for result in (first, second):
        shown = repr(result)
        assert MASK in shown
        for hidden in ("fernet:", PASSWORD, "braces}} in it", HASH, "another-1"):
            assert hidden not in shown
    for hidden in (PASSWORD, "braces}} in it", HASH, "another-1"):
        assert hidden not in text


@pytest.mark.parametrize("form", FORMATS)
def test_an_encrypted_file_needs_the_key_that_it_was_written_with(form: str, tmp_path: Path) -> None:
    ok("node", name="n1", secrets={"bmc.password": PASSWORD})
    path = tmp_path / f"site.{form}"
    ok("node_export", path=str(path), secrets="encrypted")
    assert ok("secret_key", rotate_after=0)["changed"] is True
    failed = refused("node_import", path=str(path))
    assert "n1" in failed["msg"]
    assert "cannot be decrypted" in failed["msg"]
    assert "fernet:" not in failed["msg"]
    ok("node_export", path=str(path), secrets="encrypted")
    assert ok("node_import", path=str(path), state="overridden")["changed"] is False


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_who_may_read_the_file(tmp_path: Path) -> None:
    make_site()
    path = tmp_path / "site.csv"
    ok("node_export", path=str(path))
    assert mode(path) == 0o644
    ok("node_export", path=str(path), secrets="encrypted")
    assert mode(path) == 0o600
    ok("node_export", path=str(path))
    assert mode(path) == 0o600  # nobody gets to read what was closed to them
    path.chmod(0o640)
    ok("node", name="r1n1", attributes={"site.a": "no"})
    ok("node_export", path=str(path))
    assert mode(path) == 0o640


def test_a_file_that_would_not_change_is_not_touched(tmp_path: Path) -> None:
    make_site()
    path = tmp_path / "site.yml"
    ok("node_export", path=str(path))
    os.utime(path, (1, 1))
    before = path.stat()
    assert ok("node_export", path=str(path))["changed"] is False
    assert (path.stat().st_ino, path.stat().st_mtime) == (before.st_ino, before.st_mtime)
    assert ok("node_export", path=str(tmp_path / "other.yml"), check=True)["changed"] is True
    assert [one.name for one in tmp_path.glob("*.yml")] == ["site.yml"]


WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {"path": "{t}/none/site.csv"},
        "the file {t}/none/site.csv cannot be written: the folder {t}/none is missing or cannot be",
    ),
    (
        {"path": "{t}/file/site.csv"},
        "the file {t}/file/site.csv cannot be written: the folder {t}/file is missing or cannot be",
    ),
    ({"path": "{t}"}, "the file {t} cannot be written: it is a folder"),
    ({"path": "/dev/null"}, "the file /dev/null cannot be written: it is no regular file"),
    ({"path": "{t}/latin.csv"}, "{t}/latin.csv is there already and is no export; name another file, or set force: "),
    ({"path": "{t}/x.csv", "nodes": ["nobody"]}, "noderange 'nobody': there is no node or group named 'nobody'"),
]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(("arguments", "says"), WRONG)
def test_a_file_that_cannot_be_written(arguments: dict[str, Any], says: str, check: bool, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "latin.csv").write_bytes(b"name\n\xe9")
    ok("node", name="n1")
    given = {**arguments, "path": arguments["path"].format(t=tmp_path)}
    assert refused("node_export", check=check, **given)["msg"].startswith(says.format(t=tmp_path))
    assert (tmp_path / "latin.csv").read_bytes() == b"name\n\xe9"


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ok("node", name="n1")
    path = tmp_path / "site.csv"
    path.write_text("name\nold\n")

    def fails(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    assert (
        refused("node_export", path=str(path))["msg"] == f"the file {path} cannot be written: No space left on device"
    )
    assert path.read_text() == "name\nold\n"
    assert [one.name for one in tmp_path.iterdir() if "site" in one.name] == ["site.csv"]
    monkeypatch.undo()
    replace(path, "new\n")
    assert path.read_text() == "new\n"


# -- what is replaced -----------------------------------------------------------------------------------------------

FOREIGN = {
    "nothing of ours": "root:topsecret\n",
    "columns that we have not": "name,phone\nme,1\n",
    "no column of names": "groups,bmc.user\n",
    "a file of another program": "format: another\nversion: 1\n",
    "the format far below": "# x\n" * 2000 + "format: stage0.metal\n",
    "a quote without an end": '"name\n',
}
HIDDEN = "(what was there is not shown: it cannot be read as an export, and may hold secrets)\n"


@pytest.mark.parametrize("what", FOREIGN)
def test_the_file_of_another_is_replaced_only_if_that_is_asked_for(what: str, tmp_path: Path) -> None:
    path = tmp_path / "site"
    path.write_text(FOREIGN[what])
    ok("node", name="n1")
    for check in (True, False):
        failed = refused("node_export", path=str(path), check=check, diff=True)
        assert failed["error"]["code"] == "conflict"
        assert failed["msg"] == (
            f"{path} is there already and is no export; name another file, or set force: true to replace it"
        )
    assert path.read_text() == FOREIGN[what]
    real = three_runs("node_export", path=str(path), force=True)
    assert real["diff"]["before"] == HIDDEN
    assert path.read_text() == "name,groups\nn1,\n"


def test_what_is_not_even_text_can_be_forced(tmp_path: Path) -> None:
    path = tmp_path / "site"
    path.write_bytes(b"\x1f\x8b\xff")
    ok("node", name="n1")
    assert three_runs("node_export", path=str(path), force=True)["diff"]["before"] == HIDDEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n \n",
        "name\n",
        "\ufeffname,groups\r\nn1,g\r\n",
        "groups,bmc.user, name\n",
        "# mine\nformat: stage0.metal\n",
    ],
)
def test_what_is_ours_or_empty_is_replaced(text: str, tmp_path: Path) -> None:
    path = tmp_path / "site"
    path.write_text(text, newline="")
    ok("node", name="n1")
    three_runs("node_export", path=str(path))


@pytest.mark.sqlite
@pytest.mark.parametrize("name", ["metal.db", "metal.db-wal", "metal.db-shm", "secret.key"])
def test_files_of_the_database_are_never_replaced(name: str, home: Path, tmp_path: Path) -> None:
    ok("node", name="n1", secrets={"bmc.password": PASSWORD})
    (tmp_path / "link.csv").symlink_to(home / name)
    for path in (home / name, tmp_path / "link.csv"):
        said = refused("node_export", path=str(path), force=True)["msg"]
        assert said.startswith(f"{path} cannot be written: it is ")
    with store() as opened:
        assert opened.views(["n1"])["n1"]["bmc.password"] == PASSWORD


def test_a_link_stays(tmp_path: Path) -> None:
    ok("node", name="n1")
    (tmp_path / "real.csv").write_text("name\n")
    (tmp_path / "link.csv").symlink_to("real.csv")
    three_runs("node_export", path=str(tmp_path / "link.csv"))
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "name,groups\nn1,\n"


YAML_HEAD = "format: stage0.metal\nversion: 1\n"
PLAIN: list[tuple[str, str]] = [
    ("name,bmc.password\nn1,PLAINTEXT\nn2,\nn3,{null}\n", f"name,bmc.password\nn1,{MASK}\nn2,\nn3,{{null}}\n"),
    (
        'site.x, bmc.password ,name\n"a,b","PLAIN""TEXT\nPLAINTEXT",n1\n',
        f'site.x, bmc.password ,name\n"a,b",{MASK},n1\n',
    ),
    ("name,bmc.password,site.x\nn1,PLAIN,TEXT,PLAINTEXT\n", HIDDEN),
    ("name,bmc.password,site.x\nn1,PLAINTEXT\n", HIDDEN),
    ('name,bmc.password\nn1,"PLAINTEXT\n', HIDDEN),
    (
        f"{YAML_HEAD}nodes:\n  n1:\n    values: {{bmc.password: PLAINTEXT, site.x: a}}\n",
        f"nodes:\n  n1:\n    values:\n      bmc.password: '{MASK}'\n      site.x: a\n",
    ),
    (
        f'{YAML_HEAD}groups: {{g: {{bmc: {{"pass\\x77ord": PLAINTEXT}}, bmc.password: null}}}}\n',
        f"      password: '{MASK}'\n    bmc.password: null\n",
    ),
    (f"{YAML_HEAD}groups: {{g: {{bmc: {{password: {{a: [PLAINTEXT]}}}}}}}}\n", f"password: '{MASK}'\n"),
    (f"{YAML_HEAD}# bmc.password was PLAINTEXT\nnodes: {{}}\n", f"{YAML_HEAD}nodes: {{}}\n"),
    (f"{YAML_HEAD}nodes: {{n1: {{values: {{bmc.password: PLAINTEXT: x}}}}}}\n", HIDDEN),
    (f"{YAML_HEAD}nodes:\n  n1: {{values: {{site.x: fernet:PLAINTEXT}}}}\n", f"site.x: {MASK}"),
]


@pytest.mark.parametrize(("text", "shown"), PLAIN)
def test_a_diff_shows_no_secret_of_the_file_that_is_replaced(text: str, shown: str, tmp_path: Path) -> None:
    path = tmp_path / "site"
    path.write_text(text)
    ok("node", name="n1")
    real = three_runs("node_export", path=str(path))
    assert "TEXT" not in repr(real)
    assert shown in real["diff"]["before"]
