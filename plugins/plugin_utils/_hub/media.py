# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: files of media over HTTP: which file a path means, and its response by sendfile."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...module_utils._nodes.libraries import lazy

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.abc import AbstractStreamWriter
else:
    web = lazy("aiohttp.web")


def find(root: Path, name: str) -> Path | None:
    """Return the file ``name`` below ``root``; None if there is none, or if it lies elsewhere, whatever the way there."""
    try:
        path = (root / name).resolve(strict=True)
        return path if path.is_relative_to(root.resolve()) and path.is_file() else None
    except (OSError, ValueError, RuntimeError):  # not there, too long, a NUL in the name, links in a circle
        return None


@cache
def _plain() -> type[web.FileResponse]:
    """Return aiohttp's FileResponse without its habit of serving NAME.gz for NAME: on media they are two files."""

    class Plain(web.FileResponse):
        async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
            headers = request.headers.copy()
            headers.popall("Accept-Encoding", None)
            return await super().prepare(request.clone(headers=headers))

    return Plain


def response(path: Path) -> web.FileResponse:
    """Return the response that serves ``path`` as it is, or the part of it that a Range header asks for."""
    return _plain()(path, headers={"Content-Type": "application/octet-stream"})
