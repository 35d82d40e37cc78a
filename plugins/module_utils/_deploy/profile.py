# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: profiles: what to deploy. A profile is one document in the database."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._nodes.errors import ErrorCode, MetalError
from .._nodes.libraries import lazy
from .._nodes.tables import tables
from .states import State

if TYPE_CHECKING:
    import sqlalchemy as sa
else:
    sa = lazy("sqlalchemy")

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FILE = re.compile(r"[A-Za-z0-9._~/+-]+")
DEADLINES = {State.ARMED: 14400, State.BOOTING: 900, State.INSTALLING: 3600, State.INSTALLED: 1800}
"""Seconds that a deployment may be in each state, unless its profile says otherwise."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What to deploy.

    ``installer``: key of installers.INSTALLERS. ``media``: folder of the unpacked medium on the hub's machine.
    ``kernel`` and ``initrd``: files in it, where the installer lets one choose. ``kernel_arguments``: templates, one
    word each. ``answer``: the answer file's template. ``done``: the state that counts as success. ``deadlines``:
    seconds by state. ``max_boots``: how often the boot script is served before the deployment is given up.
    ``variables``: free values for the templates.
    """

    name: str
    installer: str
    media: str
    answer: str
    kernel: str = "vmlinuz"
    initrd: tuple[str, ...] = ("initrd.gz",)
    kernel_arguments: tuple[str, ...] = ()
    done: str = State.READY
    deadlines: dict[str, int] = field(default_factory=dict)
    max_boots: int = 3
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The folder of the medium."""
        return Path(self.media)

    def deadline(self, state: State) -> int | None:
        """Return how many seconds a deployment may be in ``state``; None: as long as it likes."""
        if state is State.INSTALLED and self.done == State.INSTALLED:
            return None
        return self.deadlines.get(state, DEADLINES.get(state))

    def document(self) -> dict[str, Any]:
        """Return the profile as plain data."""
        data = asdict(self)
        return {**data, "initrd": list(self.initrd), "kernel_arguments": list(self.kernel_arguments)}

    def fingerprint(self) -> str:
        """Return a hash that changes when anything in the profile does."""
        return hashlib.sha256(json.dumps(self.document(), sort_keys=True).encode()).hexdigest()


def from_document(data: dict[str, Any]) -> Profile:
    """Return the profile that Profile.document() gave."""
    return Profile(**{**data, "initrd": tuple(data["initrd"]), "kernel_arguments": tuple(data["kernel_arguments"])})


def check_profile(profile: Profile) -> None:
    """Raise MetalError ``invalid`` with what is wrong with ``profile`` by itself, without media or nodes."""
    if not _NAME.fullmatch(profile.name):
        raise MetalError(
            ErrorCode.INVALID,
            f"{profile.name!r} cannot be the name of a profile: use lower-case letters, digits, '.', '_' and '-'",
        )
    for name in (profile.kernel, *profile.initrd):
        if not _FILE.fullmatch(name):
            raise MetalError(
                ErrorCode.INVALID,
                f"{name!r} cannot stand in a URL of a boot script; use letters, digits and . _ ~ + - / for files of media",
            )
    for state, seconds in profile.deadlines.items():
        if state not in set(DEADLINES):
            raise MetalError(
                ErrorCode.INVALID, f"deadlines: {state!r} has none; states with a deadline are {', '.join(DEADLINES)}"
            )
        if seconds < 1:
            raise MetalError(ErrorCode.INVALID, f"deadlines: {state}: {seconds} is not a number of seconds")
    if not 1 <= profile.max_boots <= 20:
        raise MetalError(ErrorCode.INVALID, f"max_boots: {profile.max_boots} is not between 1 and 20")


def load(connection: sa.Connection, name: str) -> Profile | None:
    """Return the profile called ``name``, or None."""
    t = tables().profiles
    found = connection.execute(sa.select(t.c.document).where(t.c.name == name)).scalar()
    return from_document(json.loads(found)) if found else None


def need(connection: sa.Connection, name: str) -> Profile:
    """Return the profile called ``name``. Raises: MetalError ``unknown`` with the names there are."""
    found = load(connection, name)
    if found is None:
        t = tables().profiles
        names = ", ".join(connection.execute(sa.select(t.c.name).order_by(t.c.name)).scalars()) or "none yet"
        raise MetalError(ErrorCode.UNKNOWN, f"there is no profile named {name!r}; there are: {names}")
    return found


def save(connection: sa.Connection, profile: Profile) -> None:
    """Write ``profile`` in place of what has its name."""
    t = tables().profiles
    connection.execute(t.delete().where(t.c.name == profile.name))
    connection.execute(t.insert().values(name=profile.name, document=json.dumps(profile.document())))


def remove(connection: sa.Connection, name: str) -> None:
    """Remove the profile; deployments keep the copy that they were armed with."""
    t = tables().profiles
    connection.execute(t.delete().where(t.c.name == name))
