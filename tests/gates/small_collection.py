# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a small collection on which the gates are tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .arguments import Spec
from .specs import Collection

POWER: dict[str, Any] = {
    "argument_spec": {
        "nodes": {"type": "list", "elements": "str", "required": True, "aliases": ["node"]},
        "state": {"type": "str", "choices": ["on", "off", "boot"], "required": True},
        "timeout": {"type": "int", "default": 60},
        "force": {"type": "bool"},
        "database": {"type": "str"},
        "stagger": {
            "type": "dict",
            "options": {
                "count": {"type": "int", "required": True},
                "per": {"type": "str", "choices": ["feed", "rack"]},
            },
        },
        "steps": {"type": "list", "elements": "dict", "options": {"name": {"type": "str", "required": True}}},
    },
    "required_if": [("state", "off", ("force",))],
    "mutually_exclusive": [("stagger", "steps")],
}
NODE: dict[str, Any] = {
    "argument_spec": {
        "name": {"type": "str", "required": True},
        "attributes": {"type": "dict"},
        "unset": {"type": "list", "elements": "str"},
        "database": {"type": "str"},
    }
}
INVENTORY = {
    "stage0.metal.nodes": {
        "doc": {
            "options": {
                "plugin": {"required": True, "choices": ["stage0.metal.nodes"]},
                "database": {"type": "str"},
                "leading_separator": {"type": "boolean", "default": True},
            }
        }
    }
}
FILES = {
    "plugins/modules/power.py": "",
    "plugins/modules/node.py": "",
    "plugins/inventory/nodes.py": "",
    "roles/hub/meta/argument_specs.yml": """
argument_specs:
  main:
    options:
      hub_port: {type: int, default: 8480}
      hub_bind: {type: str, required: true}
  remove:
    options:
      hub_purge: {type: bool}
""",
    "playbooks/provision.yml": """
- name: Provision
  hosts: localhost
  vars:
    metal_nodes: ''
  tasks:
    - name: Hub
      ansible.builtin.include_role:
        name: stage0.metal.hub
""",
    "Makefile": ".PHONY: demo lab\nX := 1\ndemo: venv\n\t@true\nlab test: venv\n",
    "tests/demo/run.py": "",
}


def small_collection(root: Path) -> Collection:
    """Write the small collection below ``root``."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    specs = {"power": Spec.of_module(POWER), "node": Spec.of_module(NODE)}
    return Collection(root, documented=INVENTORY, _modules=specs)
