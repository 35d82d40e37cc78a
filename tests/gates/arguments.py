# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what Ansible itself would say about arguments that stand in a document.

The judge is ansible-core's own validator. A value with a template in it could become anything: its option
loses type and choices before the validator sees it, and keeps its name and its place in required_if and the like.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import AnsibleValidationError, UnsupportedError

CONSTRAINTS = ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")
TYPED = ("type", "choices", "elements", "options", "apply_defaults", *CONSTRAINTS)


@dataclass(frozen=True)
class Spec:
    """The arguments of a module, of a role's entry point or of a plugin, as AnsibleModule takes them."""

    options: Mapping[str, Any]
    constraints: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_module(cls, kwargs: Mapping[str, Any]) -> Spec:
        """Make it of the keyword arguments for AnsibleModule."""
        options = dict(kwargs["argument_spec"])
        if kwargs.get("add_file_common_args"):
            options = {**FILE_COMMON_ARGUMENTS, **options}
        return cls(options, {name: kwargs[name] for name in CONSTRAINTS if kwargs.get(name)})

    def names(self) -> set[str]:
        """Every name under which an option can be given."""
        return {name for option, about in self.options.items() for name in (option, *about.get("aliases", ()))}

    def without_required(self) -> Spec:
        """The same where options may come from elsewhere, as a role's do from the inventory."""
        options = {name: {**about, "required": False} for name, about in self.options.items()}
        return Spec(options, {"mutually_exclusive": self.constraints.get("mutually_exclusive", [])})


def templated(value: Any) -> bool:
    """Whether a template stands anywhere in the value."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(templated(part) for pair in value.items() for part in pair)
    return isinstance(value, (list, tuple)) and any(templated(part) for part in value)


def problems(spec: Spec, given: Mapping[str, Any], where: str = "") -> list[str]:
    """Return one sentence for each thing that is wrong with the arguments; ``where``: the option they stand in."""
    found: list[str] = []
    options = copy.deepcopy(dict(spec.options))
    aliases = {alias: name for name, about in options.items() for alias in about.get("aliases", ())}
    for key, value in given.items():
        about = options.get(aliases.get(key, key))
        if about is None:
            continue
        below = about.get("options")
        if below and _is_nested(value):
            inner = Spec(below, {name: about[name] for name in CONSTRAINTS if about.get(name)})
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, Mapping):
                    found += problems(inner, item, f"{where}{key}.")
            # Judged just now; here only its name and place still count.
            _loosen(about, keep_type=True)
        elif templated(value):
            _loosen(about, keep_type=False)
    validator = ArgumentSpecValidator(options, **spec.constraints)
    verdict = validator.validate(copy.deepcopy(dict(given)))
    return found + [_sentence(error, where) for error in verdict.errors]


def _sentence(error: AnsibleValidationError, where: str) -> str:
    """What the validator says; of an option that is not there it says only the name."""
    message = f"no such option: {error.msg}" if isinstance(error, UnsupportedError) else str(error.msg)
    return f"{where.removesuffix('.')}: {message}" if where else message


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(item, Mapping) for item in value))


def _loosen(about: dict[str, Any], *, keep_type: bool) -> None:
    kept = {"type": about["type"]} if keep_type and "type" in about else {"type": "raw"}
    for name in TYPED:
        about.pop(name, None)
    about.update(kept)
