# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: files that users keep: replaced whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .errors import ErrorCode, MetalError


def current(path: Path) -> str:
    """Return the text of ``path``, empty if there is none. Raises: MetalError ``invalid`` if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as exc:
        cause = exc.strerror if isinstance(exc, OSError) else "it is not text in UTF-8"
        raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be read: {cause}") from exc


def check_writable(path: Path) -> None:
    """Raise MetalError ``invalid`` if no file could be put at ``path``."""
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        cause = "it is a folder" if path.is_dir() else f"the folder {folder} is missing or cannot be written"
        raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be written: {cause}")


def replace(path: Path, text: str, *, mode: int = 0o640) -> None:
    """Put ``text`` at ``path``: written beside it, flushed, renamed. Raises: MetalError ``invalid``; the old one stays then."""
    check_writable(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, path.stat().st_mode & 0o777 & mode if path.exists() else mode)
        os.replace(name, path)
    except OSError as exc:
        os.unlink(name)
        raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be written: {exc.strerror}") from exc
