# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory plugin, read by ansible-core's own InventoryManager: hosts, variables, and what cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.stage0.metal.plugins.inventory import nodes
from ansible_collections.stage0.metal.plugins.inventory.nodes import InventoryModule
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store
from ansible_collections.stage0.metal.tests.unit.support import PASSWORD, make_rack, store

from .reading import fails, listing, plugin, put, read, variables, write

TEMPLATE = "{{{{ lookup('pipe', 'id') }}}}"
"""A value of which the database knows that it is no expression: the braces are doubled."""


# -- hosts and variables -------------------------------------------------------------------------------------------


def test_nodes_groups_and_variables(tmp_path: Path) -> None:
    make_rack(2)
    put("group", "dc-1.row_2")
    put("node", "r1n02", {"net.gateway": None, "net.ip": None}, groups=["rack1", "dc-1.row_2"])
    inventory = read(tmp_path)
    assert sorted(inventory.hosts) == ["r1n01", "r1n02"]
    groups = inventory.get_groups_dict()
    assert (groups["rack1"], groups["dc_1_row_2"]) == (["r1n01", "r1n02"], ["r1n02"])
    found = variables(inventory, "r1n01")
    expected = {"metal_net_mac": "52:54:00:01:00:01", "metal_net_ip": "10.1.1.1", "metal_bmc_user": "admin"}
    assert {key: found[key] for key in expected} == expected
    assert found["ansible_host"] == "10.1.1.1"
    assert found["metal_bmc_port"] == 623
    assert found["metal_net_dns"] == []
    other = variables(inventory, "r1n02")
    assert "metal_net_ip" not in other
    assert "ansible_host" not in other


def test_a_null_hides_what_a_group_says(tmp_path: Path) -> None:
    make_rack(2, **{"net.gateway": "10.1.0.1", "site.owner": "ops"})
    put("node", "r1n02", {"net.gateway": None, "bmc.port": None})
    inventory = read(tmp_path)
    assert variables(inventory, "r1n01")["metal_net_gateway"] == "10.1.0.1"
    found = variables(inventory, "r1n02")
    assert found["metal_site_owner"] == "ops"
    assert not {"metal_net_gateway", "metal_bmc_port"} & found.keys()


def test_expressions_are_evaluated_wherever_they_stand(tmp_path: Path) -> None:
    make_rack(
        2, **{"net.hostname": "{node}.example.com", "location.u": "{n2 * 2}", "site.x": "{net.hostname}/{n2:02d}"}
    )
    put("node", "r1n02", {"bmc.port": "{6000 + n2}", "net.dns": "10.0.0.{n2}, 10.0.1.1"})
    inventory = read(tmp_path)
    one, two = variables(inventory, "r1n01"), variables(inventory, "r1n02")
    assert (one["metal_net_hostname"], one["metal_location_u"]) == ("r1n01.example.com", "2")
    assert one["metal_site_x"] == "r1n01.example.com/01"
    assert (two["metal_bmc_port"], two["metal_net_dns"]) == (6002, ["10.0.0.2", "10.0.1.1"])


@pytest.mark.parametrize("prefix", ["", "#jinja2: variable_start_string: '[[' "])
def test_values_are_not_templates(tmp_path: Path, prefix: str) -> None:
    make_rack(1, **{"site.of_group": prefix + TEMPLATE})
    put("node", "r1n01", {"site.x": prefix + TEMPLATE, "site.y": prefix + "{node} " + TEMPLATE})
    found = variables(read(tmp_path), "r1n01")
    said = prefix + "{{ lookup('pipe', 'id') }}"
    assert (found["metal_site_x"], found["metal_site_of_group"]) == (said, said)
    assert found["metal_site_y"] == f"{prefix}r1n01 {{{{ lookup('pipe', 'id') }}}}"
    templar = Templar(loader=DataLoader(), variables=found)
    for name in ("metal_site_x", "metal_site_y", "metal_site_of_group"):
        assert templar.template(found[name]) == found[name]


def test_values_are_no_templates_where_groups_are_made_of_them(tmp_path: Path) -> None:
    make_rack(1, **{"site.x": "{{{{ 6 * 7 }}}}"})
    keyed = [{"key": "metal_site_x", "prefix": "x"}]
    inventory = read(tmp_path, compose={"seen": "metal_site_x"}, keyed_groups=keyed, strict=True)
    host = inventory.get_host("r1n01")
    assert host is not None
    assert host.vars["seen"] == "{{ 6 * 7 }}"
    assert not [group for group in inventory.groups if "42" in group]


def test_chosen_attributes(tmp_path: Path) -> None:
    make_rack(1, **{"site.x": "{node}", "net.gateway": "10.1.0.1"})
    found = variables(read(tmp_path, attributes=["site.x", "bmc.port", "system.serial"]), "r1n01")
    assert found == {"metal_site_x": "r1n01", "metal_bmc_port": 623, "ansible_host": "10.1.1.1"}
    assert variables(read(tmp_path, attributes=[]), "r1n01") == {"ansible_host": "10.1.1.1"}
    assert "'net.addr' is not an attribute; did you mean net.mac?" in fails(tmp_path, attributes=["net.addr"])
    assert "'1' is not an attribute" in fails(tmp_path, attributes=[1])


def test_no_two_attributes_become_one_variable(tmp_path: Path) -> None:
    make_rack(1, **{"site.a_b": "1"})
    put("node", "r1n01", {"site.a.b": "2"})
    found = variables(read(tmp_path), "r1n01")
    assert (found["metal_site_a_b"], found["metal_site_a__b"]) == ("1", "2")


# -- which nodes, and their addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["rack1,-r1n02", ["rack1", "-r1n02"], ["r1n[01,03]"], "r1n[01,03]"])
def test_a_noderange(tmp_path: Path, wanted: Any) -> None:
    make_rack(3)
    assert sorted(read(tmp_path, nodes=wanted).hosts) == ["r1n01", "r1n03"]


@pytest.mark.parametrize(
    ("rules", "address"),
    [
        (["bmc.address"], "10.2.1.1"),
        (["net.hostname", "net.ip"], "10.1.1.1"),
        (["{net.hostname}.example.com", "{node}.example.com"], "r1n01.example.com"),
        (["{n9}", "bmc.address"], "10.2.1.1"),
        (["{n2}"], 1),
        (["net.hostname"], None),
        ([], None),
    ],
)
def test_the_first_rule_that_gives_an_address(tmp_path: Path, rules: list[str], address: Any) -> None:
    make_rack(1)
    assert variables(read(tmp_path, ansible_host=rules), "r1n01").get("ansible_host") == address


def test_an_empty_database_is_an_empty_inventory(tmp_path: Path) -> None:
    with store() as opened:
        assert opened.node_names() == []
    assert sorted(read(tmp_path).hosts) == []
    assert sorted(read(tmp_path, nodes=["all"]).hosts) == []
    assert "there is no node or group named 'rack1'" in fails(tmp_path, nodes="rack1")


def test_another_source_comes_first(tmp_path: Path) -> None:
    make_rack(1)
    first = tmp_path / "hosts.yml"
    first.write_text("both: {hosts: {both: {}}}\nrack1: {hosts: {r1n01: {metal_site_x: 1, metal_bmc_user: me}}}\n")
    inventory = InventoryManager(loader=DataLoader(), sources=[write(tmp_path)])
    assert sorted(inventory.hosts) == ["r1n01"]
    data = InventoryData()
    data.add_group("both")
    data.add_host("both", "both")
    data.add_host("r1n01")
    data.set_variable("r1n01", "metal_bmc_user", "me")
    data.set_variable("r1n01", "mine", 1)
    plugin().parse(data, DataLoader(), write(tmp_path))
    assert data.hosts["r1n01"].vars["metal_bmc_user"] == "admin"
    assert data.hosts["r1n01"].vars["mine"] == 1


# -- secrets -------------------------------------------------------------------------------------------------------


def test_secrets_become_no_variables(tmp_path: Path) -> None:
    make_rack(1)
    found = variables(read(tmp_path), "r1n01")
    assert "metal_bmc_password" not in found
    assert "metal_deploy_root_password_hash" not in found
    assert PASSWORD not in repr(found)


def test_secrets_asked_for_by_name(tmp_path: Path) -> None:
    make_rack(2)
    put("node", "r1n02", {"bmc.password": "{{ 6 * 7 }}"})
    inventory = read(tmp_path, secrets=["bmc.password"], attributes=["bmc.user"])
    assert variables(inventory, "r1n01") == {
        "metal_bmc_password": PASSWORD,
        "metal_bmc_user": "admin",
        "ansible_host": "10.1.1.1",
    }
    found = variables(inventory, "r1n02")
    assert Templar(loader=DataLoader(), variables=found).template(found["metal_bmc_password"]) == "{{ 6 * 7 }}"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"secrets": ["bmc.user"]}, "secrets: bmc.user is no secret; it becomes a variable without that"),
        ({"secrets": ["bmc.pass"]}, "'bmc.pass' is not an attribute; did you mean bmc.password?"),
        ({"attributes": ["bmc.password"]}, "bmc.password is a secret, which becomes a variable only if the option"),
        ({"ansible_host": ["bmc.password"]}, "bmc.password is a secret, which becomes a variable only if the option"),
        ({"ansible_host": ["{bmc.password}"]}, "bmc.password is a secret, which becomes a variable only if the option"),
        ({"bmc_name": "{bmc.password}"}, "bmc.password is a secret, which becomes a variable only if the option"),
        ({"secrets": ["bmc.password"], "cache": True}, "none may lie in a cache; say cache: false, or do without"),
    ],
)
def test_secrets_that_may_not_be_shown(tmp_path: Path, options: dict[str, Any], sentence: str) -> None:
    make_rack(1)
    said = fails(tmp_path, **options)
    assert sentence in said
    assert PASSWORD not in said


def test_a_secret_without_its_key(tmp_path: Path, home: Path) -> None:
    make_rack(1)
    (home / "secret.key").unlink()
    assert sorted(read(tmp_path).hosts) == ["r1n01"]
    assert f"the key file {home}/secret.key" in fails(tmp_path, secrets=["bmc.password"])


# -- what cannot be read -------------------------------------------------------------------------------------------


@pytest.mark.sqlite
def test_another_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_rack(1)
    monkeypatch.setenv("STAGE0_DATABASE", f"sqlite:///{tmp_path}/other.db")
    assert f"there is no node database {tmp_path}/other.db; see STAGE0_HOME" in fails(tmp_path)
    assert not (tmp_path / "other.db").exists()
    home = tmp_path / "stage0-home"
    assert sorted(read(tmp_path, database=f"sqlite:///{home}/metal.db").hosts) == ["r1n01"]


def test_the_url_may_be_a_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_rack(1)
    with store() as opened:
        url = opened.connection.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("STAGE0_HOME", str(tmp_path / "other"))
    monkeypatch.delenv("STAGE0_DATABASE", raising=False)
    option = "{{ lookup('env', 'SITE_DATABASE') }}"
    monkeypatch.setenv("SITE_DATABASE", url)
    assert sorted(read(tmp_path, database=option).hosts) == ["r1n01"]
    monkeypatch.delenv("SITE_DATABASE")
    assert fails(tmp_path, database=option) == "database: the template gives no URL; is the variable set that it reads?"
    assert "'nobody' is undefined" in fails(tmp_path, database="sqlite:///{{ nobody }}")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"database": "sqlite:////nowhere/metal.db"}, "there is no node database /nowhere/metal.db"),
        ({"database": "mysql://x"}, "is not supported; write sqlite:///PATH"),
        ({"nodes": "r9"}, "there is no node or group named 'r9'"),
        ({"nodes": ["rack1", "r9"]}, "there is no node or group named 'r9'"),
        ({"nodes": "rack1,("}, "noderange 'rack1,(': character 8: expected a name, a group, '(' or '/'"),
        ({"ansible_host": ["net.addr"]}, "'net.addr' is not an attribute; "),
        ({"ansible_host": ["{net.ip"]}, "'{net.ip' cannot be read at character 8 (the end): a { is not closed"),
        ({"bmc_name": "{node"}, "'{node' cannot be read at character 6 (the end): a { is not closed"),
        ({"bmc_name": "bmc.name"}, "'bmc.name' is not an attribute; "),
    ],
)
def test_what_cannot_be_read_is_an_error(tmp_path: Path, options: dict[str, Any], sentence: str) -> None:
    make_rack(1)
    assert sentence in fails(tmp_path, **options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"node": "rack1"},
            "there is no option 'node'; there are ansible_host, attributes, bmc_hosts, bmc_name, cache",
        ),
        ({"address_attribute": "net.ip"}, "there is no option 'address_attribute'; there are ansible_host"),
        ({"group_by": ["colour"]}, "group_by"),
        ({"on_error": "ignore"}, "on_error"),
        ({"compose": ["x"]}, "compose"),
    ],
)
def test_options_that_cannot_be_right(tmp_path: Path, options: dict[str, Any], sentence: str) -> None:
    make_rack(1)
    assert sentence in fails(tmp_path, **options)


def test_failure_ends_ansible_unless_it_shall_not(tmp_path: Path) -> None:
    make_rack(1)
    source = write(tmp_path, nodes="r9")
    with pytest.raises(SystemExit) as ended:
        read(tmp_path, nodes="r9")
    expected = f"[ERROR]: stage0.metal.nodes: {source}: noderange 'r9': there is no node or group named 'r9'"
    assert str(ended.value.code).startswith(expected)
    with pytest.raises(AnsibleParserError, match=r"^stage0\.metal\.nodes: .*no node or group named 'r9'"):
        plugin().parse(InventoryData(), DataLoader(), write(tmp_path, nodes="r9", on_error="parse_error"))
    with pytest.raises(AnsibleError):
        read(tmp_path, nodes="r9", on_error="parse_error")
    with pytest.raises(AnsibleParserError, match="there is no option 'node'"):
        plugin().parse(InventoryData(), DataLoader(), write(tmp_path, node="r9", on_error="parse_error"))


def test_whatever_fails_ends_ansible(tmp_path: Path) -> None:
    make_rack(1)
    with mock.patch.object(Store, "views", side_effect=RuntimeError("unforeseen")):
        assert fails(tmp_path) == "RuntimeError('unforeseen')"


@pytest.mark.parametrize("text", ["", "[]", "plugin: another.one.nodes\n", "all: {hosts: {a: {}}}\n", "text"])
def test_files_of_others_are_left_to_them(tmp_path: Path, text: str) -> None:
    source = tmp_path / "site.stage0.yml"
    source.write_text(text)
    with pytest.raises(AnsibleParserError, match=r"site\.stage0\.yml is not for stage0\.metal\.nodes"):
        plugin().parse(InventoryData(), DataLoader(), str(source))


@pytest.mark.parametrize(
    ("name", "taken"),
    [("site.stage0.yml", True), ("stage0.yaml", True), ("site.yml", False), ("stage0.ini", False), ("nothing", False)],
)
def test_which_files_it_takes(tmp_path: Path, name: str, taken: bool) -> None:
    if name != "nothing":
        (tmp_path / name).write_text("plugin: stage0.metal.nodes\n")
    assert InventoryModule().verify_file(str(tmp_path / name)) is taken


# -- the cache -----------------------------------------------------------------------------------------------------


def cached(tmp_path: Path, **options: Any) -> InventoryManager:
    return read(tmp_path, cache=True, cache_plugin="jsonfile", cache_connection=str(tmp_path / "cache"), **options)


def kept(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "cache").iterdir()
    return found


def test_a_cache_says_what_the_database_said(tmp_path: Path) -> None:
    make_rack(2, **{"location.room": "a", "location.rack": "{n1}", "site.x": TEMPLATE})
    options = {"hierarchy": True, "bmc_hosts": True, "group_by": ["rack"]}
    first = listing(cached(tmp_path, **options))
    assert first == listing(read(tmp_path, **options))
    assert first[1]["room_a"] == ["r1n01", "r1n02"]
    with mock.patch.object(nodes, "open_database", side_effect=AssertionError("the database was read")):
        assert listing(cached(tmp_path, **options)) == first
    assert PASSWORD not in kept(tmp_path).read_text()


def test_a_refresh_reads_anew(tmp_path: Path) -> None:
    make_rack(1)
    inventory = cached(tmp_path)
    put("node", "r1n01", {"bmc.user": "other"})
    assert variables(cached(tmp_path), "r1n01")["metal_bmc_user"] == "admin"
    inventory.refresh_inventory()
    assert variables(inventory, "r1n01")["metal_bmc_user"] == "other"
    assert variables(cached(tmp_path), "r1n01")["metal_bmc_user"] == "other"


def test_a_cache_made_by_other_options_is_not_used(tmp_path: Path) -> None:
    make_rack(2)
    cached(tmp_path)
    assert sorted(cached(tmp_path, nodes="r1n02").hosts) == ["r1n02"]


@pytest.mark.sqlite
def test_a_cache_of_another_site_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_rack(2)
    cached(tmp_path)
    monkeypatch.setenv("STAGE0_HOME", str(tmp_path / "other"))
    put("node", "n1")
    assert sorted(cached(tmp_path).hosts) == ["n1"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: "{}",
        lambda text: text.replace("made_by", "version"),
    ],
)
def test_a_cache_that_is_broken_or_of_another_version(tmp_path: Path, spoil: Callable[[str], str]) -> None:
    make_rack(1)
    whole = listing(cached(tmp_path))
    path = kept(tmp_path)
    path.write_text(spoil(path.read_text()))
    assert listing(cached(tmp_path)) == whole


def test_a_cache_that_has_no_place(tmp_path: Path) -> None:
    make_rack(1)
    assert "cache" in fails(tmp_path, cache=True, cache_plugin="jsonfile")
