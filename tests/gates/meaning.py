# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what an argument spec cannot know: are the attributes, noderanges and CSV lines real?

Judged by the collection's own code. It finds, among other things, the MAC address without quotes that YAML
reads as one large number.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.stage0.metal.plugins.module_utils._nodes import csvfile, networks, noderange, schema
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError

from .arguments import templated
from .snippets import Snippet

VALUES = ("attributes", "secrets")
NAMES = ("attributes", "unset")
RANGES = ("nodes",)


def arguments(given: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the values of a module's arguments that mean something in the node database."""
    for option in VALUES:
        if isinstance(given.get(option), Mapping):
            yield from _values(given[option])
    for option in NAMES:
        if isinstance(given.get(option), list):
            yield from _names([name for name in given[option] if not templated(name) and name not in networks.FIELDS])
    for option in RANGES:
        ranges = given.get(option)
        for text in ranges if isinstance(ranges, list) else [ranges]:
            if isinstance(text, str) and not templated(text):
                yield from _range(text)


def _values(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in schema.flatten(dict(values)).items():
        try:
            attribute = schema.attribute(name)
            if not templated(value):
                attribute.check(value)
        except MetalError as exc:
            yield exc.message


def _names(names: list[Any]) -> Iterator[str]:
    for name in names:
        try:
            schema.attribute(str(name))
        except MetalError as exc:
            yield exc.message


def _range(text: str) -> Iterator[str]:
    try:
        noderange.check(text)
    except MetalError as exc:
        yield exc.message


def csv(snippet: Snippet) -> list[str]:
    """Return what is wrong with a block of CSV, which must be a file for node_import."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nodes.csv"
        path.write_text(snippet.text)
        try:
            csvfile.read(path)
        except MetalError as exc:
            return [f"{snippet.at(1)}: {exc.message.replace(str(path), 'the CSV block')}"]
    return []
