# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: fixtures of the tests with real peers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A management node whose hub runs."""
    made = Site(tmp_path)
    made.start_hub()
    try:
        yield made
    finally:
        made.stop_hub()
