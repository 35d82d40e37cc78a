# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory plugin as people and AWX run it: ansible-inventory and ansible-playbook, over both kinds of database."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store, Wish
from ansible_collections.stage0.metal.plugins.module_utils._nodes.tables import tables

from tests.integration.site import Site, recap
from tests.postgresql import Cluster

PASSWORD = "correct-horse-7"
NAMES = ["r1n01", "r1n02", "r2n01"]
NOWHERE = "postgresql://stage0@127.0.0.1:1/stage0?connect_timeout=2"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """A site without a hub, with three nodes in two racks, over either kind of database."""
    site = Site(tmp_path)
    site.environment["STAGE0_DATABASE"] = (
        f"sqlite:///{site.home}/metal.db"
        if request.param == "sqlite"
        else request.getfixturevalue("cluster").empty("inventory")
    )
    fill(site)
    return site


def fill(site: Site) -> None:
    ring = Keyring(site.home / "secret.key")
    with closing(open_database(site.environment["STAGE0_DATABASE"])) as opened, opened.write() as connection:
        store = Store(connection, ring, "test")
        shared = {"bmc.password": PASSWORD, "bmc.address": "10.2.{n1}.{n2}", "site.plain": "{{{{ 6 * 7 }}}}"}
        for rack in ("rack1", "rack2"):
            store.put("group", rack, Wish({**shared, "location.room": "a", "location.rack": rack[-1]}))
        for name in NAMES:
            store.put("node", name, Wish({"net.ip": "10.1.{n1}.{n2}"}, groups=[f"rack{name[1]}"]))


def source(site: Site, **options: Any) -> str:
    """Write a source of the plugin; returns its path."""
    path = site.folder / "site.stage0.yml"
    path.write_text(yaml.safe_dump({"plugin": "stage0.metal.nodes", **options}))
    return str(path)


def run(site: Site, program: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's programs; ``more`` are environment variables."""
    command = [str(Path(sys.executable).parent / program), *arguments]
    environment = {**site.environment, **more}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def listed(site: Site, *arguments: str, **more: str) -> dict[str, Any]:
    """Return what ansible-inventory --list prints, values that are no templates as plain text."""
    done = run(site, "ansible-inventory", "--list", *arguments, **more)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    found: dict[str, Any] = json.loads(done.stdout, object_hook=_plain)
    return found


def _plain(found: dict[str, Any]) -> Any:
    return found["__ansible_unsafe"] if found.keys() == {"__ansible_unsafe"} else found


def play(site: Site, *plays: dict[str, Any]) -> str:
    """Write a playbook; returns its path."""
    path = site.folder / "play.yml"
    path.write_text(yaml.safe_dump([{"gather_facts": False, "connection": "local", **one} for one in plays]))
    return str(path)


# -- what people see -----------------------------------------------------------------------------------------------


def test_list_graph_export_and_limit(place: Site) -> None:
    inventory = source(place, hierarchy=True, bmc_hosts=True)
    found = listed(place, "-i", inventory)
    variables = found["_meta"]["hostvars"]
    assert sorted(variables) == ["r1n01", "r1n01-bmc", "r1n02", "r1n02-bmc", "r2n01", "r2n01-bmc"]
    expected = {"ansible_host": "10.1.1.2", "metal_net_ip": "10.1.1.2", "metal_bmc_address": "10.2.1.2"}
    assert expected.items() <= variables["r1n02"].items()
    assert variables["r1n02"]["metal_site_plain"] == "{{ 6 * 7 }}"
    assert found["rack1"]["hosts"] == ["r1n01", "r1n02"]
    assert found["room_a"]["children"] == ["room_a_rack_1", "room_a_rack_2"]
    assert PASSWORD not in json.dumps(found)
    assert listed(place, "-i", inventory, "--export") == found
    assert sorted(listed(place, "-i", inventory, "--limit", "rack2")["_meta"]["hostvars"]) == ["r2n01"]
    graph = run(place, "ansible-inventory", "--graph", "room_a", "-i", inventory)
    assert graph.stdout.split() == [
        *("@room_a:", "|--@room_a_rack_1:", "|", "|--r1n01", "|", "|--r1n02"),
        *("|--@room_a_rack_2:", "|", "|--r2n01"),
    ]
    host = run(place, "ansible-inventory", "--host", "r1n01-bmc", "-i", inventory)
    assert json.loads(host.stdout)["metal_node"] == "r1n01"


def test_a_play_over_the_hosts(place: Site) -> None:
    that = [
        "metal_bmc_address == '10.2.' ~ metal_location_rack ~ '.' ~ (inventory_hostname[-2:] | int)",
        "ansible_host == metal_net_ip",
        "metal_site_plain == '{' ~ '{ 6 * 7 }' ~ '}'",
        "metal_bmc_password is undefined",
        "group_names == ['rack' ~ metal_location_rack, 'rack_' ~ metal_location_rack]",
    ]
    path = play(place, {"hosts": "rack_1:rack_2", "tasks": [{"ansible.builtin.assert": {"that": that}}]})
    done = run(place, "ansible-playbook", path, "-i", source(place, group_by=["rack"]))
    assert done.returncode == 0, done.stdout + done.stderr
    assert recap(done.stdout).keys() == set(NAMES)
    done = run(place, "ansible-playbook", path, "-i", source(place, group_by=["rack"]), "--limit", "rack2")
    assert recap(done.stdout).keys() == {"r2n01"}


def test_beside_other_sources(place: Site) -> None:
    source(place, nodes="rack1")
    (place.folder / "hosts.yml").write_text("all: {hosts: {r1n01: {mine: 1}, other: {mine: 2}}}\n")
    found = listed(place, "-i", str(place.folder / "hosts.yml"), "-i", str(place.folder / "site.stage0.yml"))
    assert sorted(found["_meta"]["hostvars"]) == ["other", "r1n01", "r1n02"]
    assert found["_meta"]["hostvars"]["r1n01"]["mine"] == 1


def test_an_inventory_that_is_read_again(place: Site) -> None:
    add = {"stage0.metal.node": {"name": "r9n01", "attributes": {"net.ip": "10.1.9.1"}}, "delegate_to": "localhost"}
    that = ["'r9n01' in groups.all", "hostvars.r9n01.ansible_host == '10.1.9.1'"]
    path = play(
        place,
        {"hosts": "r1n01", "tasks": [add, {"ansible.builtin.meta": "refresh_inventory"}]},
        {"hosts": "r9n01", "tasks": [{"ansible.builtin.assert": {"that": that}}]},
    )
    done = run(place, "ansible-playbook", path, "-i", source(place))
    assert done.returncode == 0, done.stdout + done.stderr
    assert recap(done.stdout)["r9n01"]["ok"] == 1


def test_as_awx_runs_it(place: Site) -> None:
    awx = {
        "STAGE0_DATABASE": place.environment["STAGE0_DATABASE"],
        "STAGE0_SECRET_KEY": (place.home / "secret.key").read_text().strip(),
        "STAGE0_HOME": "/proc/nowhere",
        "HOME": "/proc/nowhere",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
    }
    inventory = source(place, secrets=["bmc.password"], group_by=["rack"])
    found = listed(place, "-i", inventory, "--export", **awx)
    assert found["_meta"]["hostvars"]["r2n01"]["metal_bmc_password"] == PASSWORD
    assert found["rack_2"]["hosts"] == ["r2n01"]
    awx["STAGE0_SECRET_KEY"] = "A" * 43 + "="
    done = run(place, "ansible-inventory", "--list", "--export", "-i", inventory, **awx)
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be decrypted with the keys of STAGE0_SECRET_KEY" in done.stderr


def test_a_cache_is_enough(place: Site) -> None:
    cache = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(place.folder / "cache")}
    inventory = source(place, hierarchy=True, bmc_hosts=True, **cache)
    first = listed(place, "-i", inventory)
    (kept,) = (place.folder / "cache").iterdir()
    assert PASSWORD not in kept.read_text()
    assert listed(place, "-i", inventory, STAGE0_HOME="/proc/nowhere") == first
    path = play(place, {"hosts": "all", "tasks": []})
    done = run(place, "ansible-playbook", path, "-i", inventory, "--flush-cache", STAGE0_DATABASE=NOWHERE)
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr


# -- what goes wrong -----------------------------------------------------------------------------------------------


def refused(site: Site, *arguments: str, **more: str) -> str:
    """Run an inventory and a play that must not run; returns what both say."""
    path = play(site, {"hosts": "all,localhost", "tasks": [{"ansible.builtin.debug": {"msg": "it ran"}}]})
    shown = run(site, "ansible-inventory", "--list", *arguments, **more)
    played = run(site, "ansible-playbook", path, *arguments, **more)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert (played.returncode, "PLAY" in played.stdout, "it ran" in played.stdout) == (1, False, False)
    assert shown.stderr == played.stderr
    assert "Traceback" not in shown.stderr
    return shown.stderr


def test_a_database_that_cannot_be_read_runs_no_play(tmp_path: Path, cluster: Cluster) -> None:
    site = Site(tmp_path)
    inventory = source(site)
    begins = f"[ERROR]: stage0.metal.nodes: {inventory}: "
    said = refused(site, "-i", inventory)
    assert (
        said.strip() == f"{begins}there is no node database {site.home}/metal.db; see STAGE0_HOME and STAGE0_DATABASE"
    )
    assert "127.0.0.1:1" in refused(site, "-i", inventory, STAGE0_DATABASE=NOWHERE)
    for url in (f"sqlite:///{site.home}/metal.db", cluster.empty("inventory_newer")):
        site.environment["STAGE0_DATABASE"] = url
        fill(site)
        with closing(open_database(url)) as opened, opened.write() as connection:
            connection.execute(tables().meta.update().values(value="99"))
        said = refused(site, "-i", inventory)
        assert said.startswith(begins)
        assert "has schema version 99, this collection knows " in said


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"node": "rack1"}, "there is no option 'node'; there are ansible_host, "),
        ({"nodes": "rack9"}, "noderange 'rack9': there is no node or group named 'rack9'"),
        ({"group_by": ["colour"]}, "group_by"),
        ({"secrets": ["bmc.password"], "cache": True}, "none may lie in a cache"),
    ],
)
def test_options_that_cannot_be_right_run_no_play(tmp_path: Path, options: dict[str, Any], sentence: str) -> None:
    site = Site(tmp_path)
    site.environment["STAGE0_DATABASE"] = f"sqlite:///{site.home}/metal.db"
    fill(site)
    assert sentence in refused(site, "-i", source(site, **options))


def test_ansible_decides_if_it_shall(tmp_path: Path) -> None:
    site = Site(tmp_path)
    inventory = source(site, on_error="parse_error")
    path = play(site, {"hosts": "localhost", "tasks": [{"ansible.builtin.debug": {"msg": "it ran"}}]})
    done = run(site, "ansible-playbook", path, "-i", inventory)
    assert (done.returncode, "it ran" in done.stdout) == (0, True)
    assert "there is no node database" in " ".join(done.stderr.split())
    done = run(site, "ansible-playbook", path, "-i", inventory, ANSIBLE_INVENTORY_UNPARSED_FAILED="true")
    assert done.returncode != 0
    assert "it ran" not in done.stdout


def test_what_ansible_meets_before_the_plugin(tmp_path: Path) -> None:
    site = Site(tmp_path)
    inventory = source(site)
    Path(inventory).write_text("plugin: stage0.metal.nodes\nnodes: [rack1\n")
    more = {"ANSIBLE_INVENTORY_UNPARSED_FAILED": "true"}
    assert run(site, "ansible-inventory", "--list", "-i", inventory).returncode == 0
    assert run(site, "ansible-inventory", "--list", "-i", inventory, **more).returncode != 0
