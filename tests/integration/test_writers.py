# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many processes write different attributes of the same nodes: none is lost, and nobody sees an error.

A short slice of the benchmark of that name.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.measure import environment
from tests.benchmarks.writers import race
from tests.postgresql import Cluster


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_update_is_lost(kind: str, tmp_path: Path) -> None:
    cluster = Cluster() if kind == "postgresql" else None
    more = {"STAGE0_DATABASE": cluster.empty("writers")} if cluster else {}
    try:
        done = race(environment(tmp_path, **more), tmp_path, processes=10, nodes=100, seconds=3)
    finally:
        if cluster:
            cluster.remove()
    assert done.errors == []
    assert done.lost == []
    assert min(done.last.values()) >= 1, done.last
