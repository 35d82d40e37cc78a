# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CSV files of nodes: the whole file is checked before any of it is used."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.batch import Entry
from ansible_collections.stage0.metal.plugins.module_utils._nodes.csvfile import read
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.support import ok, refused


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nodes.csv"


def test_a_good_file(path: Path) -> None:
    path.write_bytes(
        b"\xef\xbb\xbfname, groups ,net.mac,net.dns,site.owner\r\n"
        b'r1n01,rack1; esx,525400AA0001,"10.0.0.1,10.0.0.2","Jane ""J"" Doe, Esq."\r\n'
        b"\r\n"
        b" r1n02 ,,,,\r\n"
        b",,,,\r\n"
        b"r1n03,rack1\r\n"
    )
    values = {"net.mac": "52:54:00:aa:00:01", "net.dns": ["10.0.0.1", "10.0.0.2"], "site.owner": 'Jane "J" Doe, Esq.'}
    assert read(path).nodes == [
        Entry("line 2", "r1n01", ["rack1", "esx"], values),
        Entry("line 4", "r1n02", None, {}),
        Entry("line 6", "r1n03", ["rack1"], {}),
    ]


def test_groups_nulls_empty_lists_and_expressions(path: Path) -> None:
    path.write_text(
        "name,groups,net.dns,net.gateway,net.ip,site.owner\n"
        "group:rack1,,,,10.1.{n1}.{n2},\n"
        "r1n01,rack1,[],{null},,say {{x}}\n"
        "r1n02,rack1,10.0.0.1;10.0.0.2,,10.1.{n1}.{n2},[]\n"
    )
    batch = read(path)
    assert batch.groups == [Entry("line 2", "rack1", None, {"net.ip": "10.1.{n1}.{n2}"})]
    assert [entry.values for entry in batch.nodes] == [
        {"net.dns": [], "net.gateway": None, "site.owner": "say {{x}}"},
        {"net.dns": ["10.0.0.1", "10.0.0.2"], "net.ip": "10.1.{n1}.{n2}", "site.owner": "[]"},
    ]


WRONG = [
    ("", "invalid", "{p}: the first line must name the columns, as in name,groups,bmc.address"),
    ("\n\n", "invalid", "{p}: the first line must name the columns, as in name,groups,bmc.address"),
    ("node,groups\nn1,\n", "invalid", "{p}: line 1: there is no column 'name'"),
    ("name,name\nn1,n2\n", "conflict", "{p}: line 1: column 'name' appears twice"),
    ("name,\nn1,x\n", "unknown", "{p}: line 1: column '' is not an attribute; a site's own attributes are named"),
    ("name,bmc.addr\nn1,x\n", "unknown", "{p}: line 1: column 'bmc.addr' is not an attribute; did you mean bmc.a"),
    ("name,net.mac\nn1,52:54\n", "invalid", "{p}: line 2 (n1): net.mac: '52:54' is not a MAC address; write six pairs"),
    ("name\nn1\nn2\nn1\n", "conflict", "{p}: line 4 (n1): node n1 is on line 2 already"),
    (
        "name,net.mac\nn1,52:54:00:00:00:01\nn2,525400000001\n",
        "conflict",
        "{p}: line 3 (n2): net.mac 52:54:00:00:00:01 is on line 2 already",
    ),
    ("name,net.ip\nn1,10.0.0.1,x\n", "invalid", "{p}: line 2: 3 cells for 2 columns"),
    ("name,net.ip\n,10.0.0.1\n", "invalid", "{p}: line 2: column 'name' is empty"),
    ("name\nN1\n", "invalid", "{p}: line 2 (N1): 'N1' cannot be the name of a node: use lower-case letters"),
    ("name,groups\nn1,a;-b\n", "invalid", "{p}: line 2 (n1): '-b' cannot be the name of a group"),
    ('name,site.x\nn1,"a\nb"\n', "invalid", "{p}: line 2 (n1): site.x: 'a\\nb' contains a control character or a line"),
    ('name,groups\nn1,"a\nb"\nn2,-\n', "invalid", "{p}: line 4 (n2): '-' cannot be the name of a group"),
    ('name\n"n1\n', "invalid", "{p} is not a CSV file in UTF-8: unexpected end of data"),
    ("name,bmc.password\nn1,a\x07b\n", "invalid", "{p}: line 2 (n1): bmc.password: ******** contains a control"),
]


@pytest.mark.parametrize(("text", "code", "says"), WRONG)
def test_a_wrong_file_is_one_sentence_and_nothing_is_imported(path: Path, text: str, code: str, says: str) -> None:
    path.write_text(text, encoding="utf-8")
    failed = refused("node_import", path=str(path))
    assert failed["msg"].startswith(says.format(p=path))
    assert failed["error"]["code"] == code
    assert ok("node_info")["count"] == 0


def test_what_is_no_text_and_what_is_not_there(path: Path) -> None:
    with pytest.raises(MetalError, match=r"cannot be read: No such file or directory$"):
        read(path)
    with pytest.raises(MetalError, match=r"cannot be read: Is a directory$"):
        read(path.parent)
    path.write_bytes("name\nn\xe9\n".encode("latin-1"))
    with pytest.raises(MetalError, match=r"is not a CSV file in UTF-8: 'utf-8' codec can't decode") as caught:
        read(path)
    assert caught.value.code is ErrorCode.INVALID
    path.write_bytes("name\nn1\n".encode("utf-16"))
    with pytest.raises(MetalError, match="is not a CSV file in UTF-8"):
        read(path)
    path.write_bytes(b"name\nn1\x00\n")
    with pytest.raises(MetalError):
        read(path)


def test_addresses_can_be_swapped_between_two_nodes(path: Path) -> None:
    path.write_text("name,net.ip\nn1,10.0.0.1\nn2,10.0.0.2\n")
    ok("node_import", path=str(path))
    path.write_text("name,net.ip\nn1,10.0.0.2\nn2,10.0.0.1\n")
    assert ok("node_import", path=str(path))["summary"]["changed_range"] == "n[1-2]"
