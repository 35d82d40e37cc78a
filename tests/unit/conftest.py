# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what every unit test runs in: a STAGE0_HOME of its own, and no time spent on pauses.

Tests of what lies in the database run twice, over SQLite and over PostgreSQL, except those with the mark ``sqlite``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers import registry
from ansible_collections.stage0.metal.plugins.module_utils._fleet import fleet
from ansible_collections.stage0.metal.plugins.module_utils._operations import power
from ansible_collections.stage0.metal.tests.conftest import in_collection_tree
from ansible_collections.stage0.metal.tests.unit.support import Machine, ScriptedDriver

UNIT = Path(__file__).parent / "plugins"
OVER_BOTH = (
    "action",
    "inventory",
    "modules",
    "module_utils/deploy",
    "module_utils/nodes/test_hardware.py",
    "module_utils/nodes/test_identities.py",
    "module_utils/nodes/test_migrations.py",
    "module_utils/nodes/test_secrets.py",
    "module_utils/nodes/test_store.py",
    "module_utils/nodes/test_transactions.py",
    "plugin_utils/hub",
)
"""Folders and files whose tests run over both kinds of database."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line("markers", "sqlite: looks into the database's file, so that it runs over SQLite only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test of OVER_BOTH twice. Not under ansible-test, where no server is; make test has one always."""
    path = metafunc.definition.path.relative_to(UNIT)
    both = any(path.is_relative_to(name) for name in OVER_BOTH) and not in_collection_tree()
    if both and not list(metafunc.definition.iter_markers("sqlite")):
        metafunc.parametrize("home", ["sqlite", "postgresql"], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    """Leave out what needs PostgreSQL under ansible-test, which brings no server."""
    without = [item for item in items if in_collection_tree() and "cluster" in item.fixturenames]
    if without:
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """Return a PostgreSQL server (tests/postgresql.py), started when the first test needs it."""
    from ansible_collections.stage0.metal.tests.postgresql import Cluster

    started = Cluster()
    yield started
    started.remove()


@pytest.fixture(autouse=True)
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a STAGE0_HOME that nobody else has, with a database of the kind that the test is run for."""
    for name in ("STAGE0_DATABASE", "STAGE0_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "stage0-home"
    monkeypatch.setenv("STAGE0_HOME", str(folder))
    if getattr(request, "param", "sqlite") == "postgresql":
        monkeypatch.setenv("STAGE0_DATABASE", request.getfixturevalue("cluster").empty(f"unit_{os.getpid()}"))
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
