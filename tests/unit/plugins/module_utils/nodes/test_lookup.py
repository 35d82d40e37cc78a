# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a noderange asks of the database: the same answers as in memory, for any site."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes import lookup as lookups
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import Database, open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.lookup import Lookup
from ansible_collections.stage0.metal.plugins.module_utils._nodes.names import natural
from ansible_collections.stage0.metal.plugins.module_utils._nodes.noderange import Plain, select
from ansible_collections.stage0.metal.plugins.module_utils._nodes.noderange import Test as Question
from ansible_collections.stage0.metal.plugins.module_utils._nodes.schema import attribute
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store, Wish
from hypothesis import given
from hypothesis import strategies as st

NODES = ["n1", "n2", "n10", "n01", "r1u2", "r10u1", "a-b.c_d2"]
GROUPS = ["g1", "g2", "g10", "empty"]

ODD = [
    "plain",
    'a "quoted" one',
    "back\\slash",
    "é 漢",
    "null",
    "true",
    "7",
    "*",
    "[a]",
    "?",
    '":"',
    "site.a",
    "{{braces}}",
    "{{",
    "}}x",
]
COMPUTED = ["{node}", "{n1}", "7{n1 - n1}", "{site.b}", "{{{n1}}}", 'x"{n1}"']
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "site.a": st.none() | st.sampled_from([*ODD, *COMPUTED]),
    "site.ab": st.none() | st.sampled_from(ODD),
    "custom.site.a": st.none() | st.sampled_from(ODD),
    "bmc.port": st.none() | st.sampled_from([7, 70, 623, "{600 + n1}"]),
    "net.dns": st.none() | st.sampled_from([[], ["10.0.0.1"], ["10.0.0.1", "10.0.0.2"], "10.0.0.{n1}"]),
    "deploy.lock": st.none() | st.sampled_from(["locked", "unlocked"]),
    "net.gateway": st.none() | st.sampled_from(["10.0.0.1", "10.0.0.10", "10.0.0.{n1}"]),
}
OWN = st.fixed_dictionaries({}, optional=dict(VALUES))
SITE = st.fixed_dictionaries(
    {
        "groups": st.fixed_dictionaries(dict.fromkeys(GROUPS, OWN)),
        "nodes": st.dictionaries(
            st.sampled_from(NODES), st.tuples(OWN, st.lists(st.sampled_from(GROUPS[:3]), unique=True)), min_size=1
        ),
    }
)
EQUAL = {
    "site.a": [
        "plain",
        'a "quoted" one',
        "back\\slash",
        "é 漢",
        "null",
        "7",
        "*",
        '":"',
        "braces",
        "{braces}",
        "{",
        "}x",
        "n1",
        "1",
        "70",
        'x"1"',
    ],
    "site.ab": ["plain", "true", "?", "[a]", "site.a"],
    "custom.site.a": ["plain", "back\\slash"],
    "bmc.port": ["7", "70", "623", "601"],
    "net.dns": ["10.0.0.1", "10.0.0.1,10.0.0.2"],
    "deploy.lock": ["locked", "unlocked", "auto"],
    "net.gateway": ["10.0.0.1", "10.0.0.10"],
}
MATCH = [".*", ".+", "p.*", "7.*", "10[.].*", "[lu].*ed", "n.*", '.*".*', "", "(?i)PLAIN"]
ASKED = st.sampled_from(sorted(EQUAL)).flatmap(
    lambda name: st.tuples(
        st.just(name),
        st.tuples(st.sampled_from(["==", "!="]), st.sampled_from(EQUAL[name]))
        | st.tuples(st.sampled_from(["=~", "!~"]), st.sampled_from(MATCH)),
    )
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """An empty database; who writes into it takes it back."""
    url = f"sqlite:///{tmp_path_factory.mktemp('lookup')}/metal.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("cluster").empty(f"lookup_{os.getpid()}")
    with closing(open_database(url)) as opened:
        yield opened


def fill(store: Store, site: dict[str, Any]) -> Plain:
    """Put a site into the database, without those nodes that it cannot have; returns the same in memory."""
    store.put_many("group", {name: Wish(values) for name, values in site["groups"].items()})
    for name, (values, groups) in site["nodes"].items():
        with suppress(MetalError):
            store.put("node", name, Wish({"site.b": "of b", **values}, groups=groups))
    names = store.node_names()
    views = store.views(names)
    members: dict[str, list[str]] = {group: [] for group in GROUPS}
    for name, view in views.items():
        for group in view.groups:
            members[group].append(name)
    return Plain(names, members, {name: {key: view[key] for key in view.names()} for name, view in views.items()})


def compare(database: Database, site: dict[str, Any], asked: list[tuple[str, tuple[str, str]]]) -> None:
    """Ask the database and the memory the same."""
    with database.write(keep=False) as connection:
        store = Store(connection, Keyring(), "test")
        plain, lookup = fill(store, site), Lookup(store)
        assert list(lookup.everyone()) == list(plain.everyone())
        assert lookup.known([*NODES, *GROUPS, "nobody"]) == plain.known([*NODES, *GROUPS, "nobody"])
        for group in [*GROUPS, "nobody"]:
            found, wanted = lookup.members(group), plain.members(group)
            assert (found is None, set(found or ())) == (wanted is None, set(wanted or ()))
        assert lookup.ordered(set(plain.everyone())) == list(plain.everyone())
        for name, (operator, value) in asked:
            test = Question(operator, value)
            assert set(lookup.having(name, test)) == set(plain.having(name, test)), (name, operator, value)
            if value:
                quoted = value.replace("'", "''")
                text = f"{name}{operator}'{quoted}'"
                if operator in ("=~", "!~") or _fits(name, value):
                    assert select(text, lookup) == select(text, plain), text


def _fits(name: str, value: str) -> bool:
    try:
        attribute(name).check_value(value)
    except MetalError:
        return False
    return True


@given(site=SITE, asked=st.lists(ASKED, min_size=1, max_size=8))
def test_the_database_answers_as_memory_does(
    database: Database, site: dict[str, Any], asked: list[tuple[str, tuple[str, str]]]
) -> None:
    compare(database, site, asked)


def test_every_test_of_every_value(database: Database) -> None:
    """All values at once, each asked for by each test: what chance may leave out."""
    everything = [
        (name, (operator, value)) for name, values in EQUAL.items() for operator in ("==", "!=") for value in values
    ] + [(name, (operator, value)) for name in EQUAL for operator in ("=~", "!~") for value in MATCH]
    texts = [*ODD, *COMPUTED, None]
    nodes = {
        f"n{number}": ({"site.a": text, "site.ab": text}, ["g1", "g2"][number % 2 :])
        for number, text in enumerate(texts)
    }
    nodes |= {f"p{number}": ({}, ["g2", "g1"]) for number in range(3)}
    groups: dict[str, Any] = {key: {} for key in GROUPS} | {
        "g1": {"site.a": "{node}", "deploy.lock": "locked", "net.dns": None, "bmc.port": 7},
        "g2": {"site.a": "plain", "net.dns": ["10.0.0.1"], "bmc.port": "{600 + n1}", "net.gateway": "10.0.0.{n1}"},
    }
    compare(database, {"groups": groups, "nodes": nodes}, everything)


def test_an_empty_list_is_no_value(database: Database) -> None:
    """Whether it is the default, a group's or the node's own; null is none either."""
    own: dict[str, Any] = {"n1": {}, "n2": {"net.dns": []}, "n3": {"net.dns": None}, "n4": {"net.dns": ["10.0.0.1"]}}
    with database.write(keep=False) as connection:
        store = Store(connection, Keyring(), "test")
        store.put_many("group", {"with": Wish({"net.dns": ["10.0.0.1"]}), "none": Wish({"net.dns": []})})
        store.put_many("node", {name: Wish(values) for name, values in own.items()})
        store.put_many("node", {"n5": Wish(groups=["with"]), "n6": Wish(groups=["none", "with"])})
        assert store.expand("net.dns!~.*") == ["n1", "n2", "n3", "n6"]
        assert store.expand("net.dns=~.*") == ["n4", "n5"]
        assert store.expand("net.dns!=10.0.0.1") == ["n1", "n2", "n3", "n6"]


def test_more_nodes_than_go_into_one_question(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "CHUNK", 3)
    names = [f"n{number}" for number in range(50)]
    with database.write(keep=False) as connection:
        store = Store(connection, Keyring(), "test")
        store.put_many(
            "node", {name: Wish({"site.a": "even" if number % 2 else "odd"}) for number, name in enumerate(names)}
        )
        lookup = Lookup(store)
        assert lookup.known([*names, "nobody"]) == set(names)
        assert lookup.ordered(set(names)) == sorted(names, key=natural)
        assert lookup.having("site.a", Question("==", "even")) == set(names[1::2])
