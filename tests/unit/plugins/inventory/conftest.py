# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the plugin alone, found without a collection loader; what it cannot parse is an error."""

from __future__ import annotations

import pytest
from ansible.inventory.manager import InventoryManager

from .reading import plugin


@pytest.fixture(autouse=True)
def _only_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible.constants.INVENTORY_ANY_UNPARSED_IS_FAILED", True, raising=False)
    monkeypatch.setattr(InventoryManager, "_fetch_inventory_plugins", lambda _self: [plugin()])
