# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the attribute schema, one table.

It drives validation, the inventory's variables, CSV columns and docs/reference/attributes.md (generated; a gate
compares). A site adds attributes of its own, as text, under ``site.*`` and ``custom.*``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from .errors import ErrorCode, MetalError
from .expression import is_expression, parse
from .values import CHECKS

MASK = "********"
"""What is shown in place of a secret."""

ENCRYPTED = "fernet:"
"""What a secret begins with where it is stored, and in files that are exported with secrets."""

_OPEN = re.compile(r"(site|custom)(\.[a-z][a-z0-9_]*)+")
_MARKS = re.compile(r"_*\.|_+")
"""What separates words in a name after its first dot: site.a.b and site.a_b must not become the same variable."""


def _variable_marks(match: re.Match[str]) -> str:
    """Return the underscores that stand for a separator: an even number if it ends with a dot, an odd one if not."""
    marks = match[0]
    return "_" * (2 * len(marks) - (not marks.endswith(".")))


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its dotted ``name``, its ``type`` (a key of values.CHECKS) and what it means."""

    name: str
    type: str
    description: str
    choices: tuple[str, ...] = ()
    default: Any = None
    secret: bool = False
    unique: bool = False
    """Whether two nodes may not have the same own value (they identify a machine)."""

    @property
    def variable(self) -> str:
        """The name of the inventory variable that it becomes. No two attributes become the same one."""
        first, rest = self.name.split(".", 1)
        return f"metal_{first}_{_MARKS.sub(_variable_marks, rest)}"

    @property
    def is_list(self) -> bool:
        """Whether its value is a list."""
        return self.type == "addresses"

    def check(self, value: Any) -> Any:
        """Return ``value``, as a user gives it, in its stored form; None stays None (explicit null).

        What holds braces is an expression, which is stored as it is; but for secrets: passwords may hold braces.
        Raises: MetalError ``invalid`` with a sentence that names the attribute, the value and what would be right.
        """
        if isinstance(value, list) and any(is_expression(one) for one in value):
            value = ", ".join(str(one) for one in value)
        if is_expression(value) and not self.secret:
            return self._check_expression(value.strip())
        return self.check_value(value)

    def _check_expression(self, text: str) -> str:
        try:
            expression = parse(text)
            for name in expression.names:
                if attribute(name).secret:
                    raise MetalError(ErrorCode.INVALID, f"{name} is a secret, which no expression may show")
        except MetalError as exc:
            raise MetalError(exc.code, f"{self.name}: {exc.message}") from None
        return text

    def check_value(self, value: Any) -> Any:
        """Return ``value``, which is no expression, in its stored form. Raises: MetalError ``invalid`` as check() does."""
        if value is None or (self.secret and isinstance(value, str) and value.startswith(ENCRYPTED)):
            return value
        shown = MASK if self.secret else repr(value)
        try:
            checked = CHECKS[self.type](value)
        except ValueError as exc:
            raise MetalError(ErrorCode.INVALID, f"{self.name}: {shown} {exc}") from None
        if checked == "":
            raise MetalError(
                ErrorCode.INVALID, f"{self.name}: empty text is no value; give null to blank it, or name it in unset"
            )
        if self.choices and checked not in self.choices:
            raise MetalError(ErrorCode.INVALID, f"{self.name}: {shown} is not one of {', '.join(self.choices)}")
        return checked


ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("bmc.address", "address", "IP address or name of the node's BMC."),
    Attribute("bmc.port", "port", "UDP port of the BMC's IPMI service.", default=623),
    Attribute("bmc.user", "text", "User name on the BMC, at most 16 characters for IPMI."),
    Attribute("bmc.password", "text", "Password on the BMC, at most 20 bytes for IPMI.", secret=True),
    Attribute(
        "bmc.password_next",
        "text",
        "Password that is being given to the BMC; stage0.metal.bmc_user makes it bmc.password once it is proved.",
        secret=True,
    ),
    Attribute("bmc.user_next", "text", "User name that bmc.password_next is of, if it is not that of bmc.user."),
    Attribute("bmc.mac", "mac", "MAC address of the BMC's own network port, by which discovery knows it again."),
    Attribute(
        "bmc.kg", "text", "The BMC's own key (K_g), if it has one: text, or 0x and 40 hexadecimal digits.", secret=True
    ),
    Attribute("bmc.cipher_suite", "suite", "IPMI cipher suite, 17 or 3; by default 17, and 3 where a BMC lacks it."),
    Attribute("bmc.driver", "text", "How the BMC is spoken to.", choices=("ipmi",), default="ipmi"),
    Attribute(
        "boot.firmware", "text", "What the machine's firmware boots by.", choices=("uefi", "bios"), default="uefi"
    ),
    Attribute("net.mac", "mac", "MAC address of the network card that the node boots from.", unique=True),
    Attribute("net.ip", "ip", "The node's IPv4 address on the boot network; DHCP reserves it.", unique=True),
    Attribute("net.netmask", "netmask", "Netmask of net.ip.", default="255.255.255.0"),
    Attribute("net.gateway", "ip", "Default gateway of the node."),
    Attribute("net.dns", "addresses", "Name servers of the node, a list.", default=[]),
    Attribute("net.hostname", "hostname", "Host name to install, if it is not the node's name."),
    Attribute("system.uuid", "uuid", "The machine's SMBIOS UUID.", unique=True),
    Attribute("system.serial", "text", "The machine's serial number."),
    Attribute("system.manufacturer", "text", "Who made the machine."),
    Attribute("system.model", "text", "The machine's model."),
    Attribute("location.room", "text", "Room that the machine stands in."),
    Attribute("location.row", "text", "Row of racks that the machine stands in."),
    Attribute("location.rack", "text", "Rack that the machine stands in."),
    Attribute("location.u", "text", "Lowest rack unit that the machine, or its chassis, takes."),
    Attribute("location.chassis", "text", "Chassis that the machine is a part of."),
    Attribute("location.slot", "text", "Its slot in that chassis."),
    Attribute("location.feed", "text", "Power feed; tasks that draw current can be spread over feeds."),
    Attribute("deploy.profile", "text", "Profile to install unless another is asked for."),
    Attribute(
        "deploy.lock",
        "text",
        "Whether deployment is refused: auto locks the node by itself when a deployment is ready.",
        choices=("unlocked", "locked", "auto"),
        default="unlocked",
    ),
    Attribute("deploy.disk", "text", "Disk to install on, in the installer's own words.", default="first"),
    Attribute("deploy.root_password_hash", "crypt", "crypt(3) hash of root's password to install.", secret=True),
)

_BY_NAME = {attribute.name: attribute for attribute in ATTRIBUTES}

SECRETS = frozenset(attribute.name for attribute in ATTRIBUTES if attribute.secret)
"""Names of the attributes that are never shown."""

UNIQUE = tuple(attribute.name for attribute in ATTRIBUTES if attribute.unique)
"""Names of the attributes that identify a machine."""

DEFAULTS = {attribute.name: attribute.default for attribute in ATTRIBUTES if attribute.default is not None}
"""What an attribute is if neither the node nor one of its groups says anything."""


@lru_cache(maxsize=10_000)
def attribute(name: str) -> Attribute:
    """Return the attribute called ``name``; names under site.* and custom.* are made as they are asked for.

    Raises: MetalError ``unknown`` with the nearest name that exists.
    """
    found = _BY_NAME.get(name)
    if found is not None:
        return found
    if _OPEN.fullmatch(name):
        return Attribute(name, "text", "A site's own attribute.")
    near = get_close_matches(name, _BY_NAME, n=1)
    hint = f"did you mean {near[0]}?" if near else "a site's own attributes are named site.NAME or custom.NAME"
    raise MetalError(ErrorCode.UNKNOWN, f"{name!r} is not an attribute; {hint}")


def check_values(values: dict[str, Any]) -> dict[str, Any]:
    """Return ``values`` (attribute name to value) with every value in its stored form.

    Raises: MetalError ``unknown`` or ``invalid``.
    """
    return {name: attribute(name).check(value) for name, value in values.items()}


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn nested values, ``{bmc: {address: x}}``, into dotted ones, ``{"bmc.address": x}``.

    Raises: MetalError ``conflict`` for a name that is there in both forms: which of the values is meant is not known.
    """
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        for one, found in (flatten(value, f"{name}.") if isinstance(value, dict) else {name: value}).items():
            if one in flat:
                raise MetalError(
                    ErrorCode.CONFLICT, f"{one} is given twice, once as part of another name; write it once"
                )
            flat[one] = found
    return flat


def masked(name: str, value: Any) -> Any:
    """Return ``value`` as it may be shown: a secret that is set becomes ``********``."""
    return MASK if value is not None and name in SECRETS else value


def shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values`` sorted by name, with secrets masked."""
    return {name: masked(name, values[name]) for name in sorted(values)}
