# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the formats from which nodes can be imported, one row each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import csvfile, yamlfile
from ._importers import confluent, inventory, xcat
from .batch import Batch
from .errors import ErrorCode, MetalError

FORMATS: dict[str, Callable[[Path], Batch]] = {
    "csv": csvfile.read,
    "yaml": yamlfile.read,
    "xcat": xcat.read,
    "confluent": confluent.read,
    "inventory": inventory.read,
}

_SUFFIXES = {".csv": "csv", ".yml": "yaml", ".yaml": "yaml"}
_INSIDE = {"nodelist.csv": "xcat", "main.json": "confluent"}


def recognise(path: Path) -> str:
    """Return the format that ``path`` is in. Raises: MetalError ``invalid`` if that is not plain to see."""
    if not path.exists():
        raise MetalError(ErrorCode.INVALID, f"there is no file {path} on the machine where the module runs")
    inside = (form for name, form in _INSIDE.items() if (path / name).exists())
    found = next(inside, None) if path.is_dir() else _SUFFIXES.get(path.suffix)
    if found is None:
        raise MetalError(
            ErrorCode.INVALID, f"what format {path} is in is not plain to see; give format, one of {', '.join(FORMATS)}"
        )
    return found
