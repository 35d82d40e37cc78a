# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The importer for xCAT: a dump of three racks with all the traps, stanzas, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes._importers import xcat
from ansible_collections.stage0.metal.plugins.module_utils._nodes.batch import Batch
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.support import ok, store, three_runs

DUMP = Path(__file__).parents[5] / "unit" / "fixtures" / "importers" / "xcat"


@pytest.fixture(scope="module")
def batch() -> Batch:
    return xcat.read(DUMP)


def values_of(batch: Batch, name: str) -> dict[str, object]:
    return next(entry.values for entry in [*batch.nodes, *batch.groups, *batch.networks] if entry.name == name)


def reasons(batch: Batch) -> dict[tuple[str, str], str]:
    found = {(one.name, one.source): one.reason for one in batch.unmapped}
    assert len(found) == len(batch.unmapped)
    return found


def test_nodes_and_their_groups_in_order(batch: Batch) -> None:
    assert {entry.name: entry.groups for entry in batch.nodes} == {
        **{f"r1n0{n}": ["rack1", "ipmi", "compute", "xcat-all", "xcat-defaults"] for n in (1, 2, 3)},
        **{f"r2n0{n}": ["rack2", "ipmi", "compute", "xcat-all", "xcat-defaults"] for n in (1, 2, 3)},
        **{f"r3n0{n}": ["rack3", "ipmi", "gpu", "xcat-all", "xcat-defaults"] for n in (1, 2, 3)},
        "login": ["ipmi", "service", "xcat-all", "xcat-defaults"],
        "storage1": ["openbmc", "service", "xcat-all"],
    }
    assert batch.nodes[1].place == "nodelist.csv: line 3"


def test_groups_keep_what_they_say(batch: Batch) -> None:
    assert values_of(batch, "rack1") == {
        "bmc.address": "{node}-bmc",
        "location.rack": "r1",
        "location.room": "hall {{A}}",
    }
    assert values_of(batch, "rack2") == {
        "bmc.address": "10.2.{n1}.{n2}",
        "location.rack": "r{n1}",
        "location.room": "hall B",
    }
    assert values_of(batch, "rack3") == {
        "bmc.address": "10.2.{n1}.{n2 * 2 + 10}",
        "bmc.user": "ADMIN",
        "bmc.password": "{curly}|pass",
        "net.mac": "52:54:00:03:00:{n2 + 15:02x}",
    }
    assert values_of(batch, "xcat-defaults") == {"bmc.user": "USERID", "bmc.password": "PASSW0RD"}
    assert values_of(batch, "spare") == {}
    assert "all" not in {entry.name for entry in batch.groups}
    assert values_of(batch, "xcat-all")["custom.xcat.noderes.netboot"] == "xnba"


def test_nodes_keep_what_they_say(batch: Batch) -> None:
    node = values_of(batch, "r1n02")
    assert node["net.mac"] == "52:54:00:01:01:02"
    assert str(node["custom.xcat.mac.mac"]).endswith("|52:54:00:01:03:02*NOIP*")
    assert node["custom.xcat.nodelist.comments"] == 'DIMM "B2" replaced, ask Jane'
    assert node["system.uuid"] == "7c9e6679-7425-40de-944b-e07fc1f90ae8"
    assert values_of(batch, "r1n03")["net.mac"] == "52:54:00:01:01:03"
    several = {key: value for key, value in values_of(batch, "r1n01").items() if "switch" in key}
    assert several == {
        "custom.xcat.switch.switch": "sw1",
        "custom.xcat.switch.port": "7",
        "custom.xcat.switch_2.switch": "sw2",
        "custom.xcat.switch_2.port": "8",
        "custom.xcat.switch_2.interface": "eth1",
    }


def test_networks(batch: Batch) -> None:
    assert values_of(batch, "boot") == {
        "subnet": "10.1.0.0/16",
        "vlan": 10,
        "gateway": "10.1.0.1",
        "dns": ["10.1.0.2", "10.1.0.3"],
        "ntp": ["10.1.0.2"],
        "dynamic_range": "10.1.200.1-10.1.200.200",
        "domain": "cluster.local",
    }
    assert values_of(batch, "bmc") == {"subnet": "10.2.0.0/16"}


def test_what_cannot_be_mapped_is_named(batch: Batch) -> None:
    named = reasons(batch)
    assert named["gpu", "hosts.csv: otherinterfaces"].endswith("cannot be translated: it calls ipadd()")
    assert "matches" not in named["storage1", "hosts.csv: ip"]
    assert "its pattern does not match Storage1, for which xCAT gives the name" in named["storage1", "hosts.csv: ip"]
    assert "its pattern does not match login" in named["login", "ipmi.csv: bmc"]
    assert "it is a path, which xCAT takes for a regular expression" in named["xcat-all", "noderes.csv: tftpdir"]
    assert "'gpu$1' has no parentheses" in named["gpu", "nodetype.csv: profile"]
    assert "xCAT adds the next group's value" in named["compute", "postscripts.csv: postscripts"]
    assert named["storage1", "openbmc.csv: password"].startswith("it looks like a secret")
    assert named["openbmc", "nodehm.csv: mgt"] == "there is no driver for 'openbmc'; ipmi are"
    assert named["r3n04", "nodelist.csv"] == named["vmware", "passwd.csv"] == "the row is disabled in xCAT"
    assert named["Storage1", "nodelist.csv"] == "the node is called storage1 here: names are in lower case"
    assert named["mgt_", "nodelist.csv"].startswith("the node is left out: 'mgt_' cannot be the name of a node")
    assert named["halla", "nodegroup.csv"].startswith("a dynamic group: write its condition as a noderange")
    assert named["racks", "nodegroup.csv"].startswith("a group of groups")
    assert named["gone", "ipmi.csv"] == "neither a node nor a group of nodes; left out: bmc"
    assert named["system", "passwd.csv"].endswith("set it")
    assert named["bmc", "networks.csv: gateway"].startswith("<xcatmaster> is xCAT's word")
    assert named["policy", "policy.csv"] == "not about nodes; rows left out: 1"
    assert "postscripts add up" in named["hierarchicalattrs", "site.csv"]


def test_what_is_not_translated_is_blanked_and_its_text_kept(batch: Batch) -> None:
    login = values_of(batch, "login")
    assert login["bmc.address"] is None
    assert login["custom.xcat.ipmi.bmc"] == r"|r(\d+)n(\d+)|10.2.9.($2+0)|"
    assert values_of(batch, "r2n01")["net.mac"] is None
    assert values_of(batch, "openbmc")["bmc.driver"] is None


def test_no_secret_is_kept_or_told(batch: Batch) -> None:
    entries = [*batch.nodes, *batch.groups]
    shown = str([{**entry.values, "bmc.password": ""} for entry in entries]) + str(batch.unmapped)
    for secret in ("0penBmc", "cluster'", "vmpass", "PASSW0RD", "curly", "secret|"):
        assert secret not in shown


def test_the_store_takes_it_and_computes_the_values() -> None:
    check = ok("node_import", path=str(DUMP), check=True, diff=True)
    real = ok("node_import", path=str(DUMP), diff=True)
    assert check["diff"] == real["diff"]
    assert ok("node_import", path=str(DUMP))["changed"] is False
    with store() as opened:
        views = opened.views(["r1n01", "r2n03", "r3n02", "login"])
        shown = {
            name: (view["bmc.address"], view["net.ip"], view["location.u"], view["bmc.user"], view["bmc.password"])
            for name, view in views.items()
        }
    assert shown == {
        "r1n01": ("r1n01-bmc", "10.1.1.1", "2", "USERID", "PASSW0RD"),
        "r2n03": ("10.2.2.3", "10.1.2.3", "6", "USERID", "PASSW0RD"),
        "r3n02": ("10.2.3.14", "10.1.4.3", "u02", "ADMIN", "{curly}|pass"),
        "login": (None, "10.1.9.1", None, "USERID", "PASSW0RD"),
    }


STANZAS = """\
# <xCAT data object stanza file>

r1n01:
    objtype=node
    arch=x86_64
    bmc=10.2.1.1
    bmcpassword=PASSW0RD
    bmcusername=USERID
    groups=rack1,compute,all
    ip=10.1.1.1
    mac=52:54:00:01:01:01
    mgt=ipmi
    rack=r1
    unit=12
    usercomment=a=b: c
    switchpassword=hidden
\r
rack1:
    objtype=group
    grouptype=static
    members=r1n01
    bmc=|10.2.($1+0).($2+0)|

halls:
    objtype=group
    grouptype=dynamic
    wherevals=room==a

boot:
    objtype=network
    net=10.1.0.0
    mask=255.255.0.0

rhels9:
    objtype=osimage
    osvers=rhels9.4
"""


def test_stanzas(tmp_path: Path) -> None:
    path = tmp_path / "all.stanza"
    path.write_text(STANZAS)
    batch = xcat.read(path)
    assert [entry.name for entry in batch.nodes] == ["r1n01"]
    assert batch.nodes[0].groups == ["rack1", "compute"]
    assert batch.nodes[0].place == "all.stanza: line 3"
    assert batch.nodes[0].values == {
        "custom.xcat.node.arch": "x86_64",
        "bmc.address": "10.2.1.1",
        "bmc.password": "PASSW0RD",
        "bmc.user": "USERID",
        "net.ip": "10.1.1.1",
        "net.mac": "52:54:00:01:01:01",
        "bmc.driver": "ipmi",
        "location.rack": "r1",
        "location.u": "12",
        "custom.xcat.node.usercomment": "a=b: c",
    }
    assert values_of(batch, "boot") == {"subnet": "10.1.0.0/16"}
    named = reasons(batch)
    assert "no node has this value" in named["rack1", "all.stanza: bmc"]
    assert named["halls", "all.stanza"].startswith("a dynamic group")
    assert named["rhels9", "all.stanza"] == "an object of type osimage is not about nodes"
    assert named["r1n01", "all.stanza: switchpassword"].startswith("it looks like a secret")


NODELIST = '#node,groups,disable\n"n1","compute",\n"n2","compute",\n'
WRONG = [
    (
        {"ipmi.csv": "#node,bmc\n"},
        "{p} has no nodelist.csv; write each table to a file of its own, as tabdump nodelist",
    ),
    ({"nodelist.csv": ""}, "{p}/nodelist.csv: line 1 must name the columns, as in #node,groups,status"),
    ({"nodelist.csv": "node,groups\n"}, "{p}/nodelist.csv: line 1 must name the columns, as in #node,groups,status"),
    ({"nodelist.csv": "#node,node\n"}, "{p}/nodelist.csv: line 1: column 'node' appears twice"),
    ({"nodelist.csv": '#node,groups\n"n1","a","b"\n'}, "{p}/nodelist.csv: line 2: 3 cells for 2 columns"),
    ({"nodelist.csv": '#node,groups\n"n1\n'}, "{p}/nodelist.csv cannot be read as a table of tabdump: unexpected end"),
    ({"nodelist.csv": '#node,groups\n"n1",\n\n"n1",\n'}, "nodelist.csv: line 4: node 'n1' is at nodelist.csv: line 2"),
]


@pytest.mark.parametrize(("files", "sentence"), WRONG, ids=[sentence for files, sentence in WRONG])
def test_wrong_tables(files: dict[str, str], sentence: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(MetalError) as caught:
        xcat.read(tmp_path)
    assert caught.value.message.startswith(sentence.replace("{p}", str(tmp_path)))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "{p} holds no stanza; write one as lsdef -z does"),
        ("n1:\n    mac=x\n", "{p}: line 1 (n1): there is no objtype="),
        ("    mac=x\n", "{p}: line 1 is not part of a stanza: write NAME: and below it, indented, ATTRIBUTE=VALUE"),
        ("n1:\nobjtype\n", "{p}: line 2 is not part of a stanza"),
        ("n1:\n    objtype=node\nn1:\n    objtype=node\n", "s: line 3: node 'n1' is at s: line 1 already"),
        ("\udcff", "{p} cannot be read as stanzas of lsdef -z: 'utf-8' codec"),
    ],
)
def test_wrong_stanzas(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(MetalError) as caught:
        xcat.read(path)
    assert caught.value.message.startswith(sentence.replace("{p}", str(path)))
    assert caught.value.code in (ErrorCode.INVALID, ErrorCode.CONFLICT)


BAD = {
    "nodelist.csv": NODELIST,
    "mac.csv": '#node,mac\n"n1","#COMMAND# getmac"\n"n2","52:54|x"\n',
    "ipmi.csv": '#node,bmc,username\n"compute","no host","admin"\n"n1","u password=hunter2","x"\n',
    "vpd.csv": f'#node,uuid\n"n2","{"9" * 5000}"\n',
    "networks.csv": (
        '#netname,net,mask,vlanid,nameservers,ntpservers\n"a","10.1.0.0","x",,,\n'
        '"b","10.2.0.0","255.255.0.0","9999","10.0.0.1,10.0.0.2","ntp1 ntp2"\n'
    ),
}


def test_bad_values_stop_nothing(tmp_path: Path) -> None:
    """All of them are named at once, their text is kept, and what they were for is null."""
    for name, text in BAD.items():
        (tmp_path / name).write_text(text)
    batch = xcat.read(tmp_path)
    assert values_of(batch, "n1") == {
        "net.mac": None,
        "custom.xcat.mac.mac": "#COMMAND# getmac",
        "bmc.address": None,
        "bmc.user": "x",
    }
    two = values_of(batch, "n2")
    assert (two["net.mac"], two["custom.xcat.mac.mac"], two["system.uuid"]) == (None, "52:54|x", None)
    assert values_of(batch, "compute") == {
        "bmc.address": None,
        "custom.xcat.ipmi.bmc": "no host",
        "bmc.user": "admin",
    }
    assert {entry.name: entry.values for entry in batch.networks} == {
        "b": {"subnet": "10.2.0.0/16", "dns": ["10.0.0.1", "10.0.0.2"], "ntp": ["ntp1", "ntp2"]}
    }
    named = {(one.name, one.source): one.reason for one in batch.unmapped}
    assert named["n1", "mac.csv: mac"].startswith("net.mac: '#COMMAND# getmac' is not a MAC address; write six pairs")
    assert named["n2", "mac.csv: mac"].startswith("net.mac: '52:54' is not a MAC address")
    assert named["compute", "ipmi.csv: bmc"] == "bmc.address: 'no host' is neither an IP address nor a host name"
    assert named["n1", "ipmi.csv: bmc"] == "it looks like a secret, which is never kept under custom.*"
    assert named["a", "networks.csv"] == "left out: net '10.1.0.0' with mask 'x' is not a network"
    assert "'9999' is not a VLAN; write a number from 1 to 4094" in named["b", "networks.csv: vlanid"]
    assert max(len(reason) for reason in named.values()) < 310


def test_an_import_with_bad_values_is_the_same_twice(tmp_path: Path) -> None:
    for name, text in BAD.items():
        (tmp_path / name).write_text(text)
    three_runs("node_import", path=str(tmp_path))
    assert ok("node_info", attributes=["net.mac", "bmc.user"], show=["values"])["nodes"]["n2"]["values"] == {
        "net.mac": None,
        "bmc.user": "admin",
    }


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MetalError, match=r"absent cannot be read as stanzas of lsdef -z: No such file or directory"):
        xcat.read(tmp_path / "absent")


def test_a_computed_value_counts_for_those_nodes_only_that_have_it(tmp_path: Path) -> None:
    (tmp_path / "nodelist.csv").write_text('#node,groups\n"n1","first,second"\n"n2","second"\n"odd","second"\n')
    (tmp_path / "ipmi.csv").write_text(
        '#node,bmc,password,comments\n"first","10.9.9.9"\n"odd","10.9.9.8"\n"second","|n(\\d+)|10.2.0.($1+0)|","|x|y|"\n'
    )
    batch = xcat.read(tmp_path)
    second = values_of(batch, "second")
    assert second == {"bmc.address": "10.2.0.{n1}", "bmc.password": None}
    assert reasons(batch) == {("second", "ipmi.csv: password"): "a computed password is not translated; set it"}


def test_a_computed_value_that_is_no_good_for_its_attribute(tmp_path: Path) -> None:
    (tmp_path / "nodelist.csv").write_text('#node,groups\n"n300","a"\n')
    (tmp_path / "hosts.csv").write_text('#node,ip\n"a","|n(\\d+)|10.0.0.($1+0)|"\n')
    batch = xcat.read(tmp_path)
    reason = reasons(batch)["a", "hosts.csv: ip"]
    assert reason.endswith(
        "for n300 it comes to a bad value: net.ip: '10.0.0.300' is not an IP address; write one as in 10.1.2.3"
    )


def test_names_that_upper_case_alone_tells_apart_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "nodelist.csv").write_text('#node,groups\n"N1","a"\n"n1","A"\n"n2","a,n1"\n')
    batch = xcat.read(tmp_path)
    assert [(entry.name, entry.groups) for entry in batch.nodes] == [("n2", [])]
    assert {(one.name, one.reason) for one in batch.unmapped} == {
        ("N1", "the node is left out: other names differ from it by upper case only"),
        ("n1", "the node is left out: other names differ from it by upper case only"),
        ("a", "the group is left out: other names differ from it by upper case only"),
        ("A", "the group is left out: other names differ from it by upper case only"),
        ("n1", "the group is left out: a node is called so, too"),
    }
