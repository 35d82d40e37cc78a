# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filters and tests of noderanges in real playbooks: their examples, and what people see when they are wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stage0.metal.plugins.filter import fold, noderange
from ansible_collections.stage0.metal.plugins.test import in_noderange
from ansible_collections.stage0.metal.plugins.test import noderange as is_noderange

from tests.integration.site import Site

HOSTS = [f"r1n{number:02d}" for number in range(1, 11)]
INVENTORY = (
    "localhost\n[rack1]\nr1n[01:10]\n[all:vars]\nansible_connection=local\nansible_python_interpreter={python}\n"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A management node whose database has the nodes of a rack; no hub is needed."""
    made = Site(tmp_path_factory.mktemp("filters"))
    table = made.folder / "nodes.csv"
    table.write_text("name,groups\n" + "".join(f"{name},rack1\n" for name in HOSTS))
    assert not made.module("node_import", path=str(table)).get("failed")
    (made.folder / "hosts").write_text(INVENTORY.format(python=sys.executable))
    return made


def run(site: Site, tasks: list[dict[str, Any]], hosts: str = "localhost") -> tuple[int, str]:
    play = site.folder / "play.yml"
    play.write_text(json.dumps([{"name": "Try", "hosts": hosts, "gather_facts": False, "tasks": tasks}]))
    done = site.playbook("-i", str(site.folder / "hosts"), name=str(play))
    return done.returncode, done.stdout + done.stderr


def said(site: Site, expression: str, path: Path) -> Any:
    """Return what a template gives, by way of a file."""
    copy = {"content": "{{ (" + expression + ") | to_json }}", "dest": str(path), "mode": "0600"}
    code, output = run(site, [{"name": "Write", "ansible.builtin.copy": copy}])
    assert code == 0, output
    return json.loads(path.read_text())


@pytest.mark.parametrize("plugin", [noderange, fold, in_noderange, is_noderange])
def test_the_examples_run(site: Site, plugin: Any) -> None:
    code, output = run(site, yaml.safe_load(plugin.EXAMPLES), "rack1")
    assert code == 0, output
    assert "failed=0" in output


def test_what_they_give(site: Site, tmp_path: Path) -> None:
    expressions = {
        "'rack1,-r1n07' | stage0.metal.noderange": [name for name in HOSTS if name != "r1n07"],
        "'rack1,-r1n07' | stage0.metal.noderange(groups=groups)": [name for name in HOSTS if name != "r1n07"],
        "['rack1', '-/.*[2-9]/'] | stage0.metal.noderange": ["r1n01", "r1n10"],
        "'bmc.port==623@r1n[01-02]' | stage0.metal.noderange": ["r1n01", "r1n02"],
        "groups.rack1 | stage0.metal.fold": "r1n[01-10]",
        "groups.rack1 | stage0.metal.fold | stage0.metal.noderange": HOSTS,
        "'r1n07' is stage0.metal.in_noderange('rack1,-r1n07')": False,
        "groups.rack1 | select('stage0.metal.in_noderange', 'r1n[09-10]') | list": ["r1n09", "r1n10"],
        "'n[1-3],-x@(y)' is stage0.metal.noderange": True,
        "'n[3-1]' is stage0.metal.noderange": False,
    }
    given = said(site, "[" + ", ".join(f"({expression})" for expression in expressions) + "]", tmp_path / "given")
    assert dict(zip(expressions, given, strict=True)) == expressions


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        (
            "'rack1,-r1n99' | stage0.metal.noderange",
            "noderange 'rack1,-r1n99': character 8: there is no node or group named",
        ),
        ("'r1n[03-01]' | stage0.metal.noderange(groups=groups)", "character 5: '03-01' descends"),
        ("'r1n01' is stage0.metal.in_noderange('r1n01 r1n02')", "blanks do not separate nodes"),
        ("['a b'] | stage0.metal.fold", "'a b' cannot stand in a noderange"),
    ],
)
def test_a_mistake_is_one_sentence_of_ours(site: Site, expression: str, says: str) -> None:
    code, output = run(site, [{"name": "Try", "ansible.builtin.debug": {"msg": "{{ " + expression + " }}"}}])
    assert code == 2
    assert says in " ".join(output.replace("\\n", " ").split())
    assert "Traceback" not in output
