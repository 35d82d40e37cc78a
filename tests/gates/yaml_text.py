# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: YAML as Ansible writes it: its tags are known, and each mapping knows its line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml


class Numbered(dict[Any, Any]):
    """A mapping with the line, from 1, on which it begins."""

    line: int = 0


class Loader(yaml.SafeLoader):
    """Reads !vault, !unsafe and any other tag as what stands behind it; refuses a key that stands twice."""


def _mapping(loader: Loader, node: yaml.MappingNode) -> Iterator[Numbered]:
    keys = [key.value for key, _value in node.value if isinstance(key, yaml.ScalarNode)]
    twice = {key for key in keys if keys.count(key) > 1 and key != "<<"}
    if twice:
        raise yaml.constructor.ConstructorError(None, None, f"{min(twice)!r} stands there twice", node.start_mark)
    data = Numbered()
    data.line = node.start_mark.line + 1
    yield data
    data.update(loader.construct_mapping(node))


def _plain(loader: Loader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
Loader.add_multi_constructor("!", _plain)


def load_all(text: str) -> list[Any]:
    """Return the documents in the text; raises yaml.YAMLError."""
    return [document for document in yaml.load_all(text, Loader=Loader) if document]
