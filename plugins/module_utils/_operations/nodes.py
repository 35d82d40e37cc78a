# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operations ``node``, ``group`` and ``node_info``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .._deploy.arm import disarm
from .._deploy.deployments import Deployments
from .._deploy.states import ACTIVE
from .._nodes.change import Change
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.names import check_name
from .._nodes.noderange import fold
from .._nodes.schema import SECRETS, attribute, flatten, shown
from .._nodes.spelling import spell
from .._nodes.store import Store, Wish
from .._nodes.view import View
from .context import Context


def node(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Make, change, rename or remove nodes: all that are meant, or none."""
    with context.write() as store:
        names = _meant(store, parameters)
        changes = _NODE_STATES[parameters["state"]](store, names, parameters)
    result = {
        "changed": any(change.changed for change in changes.values()),
        "nodes": _shown(changes, parameters["detail"]),
        "summary": summary(changes),
        "diff": differences(changes) if context.diff else {},
    }
    if len(changes) == 1:
        (change,) = changes.values()
        result |= {"node": change.after, "diff": {"before": change.before, "after": change.after}}
    return result


def group(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Make, change, rename or remove one group."""
    name = parameters["name"]
    with context.write() as store:
        change = _GROUP_STATES[parameters["state"]](store, [name], parameters)[name]
    return {"changed": change.changed, "group": change.after, "diff": {"before": change.before, "after": change.after}}


def summary(changes: Mapping[str, Change]) -> dict[str, Any]:
    """Return how many nodes were added, changed and removed, and which they are."""
    kinds: dict[str, list[str]] = {"added": [], "changed": [], "removed": []}
    for name, change in changes.items():
        if change.changed:
            kinds[change.verb].append(name)
    counts = {kind: len(names) for kind, names in kinds.items()}
    ranges = {f"{kind}_range": fold(names) for kind, names in kinds.items()}
    return {"total": len(changes), "unchanged": len(changes) - sum(counts.values()), **counts, **ranges}


def differences(changes: Mapping[str, Change]) -> dict[str, Any]:
    """Return what ``--diff`` shows of what has changed. Those that change alike stand there once, as a noderange."""
    alike: dict[str, tuple[list[str], Change]] = {}
    for name, change in changes.items():
        if change.changed:
            sides = json.dumps([_nameless(change.before), _nameless(change.after)])
            alike.setdefault(sides, ([], change))[0].append(name)
    diff: dict[str, Any] = {"before": {}, "after": {}}
    for names, change in alike.values():
        for side, document in (("before", change.before), ("after", change.after)):
            if document:
                diff[side][fold(names)] = _nameless(document)
    return diff


def _nameless(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "name"}


def _meant(store: Store, parameters: Mapping[str, Any]) -> list[str]:
    """Return the nodes that are meant: those that ``name`` spells out, or existing ones that ``nodes`` selects."""
    if parameters["nodes"] is None:
        names = spell(",".join(parameters["name"]))
        for name in names:
            check_name(name)
    else:
        names = store.expand(parameters["nodes"])
    limit = parameters["max_nodes"]
    if limit is not None and len(names) > limit:
        raise MetalError(ErrorCode.INVALID, f"the task means {len(names)} nodes, more than its max_nodes {limit}")
    return names


def _put_nodes(store: Store, names: Sequence[str], parameters: Mapping[str, Any]) -> dict[str, Change]:
    values, unset = _values(parameters), parameters["unset"]
    groups = parameters["groups"]
    if groups is None:
        return store.put_many("node", {name: Wish(values, unset) for name in names})
    listed = [check_name(one, "group") for one in groups]
    combine = _GROUPS[parameters["groups_mode"]]
    had = store.records("node", names)
    wishes = {n: Wish(values, unset, combine(had[n].groups if n in had else (), listed)) for n in names}
    return store.put_many("node", wishes)


def _remove_nodes(store: Store, names: Sequence[str], _parameters: Mapping[str, Any]) -> dict[str, Change]:
    disarm(store, names)  # who gets its name next was not armed
    return store.remove_many("node", names)


def _rename_node(store: Store, names: Sequence[str], parameters: Mapping[str, Any]) -> dict[str, Change]:
    found = Deployments(store).latest(names).get(names[0])
    if found is not None and found.state in ACTIVE:
        raise MetalError(
            ErrorCode.CONFLICT,
            f"it is {found.state}, and its installer knows it by this name; wait for it, or disarm it with stage0.metal.arm",
            node=names[0],
        )
    return _renamed(store, "node", names, parameters)


def _put_group(store: Store, names: Sequence[str], parameters: Mapping[str, Any]) -> dict[str, Change]:
    return store.put_many("group", {name: Wish(_values(parameters), parameters["unset"]) for name in names})


def _remove_group(store: Store, names: Sequence[str], _parameters: Mapping[str, Any]) -> dict[str, Change]:
    return store.remove_many("group", names)


def _rename_group(store: Store, names: Sequence[str], parameters: Mapping[str, Any]) -> dict[str, Change]:
    return _renamed(store, "group", names, parameters)


def _renamed(store: Store, kind: str, names: Sequence[str], parameters: Mapping[str, Any]) -> dict[str, Change]:
    """Rename one; where it has been done already, that is no change."""
    new = parameters["new_name"]
    if len(names) != 1:
        raise MetalError(ErrorCode.INVALID, f"{len(names)} nodes cannot all be renamed to {new!r}; name one")
    old = names[0]
    found = store.records(kind, [old, new])
    if new in found and old not in found:
        return {old: Change(kind, (new, found[new]), (new, found[new]))}
    return {old: store.rename(kind, old, new)}


State = Callable[[Store, Sequence[str], Mapping[str, Any]], dict[str, Change]]
_NODE_STATES: dict[str, State] = {"present": _put_nodes, "absent": _remove_nodes, "renamed": _rename_node}
_GROUP_STATES: dict[str, State] = {"present": _put_group, "absent": _remove_group, "renamed": _rename_group}
_GROUPS: dict[str, Callable[[Sequence[str], Sequence[str]], list[str]]] = {
    "set": lambda had, listed: list(listed),
    "append": lambda had, listed: [*had, *listed],
    "remove": lambda had, listed: [one for one in had if one not in listed],
}


def _shown(changes: Mapping[str, Change], detail: str) -> dict[str, Any]:
    """Return the nodes that a result lists: all, those that changed, or none."""
    wanted: dict[str, Callable[[Change], bool]] = {
        "all": lambda change: True,
        "changed": lambda change: change.changed,
        "none": lambda change: False,
    }
    return {name: _told(change) for name, change in changes.items() if wanted[detail](change)}


def _told(change: Change) -> dict[str, Any]:
    after = change.after
    return {"changed": change.changed, **{key: after[key] for key in ("groups", "values") if after}}


def _values(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Put attributes and secrets together. Raises: MetalError ``invalid`` for a secret among the attributes."""
    values = flatten(parameters["attributes"])
    secrets = flatten(parameters["secrets"] or {})
    for name in values:
        if attribute(name).secret and values[name] is not None:
            raise MetalError(
                ErrorCode.INVALID, f"{name} is a secret; give it by the option secrets, which Ansible keeps out of logs"
            )
    for name in secrets:
        if not attribute(name).secret:
            raise MetalError(ErrorCode.INVALID, f"{name} is not a secret; give it by the option attributes")
    both = set(values) & set(secrets) | (set(values) | set(secrets)) & set(parameters["unset"])
    if both:
        raise MetalError(ErrorCode.INVALID, f"{sorted(both)[0]} is both set and unset")
    return values | secrets


def node_info(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what nodes have: effective values, where each comes from, their own ones. Secrets are masked."""
    only = parameters["attributes"]
    for name in only or []:
        attribute(name)
    parts = {key: part for key, part in _PARTS.items() if key in parameters["show"]}
    with context.read() as store:
        # "all" of an empty database is no error here: there is nothing to know, and that is the answer
        nobody = parameters["nodes"] == ["all"] and not store.count("node")
        names = [] if nobody else store.expand(parameters["nodes"])
        found = {
            view.name: {"groups": view.groups, **{key: part(view, only) for key, part in parts.items()}}
            for view in store.stream(names)
        }
    return {"changed": False, "nodes": found, "count": len(found)}


def _effective(view: View, only: Iterable[str] | None) -> dict[str, Any]:
    if only is None:
        return view.shown()
    return {name: shown({name: view.stored(name)})[name] if name in SECRETS else view[name] for name in only}


def _origins(view: View, only: Iterable[str] | None) -> dict[str, str]:
    if only is None:
        return view.origins()
    return {name: origin for name in only if (origin := view.origin(name)) is not None}


def _own(view: View, only: Iterable[str] | None) -> dict[str, Any]:
    return shown({name: value for name, value in view.own.items() if only is None or name in only})


_PARTS: dict[str, Callable[[View, Iterable[str] | None], dict[str, Any]]] = {
    "values": _effective,
    "origins": _origins,
    "own": _own,
}
"""What node_info can show of a node."""
