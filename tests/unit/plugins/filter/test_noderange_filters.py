# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filters noderange and fold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.stage0.metal.plugins.filter import fold as fold_file
from ansible_collections.stage0.metal.plugins.filter import noderange as noderange_file
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.plugin_utils import _noderange
from ansible_collections.stage0.metal.tests.unit.support import make_rack

noderange = noderange_file.FilterModule().filters()["noderange"]
fold = fold_file.FilterModule().filters()["fold"]
GROUPS = {"all": ["n1", "n2", "n10", "spare"], "ungrouped": ["spare"], "odd": ["n1"], "even": ["n2", "n10"]}


def refused(function: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """Return the sentence, without the plugin's name in front."""
    with pytest.raises(AnsibleFilterError) as caught:
        function(*arguments, **options)
    plugin = f"stage0.metal.{function.__name__}: "
    assert str(caught.value).startswith(plugin)
    return str(caught.value).removeprefix(plugin)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("all", ["n1", "n2", "n10", "spare"]),
        ("all,-odd", ["n2", "n10", "spare"]),
        (["even", "-n2"], ["n10"]),
        (("even", "odd"), ["n1", "n2", "n10"]),
        ("/n.*/@(even,ungrouped)", ["n2", "n10"]),
    ],
)
def test_over_a_mapping(wanted: Any, names: list[str]) -> None:
    assert noderange(wanted, groups=GROUPS) == names


def test_without_a_group_all_the_members_are_everybody() -> None:
    assert noderange("all", groups={"a": ["n2", "n1"], "b": ["n1", "n3"]}) == ["n1", "n2", "n3"]


def test_over_the_node_database() -> None:
    make_rack(4)
    assert noderange("rack1,-r1n02") == ["r1n01", "r1n03", "r1n04"]
    assert noderange(["rack1", "-r1n02"]) == ["r1n01", "r1n03", "r1n04"]
    assert noderange("net.mac==52-54-00-01-00-03") == ["r1n03"]
    assert noderange("r1n02", groups=None) == ["r1n02"]


def test_the_database_is_closed_whatever_happens(home: Any) -> None:
    make_rack(1)
    opened: list[Any] = []

    def remembered(*arguments: Any, **options: Any) -> Any:
        opened.append(mock.MagicMock(wraps=open_database(*arguments, **options)))
        return opened[-1]

    with mock.patch.object(_noderange, "open_database", remembered):
        assert noderange("all", database=f"sqlite:///{home}/metal.db") == ["r1n01"]
        assert refused(noderange, "r9") == "noderange 'r9': there is no node or group named 'r9'"
    assert [database.close.call_count for database in opened] == [1, 1]


@pytest.mark.parametrize(
    ("wanted", "options", "says"),
    [
        ("n3", {"groups": GROUPS}, "noderange 'n3': there is no node or group named 'n3'"),
        ("n1@even", {"groups": GROUPS}, "noderange 'n1@even' names no node"),
        (
            "n1,",
            {"groups": GROUPS},
            "noderange 'n1,': character 4: expected a name, a group, '(' or '/', but the noderange ends",
        ),
        ("net.ip=~.*", {"groups": GROUPS}, "net.ip cannot be tested here: only the node database has attributes"),
        (7, {"groups": GROUPS}, "a noderange is text or a list of text, not 7"),
        (["n1", 7], {"groups": GROUPS}, "a noderange is text or a list of text, not ['n1', 7]"),
        ({"n1": 1}, {"groups": GROUPS}, "a noderange is text or a list of text, not {'n1': 1}"),
        ([], {"groups": GROUPS}, "the list of noderanges is empty; write all for every node"),
        ("n1", {"groups": ["n1"]}, "groups is a mapping of groups to their members, not ['n1']"),
        ("n1", {"groups": {"a": 3}}, "group 'a' is text or a list of text, not 3"),
        ("n1", {"groups": GROUPS, "database": "sqlite:////x"}, "give database or groups, not both"),
        ("n1", {"database": "sqlite:////nowhere/x.db"}, None),
        ("n1", {}, None),
    ],
)
def test_bad_input_of_noderange(wanted: Any, options: dict[str, Any], says: str | None) -> None:
    sentence = refused(noderange, wanted, **options)
    assert sentence == says if says else sentence.startswith("there is no node database")


def test_folding() -> None:
    assert fold([f"r{r:02d}n{n:03d}" for r in range(1, 41) for n in range(1, 101)]) == "r[01-40]n[001-100]"
    assert fold([]) == ""
    assert fold("n1") == "n1"
    assert noderange(fold(GROUPS["all"]), groups=GROUPS) == GROUPS["all"]


def test_bad_input_of_fold() -> None:
    assert refused(fold, 7) == "what is folded is text or a list of text, not 7"
    assert refused(fold, ["a", None]) == "what is folded is text or a list of text, not ['a', None]"
    assert refused(fold, ["a b"]).startswith("'a b' cannot stand in a noderange: ")
