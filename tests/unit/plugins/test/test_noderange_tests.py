# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tests in_noderange and noderange."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.stage0.metal.plugins.module_utils._nodes import libraries
from ansible_collections.stage0.metal.plugins.test import in_noderange as in_file
from ansible_collections.stage0.metal.plugins.test import noderange as noderange_file
from ansible_collections.stage0.metal.tests.unit.support import make_rack

in_noderange = in_file.TestModule().tests()["in_noderange"]
noderange = noderange_file.TestModule().tests()["noderange"]
GROUPS = {"all": ["n1", "n2", "spare"], "odd": ["n1"]}


@pytest.mark.parametrize(
    ("name", "wanted", "member"),
    [
        ("n1", "all", True),
        ("n1", "all,-odd", False),
        ("n1", ["all", "-n2"], True),
        ("n1", "odd,-odd", False),
        ("n9", "all", False),
        (None, "all", False),
    ],
)
def test_in_a_noderange(name: Any, wanted: Any, member: bool) -> None:
    assert in_noderange(name, wanted, groups=GROUPS) is member


def test_by_the_node_database() -> None:
    make_rack(3)
    assert in_noderange("r1n01", "rack1,-r1n02") is True
    assert in_noderange("r1n02", "rack1,-r1n02") is False


def test_a_wrong_noderange_has_nobody_in_it_and_is_an_error() -> None:
    for wanted, says in [
        ("n9", "noderange 'n9': there is no node or group named 'n9'"),
        ("n1,(", "noderange 'n1,(': character 5: expected a name, a group, '(' or '/', but the noderange ends"),
        (3, "a noderange is text or a list of text, not 3"),
    ]:
        with pytest.raises(AnsibleFilterError) as caught:
            in_noderange("n1", wanted, groups=GROUPS)
        assert str(caught.value) == f"stage0.metal.in_noderange: {says}"


@pytest.mark.parametrize("value", ["n1", "r1n[01-20],-r1n07", ["a", "-b"], "location.rack==r1@(x,/y.*/)"])
def test_well_formed(value: Any) -> None:
    assert noderange(value) is True


@pytest.mark.parametrize("value", ["", "n1,", "n[3-1]", "x.y==1", "bmc.password==x", "/(/", [], ["a", 1], 7, None, {}])
def test_not_well_formed(value: Any) -> None:
    assert noderange(value) is False


def test_a_missing_library_is_no_judgement() -> None:
    def missing(_name: str) -> None:
        raise ImportError("no module named 'regex'")

    with (
        mock.patch.object(noderange_file, "check", side_effect=lambda _text: libraries.lazy("regex").compile),
        mock.patch("importlib.import_module", missing),
        pytest.raises(AnsibleFilterError, match="the Python library regex cannot be imported here"),
    ):
        noderange("/x/")
