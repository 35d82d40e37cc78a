# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the models of simulated machines, a table; a new one needs a file and a row here."""

from __future__ import annotations

from ...module_utils._nodes.errors import ErrorCode, MetalError
from .model import Model
from .model_ss100 import SS100
from .model_ss240 import SS240
from .model_ss480 import SS480

MODELS = {model.name: model for model in (SS240, SS480, SS100)}
"""A rack whose model is not chosen has them in turn."""


def choose(name: str | None, index: int) -> Model:
    """Return the model ``name``, or for None the one whose turn it is. Raises MetalError (invalid)."""
    if name is None:
        return list(MODELS.values())[index % len(MODELS)]
    try:
        return MODELS[name]
    except KeyError:
        known = ", ".join(MODELS)
        raise MetalError(ErrorCode.INVALID, f"there is no model {name!r}; there are {known}") from None
