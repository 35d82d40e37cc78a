# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operations ``node_import``, ``node_export`` and ``network``."""

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
            networks, groups, nodes = _put(store, batch, parameters["state"])
    changes = {"networks": networks, "groups": groups, "nodes": nodes}
    unmapped = _unmapped(batch.unmapped)
    result: dict[str, Any] = {
        "changed": any(change.changed for kind in changes.values() for change in kind.values()),
        "summary": summary(nodes),
        "groups": summary(groups),
        "networks": summary(networks),
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


def _put(store: Store, batch: Batch, state: str) -> tuple[dict[str, Change], dict[str, Change], dict[str, Change]]:
    """Put a batch into the store; return the changes of networks, groups and nodes."""
    whole = state != "merged"
    wishes = {
        kind: {
            one.name: Wish(one.values, groups=_groups(one, whole=whole), whole=whole, checked=True) for one in entries
        }
        for kind, entries in (("group", batch.groups), ("node", batch.nodes))
    }
    # what a group says may need what the nodes of the same file bring along
    with _placed(batch), store.together() if batch.groups else nullcontext():
        groups = store.put_many("group", wishes["group"])
        nodes = store.put_many("node", wishes["node"])
        if state == "overridden":
            gone = [name for name in store.node_names() if name not in wishes["node"]]
            disarm(store, gone)
            nodes |= store.remove_many("node", gone)
    networks = Networks(store).put_many({one.name: one.values for one in batch.networks}) if batch.networks else {}
    return networks, groups, nodes


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
    with context.read() as store:
        everything = parameters["nodes"] == ["all"]
        names = store.node_names() if everything else store.expand(parameters["nodes"])
        nodes = store.records("node", names)
        groups = store.group_names() if everything else _groups_of(store, nodes)
        networks = Networks(store).all() if everything else {}
        records = store.records("group", groups)
    keep = parameters["secrets"] == "encrypted"
    text = _WRITERS[form](
        {name: _exported(nodes[name], keep=keep) for name in names},
        {name: _exported(records[name], keep=keep) for name in groups},
        networks,
    )
    before = files.current(path)
    files.check_writable(path)
    if text != before and not context.check_mode:
        files.replace(path, text, mode=0o600 if keep else 0o644)
    return {
        "changed": text != before,
        "file": str(path),  # not path: Ansible would add the file's owner and mode to the result
        "summary": {"nodes": len(nodes), "groups": len(records), "networks": len(networks) if form == "yaml" else 0},
        "diff": {
            "before": _CIPHER.sub(MASK, before),
            "after": _CIPHER.sub(MASK, text),
            "before_header": str(path),
            "after_header": str(path),
        },
    }


_CIPHER = re.compile(rf"{ENCRYPTED}[\w=-]+")
"""A secret as it is stored: nobody can read it without the key, but logs live long."""

Writer = Callable[[Mapping[str, Record], Mapping[str, Record], Mapping[str, Mapping[str, Any]]], str]
_WRITERS: dict[str, Writer] = {
    "csv": lambda nodes, groups, networks: csvfile.write(nodes, groups),
    "yaml": yamlfile.write,
}


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
