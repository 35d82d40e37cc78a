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
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store, Wish
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


def test_more_nodes_than_go_into_one_query(opened: Store) -> None:
    names = [f"n{number}" for number in range(2 * CHUNK + 1)]
    opened.put("group", "g", Wish({"bmc.user": "admin"}))
    for name in names:
        opened.put("node", name, Wish({"site.x": name}, groups=["g"]))
    views = opened.views(names)
    assert list(views) == names
    assert all((view["site.x"], view["bmc.user"]) == (name, "admin") for name, view in views.items())
    assert opened.expand(["g", "-n[10-1000]"]) == names[:10]


def test_many_are_changed_like_one(opened: Store) -> None:
    names = [f"n{number}" for number in range(1, 2 * CHUNK + 2)]
    changes = opened.put_many("node", {name: Wish({"site.x": "1"}, groups=["g", "h"]) for name in names})
    assert all(change.verb == "added" for change in changes.values())
    assert opened.group_members() == {"g": names, "h": names}
    some = {name: Wish({"site.x": "2"}, unset=["site.y"]) for name in names[:600]}
    changes = opened.put_many("node", {**some, "new": Wish(groups=["h"])})
    assert [changes[name].verb for name in ("n1", "n600", "new")] == ["changed", "changed", "added"]
    again = opened.put_many("node", {name: Wish({"site.x": "1"}) for name in names})
    assert [name for name, change in again.items() if change.changed] == names[:600]
    gone = opened.remove_many("node", [*names, "nobody"])
    assert not gone["nobody"].changed
    assert opened.node_names() == ["new"]
    assert opened.group_members() == {"g": [], "h": ["new"]}


def test_of_many_all_or_none(opened: Store) -> None:
    opened.put("node", "n9", Wish({"net.ip": "10.0.0.9"}))
    wishes = {f"n{number}": Wish({"net.ip": f"10.0.0.{number + 1}"}) for number in range(1, 9)}
    with pytest.raises(MetalError, match=r"^n8: net.ip 10.0.0.9 is already that of node n9$"):
        opened.put_many("node", wishes)
    assert opened.node_names() == ["n9"]
    assert opened.owner_of("net.ip", "10.0.0.2") is None
    with pytest.raises(MetalError, match=r"^n3: net.ip: 'x' is not an IP address; write one as in 10.1.2.3$"):
        opened.put_many("node", {**wishes, "n3": Wish({"net.ip": "x"})})
    assert opened.node_names() == ["n9"]


def test_addresses_may_be_swapped_in_one_step(opened: Store) -> None:
    addresses = {"n1": "10.0.0.1", "n2": "10.0.0.2", "n3": "10.0.0.3"}
    opened.put_many("node", {name: Wish({"net.ip": ip}) for name, ip in addresses.items()})
    opened.put_many("node", {"n1": Wish({"net.ip": "10.0.0.3"}), "n3": Wish({"net.ip": "10.0.0.1"})})
    assert [opened.owner_of("net.ip", f"10.0.0.{n}") for n in (1, 2, 3)] == ["n3", "n2", "n1"]


def test_a_node_gets_another_name_with_all_it_has(opened: Store) -> None:
    opened.put("group", "g", Wish({"custom.number": "{n1}"}))
    opened.put("node", "n1", Wish({"net.ip": "10.0.0.1", "bmc.password": "secret"}, groups=["g"]))
    opened.observe("power", {"n1": "on"})
    change = opened.rename("node", "n1", "r2")
    assert (change.before["name"], change.after["name"]) == ("n1", "r2")
    assert opened.node_names() == ["r2"]
    assert opened.owner_of("net.ip", "10.0.0.1") == "r2"
    assert opened.group_members() == {"g": ["r2"]}
    assert opened.observed("power")["r2"][0] == "on"
    view = opened.views(["r2"])["r2"]
    assert (view["bmc.password"], view["custom.number"]) == ("secret", "2")
    assert told(opened, "r2") == [("node changed", {"name": "n1"}, {"name": "r2"})]
    with pytest.raises(MetalError, match=r"^spare: custom.number '\{n1\}' of group:g: .*has no number"):
        opened.rename("node", "r2", "spare")
    assert opened.node_names() == ["r2"]
    opened.rename("group", "g", "h")
    assert opened.group_members() == {"h": ["r2"]}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("n7", "n8", "there is no node named 'n7' that could be renamed to 'n8'"),
        ("n1", "n2", "'n1' cannot be renamed to 'n2': there is such a node already"),
        ("n1", "g", "'g' cannot be a node: it is a group already, and a noderange could not tell which"),
        ("n1", "N1", "'N1' cannot be the name of a node: use lower-case letters"),
    ],
)
def test_names_that_a_node_cannot_get(opened: Store, old: str, new: str, says: str) -> None:
    opened.put_many("node", {"n1": Wish(groups=["g"]), "n2": Wish()})
    with pytest.raises(MetalError) as caught:
        opened.rename("node", old, new)
    assert str(caught.value).startswith(says)
    assert opened.node_names() == ["n1", "n2"]


# -- expressions ---------------------------------------------------------------------------------------------------


def test_an_expression_is_evaluated_for_each_node(opened: Store) -> None:
    opened.put(
        "group", "g", Wish({"net.ip": "10.1.{n1}.{n2}", "bmc.address": "{net.hostname}-bmc", "bmc.port": "{6000 + n2}"})
    )
    opened.put_many("node", {f"r1n0{n}": Wish({"net.hostname": "{node}"}, groups=["g"]) for n in (1, 2)})
    view = opened.views(["r1n02"])["r1n02"]
    assert (view["net.ip"], view["bmc.address"], view["bmc.port"]) == ("10.1.1.2", "r1n02-bmc", 6002)
    assert view.origin("net.ip") == "group:g"
    assert view.plain()["bmc.port"] == 6002
    assert view.shown()["net.hostname"] == "r1n02"
    assert opened.owner_of("net.ip", "10.1.1.1") == "r1n01"  # the hub finds who asks, whatever made the address
    opened.put("node", "r1n02", Wish({"net.ip": None}))
    assert opened.owner_of("net.ip", "10.1.1.2") is None
    opened.put("group", "g", Wish({"net.ip": "10.2.{n1}.{n2}"}))
    assert opened.owner_of("net.ip", "10.1.1.1") is None
    assert opened.owner_of("net.ip", "10.2.1.1") == "r1n01"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"net.ip": "10.1.{n1}.{n2}"}, "n1: net.ip '10.1.{n1}.{n2}' of group:g: "),
        (
            {"net.ip": "10.1.0.{n1 * 300}"},
            "n1: net.ip '10.1.0.{n1 * 300}' of group:g: '10.1.0.300' is not an IP address",
        ),
        ({"bmc.address": "{location.rack}-bmc"}, "n1: bmc.address '{location.rack}-bmc' of group:g: "),
        (
            {"site.a": "{site.b}", "site.b": "{site.a}"},
            "n1: expressions refer to each other in a circle: site.a -> site.b -> site.a",
        ),
        ({"net.ip": "10.0.0.1"}, "n2: net.ip 10.0.0.1 is already that of node n1"),
        ({"site.a": "{bmc.password}"}, "g: site.a: bmc.password is a secret, which no expression may show"),
        (
            {"deploy.lock": "lock-{n1}"},
            "n1: deploy.lock 'lock-{n1}' of group:g: 'lock-1' is not one of unlocked, locked",
        ),
    ],
)
def test_what_cannot_be_evaluated_for_a_node_is_refused(opened: Store, values: dict[str, str], says: str) -> None:
    opened.put_many("node", {name: Wish(groups=["g"]) for name in ("n1", "n2")})
    with pytest.raises(MetalError) as caught:
        opened.put("group", "g", Wish(dict(values)))
    assert str(caught.value).startswith(says)
    assert opened.document("group", "g")["values"] == {}


def test_a_node_that_does_not_fit_into_a_group_is_refused(opened: Store) -> None:
    opened.put("group", "g", Wish({"net.ip": "10.1.{n1}.{n2}"}))
    with pytest.raises(MetalError, match=r"^spare: net.ip '10.1.\{n1\}.\{n2\}' of group:g: needs n1, but"):
        opened.put("node", "spare", Wish(groups=["g"]))
    assert opened.node_names() == []


def test_what_other_values_need_cannot_be_taken_away(opened: Store) -> None:
    opened.put("group", "racks", Wish({"location.rack": "7"}))
    opened.put("group", "g", Wish({"bmc.address": "{location.rack}-{node}"}))
    opened.put("node", "n1", Wish(groups=["g", "racks"]))
    needs = r"^n1: bmc.address '\{location.rack\}-\{node\}' of group:g: .*location.rack"
    with pytest.raises(MetalError, match=needs):
        opened.remove("group", "racks")
    with pytest.raises(MetalError, match=needs):
        opened.put("node", "n1", Wish({"location.rack": None}))
    assert opened.views(["n1"])["n1"]["bmc.address"] == "7-n1"


def test_changes_that_belong_together_are_judged_together(opened: Store) -> None:
    opened.put("node", "n1", Wish(groups=["g"]))
    with opened.together():
        opened.put("group", "g", Wish({"bmc.address": "{location.rack}-bmc"}))
        opened.put("node", "n1", Wish({"location.rack": "a"}))
    assert opened.views(["n1"])["n1"]["bmc.address"] == "a-bmc"
    with pytest.raises(MetalError, match=r"^n1: bmc.address"), opened.together():
        opened.put("node", "n1", Wish(unset=["location.rack"]))


def test_braces_in_a_secret_are_nothing_special(opened: Store) -> None:
    opened.put("node", "n1", Wish({"bmc.password": "{n9}"}))
    assert opened.views(["n1"])["n1"]["bmc.password"] == "{n9}"


# -- noderanges over the database ----------------------------------------------------------------------------------


def test_tests_of_attributes_see_effective_values(opened: Store) -> None:
    opened.put("group", "a", Wish({"location.rack": "1", "net.dns": ["10.0.0.1", "10.0.0.2"]}))
    opened.put("group", "b", Wish({"location.rack": "2", "bmc.user": "{node}-admin", "net.gateway": None}))
    opened.put("group", "c", Wish({"net.gateway": "10.0.0.254"}))
    opened.put("node", "n1", Wish({"bmc.port": 6230}, groups=["a", "b"]))
    opened.put("node", "n2", Wish({"site.x": 'say "location.rack":"1"'}, groups=["b", "a", "c"]))
    opened.put("node", "n3", Wish({"location.rack": "{n1 - 2}"}, groups=["c"]))
    opened.put("node", "n4", Wish({"location.rack": None, "site.x": "{{x}}"}, groups=["a"]))
    expected = {
        "location.rack==1": ["n1", "n3"],
        "location.rack==2": ["n2"],
        "location.rack!=1": ["n2", "n4"],
        "location.rack=~[12]": ["n1", "n2", "n3"],
        "location.rack!~[12]": ["n4"],
        "bmc.user==n2-admin": ["n2"],
        "bmc.port==623": ["n2", "n3", "n4"],
        "bmc.port==6230": ["n1"],
        "net.gateway==10.0.0.254": ["n3"],
        "net.dns=~.*10.0.0.2": ["n1", "n2", "n4"],
        'site.x=="{x}"': ["n4"],
        "boot.firmware==uefi,-n1": ["n2", "n3", "n4"],
        "all,-b": ["n3", "n4"],
        "(a,c)@location.rack==1": ["n1", "n3"],
    }
    assert {text: opened.expand(text) for text in expected} == expected


def test_a_noderange_sees_what_was_just_written(opened: Store) -> None:
    opened.put("node", "n1", Wish())
    assert opened.expand("all") == ["n1"]
    opened.put("node", "n2", Wish())
    assert opened.expand("all") == ["n1", "n2"]
    opened.remove("node", "n1")
    assert opened.expand("all") == ["n2"]
