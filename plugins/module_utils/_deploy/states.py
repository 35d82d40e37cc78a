# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the states of a deployment, the arrows between them, and what each allows.

    armed -> booting -> installing -> installed -> ready          failed, expired, cancelled: ends

docs/reference/deployments.md draws it. A report moves a state only along its arrows.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a deployment is."""

    ARMED = "armed"
    """The node installs when it next asks for a boot script."""
    BOOTING = "booting"
    """The boot script was served; kernel and installer are on their way."""
    INSTALLING = "installing"
    """The installer fetched its answer file, or said that it began."""
    INSTALLED = "installed"
    """The installer said that it is done. The node boots its own disk from here on."""
    READY = "ready"
    """The installed system came up from disk and said so."""
    FAILED = "failed"
    EXPIRED = "expired"
    """Nobody booted the node while it was armed."""
    CANCELLED = "cancelled"


ARROWS: dict[State, frozenset[State]] = {
    State.ARMED: frozenset({State.BOOTING, State.FAILED, State.EXPIRED, State.CANCELLED}),
    State.BOOTING: frozenset({State.INSTALLING, State.INSTALLED, State.FAILED, State.CANCELLED}),
    # READY straight from INSTALLING: the report of the installer was lost, that of the installed system proves it.
    State.INSTALLING: frozenset({State.INSTALLED, State.READY, State.FAILED, State.CANCELLED}),
    State.INSTALLED: frozenset({State.READY, State.FAILED, State.CANCELLED}),
    State.READY: frozenset(),
    State.FAILED: frozenset(),
    State.EXPIRED: frozenset(),
    State.CANCELLED: frozenset(),
}

ACTIVE = frozenset({State.ARMED, State.BOOTING, State.INSTALLING})
"""The node is to be installed, or being installed."""
UNFINISHED = ACTIVE | {State.INSTALLED}
"""Something more may be heard from the node."""
LOST = frozenset({State.FAILED, State.EXPIRED, State.CANCELLED})

WAY = (State.ARMED, State.BOOTING, State.INSTALLING, State.INSTALLED, State.READY)
"""The states of a deployment that goes well, in order: how far it got says what is on the disk."""

REPORTABLE = frozenset({State.INSTALLING, State.INSTALLED, State.READY, State.FAILED})
"""What a node may say of itself."""


class Right(StrEnum):
    """What a token is shown for."""

    BOOT_CONFIG = "boot_config"
    ANSWER = "answer"
    REPORT = "report"


RIGHTS: dict[Right, frozenset[State]] = {
    Right.BOOT_CONFIG: frozenset({State.BOOTING}),
    Right.ANSWER: frozenset({State.BOOTING, State.INSTALLING}),
    Right.REPORT: UNFINISHED - {State.ARMED},
}
"""The states in which a token is good for each of them: it lives no longer than the stage that needs it."""

SILENCE: dict[State, str] = {
    State.BOOTING: (
        "the boot script was served but the answer file was never fetched; look at the machine's console: "
        "did kernel and initrd load, and did the installer get an address?"
    ),
    State.INSTALLING: (
        "the installer began but did not say that it finished; look at the machine's console: "
        "it may wait for a key or have lost the network"
    ),
    State.INSTALLED: (
        "the installation finished but the installed system did not report; look at the machine's console: does it boot from its disk? "
        "To install it again, say reinstall: true"
    ),
}
"""What silence in a state means, and what to look at."""
