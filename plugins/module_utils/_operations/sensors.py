# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operation ``sensors_info``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from .._drivers.base import Capability
from .._drivers.facts import plain
from .._drivers.sensing import Health, Sensor, worst
from .._fleet.fleet import Done
from .._nodes.noderange import fold
from .context import Context
from .hardware import Bmc, look

BAD = frozenset({Health.WARNING, Health.CRITICAL})


def sensors_info(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read the sensors of every node's BMC. Changes nothing.

    The health of a node is that of the sensors that ``kinds`` and ``names`` select, whether they are listed or not.
    """
    wanted = _wanted(parameters["kinds"], parameters["names"])
    healths: dict[str, Health] = {}

    async def verb(bmc: Bmc) -> Done:
        readings = await bmc.driver.sensors(bmc.target, parameters["timeout"])
        selected = [sensor for sensor in readings.sensors if wanted(sensor)]
        healths[bmc.view.name] = health = worst(sensor.health for sensor in selected)
        listed = [shown(sensor) for sensor in selected if not parameters["unhealthy"] or sensor.health in BAD]
        more = {"skipped": readings.skipped, "warnings": plain(readings.warnings)}
        return Done(more={"health": str(health), "sensors": listed, **more})

    result = look(context, parameters, Capability.SENSORS, verb)
    result["health"] = {str(one): fold([name for name, health in healths.items() if health is one]) for one in Health}
    return result


def _wanted(kinds: list[str] | None, names: list[str] | None) -> Callable[[Sensor], bool]:
    patterns = [name.lower() for name in names or ()]

    def wanted(sensor: Sensor) -> bool:
        named = not patterns or any(fnmatchcase(sensor.name.lower(), pattern) for pattern in patterns)
        return named and (not kinds or sensor.kind in kinds)

    return wanted


def shown(sensor: Sensor) -> dict[str, Any]:
    """Return a sensor as results show it: of the thresholds those that there are."""
    limits = sensor.thresholds
    names = limits.__dataclass_fields__ if limits is not None else ()
    values = {name: getattr(limits, name) for name in names}
    return {
        "name": sensor.name,
        "kind": sensor.kind,
        "place": sensor.place,
        "value": sensor.value,
        "unit": sensor.unit,
        "states": list(sensor.states),
        "health": str(sensor.health),
        "available": sensor.available,
        "thresholds": {name: value for name, value in values.items() if value is not None},
    }
