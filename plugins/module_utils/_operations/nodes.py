# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operations ``node``, ``group``, ``node_info`` and ``node_import``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .._deploy.arm import disarm
from .._nodes import csvfile
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.names import check_name
from .._nodes.schema import attribute, flatten
from .._nodes.store import Change, Wish
from .context import Context


def node(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Make, change or remove one node."""
    return _one(context, "node", parameters, parameters["groups"])


def group(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Make, change or remove one group."""
    return _one(context, "group", parameters, None)


def _one(context: Context, kind: str, parameters: Mapping[str, Any], groups: list[str] | None) -> dict[str, Any]:
    name = parameters["name"]
    with context.write() as store:
        if parameters["state"] == "absent":
            if kind == "node":
                disarm(store, [name])  # who gets its name next was not armed
            change = store.remove(kind, name)
        else:
            wish = Wish(
                _values(parameters),
                parameters["unset"],
                [check_name(g, "group") for g in groups] if groups is not None else None,
            )
            try:
                change = store.put(kind, name, wish)
            except MetalError as exc:
                raise MetalError(exc.code, exc.message, node=exc.node or name) from exc
    return {"changed": change.changed, kind: change.after, "diff": {"before": change.before, "after": change.after}}


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
    """Return effective values with their origin. Secrets are masked."""
    only = parameters["attributes"]
    for name in only or []:
        attribute(name)
    with context.read() as store:
        # "all" of an empty database is no error here: there is nothing to know, and that is the answer
        nobody = parameters["nodes"] == ["all"] and not store.node_names()
        views = {} if nobody else store.views(store.expand(parameters["nodes"]))
    found = {}
    for name, view in views.items():
        values, origins = view.shown(), view.origins()
        keep = values if only is None else {key: values.get(key) for key in only}
        found[name] = {
            "groups": view.groups,
            "values": dict(keep),
            "origins": {key: origins[key] for key in keep if key in origins},
        }
    return {"changed": False, "nodes": found, "count": len(found)}


def node_import(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Import a CSV file, all of it or nothing."""
    path = Path(parameters["path"])
    rows = csvfile.read(path)
    changes: dict[str, Change] = {}
    with context.write() as store:
        for row in rows:
            with _in_line(path, row):
                changes[row.name] = store.put("node", row.name, Wish(row.values, groups=row.groups), unique_later=True)
        for row in rows:
            with _in_line(path, row):
                store.check_unique(row.name, row.values)
    changed = {name: change for name, change in changes.items() if change.changed}
    added = [name for name, change in changed.items() if not change.before]
    return {
        "changed": bool(changed),
        "added": added,
        "updated": [name for name in changed if name not in added],
        "unchanged": len(changes) - len(changed),
        "diff": {
            "before": {name: change.before for name, change in changed.items()},
            "after": {name: change.after for name, change in changed.items()},
        },
    }


@contextmanager
def _in_line(path: Path, row: csvfile.Row) -> Iterator[None]:
    """Say in errors which line of the file it is."""
    try:
        yield
    except MetalError as exc:
        raise MetalError(exc.code, f"{path}: line {row.line} ({row.name}): {exc.message}") from exc
