# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a rack of simulated nodes: BMCs on loopback addresses, machines behind them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import time
from dataclasses import asdict
from types import TracebackType
from typing import Any

from ...module_utils._nodes.errors import ErrorCode, MetalError
from .bmc import Bmc
from .bmc_data import Account
from .boot_options import BootOptions
from .bootway import BootWay
from .client import HttpClient
from .faults import FaultSet, parse_fault
from .machine import Machine
from .model import Model
from .models import choose
from .network import BmcSocket
from .options import ALL, NodeIdentity, RackOptions, node_identities

_SPARE_DESCRIPTORS = 256
_STATE_EVENTS = 20


class Node:
    """One node: ``bmc``, ``machine``, ``faults``, and the ``model`` that it is of."""

    def __init__(self, options: RackOptions, identity: NodeIdentity, model: Model, way: BootWay) -> None:
        self.identity = identity
        self.model = model
        self.faults = FaultSet(tuple(options.faults.get(identity.name, ())))
        boot = BootOptions(time.monotonic)
        self.machine = Machine(
            identity.machine,
            boot,
            self.faults,
            options.timing,
            way.network_boot,
            way.start_system,
            firmware=options.firmware,
            order=options.order,
        )
        self.bmc = Bmc(
            identity.bmc,
            _accounts(options, identity.name, model),
            self.machine,
            boot,
            self.faults,
            model=model,
            slots=options.sessions,
            suites=options.suites,
            k_g=options.k_g,
            reset_seconds=options.reset_seconds,
            history=self.machine.history,
        )
        self.machine.notice = self.bmc.happened
        self.machine.printed = self.bmc.said
        self.socket = BmcSocket(self.bmc, self.faults, random.Random(f"{options.seed}:{identity.name}"))

    def state(self) -> dict[str, Any]:
        """Return what a user may want to know of the node, as JSON types."""
        machine, disk = self.machine, self.machine.disk
        override = self.bmc.boot_override
        # first: it ends the sessions that are silent for too long, and counts them
        sessions_open = len(self.bmc.sessions.active())
        return {
            "bmc": f"{self.identity.bmc.address}:{self.identity.bmc.port}",
            "bmc6": f"[{self.identity.bmc.address6}]:{self.identity.bmc.port6}" if self.identity.bmc.address6 else None,
            "model": self.model.name,
            "serial": self.identity.bmc.serial,
            "log_entries": self.bmc.log_entries,
            "power": "on" if machine.powered else "off",
            "phase": machine.phase.value,
            "reason": machine.reason,
            "percent": machine.percent,
            "boot_override": None if override is None else asdict(override),
            "disk": None if disk is None else {"hostname": disk.hostname, "ready": disk.reported_ready},
            "installs": machine.installs,
            "installs_begun": machine.installs_begun,
            "boots": machine.boots,
            "faults": self.faults.names(),
            "events": [asdict(event) for event in list(machine.events)[-_STATE_EVENTS:]],
            "counters": {
                **asdict(self.bmc.counters),
                "sessions_open": sessions_open,
                "sessions_half_open": self.bmc.sessions.half_open(),
            },
        }


def _accounts(options: RackOptions, name: str, model: Model) -> list[Account]:
    accounts = [Account(options.user.encode(), options.password.encode()), *options.accounts]
    if options.factory_defaults & {ALL, name}:
        accounts.append(Account(*model.factory))
    return accounts


class Rack:
    """All nodes of a simulation; ``async with`` starts and ends it. Raises MetalError if an address is taken."""

    def __init__(self, options: RackOptions) -> None:
        self.options = options
        self._client = HttpClient()
        way = BootWay(options.hub, self._client)
        identities = node_identities(options)
        models = [choose(options.model, index) for index in range(len(identities))]
        self.nodes = {
            identity.name: Node(options, identity, model, way)
            for identity, model in zip(identities, models, strict=True)
        }
        for name in (*options.faults, *(options.factory_defaults - {ALL})):
            self.node(name)

    async def __aenter__(self) -> Rack:
        _allow_descriptors(len(self.nodes) * (1 + self.options.ipv6) + _SPARE_DESCRIPTORS)
        try:
            for node in self.nodes.values():
                node.socket.open()
        except MetalError:
            await self._close()
            raise
        if self.options.powered:
            for node in self.nodes.values():
                node.machine.power_on()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    def node(self, name: str) -> Node:
        """Return the node of this name. Raises MetalError (unknown)."""
        try:
            return self.nodes[name]
        except KeyError:
            names = list(self.nodes)
            raise MetalError(
                ErrorCode.UNKNOWN, f"this rack has no node {name!r}; its nodes are {names[0]} to {names[-1]}"
            ) from None

    def set_fault(self, name: str, fault: str) -> None:
        """Give node ``name`` a fault, written ``dead`` or ``slow:0.5``. Raises MetalError."""
        self.node(name).faults.set(parse_fault(fault))

    def clear_fault(self, name: str, fault: str | None = None) -> None:
        """Take a fault from node ``name``, or all of them. Raises MetalError."""
        self.node(name).faults.clear(parse_fault(fault).fault if fault else None)

    def state(self) -> dict[str, Any]:
        """Return the state of the rack and of every node, as JSON types."""
        return {
            "rack": self.options.rack,
            "hub": self.options.hub,
            "nodes": {name: node.state() for name, node in self.nodes.items()},
        }

    async def _close(self) -> None:
        for node in self.nodes.values():
            node.socket.close()
        await asyncio.gather(*(node.machine.close() for node in self.nodes.values()))
        await self._client.close()


def _allow_descriptors(wanted: int) -> None:
    """Raise the limit of open files as far as a user may; the bind tells if that was not enough."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        goal = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
