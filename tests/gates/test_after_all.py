# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Comes after all other tests (tests/conftest.py sees to it): judges what they left behind."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.stage0.metal.tests.gates import returns
from ansible_collections.stage0.metal.tests.gates.refuse import refuse

ROOT = Path(__file__).resolve().parents[2]


def test_results_are_as_documented() -> None:
    # Only where all tests ran does it mean something that a key was never seen.
    complete = os.environ.get("STAGE0_COMPLETE") == "1"
    log = Path(os.environ["STAGE0_RESULTS_LOG"])
    refuse(returns.judge(returns.documented(ROOT), log, complete=complete))


def test_everything_before_the_tests_went_well() -> None:
    # Set by tests/utils/test.sh, so that the closing line tells of gates and benchmarks too.
    assert os.environ.get("STAGE0_FAILED_BEFORE", "") == ""
