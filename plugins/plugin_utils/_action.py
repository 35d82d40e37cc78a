# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: action plugins that run an operation on the controller, where lines of progress can be shown.

Where the task is delegated to another machine, becomes another user, has an environment of its own or goes on in the
background (``async``), its module runs there instead: same operation, same result, no progress.

A task that says the same for every host of the play, for want of ``run_once``, would do its work on the controller once a
host: it runs for the first host that comes, and the others are skipped with a warning.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from typing import Any, ClassVar

from ansible import constants
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ..module_utils._module.run import Operation, execute
from ..module_utils._module.spec import ArgumentSpec


class OperationAction(ActionBase):
    """Subclasses say which operation it is, and which module's ``SPEC`` its options follow."""

    SPEC: ClassVar[ArgumentSpec]
    _supports_check_mode = True
    _supports_async = True

    def operation(self) -> Operation:
        """Return the operation."""
        raise AssertionError("a subclass names its operation")

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the operation here, or the module elsewhere."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        in_background = bool(self._task.async_val)
        if (
            in_background
            or self._connection.transport != "local"
            or self._task.become
            or any(self._task.environment or [])
        ):
            return dict(self._execute_module(task_vars=task_vars, wrap_async=in_background))
        first = self._first(task_vars or {})
        if first is not None:
            why = f"the same task has run for all of it with {first}; say run_once: true and it runs once without this warning"
            self._display.warning(f"{self._task.action}: {why}")
            return {**result, "changed": False, "skipped": True, "skip_reason": why}
        keywords = self.SPEC.to_kwargs()
        rules = {key: value for key, value in keywords.items() if key not in ("argument_spec", "supports_check_mode")}
        checked = ArgumentSpecValidator(keywords["argument_spec"], **rules).validate(self._task.args)
        if checked.error_messages:
            return {**result, "failed": True, "msg": "; ".join(checked.error_messages)}
        done = execute(
            self.operation(),
            checked.validated_parameters,
            check_mode=bool(self._task.check_mode),
            diff=bool(self._task.diff),
            existing=self.SPEC.existing,
            say=lambda line: self._display.display(f"{time.strftime('%H:%M:%S')} {line}"),
        )
        for warning in done.pop("warnings", ()):
            self._display.warning(warning)
        return {**result, **done}

    def _first(self, task_vars: dict[str, Any]) -> str | None:
        """Return the host with which this very task has run already for all that it means here; None if it has not.

        Workers are processes: a file tells, which lies where Ansible removes it at the end of the run. Hosts that failed
        leave ``ansible_play_batch``, also as ``nodes`` of the task: a later host may mean fewer nodes than the first.
        """
        host, batch = str(task_vars.get("inventory_hostname")), list(task_vars.get("ansible_play_batch") or ())
        if len(task_vars.get("ansible_play_hosts_all") or batch) < 2 or self._task.run_once:
            return None
        arguments = dict(self._task.args)
        nodes = arguments.pop("nodes", None)
        if nodes is None:
            return None
        meant = {str(one) for one in (nodes if isinstance(nodes, list) else [nodes])}
        said = json.dumps([self._task._uuid, arguments], sort_keys=True, default=str)
        folder = vars(constants)["DEFAULT_LOCAL_TMP"]  # made when Ansible reads its settings
        with open(
            os.path.join(folder, f"stage0-{hashlib.sha256(said.encode()).hexdigest()}"), "a+", encoding="utf-8"
        ) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            for first, its_batch, its_nodes in map(json.loads, file):
                # the same host again is a loop, or until; another batch is another part of a play with serial
                if first != host and host in its_batch and meant <= set(its_nodes):
                    return str(first)
            file.write(json.dumps([host, batch, sorted(meant)]) + "\n")
        return None
