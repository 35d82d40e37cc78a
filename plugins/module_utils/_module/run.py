# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what every main() does: run one operation and end well. Errors are caught here, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._nodes.backends import passwords
from .._nodes.database import Missing, default_url, open_database
from .._nodes.errors import MetalError
from .._nodes.secrets import Keyring
from .._operations.context import Context
from .spec import ArgumentSpec

Operation = Callable[[Context, Mapping[str, Any]], dict[str, Any]]


def execute(
    operation: Operation,
    parameters: Mapping[str, Any],
    *,
    check_mode: bool,
    diff: bool,
    existing: bool = False,
    say: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run ``operation`` and return the task's result; with ``failed`` and ``msg`` in it if it did not go well.

    ``existing``: whether the database has to be there.
    """
    missing: Missing = "refuse" if existing else "memory" if check_mode else "make"
    try:
        database = open_database(parameters["database"], missing=missing, keep=not check_mode)
        try:
            context = Context(database, Keyring(keep=not check_mode), check_mode=check_mode, diff=diff)
            if say is not None:
                context.say = say
            result = operation(context, parameters)
        finally:
            database.close()
    except MetalError as exc:
        error = {"code": str(exc.code), "node": exc.node, "retryable": exc.retryable}
        return {"failed": True, "changed": False, "msg": str(exc), "error": error}
    if not diff:
        result.pop("diff", None)
    return result


def run(spec: ArgumentSpec, operation: Operation) -> None:
    """Be the body of a module's main()."""
    module = AnsibleModule(**spec.to_kwargs())
    # Results show the arguments; masking the whole URL would hide where the database is.
    module.no_log_values.update(passwords(module.params["database"] or default_url()))
    result = execute(operation, module.params, check_mode=module.check_mode, diff=module._diff, existing=spec.existing)
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
