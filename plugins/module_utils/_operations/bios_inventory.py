# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operation ``bios_inventory``, of which there is yet what BMCs tell by themselves."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from .._drivers.base import Capability, need_capability
from .._drivers.facts import Inventory, completed, plain
from .._fleet.fleet import Done, Limits, Outcome
from .._fleet.results import result
from .._nodes import hardware
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.events import written
from .._nodes.noderange import fold
from .._nodes.view import View
from .context import Context
from .hardware import Bmc, or_warn, run, select

MOST_WARNINGS = 20
"""Nodes that a task warns of one by one; of more, it says how many."""


def bios_inventory(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read what every node is made of, keep it in the node database if that is wanted, and tell what was kept."""
    most = parameters["history"]
    if most < 0:
        raise MetalError(ErrorCode.INVALID, f"history: {most} is no number of inventories; 0 is the least")
    if not parameters["read"]:
        if parameters["oem"]:
            raise MetalError(ErrorCode.INVALID, "oem: true needs read: true; what was kept of it is shown anyway")
        if parameters["store"]:
            raise MetalError(ErrorCode.INVALID, "store: true needs read: true; there is nothing new to keep")
        return _kept(context, parameters)
    views = select(context, parameters["nodes"], parameters["max_nodes"])
    with context.read() as store:
        before = hardware.history(store, list(views), max(1, most))
    found: dict[str, dict[str, Any]] = {}
    doubts: dict[str, list[str]] = {}

    async def verb(bmc: Bmc) -> Done:
        name = bmc.view.name
        inventory = await bmc.driver.inventory(bmc.target, parameters["timeout"])
        document, last = inventory.document(), before.get(name)
        warnings = [*plain(inventory.warnings)]
        if parameters["oem"]:
            try:
                document["oem"] = await _oem(bmc, parameters["timeout"])
            except MetalError as exc:
                warnings.append(f"what the maker's extensions tell could not be read: {exc.message}")
        found[name] = kept = _to_keep(inventory, document, last[0].document if last else {})
        if parameters["store"]:
            warnings += [
                f"of the {part}, what could not be read is kept as it was stored"
                for part in inventory.unread
                if kept[part] != document[part]
            ]
        doubts[name] = [f"{name}: {doubt}" for doubt in differences(bmc.view, inventory)]
        more = {"inventory": document, "warnings": [*warnings, *doubts[name]]}
        if most:
            more["history"] = [_dated(one) for one in (last or [])[:most]]
        if not parameters["store"]:
            return Done(more=more)
        old, new = hardware.difference(last[0].document if last else {}, kept)
        return Done(bool(new) or last is None, old if last else {}, new, more)

    answer = run(context, parameters, Capability.INVENTORY, verb, Limits(deadline=parameters["deadline"]))
    answer["warnings"] = _warnings([doubt for name in views for doubt in doubts.get(name, ())])
    if parameters["store"] and not context.check_mode and found:
        what = f"what was read of {fold(found)} is not kept in the node database"
        with or_warn(answer, what, "run the task again once it can be written"), context.write() as store:
            hardware.keep(store, found)
    return answer


async def _oem(bmc: Bmc, seconds: float) -> dict[str, Any]:
    """Return parts and firmware by the maker's own extensions. Raises: MetalError."""
    need_capability(bmc.driver, Capability.PARTS)
    found: dict[str, Any] = plain(await bmc.driver.parts(bmc.target, seconds))
    return found


def _to_keep(found: Inventory, document: dict[str, Any], last: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be kept: what was not read this time is not gone, and stays as it was kept."""
    kept = completed(document, last, found.unread)
    return kept if "oem" in document or "oem" not in last else {**kept, "oem": last["oem"]}


def _kept(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of the nodes, without asking their BMCs."""
    begun = time.monotonic()
    views = select(context, parameters["nodes"], parameters["max_nodes"])
    with context.read() as store:
        kept = hardware.history(store, list(views), max(1, parameters["history"]))
    outcomes: dict[str, Outcome] = {}
    for name in views:
        dated = [_dated(one) for one in kept.get(name, [])]
        more: dict[str, Any] = {"inventory": dated[0]["inventory"] if dated else None, "warnings": []}
        if parameters["history"]:
            more["history"] = dated
        outcomes[name] = Outcome(Done(more=more), None, 0.0, 0)
    return result(
        outcomes,
        identity=lambda name: views[name].identity(),
        seconds=time.monotonic() - begun,
        detail=parameters["detail"],
        max_failed=parameters["max_failed"],
    )


def _dated(kept: hardware.Kept) -> dict[str, Any]:
    return {"at": written(kept.at), "inventory": kept.document}


def _warnings(doubts: list[str]) -> list[str]:
    more = len(doubts) - MOST_WARNINGS
    return [*doubts[:MOST_WARNINGS], *([f"{more} more differences, see warnings of the nodes"] if more > 0 else [])]


def _spelt(value: str | None) -> str:
    return " ".join((value or "").casefold().split())


def _serials(found: Inventory) -> list[str | None]:
    return [part.serial for part in (found.product, found.chassis, found.board) if part is not None]


def _makers(found: Inventory) -> list[str | None]:
    return [part.manufacturer for part in (found.product, found.board) if part is not None]


def _models(found: Inventory) -> list[str | None]:
    product = [found.product.name, found.product.part_number] if found.product is not None else []
    return [*product, found.board.product if found.board is not None else None]


def _uuids(found: Inventory) -> list[str | None]:
    """The UUID, and as it would be if this BMC sends the first three fields the other way round, which some do."""
    return [found.uuid, str(uuid.UUID(bytes=uuid.UUID(found.uuid).bytes_le))] if found.uuid else []


_COMPARED: dict[str, Callable[[Inventory], list[str | None]]] = {
    "system.serial": _serials,
    "system.uuid": _uuids,
    "system.manufacturer": _makers,
    "system.model": _models,
}
"""Attribute to the values of an inventory one of which it ought to be."""


def differences(view: View, found: Inventory) -> list[str]:
    """Return what the node database says otherwise than the machine: it may be another machine than it was."""
    told = []
    for name, values_of in _COMPARED.items():
        wanted, values = view[name], [value for value in values_of(found) if value]
        if wanted and values and _spelt(wanted) not in map(_spelt, values):
            told.append(
                f"{name} is {wanted} in the node database, but the machine says {values[0]}; was the machine replaced?"
            )
    return told
