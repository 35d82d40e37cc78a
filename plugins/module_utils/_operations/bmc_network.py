# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operation ``bmc_network``: where a BMC is to be found on its network."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from .._drivers.base import Attempt, Capability
from .._drivers.managing import AddressSource, BmcNetwork
from .._fleet.fleet import EVERYBODY, Done, Halfway, Limits
from .._nodes.errors import RETRYABLE, ErrorCode, MetalError
from .._nodes.expression import is_expression, parse
from .._nodes.schema import attribute
from .._nodes.store import Wish
from .._nodes.values import CHECKS
from .._nodes.view import View
from .bmc_matching import canonical
from .context import Context
from .hardware import Bmc, or_warn, run

CHECKED = {"address": "ip", "netmask": "netmask", "gateway": "ip"}
"""Options that may be expressions, to the type of what comes of them."""
LOOK_SECONDS = 2.0
"""Pause between two looks whether the BMC has taken its new network."""
MOST_VLAN = 4094


def bmc_network(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read every node's BMC network, set what is asked for, and prove it where the BMC is found afterwards."""
    work = _Work(context, parameters)
    limits = Limits(deadline=parameters["deadline"], retry_on=RETRYABLE, window=EVERYBODY)
    answer: dict[str, Any] = {}
    try:
        answer = run(context, parameters, Capability.NETWORK, work.one, limits, check=work.add, ready=work.check)
    except MetalError as exc:  # a signal, maybe: what has moved has moved
        work.store(answer)
        if answer:
            exc.message = "; ".join((exc.message, *answer["warnings"]))
        raise
    work.store(answer)
    return answer


class _Work:
    """One task: what each node is to get, and what was moved."""

    def __init__(self, context: Context, parameters: Mapping[str, Any]) -> None:
        self._context, self._parameters = context, parameters
        self._wishes: dict[str, BmcNetwork] = {}
        self._at: dict[str, str | None] = {}
        self._before: dict[str, BmcNetwork] = {}
        """As it was before the first try."""
        self._sent: dict[str, BmcNetwork] = {}
        self._moved: dict[str, str] = {}

    def add(self, view: View) -> None:
        """Work out what the node is to get. Raises: MetalError ``invalid``."""
        values = {name: _filled(view, name, self._parameters[name]) for name in CHECKED}
        vlan = self._parameters["vlan"]
        if vlan is not None and not 0 <= vlan <= MOST_VLAN:
            raise MetalError(ErrorCode.INVALID, f"vlan: {vlan} cannot be; write 1 to {MOST_VLAN}, or 0 for none")
        source = AddressSource(self._parameters["source"]) if self._parameters["source"] else None
        if source is AddressSource.DHCP and any(values.values()):
            raise MetalError(ErrorCode.INVALID, "address, netmask and gateway are for source: static; DHCP gives them")
        if values["address"] and source is None:
            source = AddressSource.STATIC
        self._at[view.name] = canonical(view["bmc.address"])
        self._wishes[view.name] = BmcNetwork(source=source, vlan=vlan, **values)

    def check(self) -> None:
        """Raises: MetalError ``conflict`` if two nodes would get one address, or one that another node's BMC has."""
        owners: dict[str, str] = {}
        for name, address in self._wanted_addresses():
            other = owners.setdefault(address, name)
            if other != name:
                raise MetalError(
                    ErrorCode.CONFLICT, f"it would get the BMC address {address}, as {other} would", node=name
                )
        if not owners:
            return
        with self._context.read() as store:
            for view in store.stream(store.node_names()):
                self._check_taken(view, owners)

    def _check_taken(self, view: View, owners: Mapping[str, str]) -> None:
        address = canonical(view["bmc.address"] or "")
        name = owners.get(address or "", view.name)
        if name != view.name and self._at[name] != address:  # else it is there now, by another port
            raise MetalError(
                ErrorCode.CONFLICT,
                f"it would get the BMC address {address}, which is the bmc.address of {view.name}",
                node=name,
            )

    def _wanted_addresses(self) -> Iterator[tuple[str, str]]:
        for name, wish in self._wishes.items():
            address = canonical(wish.address or "")
            if address is not None:
                yield name, address

    async def one(self, bmc: Bmc) -> Done:
        """Do one node. May be called again after an error. Raises: MetalError; Halfway once something was set."""
        name = bmc.view.name
        try:
            return await self._one(bmc)
        except MetalError as exc:
            if name not in self._sent or isinstance(exc, Halfway):
                raise
            raise self._halfway(name, exc.code, exc.message) from exc
        except asyncio.CancelledError as exc:
            if name not in self._sent:
                raise
            raise self._halfway(name, ErrorCode.NOT_REACHED, "the task's deadline came before it was proved") from exc

    def _halfway(self, name: str, code: ErrorCode, why: str) -> Halfway:
        sent = {key: value for key, value in asdict(self._sent[name]).items() if value is not None}
        told = ", ".join(f"{key} {value}" for key, value in sent.items())
        return Halfway(code, f"the BMC was sent {told}, but then: {why}; bmc.address is left as it was", {"sent": sent})

    async def _one(self, bmc: Bmc) -> Done:
        name, wish, seconds = bmc.view.name, self._wishes[bmc.view.name], self._parameters["timeout"]
        now = await bmc.driver.network(bmc.target, seconds)
        before = self._before.setdefault(name, now)
        wanted = _with(now, wish)
        _check_gateway(wanted, wish)
        if wanted != now and not self._context.check_mode:
            await self._set(bmc, wish)
            address = await self._found(bmc, wanted, wish)
            if address != bmc.target.address and self._parameters["store"]:
                self._moved[name] = address
        return Done(wanted != before, shown(before), shown(wanted), {"mac": before.mac})

    async def _set(self, bmc: Bmc, wish: BmcNetwork) -> None:
        """Set it, and note in any case what was sent."""
        attempt = Attempt[BmcNetwork]()
        try:
            await bmc.driver.set_network(bmc.target, wish, self._parameters["timeout"], attempt)
        except MetalError as exc:  # it may have gone to its new place before it could answer
            if attempt.sent is None or exc.code not in (ErrorCode.TIMEOUT, ErrorCode.UNREACHABLE):
                raise
        finally:
            if attempt.sent is not None:
                self._sent[bmc.view.name] = attempt.sent

    async def _found(self, bmc: Bmc, wanted: BmcNetwork, wish: BmcNetwork) -> str:
        """Return the address at which the BMC tells that it has what was set: the new one, or yet the old one.

        Raises: Halfway if it is found at neither within wait_timeout.
        """
        places = [bmc.target]
        if wish.address and wish.address != bmc.target.address:
            places.insert(0, replace(bmc.target, address=wish.address))
        end = time.monotonic() + float(self._parameters["wait_timeout"])
        said = "it was not looked for"
        while True:
            for place in places:
                try:
                    found = await bmc.driver.network(place, self._parameters["timeout"])
                except MetalError as exc:
                    said = exc.message
                else:
                    if agrees(found, wanted):
                        return place.address
                    said = f"the BMC at {place.address} reads back {shown(found)}"
            if time.monotonic() >= end:
                break
            await asyncio.sleep(LOOK_SECONDS)
        where = " or ".join(place.address for place in places)
        why = f"it does not tell what was set at {where} after {self._parameters['wait_timeout']:.0f} s: {said}"
        raise self._halfway(bmc.view.name, ErrorCode.NOT_REACHED, why)

    def store(self, answer: dict[str, Any]) -> None:
        """Keep where BMCs are found from now on, so that the next task finds them; or say so in the task's warnings."""
        if not self._moved:
            return
        told = ", ".join(f"{name} {address}" for name, address in self._moved.items())
        what = f"BMCs have moved, but their bmc.address could not be written; they are now at: {told}"
        with or_warn(answer, what, "set bmc.address of these nodes to it"), self._context.write() as store:
            wishes = {name: Wish({"bmc.address": address}) for name, address in self._moved.items()}
            store.put_many("node", wishes)


def shown(network: BmcNetwork) -> dict[str, Any]:
    """Return a network as results show it."""
    return {
        "source": str(network.source),
        "address": network.address,
        "netmask": network.netmask,
        "gateway": network.gateway,
        "vlan": network.vlan or None,
    }


def agrees(found: BmcNetwork, wanted: BmcNetwork) -> bool:
    """Return whether a BMC has what was set; what DHCP gives it is not ours to compare."""
    if wanted.source is AddressSource.DHCP:
        return found.source is AddressSource.DHCP and found.vlan == wanted.vlan
    return found == wanted


def _with(before: BmcNetwork, wish: BmcNetwork) -> BmcNetwork:
    asked = {name: getattr(wish, name) for name in ("source", "address", "netmask", "gateway", "vlan")}
    return replace(before, **{name: value for name, value in asked.items() if value is not None})


def _filled(view: View, name: str, text: str | None) -> str | None:
    """Return what an option comes to for the node: it may be an expression. Raises: MetalError ``invalid``."""
    if text is None:
        return None
    try:
        value = _evaluated(view, text) if is_expression(text) else text
        checked: str = CHECKS[CHECKED[name]](value)
    except ValueError as exc:
        raise MetalError(ErrorCode.INVALID, f"{name}: {value!r} {exc}", node=view.name) from None
    except MetalError as exc:
        raise MetalError(exc.code, f"{name}: {exc.message}", node=view.name) from None
    return checked


def _evaluated(view: View, text: str) -> str | int:
    expression = parse(text)
    for name in expression.names:
        if attribute(name).secret:
            raise MetalError(ErrorCode.INVALID, f"{name} is a secret, which no expression may show")
    return expression.evaluate(view.name, view.__getitem__)


def _check_gateway(wanted: BmcNetwork, wish: BmcNetwork) -> None:
    """Raises: MetalError ``invalid`` for an address whose gateway it could not reach: nobody could undo that from afar."""
    if wanted.source is AddressSource.DHCP or not (wish.address or wish.gateway or wish.netmask):
        return
    with suppress(ValueError):
        subnet = ipaddress.IPv4Network(f"{wanted.address}/{wanted.netmask}", strict=False)
        gateway = ipaddress.IPv4Address(wanted.gateway or "0.0.0.0")
        if int(gateway) and gateway not in subnet:
            raise MetalError(
                ErrorCode.INVALID,
                f"the gateway {gateway} is not in {subnet}, where the BMC would be with {wanted.address}",
            )
