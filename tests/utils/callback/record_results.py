# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: an Ansible callback that logs what our modules returned.

Every ansible-playbook that a test starts loads it (tests/conftest.py names its folder). It adds one JSON line
``{"module": NAME, "result": {...}}`` per result to the file named by STAGE0_RESULTS_LOG.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: record_results
type: aggregate
short_description: Log what the modules of stage0.metal returned
description:
  - For the gate that compares RETURN with results.
"""

PREFIX = "stage0.metal."


class CallbackModule(CallbackBase):
    """Write down the results of our modules, and of nothing else."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "record_results"

    def _record(self, event: Any, **more: bool) -> None:
        path = os.environ.get("STAGE0_RESULTS_LOG")
        task = getattr(event, "task", None) or event._task
        action = task.resolved_action or task.action
        if not path or not action.startswith(PREFIX):
            return
        result = event.result if hasattr(event, "result") else event._result
        # The results of a loop come one by one; a censored result has nothing to compare.
        if "results" in result or "censored" in result:
            return
        line = json.dumps({"module": action.removeprefix(PREFIX), "result": {**result, **more}}, default=str)
        with open(path, "a", encoding="utf-8") as log:
            log.write(line + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task ended well."""
        self._record(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A task failed; Ansible has taken the word for it out of the result."""
        self._record(result, failed=True)

    v2_runner_item_on_ok = v2_runner_on_ok

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """A turn of a loop failed."""
        self._record(result, failed=True)
