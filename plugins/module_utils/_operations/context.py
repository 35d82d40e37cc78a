# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what every operation is given: the database, the drivers, check mode, a voice.

An operation is a function ``(context, parameters) -> result``; the same for modules, action plugins and the hub.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .._drivers.base import Driver
from .._drivers.registry import DRIVERS
from .._nodes.database import Database
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.secrets import Keyring
from .._nodes.store import Store


def caller() -> str:
    """Return the name that events carry: who runs this, and for whom if sudo was used."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return f"{os.environ['SUDO_USER']} (as {name})" if os.environ.get("SUDO_USER") else name


def _silent(_line: str) -> None:
    """Say nothing: modules cannot stream."""


@dataclass(slots=True)
class Context:
    """``say`` takes lines of progress; ``drivers`` makes a driver by its name; ``diff``: whether anybody looks at it."""

    database: Database
    keyring: Keyring = field(default_factory=Keyring)
    who: str = field(default_factory=caller)
    check_mode: bool = False
    diff: bool = True
    say: Callable[[str], None] = _silent
    drivers: dict[str, Callable[[], Driver]] = field(default_factory=lambda: dict(DRIVERS))

    @contextmanager
    def read(self) -> Iterator[Store]:
        """The store in one consistent view."""
        with self.database.read() as connection:
            yield Store(connection, self.keyring, self.who)

    @contextmanager
    def write(self) -> Iterator[Store]:
        """The store in one transaction, which check mode rolls back."""
        with self.database.write(keep=not self.check_mode) as connection:
            yield Store(connection, self.keyring, self.who)

    def refuse_own_files(self, path: Path) -> None:
        """Raises: MetalError ``invalid`` if ``path`` is a file of the database or of the keys, by whatever name."""
        for own in (*self.database.backend.files(), self.keyring.path):
            same = os.path.exists(path) and os.path.exists(own) and os.path.samefile(path, own)
            if same or os.path.realpath(path) == os.path.realpath(own):
                raise MetalError(
                    ErrorCode.INVALID,
                    f"{path} cannot be written: it is {own}, which belongs to the node database; name another file",
                )
