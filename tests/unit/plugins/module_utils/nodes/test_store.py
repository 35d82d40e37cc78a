# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The store: inheritance with origin, groups, removal, events, and more nodes than go into one query."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.reading import CHUNK
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Change, Store, Wish
from ansible_collections.stage0.metal.tests.unit.support import store


@pytest.fixture
def opened(home: object) -> Iterator[Store]:
    with store("tester") as one:
        yield one


def told(opened: Store, subject: str) -> list[tuple[str, object, object]]:
    table = opened.t.events
    rows = (
        opened.connection.execute(table.select().where(table.c.subject == subject).order_by(table.c.id))
        .mappings()
        .all()
    )
    assert {row["who"] for row in rows} == {"tester"}
    return [(row["what"], json.loads(row["before"]), json.loads(row["after"])) for row in rows]


def test_the_first_group_that_has_a_value_lends_it(opened: Store) -> None:
    opened.put("group", "a", Wish({"bmc.user": "of-a", "net.gateway": None, "bmc.password": "secret-of-a"}))
    opened.put("group", "b", Wish({"bmc.user": "of-b", "net.gateway": "10.0.0.1", "site.x": "of-b"}))
    opened.put("node", "n1", Wish({"site.y": "own"}, groups=["a", "b"]))
    view = opened.views(["n1"])["n1"]
    assert (view["bmc.user"], view["net.gateway"], view["site.x"], view["site.y"]) == ("of-a", None, "of-b", "own")
    assert view["bmc.password"] == "secret-of-a"
    assert (view["bmc.port"], view["net.ip"], view["site.z"]) == (623, None, None)
    assert view.shown()["bmc.password"] == "********"
    origins = view.origins()
    asked = ("bmc.user", "net.gateway", "site.x", "site.y", "bmc.port")
    assert [origins[key] for key in asked] == ["group:a", "group:a", "group:b", "node", "default"]
    opened.put("node", "n1", Wish(groups=["b", "a"]))
    view = opened.views(["n1"])["n1"]
    assert (view["bmc.user"], view["net.gateway"]) == ("of-b", "10.0.0.1")


def test_null_blanks_and_unset_inherits_again(opened: Store) -> None:
    opened.put("group", "a", Wish({"net.dns": ["10.0.0.1"], "bmc.password": "secret"}))
    opened.put("node", "n1", Wish({"net.dns": None, "bmc.password": None, "bmc.port": None}, groups=["a"]))
    view = opened.views(["n1"])["n1"]
    assert (view["net.dns"], view["bmc.password"], view["bmc.port"]) == (None, None, None)
    assert view.shown()["bmc.password"] is None
    with pytest.raises(MetalError, match=r"^n1: attribute net.dns is not set, but it is needed$") as caught:
        view.need("net.dns", "it is needed")
    assert caught.value.code is ErrorCode.MISSING
    opened.put("node", "n1", Wish(unset=["net.dns", "bmc.password", "bmc.port"]))
    view = opened.views(["n1"])["n1"]
    assert (view["net.dns"], view["bmc.password"], view["bmc.port"]) == (["10.0.0.1"], "secret", 623)


def test_every_change_is_an_event_with_both_sides(opened: Store) -> None:
    opened.put("node", "n1", Wish({"bmc.password": "secret-1", "bmc.port": 1}))
    opened.put("node", "n1", Wish({"bmc.port": "1"}))  # no change, no event
    opened.put("node", "n1", Wish({"bmc.password": "secret-2"}, unset=["bmc.port", "net.ip"]))
    opened.put("node", "n1", Wish({"bmc.password": "secret-3"}))
    opened.remove("node", "n1")
    opened.remove("node", "n1")
    mask, renewed = "********", "******** (changed)"
    assert told(opened, "n1") == [
        ("node added", {}, {"name": "n1", "groups": [], "bmc.password": mask, "bmc.port": 1}),
        ("node changed", {"bmc.password": mask, "bmc.port": 1}, {"bmc.password": renewed}),
        ("node changed", {"bmc.password": mask}, {"bmc.password": renewed}),
        ("node removed", {"name": "n1", "groups": [], "bmc.password": mask}, {}),
    ]


def test_unique_values_belong_to_one_node_but_null_to_many(opened: Store) -> None:
    opened.put("node", "n1", Wish({"net.mac": "52:54:00:00:00:01", "net.ip": None}))
    opened.put("node", "n2", Wish({"net.ip": None, "system.serial": "same"}))
    opened.put("node", "n3", Wish({"system.serial": "same"}))
    with pytest.raises(MetalError, match=r"^n2: net.mac 52:54:00:00:00:01 is already that of node n1$"):
        opened.put("node", "n2", Wish({"net.mac": "525400000001"}))
    assert opened.owner_of("net.mac", "52:54:00:00:00:01") == "n1"
    opened.remove("node", "n1")
    assert opened.put("node", "n2", Wish({"net.mac": "52:54:00:00:00:01"})).changed


def test_groups_are_made_ordered_and_removed(opened: Store) -> None:
    opened.put("node", "n1", Wish(groups=["b", "a", "b"]))
    assert opened.document("node", "n1")["groups"] == ["b", "a"]
    assert not opened.put("node", "n1", Wish(groups=["b", "a", "b"])).changed
    assert not opened.put("node", "n1", Wish()).changed
    assert opened.group_members() == {"a": ["n1"], "b": ["n1"]}
    opened.put("group", "b", Wish({"bmc.port": 1}))
    opened.remove("group", "b")
    assert opened.document("node", "n1")["groups"] == ["a"]
    assert opened.put("group", "b", Wish()).after == {"name": "b", "values": {}}
    assert opened.put("node", "n1", Wish(groups=[])).after["groups"] == []
    opened.remove("node", "n1")
    assert opened.group_members() == {"a": [], "b": []}


def test_a_change_of_nothing() -> None:
    assert not Change({}, {}).changed
    assert Change({}, {"name": "n"}).changed


def test_more_nodes_than_go_into_one_query(opened: Store) -> None:
    names = [f"n{number}" for number in range(2 * CHUNK + 1)]
    opened.put("group", "g", Wish({"bmc.user": "admin"}))
    for name in names:
        opened.put("node", name, Wish({"site.x": name}, groups=["g"]))
    views = opened.views(names)
    assert list(views) == names
    assert all((view["site.x"], view["bmc.user"]) == (name, "admin") for name, view in views.items())
    assert opened.expand(["g", "-n[10-1000]"]) == names[:10]
