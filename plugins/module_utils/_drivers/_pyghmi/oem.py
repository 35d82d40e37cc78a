# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what pyghmi knows of makers' own extensions: parts and firmware versions beyond the standard.

The verbs run in a worker process, over a session of pyghmi's own (see session.py). What they return has to travel
over a pipe and into a JSON result: texts, numbers, lists and dicts of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .._ipmi.text import printable

Facts = dict[str, dict[str, Any]]


def _plain(value: object) -> Any:
    if isinstance(value, dict):
        return {printable(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (int, float, bool)) else printable(str(value))


def _named(found: Iterable[tuple[Any, Any]]) -> Facts:
    return {printable(str(name)): _plain(facts) for name, facts in found if isinstance(facts, dict)}


def parts(bmc: Any) -> dict[str, Facts]:
    """Return the machine's parts and its firmware, each by its name, as pyghmi tells them of this maker."""
    return {"parts": _named(bmc.get_inventory()), "firmware": _named(bmc.get_firmware())}


VERBS: dict[str, Callable[..., Any]] = {"parts": parts}
"""What a worker can be asked for, by name."""
