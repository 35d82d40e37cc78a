# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: files that users keep: replaced whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from .errors import ErrorCode, MetalError


def current(path: Path) -> str | None:
    """Return the text of ``path``, empty if there is none, None if it is not text in UTF-8.

    Raises: MetalError ``invalid`` if it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        return None
    except OSError as exc:
        raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be read: {exc.strerror}") from exc


def check_writable(path: Path) -> None:
    """Raise MetalError ``invalid`` if no file could be put at ``path``, or where it leads to."""
    target = Path(os.path.realpath(path))
    folder = target.parent
    cause = f"the folder {folder} is missing or cannot be written"
    if folder.is_dir() and os.access(folder, os.W_OK):
        if not os.path.lexists(target) or target.is_file():
            return
        cause = "it is a folder" if target.is_dir() else "it is no regular file"
    raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be written: {cause}")


def replace(path: Path, text: str, *, mode: int = 0o640, ready: Callable[[int], object] | None = None) -> None:
    """Put ``text`` at ``path``: written beside it, flushed, renamed. A link stays, and what it leads to is replaced.

    ``ready`` is called with the new file's descriptor before anybody else can see the file, such as to lock it.
    Raises: MetalError ``invalid``; the old one stays then.
    """
    check_writable(path)
    target = Path(os.path.realpath(path))
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            if ready is not None:
                ready(file.fileno())
        os.chmod(name, target.stat().st_mode & 0o777 & mode if target.exists() else mode)
        os.replace(name, target)
    except OSError as exc:
        os.unlink(name)
        raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be written: {exc.strerror}") from exc
