# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: docs/reference/attributes.md from the attribute schema; ``--lint`` only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.stage0.metal.plugins.module_utils._nodes.schema import ATTRIBUTES, Attribute

TARGET = Path(__file__).resolve().parents[2] / "docs" / "reference" / "attributes.md"
HEAD = """<!--
SPDX-FileCopyrightText: 2026 stage0.metal contributors
SPDX-License-Identifier: GPL-3.0-or-later
Generated from the schema by tests/utils/generate_docs.py. Do not edit.
-->

# Attributes

What nodes and groups can have. The effective value of a node's attribute is its own, else that of the first of its groups that
has one, else the default. An explicit null blanks what would be inherited. In an inventory of `stage0.metal.nodes`, an
[attribute is a variable](inventory.md); a secret is none unless it is asked for.

| attribute | type | default | variable | meaning |
| --- | --- | --- | --- | --- |
"""
FOOT = """
A site adds attributes of its own, as text, under `site.` and `custom.`, such as `site.owner`. The value of any attribute that is no secret
may be an [expression](expressions.md).

Types: `text` is one line; `mac` and `uuid` are taken in any common spelling and stored in one; `address` is an IP address or
a host name; `crypt` is a crypt(3) hash that begins with `$6$`, `$5$`, `$y$` or `$2b$`.
"""


def row(attribute: Attribute) -> str:
    """Return the attribute's line in the table."""
    kind = ", ".join(f"`{choice}`" for choice in attribute.choices) or attribute.type
    default = "" if attribute.default in (None, []) else f"`{attribute.default}`"
    variable = "none: secret" if attribute.secret else f"`{attribute.variable}`"
    meaning = attribute.description + (" No two nodes may have the same." if attribute.unique else "")
    return f"| `{attribute.name}` | {kind} | {default} | {variable} | {meaning} |"


def main() -> int:
    """Write the file, or say whether it is what would be written."""
    text = HEAD + "\n".join(row(attribute) for attribute in ATTRIBUTES) + "\n" + FOOT
    if "--lint" not in sys.argv[1:]:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET.name} is not what the schema says: run python -m tests.utils.generate_docs")
    return 1


if __name__ == "__main__":
    sys.exit(main())
