# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: every molecule scenario, on a copy of the tree of its own."""

from __future__ import annotations

import shutil
import sys

from .environment import BUILD, ROOT, TREE, call, clean


def main() -> int:
    """Run the scenarios named on the command line, or all."""
    scenarios = sorted(path.parent.name for path in (ROOT / "extensions" / "molecule").glob("*/molecule.yml"))
    if not scenarios:
        print("There is no scenario.")
        return 0
    state = BUILD / "molecule"
    shutil.rmtree(state, ignore_errors=True)
    (state / "stage0").mkdir(parents=True)
    env = clean() | {
        "ANSIBLE_HOME": str(state / "ansible-home"),
        "STAGE0_HOME": str(state / "stage0"),
        # Where molecule keeps what it knows of a scenario between its steps.
        "XDG_CACHE_HOME": str(state / "cache"),
        "MOLECULE_STATE": str(state),
        "PY_COLORS": "0",
    }
    named = sys.argv[1:]
    which = [word for name in named for word in ("--scenario-name", name)] if named else ["--all"]
    call("molecule", "test", *which, cwd=TREE, env=env)
    return 0


if __name__ == "__main__":
    sys.exit(main())
