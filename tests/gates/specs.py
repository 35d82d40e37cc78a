# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: where the real specs are: of modules, roles, playbooks and inventory plugins."""

from __future__ import annotations

import importlib
import json
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from .arguments import Spec
from .yaml_text import load_all

PREFIX = "stage0.metal."
ROLE_ACTIONS = {
    f"{prefix}{name}"
    for prefix in ("ansible.builtin.", "ansible.legacy.", "")
    for name in ("include_role", "import_role")
}


@dataclass(frozen=True)
class Play:
    """What a playbook takes: the roles that it uses and the variables that it sets a default for."""

    roles: frozenset[str]
    variables: frozenset[str]


@dataclass
class Collection:
    """The collection below ``root``; ``package``: its dotted name, for importing modules.

    ``documented``: overrides what ansible-doc says of inventory plugins, for tests of the gate.
    """

    root: Path
    package: str = "ansible_collections.stage0.metal"
    documented: dict[str, Any] | None = None
    _modules: dict[str, Spec] = field(default_factory=dict)

    @cached_property
    def module_names(self) -> list[str]:
        """The names of the modules, without the collection's."""
        return sorted(path.stem for path in (self.root / "plugins" / "modules").glob("[!_]*.py"))

    def module(self, name: str) -> Spec:
        """Return the spec that the module itself would give to AnsibleModule."""
        if name not in self._modules:
            loaded = importlib.import_module(f"{self.package}.plugins.modules.{name}")
            self._modules[name] = Spec.of_module(loaded.ARGUMENT_SPEC.to_kwargs())
        return self._modules[name]

    @cached_property
    def roles(self) -> dict[str, dict[str, Spec]]:
        """Role to entry point to spec."""
        found: dict[str, dict[str, Spec]] = {}
        for folder in sorted((self.root / "roles").glob("*/")):
            specs = folder / "meta" / "argument_specs.yml"
            entries = yaml.safe_load(specs.read_text())["argument_specs"] if specs.exists() else {}
            found[folder.name] = {name: Spec((about or {}).get("options") or {}) for name, about in entries.items()}
        return found

    @cached_property
    def playbooks(self) -> dict[str, Play]:
        """Playbook, without ending, to what it takes."""
        return {path.stem: self._playbook(path) for path in sorted((self.root / "playbooks").glob("*.yml"))}

    def _playbook(self, path: Path) -> Play:
        roles: set[str] = set()
        variables: set[str] = set()
        for document in load_all(path.read_text()):
            for play in document if isinstance(document, list) else []:
                variables |= set(play.get("vars") or {})
                roles |= {role for role in _roles_named(play) if role in self.roles}
        return Play(frozenset(roles), frozenset(variables))

    def playbook_variables(self, name: str) -> set[str]:
        """The variables that a user of the playbook may set: those of its roles and those of its ``vars``."""
        play = self.playbooks[name]
        of_roles = {option for role in play.roles for spec in self.roles[role].values() for option in spec.names()}
        return of_roles | play.variables

    @cached_property
    def inventories(self) -> dict[str, Spec]:
        """Inventory plugin to spec, with the options of the fragments that it extends."""
        names = sorted(path.stem for path in (self.root / "plugins" / "inventory").glob("[!_]*.py"))
        if not names:
            return {}
        documented = self.documented if self.documented is not None else _ansible_doc("inventory", names)
        return {name: Spec(_as_options(documented[f"{PREFIX}{name}"]["doc"]["options"])) for name in names}


def _as_options(documented: dict[str, Any]) -> dict[str, Any]:
    kept = ("type", "elements", "choices", "required", "aliases", "default")
    options: dict[str, Any] = {}
    for name, about in documented.items():
        options[name] = {key: about[key] for key in kept if about.get(key) is not None}
        if isinstance(options[name].get("choices"), dict):
            options[name]["choices"] = list(options[name]["choices"])
        if "suboptions" in about:
            options[name]["options"] = _as_options(about["suboptions"])
        # Ansible's own inventory options are documented with types that a module could not have.
        if options[name].get("type") in ("any", "none", "tmp", "pathlist", "tmppath", "integer", "string", "boolean"):
            options[name]["type"] = "raw"
    return options


def _ansible_doc(kind: str, names: list[str]) -> dict[str, Any]:
    command = ["ansible-doc", "-t", kind, "--json", *(f"{PREFIX}{name}" for name in names)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    documented: dict[str, Any] = json.loads(done.stdout)
    return documented


def _roles_named(part: Any) -> set[str]:
    """Every role of ours that a play names, however deep in its blocks."""
    found: set[str] = set()
    if isinstance(part, list):
        for item in part:
            found |= _roles_named(item)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "roles" and isinstance(value, list):
                found |= {role if isinstance(role, str) else str(role.get("role", role.get("name"))) for role in value}
            elif key in ROLE_ACTIONS and isinstance(value, dict):
                found.add(str(value.get("name")))
            else:
                found |= _roles_named(value)
    return {name.removeprefix(PREFIX) for name in found}
