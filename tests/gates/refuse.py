# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: how a gate fails: with every sentence, in full, and nothing about the gate itself."""

from __future__ import annotations

from collections.abc import Iterable

import pytest


def refuse(sentences: Iterable[str]) -> None:
    """Fail the test if there are any."""
    found = list(sentences)
    if found:
        pytest.fail("\n".join(found), pytrace=False)
