# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the command line of the simulated data center."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from ...module_utils._nodes.errors import MetalError
from .bmc import DEFAULT_SLOTS, DEFAULT_SUITES, RESET_SECONDS
from .bmc_data import Account
from .control import ControlServer, ask
from .faults import KINDS, FaultSetting, parse_fault
from .machine import BootOrder, Firmware, Timing
from .models import MODELS
from .options import ALL, RackOptions, write_inventory
from .rack import Rack

_LEVELS = {"callback": 1, "user": 2, "operator": 3, "administrator": 4, "disabled": 4}
"""Privilege limit of an account by its name; an account that is disabled could be an administrator."""

PROGRAM = "python -m ansible_collections.stage0.metal.plugins.plugin_utils._simulator"


def _fault(text: str) -> tuple[str, FaultSetting]:
    name, equals, fault = text.partition("=")
    if not (name and equals and fault):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NODE=FAULT, such as n07=dead")
    try:
        return name, parse_fault(fault)
    except MetalError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 86400.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return value


def _account(text: str) -> Account:
    name, _colon, rest = text.partition(":")
    password, _colon, level = rest.rpartition(":")
    if not name or level not in _LEVELS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not of the form NAME:PASSWORD:LEVEL; LEVEL: {', '.join(_LEVELS)}"
        )
    return Account(name.encode(), password.encode(), _LEVELS.get(level, 0), enabled=level != "disabled")


def _key(text: str) -> bytes:
    try:
        return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not 0x and hexadecimal digits") from None


def _suites(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers, such as 3,17") from None


def _names(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _fault_table() -> str:
    lines = ["faults (NODE=FAULT or NODE=FAULT:NUMBER):"]
    for fault, kind in KINDS.items():
        number = f" (number: {kind.unit}, default {kind.default:g})" if kind.unit else ""
        lines.append(f"  {fault.value:<19} {kind.does}{number}")
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(
        prog=PROGRAM,
        description="A simulated data center: BMCs that speak IPMI 2.0 on loopback addresses, and machines behind "
        "them that boot from the network, install and report to a hub. Needs no root.",
        epilog=_fault_table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_rack(result.add_argument_group("the rack"))
    _add_bmcs(result.add_argument_group("the BMCs"))
    _add_machines(result.add_argument_group("the machines"))
    _add_control(result.add_argument_group("a running simulator"))
    return result


def _add_rack(group: Any) -> None:
    group.add_argument("--nodes", type=int, default=24, metavar="N", help="how many nodes (default: 24)")
    group.add_argument("--prefix", default="n", metavar="TEXT", help="node names are this and a number, as r1n01")
    group.add_argument("--rack", default="rack1", metavar="NAME", help="name of the rack (default: rack1)")
    group.add_argument(
        "--groups", default="", metavar="A;B", help="groups of the nodes in the CSV file (default: the rack's name)"
    )
    group.add_argument(
        "--bind", default="127.24.0.1", metavar="ADDRESS", help="first BMC's loopback address (default: 127.24.0.1)"
    )
    group.add_argument("--port", type=int, default=6230, metavar="PORT", help="UDP port of the BMCs (default: 6230)")
    group.add_argument(
        "--one-address", action="store_true", help="all BMCs on the first address, on ports that count up from --port"
    )
    group.add_argument(
        "--network", default="10.24.0.0/16", metavar="NET", help="network of the machines (default: 10.24.0.0/16)"
    )
    group.add_argument("--csv", metavar="FILE", help="write the nodes to FILE, a table for module node_import")


def _add_bmcs(group: Any) -> None:
    group.add_argument("--model", choices=list(MODELS), help="model of the machines (default: all in turn)")
    group.add_argument(
        "--ipv6", action="store_true", help="each BMC also answers at ::1, on ports that count up from --port"
    )
    group.add_argument("--user", default="admin", metavar="NAME", help="BMC user (default: admin)")
    group.add_argument("--password", default="secret", metavar="TEXT", help="BMC password (default: secret)")
    group.add_argument(
        "--account",
        type=_account,
        action="append",
        default=[],
        metavar="NAME:PASSWORD:LEVEL",
        help=f"a further BMC user; LEVEL: {', '.join(_LEVELS)}; repeat for more",
    )
    group.add_argument(
        "--factory-defaults",
        type=_names,
        nargs="?",
        const=frozenset({ALL}),
        default=frozenset(),
        metavar="NODE,NODE",
        help="BMCs that have their maker's account still (without a value: all of them)",
    )
    group.add_argument("--k-g", type=_key, default=b"", metavar="KEY", help="the BMCs' key: text, or 0x and digits")
    group.add_argument(
        "--suites",
        type=_suites,
        default=DEFAULT_SUITES,
        metavar="N,N",
        help="cipher suites that the BMCs list (default: 3,17, which are the ones that work)",
    )
    group.add_argument("--sessions", type=int, default=DEFAULT_SLOTS, metavar="N", help="session slots (default: 5)")
    group.add_argument(
        "--reset-seconds", type=_seconds, default=RESET_SECONDS, metavar="S", help="a BMC's restart (default: 5)"
    )


def _add_machines(group: Any) -> None:
    group.add_argument("--hub", metavar="URL", help="where the machines boot from, such as http://127.0.0.1:8480")
    group.add_argument("--post-seconds", type=_seconds, default=1.0, metavar="S", help="self test (default: 1)")
    group.add_argument("--install-seconds", type=_seconds, default=10.0, metavar="S", help="one install (default: 10)")
    group.add_argument("--firmware", choices=[f.value for f in Firmware], default="uefi", help="default: uefi")
    group.add_argument(
        "--boot-order",
        choices=[o.value for o in BootOrder],
        default="disk",
        help="disk: from disk, from the network if it is empty (default); network: always asks the hub first",
    )
    group.add_argument("--powered", action="store_true", help="machines are switched on at the start")
    group.add_argument(
        "--fault", type=_fault, action="append", default=[], metavar="NODE=FAULT", help="a fault; repeat for more"
    )
    group.add_argument("--seed", type=int, default=1, metavar="N", help="of addresses, UUIDs and losses (default: 1)")


def _add_control(group: Any) -> None:
    group.add_argument("--state-socket", metavar="PATH", help="Unix socket that answers with the state as JSON")
    group.add_argument(
        "--until-eof",
        action="store_true",
        help="end also when standard input ends, as with the program that started it",
    )
    what = group.add_mutually_exclusive_group()
    what.add_argument("--show", action="store_true", help="print the state of the simulator at --state-socket")
    what.add_argument("--inject", type=_fault, metavar="NODE=FAULT", help="give a node a fault")
    what.add_argument("--clear", metavar="NODE", help="take all faults from a node")


def rack_options(arguments: argparse.Namespace) -> RackOptions:
    """Return the rack that the command line asks for."""
    faults: dict[str, tuple[FaultSetting, ...]] = {}
    for name, setting in arguments.fault:
        faults[name] = (*faults.get(name, ()), setting)
    return RackOptions(
        nodes=arguments.nodes,
        prefix=arguments.prefix,
        rack=arguments.rack,
        groups=tuple(part.strip() for part in arguments.groups.split(";") if part.strip()),
        bind=arguments.bind,
        port=arguments.port,
        one_address=arguments.one_address,
        hub=arguments.hub,
        user=arguments.user,
        password=arguments.password,
        network=arguments.network,
        firmware=Firmware(arguments.firmware),
        order=BootOrder(arguments.boot_order),
        sessions=arguments.sessions,
        model=arguments.model,
        accounts=tuple(arguments.account),
        factory_defaults=arguments.factory_defaults,
        k_g=arguments.k_g,
        suites=arguments.suites,
        reset_seconds=arguments.reset_seconds,
        ipv6=arguments.ipv6,
        timing=Timing(post=arguments.post_seconds, install=arguments.install_seconds),
        faults=faults,
        powered=arguments.powered,
        seed=arguments.seed,
    )


async def run(options: RackOptions, csv_path: str | None, socket_path: str | None, *, until_eof: bool = False) -> None:
    """Run a rack until SIGTERM or SIGINT, or until standard input ends. Raises MetalError, OSError."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if until_eof:
        loop.add_reader(sys.stdin, _stop_at_end, stop)
    async with contextlib.AsyncExitStack() as stack:
        rack = await stack.enter_async_context(Rack(options))
        if socket_path:
            await stack.enter_async_context(ControlServer(rack, socket_path))
        if csv_path:
            write_inventory(options, csv_path)
        print(_ready_line(rack, socket_path), flush=True)
        await stop.wait()


def _stop_at_end(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin)
        stop.set()


def _ready_line(rack: Rack, socket_path: str | None) -> str:
    nodes = list(rack.nodes.values())
    first, last = nodes[0].identity, nodes[-1].identity
    return (
        f"simulator ready: {len(nodes)} nodes {first.name} to {last.name}, BMCs {first.bmc.address}:{first.bmc.port} "
        f"to {last.bmc.address}:{last.bmc.port}, hub {rack.options.hub or 'none'}, state socket {socket_path or 'none'}"
    )


def _control_request(arguments: argparse.Namespace) -> dict[str, Any] | None:
    if arguments.inject:
        return {"do": "fault", "node": arguments.inject[0], "fault": str(arguments.inject[1])}
    if arguments.clear:
        return {"do": "clear", "node": arguments.clear}
    return {"do": "state"} if arguments.show else None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, or 2 with a sentence on standard error."""
    command_line = parser()
    arguments = command_line.parse_args(argv)
    request = _control_request(arguments)
    if request is not None and not arguments.state_socket:
        command_line.error("--show, --inject and --clear need the --state-socket of the running simulator")
    try:
        if request is not None:
            print(json.dumps(ask(arguments.state_socket, request), indent=2))
        else:
            options = rack_options(arguments)
            asyncio.run(run(options, arguments.csv, arguments.state_socket, until_eof=arguments.until_eof))
    except (MetalError, OSError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    return 0
