# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: how the hub is run: its options, on the command line or in the environment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the hub listens (``bind``, ``port``), its ``url`` as nodes reach it, and its ``database``'s URL."""

    bind: str
    port: int
    url: str
    database: str | None
    sweep_seconds: float


def parse(arguments: Sequence[str] | None = None) -> Settings:
    """Read the command line; each option has an environment variable as its default. Exits with a sentence if wrong."""
    parser = argparse.ArgumentParser(
        prog="stage0-hub",
        description="The hub of stage0.metal: boot scripts, answer files, media and reports of nodes, over HTTP.",
        epilog="The database and its key are found by STAGE0_DATABASE and STAGE0_HOME, as for modules.",
    )
    env = os.environ.get
    parser.add_argument(
        "--bind", default=env("STAGE0_HUB_BIND", "127.0.0.1"), help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=env("STAGE0_HUB_PORT", "8480"), help="TCP port (default: %(default)s)"
    )
    parser.add_argument(
        "--url", default=env("STAGE0_HUB_URL"), help="URL of the hub as nodes reach it (default: made of the other two)"
    )
    parser.add_argument("--database", default=None, help="URL of the node database")
    parser.add_argument(
        "--sweep-seconds",
        type=float,
        default=5.0,
        help="pause between looks for what is overdue (default: %(default)s)",
    )
    given = parser.parse_args(arguments)
    if not 0 <= given.port <= 65535:
        parser.error(f"--port {given.port} is not a port; write a number from 1 to 65535")
    url = (given.url or f"http://{given.bind}:{given.port}").rstrip("/")
    if not _usable(url):
        parser.error(f"--url {url!r} is not an http:// URL; boot loaders speak no HTTPS")
    if not given.sweep_seconds > 0:
        parser.error(f"--sweep-seconds {given.sweep_seconds} is not a number of seconds above 0")
    return Settings(given.bind, given.port, url, given.database, given.sweep_seconds)


def _usable(url: str) -> bool:
    """Whether boot loaders can be sent to ``url``."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme == "http" and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return fine and not parts.query and not parts.fragment and url.isprintable() and " " not in url
