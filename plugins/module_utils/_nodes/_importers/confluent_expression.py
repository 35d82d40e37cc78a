# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: Confluent's expressions turned into ours, where they mean the same.

Both have n1, n2, ..., node and other attributes in braces, and the same ranks of operators. Confluent writes ``/`` for
the division that is ``//`` here, and has bits, slices and methods besides, which are refused.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable

from ..errors import MetalError
from ..expression import LONGEST, escape, parse
from .perl_sum import Unclear

_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|(?P<number>0|[1-9][0-9]*)(?![\w.])|(?P<sign>[-+*/%()]))")
_NUMBERED = re.compile(r"n[0-9]{1,2}")
_ALIASES = {"bmc": "hardwaremanagement.manager", "nodename": "node"}


def translate(text: str, attribute: Callable[[str], str | None]) -> str:
    """Return the expression here that means what ``text`` means in Confluent.

    ``attribute`` gives the name here of an attribute of Confluent's, or None if it may not be referred to.
    Raises: Unclear.
    """
    if len(text) > LONGEST:
        raise Unclear(f"it has more than {LONGEST} characters")
    try:
        parts = [
            escape(literal) + ("" if field is None else _field(field, spec, conversion, attribute))
            for literal, field, spec, conversion in string.Formatter().parse(text)
        ]
        return parse("".join(parts)).text
    except ValueError as exc:
        raise Unclear(f"it cannot be read: {exc}") from None
    except MetalError as exc:
        raise Unclear(exc.message) from None


def _field(field: str, spec: str | None, conversion: str | None, attribute: Callable[[str], str | None]) -> str:
    """Return the braces for one pair of Confluent's."""
    words: list[str] = []
    position = 0
    while field[position:].strip():
        found = _TOKEN.match(field, position)
        doubled = found is not None and found["sign"] in ("*", "/") and words[-1:] == [found["sign"]]
        if found is None or conversion or doubled:
            raise Unclear(f"{field!r} is more than whole-number arithmetic on names")
        words.append(_name(found["name"], attribute) if found["name"] else found["number"] or found["sign"])
        position = found.end()
    inside = " ".join("//" if word == "/" else word for word in words).replace("( ", "(").replace(" )", ")")
    return "{" + inside + (f":{spec}" if spec else "") + "}"


def _name(name: str, attribute: Callable[[str], str | None]) -> str:
    name = _ALIASES.get(name, name)
    if name == "node" or _NUMBERED.fullmatch(name):
        return name
    here = attribute(name)
    if here is None:
        raise Unclear(f"it needs {name}, which expressions here cannot refer to")
    return here
