# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what every test of this clone runs in.

The collection under its full name on the import path, Ansible's own files in .build and not in the user's
home, and a log of what the modules returned, with which tests/gates compares the documentation.
ansible-test arranges all that itself; there this file does nothing.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / ".build"
LAST = "test_after_all.py"
"""The file whose tests come after all others: they judge what the others left in the log."""


def in_collection_tree() -> bool:
    """Whether this tree lies where Ansible looks for collections, as under ansible-test."""
    return ROOT.parents[1].name == "ansible_collections"


def arrange() -> None:
    """Set the environment for this process and for those that the tests start."""
    link = BUILD / "dev" / "ansible_collections" / "stage0" / "metal"
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.resolve() != ROOT:
        link.unlink(missing_ok=True)
        link.symlink_to(Path("../../../.."))
    for name in [name for name in os.environ if name.startswith(("ANSIBLE_", "STAGE0_")) and name not in GIVEN]:
        del os.environ[name]
    os.environ.update(
        ANSIBLE_HOME=str(BUILD / "ansible-home"),
        ANSIBLE_COLLECTIONS_PATH=str(BUILD / "dev"),
        ANSIBLE_CALLBACK_PLUGINS=str(ROOT / "tests" / "utils" / "callback"),
        ANSIBLE_LOCALHOST_WARNING="0",
        ANSIBLE_NOCOLOR="1",
        ANSIBLE_RETRY_FILES_ENABLED="0",
        PYTHONPATH=str(BUILD / "dev"),
    )
    # Beside the link, the folder that ansible-playbook and its friends come from.
    scripts = str(ROOT / ".venv" / "bin")
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)])
    if "STAGE0_RESULTS_LOG" not in os.environ:
        # Two runs at a time must not judge each other's results.
        folder = tempfile.mkdtemp(prefix="results-", dir=BUILD)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["STAGE0_RESULTS_LOG"] = os.path.join(folder, "results.jsonl")


GIVEN = {"STAGE0_RESULTS_LOG", "STAGE0_COMPLETE", "STAGE0_FAILED_BEFORE"}
"""What the caller may set; everything else of Ansible's and ours would make tests depend on who runs them."""

if not in_collection_tree():
    arrange()


def pytest_configure(config: pytest.Config) -> None:
    """Register how long property tests take: long for ``make fuzz``, else the same short run each time."""
    from hypothesis import HealthCheck, settings

    slow = (HealthCheck.too_slow,)
    settings.register_profile("short", max_examples=60, deadline=None, derandomize=True, suppress_health_check=slow)
    settings.register_profile("long", max_examples=4000, deadline=None, suppress_health_check=slow)
    if not config.getoption("--hypothesis-profile", default=None):
        settings.load_profile("short")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Put the tests that judge the others' results at the end."""
    items.sort(key=lambda item: item.path.name == LAST)
