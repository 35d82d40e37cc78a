# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the plan of the house, and a check that imports run downwards only.

The plan is a table of rooms and floors. A room may import itself and rooms on lower floors; two rooms on one
floor do not know each other. What stands apart has a list of all that it may import, and nobody imports it.
Imports inside functions, under TYPE_CHECKING and by name (``import_module``, ``lazy``) count like any other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FLOORS = {
    "module_utils/_nodes": 0,
    "module_utils/_boot": 1,
    "module_utils/_dhcp": 1,
    "module_utils/_answers": 1,
    "module_utils/_media": 1,
    "module_utils/_fleet": 2,
    "module_utils/_drivers": 2,
    "module_utils/_deploy": 2,
    "module_utils/_operations": 3,
    "module_utils/_module": 4,
    "plugin_utils/_noderange": 4,
    "plugin_utils/_inventory": 4,
    "plugin_utils/_hub": 5,
    "modules": 5,
    "inventory": 5,
    "filter": 5,
    "test": 5,
    "action": 5,
    "callback": 5,
    "doc_fragments": 5,
}
"""A room, as a folder below plugins/, to its floor."""

SAME_ROOM = {"plugin_utils/_action": "action"}
"""What action plugins share cannot lie in their folder, where Ansible would take it for one of them."""

BESIDE = {"action": ("modules",)}
"""The one arrow along a floor: an action plugin is its module, run on the controller, and takes the spec from it."""

APART = {"plugin_utils/_simulator": ("module_utils/_nodes/libraries", "module_utils/_nodes/errors")}
"""Rooms without a floor, to the files that they may import."""

COLLECTION = ("ansible_collections", "stage0", "metal")
BY_NAME = {"import_module", "lazy", "__import__"}


@dataclass(frozen=True)
class Import:
    """One import of something of ours: the line, and the path below the collection's root, in parts."""

    line: int
    target: tuple[str, ...]


def imports(tree: ast.AST, package: tuple[str, ...]) -> Iterator[Import]:
    """Yield what the syntax tree of a file of ``package`` (its folder, in parts) imports of this collection."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            # A name may be a file in the folder: the longer path tells which.
            names = [f"{base}{'' if base.endswith('.') else '.'}{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and _called(node) in BY_NAME:
            names = [
                word.value for word in node.args[:1] if isinstance(word, ast.Constant) and isinstance(word.value, str)
            ]
        else:
            continue
        for name in names:
            target = resolve(name, package)
            if target is not None:
                yield Import(node.lineno, target)


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def resolve(name: str, package: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the path below the collection's root that a dotted name means; None if it is not ours."""
    stripped = name.lstrip(".")
    level = len(name) - len(stripped)
    parts = tuple(part for part in stripped.split(".") if part)
    if level:
        return package[: len(package) - level + 1] + parts
    return parts[len(COLLECTION) :] if parts[: len(COLLECTION)] == COLLECTION else None


def room_of(target: tuple[str, ...]) -> str:
    """Return the room that a path below the collection's root lies in, as the table would call it."""
    if target[:1] != ("plugins",):
        return "/".join(target[:1]) or "the collection's root"
    below = target[1:]
    length = 2 if below[:1] in (("module_utils",), ("plugin_utils",)) else 1
    room = "/".join(below[:length])
    return SAME_ROOM.get(room, room)


def refusal(room: str, target: tuple[str, ...]) -> str | None:
    """Return why a file of ``room`` may not import ``target``, or None if it may."""
    other = room_of(target)
    path = "/".join(target[1:])
    if other == room:
        return None
    if other in APART:
        return f"nobody imports {other}: it stands apart"
    if other not in FLOORS:
        return f"{other} is not a room of the plan"
    if room in APART:
        allowed = APART[room]
        good = any(path == file or path.startswith(f"{file}/") for file in allowed)
        return None if good else f"{room} stands apart and may import only {' and '.join(allowed)}, not {path}"
    if other in BESIDE.get(room, ()):
        return None
    mine, its = FLOORS[room], FLOORS[other]
    if its < mine:
        return None
    relation = "the same floor" if its == mine else "a higher floor"
    return f"{room} (floor {mine}) imports {other} (floor {its}), which is on {relation}"


def check_file(root: Path, path: Path) -> list[str]:
    """Return what is wrong with the imports of one file, as ``path:line: sentence``."""
    place = path.relative_to(root)
    room = room_of(place.with_suffix("").parts)
    if room not in FLOORS and room not in APART:
        return [f"{place}:1: {room} is not a room of the plan (tests/gates/floors.py, after the design's section 3)"]
    problems = []
    for found in imports(ast.parse(path.read_text(), str(path)), place.parent.parts):
        why = refusal(room, found.target)
        if why is not None:
            problems.append(f"{place}:{found.line}: {why}")
    return sorted(set(problems))


def check(root: Path) -> list[str]:
    """Return what is wrong in all of plugins/ below ``root``."""
    files = sorted((root / "plugins").rglob("*.py"))
    return [problem for path in files for problem in check_file(root, path)]
