# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tree as it stands, and small trees with one thing wrong each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.tests.gates import tidiness
from ansible_collections.stage0.metal.tests.gates.refuse import refuse
from ansible_collections.stage0.metal.tests.lab import requirements
from ansible_collections.stage0.metal.tests.utils import environment

ROOT = Path(__file__).resolve().parents[2]
OF_FILES: list[Callable[[Path, list[str]], Iterator[str]]] = [tidiness.sizes, tidiness.words]
OF_TREE = [
    tidiness.action_group,
    tidiness.documentation,
    tidiness.requirements,
    tidiness.roles,
    tidiness.scenarios,
]


@pytest.mark.parametrize("check", OF_FILES)
def test_files(check: Callable[[Path, list[str]], Iterator[str]]) -> None:
    refuse(check(ROOT, environment.tracked_files()))


@pytest.mark.parametrize("check", OF_TREE)
def test_tree(check: Callable[[Path], Iterator[str]]) -> None:
    refuse(check(ROOT))


def test_packages_of_the_lab() -> None:
    refuse(tidiness.packages(ROOT, set(requirements.PACKAGES.values())))


def test_nothing_is_ignored() -> None:
    refuse(tidiness.ignored(environment.tracked_files()))


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_sizes_refused(tmp_path: Path) -> None:
    long = "def f():\n" + "    pass\n" * 50
    write(tmp_path, {"plugins/a.py": long + "\n" * 400, "tests/b.py": "\n" * 600, "plugins/modules/c.py": "\n" * 601})
    assert list(tidiness.sizes(tmp_path, ["plugins/a.py", "tests/b.py", "plugins/modules/c.py"])) == [
        "plugins/a.py: 451 lines; 400 are the most",
        "plugins/a.py:1: f has 51 lines; 50 are the most",
        "plugins/modules/c.py: 601 lines; 600 are the most",
    ]


def test_machine_paths_refused(tmp_path: Path) -> None:
    bad = "/".join(["", "work", "main"])
    write(tmp_path, {"a": f"x = '{bad}'\n", "b": f"a{bad}\nhttp://h/files{bad}\n"})
    assert [line.partition(": ")[0] for line in tidiness.words(tmp_path, ["a", "b"])] == ["a:1"]


def test_action_group_refused(tmp_path: Path) -> None:
    files = {"meta/runtime.yml": "action_groups: {metal: [power, gone, arm]}", "plugins/modules/new.py": ""}
    write(tmp_path, {**files, "plugins/modules/power.py": "", "plugins/modules/arm.py": ""})
    assert list(tidiness.action_group(tmp_path)) == [
        "meta/runtime.yml: the action group is not sorted",
        "meta/runtime.yml: the module new is not in the action group",
        "meta/runtime.yml: gone is in the action group and is not a module",
    ]


def test_documentation_refused(tmp_path: Path) -> None:
    fragment = 'class ModuleDocFragment:\n    DOCUMENTATION = "attributes: {idempotent: {description: x}}"\n'
    fragment += '    GROUP = "attributes: {action_group: {membership: [stage0.metal.metal], support: full}}"\n'
    document = "extends_documentation_fragment: [stage0.metal._attributes, stage0.metal._attributes.group]\n"
    document += "attributes: {check_mode: {support: full}, diff_mode: {details: none}}"
    write(
        tmp_path,
        {
            "plugins/doc_fragments/_attributes.py": fragment,
            "plugins/modules/a.py": f'DOCUMENTATION = """{document}"""',
            "plugins/modules/b.py": "",
        },
    )
    assert list(tidiness.documentation(tmp_path)) == [
        "plugins/modules/a.py: does not say whether it supports diff_mode",
        "plugins/modules/a.py: does not say whether it supports idempotent",
        "plugins/modules/b.py: does not say whether it supports check_mode",
        "plugins/modules/b.py: does not say whether it supports diff_mode",
        "plugins/modules/b.py: does not say whether it supports idempotent",
        "plugins/modules/b.py: does not document its action group stage0.metal.metal",
    ]


def test_requirements_refused(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "requirements.txt": "aiohttp>=3\npyghmi<2\nansible-core>=2.18\n",
            "meta/ee-requirements.txt": "aiohttp>=3\n",
            "tests/unit/requirements.txt": "aiohttp>=3\nansible-core>=2.18\n",
        },
    )
    assert list(tidiness.requirements(tmp_path)) == [
        "meta/ee-requirements.txt: is not requirements.txt",
        "tests/unit/requirements.txt: lacks pyghmi<2",
        "requirements.txt: ansible-core>=2.18 is for the user to choose",
        "requirements.txt: pyghmi<2 is more than a lower bound",
    ]


def test_packages_refused(tmp_path: Path) -> None:
    write(tmp_path, {"tests/utils/apt.sh": "packages=(\n    # One.\n    fdisk kmod\n)\n"})
    assert list(tidiness.packages(tmp_path, {"kmod", "ovmf"})) == [
        "tests/utils/apt.sh: lacks ovmf, which the lab needs"
    ]


def test_ignore_files_refused() -> None:
    assert len(list(tidiness.ignored(["tests/sanity/ignore-2.19.txt", ".ansible-lint-ignore", "a.py"]))) == 2


def test_roles_refused(tmp_path: Path) -> None:
    specs = (
        "argument_specs: {main: {options: {hub_a: {default: 1}, hub_b: {type: str}, hub_c: {default: 2}, port: {}}}}"
    )
    write(
        tmp_path,
        {
            "roles/hub/meta/argument_specs.yml": specs,
            "roles/hub/defaults/main.yml": "{hub_a: 3, hub_b: x, hub_d: 1}",
            "roles/hub/tasks/main.yml": "",
            "roles/hub/tasks/remove.yml": "",
            "roles/hub/tasks/_part.yml": "",
            "roles/bare/tasks/main.yml": "",
        },
    )
    assert list(tidiness.roles(tmp_path)) == [
        "roles/bare: has no meta/argument_specs.yml",
        "roles/hub: the entry point remove has no argument spec; a part of another begins with _",
        "roles/hub: hub_a is 1 in argument_specs.yml and 3 in defaults/main.yml",
        "roles/hub: hub_b has a default in only one of argument_specs.yml and defaults/main.yml",
        "roles/hub: hub_c has a default in only one of argument_specs.yml and defaults/main.yml",
        "roles/hub: hub_d has a default and is not in the argument specs",
        "roles/hub: port does not begin with the role's name",
        "roles/hub: has no README.md",
    ]
    assert list(tidiness.scenarios(tmp_path)) == [
        "roles/bare: has no scenario extensions/molecule/bare",
        "roles/hub: has no scenario extensions/molecule/hub",
    ]
