# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The judge of tasks and plays, on a small collection."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.tests.gates import plays
from ansible_collections.stage0.metal.tests.gates.small_collection import small_collection
from ansible_collections.stage0.metal.tests.gates.snippets import Snippet
from ansible_collections.stage0.metal.tests.gates.specs import Collection


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return small_collection(tmp_path)


def check(collection: Collection, text: str) -> list[str]:
    return plays.check(collection, Snippet("a.yml", 10, "yaml", textwrap.dedent(text)))


def task(arguments: str, module: str = "stage0.metal.power") -> str:
    return f"- name: Try\n  {module}:\n" + textwrap.indent(textwrap.dedent(arguments), "    ")


REFUSED = {
    "unknown option": ("nodes: n1\nstate: boot\ntimeuot: 3", "timeuot"),
    "required option missing": ("nodes: n1", "missing required arguments: state"),
    "wrong choice": ("nodes: n1\nstate: shutdown", "value of state must be one of: on, off, boot, got: shutdown"),
    "wrong type": ("nodes: n1\nstate: boot\ntimeout: soon", "timeout"),
    "required_if": ("nodes: n1\nstate: 'off'", "state is off but all of the following are missing: force"),
    "required_if by a template": ("nodes: '{{ a }}'\nstate: 'off'", "force"),
    "mutually exclusive": (
        "nodes: n1\nstate: boot\nstagger: {count: 1}\nsteps: [{name: a}]",
        "mutually exclusive: stagger|steps",
    ),
    "mutually exclusive, both templates": (
        "nodes: n1\nstate: boot\nstagger: '{{ a }}'\nsteps: '{{ b }}'",
        "mutually exclusive: stagger|steps",
    ),
    "suboption": ("nodes: n1\nstate: boot\nstagger: {count: 1, pre: feed}", "stagger: no such option: pre"),
    "choice of a suboption": ("nodes: n1\nstate: boot\nstagger: {count: 1, per: row}", "value of per"),
    "suboption beside a template": ("nodes: n1\nstate: boot\nstagger: {count: '{{ a }}', per: row}", "value of per"),
    "suboption in a list": ("nodes: n1\nstate: boot\nsteps: [{name: a}, {name: b, title: b}]", "no such option: title"),
    "an alias and its option": ("nodes: n1\nnode: n2\nstate: sideways", "value of state"),
    "key twice": ("nodes: n1\nnodes: n2\nstate: boot", "'nodes' stands there twice"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=list(REFUSED))
def test_arguments_refused(collection: Collection, case: tuple[str, str]) -> None:
    found = check(collection, task(case[0]))
    assert len(found) == 1
    assert case[1] in found[0]
    assert found[0].startswith("a.yml:1")


ALLOWED = {
    "all right": "nodes: [n1, n2]\nstate: 'on'",
    "a YAML boolean that is a choice": "nodes: n1\nstate: on",
    "templates": "nodes: '{{ a }}'\nstate: '{{ b }}'\ntimeout: '{{ c }}'\nstagger: '{{ d }}'",
    "templates inside": "nodes: ['{{ a }}', n1]\nstate: boot\nstagger: {count: '{{ c }}', per: feed}",
    "alias": "node: n1\nstate: boot",
    "a secret": "nodes: n1\nstate: boot\ndatabase: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162",
}


@pytest.mark.parametrize("arguments", ALLOWED.values(), ids=list(ALLOWED))
def test_arguments_allowed(collection: Collection, arguments: str) -> None:
    assert check(collection, task(arguments)) == []


DOCUMENTS_REFUSED = {
    "unknown module": (task("nodes: n1", "stage0.metal.powr"), "there is no module stage0.metal.powr"),
    "unknown keyword": (task("nodes: n1\nstate: boot") + "\n  regis: x", "'regis' is neither a keyword"),
    "free form": ("- name: Try\n  stage0.metal.power: nodes=n1 state=boot", "not a mapping"),
    "deep in blocks": (
        "- hosts: all\n  tasks:\n  - block:\n    - name: A\n      ansible.builtin.debug:\n    rescue:\n"
        "    - block:\n      - {name: B, stage0.metal.power: {nodes: n1, state: boot, oops: 1}}",
        "oops",
    ),
    "keyword of a play": ("- hosts: all\n  gather_fact: false", "'gather_fact' is not a keyword of a play"),
    "defaults of the group": (
        "- hosts: all\n  module_defaults:\n    group/stage0.metal.metal:\n      nodes: n1",
        "module_defaults for stage0.metal.node: no such option: nodes",
    ),
    "a group that is not there": (
        "- hosts: all\n  module_defaults:\n    group/stage0.metal.metall: {}",
        "there is no action group stage0.metal.metall",
    ),
    "defaults of a module": (
        "- hosts: all\n  module_defaults:\n    stage0.metal.power: {timeout: long}",
        "module_defaults for stage0.metal.power",
    ),
    "a role that is not there": (
        "- name: A\n  ansible.builtin.include_role: {name: stage0.metal.hubb}",
        "there is no role stage0.metal.hubb",
    ),
    "an entry point that is not there": (
        "- name: A\n  ansible.builtin.include_role: {name: stage0.metal.hub, tasks_from: start}",
        "has no entry point start",
    ),
    "a variable given to a role": (
        "- name: A\n  ansible.builtin.include_role: {name: stage0.metal.hub}\n  vars: {hub_prot: 1}",
        "hub_prot",
    ),
    "a role's variable in the play": ("- hosts: all\n  vars: {hub_port: high}", "hub_port"),
    "a variable beside a role": (
        "- hosts: all\n  roles:\n    - role: stage0.metal.hub\n      hub_prot: 1",
        "hub_prot",
    ),
    "a playbook that is not there": ("- import_playbook: stage0.metal.provide", "there is no playbook"),
    "a variable of a playbook": (
        "- ansible.builtin.import_playbook: stage0.metal.provision\n  vars: {metal_node: a}",
        "has no variable metal_node",
    ),
    "variables": ("hub_prot: 1\nother: 2", "hub_prot"),
    "inventory": ("plugin: stage0.metal.nodes\ndbase: a", "dbase"),
    "an inventory plugin that is not there": ("plugin: stage0.metal.node", "there is no inventory plugin"),
    "not YAML": ("- a: [", "not YAML"),
}


@pytest.mark.parametrize("case", DOCUMENTS_REFUSED.values(), ids=list(DOCUMENTS_REFUSED))
def test_documents_refused(collection: Collection, case: tuple[str, str]) -> None:
    found = check(collection, case[0])
    assert len(found) == 1
    assert case[1] in found[0]


MEANING = {
    "an attribute that is not there": ("name: n1\nattributes: {bmc.addr: 10.0.0.1}", "bmc.addr", "node"),
    "nested": ("name: n1\nattributes: {bmc: {addr: 10.0.0.1}}", "bmc.addr", "node"),
    "a MAC address that YAML takes for a number": (
        "name: n1\nattributes:\n  net.mac: 52:54:00:01:00:01",
        "net.mac: 41135043601",
        "node",
    ),
    "a name in a list": ("name: n1\nunset: [bmc.addr]", "bmc.addr", "node"),
    "a noderange": ("nodes: n[1-\nstate: boot", "noderange", "power"),
}


@pytest.mark.parametrize("case", MEANING.values(), ids=list(MEANING))
def test_meaning_refused(collection: Collection, case: tuple[str, str, str]) -> None:
    arguments, sentence, module = case
    found = check(collection, task(arguments, f"stage0.metal.{module}"))
    assert len(found) == 1
    assert sentence in found[0]


def test_meaning_of_templates_is_open(collection: Collection) -> None:
    text = "name: n1\nattributes: {bmc.address: '{{ x }}', site.colour: red}\nunset: ['{{ y }}', net.mac]"
    assert check(collection, task(text, "stage0.metal.node")) == []


def test_defaults_supply_what_is_required(collection: Collection) -> None:
    text = """
        - hosts: all
          module_defaults:
            group/stage0.metal.metal: {database: a}
            stage0.metal.power: {state: boot}
          tasks:
            - name: With the defaults
              stage0.metal.power: {nodes: n1}
    """
    assert check(collection, text) == []


def test_what_is_not_ours_is_let_be(collection: Collection) -> None:
    text = """
        - name: Somebody else's
          community.general.ipmi_power: {nonsense: true}
          loop: [1]
        - name: Ours, in a role
          ansible.builtin.import_role: {name: stage0.metal.hub, tasks_from: remove}
          vars: {hub_purge: true, _private: 1}
    """
    assert check(collection, text) == []


def test_line_of_the_task(collection: Collection) -> None:
    found = check(collection, "---\n- name: A\n  ansible.builtin.debug:\n- name: B\n  stage0.metal.powr:\n")
    assert found == ["a.yml:14: there is no module stage0.metal.powr"]
