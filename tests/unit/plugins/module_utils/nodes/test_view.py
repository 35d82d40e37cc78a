# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A node's effective values: expressions and their order, depth and circles, origins, secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.schema import DEFAULTS
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.view import DEEPEST, Inherited, View, expressions_in
from hypothesis import given
from hypothesis import strategies as st


def view(own: Mapping[str, Any], *groups: Mapping[str, Any], name: str = "r1n02") -> View:
    """Return the view of a node with groups g0, g1 ..."""
    of_groups = {f"g{number}": values for number, values in enumerate(groups)}
    return View(name, own, Inherited(list(of_groups), of_groups), Keyring())


def test_an_inherited_expression_is_evaluated_for_the_node() -> None:
    found = view({"location.rack": "r{n1}"}, {"bmc.address": "{location.rack}-{n2:03d}", "bmc.port": "{623 + n1}"})
    assert (found["bmc.address"], found["bmc.port"], found["location.rack"]) == ("r1-002", 624, "r1")
    assert (found.origin("bmc.address"), found.origin("location.rack"), found.origin("net.ip")) == (
        "group:g0",
        "node",
        None,
    )
    assert found.stored("bmc.address") == "{location.rack}-{n2:03d}"
    assert found.expressions() == ["bmc.address", "bmc.port", "location.rack"]


def test_an_own_value_hides_an_inherited_expression() -> None:
    found = view({"net.ip": None, "site.x": "plain"}, {"net.ip": "10.0.0.{n1}", "site.x": "{n9}"})
    assert (found["net.ip"], found["site.x"], found.expressions()) == (None, "plain", [])


def test_values_keep_the_type_of_their_attribute() -> None:
    found = view(
        {
            "net.dns": "10.0.0.{n1}, 10.0.0.{n2}",
            "bmc.port": "{600 + n2}",
            "site.port": "{600 + n2}",
            "net.mac": "52540000000{n2}",
        }
    )
    assert found["net.dns"] == ["10.0.0.1", "10.0.0.2"]
    assert (found["bmc.port"], found["site.port"], found["net.mac"]) == (602, "602", "52:54:00:00:00:02")


FAILS = [
    (
        {"net.ip": "10.0.0.{n3}"},
        ErrorCode.MISSING,
        "net.ip",
        "net.ip '10.0.0.{n3}': needs n3, but the name r1n02 has 2 numbers only",
    ),
    (
        {"net.ip": "10.0.{n1 * 300}.1"},
        ErrorCode.INVALID,
        "net.ip",
        "net.ip '10.0.{n1 * 300}.1': '10.0.300.1' is not an IP address",
    ),
    ({"bmc.port": "{n1 - n1}"}, ErrorCode.INVALID, "bmc.port", "bmc.port '{n1 - n1}': 0 is not a port"),
    (
        {"deploy.lock": "{node}"},
        ErrorCode.INVALID,
        "deploy.lock",
        "deploy.lock '{node}': 'r1n02' is not one of unlocked, ",
    ),
    ({"site.x": "{site.y}"}, ErrorCode.MISSING, "site.x", "site.x '{site.y}': "),
    ({"site.x": "{site.y}", "site.y": None}, ErrorCode.MISSING, "site.x", "site.x '{site.y}': "),
    ({"site.x": "{site.y}", "site.y": "{n7}"}, ErrorCode.MISSING, "site.x", "site.y '{n7}': "),
    ({"site.x": "{location.u + 1}", "location.u": "top"}, ErrorCode.INVALID, "site.x", "site.x '{location.u + 1}': "),
    ({"site.x": "{n1 // (n1 - 1)}"}, ErrorCode.INVALID, "site.x", "site.x '{n1 // (n1 - 1)}': "),
]


@pytest.mark.parametrize(("own", "code", "asked", "says"), FAILS)
def test_a_value_that_cannot_be_is_named_with_node_and_attribute(
    own: dict[str, Any], code: ErrorCode, asked: str, says: str
) -> None:
    with pytest.raises(MetalError) as caught:
        view(own)[asked]
    assert (caught.value.node, caught.value.code) == ("r1n02", code)
    assert caught.value.message.startswith(says)
    assert "\n" not in str(caught.value)


def test_the_group_is_named_that_lent_the_expression() -> None:
    with pytest.raises(MetalError, match=r"^r1n02: site.x '\{n7\}' of group:g1: needs n7"):
        view({}, {}, {"site.x": "{n7}"})["site.x"]


def test_a_circle_is_shown_from_where_it_begins() -> None:
    found = view({"site.a": "{site.b}", "site.b": "{site.c}"}, {"site.c": "{site.b}"})
    with pytest.raises(
        MetalError, match=r"^r1n02: expressions refer to each other in a circle: site.b -> site.c -> site.b$"
    ):
        found["site.a"]
    with pytest.raises(MetalError, match=r"in a circle: site.c -> site.b -> site.c$"):
        found["site.c"]


def chain(length: int) -> dict[str, str]:
    """Return ``length`` expressions in a row, and the value at their end."""
    return {f"site.a{n:03}": f"{{site.a{n + 1:03}}}" for n in range(length)} | {f"site.a{length:03}": "end"}


@given(order=st.permutations(range(DEEPEST + 1)))
def test_how_deep_is_too_deep_does_not_depend_on_what_is_asked_first(order: list[int]) -> None:
    long_enough, too_long = view(chain(DEEPEST)), view(chain(DEEPEST + 1))
    failed = set()
    for number in order:
        assert long_enough[f"site.a{number:03}"] == "end"
        try:
            too_long[f"site.a{number:03}"]
        except MetalError as exc:
            failed.add((number, exc.code, "more than 50 expressions refer to each other in a row" in exc.message))
    assert failed == {(0, ErrorCode.INVALID, True)}


def test_text_that_doubles_is_stopped() -> None:
    doubling = {f"site.a{n}": f"{{site.a{n + 1}}}" * 2 for n in range(40)} | {"site.a40": "0123456789"}
    with pytest.raises(MetalError, match=r"makes text of 1280 characters; 1000 is the most$"):
        view(doubling)["site.a0"]


def test_secrets_are_no_expressions() -> None:
    ring = Keyring()
    own = {"bmc.password": ring.encrypt("{node}"), "site.x": "{node}"}
    found = View("n1", own, Inherited((), {}), ring)
    assert found["bmc.password"] == "{node}"
    assert expressions_in({"bmc.password": "{x}", "site.x": "{x}", "bmc.port": 7, "net.dns": []}) == {"site.x"}
    assert found.shown()["bmc.password"] == "********"
    assert "bmc.password" not in found.plain()


VALUE = st.none() | st.sampled_from(["a", "b", "{{c}}", "{node}", "{n1}"])
OWN = st.dictionaries(st.sampled_from(["site.a", "site.b", "bmc.user", "system.model"]), VALUE)


@given(own=OWN, groups=st.lists(OWN, max_size=4))
def test_the_first_that_says_anything_counts(own: dict[str, Any], groups: list[dict[str, Any]]) -> None:
    """Written down once more, the plain way."""
    found = view(own, *groups, name="n7")
    literal = {"{{c}}": "{c}", "{node}": "n7", "{n1}": "7"}
    sources = [
        ("node", own),
        *((f"group:g{number}", values) for number, values in enumerate(groups)),
        ("default", DEFAULTS),
    ]
    shown, origins = found.shown(), found.origins()
    for name in ("site.a", "site.b", "bmc.user", "system.model", "bmc.port", "net.dns"):
        origin, value = next(((origin, values[name]) for origin, values in sources if name in values), (None, None))
        wanted = literal.get(value, value) if isinstance(value, str) else value
        assert found[name] == shown.get(name) == wanted
        assert found.origin(name) == origins.get(name) == origin
        assert (name in found.names()) is (origin is not None)
