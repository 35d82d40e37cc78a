# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what the operations on BMCs share: choosing the nodes, reaching their BMCs, the result."""

from __future__ import annotations

import asyncio
import math
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .._deploy.deployments import Deployments
from .._deploy.states import State
from .._drivers.base import Capability, Driver, Still, Target, need_capability
from .._fleet import fleet
from .._fleet.results import allowed_failures, result
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.noderange import fold
from .._nodes.view import View
from .context import Context


@dataclass(frozen=True, slots=True)
class Bmc:
    """A node with the way to its BMC."""

    view: View
    driver: Driver
    target: Target


Verb = Callable[[Bmc], Awaitable[fleet.Done]]


def select(context: Context, nodes: str | Sequence[str], max_nodes: int | None) -> dict[str, View]:
    """Return the nodes that the task means. Raises: MetalError before anything is touched."""
    with context.read() as store:
        names = store.expand(nodes)
        if max_nodes is not None and len(names) > max_nodes:
            raise MetalError(
                ErrorCode.INVALID, f"the task means {len(names)} nodes, more than its max_nodes {max_nodes}"
            )
        return store.views(names)


def target(view: View) -> Target:
    """Return how to reach the node's BMC. Raises: MetalError ``missing`` that names node and attribute."""
    why = "the task has to reach the node's BMC"
    view.need("bmc.driver", why)
    address, port = view.need("bmc.address", why), view.need("bmc.port", why)
    return Target(
        address,
        port,
        view.need("bmc.user", why),
        view.need("bmc.password", why),
        view["bmc.kg"] or "",
        view["bmc.cipher_suite"],
    )


def run(
    context: Context,
    parameters: Mapping[str, Any],
    capability: Capability,
    verb: Verb,
    limits: fleet.Limits,
    *,
    check: Callable[[View], object] | None = None,
    ready: Callable[[], object] | None = None,
    shared: bool = False,
) -> dict[str, Any]:
    """Run ``verb`` on the BMC of every node that ``parameters`` name, and return the task's result.

    ``check`` may raise MetalError for what else a node needs; ``ready`` is called once all nodes are checked.
    ``shared``: whether two nodes may have the same BMC, as does no harm where nothing is changed.
    Raises: MetalError, before any BMC is touched, for a noderange, an attribute or a driver that will not do.
    """
    views = select(context, parameters["nodes"], parameters["max_nodes"])
    allowed_failures(parameters["max_failed"], len(views))
    check_times(parameters)
    targets = {name: target(view) for name, view in views.items()}
    if not shared:
        _check_shared(targets)
    if check is not None:
        for view in views.values():
            check(view)
    drivers = {name: context.drivers[name]() for name in sorted({view["bmc.driver"] for view in views.values()})}
    bmcs = {name: Bmc(view, drivers[view["bmc.driver"]], targets[name]) for name, view in views.items()}
    for name, bmc in bmcs.items():
        _check_driver(name, bmc, capability)
    if ready is not None:
        ready()
    begun = time.monotonic()
    try:
        outcomes = asyncio.run(_everything(context, bmcs, drivers.values(), verb, limits))
    except asyncio.CancelledError:
        raise MetalError(ErrorCode.SKIPPED, "ended by a signal; nodes that were begun may be in any state") from None
    answer = result(
        outcomes,
        identity=lambda name: views[name].identity(),
        seconds=time.monotonic() - begun,
        detail=parameters["detail"],
        max_failed=parameters["max_failed"],
    )
    if parameters.get("only_armed") and not context.check_mode:
        errors = {name: outcome.error for name, outcome in outcomes.items() if outcome.error}
        what = f"the deployments of {fold(errors)} could not be said to have failed, so that what is armed stays armed"
        with or_warn(answer, what, "disarm what will not install"):
            _fail_armed(context, errors)
    return answer


@contextmanager
def or_warn(answer: dict[str, Any], what: str, advice: str) -> Iterator[None]:
    """Make a warning of the task of a MetalError in the body: machines did what they did, whatever can be written then."""
    try:
        yield
    except MetalError as exc:
        answer.setdefault("warnings", []).append(f"{what}: {exc}; {advice}")


TIMES = {"timeout": 0.0, "deadline": 0.0, "wait_timeout": None}
"""Options that are seconds; those with a bound have to be above it, the others may be 0."""


def check_times(parameters: Mapping[str, Any]) -> None:
    """Raises: MetalError ``invalid`` for seconds that cannot be."""
    for name, bound in TIMES.items():
        value = parameters.get(name)
        if value is not None and not (math.isfinite(value) and (value >= 0 if bound is None else value > bound)):
            raise MetalError(ErrorCode.INVALID, f"{name}: {value:g} s cannot be; write how many seconds, such as 20")


def _check_shared(targets: Mapping[str, Target]) -> None:
    """Raises: MetalError ``conflict`` if two nodes have one BMC: what is done to one would be done to the other."""
    owners: dict[str, str] = {}
    for name, each in targets.items():
        other = owners.setdefault(each.place, name)
        if other != name:
            why = f"its BMC {each.place} is that of {other}, too; see bmc.address and bmc.port of both"
            raise MetalError(ErrorCode.CONFLICT, why, node=name)


async def _everything(
    context: Context, bmcs: Mapping[str, Bmc], drivers: Iterable[Driver], verb: Verb, limits: fleet.Limits
) -> dict[str, fleet.Outcome]:
    try:
        with ended_by_signals():
            return await fleet.run(
                list(bmcs), lambda name: verb(bmcs[name]), limits, lambda progress: context.say(told(progress))
            )
    finally:
        for driver in drivers:
            await driver.close()


def _check_driver(name: str, bmc: Bmc, capability: Capability) -> None:
    try:
        need_capability(bmc.driver, capability)
        bmc.driver.check(bmc.target)
    except MetalError as exc:
        exc.node = name
        raise


def told(progress: fleet.Progress) -> str:
    """Return a line of progress for people."""
    more = "".join(
        f", {count} {what}"
        for count, what in ((progress.failed, "failed"), (progress.again, "to be tried again"))
        if count
    )
    return f"{progress.done} of {progress.total} nodes after {progress.seconds:.0f} s{more}"


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM cancel the task, so that sessions are closed before the process ends."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in previous:
        loop.add_signal_handler(number, task.cancel)
    try:
        yield
    finally:
        for number, handler in previous.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


def look(context: Context, parameters: Mapping[str, Any], capability: Capability, verb: Verb) -> dict[str, Any]:
    """Run a ``verb`` that only reads, as run() does; its result has no before and after. Raises: MetalError."""
    found = run(context, parameters, capability, verb, fleet.Limits(deadline=parameters["deadline"]), shared=True)
    found.pop("diff")
    for node in found["nodes"].values():
        node.pop("before")
        node.pop("after")
    return found


def still_armed(context: Context, name: str) -> bool:
    """Return whether the node's deployment is armed at this moment: it has not begun to boot its installer."""
    with context.read() as store:
        found = Deployments(store).latest([name]).get(name)
    return found is not None and found.state is State.ARMED


LEFT_ALONE = "no armed deployment"
"""Why a node was left alone, as results say it."""


def guard(context: Context, parameters: Mapping[str, Any], name: str) -> Still | None:
    """Return what a driver has to ask before it changes anything at the node's BMC; None if the task sets no bounds."""
    return (lambda: still_armed(context, name)) if parameters["only_armed"] else None


def _fail_armed(context: Context, errors: Mapping[str, MetalError]) -> None:
    """Say in the deployments of nodes whose BMC failed that they failed, and why: such a node will not install."""
    if not errors:
        return
    with context.write() as store:
        deployments = Deployments(store)
        for name, found in deployments.latest(errors).items():
            if found.state is State.ARMED:
                late = errors[name].code is ErrorCode.SKIPPED
                message = errors[name].message if late else f"the BMC could not be used: {errors[name].message}"
                deployments.move(found, State.FAILED, message, message=message)
