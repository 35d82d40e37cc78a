# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``ansible-inventory --list``: our plugin, the same inventory as a YAML file, and Ansible's floor, in turns.

The floor is a plugin that only hands over data that lie ready (fixtures/floor.py). All are whole processes with a cold
cache, and all have to print the same hosts, groups and variables.
"""

from __future__ import annotations

import json
import marshal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from . import data
from .measure import Runs, Size, Usage, check, child, environment, table, verdict

OURS, FLOOR, YAML = "stage0.metal.nodes", "floor: Ansible alone", "static YAML file"
FIXTURES = Path(__file__).parent / "fixtures"


def inventory(size: Size) -> str:
    """Return the figures for 10,000 nodes, and for 100,000 without the YAML file, which takes minutes."""
    first = _measured(size.of(10_000, 100), size, with_yaml=True)
    return "\n".join([*first, *_measured(size.of(100_000, 200), size, with_yaml=False)])


def _measured(count: int, size: Size, *, with_yaml: bool) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="stage0-bench-") as name:
        folder = Path(name)
        path = data.write(count, folder / "nodes.csv")
        data.module(sys.executable, folder, "node_import", {"path": str(path)})
        source = folder / "site.stage0.yml"
        source.write_text("plugin: stage0.metal.nodes\n", encoding="utf-8")
        _listed(folder, source)
        printed = _printed(folder)
        _check_complete(printed, count)
        sources = {OURS: source, FLOOR: _floor(folder, printed)}
        if with_yaml:
            sources[YAML] = _static(folder, printed)
        runs = Runs()
        for number in range(size.rounds):
            for way, file in sources.items():
                runs.add(way, _listed(folder, file))
                if number == 0:
                    check(_printed(folder) == printed, f"{way} prints another inventory than {OURS}")
        return _report(count, size, runs)


def _listed(folder: Path, source: Path) -> Usage:
    command = [str(Path(sys.executable).parent / "ansible-inventory"), "--list", "-i", str(source)]
    more = {"ANSIBLE_INVENTORY_PLUGINS": str(FIXTURES)}
    if source.suffix == ".floor":
        more["ANSIBLE_INVENTORY_ENABLED"] = "floor"
    return child(command, environment(folder, **more), folder / "list.json")


def _printed(folder: Path) -> dict[str, Any]:
    """Return what was printed, without an order that means nothing."""
    found: dict[str, Any] = json.loads((folder / "list.json").read_text(encoding="utf-8"), object_hook=_plain)
    for group in found.values():
        for key in {"hosts", "children"} & group.keys():
            group[key] = sorted(group[key])
    return found


def _plain(found: dict[str, Any]) -> Any:
    """Return text as text: what is no template, as of any plugin but yaml, is printed with a mark."""
    return found["__ansible_unsafe"] if found.keys() == {"__ansible_unsafe"} else found


def _check_complete(printed: Mapping[str, Any], count: int) -> None:
    variables = printed["_meta"]["hostvars"]
    check(len(variables) == count, f"{len(variables)} hosts of {count}")
    wanted = {"metal_" + name.replace(".", "_") for name in data.ATTRIBUTES}
    check(wanted <= variables["r0000n07"].keys(), f"r0000n07 lacks {wanted - variables['r0000n07'].keys()}")
    check(sum("r0000n07" in group.get("hosts", ()) for group in printed.values()) >= 3, "r0000n07 is not in 3 groups")


def _parts(printed: Mapping[str, Any]) -> tuple[dict[str, list[str]], dict[str, tuple[list[str], dict[str, Any]]]]:
    """Return the groups with their children, and the hosts with their groups and variables."""
    groups = {name: group for name, group in printed.items() if name != "_meta"}
    children = {name: group.get("children", []) for name, group in groups.items()}
    for named in [name for listed in children.values() for name in listed]:
        children.setdefault(named, [])
    variables = printed["_meta"]["hostvars"]
    hosts: dict[str, tuple[list[str], dict[str, Any]]] = {name: ([], values) for name, values in variables.items()}
    for name, group in groups.items():
        for host in group.get("hosts", ()):
            hosts.setdefault(host, ([], {}))[0].append(name)
    return children, hosts


def _floor(folder: Path, printed: Mapping[str, Any]) -> Path:
    children, hosts = _parts(printed)
    path = folder / "same.floor"
    path.write_bytes(marshal.dumps((children, hosts)))
    return path


def _static(folder: Path, printed: Mapping[str, Any]) -> Path:
    """Write the inventory as people write them: each host's variables once, and the names of hosts in each group."""
    children, hosts = _parts(printed)
    tree: dict[str, Any] = {name: {"children": {one: {} for one in inner}} for name, inner in children.items() if inner}
    for name in children:
        tree.setdefault(name, {})
    tree["all"]["hosts"] = {name: values for name, (_groups, values) in hosts.items()}
    for name, (groups, _values) in hosts.items():
        for group in groups:
            tree[group].setdefault("hosts", {})[name] = {}
    path = folder / "static.yml"

    class Plain(yaml.CSafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    with path.open("w", encoding="utf-8") as file:
        yaml.dump(tree, file, Dumper=Plain, sort_keys=False)
    return path


def _report(count: int, size: Size, runs: Runs) -> list[str]:
    medians = {way: runs.median(way) for way in runs.of}
    floor = medians[FLOOR]
    rows = [
        (way, one, f"{one.cpu / floor.cpu:5.2f} x floor; least {runs.least(way).cpu:.2f} s CPU")
        for way, one in medians.items()
    ]
    ours = medians[OURS]
    lines = [
        f"ansible-inventory --list, {count} nodes, 12 attributes, 3 groups; median of {size.rounds}:",
        *table(rows),
    ]
    if YAML in medians:
        lines.append(verdict("CPU, to the static YAML file's", ours.cpu / medians[YAML].cpu, 0.2))
    lines.append(verdict("CPU, to the floor's", ours.cpu / floor.cpu, 1.15))
    lines.append(verdict("peak memory, to the floor's", ours.memory / floor.memory, 1.25))
    return lines
