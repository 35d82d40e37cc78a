# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: an unpacked medium on disk: finding files in it, and seeing that none is missing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .._nodes.errors import ErrorCode, MetalError

SHOWN = 5


def find(root: Path, names: Iterable[str]) -> Path:
    """Return the first of the relative ``names`` that is a file under ``root``.

    Raises: MetalError ``media``.
    """
    wanted = list(names)
    for name in wanted:
        if (root / name).is_file():
            return root / name
    raise MetalError(
        ErrorCode.MEDIA, f"the media in {root} hold no {' or '.join(wanted)}; is this the unpacked medium?"
    )


def need(root: Path, names: Iterable[str]) -> None:
    """Raise MetalError ``media`` unless each of ``names`` is a file under ``root``, in exactly that case."""
    missing = [name for name in names if not _inside(root, name).is_file()]
    if missing:
        shown = ", ".join(missing[:SHOWN]) + (f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else "")
        raise MetalError(ErrorCode.MEDIA, f"the media in {root} lack {shown}; names count in exact case")


def _inside(root: Path, name: str) -> Path:
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise MetalError(ErrorCode.MEDIA, f"{name!r} points outside the media in {root}")
    return path
