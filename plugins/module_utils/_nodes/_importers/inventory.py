# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: any Ansible inventory, by way of ``ansible-inventory``.

A JSON file is taken for what ``ansible-inventory --list`` prints (better with ``--export``: then the variables of
groups stay at the groups). Any other path is handed to ``ansible-inventory --list --export``, which runs inventory
scripts and plugins as Ansible does. Nothing is decrypted, and no template is rendered. What ansible-inventory says
of a source that it cannot list may quote the source, so no more of it is told than the place and the kind of fault.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..batch import Batch, Entry
from ..errors import ErrorCode, MetalError
from ..names import RESERVED
from ..schema import ATTRIBUTES, MASK, SECRETS, attribute
from .draft import SECRET, Draft, custom_name, looks_secret, unreadable

SECONDS = 600
"""How long ansible-inventory may take."""

VARIABLES = {found.variable: found.name for found in ATTRIBUTES} | {
    "bmc_address": "bmc.address",
    "bmc_host": "bmc.address",
    "bmc_ip": "bmc.address",
    "ipmi_address": "bmc.address",
    "ipmi_host": "bmc.address",
    "ipmi_ip": "bmc.address",
    "idrac_ip": "bmc.address",
    "ilo_ip": "bmc.address",
    "bmc_user": "bmc.user",
    "bmc_username": "bmc.user",
    "ipmi_user": "bmc.user",
    "ipmi_username": "bmc.user",
    "bmc_password": "bmc.password",
    "ipmi_password": "bmc.password",
    "mac": "net.mac",
    "mac_address": "net.mac",
    "macaddress": "net.mac",
    "serial_number": "system.serial",
    "system_uuid": "system.uuid",
    "room": "location.room",
    "row": "location.row",
    "rack": "location.rack",
}
"""Variable to attribute, the surest first. ansible_host is net.ip, if it is an address and nothing else says it."""

_NO_GROUPS = frozenset({"all", "ungrouped", "_meta"})
_TEMPLATES = ("{{", "{%", "{#")
_OURS = ("stage0.yml", "stage0.yaml")
_SAID = re.compile(
    r"^\[ERROR\]: (?P<ours>stage0\.metal\.nodes: [^\n]+)"
    r"|(?P<yaml>YAML parsing failed: (?:[^\n'\"]|'.')+)"
    r"|(?P<script>Inventory script returned non-zero exit code [0-9]+)",
    re.MULTILINE,
)
"""What may be told of ansible-inventory's complaints: whatever else they hold may be a line of the source."""
_PLACE = re.compile(
    r"Origin: (?P<file>/[^\n]+?):(?P<line>[0-9]+)(?::[0-9]+)?$|'(?P<old>/[^\n']+)': line (?P<at>[0-9]+)", re.MULTILINE
)


def read(path: Path) -> Batch:
    """Return what the inventory at ``path`` holds. Raises: MetalError ``invalid`` if it is none, or takes too long."""
    try:
        return _Importer(path, _loaded(path)).read()
    except RecursionError as exc:
        raise unreadable(path, "an inventory", exc) from exc


def _loaded(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig") if path.is_file() and path.suffix == ".json" else _listed(path)
        found = json.loads(text, object_hook=_unwrapped)
    except (OSError, ValueError, RecursionError) as exc:
        raise unreadable(path, "what ansible-inventory --list prints", exc) from exc
    if not isinstance(found, dict) or not all(isinstance(group, dict) for group in found.values()):
        raise MetalError(ErrorCode.INVALID, f"{path} does not hold what ansible-inventory --list prints")
    return found


def _listed(path: Path) -> str:
    """Return what ansible-inventory makes of ``path``; every complaint of it that it goes on after is an error here."""
    if not path.exists() or "," in str(path):
        raise MetalError(ErrorCode.INVALID, f"{path} is no inventory: name a file or directory, without a comma in it")
    beside = Path(sys.executable).parent / "ansible-inventory"
    command = [str(beside) if beside.exists() else "ansible-inventory", "-i", str(path), "--list", "--export"]
    quiet = {
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
    }
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=SECONDS, env={**_environment(path), **quiet}
        )
    except subprocess.TimeoutExpired:
        raise MetalError(ErrorCode.TIMEOUT, f"ansible-inventory did not list {path} within {SECONDS} s") from None
    except OSError as exc:
        raise unreadable(path, "an inventory: ansible-inventory does not run", exc) from exc
    if done.returncode != 0:
        raise MetalError(
            ErrorCode.INVALID,
            f"ansible-inventory cannot list {path}: {_cause(done.stderr) or 'it is no inventory'}; "
            f"ansible-inventory -i {path} --list tells more",
        )
    return done.stdout


def _environment(path: Path) -> dict[str, str]:
    """Return the environment for what lists ``path``: the key of our database only if our own plugin reads it there."""
    files = path.rglob("*stage0.y*ml") if path.is_dir() else [path]
    ours = any(
        file.name.endswith(_OURS) and file.is_file() and b"stage0.metal.nodes" in file.read_bytes() for file in files
    )
    return {name: value for name, value in os.environ.items() if ours or not name.startswith("STAGE0_")}


def _cause(said: str) -> str:
    """Return the first fault that ansible-inventory names, with its place, and without text of the source."""
    fault, place = _SAID.search(said), _PLACE.search(said)
    if fault and fault["ours"]:
        return fault["ours"]
    where = f"{place['file'] or place['old']}: line {place['line'] or place['at']}" if place else ""
    return ": ".join(part for part in (where, fault[0].strip(" .") if fault else "") if part)


class _Literal(str):
    """Text of which Ansible knows that it is no template, whatever braces it has."""

    __slots__ = ()


def _unwrapped(found: dict[str, Any]) -> Any:
    """Return the text that ansible-inventory wraps because a plugin made it; anything else as it is."""
    text = found.get("__ansible_unsafe")
    return _Literal(text) if len(found) == 1 and isinstance(text, str) else found


def _bare(value: Any) -> Any:
    """Return ``value`` with plain text throughout."""
    if isinstance(value, dict):
        return {str(key): _bare(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_bare(inner) for inner in value]
    return str(value) if isinstance(value, str) else value


class _Importer:
    def __init__(self, path: Path, found: dict[str, Any]) -> None:
        self.draft = Draft(path, "ansible")
        self.found = found
        meta = found.get("_meta", {}).get("hostvars", {})
        self.hostvars: dict[str, Any] = meta if isinstance(meta, dict) else {}
        self.parents: dict[str, set[str]] = {}
        self.of_hosts: dict[str, set[str]] = {}
        for group in found:
            for child in self._names(group, "children"):
                self.parents.setdefault(child, set()).add(group)
            for host in self._names(group, "hosts"):
                self.of_hosts.setdefault(host, set()).add(group)
        for host in self.hostvars:
            self.of_hosts.setdefault(host, set())
        self.nodes = self.draft.names(dict.fromkeys(self.of_hosts, "hosts"), "node")
        names = [name for name in dict.fromkeys([*found, *self.parents]) if name not in _NO_GROUPS]
        self.groups = self.draft.names(
            {name: "groups" for name in names if name not in RESERVED}, "group", [*self.nodes.values(), *self.of_hosts]
        )
        if self._variables("all"):
            self.groups["all"] = "ansible-all"
        self.depths: dict[str, int] = {}

    def _names(self, group: str, kind: str) -> list[str]:
        names = self.found[group].get(kind, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise MetalError(
                ErrorCode.INVALID, f"{self.draft.batch.path}: group {group}: {kind} must be a list of names"
            )
        return names

    def _variables(self, group: str) -> dict[str, Any]:
        variables = self.found.get(group, {}).get("vars", {})
        return variables if isinstance(variables, dict) else {}

    def read(self) -> Batch:
        """Fill the batch."""
        batch = self.draft.batch
        for host, here in self.nodes.items():
            groups = [self.groups[group] for group in self.groups_of(host) if group in self.groups]
            batch.nodes.append(Entry(f"host {host}", here, groups, {}))
            variables = self.hostvars.get(host, {})
            self.add(batch.nodes[-1], variables if isinstance(variables, dict) else {})
        for group, here in self.groups.items():
            batch.groups.append(Entry(f"group {group}", here, None, {}))
            self.add(batch.groups[-1], self._variables(group))
        return self.draft.batch

    def groups_of(self, host: str) -> list[str]:
        """Return all groups that a host is in, by their children too, the one that Ansible lets win first."""
        found: set[str] = set()
        waiting = [*self.of_hosts[host], "all"]
        while waiting:
            group = waiting.pop()
            if group not in found:
                found.add(group)
                waiting.extend(self.parents.get(group, ()))
        return sorted(found, key=lambda group: (self.depth(group), self.priority(group), group), reverse=True)

    def depth(self, group: str) -> int:
        """Return how far ``group`` is below all: the deeper one wins in Ansible."""
        if group not in self.depths:
            self.depths[group] = 0  # where groups are in a circle, which Ansible refuses
            parents = self.parents.get(group, set()) - {"all"}
            self.depths[group] = 0 if group == "all" else 1 + max((self.depth(parent) for parent in parents), default=0)
        return self.depths[group]

    def priority(self, group: str) -> int:
        """Return ansible_group_priority, 1 if it is not set."""
        given = str(self._variables(group).get("ansible_group_priority", 1))
        return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 1

    def add(self, entry: Entry, variables: dict[str, Any]) -> None:
        """Put all variables of one host or group into ``entry``; the surest comes first."""
        order = {name: number for number, name in enumerate(VARIABLES)}
        for name in sorted(variables, key=lambda name: (order.get(name, len(order)), name)):
            value, where = variables[name], f"{'groups' if entry.groups is None else 'hosts'}: {name}"
            if _has_template(value):
                self.draft.leave(entry.name, where, "it is a template, and what it comes to only a play knows")
                self.blank(entry, name)
            elif _has_vault(value) or value == MASK:
                self.draft.leave(entry.name, where, "it is encrypted or masked; set it")
                self.blank(entry, name)
            elif name == "ansible_host":
                self.add_host(entry, value, where)
            else:
                self.add_one(entry, name, _bare(value), where)

    def blank(self, entry: Entry, name: str) -> None:
        """Let no other group's value take the place of a variable that is not taken over."""
        if name in VARIABLES:
            entry.values.setdefault(VARIABLES[name], None)

    def add_one(self, entry: Entry, name: str, value: Any, where: str) -> None:
        """Put one variable: as an attribute, or as text under custom.*."""
        target = VARIABLES.get(name)
        if target is None:
            root = next((root for root in ("site", "custom") if name.startswith(f"metal_{root}_")), None)
            if root and not looks_secret(name, value):
                target = attribute_of(name, root)
        value = None if value == "" else value
        if target is None:
            self.keep(entry, name, value, where)
        elif target not in entry.values:
            text = _plain(value) if target.startswith(("site.", "custom.")) else value
            self.draft.put_text(entry, target, text, where, (name,))
        elif target in SECRETS:
            self.draft.leave(entry.name, where, SECRET)
        elif entry.values[target] != value:
            self.keep(entry, name, value, where)

    def add_host(self, entry: Entry, value: Any, where: str) -> None:
        """ansible_host: the node's address, unless another variable says it or it is a name."""
        try:
            address = str(ipaddress.ip_address(str(value)))
        except ValueError:
            address = ""
        if address and entry.values.get("net.ip") == address:
            return
        if not address or "net.ip" in entry.values or entry.groups is None:
            self.keep(entry, "ansible_host", value, where)
        else:
            self.draft.put_text(entry, "net.ip", address, where)

    def keep(self, entry: Entry, name: str, value: Any, where: str) -> None:
        """Keep a variable as text; lists and dictionaries as JSON."""
        if value is None:
            return
        if looks_secret(name, value):
            self.draft.leave(entry.name, where, SECRET)
        else:
            self.draft.keep(entry, (name,), _plain(value), where)


def attribute_of(variable: str, root: str) -> str:
    """Return the attribute under ``root`` (site, custom) that the inventory plugin makes ``variable`` from."""
    name = f"{root}." + re.sub("_+", _separator, variable.removeprefix(f"metal_{root}_"))
    try:
        return attribute(name).name
    except MetalError:  # it is not from there
        return custom_name(*name.split(".")[1:], root=root)


def _separator(underscores: re.Match[str]) -> str:
    """Undo what Attribute.variable does: an even number stands for what ends with a dot."""
    count = len(underscores[0])
    return "_" * ((count + 1) // 2) if count % 2 else "_" * (count // 2 - 1) + "."


def _plain(value: Any) -> Any:
    if isinstance(value, (bool, dict, list)):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return value if value is None else str(value)


def _has_template(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_template(key) or _has_template(inner) for key, inner in value.items())
    if isinstance(value, list):
        return any(_has_template(inner) for inner in value)
    return isinstance(value, str) and not isinstance(value, _Literal) and any(mark in value for mark in _TEMPLATES)


def _has_vault(value: Any) -> bool:
    if isinstance(value, dict):
        return "__ansible_vault" in value or any(_has_vault(inner) for inner in value.values())
    if isinstance(value, list):
        return any(_has_vault(inner) for inner in value)
    return isinstance(value, str) and value.startswith("$ANSIBLE_VAULT")
