# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the site's networks: what they are, and that they do not contradict each other or nodes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .change import Change, Side
from .errors import ErrorCode, MetalError
from .libraries import lazy
from .names import check_name, natural
from .ranges import check_addresses, ranges
from .reading import Record
from .store import Store
from .values import CHECKS

if TYPE_CHECKING:
    import netaddr
    import sqlalchemy as sa
else:
    netaddr = lazy("netaddr")
    sa = lazy("sqlalchemy")


def _subnet(value: Any) -> str:
    try:
        network = netaddr.IPNetwork(str(value).strip())
    except (netaddr.AddrFormatError, ValueError):
        raise ValueError("is not a subnet; write one as in 10.1.0.0/16") from None
    if "/" not in str(value):
        raise ValueError(f"has no prefix length; write one as in {value}/24")
    if network.ip != network.network:
        raise ValueError(f"has host bits set; the subnet is {network.cidr}")
    return str(network)


def _vlan(value: Any) -> int:
    number: int = CHECKS["int"](value)
    if not 1 <= number <= 4094:
        raise ValueError("is not a VLAN; write a number from 1 to 4094")
    return number


def _range(value: Any) -> str:
    try:
        first, last = (netaddr.IPAddress(part.strip()) for part in str(value).split("-"))
        return f"{first}-{last}" if first <= last else _descends(first, last)
    except (netaddr.AddrFormatError, ValueError, TypeError) as exc:
        hint = str(exc) if str(exc).startswith("descends") else "is not a range; write one as in 10.1.0.100-10.1.0.200"
        raise ValueError(hint) from None


def _descends(first: object, last: object) -> str:
    raise ValueError(f"descends; write {last}-{first}")


FIELDS: dict[str, Callable[[Any], Any]] = {
    "subnet": _subnet,
    "vlan": _vlan,
    "gateway": CHECKS["ip"],
    "dns": CHECKS["ip"],
    "ntp": CHECKS["address"],
    "domain": CHECKS["hostname"],
    "dynamic_range": _range,
}
"""What a network has, each with the check that returns its stored form or raises the end of a sentence."""
_LISTS = ("dns", "ntp")
"""Those of them that are lists; the check is of one item."""


def checked(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values`` of the network ``name`` in their stored form, without what is null or empty.

    Raises: MetalError ``invalid`` or ``unknown``.
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        if key not in FIELDS:
            raise MetalError(ErrorCode.UNKNOWN, f"network {name}: {key!r} is none of {', '.join(FIELDS)}")
        if value is None or value in ("", []):
            continue
        items = [_checked(name, key, item) for item in (_items(value) if key in _LISTS else [value])]
        found[key] = items if key in _LISTS else items[0]
    return {key: value for key, value in found.items() if value != []}


def _items(value: Any) -> list[Any]:
    """Return the items of a list, which may be text with commas, semicolons or spaces between them."""
    if isinstance(value, str):
        return [item for item in re.split(r"[,;\s]+", value) if item]
    return value if isinstance(value, list) else [value]


def _checked(name: str, key: str, value: Any) -> Any:
    try:
        return FIELDS[key](value)
    except ValueError as exc:
        raise MetalError(ErrorCode.INVALID, f"network {name}: {key} {value!r} {exc}") from None


class Networks:
    """The site's networks, as seen and changed in one transaction, that of ``store``."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.t = store.t.networks

    def all(self) -> dict[str, dict[str, Any]]:
        """Return all networks by name, in natural order."""
        rows = self.store.connection.execute(sa.select(self.t.c.name, self.t.c.document))
        return dict(sorted(((name, document) for name, document in rows), key=lambda row: natural(row[0])))

    def put(self, name: str, values: Mapping[str, Any], *, unset: Sequence[str] = ()) -> Change:
        """Make the network ``name`` if it is missing, and give it ``values``; null, empty and ``unset`` take away.

        Raises: MetalError ``invalid``, ``unknown``, ``missing`` (no subnet) or ``conflict`` (with a network or node).
        """
        with self.store.connection.begin_nested():
            change = self.put_many({name: {**dict.fromkeys(unset), **values}})[name]
            self.check_nodes([name])
        return change

    def put_many(self, networks: Mapping[str, Mapping[str, Any]], *, whole: bool = False) -> dict[str, Change]:
        """Do as put() does for all of ``networks``: only what comes out of it has to be free of contradictions.

        ``whole``: what is not among the values goes. What nodes have is not looked at: check_nodes() does, when they
        are what they shall be.
        """
        before = self.all()
        after: dict[str, dict[str, Any]] = {}
        for name, values in networks.items():
            check_name(name, "network")
            had = {} if whole else before.get(name, {})
            kept = {key: value for key, value in had.items() if key not in values}
            after[name] = {**kept, **checked(name, values)}
            _check_itself(name, after[name])
        _check_together({**before, **after})
        for name, document in after.items():
            if name not in before:
                self.store.connection.execute(self.t.insert().values(name=name, document=document))
            elif document != before[name]:
                self.store.connection.execute(self.t.update().where(self.t.c.name == name).values(document=document))
        changes = {
            name: Change("network", _side(name, before.get(name)), _side(name, new)) for name, new in after.items()
        }
        self.store.record("network", changes)
        return changes

    def remove(self, name: str) -> Change:
        """Remove the network ``name``, if it is there."""
        return self.remove_many([name])[name]

    def remove_many(self, names: Collection[str]) -> dict[str, Change]:
        """Remove those of ``names`` that are there."""
        before = self.all() if names else {}
        for name in before.keys() & set(names):
            self.store.connection.execute(self.t.delete().where(self.t.c.name == name))
        changes = {name: Change("network", _side(name, before.get(name)), None) for name in names}
        self.store.record("network", changes)
        return changes

    def check_nodes(self, names: Collection[str]) -> None:
        """Raise MetalError ``conflict`` for a node whose fixed address lies in a dynamic range of a network in ``names``."""
        i = self.store.t.identities
        dynamic = list(ranges({name: document for name, document in self.all().items() if name in names}))
        if not dynamic:
            return
        query = sa.select(i.c.value, i.c.node).where(i.c.attribute == "net.ip")
        check_addresses(dynamic, ((node, address) for address, node in self.store.connection.execute(query)))


def _check_itself(name: str, document: Mapping[str, Any]) -> None:
    if "subnet" not in document:
        raise MetalError(ErrorCode.MISSING, f"network {name} has no subnet; write one as in 10.1.0.0/16")
    subnet = netaddr.IPNetwork(document["subnet"])
    inside = {"gateway": [document["gateway"]]} if "gateway" in document else {}
    if "dynamic_range" in document:
        inside["dynamic_range"] = document["dynamic_range"].split("-")
    for key, addresses in inside.items():
        for address in addresses:
            if netaddr.IPAddress(address) not in subnet:
                raise MetalError(ErrorCode.INVALID, f"network {name}: {key} {document[key]} is not inside {subnet}")
            if address in _edges(subnet):
                raise MetalError(
                    ErrorCode.INVALID,
                    f"network {name}: {key} {document[key]} holds {address}, which names all of {subnet}",
                )
    for key, one in ranges({"gateway": document}):
        if document.get(key) and netaddr.IPAddress(document[key]) in one:
            raise MetalError(
                ErrorCode.CONFLICT, f"network {name}: gateway {document[key]} lies in its dynamic range {one}"
            )


def _edges(subnet: netaddr.IPNetwork) -> set[str]:
    """Return the subnet's own address and its broadcast address; none where each address is a host's (RFC 3021)."""
    if subnet.version == 6 or subnet.prefixlen >= 31:
        return set()
    return {str(subnet.network), str(subnet.broadcast)}


def _check_together(networks: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise MetalError ``conflict`` if two networks overlap."""
    spans = sorted(
        (subnet.version, subnet.first, subnet.last, name)
        for name, document in networks.items()
        for subnet in [netaddr.IPNetwork(document["subnet"])]
    )
    for one, other in pairwise(spans):
        if one[0] == other[0] and other[1] <= one[2]:
            first, second = ((span[3], networks[span[3]]["subnet"]) for span in (one, other))
            raise MetalError(
                ErrorCode.CONFLICT, f"network {second[0]} {second[1]} overlaps network {first[0]} {first[1]}"
            )


def _side(name: str, values: Mapping[str, Any] | None) -> Side | None:
    return None if values is None else (name, Record(values))
