# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what every unit test runs in: a STAGE0_HOME of its own, and no time spent on pauses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers import registry
from ansible_collections.stage0.metal.plugins.module_utils._fleet import fleet
from ansible_collections.stage0.metal.plugins.module_utils._operations import power
from ansible_collections.stage0.metal.tests.unit.support import Machine, ScriptedDriver


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a STAGE0_HOME that nobody else has."""
    for name in ("STAGE0_DATABASE", "STAGE0_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "stage0-home"
    monkeypatch.setenv("STAGE0_HOME", str(folder))
    return folder


@pytest.fixture
def bmcs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Machine]:
    """Return the machines behind the scripted driver by BMC address; a test adds more, or changes them."""
    machines = {f"10.2.1.{number}": Machine() for number in range(1, 6)}
    use_driver(monkeypatch, lambda: ScriptedDriver(machines))
    return machines


def use_driver(monkeypatch: pytest.MonkeyPatch, make: Callable[[], ScriptedDriver]) -> None:
    """Put a driver in the place of ipmi, and take the pauses out of retries and of waiting for a state."""
    monkeypatch.setitem(registry.DRIVERS, "ipmi", make)
    monkeypatch.setattr(fleet, "BACKOFF_SECONDS", 0.0)
    monkeypatch.setattr(power, "SETTLE_SECONDS", 0.0)
