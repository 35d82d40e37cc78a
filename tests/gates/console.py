# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: do the commands that documents show exist?

Judged are ``make TARGET``, ``ansible-playbook``, ``ansible-doc``, ``ansible -m``, and ``python -m`` of what is
ours; whatever else stands in a console block is somebody else's.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from . import meaning
from .arguments import problems
from .snippets import Snippet
from .specs import PREFIX, Collection

PROMPT = re.compile(r"^(?:\([\w.-]+\)\s*)?(?:[\w@:~/-]*[$#%]\s+)")
ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")
BEFORE = {"sudo", "env", "time", "exec"}
SEPARATORS = {"&&", "||", ";", "|", "&"}
INLINE_MAKE = re.compile(r"`make ([a-z][\w-]*)`")
PACKAGE = "ansible_collections.stage0.metal."


def targets(collection: Collection) -> set[str]:
    """The targets of the Makefile."""
    makefile = collection.root / "Makefile"
    if not makefile.exists():
        return set()
    rules = re.findall(r"^([\w -]+):(?!=)", makefile.read_text(), re.M)
    return {name for rule in rules for name in rule.split()}


def prose(collection: Collection, snippet: Snippet) -> list[str]:
    """Return what is wrong with the commands in a running text."""
    known = targets(collection)
    found = []
    for number, line in enumerate(snippet.text.splitlines(), 1):
        for name in INLINE_MAKE.findall(line):
            if name not in known:
                found.append(f"{snippet.at(number)}: the Makefile has no target {name}")
    return found


def check(collection: Collection, snippet: Snippet) -> list[str]:
    """Return what is wrong with the commands of a console block, as ``path:line: sentence``."""
    found = []
    for number, line in logical_lines(snippet.text):
        for command in commands(line):
            judge = next((JUDGES[word] for word in command[:1] if word in JUDGES), None)
            if judge is not None:
                found += [f"{snippet.at(number)}: {sentence}" for sentence in judge(collection, command[1:])]
    return found


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and command line; with prompts in the block, what has no prompt is output."""
    lines = text.splitlines()
    prompted = any(PROMPT.match(line) for line in lines)
    number = 0
    while number < len(lines):
        start, line = number + 1, lines[number]
        while line.endswith("\\") and number + 1 < len(lines):
            number += 1
            line = line[:-1] + " " + lines[number].removeprefix("> ").strip()
        number += 1
        if not prompted or PROMPT.match(line):
            yield start, PROMPT.sub("", line.strip())


def commands(line: str) -> Iterator[list[str]]:
    """Yield the simple commands of a line, in words, without what stands before the program."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        return
    current: list[str] = []
    for word in [*words, ";"]:
        if word not in SEPARATORS:
            current.append(word)
            continue
        while current and (ASSIGNMENT.match(current[0]) or current[0] in BEFORE):
            current.pop(0)
        if current:
            # The program may be called by its path in a virtual environment.
            yield [current[0].rpartition("/")[2], *current[1:]]
        current = []


def make(collection: Collection, words: list[str]) -> Iterator[str]:
    """Targets are rules of the Makefile."""
    known = targets(collection)
    skip = False
    for word in words:
        if skip or word.startswith("-") or "=" in word:
            skip = word in ("-C", "-f", "-j")
        elif word not in known:
            yield f"the Makefile has no target {word}"


def ansible_playbook(collection: Collection, words: list[str]) -> Iterator[str]:
    """Playbooks exist, and take the variables given with -e."""
    names = [word.removeprefix(PREFIX) for word in words if word.startswith(PREFIX)]
    for name in names:
        if name not in collection.playbooks:
            yield f"there is no playbook {PREFIX}{name}"
    known = [name for name in names if name in collection.playbooks]
    if not known:
        return
    allowed = {variable for name in known for variable in collection.playbook_variables(name)}
    for variable in sorted(set(extra_variables(words)) - allowed):
        if not variable.startswith("ansible_"):
            yield f"the playbook {PREFIX}{known[0]} has no variable {variable}"


def extra_variables(words: list[str]) -> Iterator[str]:
    """Yield the names of variables given on a command line."""
    for value in option_values(words, "-e", "--extra-vars"):
        if value.startswith("@"):
            continue
        if value.lstrip().startswith("{"):
            loaded: Any = yaml.safe_load(value)
            yield from (str(name) for name in loaded)
        else:
            yield from (word.partition("=")[0] for word in shlex.split(value) if "=" in word)


def option_values(words: list[str], *options: str) -> Iterator[str]:
    """Yield what is given to an option, in any of the ways to write it."""
    for index, word in enumerate(words):
        if word in options and index + 1 < len(words):
            yield words[index + 1]
        for option in options:
            if option.startswith("--") and word.startswith(f"{option}="):
                yield word.partition("=")[2]
            elif not option.startswith("--") and word.startswith(option) and word != option:
                yield word.removeprefix(option)


def ansible_doc(collection: Collection, words: list[str]) -> Iterator[str]:
    """What is to be shown exists."""
    kinds = {
        "module": collection.module_names,
        "inventory": list(collection.inventories),
        "role": list(collection.roles),
    }
    kind = next(option_values(words, "-t", "--type"), "module")
    for word in words:
        if word.startswith(PREFIX) and word.removeprefix(PREFIX) not in kinds.get(kind, []):
            yield f"there is no {kind} {word}"


def ansible(collection: Collection, words: list[str]) -> Iterator[str]:
    """A module that is called ad hoc exists and takes the arguments."""
    for name in option_values(words, "-m", "--module-name"):
        if not name.startswith(PREFIX):
            continue
        if name.removeprefix(PREFIX) not in collection.module_names:
            yield f"there is no module {name}"
            continue
        given: dict[str, Any] = {}
        for value in option_values(words, "-a", "--args"):
            if value.lstrip().startswith("{"):
                given |= yaml.safe_load(value)
            else:
                given |= dict(word.partition("=")[::2] for word in shlex.split(value))
        for sentence in [*problems(collection.module(name.removeprefix(PREFIX)), given), *meaning.arguments(given)]:
            yield f"{name}: {sentence}"


def python(collection: Collection, words: list[str]) -> Iterator[str]:
    """What is run by ``-m`` can be run."""
    for name in option_values(words, "-m"):
        ours = name.startswith(PACKAGE) or name.startswith("tests.")
        place = collection.root / name.removeprefix(PACKAGE).replace(".", "/")
        if ours and not (place / "__main__.py").exists() and not place.with_suffix(".py").exists():
            yield f"there is nothing to run as {name}"


JUDGES: dict[str, Callable[[Collection, list[str]], Iterator[str]]] = {
    "make": make,
    "ansible-playbook": ansible_playbook,
    "ansible-doc": ansible_doc,
    "ansible": ansible,
    "python": python,
    "python3": python,
    "python3.11": python,
}
