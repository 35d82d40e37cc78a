# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The house as it stands, and small houses with one wrong arrow each."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.stage0.metal.tests.gates import floors
from ansible_collections.stage0.metal.tests.gates.refuse import refuse

ROOT = Path(__file__).resolve().parents[2]
WHOLE = "ansible_collections.stage0.metal.plugins"


def test_imports_run_downwards_only() -> None:
    refuse(floors.check(ROOT))


def problem(root: Path, place: str, text: str) -> list[str]:
    path = root / "plugins" / place
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return floors.check(root)


REFUSED = {
    "up": ("module_utils/_nodes/a.py", "from .._boot.ipxe import x", "on a higher floor"),
    "sideways": ("module_utils/_boot/a.py", "from .._dhcp import model", "on the same floor"),
    "up by full name": ("module_utils/_nodes/a.py", f"import {WHOLE}.module_utils._fleet.fleet", "on a higher floor"),
    "the room as a name": ("module_utils/_nodes/a.py", "from .. import _boot", "on a higher floor"),
    "the room as a full name": (
        "module_utils/_nodes/a.py",
        f"from {WHOLE}.module_utils import _boot",
        "on a higher floor",
    ),
    "in a function": ("module_utils/_nodes/a.py", "def f():\n    from .._deploy import x", "a.py:2"),
    "for types only": (
        "module_utils/_boot/a.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .._deploy.states import x",
        "a.py:3",
    ),
    "by name": (
        "module_utils/_nodes/a.py",
        f"import importlib\nimportlib.import_module('{WHOLE}.module_utils._boot')",
        "on a higher floor",
    ),
    "lazily": ("module_utils/_nodes/a.py", f"x = lazy('{WHOLE}.module_utils._boot')", "on a higher floor"),
    "from a room inside a room": ("module_utils/_drivers/_ipmi/a.py", "from ..._fleet import x", "on the same floor"),
    "a module the hub": ("modules/a.py", "from ..plugin_utils._hub import app", "on the same floor"),
    "the simulator a driver": (
        "plugin_utils/_simulator/a.py",
        "from ...module_utils._drivers import base",
        "stands apart",
    ),
    "the simulator the store": (
        "plugin_utils/_simulator/a.py",
        "from ...module_utils._nodes.store import x",
        "stands apart",
    ),
    "anyone the simulator": (
        "plugin_utils/_hub/a.py",
        "from .._simulator import machine",
        "nobody imports plugin_utils/_simulator",
    ),
    "a module its action plugin": ("modules/a.py", "from ..action import power", "on the same floor"),
    "the tests": ("modules/a.py", "from ansible_collections.stage0.metal.tests.unit import x", "not a room"),
    "a room that is not in the plan": ("module_utils/_misc/a.py", "import os", "not a room of the plan"),
    "a file outside of the rooms": ("module_utils/common.py", "import os", "not a room of the plan"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=list(REFUSED))
def test_refused(tmp_path: Path, case: tuple[str, str, str]) -> None:
    place, text, why = case
    problems = problem(tmp_path, place, text)
    assert len(problems) == 1
    assert why in problems[0]


ALLOWED = {
    "down": ("module_utils/_boot/a.py", "from .._nodes.errors import MetalError"),
    "inside": ("module_utils/_drivers/_ipmi/a.py", "from .wire import x\nfrom ..base import y\nfrom . import z"),
    "two floors down": ("module_utils/_operations/a.py", "from .._boot import a\nfrom .._deploy import b"),
    "a module its entrance": ("modules/a.py", "from ..module_utils._module.main import x"),
    "an action plugin what it shares": ("action/a.py", "from ..plugin_utils._action import x"),
    "an action plugin its module": ("action/a.py", "from ..modules.power import ARGUMENT_SPEC"),
    "what action plugins share": ("plugin_utils/_action.py", "from ..module_utils._module.run import x"),
    "the hub": ("plugin_utils/_hub/a.py", "from ...module_utils._deploy import x"),
    "the simulator its two": (
        "plugin_utils/_simulator/a.py",
        "from ...module_utils._nodes.errors import x\nfrom ...module_utils._nodes import libraries",
    ),
    "what is not ours": ("module_utils/_nodes/a.py", "import json\nfrom ansible.module_utils.basic import x"),
}


@pytest.mark.parametrize("case", ALLOWED.values(), ids=list(ALLOWED))
def test_allowed(tmp_path: Path, case: tuple[str, str]) -> None:
    assert problem(tmp_path, *case) == []
