# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a rack of simulated nodes: BMCs on loopback addresses, machines behind them."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import ipaddress
import random
import resource
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from ...module_utils._nodes.errors import ErrorCode, MetalError
from .bmc import DEFAULT_SLOTS, Bmc
from .bmc_data import Account, BmcIdentity
from .boot_options import BootOptions
from .bootway import BootWay
from .client import HttpClient
from .faults import FaultSet, FaultSetting, parse_fault
from .machine import BootOrder, Firmware, Machine, MachineIdentity, Timing
from .network import BmcSocket

COLUMNS = (
    "name",
    "groups",
    "bmc.address",
    "bmc.port",
    "bmc.user",
    "bmc.password",
    "net.mac",
    "net.ip",
    "net.netmask",
    "net.gateway",
    "system.uuid",
    "system.serial",
    "location.rack",
)
"""Columns of the table that module node_import reads."""
MOST_NODES = 20_000
_HOSTS_PER_NET = 254
_SPARE_DESCRIPTORS = 256
_STATE_EVENTS = 20


@dataclass(frozen=True, kw_only=True)
class RackOptions:
    """What a rack is to be.

    ``bind``: the first BMC's loopback address; each further BMC has the next one, or, if ``one_address``, the next
    port. ``port``: of the first BMC. ``hub``: URL of the hub, or None. ``faults``: node name to its faults.
    """

    nodes: int = 24
    prefix: str = "n"
    rack: str = "rack1"
    groups: tuple[str, ...] = ()
    bind: str = "127.24.0.1"
    port: int = 6230
    one_address: bool = False
    hub: str | None = None
    user: str = "admin"
    password: str = "secret"
    network: str = "10.24.0.0/16"
    firmware: Firmware = Firmware.UEFI
    order: BootOrder = BootOrder.DISK
    timing: Timing = field(default_factory=Timing)
    faults: Mapping[str, tuple[FaultSetting, ...]] = field(default_factory=dict)
    sessions: int = DEFAULT_SLOTS
    powered: bool = False
    seed: int = 1


@dataclass(frozen=True)
class NodeIdentity:
    """Everything that tells one node of a rack from another; the same for the same options."""

    bmc: BmcIdentity
    machine: MachineIdentity
    ip: str
    netmask: str
    gateway: str

    @property
    def name(self) -> str:
        """The node's name."""
        return self.machine.name


def node_identities(options: RackOptions) -> list[NodeIdentity]:
    """Return the nodes that a rack with these options has. Raises MetalError (invalid) for options that cannot be."""
    if not 1 <= options.nodes <= MOST_NODES:
        raise MetalError(ErrorCode.INVALID, f"a rack has 1 to {MOST_NODES} nodes, not {options.nodes}")
    last_port = options.port + (options.nodes - 1 if options.one_address else 0)
    if not 1 <= options.port <= last_port <= 65535:
        raise MetalError(ErrorCode.INVALID, f"UDP port {last_port} cannot be; ports go from 1 to 65535")
    network = _network(options)
    base = _base(options.bind)
    width = max(2, len(str(options.nodes)))
    return [_identity(options, index, width, base, network) for index in range(options.nodes)]


def _network(options: RackOptions) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(options.network)
    except ValueError as exc:
        raise MetalError(ErrorCode.INVALID, f"{options.network!r} is no IPv4 network ({exc})") from None
    if network.num_addresses < options.nodes + 3:
        raise MetalError(ErrorCode.INVALID, f"network {network} is too small for {options.nodes} nodes and a gateway")
    return network


def _base(text: str) -> ipaddress.IPv4Address:
    address = text.partition("/")[0]
    try:
        base = ipaddress.IPv4Address(address)
    except ValueError:
        raise MetalError(ErrorCode.INVALID, f"{text!r} is no IPv4 address") from None
    if not base.is_loopback:
        raise MetalError(
            ErrorCode.INVALID, f"{base} is no loopback address (127.x.y.z), and only there are BMCs simulated"
        )
    # a network's own address stands for its first host
    return base + 1 if int(base) & 0xFF == 0 else base


def _bmc_place(options: RackOptions, index: int, base: ipaddress.IPv4Address) -> tuple[str, int]:
    if options.one_address:
        return str(base), options.port + index
    # .0 and .255 of each /24 are left out: host range expressions read better without them
    rows, column = divmod((int(base) & 0xFF) - 1 + index, _HOSTS_PER_NET)
    address = (int(base) & ~0xFF) + rows * 256 + column + 1
    if not ipaddress.IPv4Address(address).is_loopback:
        raise MetalError(ErrorCode.INVALID, f"the loopback network ends before {options.nodes} addresses from {base}")
    return str(ipaddress.IPv4Address(address)), options.port


def _identity(
    options: RackOptions, index: int, width: int, base: ipaddress.IPv4Address, network: ipaddress.IPv4Network
) -> NodeIdentity:
    name = f"{options.prefix}{index + 1:0{width}d}"
    address, port = _bmc_place(options, index, base)
    system = uuid.uuid5(uuid.NAMESPACE_DNS, f"{options.seed}.{options.rack}.{name}")
    # locally administered addresses that differ between racks and seeds
    block = system_block(options)
    low = (index + 1).to_bytes(2, "big")
    mac = ":".join(f"{byte:02x}" for byte in (0x52, 0x54, *block, *low))
    bmc_mac = ":".join(f"{byte:02x}" for byte in (0x56, 0x54, *block, *low))
    serial = f"SIM{system.hex[:8].upper()}"
    return NodeIdentity(
        bmc=BmcIdentity(name, address, port, bmc_mac, system, serial),
        machine=MachineIdentity(name, mac, system, serial),
        ip=str(network.network_address + 2 + index),
        netmask=str(network.netmask),
        gateway=str(network.network_address + 1),
    )


def system_block(options: RackOptions) -> bytes:
    """Return the two bytes of a MAC address that tell one rack from another."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, f"{options.seed}.{options.rack}.{options.prefix}").bytes[:2]


def inventory_csv(options: RackOptions) -> str:
    """Return the rack's nodes as a table for module node_import."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    groups = ";".join(options.groups or (options.rack,))
    for node in node_identities(options):
        writer.writerow(
            (
                node.name,
                groups,
                node.bmc.address,
                node.bmc.port,
                options.user,
                options.password,
                node.machine.mac,
                node.ip,
                node.netmask,
                node.gateway,
                node.machine.system,
                node.machine.serial,
                options.rack,
            )
        )
    return text.getvalue()


class Node:
    """One node: ``bmc``, ``machine``, ``faults``."""

    def __init__(self, options: RackOptions, identity: NodeIdentity, way: BootWay) -> None:
        self.identity = identity
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
        account = Account(options.user.encode(), options.password.encode())
        self.bmc = Bmc(identity.bmc, account, self.machine, boot, self.faults, slots=options.sessions)
        self.socket = BmcSocket(self.bmc, self.faults, random.Random(f"{options.seed}:{identity.name}"))

    def state(self) -> dict[str, Any]:
        """Return what a user may want to know of the node, as JSON types."""
        machine, disk = self.machine, self.machine.disk
        override = self.bmc.boot_override
        # first: it ends the sessions that are silent for too long, and counts them
        sessions_open = len(self.bmc.sessions.active())
        return {
            "bmc": f"{self.identity.bmc.address}:{self.identity.bmc.port}",
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
            "counters": {**asdict(self.bmc.counters), "sessions_open": sessions_open},
        }


class Rack:
    """All nodes of a simulation; ``async with`` starts and ends it. Raises MetalError if an address is taken."""

    def __init__(self, options: RackOptions) -> None:
        self.options = options
        self._client = HttpClient()
        way = BootWay(options.hub, self._client)
        identities = node_identities(options)
        self.nodes = {identity.name: Node(options, identity, way) for identity in identities}
        for name in options.faults:
            self.node(name)

    async def __aenter__(self) -> Rack:
        _allow_descriptors(len(self.nodes) + _SPARE_DESCRIPTORS)
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


def write_inventory(options: RackOptions, path: str) -> None:
    """Write :func:`inventory_csv` to a file that only its owner may read: it holds a password. Raises OSError."""
    place = Path(path)
    place.touch(mode=0o600)
    place.write_text(inventory_csv(options), encoding="utf-8")
