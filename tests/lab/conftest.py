# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rig for the lab's tests, and its logs under every failure."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from .rig import Rig
from .scenario import Scenario

RIG = pytest.StashKey[Rig]()


@pytest.fixture(scope="module")
def scenario(request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """The lab, nothing described yet. Fails, and says why, where the lab cannot be."""
    with Rig() as rig:
        request.config.stash[RIG] = rig
        yield Scenario(rig)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the last lines of all logs to the report of a failure."""
    report = yield
    rig = item.config.stash.get(RIG, None)
    if report.failed and rig:
        report.sections.append(("Logs of the lab", rig.logs()))
    return report
