# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what unit tests share: modules run in process, a small site, a driver without hardware."""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import pytest
from ansible.module_utils import basic
from ansible_collections.stage0.metal.plugins.module_utils._deploy.deployments import Deployments
from ansible_collections.stage0.metal.plugins.module_utils._deploy.states import State
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import (
    Attempt,
    BootDevice,
    BootOverride,
    Capability,
    Lamp,
    PowerAction,
    PowerState,
    PowerStep,
    ResetKind,
    Still,
    Target,
    Withdrawn,
    power_command,
)
from ansible_collections.stage0.metal.plugins.module_utils._drivers.facts import Controller, Inventory
from ansible_collections.stage0.metal.plugins.module_utils._drivers.managing import AddressSource, BmcNetwork
from ansible_collections.stage0.metal.plugins.module_utils._drivers.sensing import (
    EventLog,
    LogEntry,
    LogMark,
    Readings,
    Since,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import Database, open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store, Wish

MODULES = "ansible_collections.stage0.metal.plugins.modules"
PASSWORD = "correct-horse-7"
HASH = "$6$saltsalt$" + "h" * 86
LAB_ANSWER = (
    "hostname {{ network.hostname }}\ndisk {{ node.deploy.disk }}\n"
    "image {{ image.url }}/disk.img.gz\nreport {{ hub.report_url }}\n"
)


@contextmanager
def module_arguments(arguments: Mapping[str, Any]) -> Iterator[None]:
    """Hand ``arguments`` to the next AnsibleModule, as ansible-core of this version wants it."""
    try:
        testing = importlib.import_module("ansible.module_utils.testing")
    except ImportError:  # ansible-core 2.18
        encoded = json.dumps({"ANSIBLE_MODULE_ARGS": dict(arguments)}).encode()
        with mock.patch.object(basic, "_ANSIBLE_ARGS", encoded):
            yield
    else:
        with testing.patch_module_args(dict(arguments)):
            yield


def _status_of(main: Callable[[], None]) -> Any:
    """Return the exit status with which ``main`` ends."""
    try:
        main()
    except SystemExit as exc:
        return exc.code
    raise AssertionError("the module ended without a result")


def run_module(module: str, /, *, check: bool = False, diff: bool = False, **arguments: Any) -> dict[str, Any]:
    """Run the real main() of ``module`` and return what it printed as its result."""
    given = {**arguments, "_ansible_check_mode": check, "_ansible_diff": diff}
    printed, code = io.StringIO(), None
    with module_arguments(given), redirect_stdout(printed):
        code = _status_of(importlib.import_module(f"{MODULES}.{module}").main)
    result: dict[str, Any] = json.loads(printed.getvalue())
    assert bool(result.get("failed")) == bool(code), result
    result.pop("invocation", None)
    log = os.environ.get("STAGE0_RESULTS_LOG")
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(json.dumps({"module": module, "result": result}) + "\n")
    return result


def warned(module: str, /, **arguments: Any) -> tuple[dict[str, Any], list[str]]:
    """Run a module; return its result, and what this task alone warns of (AnsibleModule adds up those of a process)."""
    told: list[str] = []
    with mock.patch.object(basic.AnsibleModule, "warn", lambda _self, warning, **_more: told.append(warning)):
        return run_module(module, **arguments), told


def cannot_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody write to the database from now on."""

    def locked(_self: Database, **_how: Any) -> NoReturn:
        raise MetalError(ErrorCode.DATABASE, "the database is locked")

    monkeypatch.setattr(Database, "write", locked)


def raw_output(module: str, /, **arguments: Any) -> str:
    """Run the real main() of ``module`` and return what it printed, as it printed it."""
    printed = io.StringIO()
    with module_arguments(arguments), redirect_stdout(printed):
        _status_of(importlib.import_module(f"{MODULES}.{module}").main)
    return printed.getvalue()


def ok(module: str, /, **arguments: Any) -> dict[str, Any]:
    """Run a module that has to succeed."""
    result = run_module(module, **arguments)
    assert not result.get("failed"), result["msg"]
    return result


def refused(module: str, /, **arguments: Any) -> dict[str, Any]:
    """Run a module that has to fail before it touches anything; the sentence is ``msg``, the class ``error.code``."""
    result = run_module(module, **arguments)
    assert result.get("failed"), result
    assert result["changed"] is False
    assert "\n" not in result["msg"]
    return result


def three_runs(module: str, /, **arguments: Any) -> dict[str, Any]:
    """Run a check, the real thing, and the real thing again; returns the real result.

    The check foretells ``changed`` and ``diff``; the second run changes nothing.
    """
    check = ok(module, check=True, diff=True, **arguments)
    real = ok(module, diff=True, **arguments)
    again = ok(module, diff=True, **arguments)
    assert check["changed"] is real["changed"] is True
    assert check["diff"] == real["diff"]
    assert real["diff"]["before"] != real["diff"]["after"]
    assert again["changed"] is False
    assert again["diff"]["before"] == again["diff"]["after"]
    foretold = ok(module, check=True, diff=True, **arguments)
    assert foretold["changed"] is False
    return real


@contextmanager
def store(who: str = "test", *, keep: bool = True) -> Iterator[Store]:
    """The store of STAGE0_HOME in one transaction."""
    with closing(open_database()) as database, database.write(keep=keep) as connection:
        yield Store(connection, Keyring(), who)


def make_database() -> None:
    """Make a database with nothing in it, which modules that only read do not."""
    with store():
        pass


def events(subject: str | None = None) -> list[dict[str, Any]]:
    """Return the events of the database, oldest first."""
    with store() as opened:
        rows = opened.connection.execute(opened.t.events.select().order_by(opened.t.events.c.id)).mappings()
        return [dict(row) for row in rows if subject in (None, row["subject"])]


def make_rack(count: int = 3, **more: Any) -> list[str]:
    """Make nodes r1n01 ... with all that deployments and BMCs need, in group rack1; ``more`` are values of the group."""
    names = [f"r1n{number:02d}" for number in range(1, count + 1)]
    shared = {"bmc.user": "admin", "bmc.password": PASSWORD, **more}
    with store() as opened:
        opened.put("group", "rack1", Wish(shared))
        for number, name in enumerate(names, start=1):
            values = {
                "bmc.address": f"10.2.1.{number}",
                "net.mac": f"52:54:00:01:00:{number:02x}",
                "net.ip": f"10.1.1.{number}",
                "system.uuid": f"11112222-3333-4444-5555-6666000000{number:02x}",
                "deploy.root_password_hash": HASH,
            }
            opened.put("node", name, Wish(values, groups=["rack1"]))
    return names


def begin_installing(name: str) -> None:
    """Let the node's armed deployment begin, as if it had asked for its boot script."""
    with store() as opened:
        deployments = Deployments(opened)
        deployments.move(deployments.latest([name])[name], State.BOOTING, "boot script served")


def make_media(folder: Path) -> Path:
    """Make the media of the lab's installer."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("vmlinuz", "initrd.gz", "disk.img.gz"):
        (folder / name).write_bytes(name.encode() * 100)
    return folder


def make_profile(folder: Path, name: str = "lab", **more: Any) -> dict[str, Any]:
    """Make a profile of the lab's installer with media in ``folder``; returns the module's result."""
    arguments = {"installer": "lab", "media": str(make_media(folder)), "answer": LAB_ANSWER, **more}
    return ok("profile", name=name, **arguments)


@dataclass
class Machine:
    """A machine behind a scripted BMC.

    ``faults``: errors to raise by verb, the next one first. ``deaf``: actions that are taken and not done.
    ``looks``: how often power_state still tells the old state after a command. ``hangs``: verbs that never return.
    ``queued``: what happens while a request waits for its turn, by verb.
    """

    state: PowerState = PowerState.OFF
    override: BootOverride = field(default_factory=lambda: BootOverride(BootDevice.NONE))
    faults: dict[str, list[Exception]] = field(default_factory=dict)
    deaf: set[PowerAction] = field(default_factory=set)
    looks: int = 0
    hangs: set[str] = field(default_factory=set)
    queued: dict[str, Callable[[], object]] = field(default_factory=dict)
    reads_back: Callable[[BootOverride], BootOverride] | None = None
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    old: PowerState | None = None
    inventory: Inventory = field(default_factory=lambda: Inventory(Controller("1.02", 674, 256, "IPMI 2.0")))
    readings: Readings = field(default_factory=lambda: Readings(()))
    log: list[LogEntry] = field(default_factory=list)
    logged: int = 0
    """How many entries ever came into the log."""
    after_clearing: list[LogEntry] = field(default_factory=list)
    lamp: Lamp = Lamp.OFF
    unanswered: list[Exception] = field(default_factory=list)
    unanswered_state: PowerState = PowerState.ON
    """What the machine is then."""
    network: BmcNetwork = field(
        default_factory=lambda: BmcNetwork(
            AddressSource.STATIC, "10.2.1.1", "255.255.0.0", "10.2.0.1", 0, "56:54:00:00:00:01"
        )
    )
    moves: bool = True
    """Whether a new address is in force at once."""

    def mark(self) -> LogMark:
        """Which state its log is in."""
        return LogMark(len(self.log), self.logged)

    def count(self, verb: str) -> int:
        """How often ``verb`` was asked of it."""
        return sum(call[0] == verb for call in self.calls)


class ScriptedDriver:
    """A driver as base.Driver wants it, over ``machines`` by BMC address."""

    name = "scripted"

    def __init__(
        self, machines: dict[str, Machine], capabilities: frozenset[Capability] = frozenset(Capability)
    ) -> None:
        self.machines = machines
        self.capabilities = capabilities
        self.closed = 0
        self.targets: list[Target] = []

    async def _begin(self, target: Target, *call: Any, still: Still | None = None) -> Machine:
        machine = self.machines.get(target.address)
        if machine is None:
            raise MetalError(ErrorCode.UNREACHABLE, f"nobody at {target.place}")
        machine.queued.get(call[0], lambda: None)()
        if still is not None and not still():
            raise Withdrawn
        self.targets.append(target)
        machine.calls.append(call)
        waiting = machine.faults.get(call[0])
        if waiting:
            raise waiting.pop(0)
        if call[0] in machine.hangs:
            await asyncio.Event().wait()
        return machine

    def check(self, target: Target) -> None:
        """Nothing can be seen to be wrong."""

    async def power_state(self, target: Target, seconds: float) -> PowerState:
        """The state, or for ``looks`` times yet the old one."""
        machine = await self._begin(target, "power_state")
        if machine.old is not None and machine.looks > 0:
            machine.looks -= 1
            return machine.old
        return machine.state

    async def power(
        self,
        target: Target,
        action: PowerAction,
        seconds: float,
        still: Still | None = None,
        attempt: Attempt[PowerStep] | None = None,
    ) -> PowerStep:
        """Do what the action means, unless the machine is deaf to it. ``unanswered``: errors after it was sent."""
        machine = await self._begin(target, "power", action, still=still)
        before = machine.state
        sent = power_command(action, before)
        if attempt is not None and sent is not None:
            attempt.sent = PowerStep(before, sent)
            if machine.unanswered:
                machine.state = machine.unanswered_state
                raise machine.unanswered.pop(0)
        if sent is not None and sent not in machine.deaf:
            machine.old = before
            machine.state = PowerState.OFF if sent in (PowerAction.OFF, PowerAction.SHUTDOWN) else PowerState.ON
        return PowerStep(before, sent)

    async def boot_override(self, target: Target, seconds: float) -> BootOverride:
        """The override as it is."""
        return (await self._begin(target, "boot_override")).override

    async def set_boot_override(
        self, target: Target, wish: BootOverride, seconds: float, still: Still | None = None
    ) -> BootOverride:
        """Take the override, or what ``reads_back`` makes of it."""
        machine = await self._begin(target, "set_boot_override", wish, still=still)
        machine.override = machine.reads_back(wish) if machine.reads_back else wish
        return machine.override

    async def inventory(self, target: Target, seconds: float) -> Inventory:
        """What the machine is made of."""
        return (await self._begin(target, "inventory")).inventory

    async def sensors(self, target: Target, seconds: float) -> Readings:
        """The readings as they are."""
        return (await self._begin(target, "sensors")).readings

    async def event_log(self, target: Target, seconds: float, since: Since) -> EventLog:
        """The log, after an entry or its last ones if that is wanted; not by time, which the IPMI scripts' tests cover."""
        machine = await self._begin(target, "event_log", since)
        found, known = list(machine.log), [entry.raw for entry in machine.log]
        if since.after in known:
            found = found[known.index(since.after) + 1 :]
        if since.last is not None:
            found = found[len(found) - since.last :]
        return EventLog(tuple(found), machine.mark(), clock_offset=0)

    async def clear_event_log(self, target: Target, seconds: float, expected: LogMark) -> None:
        """Clear the log unless it changed."""
        machine = await self._begin(target, "clear_event_log")
        if machine.mark() != expected:
            raise MetalError(ErrorCode.CONFLICT, "the event log changed since it was read; nothing was cleared")
        machine.log = list(machine.after_clearing)
        machine.logged += len(machine.log)

    async def identify(self, target: Target, lamp: int | None, seconds: float) -> None:
        """Light the lamp or put it out."""
        machine = await self._begin(target, "identify", lamp)
        machine.lamp = {None: Lamp.ON, 0: Lamp.OFF}.get(lamp, Lamp.TIMED)

    async def identify_state(self, target: Target, seconds: float) -> Lamp:
        """Whether the lamp is lit."""
        return (await self._begin(target, "identify_state")).lamp

    async def reset_bmc(
        self, target: Target, kind: ResetKind, seconds: float, attempt: Attempt[ResetKind] | None = None
    ) -> None:
        """Nothing happens to the machine."""
        machine = await self._begin(target, "reset_bmc", kind)
        if attempt is not None:
            attempt.sent = kind
        if machine.unanswered:
            raise machine.unanswered.pop(0)

    async def network(self, target: Target, seconds: float) -> BmcNetwork:
        """The BMC's network."""
        return (await self._begin(target, "network")).network

    async def set_network(
        self, target: Target, wish: BmcNetwork, seconds: float, attempt: Attempt[BmcNetwork] | None = None
    ) -> None:
        """Take the network, and be found at its new address from then on. ``unanswered``: errors after the netmask."""
        machine = await self._begin(target, "set_network", wish)
        if machine.unanswered:
            machine.network = replace(machine.network, netmask=wish.netmask)
            if attempt is not None:
                attempt.sent = BmcNetwork(netmask=wish.netmask)
            raise machine.unanswered.pop(0)
        if attempt is not None:
            attempt.sent = wish
        asked = {key: value for key, value in asdict(wish).items() if value is not None}
        machine.network = replace(machine.network, **asked)
        if wish.address and machine.moves:
            self.machines[wish.address] = self.machines.pop(target.address)

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed += 1
