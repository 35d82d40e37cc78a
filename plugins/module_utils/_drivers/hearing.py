# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what is heard of a serial console, and how it becomes text that can be read."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field


@dataclass(slots=True)
class Recording:
    """What a console said, at most ``most`` bytes. A driver adds to it as it comes: whatever ends the listening, it stays.

    ``opened``: the console was ours; ``over``: the listening went as far as was wanted. ``ended``: why it did not.
    """

    most: int
    data: bytearray = field(default_factory=bytearray)
    opened: bool = False
    over: bool = False
    ended: str | None = None
    notes: list[str] = field(default_factory=list)
    """What was noticed besides, one sentence each."""

    @property
    def full(self) -> bool:
        """Whether no more is taken."""
        return len(self.data) >= self.most

    def add(self, said: bytes) -> None:
        """Take what was said, as far as there is room for it."""
        self.data += said[: self.most - len(self.data)]

    def note(self, sentence: str) -> None:
        """Notice something, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)


_CSI = r"(?:\x1b\[|\x9b)[0-?]*[ -/]*"
"""Control sequence introducer, parameters and intermediates (ECMA-48, 5.4)."""
_MOVES = re.compile(rf"(?:{_CSI}[ABEFHdf])+")
"""Moves to another line: what follows is not of the same line."""
_SEQUENCES = re.compile(
    rf"{_CSI}[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\r\n]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
"""Control sequences, control strings (5.6) that come to an end on their line, escape sequences. None takes a line end."""
_LINE_ENDS = re.compile(r"\r*\n|\r+|[\x0b\x0c\x85\u2028\u2029]")


def readable(data: bytes) -> str:
    """Return what a console said as text of lines, without anything that could act on a terminal.

    Bytes that are not UTF-8 become U+FFFD. Sequences that move the cursor to another line begin a line; others, NULs,
    and all that Unicode calls control, format or unassigned (class C), as marks that turn the writing round, are left out.
    """
    text = data.replace(b"\0", b"").decode("utf-8", errors="replace")
    text = _LINE_ENDS.sub("\n", _SEQUENCES.sub("", _MOVES.sub("\n", text)))
    return "".join(letter for letter in text if letter in "\n\t" or unicodedata.category(letter)[0] != "C")
