# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what a node's attributes are, after inheritance, and where each comes from.

Effective value: the node's own, else the first of its groups (in the node's order) that has one, else the
schema's default. An explicit null blanks what would be inherited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import ErrorCode, MetalError
from .schema import ATTRIBUTES, MASK, attribute
from .secrets import Keyring

_DEFAULTS = {a.name: a.default for a in ATTRIBUTES if a.default is not None}


@dataclass(frozen=True, slots=True)
class Value:
    """An effective value, in its stored form, and its ``origin``: ``node``, ``group:NAME`` or ``default``."""

    stored: Any
    origin: str


class View:
    """A node's effective values. ``view["net.mac"]`` is the value or None; secrets are decrypted on the way."""

    def __init__(self, name: str, groups: Sequence[str], values: Mapping[str, Value], keyring: Keyring) -> None:
        self.name = name
        self.groups = list(groups)
        self._values = dict(values)
        self._keyring = keyring

    def __getitem__(self, name: str) -> Any:
        found = self._values.get(name)
        if found is None or found.stored is None:
            return None
        return self._keyring.decrypt(found.stored) if attribute(name).secret else found.stored

    def need(self, name: str, why: str) -> Any:
        """Return the value of ``name``. Raises: MetalError ``missing`` that says ``why`` it is needed."""
        value = self[name]
        if value is None or value in ("", []):
            raise MetalError(ErrorCode.MISSING, f"attribute {name} is not set, but {why}", node=self.name)
        return value

    def shown(self) -> dict[str, Any]:
        """All values by name, secrets masked: fit for results, logs and inventories."""
        return {
            name: MASK if value.stored is not None and attribute(name).secret else value.stored
            for name, value in sorted(self._values.items())
        }

    def names(self) -> list[str]:
        """The attributes that have a value, or an explicit null."""
        return sorted(self._values)

    def origins(self) -> dict[str, str]:
        """Attribute name to where its value comes from."""
        return {name: value.origin for name, value in sorted(self._values.items())}

    def identity(self) -> dict[str, Any]:
        """What identifies the machine in every result: name, serial number, UUID and MAC address."""
        return {
            "name": self.name,
            "serial": self["system.serial"],
            "uuid": self["system.uuid"],
            "mac": self["net.mac"],
        }


def resolve(
    name: str,
    groups: Sequence[str],
    own: Mapping[str, Any],
    of_groups: Mapping[str, Mapping[str, Any]],
    keyring: Keyring,
) -> View:
    """Return the view of node ``name`` whose own values are ``own``; ``of_groups``: group name to its own values."""
    values = {key: Value(value, "default") for key, value in _DEFAULTS.items()}
    for group in reversed(groups):
        values.update({key: Value(value, f"group:{group}") for key, value in of_groups.get(group, {}).items()})
    values.update({key: Value(value, "node") for key, value in own.items()})
    return View(name, groups, values, keyring)
