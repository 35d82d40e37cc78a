# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: Confluent's database, as ``confluentdbutil dump`` writes it: a directory with main.json.

What a group has stays at the group. Encrypted and hashed values are never taken over. An expression is translated if
it says what one here can say, works for every node that has it, and gives what Confluent noted as its value.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..batch import Batch, Entry
from ..errors import ErrorCode, MetalError
from ..names import RESERVED
from ..schema import attribute
from ..secrets import Keyring
from ..view import Inherited, View
from .confluent_expression import translate
from .draft import SECRET, Draft, custom_name, looks_secret, unreadable
from .perl_sum import Unclear

ATTRIBUTES = {
    "hardwaremanagement.manager": "bmc.address",
    "hardwaremanagement.method": "bmc.driver",
    "id.serial": "system.serial",
    "id.uuid": "system.uuid",
    "id.model": "system.model",
    "location.room": "location.room",
    "location.row": "location.row",
    "location.rack": "location.rack",
    "location.u": "location.u",
    "enclosure.manager": "location.chassis",
    "enclosure.bay": "location.slot",
    "dns.servers": "net.dns",
    "deployment.lock": "deploy.lock",
}
"""Confluent's attribute to ours. All others are kept under custom.confluent.*; its own custom.* stay custom.*."""

INTERFACE = {"hwaddr": "net.mac", "ipv4_address": "net.ip", "ipv4_gateway": "net.gateway", "hostname": "net.hostname"}
"""The same for the last word of net.INTERFACE.*, of the interface that the nodes boot from."""

WORDS = {"deployment.lock": {"locked": "locked", "autolock": "auto", "unlocked": "unlocked", "": "unlocked"}}
"""Values that have another name here."""

_AREAS = {"node": "nodes", "group": "nodegroups"}
_HIDDEN = frozenset({"cryptvalue", "hashvalue", "cryptpass"})
_REDACTED = "*REDACTED*"
_PREFIX = re.compile(r"(?P<address>.+)/(?P<length>[0-9]{1,3})")


def read(path: Path) -> Batch:
    """Return what the dump at ``path`` (the directory, or its main.json) holds. Raises: MetalError with the place."""
    return _Importer(path).read()


def _load(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the areas "nodes" and "nodegroups" of a dump: name to attribute to value."""
    main = path / "main.json" if path.is_dir() else path
    files = {"": main} if main.exists() else {area: path / f"{area}.json" for area in ("nodes", "nodegroups")}
    found: dict[str, Any] = {}
    for area, file in files.items():
        try:
            content = json.loads(file.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError) as exc:
            raise unreadable(file, "what confluentdbutil dump writes", exc) from exc
        found |= {area: content} if area else (content if isinstance(content, dict) else {})
    for area in ("nodes", "nodegroups"):
        entries = found.setdefault(area, {})
        if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
            raise MetalError(ErrorCode.INVALID, f"{path}: {area} must be an object of objects, as Confluent writes it")
    if not found["nodes"] and not found["nodegroups"]:
        raise MetalError(ErrorCode.INVALID, f"{path} holds neither nodes nor nodegroups of Confluent's")
    return {area: found[area] for area in ("nodes", "nodegroups")}


class _Importer:
    def __init__(self, path: Path) -> None:
        found = _load(path)
        self.draft = Draft(path, "confluent")
        self.there = {"node": found["nodes"], "group": found["nodegroups"]}
        self.nodes = self.draft.names(dict.fromkeys(found["nodes"], "nodes"), "node")
        groups = dict.fromkeys(found["nodegroups"])
        for name in self.nodes:
            groups |= dict.fromkeys(self.groups_of(name))
        for name in [name for name in groups if "noderange" in found["nodegroups"].get(name, {})]:
            self.draft.leave(name, "nodegroups", "a dynamic group: write its noderange where the group was named")
            del groups[name]
        plain = {name: "nodegroups" for name in groups if name not in RESERVED}
        self.groups = self.draft.names(plain, "group", [*self.nodes.values(), *found["nodes"]])
        self.groups |= {name: f"confluent-{name}" for name in groups if name in RESERVED}
        self.boots = self._boot_interface()
        self.expressions: dict[tuple[str, str], _Expression] = {}

    def read(self) -> Batch:
        """Fill the batch."""
        batch = self.draft.batch
        for name, here in self.nodes.items():
            groups = [self.groups[group] for group in self.groups_of(name) if group in self.groups]
            batch.nodes.append(Entry(f"nodes: {name}", here, groups, {}))
            self.add_values(batch.nodes[-1], "node", name)
        for name, here in self.groups.items():
            batch.groups.append(Entry(f"nodegroups: {name}", here, None, {}))
            self.add_values(batch.groups[-1], "group", name)
        self.prove()
        return self.draft.batch

    def groups_of(self, node: str) -> list[str]:
        """Return the groups of a node, by their names in Confluent, in order."""
        listed = self.there["node"][node].get("groups", [])
        names = listed.split(",") if isinstance(listed, str) else listed
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise MetalError(
                ErrorCode.INVALID, f"{self.draft.batch.path}: nodes: {node}: groups must be a list of names"
            )
        return list(dict.fromkeys(name.strip() for name in names if name.strip()))

    def _boot_interface(self) -> str | None:
        """Return the middle of net.INTERFACE.* that nodes boot from ("" for net.*), or None if that is not clear."""
        interfaces: dict[str, bool] = {}
        for kind in ("group", "node"):
            for values in self.there[kind].values():
                for name, value in values.items():
                    middle, _dot, last = name.removeprefix("net.").rpartition(".")
                    if not name.startswith("net."):
                        continue
                    if last in INTERFACE:
                        interfaces.setdefault(middle, False)
                    elif last == "bootable" and isinstance(value, dict) and str(value.get("value")).lower() == "true":
                        interfaces[middle] = True
        bootable = [name for name, boots in interfaces.items() if boots]
        for choice in (bootable, [name for name in interfaces if name == ""], list(interfaces)):
            if choice:
                break
        if len(choice) == 1:
            return choice[0]
        if choice:
            self.draft.leave(
                "net.*",
                "nodes",
                f"which of {', '.join(sorted(choice))} the nodes boot from is not clear; set net.mac, net.ip",
            )
        return None

    def target(self, name: str) -> str | None:
        """Return the attribute here for one of Confluent's, or None."""
        if name in ATTRIBUTES:
            return ATTRIBUTES[name]
        middle, _dot, last = name.removeprefix("net.").rpartition(".")
        return INTERFACE.get(last) if name.startswith("net.") and middle == self.boots else None

    def referred(self, name: str) -> str | None:
        """Return what an expression calls Confluent's attribute ``name`` here; all but secrets have a name."""
        parts = name.split(".")
        return None if parts[0] in ("secret", "crypted") else self.target(name) or self.custom(name)

    @staticmethod
    def custom(name: str) -> str:
        """Return the attribute under custom.* for one of Confluent's."""
        parts = name.split(".")
        return custom_name(*parts[1:]) if parts[0] == "custom" and len(parts) > 1 else custom_name("confluent", *parts)

    def add_values(self, entry: Entry, kind: str, name: str) -> None:
        """Put all that Confluent says of one node or group into ``entry``."""
        for key, value in self.there[kind].get(name, {}).items():
            where = f"{_AREAS[kind]}: {key}"
            if key in ("groups", "nodes", "_expressionkeys") or value in (None, {}):
                continue
            if value == _REDACTED or (isinstance(value, dict) and _HIDDEN & value.keys()) or key in _HIDDEN:
                self.draft.leave(entry.name, where, "encrypted or hashed by Confluent; set it")
            elif self.target(key) is None and looks_secret(key, value):
                self.draft.leave(entry.name, where, SECRET)
            elif isinstance(value, dict) and "expression" in value:
                self.add_expression(entry, key, value, where)
            else:
                self.add_value(entry, key, value.get("value") if isinstance(value, dict) else value, where)

    def add_value(self, entry: Entry, key: str, value: Any, where: str) -> None:
        """Put one plain value."""
        if isinstance(value, (dict, list)):
            value = json.dumps(value, sort_keys=True)
        if value is None or (value == "" and key not in WORDS):
            self.draft.put(entry, self.target(key) or self.custom(key), None, where)  # Confluent blanks by ""
            return
        text = str(value)
        target = self.target(key)
        if target in ("bmc.address", "net.ip"):
            prefixed = _PREFIX.fullmatch(text)
            if prefixed and target == "net.ip":
                self.draft.put(entry, "net.netmask", prefixed["length"], where)
            text = prefixed["address"] if prefixed else text
        if target is not None:
            text = WORDS.get(key, {}).get(text, text)
            choices = attribute(target).choices
            if not choices or text in choices:
                self.draft.put_text(entry, target, text, where, tuple(key.split(".")))
                return
            self.draft.leave(entry.name, where, f"{text!r} is none of {', '.join(choices)}")
            entry.values[target] = None
        self.keep(entry, key, text, where, literal=True)

    def keep(self, entry: Entry, key: str, text: str, where: str, *, literal: bool) -> None:
        """Keep what has no attribute here, under the name that its expressions use."""
        parts = key.split(".")
        own = parts[0] == "custom" and len(parts) > 1
        self.draft.keep(entry, tuple(parts[1:] if own else parts), text, where, literal=literal, own=own)

    def add_expression(self, entry: Entry, key: str, value: dict[str, Any], where: str) -> None:
        """Put the translation of an expression, or name why there is none."""
        original, noted, target = str(value["expression"]), value.get("value"), self.target(key)
        prefixed = _PREFIX.fullmatch(original) if target in ("bmc.address", "net.ip") else None
        if prefixed:
            noted = str(noted).rpartition("/")[0] if noted is not None else None
            if target == "net.ip":
                self.draft.put(entry, "net.netmask", prefixed["length"], where)
        expression = _Expression(entry, key, original, noted if entry.groups is not None else None, where)
        try:
            if "broken" in value:
                raise Unclear(f"Confluent noted that it is broken: {value['broken']!r}")
            text = translate(prefixed["address"] if prefixed else original, self.referred)
        except Unclear as exc:
            self.leave_expression(expression, str(exc))
            return
        name = target or self.custom(key)
        if target is not None:
            self.draft.put(entry, target, text, where, tuple(key.split(".")))
        else:
            self.keep(entry, key, text, where, literal=False)
        self.expressions[entry.name, name] = expression

    def leave_expression(self, expression: _Expression, why: str) -> None:
        """Name an expression that is not taken over, and keep its text; no other group's value takes its place."""
        entry, key = expression.entry, expression.key
        self.draft.leave(entry.name, expression.where, f"{expression.text!r} cannot be translated: {why}")
        entry.values.pop(self.target(key) or self.custom(key), None)
        self.keep(entry, key, expression.text, expression.where, literal=True)
        target = self.target(key)
        if target is not None:
            entry.values[target] = None

    def prove(self) -> None:
        """Evaluate every expression for all nodes that have it, and leave those that fail, until none does."""
        while wrong := self.wrong():
            for place, why in wrong.items():
                self.leave_expression(self.expressions.pop(place), why)

    def wrong(self) -> dict[tuple[str, str], str]:
        """Return the expressions that fail for a node, or give another value than Confluent noted, and why."""
        batch, keyring = self.draft.batch, Keyring()
        of_groups = {entry.name: entry.values for entry in batch.groups}
        wrong: dict[tuple[str, str], str] = {}
        for node in batch.nodes:
            view = View(node.name, node.values, Inherited(node.groups or [], of_groups), keyring)
            for name in view.expressions():
                place = (str(view.origin(name)).removeprefix("group:") if name not in node.values else node.name, name)
                if place not in self.expressions:
                    continue
                noted = self.expressions[place].noted
                try:
                    got = view[name]
                    if noted is not None and attribute(name).check_value(noted) != got:
                        wrong.setdefault(
                            place, f"Confluent noted {noted!r} for {node.name}, and here it comes to {got!r}"
                        )
                except MetalError as exc:
                    wrong.setdefault(place, f"for {node.name}: {exc.message}")
        return wrong


@dataclass(frozen=True, slots=True)
class _Expression:
    """An expression of Confluent's: where it stands, and the value that Confluent noted beside it, if any."""

    entry: Entry
    key: str
    text: str
    noted: Any
    where: str
