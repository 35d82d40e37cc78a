# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what DHCP is to serve, whichever server does it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._nodes.errors import ErrorCode, MetalError
from .._nodes.view import View

IPXE_OPTION = 175
"""DHCP option that iPXE, and nobody else, sends (encapsulated options)."""


@dataclass(frozen=True, slots=True)
class Loader:
    """The first-stage ``file`` for clients whose option 93 (RFC 4578) is one of ``codes``; ``tag`` names them."""

    tag: str
    codes: tuple[int, ...]
    file: str


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet that DHCP answers on. ``pool``: first and last address for unknown machines, or None for reservations only."""

    network: ipaddress.IPv4Network
    gateway: ipaddress.IPv4Address | None
    dns: tuple[ipaddress.IPv4Address, ...]
    pool: tuple[ipaddress.IPv4Address, ipaddress.IPv4Address] | None
    lease_seconds: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """A node's address: ``mac`` gets ``ip`` and is told ``hostname``."""

    node: str
    mac: str
    ip: ipaddress.IPv4Address
    hostname: str


@dataclass(frozen=True, slots=True)
class Service:
    """All of it. ``boot_url``: what iPXE is sent to. ``tftp_root``: folder that this server serves by TFTP, or None."""

    interfaces: tuple[str, ...]
    subnets: tuple[Subnet, ...]
    reservations: tuple[Reservation, ...]
    loaders: tuple[Loader, ...]
    boot_url: str
    tftp_root: str | None
    next_server: str | None


def subnet(options: Mapping[str, Any]) -> Subnet:
    """Return the subnet that a user described. Raises: MetalError ``invalid`` with the value and what would be right."""
    try:
        network = ipaddress.IPv4Network(options["network"])
    except ValueError as exc:
        raise MetalError(
            ErrorCode.INVALID, f"subnet {options['network']!r}: {exc}; write one as in 10.1.0.0/16"
        ) from None
    gateway = _address(options.get("gateway"), network, "gateway", inside=True)
    dns = tuple(a for a in (_address(one, network, "dns", inside=False) for one in options.get("dns") or ()) if a)
    first = _address(options.get("range_start"), network, "range_start", inside=True)
    last = _address(options.get("range_end"), network, "range_end", inside=True)
    if (first is None) != (last is None):
        raise MetalError(ErrorCode.INVALID, f"subnet {network}: range_start and range_end only go together")
    if first and last and first > last:
        raise MetalError(ErrorCode.INVALID, f"subnet {network}: range_start {first} is behind range_end {last}")
    seconds = int(options.get("lease_seconds") or 3600)
    if seconds < 120:
        raise MetalError(
            ErrorCode.INVALID, f"subnet {network}: lease_seconds {seconds} is below 120, the least that dnsmasq takes"
        )
    return Subnet(network, gateway, dns, (first, last) if first and last else None, seconds)


def _address(value: Any, network: ipaddress.IPv4Network, name: str, *, inside: bool) -> ipaddress.IPv4Address | None:
    if value in (None, ""):
        return None
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        raise MetalError(ErrorCode.INVALID, f"subnet {network}: {name} {value!r} is not an IPv4 address") from None
    if inside and address not in network:
        raise MetalError(ErrorCode.INVALID, f"subnet {network}: {name} {address} lies outside of it")
    return address


def reservations(views: Iterable[View], subnets: Iterable[Subnet], *, strict: bool) -> tuple[Reservation, ...]:
    """Return a reservation for each node; if ``strict``, a node without net.mac or net.ip is an error, else it is left out.

    Raises: MetalError ``missing``, ``invalid`` (an address in no subnet) or ``conflict`` (two nodes with one address).
    """
    subnets = list(subnets)
    found: list[Reservation] = []
    taken: dict[Any, str] = {}
    for view in views:
        if not strict and not (view["net.mac"] and view["net.ip"]):
            continue
        mac, address = view.need("net.mac", "DHCP knows it by that"), view.need("net.ip", "DHCP reserves it")
        ip = ipaddress.ip_address(address)
        if not isinstance(ip, ipaddress.IPv4Address) or not any(ip in one.network for one in subnets):
            raise MetalError(ErrorCode.INVALID, f"net.ip {ip} lies in none of the subnets", node=view.name)
        hostname = (view["net.hostname"] or view.name).split(".")[0]
        for key in (mac, ip, hostname):
            if key in taken:
                raise MetalError(ErrorCode.CONFLICT, f"{key} is already that of node {taken[key]}", node=view.name)
            taken[key] = view.name
        found.append(Reservation(view.name, mac, ip, hostname))
    return tuple(found)
