# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the YAML and the commands that stand in documents, with their places."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

YAML = {"yaml", "yml", "yaml+jinja"}
CONSOLE = {"console", "shell", "bash", "sh", "shell-session"}
PLUGIN_FOLDERS = ("modules", "inventory", "action", "callback", "filter", "lookup", "test")
TASK_GLOBS = (
    "roles/*/tasks/**/*.yml",
    "roles/*/handlers/**/*.yml",
    "playbooks/**/*.yml",
    "extensions/molecule/*/*.yml",
)
DOCUMENT_GLOBS = ("*.md", "docs/**/*.md", "docs/**/*.rst", "roles/*/README.md")


@dataclass(frozen=True)
class Snippet:
    """A text: where it stands (path below the root, line of the line before its first) and in what language."""

    path: str
    line: int
    language: str
    text: str

    def at(self, line: int) -> str:
        """Name the place of a line, from 1, of the snippet."""
        return f"{self.path}:{self.line + line}"


def examples(root: Path) -> Iterator[Snippet]:
    """Yield the EXAMPLES of every plugin."""
    for folder in PLUGIN_FOLDERS:
        for path in sorted((root / "plugins" / folder).glob("*.py")):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.Assign) and any(getattr(name, "id", "") == "EXAMPLES" for name in node.targets):
                    text = ast.literal_eval(node.value)
                    yield Snippet(str(path.relative_to(root)), node.lineno - 1, "yaml", text)


def task_files(root: Path) -> Iterator[Snippet]:
    """Yield the task files of roles, the playbooks and the molecule scenarios."""
    for pattern in TASK_GLOBS:
        for path in sorted(root.glob(pattern)):
            yield Snippet(str(path.relative_to(root)), 0, "yaml", path.read_text())


def documents(root: Path) -> Iterator[Snippet]:
    """Yield every code block of the README and of docs, and each document's running text as language "prose"."""
    for pattern in DOCUMENT_GLOBS:
        for path in sorted(root.glob(pattern)):
            place = str(path.relative_to(root))
            read = rst_blocks if path.suffix == ".rst" else markdown_blocks
            yield from read(place, path.read_text())


FENCE = re.compile(r"^(?P<indent>\s*)(?P<mark>`{3,}|~{3,})\s*(?P<language>[\w+-]*).*$")


def markdown_blocks(place: str, text: str) -> Iterator[Snippet]:
    """Yield the fenced blocks of a Markdown text, and the rest as prose with its lines where they were."""
    prose: list[str] = []
    block: list[str] = []
    opened: re.Match[str] | None = None
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if opened is None and fence:
            opened, start, block = fence, number, []
        elif opened is not None and fence and fence["mark"].startswith(opened["mark"]) and not fence["language"]:
            yield Snippet(place, start, opened["language"].lower(), "\n".join(block) + "\n")
            opened = None
        elif opened is not None:
            block.append(line.removeprefix(opened["indent"]))
        prose.append("" if opened is not None or fence else line)
    if opened is not None:
        yield Snippet(place, start, "unclosed", "")
    yield Snippet(place, 0, "prose", "\n".join(prose))


DIRECTIVE = re.compile(r"^(?P<indent>\s*)\.\. (?:code-block|sourcecode|code):: *(?P<language>[\w+-]*)\s*$")


def rst_blocks(place: str, text: str) -> Iterator[Snippet]:
    """Yield the code blocks of a reStructuredText, and the rest as prose with its lines where they were."""
    lines = text.splitlines()
    prose = list(lines)
    number = 0
    while number < len(lines):
        directive = DIRECTIVE.match(lines[number])
        number += 1
        if directive is None:
            continue
        least = len(directive["indent"]) + 1
        while number < len(lines) and (not lines[number].strip() or lines[number].strip().startswith(":")):
            number += 1
        start, block = number, []
        while number < len(lines) and (not lines[number].strip() or _indent(lines[number]) >= least):
            block.append(lines[number])
            prose[number] = ""
            number += 1
        depth = min((_indent(line) for line in block if line.strip()), default=0)
        yield Snippet(place, start, directive["language"].lower(), "\n".join(line[depth:] for line in block) + "\n")
    yield Snippet(place, 0, "prose", "\n".join(prose))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
