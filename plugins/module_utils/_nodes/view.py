# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what a node's attributes are, after inheritance, and where each comes from.

Effective value: the node's own, else the first of its groups (in the node's order) that has one, else the
schema's default. An explicit null blanks what would be inherited. An expression is evaluated for the node, wherever
it was inherited from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import ErrorCode, MetalError
from .expression import is_expression, parse
from .schema import DEFAULTS, MASK, SECRETS, attribute
from .secrets import Keyring

_MISSING = object()
DEEPEST = 50
"""How many expressions may refer to each other in a row."""


class Inherited:
    """What nodes with the same groups, in the same order, have in common. Made once for all of them."""

    __slots__ = ("expressions", "groups", "origins", "values")

    def __init__(self, groups: Sequence[str], of_groups: Mapping[str, Mapping[str, Any]]) -> None:
        """``of_groups``: group name to its own values."""
        self.groups = tuple(groups)
        self.values: dict[str, Any] = dict(DEFAULTS)
        self.origins: dict[str, str] = dict.fromkeys(DEFAULTS, "default")
        for group in reversed(self.groups):
            values = of_groups.get(group, {})
            self.values.update(values)
            self.origins.update(dict.fromkeys(values, f"group:{group}"))
        self.expressions = expressions_in(self.values)


def expressions_in(values: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the attributes in ``values`` whose value is an expression."""
    return frozenset(
        [
            name
            for name, value in values.items()
            if value.__class__ is str and ("{" in value or "}" in value) and name not in SECRETS
        ]
    )


class View:
    """A node's effective values. ``view["net.mac"]`` is the value or None; secrets are decrypted on the way."""

    __slots__ = ("_busy", "_done", "inherited", "keyring", "name", "own")

    def __init__(self, name: str, own: Mapping[str, Any], inherited: Inherited, keyring: Keyring) -> None:
        self.name = name
        self.own = own
        self.inherited = inherited
        self.keyring = keyring
        self._done: dict[str, tuple[Any, int]] = {}
        self._busy: list[str] = []

    @property
    def groups(self) -> list[str]:
        """The node's groups, in the order in which it inherits from them."""
        return list(self.inherited.groups)

    def __getitem__(self, name: str) -> Any:
        stored = self.stored(name)
        if stored is None:
            return None
        if name in SECRETS:
            return self.keyring.decrypt(stored, f"{name} of node {self.name}")
        return self._evaluated(name, stored) if is_expression(stored) else stored

    def stored(self, name: str) -> Any:
        """Return the value of ``name`` as it is stored: an expression, or a secret's cipher; None if there is none."""
        found = self.own.get(name, _MISSING)
        return self.inherited.values.get(name) if found is _MISSING else found

    def origin(self, name: str) -> str | None:
        """Return where the value of ``name`` comes from: ``node``, ``group:NAME``, ``default``, or None."""
        return "node" if name in self.own else self.inherited.origins.get(name)

    def need(self, name: str, why: str) -> Any:
        """Return the value of ``name``. Raises: MetalError ``missing`` that says ``why`` it is needed."""
        value = self[name]
        if value is None or value in ("", []):
            raise MetalError(ErrorCode.MISSING, f"attribute {name} is not set, but {why}", node=self.name)
        return value

    def expressions(self) -> list[str]:
        """Return the names of the attributes whose value is an expression."""
        inherited = self.inherited.expressions
        own = expressions_in(self.own)
        if not own and not inherited:
            return []
        return [name for name in sorted(own | inherited) if name in own or name not in self.own]

    def plain(self) -> dict[str, Any]:
        """Return all values by name, unsorted, without secrets: for those who need every one of many nodes."""
        values = {**self.inherited.values, **self.own}
        for name in SECRETS & values.keys():
            del values[name]
        for name in self.expressions():
            values[name] = self[name]
        return values

    def shown(self) -> dict[str, Any]:
        """All values by name, secrets masked: fit for results, logs and inventories."""
        values = self.plain()
        for name in SECRETS:
            if name in self.own or name in self.inherited.values:
                values[name] = None if self.stored(name) is None else MASK
        return dict(sorted(values.items()))

    def names(self) -> list[str]:
        """The attributes that have a value, or an explicit null."""
        return sorted(self.inherited.values.keys() | self.own.keys())

    def origins(self) -> dict[str, str]:
        """Attribute name to where its value comes from."""
        return dict(sorted({**self.inherited.origins, **dict.fromkeys(self.own, "node")}.items()))

    def identity(self) -> dict[str, Any]:
        """What identifies the machine in every result: name, serial number, UUID and MAC address."""
        return {
            "name": self.name,
            "serial": self["system.serial"],
            "uuid": self["system.uuid"],
            "mac": self["net.mac"],
        }

    def _evaluated(self, name: str, text: str) -> Any:
        """Return what the expression ``text``, the value of ``name``, is for this node. Raises: MetalError."""
        if name in self._done:
            return self._done[name][0]
        if name in self._busy:
            circle = " -> ".join([*self._busy[self._busy.index(name) :], name])
            raise MetalError(
                ErrorCode.INVALID, f"expressions refer to each other in a circle: {circle}", node=self.name
            )
        self._busy.append(name)
        try:
            self._done[name] = self._value(name, text)
        except MetalError as exc:
            if exc.node is not None:  # it is about an attribute that this one refers to
                raise
            raise self._failure(name, text, exc) from None
        finally:
            self._busy.pop()
        return self._done[name][0]

    def _value(self, name: str, text: str) -> tuple[Any, int]:
        """Return the value, and how many expressions are behind it in a row, whichever of them was asked for first."""
        expression = parse(text)
        found = expression.evaluate(self.name, self.__getitem__) if len(self._busy) <= DEEPEST else None
        behind = [self._done[one][1] for one in expression.names if one in self._done]
        depth = 1 + max(behind, default=0)
        if found is None or depth > DEEPEST:
            raise MetalError(ErrorCode.INVALID, f"more than {DEEPEST} expressions refer to each other in a row")
        return attribute(name).check_value(found), depth

    def _failure(self, name: str, text: str, exc: MetalError) -> MetalError:
        place = self.origin(name)
        of = "" if place == "node" else f" of {place}"
        cause = exc.message.removeprefix(f"{name}: ").removeprefix(f"{text!r} ")
        return MetalError(exc.code, f"{name} {text!r}{of}: {cause}", node=self.name)
