# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: noderanges in templates: over the node database, or over groups such as Ansible's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._nodes.database import open_database
from ..module_utils._nodes.errors import ErrorCode, MetalError
from ..module_utils._nodes.lookup import Lookup
from ..module_utils._nodes.noderange import Names, Plain
from ..module_utils._nodes.reading import Reader
from ..module_utils._nodes.secrets import Keyring


@contextmanager
def said_by(plugin: str) -> Iterator[None]:
    """Turn what is wrong into the error that Ansible expects of ``plugin``. Raises: AnsibleFilterError."""
    try:
        yield
    except MetalError as exc:
        raise AnsibleFilterError(f"stage0.metal.{plugin}: {exc}") from exc


def texts(value: Any, what: str) -> list[str]:
    """Return ``value``, a text or a list of texts, as a list. Raises: MetalError ``invalid`` that says ``what`` it should be."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple, set, frozenset)) or not all(isinstance(item, str) for item in items):
        raise MetalError(ErrorCode.INVALID, f"{what} is text or a list of text, not {value!r:.100}")
    return [str(item) for item in items]


@contextmanager
def names(database: str | None, groups: Any) -> Iterator[Names]:
    """Yield what a noderange asks: ``groups`` (name to members) if given, else the node database.

    Raises: MetalError ``invalid`` or ``database``.
    """
    if groups is not None:
        if database is not None:
            raise MetalError(ErrorCode.INVALID, "give database or groups, not both")
        yield _plain(groups)
        return
    with closing(open_database(database, missing="refuse")) as opened, opened.read() as connection:
        yield Lookup(Reader(connection, Keyring()))


def _plain(groups: Any) -> Plain:
    if not isinstance(groups, Mapping):
        raise MetalError(ErrorCode.INVALID, f"groups is a mapping of groups to their members, not {groups!r:.100}")
    members = {str(group): texts(listed, f"group {group!r}") for group, listed in groups.items()}
    # Ansible's own variable lists everybody in the group all.
    everyone = members["all"] if "all" in members else [name for listed in members.values() for name in listed]
    return Plain(everyone, members)
