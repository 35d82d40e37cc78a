# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Code blocks are found in documents, and commands in code blocks, on a small collection."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.tests.gates import console, meaning
from ansible_collections.stage0.metal.tests.gates.small_collection import small_collection
from ansible_collections.stage0.metal.tests.gates.snippets import Snippet, markdown_blocks, rst_blocks
from ansible_collections.stage0.metal.tests.gates.specs import Collection


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return small_collection(tmp_path)


def test_markdown() -> None:
    text = "Text `make x`\n\n```yaml\n- a: 1\n```\n\n1. Item\n\n   ~~~console\n   $ make y\n   ~~~\n"
    assert list(markdown_blocks("a.md", text)) == [
        Snippet("a.md", 3, "yaml", "- a: 1\n"),
        Snippet("a.md", 9, "console", "$ make y\n"),
        Snippet("a.md", 0, "prose", "Text `make x`\n\n\n\n\n\n1. Item\n\n\n\n"),
    ]


def test_markdown_fence_left_open() -> None:
    assert Snippet("a.md", 1, "unclosed", "") in list(markdown_blocks("a.md", "```yaml\n- a: 1\n"))


def test_rst() -> None:
    text = textwrap.dedent("""\
        Text

        .. code-block:: yaml
           :caption: A

           - a: 1

             b: 2

        More
        """)
    blocks = list(rst_blocks("a.rst", text))
    assert blocks[0] == Snippet("a.rst", 5, "yaml", "- a: 1\n\n  b: 2\n\n")
    assert "a: 1" not in blocks[1].text
    assert "More" in blocks[1].text


REFUSED = {
    "make": ("$ make dmeo", "no target dmeo"),
    "make, several": ("make -j 2 demo lap X=1", "no target lap"),
    "make behind something": ("cd x && sudo make -C . lap", "no target lap"),
    "playbook": ("ansible-playbook stage0.metal.provide", "there is no playbook stage0.metal.provide"),
    "variable": ("$ ansible-playbook stage0.metal.provision -e metal_node=rack1", "no variable metal_node"),
    "variable, the long way": (
        "ansible-playbook --extra-vars='metal_nodes=a hub_prot=1' stage0.metal.provision",
        "no variable hub_prot",
    ),
    "variable in JSON": (
        """ansible-playbook stage0.metal.provision -e '{"metal_nodes": [1], "x": 2}'""",
        "no variable x",
    ),
    "over two lines": ("$ ansible-playbook stage0.metal.provision \\\n    -e oops=1", "a.md:1: the playbook"),
    "by path": (".venv/bin/ansible-playbook stage0.metal.provide", "there is no playbook"),
    "documentation": ("ansible-doc stage0.metal.powr", "there is no module stage0.metal.powr"),
    "documentation of a role": ("ansible-doc -t role stage0.metal.power", "there is no role"),
    "ad hoc": ("ansible localhost -m stage0.metal.powr", "there is no module"),
    "ad hoc, arguments": ("ansible localhost -m stage0.metal.power -a 'nodes=n1 state=of'", "value of state"),
    "python": (".venv/bin/python -m tests.demo.walk", "nothing to run as tests.demo.walk"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=list(REFUSED))
def test_commands_refused(collection: Collection, case: tuple[str, str]) -> None:
    found = console.check(collection, Snippet("a.md", 0, "console", case[0]))
    assert len(found) == 1
    assert case[1] in found[0]


def test_commands_allowed(collection: Collection) -> None:
    text = textwrap.dedent("""\
        $ git clone https://example.com/x && make demo
        make: this is output, not a command
        $ STAGE0_HOME=/srv sudo make lab test
        $ ansible-playbook stage0.metal.provision -e metal_nodes=rack1 -e hub_port=1 -e @more.yml -l all
        $ ansible-playbook site.yml -e anything=1
        $ ansible localhost -m stage0.metal.power -a "nodes=n1 state=boot" | less
        $ python -m tests.demo.run; python3 -m http.server
        $ ansible-doc -t inventory stage0.metal.nodes
        """)
    assert console.check(collection, Snippet("a.md", 0, "console", text)) == []


def test_running_text(collection: Collection) -> None:
    text = "Call `make demo`,\nthen `make lap`."
    assert console.prose(collection, Snippet("a.md", 0, "prose", text)) == ["a.md:2: the Makefile has no target lap"]


def test_csv() -> None:
    good = Snippet("a.md", 3, "csv", "name,groups,net.mac\nn1,rack1,52:54:00:01:00:01\n")
    assert meaning.csv(good) == []
    bad = Snippet("a.md", 3, "csv", "name,bmc.addr\nn1,10.0.0.1\n")
    assert "a.md:4: the CSV block: line 1: column 'bmc.addr'" in meaning.csv(bad)[0]
