# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: rendering answer templates: Jinja2, sandboxed, undefined values are errors.

The context is documented in docs/reference/answer-templates.md. A value that would bring a line break or another
control character into the file is refused: in an answer file, a new line is a new order.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._nodes.errors import ErrorCode, MetalError
from .._nodes.libraries import lazy

if TYPE_CHECKING:
    import jinja2
    from jinja2 import sandbox
else:
    jinja2 = lazy("jinja2")
    sandbox = lazy("jinja2.sandbox")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def render(template: str, context: Mapping[str, Any], *, what: str) -> str:
    """Return ``template`` rendered with ``context``; ``what`` names it in errors.

    Raises: MetalError ``template``.
    """
    environment = sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters["shell"] = _shell
    try:
        return environment.from_string(template).render(context)
    except jinja2.TemplateSyntaxError as exc:
        raise MetalError(ErrorCode.TEMPLATE, f"{what}: line {exc.lineno}: {exc.message}") from exc
    except jinja2.UndefinedError as exc:
        raise MetalError(
            ErrorCode.TEMPLATE, f"{what}: {exc.message}{_place(exc)}; set the attribute or give it a default"
        ) from exc
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as exc:
        raise MetalError(ErrorCode.TEMPLATE, f"{what}: {exc}{_place(exc)}") from exc


def _finalize(value: Any) -> Any:
    if value is None:
        raise ValueError("an expression gives no value (null); set the attribute or test for it with 'is not none'")
    if isinstance(value, str) and _CONTROL.search(value):
        raise ValueError("a value holds a line break or control character, which would add lines of its own")
    return value


def _shell(value: Any) -> str:
    """The filter ``shell``: the value as one word of a POSIX shell."""
    return shlex.quote(str(_finalize(value)))


def _place(exc: BaseException) -> str:
    """Say which line of the template it was, from the traceback, in which Jinja names its own frames ``<template>``."""
    line, trace = None, exc.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return f" (line {line})" if line else ""


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn dotted names into nested ones: ``{"net.mac": x}`` becomes ``{"net": {"mac": x}}``.

    Raises: MetalError ``conflict`` if a name goes on where another ends, as ``site.a.b`` after ``site.a``.
    """
    tree: dict[str, Any] = {}
    for name in sorted(values):
        *folders, leaf = name.split(".")
        branch = tree
        for depth, folder in enumerate(folders, start=1):
            shorter = ".".join(folders[:depth])
            if shorter in values:
                raise MetalError(
                    ErrorCode.CONFLICT,
                    f"a template cannot see both attributes {shorter} and {name}; rename one of them",
                )
            branch = branch.setdefault(folder, {})
        branch[leaf] = values[name]
    return tree
