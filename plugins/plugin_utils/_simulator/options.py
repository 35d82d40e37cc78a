# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what a rack is to be, and who its nodes are: names, addresses, identities."""

from __future__ import annotations

import csv
import io
import ipaddress
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...module_utils._nodes.errors import ErrorCode, MetalError
from .bmc import DEFAULT_SLOTS, DEFAULT_SUITES, RESET_SECONDS
from .bmc_data import Account, BmcIdentity
from .cipher import LISTED, SUITES
from .faults import FaultSetting
from .machine import BootOrder, Firmware, MachineIdentity, Timing
from .users import FIRST, SLOTS

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
_LONGEST_KEY = 20
ALL = "all"
"""Stands for every node in :attr:`RackOptions.factory_defaults`."""


@dataclass(frozen=True, kw_only=True)
class RackOptions:
    """What a rack is to be.

    ``bind``: the first BMC's loopback address; each further BMC has the next one, or, if ``one_address`` or the
    address is ::1, the next port. ``port``: of the first BMC. ``ipv6``: each BMC answers at ::1 too, on ports that
    count up from ``port``. ``hub``: URL of the hub, or None. ``faults``: node name to its faults. ``model``: name of
    every machine's model; None: all models in turn. ``accounts``: further BMC users. ``factory_defaults``: names of
    the nodes whose BMCs have their maker's account still; ``all`` for every node. ``k_g``: the BMCs' key, at most 20
    bytes. ``suites``: cipher suites that the BMCs list; 3 and 17 are carried out. ``reset_seconds``: for how long a
    BMC is silent when it restarts.
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
    model: str | None = None
    accounts: tuple[Account, ...] = ()
    factory_defaults: frozenset[str] = frozenset()
    k_g: bytes = b""
    suites: tuple[int, ...] = DEFAULT_SUITES
    reset_seconds: float = RESET_SECONDS
    ipv6: bool = False
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
    _check_bmcs(options)
    base = _base(options.bind)
    counted = _on_ports(options, base) or options.ipv6
    last_port = options.port + (options.nodes - 1 if counted else 0)
    if not 1 <= options.port <= last_port <= 65535:
        raise MetalError(ErrorCode.INVALID, f"UDP port {last_port} cannot be; ports go from 1 to 65535")
    network = _network(options)
    width = max(2, len(str(options.nodes)))
    return [_identity(options, index, width, base, network) for index in range(options.nodes)]


def _check_bmcs(options: RackOptions) -> None:
    unknown = [number for number in options.suites if number not in LISTED]
    if unknown or not any(number in SUITES for number in options.suites):
        raise MetalError(
            ErrorCode.INVALID,
            f"cipher suites {options.suites} cannot be; there are {sorted(LISTED)}, and one of 3 and 17 has to be there",
        )
    if len(options.k_g) > _LONGEST_KEY:
        raise MetalError(ErrorCode.INVALID, f"a BMC key has at most {_LONGEST_KEY} bytes, not {len(options.k_g)}")
    if len(options.accounts) > SLOTS - FIRST - 1:
        raise MetalError(ErrorCode.INVALID, f"a BMC has no room for {len(options.accounts)} further accounts")


def _on_ports(options: RackOptions, base: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return whether all BMCs are at one address; of ::1 there is only one."""
    return options.one_address or isinstance(base, ipaddress.IPv6Address)


def _network(options: RackOptions) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(options.network)
    except ValueError as exc:
        raise MetalError(ErrorCode.INVALID, f"{options.network!r} is no IPv4 network ({exc})") from None
    if network.num_addresses < options.nodes + 3:
        raise MetalError(ErrorCode.INVALID, f"network {network} is too small for {options.nodes} nodes and a gateway")
    return network


def _base(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = text.partition("/")[0]
    try:
        base = ipaddress.ip_address(address)
    except ValueError:
        raise MetalError(ErrorCode.INVALID, f"{text!r} is no IP address") from None
    if not base.is_loopback:
        raise MetalError(
            ErrorCode.INVALID, f"{base} is no loopback address (127.x.y.z or ::1), and only there are BMCs simulated"
        )
    # a network's own address stands for its first host
    return base + 1 if isinstance(base, ipaddress.IPv4Address) and int(base) & 0xFF == 0 else base


def _bmc_place(
    options: RackOptions, index: int, base: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> tuple[str, int]:
    if _on_ports(options, base):
        return str(base), options.port + index
    # .0 and .255 of each /24 are left out: host range expressions read better without them
    rows, column = divmod((int(base) & 0xFF) - 1 + index, _HOSTS_PER_NET)
    address = (int(base) & ~0xFF) + rows * 256 + column + 1
    if not ipaddress.IPv4Address(address).is_loopback:
        raise MetalError(ErrorCode.INVALID, f"the loopback network ends before {options.nodes} addresses from {base}")
    return str(ipaddress.IPv4Address(address)), options.port


def _identity(
    options: RackOptions,
    index: int,
    width: int,
    base: ipaddress.IPv4Address | ipaddress.IPv6Address,
    network: ipaddress.IPv4Network,
) -> NodeIdentity:
    name = f"{options.prefix}{index + 1:0{width}d}"
    address, port = _bmc_place(options, index, base)
    system = uuid.uuid5(uuid.NAMESPACE_DNS, f"{options.seed}.{options.rack}.{name}")
    # locally administered addresses that differ between racks and seeds
    block = system_block(options)
    low = (index + 1).to_bytes(2, "big")
    mac = ":".join(f"{byte:02x}" for byte in (0x52, 0x54, *block, *low))
    bmc_mac = ":".join(f"{byte:02x}" for byte in (0x56, 0x54, *block, *low))
    second = ("::1", options.port + index) if options.ipv6 else (None, 0)
    serial = f"SIM{system.hex[:8].upper()}"
    return NodeIdentity(
        bmc=BmcIdentity(name, address, port, bmc_mac, system, serial, *second),
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


def write_inventory(options: RackOptions, path: str) -> None:
    """Write :func:`inventory_csv` to a file that only its owner may read: it holds a password. Raises OSError."""
    place = Path(path)
    place.touch(mode=0o600)
    place.write_text(inventory_csv(options), encoding="utf-8")
