# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every example, task file, playbook and code block of the collection, against the real argument specs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.tests.gates import console, meaning, plays
from ansible_collections.stage0.metal.tests.gates.refuse import refuse
from ansible_collections.stage0.metal.tests.gates.snippets import (
    CONSOLE,
    YAML,
    Snippet,
    documents,
    examples,
    task_files,
)
from ansible_collections.stage0.metal.tests.gates.specs import Collection

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def collection() -> Collection:
    return Collection(ROOT)


def judge(collection: Collection, snippets: Iterable[Snippet]) -> None:
    found: list[str] = []
    for snippet in snippets:
        if snippet.language in YAML:
            found += plays.check(collection, snippet)
        elif snippet.language in CONSOLE:
            found += console.check(collection, snippet)
        elif snippet.language == "csv":
            found += meaning.csv(snippet)
        elif snippet.language == "prose":
            found += console.prose(collection, snippet)
        elif snippet.language in ("", "unclosed"):
            found.append(f"{snippet.at(0)}: a code block that does not say its language, or does not end")
    refuse(found)


def test_examples_of_plugins(collection: Collection) -> None:
    judge(collection, examples(ROOT))


def test_roles_playbooks_and_scenarios(collection: Collection) -> None:
    judge(collection, task_files(ROOT))


def test_readme_and_docs(collection: Collection) -> None:
    judge(collection, documents(ROOT))
