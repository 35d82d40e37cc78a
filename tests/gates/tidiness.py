# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: sizes, words that may not stand anywhere, and lists that must agree with files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

LONGEST_FILE = (("plugins/modules/*.py", 600), ("tests/*.py", 600), ("*.py", 400))
"""Pattern to the most lines; the first that fits counts. A module is mostly documentation."""
LONGEST_FUNCTION = 50
ATTRIBUTES = {"check_mode", "diff_mode", "idempotent"}
MACHINE_PATHS = re.compile(r"(?<![\w.~-])/(?:work|root)/")
"""Paths of somebody's machine; a test that means root's home can say so by a variable."""


def sizes(root: Path, files: list[str]) -> Iterator[str]:
    """Yield the Python files and functions that are too long."""
    for name in files:
        if not name.endswith(".py"):
            continue
        text = (root / name).read_text()
        most = next((most for pattern, most in LONGEST_FILE if fnmatch(name, pattern)), 0)
        lines = len(text.splitlines())
        if lines > most:
            yield f"{name}: {lines} lines; {most} are the most"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    yield f"{name}:{node.lineno}: {node.name} has {length} lines; {LONGEST_FUNCTION} are the most"


def words(root: Path, files: list[str]) -> Iterator[str]:
    """Yield the lines that name a path of a development machine."""
    for name in files:
        try:
            text = (root / name).read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if MACHINE_PATHS.search(line):
                yield f"{name}:{number}: names a path of a development machine: {line.strip()[:80]}"


def action_group(root: Path) -> Iterator[str]:
    """Yield what the action group and the modules do not agree on."""
    runtime = yaml.safe_load((root / "meta" / "runtime.yml").read_text())
    listed = runtime["action_groups"]["metal"]
    modules = sorted(path.stem for path in (root / "plugins" / "modules").glob("[!_]*.py"))
    if listed != sorted(listed):
        yield "meta/runtime.yml: the action group is not sorted"
    for name in sorted(set(modules) - set(listed)):
        yield f"meta/runtime.yml: the module {name} is not in the action group"
    for name in sorted(set(listed) - set(modules)):
        yield f"meta/runtime.yml: {name} is in the action group and is not a module"


def documentation(root: Path) -> Iterator[str]:
    """Yield the modules that do not say how they behave; the values of fragments are read where they are."""
    fragments = _fragment_attributes(root)
    for path in sorted((root / "plugins" / "modules").glob("[!_]*.py")):
        block = next(iter(_assigned(path, "DOCUMENTATION")), "")
        loaded = yaml.safe_load(block) or {}
        attributes: dict[str, Any] = dict(loaded.get("attributes") or {})
        for fragment in loaded.get("extends_documentation_fragment") or []:
            for name, about in fragments.get(fragment.lower(), {}).items():
                attributes[name] = {**about, **(attributes.get(name) or {})}
        for name in sorted(ATTRIBUTES):
            if "support" not in (attributes.get(name) or {}):
                yield f"plugins/modules/{path.name}: does not say whether it supports {name}"
        group = attributes.get("action_group") or {}
        if "stage0.metal.metal" not in str(group):
            yield f"plugins/modules/{path.name}: does not document its action group stage0.metal.metal"


def _fragment_attributes(root: Path) -> dict[str, dict[str, Any]]:
    """Full name of a fragment (a plain one is also ``.documentation``) to the attributes that it documents."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((root / "plugins" / "doc_fragments").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                loaded = yaml.safe_load(node.value.value) if "attributes:" in node.value.value else None
                part = str(getattr(node.targets[0], "id", "")).lower()
                attributes = (loaded or {}).get("attributes") or {}
                found[f"stage0.metal.{path.stem}.{part}"] = attributes
                if part == "documentation":
                    found[f"stage0.metal.{path.stem}"] = attributes
    return found


def _assigned(path: Path, name: str) -> Iterator[str]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == name for target in node.targets):
            yield ast.literal_eval(node.value)


def requirements(root: Path) -> Iterator[str]:
    """Yield where the lists of requirements disagree, or cap a version."""
    wanted = _requirements(root / "requirements.txt")
    if _requirements(root / "meta" / "ee-requirements.txt") != wanted:
        yield "meta/ee-requirements.txt: is not requirements.txt"
    missing = wanted - _requirements(root / "tests" / "unit" / "requirements.txt")
    if missing:
        yield f"tests/unit/requirements.txt: lacks {', '.join(sorted(missing))}"
    for line in sorted(wanted):
        if not re.fullmatch(r"[\w.-]+(\[[\w,]+\])?(>=[\w.]+)?", line):
            yield f"requirements.txt: {line} is more than a lower bound"
        if line.lower().startswith("ansible"):
            yield f"requirements.txt: {line} is for the user to choose"


def _requirements(path: Path) -> set[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return {line for line in lines if line}


def packages(root: Path, wanted: set[str]) -> Iterator[str]:
    """Yield the Debian packages that the lab wants and ``make apt`` does not install."""
    text = (root / "tests" / "utils" / "apt.sh").read_text()
    block = text.partition("packages=(")[2].partition("\n)")[0]
    listed = {word for line in block.splitlines() for word in line.partition("#")[0].split()}
    for name in sorted(wanted - listed):
        yield f"tests/utils/apt.sh: lacks {name}, which the lab needs"


def ignored(files: list[str]) -> Iterator[str]:
    """Yield files that would make a gate look away."""
    for name in files:
        if fnmatch(name, "tests/sanity/ignore*") or name in (".ansible-lint-ignore", ".pylintrc", ".semgrepignore"):
            yield f"{name}: an ignore file; mend the gate or the code"


def roles(root: Path) -> Iterator[str]:
    """Yield where a role's defaults and its argument specs disagree."""
    for folder in sorted((root / "roles").glob("*/")):
        name = folder.name
        specs = folder / "meta" / "argument_specs.yml"
        if not specs.exists():
            yield f"roles/{name}: has no meta/argument_specs.yml"
            continue
        entries = yaml.safe_load(specs.read_text())["argument_specs"]
        options = {
            option: about for entry in entries.values() for option, about in (entry.get("options") or {}).items()
        }
        defaults_file = folder / "defaults" / "main.yml"
        defaults = (yaml.safe_load(defaults_file.read_text()) if defaults_file.exists() else None) or {}
        for entry in sorted(path.stem for path in (folder / "tasks").glob("[!_]*.yml")):
            if entry not in entries:
                yield f"roles/{name}: the entry point {entry} has no argument spec; a part of another begins with _"
        for option in sorted(set(options) | set(defaults)):
            yield from _role_option(name, option, options, defaults)
        if not (folder / "README.md").exists():
            yield f"roles/{name}: has no README.md"


def _role_option(role: str, option: str, options: dict[str, Any], defaults: dict[str, Any]) -> Iterator[str]:
    where = f"roles/{role}: {option}"
    if option not in options:
        yield f"{where} has a default and is not in the argument specs"
        return
    if not option.startswith(f"{role}_"):
        yield f"{where} does not begin with the role's name"
    about = options[option]
    if ("default" in about) != (option in defaults):
        yield f"{where} has a default in only one of argument_specs.yml and defaults/main.yml"
    elif option in defaults and defaults[option] != about["default"]:
        yield f"{where} is {about['default']!r} in argument_specs.yml and {defaults[option]!r} in defaults/main.yml"


def scenarios(root: Path) -> Iterator[str]:
    """Yield the roles that no molecule scenario is named for."""
    for folder in sorted((root / "roles").glob("*/")):
        if not (root / "extensions" / "molecule" / folder.name / "molecule.yml").exists():
            yield f"roles/{folder.name}: has no scenario extensions/molecule/{folder.name}"
