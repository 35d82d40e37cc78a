# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operations ``node_import``, ``node_export``, ``network`` and ``network_info``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from .._deploy.arm import disarm
from .._nodes import csvfile, files, yamlfile
from .._nodes.batch import Batch, Entry, Unmapped
from .._nodes.bulk import without_collector
from .._nodes.change import Change
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.formats import FORMATS, recognise
from .._nodes.networks import Networks
from .._nodes.noderange import fold
from .._nodes.reading import Record
from .._nodes.schema import ENCRYPTED, MASK, SECRETS
from .._nodes.store import Store, Wish
from .context import Context
from .nodes import differences, summary


def node_import(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Import what a file holds, all of it or nothing."""
    path = Path(parameters["path"])
    with without_collector():
        batch = FORMATS[parameters["format"] or recognise(path)](path)
        with context.write() as store:
            changes = _put(store, batch, parameters)
    unmapped = _unmapped(batch.unmapped)
    result: dict[str, Any] = {
        "changed": any(change.changed for kind in changes.values() for change in kind.values()),
        "summary": summary(changes["nodes"]),
        "groups": summary(changes["groups"]),
        "networks": summary(changes["networks"]),
        "unmapped": unmapped,
        "diff": _differences(changes) if context.diff else {},
    }
    if unmapped:
        told = f"{len(batch.unmapped)} values of {path} were not taken over as they stand; unmapped says which and why"
        result["warnings"] = [told]
    return result


def _differences(changes: Mapping[str, Mapping[str, Change]]) -> dict[str, Any]:
    """Return what differs, by kind; a network may be called like a node."""
    found = {kind: differences(some) for kind, some in changes.items()}
    return {side: {kind: one[side] for kind, one in found.items() if one[side]} for side in ("before", "after")}


def _put(store: Store, batch: Batch, parameters: Mapping[str, Any]) -> dict[str, dict[str, Change]]:
    """Put a batch into the store; return the changes of networks, groups and nodes.

    Only what comes out of it has to be free of contradictions, so what goes goes first, and what networks mean for nodes
    is looked at last.
    """
    whole, networks = parameters["state"] != "merged", Networks(store)
    gone = _gone(store, networks, batch, parameters["max_removed"]) if parameters["state"] == "overridden" else {}
    groups, nodes = (
        {one.name: Wish(one.values, groups=_groups(one, whole=whole), whole=whole, checked=True) for one in entries}
        for entries in (batch.groups, batch.nodes)
    )
    with _placed(batch):
        # what a group says may need what the nodes of the same file bring along
        with store.together() if groups or gone.get("groups") else nullcontext():
            empty = gone.get("groups", [])  # when the nodes are what they shall be: until then they have members
            changes = {
                "networks": networks.remove_many(gone.get("networks", ())),
                "groups": store.remove_many("group", [name for name in empty if name in nodes]),
                "nodes": _remove_nodes(store, gone.get("nodes", ())),
            }
            changes["networks"] |= networks.put_many({one.name: one.values for one in batch.networks}, whole=whole)
            changes["groups"] |= store.put_many("group", groups)
            changes["nodes"] |= store.put_many("node", nodes)
            changes["groups"] |= store.remove_many("group", [name for name in empty if name not in nodes])
        networks.check_nodes([one.name for one in batch.networks])
    return changes


def _gone(store: Store, networks: Networks, batch: Batch, limit: int | None) -> dict[str, list[str]]:
    """Return what is there and not in the file. Raises: MetalError ``invalid`` if those are more nodes than one may mean."""
    named = {kind: {one.name for one in getattr(batch, kind)} for kind in ("networks", "groups", "nodes")}
    told = {kind for kind in ("networks", "groups") if named[kind]} | batch.sections
    named["groups"].update(group for node in batch.nodes for group in node.groups or ())
    there = {
        "networks": list(networks.all()) if "networks" in told else [],
        "groups": store.group_names() if "groups" in told else [],
        "nodes": store.node_names(),
    }
    gone = {kind: [name for name in names if name not in named[kind]] for kind, names in there.items()}
    count, total = len(gone["nodes"]), len(there["nodes"])
    allowed = max(_FEW, total // 2) if limit is None else limit
    if count and not batch.nodes:
        raise MetalError(
            ErrorCode.INVALID,
            f"{batch.path} names no node, so that all {total} would be removed; if that is meant, do it with stage0.metal.node",
        )
    if count and count > allowed:
        raise MetalError(
            ErrorCode.INVALID,
            f"{batch.path} leaves out {count} of {total} nodes, which would be removed; if that is meant, allow it by "
            f"max_removed: {count} (it is {allowed}{' by default' if limit is None else ''})",
        )
    return gone


_FEW = 10
"""Nodes that an import may remove even if they are more than half of all."""


def _remove_nodes(store: Store, names: Sequence[str]) -> dict[str, Change]:
    if names:
        disarm(store, names)  # who gets its name next was not armed
    return store.remove_many("node", names)


def _groups(entry: Entry, *, whole: bool) -> Sequence[str] | None:
    return entry.groups if entry.groups is not None or not whole else ()


@contextmanager
def _placed(batch: Batch) -> Iterator[None]:
    """Say in errors where in the file it is."""
    try:
        yield
    except MetalError as exc:
        places = {one.name: one.place for one in [*batch.groups, *batch.nodes]}
        if exc.node not in places:
            raise
        place = "" if places[exc.node] == exc.node else f" {places[exc.node]}"
        raise MetalError(exc.code, f"{batch.path}:{place} ({exc.node}): {exc.message}") from exc


def _unmapped(found: Sequence[Unmapped]) -> list[dict[str, Any]]:
    """Put together what was not taken over for the same reason."""
    names: dict[tuple[str, str], list[str]] = {}
    for one in found:
        names.setdefault((one.source, one.reason), []).append(one.name)
    return [
        {"source": source, "reason": reason, "count": len(listed), "names": fold(listed)}
        for (source, reason), listed in sorted(names.items())
    ]


def node_export(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Write nodes, with their groups, as a file from which node_import makes the same again."""
    path = Path(parameters["path"])
    form = parameters["format"] or ("yaml" if path.suffix in (".yml", ".yaml") else "csv")
    before = _former(context, path, force=parameters["force"])
    with context.read() as store:
        everything = parameters["nodes"] == ["all"]
        names = store.node_names() if everything else store.expand(parameters["nodes"])
        nodes = store.records("node", names)
        groups = store.group_names() if everything else _groups_of(store, nodes)
        networks = Networks(store).all() if everything else None
        records = store.records("group", groups)
    keep = parameters["secrets"] == "encrypted"
    text = _FORMS[form].write(
        {name: _exported(nodes[name], keep=keep) for name in names},
        {name: _exported(records[name], keep=keep) for name in groups},
        networks,
    )
    if text != before and not context.check_mode:
        files.replace(path, text, mode=0o600 if keep else 0o644)
    return {
        "changed": text != before,
        "file": str(path),  # not path: Ansible would add the file's owner and mode to the result
        "summary": {
            "nodes": len(nodes),
            "groups": len(records),
            "networks": len(networks or ()) if form == "yaml" else 0,
        },
        "diff": {
            "before": _CIPHER.sub(MASK, _shown(before) if context.diff and before != text else text),
            "after": _CIPHER.sub(MASK, text),
            "before_header": str(path),
            "after_header": str(path),
        },
    }


_CIPHER = re.compile(rf"{ENCRYPTED}[\w=-]+")
"""A secret as it is stored: nobody can read it without the key, but logs live long."""

_FORMS: dict[str, Any] = {"csv": csvfile, "yaml": yamlfile}


def _former(context: Context, path: Path, *, force: bool) -> str | None:
    """Return what the file holds that is to be replaced; None if that is no text.

    Raises: MetalError ``invalid`` if it cannot be written, ``conflict`` if it is no export and nothing forces us.
    """
    context.refuse_own_files(path)
    files.check_writable(path)
    text = files.current(path)
    if not force and (text is None or (text.strip() and not any(form.is_ours(text) for form in _FORMS.values()))):
        raise MetalError(
            ErrorCode.CONFLICT,
            f"{path} is there already and is no export; name another file, or set force: true to replace it",
        )
    return text


def _shown(text: str | None) -> str:
    """Return what may be shown of a file that is replaced: people write secrets into theirs as they are."""
    for form in _FORMS.values():
        if text and form.is_ours(text):
            return form.masked(text) or _HIDDEN
    return _HIDDEN if text is None or text.strip() else text


_HIDDEN = "(what was there is not shown: it cannot be read as an export, and may hold secrets)\n"


def _groups_of(store: Store, nodes: Mapping[str, Record]) -> list[str]:
    used = {group for record in nodes.values() for group in record.groups}
    return [name for name in store.group_names() if name in used]


def _exported(record: Record, *, keep: bool) -> Record:
    """Return ``record`` without its secrets, or with them as they are stored: encrypted."""
    if keep or not SECRETS & record.values.keys():
        return record
    return Record({k: v for k, v in record.values.items() if k not in SECRETS or v is None}, record.groups)


def network(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Make, change or remove one network."""
    name, values = parameters["name"], {key: parameters[key] for key in _OPTIONS if parameters[key] is not None}
    both = sorted(set(values) & set(parameters["unset"]))
    if both:
        raise MetalError(ErrorCode.INVALID, f"network {name}: {both[0]} is both set and unset")
    with context.write() as store:
        change = _NETWORK_STATES[parameters["state"]](Networks(store), name, values, parameters["unset"])
    return {
        "changed": change.changed,
        "network": change.after,
        "diff": {"before": change.before, "after": change.after},
    }


_NETWORK_STATES: dict[str, Callable[[Networks, str, Mapping[str, Any], Sequence[str]], Change]] = {
    "present": lambda networks, name, values, unset: networks.put(name, values, unset=unset),
    "absent": lambda networks, name, values, unset: networks.remove(name),
}
_OPTIONS = ("subnet", "vlan", "gateway", "dns", "ntp", "domain", "dynamic_range")


def network_info(context: Context, _parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return all networks."""
    with context.read() as store:
        found = Networks(store).all()
    return {"changed": False, "networks": found, "count": len(found)}
