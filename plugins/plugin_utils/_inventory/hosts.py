# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the node database as hosts, groups and variables. Knows Ansible's words, not its code.

What nodes with the same groups have in common is put together once; a node adds its own values. That is what keeps
100,000 nodes at the price of ansible-core's own work on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ...module_utils._deploy.deployments import Deployments
from ...module_utils._nodes.errors import ErrorCode, MetalError
from ...module_utils._nodes.expression import is_expression, parse
from ...module_utils._nodes.names import RESERVED
from ...module_utils._nodes.reading import STREAM
from ...module_utils._nodes.schema import SECRETS, attribute
from ...module_utils._nodes.store import Store
from ...module_utils._nodes.view import Inherited, View
from .groups import GROUPS_BY, STATE, hierarchy, safe

BMCS = "bmcs"
"""The group of BMCs that are hosts of their own."""
_HOST = re.compile(r"[\w.-]+")
"""What a host may be called: no comma, colon or bracket, which have a meaning in patterns."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the inventory is to hold; the plugin documents each."""

    nodes: str | Sequence[str] = "all"
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
    nobody = options.nodes in ("all", ["all"]) and not store.count("node")
    names = [] if nobody else store.expand(options.nodes)
    groups = _group_names(store)
    found = Found(list(groups.values()), iter(()))
    found.hosts = _hosts(store, options, names, groups, found.parents)
    return found


def _check(options: Options) -> None:
    shown = [*(options.attributes or ()), *_rule_attributes([*options.ansible_host, options.bmc_name])]
    for name in [*shown, *options.secrets]:
        attribute(name)
    for name in options.secrets:
        if name not in SECRETS:
            raise MetalError(ErrorCode.INVALID, f"secrets: {name} is no secret; it becomes a variable without that")
    for name in shown:
        if name in SECRETS:
            raise MetalError(
                ErrorCode.INVALID, f"{name} is a secret, which becomes a variable only if the option secrets names it"
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
    make, bmcs, groups_of = Variables(options), Bmcs(store, options), Groups(options, called, parents)
    with_state = options.state or not STATE.isdisjoint(options.group_by)
    power = store.observed("power") if with_state else {}
    for start in range(0, len(names), STREAM):
        views = store.views(names[start : start + STREAM])
        state = _state(store, views, power) if with_state else {}
        for name, view in views.items():
            variables = make(view)
            variables.update(state.get(name, {}))
            yield Host(name, groups_of(view, variables), variables)
        if options.bmc_hosts:
            yield from bmcs(views)


def _state(
    store: Store, views: Mapping[str, View], power: Mapping[str, tuple[str, float]]
) -> dict[str, dict[str, Any]]:
    """Return by node what we know of its state: how its deployment goes, and what its ``power`` was when it was seen."""
    found: dict[str, dict[str, Any]] = {name: {} for name in views}
    for name, deployment in Deployments(store).latest(views).items():
        found[name]["metal_deployment_state"] = str(deployment.state)
        found[name]["metal_deployment_profile"] = deployment.profile.name
        found[name]["metal_deployment_image"] = deployment.profile.media.rstrip("/").rpartition("/")[2]
    for name in views.keys() & power.keys():
        state, at = power[name]
        found[name].update({"metal_power": state, "metal_power_at": round(at)})
    return found


class Groups:
    """Tells the groups of nodes: their node groups, and those that group_by and hierarchy make."""

    def __init__(self, options: Options, called: Mapping[str, str], parents: dict[tuple[str, str], None]) -> None:
        self._options = options
        self._called = called
        self._of_nodes = {name: group for group, name in called.items()}
        self._parents = parents
        if options.bmc_hosts:
            self._check(BMCS, "bmc_hosts")

    def __call__(self, view: View, variables: Mapping[str, Any]) -> list[str]:
        groups = [self._called[group] for group in view.inherited.groups]
        for kind in self._options.group_by:
            groups += self._check_all(GROUPS_BY[kind](view, variables), "group_by")
        if self._options.hierarchy:
            groups += self._check_all(hierarchy(view, self._parents), "hierarchy")
        return groups

    def _check_all(self, names: list[str], option: str) -> list[str]:
        for name in names:
            self._check(name, option)
        return names

    def _check(self, name: str, option: str) -> None:
        """Raises: MetalError ``conflict`` if a node group has the name: it would get members that are none of its own."""
        if name in self._of_nodes:
            raise MetalError(
                ErrorCode.CONFLICT,
                f"{option} would make a group {name}, and that is the node group {self._of_nodes[name]!r}; "
                f"rename that, or do without {option}",
            )


class Bmcs:
    """Makes hosts of the BMCs of nodes."""

    def __init__(self, store: Store, options: Options) -> None:
        self._store = store
        self._options = options
        self._node_of: dict[str, str] = {}

    def __call__(self, views: Mapping[str, View]) -> Iterator[Host]:
        named = {self._name(view): view for view in views.values() if view["bmc.address"] is not None}
        for name in sorted(self._store.known("node", named)):
            self._refuse(ErrorCode.CONFLICT, named[name], f"called {name}, as a node is")
        for name, view in named.items():
            variables = {"ansible_host": view["bmc.address"], "metal_node": view.name}
            for key in ("bmc.address", "bmc.port", "bmc.user", "bmc.driver", *self._options.secrets):
                if key.startswith("bmc.") and view[key] is not None:
                    variables[attribute(key).variable] = view[key]
            yield Host(name, [BMCS], variables)

    def _name(self, view: View) -> str:
        """Return what the node's BMC is called. Raises: MetalError, also if another one is called so."""
        name = rule_value(view, self._options.bmc_name)
        if not isinstance(name, str) or not _HOST.fullmatch(name) or name in RESERVED:
            self._refuse(ErrorCode.INVALID, view, f"called {name!r}, which is no name for a host")
        other = self._node_of.setdefault(name, view.name)
        if other != view.name:
            self._refuse(ErrorCode.CONFLICT, view, f"called {name}, as that of {other} is")
        return name

    def _refuse(self, code: ErrorCode, view: View, why: str) -> NoReturn:
        raise MetalError(code, f"its BMC would be {why}; change bmc_name", node=view.name)


def rule_value(view: View, rule: str) -> Any:
    """Return the value of a rule, which is an attribute or an expression. Raises: MetalError as expressions do."""
    if not is_expression(rule):
        return view[rule]
    try:
        return parse(rule).evaluate(view.name, view.__getitem__)
    except MetalError as exc:
        raise MetalError(exc.code, exc.message, node=exc.node or view.name) from None


class _Called(dict[str, str]):
    """Attribute name to the variable that it becomes."""

    def __missing__(self, name: str) -> str:
        variable = self[name] = attribute(name).variable
        return variable


class Variables:
    """Makes the variables of nodes."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._only = None if options.attributes is None else frozenset(options.attributes)
        self._called = _Called()
        self._shared: dict[int, tuple[Inherited, dict[str, Any]]] = {}

    def __call__(self, view: View) -> dict[str, Any]:
        variables, called = self._inherited(view.inherited).copy(), self._called
        for name, value in view.own.items():
            if name in SECRETS or (self._only is not None and name not in self._only):
                continue
            if value is None:
                variables.pop(called[name], None)
            else:
                variables[called[name]] = view[name] if value.__class__ is str else value
        for name in view.inherited.expressions:
            if name not in view.own and (self._only is None or name in self._only):
                variables[called[name]] = view[name]
        for name in self._options.secrets:
            secret = view[name]
            if secret is not None:
                variables[called[name]] = secret
        address = self._address(view)
        if address is not None:
            variables["ansible_host"] = address
        return variables

    def _inherited(self, inherited: Inherited) -> dict[str, Any]:
        """Return what nodes with these groups have in common; their expressions differ."""
        kept = self._shared.get(id(inherited))
        if kept is None:
            skip, called = SECRETS | inherited.expressions, self._called
            values = {
                called[name]: value
                for name, value in inherited.values.items()
                if value is not None and name not in skip and (self._only is None or name in self._only)
            }
            kept = self._shared[id(inherited)] = (inherited, values)  # kept alive, or its id could come again
        return kept[1]

    def _address(self, view: View) -> Any:
        """Return the first address that a rule gives; an expression that cannot be evaluated gives none."""
        for rule in self._options.ansible_host:
            try:
                value = rule_value(view, rule)
            except MetalError:
                continue
            if value:
                return value
        return None
