# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what a noderange asks of names and values: regular expressions that end, and comparisons.

Python's own re can be made to run for years by a short expression, and cannot be stopped. The library regex can,
at the price of 2 microseconds a name, so expressions that cannot run away go without its clock.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from ..libraries import lazy

if TYPE_CHECKING:
    import regex
else:
    regex = lazy("regex")

SECONDS = 5.0
"""How long one regular expression may take over all the texts that it is asked about."""
LONGEST = 500
"""The most characters of a regular expression."""
MOST_REPEATS = 10_000
"""The largest product of the numbers in braces: regex unrolls them, and would fill the memory."""

_STRANGE = re.compile(r"\(\?(?!:|=|!|>|<=|<!|i\)|i:)|\(\*|\\[gGKL]")
_BRACES = re.compile(r"\{([^{}]*)\}")
_COUNTS = re.compile(r"[0-9]{1,5}|[0-9]{0,5},[0-9]{0,5}")
_PLAIN = re.compile(r"[A-Za-z0-9_:-]*")
_QUANTIFIER = re.compile(r"[*+?]")
_MAY_RUN_AWAY = re.compile(r"\)[*+?]|\(\?|[{]|\\(?![.dDwWsS/-])")
_TAME_TEXT = 600
"""A name has at most 571 characters."""


class BadPattern(Exception):
    """A regular expression that is not taken. ``offset``: the index in it that ``sentence`` is about."""

    def __init__(self, offset: int, sentence: str) -> None:
        super().__init__(sentence)
        self.offset = offset
        self.sentence = sentence


class Pattern:
    """A regular expression that has to match all of a text, and has SECONDS for all of its texts.

    Raises: BadPattern.
    """

    def __init__(self, text: str) -> None:
        _check(text)
        try:
            self._match = regex.compile(text).fullmatch
        except regex.error as exc:
            place, why = getattr(exc, "pos", None) or 0, getattr(exc, "msg", "it cannot be compiled")
            raise BadPattern(place, f"the regular expression is not valid: {why}") from None
        except RecursionError:
            raise BadPattern(0, "the regular expression is nested too deeply") from None
        # At most two repetitions over 600 characters and few alternatives: a moment at the worst.
        self._tame = not _MAY_RUN_AWAY.search(text) and len(_QUANTIFIER.findall(text)) <= 2 and text.count("|") <= 6
        self._left = SECONDS

    def matches(self, text: str) -> bool:
        """Whether all of ``text`` matches. Raises: TimeoutError when the time is used up."""
        if self._tame and len(text) <= _TAME_TEXT:
            return self._match(text) is not None
        begun = time.perf_counter()
        try:
            found = self._match(text, timeout=self._left)
        except TimeoutError:
            self._left = 0.0
        self._left -= time.perf_counter() - begun
        if self._left <= 0:
            raise TimeoutError(f"it takes longer than {SECONDS:g} s; write it without nested repetitions")
        return found is not None


def _check(text: str) -> None:
    """Refuse what has no place in a noderange, or would fill the memory. Raises: BadPattern."""
    if len(text) > LONGEST:
        raise BadPattern(0, f"a regular expression may have {LONGEST} characters")
    strange = _STRANGE.search(text)
    if strange:
        raise BadPattern(strange.start(), f"{strange[0]!r} has no place in a noderange's regular expression")
    product = 1
    for braces in _BRACES.finditer(text):
        if not _COUNTS.fullmatch(braces[1]):
            raise BadPattern(braces.start(), f"{braces[0]!r} is not a repetition such as {{2}} or {{1,3}}")
        product *= max([1, *(int(number) for number in braces[1].split(",") if number)])
        if product > MOST_REPEATS:
            raise BadPattern(braces.start(), f"the repetitions multiply to more than {MOST_REPEATS}")


class Test:
    """What is asked of an attribute's effective value: ``operator`` (==, !=, =~, !~) and ``value``, as text.

    Raises: BadPattern.
    """

    def __init__(self, operator: str, value: str) -> None:
        self.operator = operator
        self.value = value
        self._negative = operator.startswith("!")
        self.beginning = _beginning(value) if operator.endswith("~") else ""
        """What each text that matches begins with, as far as that is plain to see."""
        self._holds = Pattern(value).matches if operator.endswith("~") else value.__eq__

    def passes(self, value: object) -> bool:
        """Whether an effective value passes; None (not set) and an empty list pass != and !~ only. Raises: TimeoutError."""
        if value is None or value == []:
            return self._negative
        return self._holds(as_text(value)) is not self._negative


def _beginning(pattern: str) -> str:
    """Return the plain characters that a regular expression begins with."""
    if "|" in pattern or "(?" in pattern:
        return ""
    plain = _PLAIN.match(pattern)
    text = plain[0] if plain else ""
    return text[:-1] if pattern[len(text) :].startswith(("*", "?", "{", "+")) else text


def as_text(value: object) -> str:
    """Return a stored value as the text that it is compared as: ``true``, ``623``, ``10.0.0.1,10.0.0.2``."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(as_text(item) for item in value)
    return str(value)
