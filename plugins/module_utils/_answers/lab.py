# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a linter for the answer file of the lab's installer: a word and its value a line.

The lab's installer is small, but it writes a real disk; it takes its orders from the same kind of file as others.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .._nodes.errors import ErrorCode, MetalError

WORDS: dict[str, Callable[[str], bool]] = {
    "hostname": lambda value: bool(re.fullmatch(r"[a-z0-9][a-z0-9.-]*", value)),
    "disk": lambda value: value == "first" or bool(re.fullmatch(r"/dev/[a-z0-9/]+", value)),
    "image": lambda value: bool(re.fullmatch(r"https?://\S+", value)),
    "report": lambda value: bool(re.fullmatch(r"https?://\S+/report", value)),
}
"""Each word, all of them required once, and what its value has to be."""


def lint(text: str) -> None:
    """Check the answer file of a lab installation. Raises: MetalError ``template``."""
    found: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        word, _blank, value = line.strip().partition(" ")
        if word not in WORDS:
            raise MetalError(
                ErrorCode.TEMPLATE, f"lab answer file, line {number}: {word!r} is none of {', '.join(WORDS)}"
            )
        if word in found:
            raise MetalError(ErrorCode.TEMPLATE, f"lab answer file, line {number}: {word} stands there twice")
        if not WORDS[word](value):
            raise MetalError(
                ErrorCode.TEMPLATE, f"lab answer file, line {number}: {value!r} cannot be the value of {word}"
            )
        found.add(word)
    missing = [word for word in WORDS if word not in found]
    if missing:
        raise MetalError(ErrorCode.TEMPLATE, f"lab answer file: {', '.join(missing)} missing")
