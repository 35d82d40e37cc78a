# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operation ``discover_bmcs``: which BMCs there are, and whose they may be. It reads only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from .._drivers._ipmi.discovery import ANSWER_SECONDS, PACKETS, SILENT_ROUNDS, Found, Scan
from .._drivers._ipmi.resolver import Resolver
from .._drivers.base import Driver, Target
from .._drivers.facts import Inventory
from .._fleet import fleet
from .._nodes.addresses import addresses
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.noderange import fold
from .bmc_matching import Known, Place, tells
from .context import Context
from .hardware import check_times, ended_by_signals, target, told

MOST_RATE = 20_000
MOST_ADDRESSES = 1 << 20
PACKETS_OF_LOG_IN = 20
"""Packets a second that one log-in is counted for against the rate: a BMC takes some 50 ms for an answer."""
RESOLVE_SECONDS = 20.0
"""For so long the host names that nodes have as bmc.address are looked up, while the addresses are asked."""


def discover_bmcs(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Find the BMCs in ``networks``, and compare them with the node database. Changes nothing."""
    begun = time.monotonic()
    wanted = _wanted(parameters)
    with context.read() as store:
        known = Known(store.stream(store.node_names()))
    discovery = _Discovery(context, parameters, known)
    try:
        asyncio.run(discovery.run(wanted))
    except asyncio.CancelledError:
        raise MetalError(ErrorCode.SKIPPED, "ended by a signal before all addresses were asked") from None
    except TimeoutError:
        raise MetalError(
            ErrorCode.TIMEOUT, f"not all addresses were asked when the deadline of {parameters['deadline']:g} s came"
        ) from None
    return discovery.result(wanted, time.monotonic() - begun)


def _wanted(parameters: Mapping[str, Any]) -> list[str]:
    """Return the addresses. Raises: MetalError before anything is sent."""
    check_times(parameters)
    bounds = (("port", 1, 65535), ("rate", 1, MOST_RATE), ("max_addresses", 1, MOST_ADDRESSES))
    for name, least, most in bounds:
        if not least <= parameters[name] <= most:
            raise MetalError(ErrorCode.INVALID, f"{name}: {parameters[name]} cannot be; write {least} to {most}")
    if (parameters["user"] is None) != (parameters["password"] is None):
        raise MetalError(ErrorCode.INVALID, "user and password: one needs the other")
    wanted = addresses(parameters["networks"], parameters["max_addresses"])
    seconds = len(wanted) * PACKETS / parameters["rate"] + SILENT_ROUNDS * ANSWER_SECONDS
    if seconds > parameters["deadline"]:
        raise MetalError(
            ErrorCode.INVALID,
            f"networks: {len(wanted)} addresses take up to {seconds:.0f} s at a rate of {parameters['rate']} packets a"
            f" second, more than the deadline of {parameters['deadline']:g} s",
        )
    return wanted


class _Discovery:
    """One task: what was found, and what those that let us in tell."""

    def __init__(self, context: Context, parameters: Mapping[str, Any], known: Known) -> None:
        self._context, self._parameters, self._known = context, parameters, known
        self._found: dict[str, Found] = {}
        self._inventories: dict[str, Inventory] = {}
        self._macs: dict[str, str] = {}
        self._errors: dict[str, MetalError] = {}
        self._unresolved: dict[str, MetalError] = {}

    async def run(self, wanted: list[str]) -> None:
        """Find them, and log in where that is wanted. Raises: MetalError, TimeoutError."""
        end = time.monotonic() + float(self._parameters["deadline"])
        driver = self._context.drivers["ipmi"]()
        try:
            if self._parameters["user"] is not None:
                driver.check(self._given(wanted[0]))
            with ended_by_signals():
                resolving = asyncio.ensure_future(self._resolve(min(RESOLVE_SECONDS, end - time.monotonic())))
                try:
                    async with asyncio.timeout(end - time.monotonic()):
                        scan = Scan(self._parameters["port"], float(self._parameters["rate"]), self._say)
                        self._found = await scan.run(wanted)
                    await resolving
                finally:
                    resolving.cancel()
                await self._log_in(driver, end - time.monotonic())
        finally:
            await driver.close()

    async def _resolve(self, seconds: float) -> None:
        """Take the addresses of nodes' BMCs that are given by name, of those that are told in time."""
        port, resolver, found = self._parameters["port"], Resolver(), dict[str, list[str]]()

        async def one(name: str) -> None:
            try:
                found[name] = [str(address[0]) for address, _family in await resolver.every(name, port, seconds)]
            except MetalError as exc:
                self._unresolved[name] = exc

        await asyncio.gather(*(one(name) for name, at in self._known.named if at == port))
        self._known.resolve(found)

    def _warnings(self) -> list[str]:
        """Return one warning for each reason for which names have no address."""
        nodes: dict[ErrorCode, list[str]] = {}
        for (name, port), view in self._known.named.items():
            if name in self._unresolved and port == self._parameters["port"]:
                nodes.setdefault(self._unresolved[name].code, []).append(view.name)
        first = {error.code: error.message for error in reversed(self._unresolved.values())}
        return [
            f"the nodes {fold(names)} could not be compared by their place, as bmc.address is a name: {first[code]}"
            for code, names in nodes.items()
        ]

    def _say(self, found: int, turn: int) -> None:
        self._context.say(f"{found} BMCs found, round {turn}")

    def _place(self, address: str) -> Place:
        return address, self._parameters["port"]

    def _given(self, address: str) -> Target:
        return Target(*self._place(address), self._parameters["user"], self._parameters["password"])

    async def _log_in(self, driver: Driver, seconds: float) -> None:
        """Ask those that have an account for us what they are. A wrong password is tried once."""
        targets: dict[str, Target] = {}
        for address, found in self._found.items():
            try:
                way = self._account(address)
                if way is None:
                    continue
                if found.ipmi != "2.0":
                    raise MetalError(ErrorCode.UNSUPPORTED, "it does not speak IPMI 2.0, so that nobody can log in")
                driver.check(way)
            except MetalError as exc:
                self._errors[address] = exc
            else:
                targets[address] = way

        async def verb(address: str) -> fleet.Done:
            way, each = targets[address], self._parameters["timeout"]
            if address not in self._inventories:
                self._inventories[address] = await driver.inventory(way, each)
            self._macs[address] = (await driver.network(way, each)).mac or ""
            return fleet.Done()

        window = max(1, min(fleet.WINDOW, self._parameters["rate"] // PACKETS_OF_LOG_IN))
        limits = fleet.Limits(deadline=max(0.0, seconds), window=window)
        outcomes = await fleet.run(list(targets), verb, limits, lambda progress: self._context.say(told(progress)))
        self._errors.update({address: one.error for address, one in outcomes.items() if one.error is not None})

    def _account(self, address: str) -> Target | None:
        """Return how to log in, None if that is not wanted. Raises: MetalError for a node that lacks what it takes."""
        view = self._known.places.get(self._place(address))
        if self._parameters["log_in"] and view is not None:
            way = target(view)
            return Target(*self._place(address), way.user, way.password, way.kg, way.suite)
        return self._given(address) if self._parameters["user"] is not None else None

    def result(self, wanted: list[str], seconds: float) -> dict[str, Any]:
        """Return the task's result."""
        bmcs = [self._shown(found) for found in self._found.values()]
        asked = set(wanted)
        silent = {
            view.name: None
            for (address, port), view in self._known.places.items()
            if address in asked and port == self._parameters["port"] and address not in self._found
        }
        unknown = [bmc["address"] for bmc in bmcs if bmc["node"] is None]
        return {
            "changed": False,
            "warnings": self._warnings(),
            "bmcs": bmcs,
            "unknown": unknown,
            "silent": fold(silent),
            "summary": {
                "addresses": len(wanted),
                "bmcs": len(bmcs),
                "known": len(bmcs) - len(unknown),
                "unknown": len(unknown),
                "silent": len(silent),
                "not_logged_in": len(self._errors),
                "seconds": round(seconds, 2),
            },
        }

    def _shown(self, found: Found) -> dict[str, Any]:
        inventory, mac = self._inventories.get(found.address), self._macs.get(found.address) or None
        view = self._known.places.get(self._place(found.address))
        error = self._errors.get(found.address)
        uuid = (inventory.uuid if inventory is not None else None) or found.uuid or None
        return {
            "address": found.address,
            "port": found.port,
            "ipmi": found.ipmi,
            "uuid": uuid,
            "serial": inventory.serial if inventory is not None else None,
            "mac": mac,
            **_made_by(inventory),
            "manufacturer_id": inventory.controller.manufacturer_id if inventory is not None else found.maker,
            "node": view.name if view is not None else None,
            "candidates": self._known.candidates(tells(uuid, inventory, mac)),
            "code": str(error.code) if error is not None else None,
            "msg": error.message if error is not None else None,
        }


def _made_by(inventory: Inventory | None) -> dict[str, str | None]:
    product = inventory.product if inventory is not None else None
    board = inventory.board if inventory is not None else None
    makers = [part.manufacturer for part in (product, board) if part is not None and part.manufacturer]
    models = [product.name if product is not None else None, board.product if board is not None else None]
    return {"manufacturer": next(iter(makers), None), "model": next(filter(None, models), None)}
