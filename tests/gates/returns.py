# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: do results look as RETURN says, and does RETURN say what results hold?

Results come from a log of JSON lines, ``{"module": NAME, "result": {...}}``, that tests write as they call
modules. A result may hold nothing that is not documented, with the type documented; what is documented as
returned ``always`` or on ``success`` must be in every result without ``failed``; and over all results each
documented key must have been seen at least once, or its documentation is a guess.

A mapping with names for keys (nodes, attributes) is documented by one key in capital letters under ``contains``
that stands for any name; or by a ``sample`` alone, whose entries then show every key that an entry can have.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Keys = Mapping[str, Any]
STANDARD = {
    "changed",
    "failed",
    "msg",
    "diff",
    "invocation",
    "warnings",
    "failed_when_result",
    "deprecations",
    "exception",
    "skipped",
    "ansible_facts",
    "attempts",
    "item",
    "ansible_loop_var",
    "ansible_job_id",
    "results_file",
    "started",
    "finished",
    "start",
    "end",
    "delta",
}
"""What Ansible itself puts into results, and documents."""

ANY_NAME = re.compile(r"^[A-Z][A-Z0-9_]*$")
TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
    "complex": (dict, list),
    "raw": (object,),
}
INFERRED: dict[str, tuple[type, ...]] = {"bool": (bool,), "float": (int, float), "str": (str,), "list": (list,)}
EVERY_TIME = re.compile(r"^(always|success|on success)\b")


@dataclass
class Documented:
    """A module's RETURN, and which of its keys were seen."""

    module: str
    keys: Keys
    seen: set[str] = field(default_factory=set)
    results: int = 0

    def judge(self, result: Keys) -> Iterator[str]:
        """Yield what is wrong with one result."""
        self.results += 1
        own = {key: value for key, value in result.items() if key not in STANDARD and not key.startswith("_ansible")}
        yield from self._mapping(own, self.keys, "", complete=not result.get("failed"))

    def _mapping(self, given: Keys, keys: Keys, where: str, *, complete: bool) -> Iterator[str]:
        any_name = next((name for name in keys if ANY_NAME.match(name)), None)
        for key, value in given.items():
            name = key if key in keys else any_name
            if name is None:
                yield f"{self.module}: {where}{key} is returned and not documented"
                continue
            self.seen.add(f"{where}{name}")
            yield from self._value(value, keys[name] or {}, f"{where}{name}", complete=complete)
        for name, about in keys.items():
            expected = complete and name != any_name and EVERY_TIME.match(str((about or {}).get("returned", "")))
            if expected and name not in given:
                yield f"{self.module}: {where}{name} is documented as returned {about['returned']} and was missing"

    def _value(self, value: Any, about: Keys, where: str, *, complete: bool) -> Iterator[str]:
        wanted = about.get("type", "raw")
        wrong_bool = isinstance(value, bool) and wanted in ("int", "float")
        # null stands for "not known" whatever the type; Ansible's documentation has no word for it.
        if value is not None and (wrong_bool or not isinstance(value, TYPES.get(wanted, (object,)))):
            yield f"{self.module}: {where} is documented as {wanted} and was {type(value).__name__}"
            return
        choices = about.get("choices")
        if choices and value is not None and value not in choices:
            yield f"{self.module}: {where} was {value!r}, which is not among its documented choices"
        contains = below(about)
        elements = about.get("elements")
        for item in value if isinstance(value, list) else [value]:
            of_list = isinstance(value, list) and elements in TYPES and item is not None
            if of_list and not isinstance(item, TYPES[str(elements)]):
                yield f"{self.module}: {where} has elements documented as {elements}; one was {type(item).__name__}"
            elif contains and isinstance(item, Mapping):
                yield from self._mapping(item, contains, f"{where}.", complete=complete)

    def unseen(self) -> Iterator[str]:
        """Yield what no result held."""
        if not self.results:
            yield f"{self.module}: no test has a result of this module"
            return
        for path in _paths(self.keys, ""):
            if path not in self.seen:
                yield f"{self.module}: {path} is documented and no test saw it"


def _paths(keys: Keys, where: str) -> Iterator[str]:
    for name, about in keys.items():
        if not where and name in STANDARD:
            continue
        yield f"{where}{name}"
        yield from _paths(below(about or {}), f"{where}{name}.")


def below(about: Keys) -> Keys:
    """Return what is documented of the inside of a value: its ``contains``, or else what its sample shows."""
    if about.get("contains"):
        return dict(about["contains"])
    sample = about.get("sample")
    return _entries(sample) if about.get("type") == "dict" and isinstance(sample, dict) else {}


def _entries(sample: Keys) -> Keys:
    """What a sample of a mapping shows: if all its values are mappings, its keys are names; else only the types."""
    if not sample or not all(isinstance(value, dict) for value in sample.values()):
        return {}
    merged: dict[str, Any] = {}
    for entry in sample.values():
        merged.update(entry)
    return {"NAME": {"type": "dict", "contains": {key: _of_value(value) for key, value in merged.items()}}}


def _of_value(value: Any) -> Keys:
    if not isinstance(value, dict):
        return {"type": next((name for name, types in INFERRED.items() if isinstance(value, types)), "raw")}
    # A name with a dot is an attribute's: such a mapping can have any of them.
    if not value or any("." in str(key) for key in value):
        return {"type": "dict"}
    return {"type": "dict", "contains": {key: _of_value(inner) for key, inner in value.items()}}


def read_return(path: Path) -> Keys:
    """Return the RETURN block of a module's file."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and any(getattr(name, "id", "") == "RETURN" for name in node.targets):
            block: Keys = yaml.safe_load(ast.literal_eval(node.value)) or {}
            return block
    return {}


def documented(root: Path) -> dict[str, Documented]:
    """Return what every module below ``root`` documents."""
    files = sorted((root / "plugins" / "modules").glob("[!_]*.py"))
    return {path.stem: Documented(path.stem, read_return(path)) for path in files}


def judge(modules: dict[str, Documented], log: Path, *, complete: bool) -> list[str]:
    """Return what is wrong; ``complete``: whether all tests ran, so that what was not seen is wrong too."""
    found: dict[str, None] = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        entry = json.loads(line)
        module = modules.get(entry["module"])
        sentences = module.judge(entry["result"]) if module else [f"there is no module {entry['module']}"]
        found.update(dict.fromkeys(sentences))
    if complete:
        for module in modules.values():
            found.update(dict.fromkeys(module.unseen()))
    return list(found)
