# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the one result shape of every operation over many nodes (docs/reference/results.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .._nodes.errors import ErrorCode, MetalError
from .._nodes.noderange import fold
from .fleet import Done, Halfway, Outcome

DETAILS = ("all", "changed", "failed", "none")
"""How much of ``nodes`` a result holds: AWX drops results over 700 kB."""

Identity = Callable[[str], dict[str, Any]]


def allowed_failures(max_failed: str, total: int) -> int:
    """Return how many of ``total`` nodes may fail: ``max_failed`` is a count (``3``) or a percentage (``2%``).

    Raises: MetalError ``invalid``.
    """
    match = re.fullmatch(r"(\d{1,9})(%?)", max_failed.strip())
    if match is None or (match[2] and int(match[1]) > 100):
        raise MetalError(
            ErrorCode.INVALID, f"max_failed: {max_failed!r} is neither a count such as 3 nor a percentage such as 2%"
        )
    return total * int(match[1]) // 100 if match[2] else int(match[1])


def result(
    outcomes: Mapping[str, Outcome], *, identity: Identity, seconds: float, detail: str = "all", max_failed: str = "0"
) -> dict[str, Any]:
    """Return the result of a task: changed, nodes, failed_nodes, summary, diff, and failed with msg if too many failed."""
    done = {name: outcome.done for name, outcome in outcomes.items() if outcome.done is not None}
    failed = {name: outcome.error for name, outcome in outcomes.items() if outcome.error is not None}
    changed = [name for name, one in done.items() if one.changed]
    shown = {"all": set(done), "changed": set(changed), "failed": set(), "none": set()}[detail]
    answer: dict[str, Any] = {
        "changed": bool(changed) or any(isinstance(error, Halfway) for error in failed.values()),
        "nodes": {name: _node(outcomes[name], one, identity(name)) for name, one in done.items() if name in shown},
        "failed_nodes": {name: describe(error) for name, error in failed.items()},
        "summary": {
            "total": len(outcomes),
            "changed": len(changed),
            "unchanged": len(done) - len(changed),
            "failed": len(failed),
            "ok_range": fold(done),
            "failed_range": fold(failed),
            "seconds": round(seconds, 2),
        },
        "diff": {
            "before": {name: done[name].before for name in changed},
            "after": {name: done[name].after for name in changed},
        },
    }
    if len(failed) > allowed_failures(max_failed, len(outcomes)):
        answer["failed"] = True
        answer["msg"] = failure_message(failed, len(outcomes))
    return answer


def _node(outcome: Outcome, done: Done, identity: dict[str, Any]) -> dict[str, Any]:
    return {
        "changed": done.changed,
        "before": done.before,
        "after": done.after,
        **done.more,
        "seconds": outcome.seconds,
        "tries": outcome.tries,
        "identity": identity,
    }


def describe(error: MetalError) -> dict[str, Any]:
    """Return an error as it stands in ``failed_nodes``."""
    more = error.more if isinstance(error, Halfway) else {}
    return {"code": str(error.code), "msg": str(error), "retryable": error.retryable, **more}


def failure_message(failed: Mapping[str, MetalError], total: int) -> str:
    """Return the one sentence for people: how many failed, which, and what the first few say."""
    said = list(dict.fromkeys(str(error) for error in failed.values()))
    more = f" (and {len(said) - 3} more; see failed_nodes)" if len(said) > 3 else ""
    return f"{len(failed)} of {total} nodes failed, {fold(failed)}: {'; '.join(said[:3])}{more}"
