# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operations ``boot_device`` and ``boot_device_info``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._drivers.base import BootDevice, BootMode, BootOverride, Capability, Withdrawn
from .._fleet.fleet import Done, Limits
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.view import View
from .context import Context
from .hardware import LEFT_ALONE, Bmc, guard, look, run
from .notes import Notes

MODES = {"uefi": BootMode.UEFI, "bios": BootMode.LEGACY}
"""Value of the attribute boot.firmware to the mode that an override asks for."""


def boot_device_info(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read the boot override of every node's BMC. Changes nothing."""

    async def verb(bmc: Bmc) -> Done:
        return Done(more=_shown((await bmc.driver.boot_override(bmc.target, parameters["timeout"])).effective))

    return look(context, parameters, Capability.BOOT_DEVICE, verb)


def boot_device(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Set the boot override of every node's BMC, and prove it by reading it back."""

    notes = Notes(context)
    first: dict[str, BootOverride] = {}

    async def verb(bmc: Bmc) -> Done:
        still = guard(context, parameters, bmc.view.name)
        if still is not None and not still():
            return Done(more={"left_alone": LEFT_ALONE})
        wish = _wish(bmc.view, parameters)
        found = (await bmc.driver.boot_override(bmc.target, parameters["timeout"])).effective
        before = first.setdefault(bmc.view.name, found)  # what an earlier try of this task met, should it have set it
        done = Done(before != wish, _shown(before), _shown(wish))
        if done.changed and not context.check_mode:
            try:
                readback = await bmc.driver.set_boot_override(bmc.target, wish, parameters["timeout"], still)
            except Withdrawn:
                return Done(more={"left_alone": LEFT_ALONE})
            _verify(wish, readback)
            notes.add(bmc.view.name, "boot device", f"{wish.device} {'for good' if wish.persistent else 'once'}")
        return done

    limits = Limits(deadline=parameters["deadline"])
    try:
        return run(
            context, parameters, Capability.BOOT_DEVICE, verb, limits, check=lambda view: _wish(view, parameters)
        )
    finally:
        notes.write()


def _wish(view: View, parameters: Mapping[str, Any]) -> BootOverride:
    device = BootDevice(parameters["device"])
    if device is BootDevice.NONE:
        return BootOverride(device)
    if parameters["mode"]:
        return BootOverride(device, parameters["persistent"], BootMode(parameters["mode"]))
    firmware = view.need("boot.firmware", "the task names no mode either")
    return BootOverride(device, parameters["persistent"], MODES[firmware])


def _shown(override: BootOverride) -> dict[str, Any]:
    if override.device is BootDevice.NONE:
        return {"device": str(override.device), "persistent": False, "mode": None}
    return {"device": str(override.device), "persistent": override.persistent, "mode": str(override.mode)}


def _verify(wish: BootOverride, found: BootOverride) -> None:
    """Compare what was read back. A BMC that keeps the device but drops the valid or the UEFI bit boots as told."""
    if found.device is not wish.device:
        raise MetalError(
            ErrorCode.NOT_REACHED,
            f"the BMC took the boot device {wish.device}, but reads back {found.device}; it may not support it",
        )
    if wish.persistent and not found.persistent:
        raise MetalError(
            ErrorCode.UNSUPPORTED,
            f"the BMC took the boot device {wish.device}, but only for one boot; it cannot keep it persistent",
        )
