# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the node database as hosts, groups and variables. Knows Ansible's words, not its code.

What nodes with the same groups have in common is put together once; a node adds its own values. That is what keeps
100,000 nodes at the price of ansible-core's own work on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ...module_utils._deploy.deployments import Deployments
from ...module_utils._nodes.errors import ErrorCode, MetalError
from ...module_utils._nodes.expression import is_expression, parse
from ...module_utils._nodes.reading import STREAM
from ...module_utils._nodes.schema import SECRETS, attribute
from ...module_utils._nodes.store import Store
from ...module_utils._nodes.view import Inherited, View
from .groups import GROUPS_BY, STATE, hierarchy, safe

BMCS = "bmcs"
"""The group of BMCs that are hosts of their own."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the inventory is to hold; the plugin documents each."""

    nodes: str = "all"
    attributes: Sequence[str] | None = None
    secrets: Sequence[str] = ()
    ansible_host: Sequence[str] = ("net.ip",)
    group_by: Sequence[str] = ()
    hierarchy: bool = False
    state: bool = False
    bmc_hosts: bool = False
    bmc_name: str = "{node}-bmc"


@dataclass(frozen=True, slots=True)
class Host:
    """A host: its ``groups`` by the names that Ansible allows, and its ``variables``."""

    name: str
    groups: Sequence[str]
    variables: dict[str, Any]


@dataclass(slots=True)
class Found:
    """All of it: ``groups`` to make first, ``parents`` as pairs of a group and its child, and the ``hosts``."""

    groups: list[str]
    hosts: Iterator[Host]
    parents: dict[tuple[str, str], None] = field(default_factory=dict)
    """Filled while hosts are read: which groups there are depends on them."""


def find(store: Store, options: Options) -> Found:
    """Return what ``store`` holds, read as it is asked for.

    Raises: MetalError, also while hosts are read.
    """
    _check(options)
    names = store.expand(options.nodes) if store.count("node") or options.nodes != "all" else []
    groups = _group_names(store)
    found = Found(list(groups.values()), iter(()))
    found.hosts = _hosts(store, options, names, groups, found.parents)
    return found


def _check(options: Options) -> None:
    for name in [*(options.attributes or ()), *options.secrets, *_rule_attributes(options.ansible_host)]:
        attribute(name)
    for name in options.secrets:
        if name not in SECRETS:
            raise MetalError(ErrorCode.INVALID, f"secrets: {name} is no secret; it becomes a variable without that")
    for name in [*(options.attributes or ()), *_rule_attributes(options.ansible_host)]:
        if name in SECRETS:
            raise MetalError(
                ErrorCode.INVALID, f"{name} is a secret, which no inventory holds unless the option secrets names it"
            )


def _rule_attributes(rules: Sequence[str]) -> list[str]:
    return [name for rule in rules for name in (parse(rule).names if is_expression(rule) else [rule])]


def _group_names(store: Store) -> dict[str, str]:
    """Return what each group is called in Ansible. Raises: MetalError ``conflict`` where that would mix up two things."""
    called: dict[str, str] = {}
    taken: dict[str, str] = {}
    for group in store.group_names():
        name = called[group] = safe(group)
        if taken.setdefault(name, group) != group:
            raise MetalError(
                ErrorCode.CONFLICT,
                f"groups {taken[name]!r} and {group!r} would both be called {name} in Ansible; rename one of them",
            )
    for name in sorted(store.known("node", list(taken))):
        raise MetalError(
            ErrorCode.CONFLICT,
            f"group {taken[name]!r} would be called {name} in Ansible, as a node is; rename one of them",
        )
    return called


def _hosts(
    store: Store,
    options: Options,
    names: Sequence[str],
    called: Mapping[str, str],
    parents: dict[tuple[str, str], None],
) -> Iterator[Host]:
    make = Variables(options)
    for start in range(0, len(names), STREAM):
        views = store.views(names[start : start + STREAM])
        state = _state(store, views) if options.state or STATE & set(options.group_by) else {}
        for name, view in views.items():
            variables = make(view)
            variables.update(state.get(name, {}))
            groups = [called[group] for group in view.inherited.groups]
            for kind in options.group_by:
                groups += GROUPS_BY[kind](view, variables)
            if options.hierarchy:
                groups += hierarchy(view, parents)
            yield Host(name, groups, variables)
            if options.bmc_hosts and view["bmc.address"]:
                yield _bmc(store, view, options)


def _state(store: Store, views: Mapping[str, View]) -> dict[str, dict[str, Any]]:
    """Return by node what we know of its state: how its deployment goes, and what its power was when we saw it last."""
    found: dict[str, dict[str, Any]] = {name: {} for name in views}
    for name, deployment in Deployments(store).latest(views).items():
        found[name]["metal_deployment_state"] = str(deployment.state)
        found[name]["metal_deployment_profile"] = deployment.profile.name
        found[name]["metal_deployment_image"] = deployment.profile.media.rstrip("/").rpartition("/")[2]
    for name, (power, at) in store.observed("power").items():
        if name in found:
            found[name].update({"metal_power": power, "metal_power_at": round(at)})
    return found


def _bmc(store: Store, view: View, options: Options) -> Host:
    """Return the node's BMC as a host."""
    name = str(parse(options.bmc_name).evaluate(view.name, view.__getitem__))
    if name == view.name or store.known("node", [name]):
        raise MetalError(
            ErrorCode.CONFLICT, f"its BMC would be called {name}, as a node is; change bmc_name", node=view.name
        )
    variables = {"ansible_host": view["bmc.address"], "metal_node": view.name}
    for key in ("bmc.address", "bmc.port", "bmc.user", "bmc.driver", *options.secrets):
        if key.startswith("bmc.") and view[key] is not None:
            variables[_variable(key)] = view[key]
    return Host(name, [BMCS], variables)


class Variables:
    """Makes the variables of nodes."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._only = None if options.attributes is None else frozenset(options.attributes)
        self._shared: dict[int, tuple[Inherited, dict[str, Any]]] = {}

    def __call__(self, view: View) -> dict[str, Any]:
        variables = self._inherited(view.inherited).copy()
        for name, value in view.own.items():
            if name in SECRETS or (self._only is not None and name not in self._only):
                continue
            if value is None:
                variables.pop(_variable(name), None)
            else:
                variables[_variable(name)] = view[name] if value.__class__ is str else value
        for name in view.inherited.expressions:
            if name not in view.own and (self._only is None or name in self._only):
                variables[_variable(name)] = view[name]
        for name in self._options.secrets:
            secret = view[name]
            if secret is not None:
                variables[_variable(name)] = secret
        address = self._address(view)
        if address is not None:
            variables["ansible_host"] = address
        return variables

    def _inherited(self, inherited: Inherited) -> dict[str, Any]:
        """Return what nodes with these groups have in common; their expressions differ."""
        kept = self._shared.get(id(inherited))
        if kept is None:
            skip = SECRETS | inherited.expressions
            values = {
                _variable(name): value
                for name, value in inherited.values.items()
                if value is not None and name not in skip and (self._only is None or name in self._only)
            }
            kept = self._shared[id(inherited)] = (inherited, values)  # kept alive, or its id could come again
        return kept[1]

    def _address(self, view: View) -> Any:
        """Return the first address that a rule gives: a rule is an attribute, or an expression that can be evaluated."""
        for rule in self._options.ansible_host:
            if not is_expression(rule):
                value = view[rule]
            else:
                try:
                    value = parse(rule).evaluate(view.name, view.__getitem__)
                except MetalError:
                    continue
            if value:
                return value
        return None


@cache
def _variable(name: str) -> str:
    return attribute(name).variable
