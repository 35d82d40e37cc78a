# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: is what a YAML document says to our modules, roles and plugins true?

A document is a list of plays, a list of tasks, a configuration of the inventory plugin, or variables; whatever
else it is, nothing of ours is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from ansible.playbook.block import Block
from ansible.playbook.handler import Handler
from ansible.playbook.play import Play
from ansible.playbook.task import Task

from . import meaning
from .arguments import Spec, problems, templated
from .snippets import Snippet
from .specs import PREFIX, ROLE_ACTIONS, Collection
from .yaml_text import Numbered, load_all

GROUP = "group/stage0.metal.metal"
TASK_KEYWORDS = set(Task.fattributes) | set(Handler.fattributes) | {"local_action", "action", "args"}
BLOCK_KEYWORDS = set(Block.fattributes)
PLAY_KEYWORDS = set(Play.fattributes) | {"import_playbook", "ansible.builtin.import_playbook"}
LISTS_OF_TASKS = ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")
Found = Iterator[tuple[int, str]]


def check(collection: Collection, snippet: Snippet) -> list[str]:
    """Return what is wrong in a YAML snippet, as ``path:line: sentence``."""
    try:
        loaded = load_all(snippet.text)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        return [f"{snippet.at(mark.line + 1 if mark else 1)}: not YAML: {getattr(exc, 'problem', exc)}"]
    judge = Judge(collection)
    return [f"{snippet.at(line)}: {sentence}" for part in loaded for line, sentence in judge.document(part)]


class Judge:
    """Walks one document."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    def document(self, document: Any) -> Found:
        """Yield line and sentence for what is wrong in a whole document."""
        if isinstance(document, Numbered):
            if "plugin" in document:
                yield from self.inventory(document)
            else:
                yield from self.variables(document, document.line)
        for item in document if isinstance(document, list) else []:
            if isinstance(item, Numbered):
                yield from self.play(item) if _is_play(item) else self.task(item, {})

    def play(self, play: Numbered) -> Found:
        """A play: its defaults, variables, roles and tasks; or an import of a playbook."""
        for key in play:
            if key not in PLAY_KEYWORDS:
                yield play.line, f"{key!r} is not a keyword of a play"
        for key in ("import_playbook", "ansible.builtin.import_playbook"):
            name = str(play.get(key, ""))
            if name.startswith(PREFIX):
                yield from self.playbook(name.removeprefix(PREFIX), set(play.get("vars") or {}), play.line)
        defaults = play.get("module_defaults") or {}
        yield from self.module_defaults(defaults, play.line)
        yield from self.variables(play.get("vars") or {}, play.line)
        for role in play.get("roles") or []:
            about = {"role": role} if isinstance(role, str) else dict(role)
            name = str(about.get("role", about.get("name")))
            given = {**_mapping(about.get("vars")), **_not_keywords(about)}
            yield from self.role(name, "main", given, getattr(role, "line", play.line))
        for key in LISTS_OF_TASKS:
            yield from self.tasks(play.get(key), defaults)

    def tasks(self, tasks: Any, defaults: Mapping[str, Any]) -> Found:
        """The tasks of a list."""
        for task in tasks if isinstance(tasks, list) else []:
            if isinstance(task, Numbered):
                yield from self.task(task, defaults)

    def task(self, task: Numbered, defaults: Mapping[str, Any]) -> Found:
        """A task or a block."""
        yield from self.module_defaults(task.get("module_defaults") or {}, task.line)
        defaults = {**defaults, **(task.get("module_defaults") or {})}
        if "block" in task:
            for key in task:
                if key not in BLOCK_KEYWORDS:
                    yield task.line, f"{key!r} is not a keyword of a block"
            for key in LISTS_OF_TASKS:
                yield from self.tasks(task.get(key), defaults)
            return
        others = [key for key in task if key not in TASK_KEYWORDS and not str(key).startswith("with_")]
        actions = [key for key in others if "." in str(key) or key in ROLE_ACTIONS]
        for key in others:
            if key not in actions:
                yield task.line, f"{key!r} is neither a keyword of a task nor the full name of a module"
            elif key in ROLE_ACTIONS:
                yield from self.role_action(task, task[key])
            elif key.startswith(PREFIX):
                yield from self.module(key.removeprefix(PREFIX), task[key], defaults, task.line)
        if len(actions) > 1:
            yield task.line, f"one task, two modules: {' and '.join(actions)}"

    def module(self, name: str, given: Any, defaults: Mapping[str, Any], line: int) -> Found:
        """A call of one of our modules."""
        if name not in self.collection.module_names:
            yield line, f"there is no module {PREFIX}{name}"
            return
        if given is not None and not isinstance(given, Mapping):
            yield line, f"the arguments of {PREFIX}{name} are not a mapping"
            return
        spec = self.collection.module(name)
        merged = {**_mapping(defaults.get(GROUP)), **_mapping(defaults.get(f"{PREFIX}{name}")), **_mapping(given)}
        for sentence in [*problems(spec, merged), *meaning.arguments(merged)]:
            yield line, f"{PREFIX}{name}: {sentence}"

    def module_defaults(self, defaults: Any, line: int) -> Found:
        """Defaults: those of the group reach every module in it, so each must know them."""
        for key, given in _mapping(defaults).items():
            if key == GROUP:
                reached = self.collection.module_names
            elif key.startswith(PREFIX):
                reached = [key.removeprefix(PREFIX)]
            elif key.startswith("group/stage0.metal"):
                yield line, f"there is no action group {key.removeprefix('group/')}"
                continue
            else:
                continue
            for name in reached:
                if name not in self.collection.module_names:
                    yield line, f"there is no module {PREFIX}{name}"
                    continue
                spec = self.collection.module(name).without_required()
                for sentence in problems(spec, _mapping(given)):
                    yield line, f"module_defaults for {PREFIX}{name}: {sentence}"

    def role_action(self, task: Numbered, given: Any) -> Found:
        """include_role or import_role."""
        about = _mapping(given)
        entry = str(about.get("tasks_from", "main")).removesuffix(".yml")
        yield from self.role(str(about.get("name")), entry, _mapping(task.get("vars")), task.line)

    def role(self, name: str, entry: str, given: Mapping[str, Any], line: int) -> Found:
        """A use of a role: the entry point exists, and every variable given with it is one of its own."""
        short = name.removeprefix(PREFIX)
        if short not in self.collection.roles:
            if name.startswith(PREFIX):
                yield line, f"there is no role {name}"
            return
        entries = self.collection.roles[short]
        if entry not in entries:
            if not templated(entry):
                yield line, f"role {PREFIX}{short} has no entry point {entry} in meta/argument_specs.yml"
            return
        public = {key: value for key, value in given.items() if not str(key).startswith("_")}
        for sentence in problems(entries[entry].without_required(), public):
            yield line, f"role {PREFIX}{short}: {sentence}"

    def playbook(self, name: str, given: set[str], line: int) -> Found:
        """A use of a playbook: it exists, and takes these variables."""
        if name not in self.collection.playbooks:
            yield line, f"there is no playbook {PREFIX}{name}"
            return
        for variable in sorted(given - self.collection.playbook_variables(name)):
            yield line, f"the playbook {PREFIX}{name} has no variable {variable}"

    def variables(self, given: Any, line: int) -> Found:
        """Variables outside of a role's call: one with a role's prefix must be one of that role's."""
        merged: dict[str, Spec] = {}
        for role, entries in self.collection.roles.items():
            options = {option: about for spec in entries.values() for option, about in spec.options.items()}
            merged[role] = Spec(options).without_required()
        for key, value in _mapping(given).items():
            for role, spec in merged.items():
                if str(key).startswith(f"{role}_"):
                    for sentence in problems(spec, {key: value}):
                        yield line, f"variable of role {PREFIX}{role}: {sentence}"

    def inventory(self, document: Numbered) -> Found:
        """A configuration of an inventory plugin."""
        name = str(document["plugin"])
        if not name.startswith(PREFIX):
            return
        if name.removeprefix(PREFIX) not in self.collection.inventories:
            yield document.line, f"there is no inventory plugin {name}"
            return
        for sentence in problems(self.collection.inventories[name.removeprefix(PREFIX)], document):
            yield document.line, f"{name}: {sentence}"


def _is_play(item: Mapping[str, Any]) -> bool:
    return any(key in item for key in ("hosts", "import_playbook", "ansible.builtin.import_playbook"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _not_keywords(role: Mapping[str, Any]) -> dict[str, Any]:
    """What is given to a role beside its name: in ``roles:`` a variable may stand without ``vars:``."""
    return {key: value for key, value in role.items() if key not in PLAY_KEYWORDS | TASK_KEYWORDS | {"role", "name"}}
