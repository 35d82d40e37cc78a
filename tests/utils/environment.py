# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what the gates' scripts share: paths, a clean environment, a copy of the tree.

ansible-test works only in a folder that really is ``.../ansible_collections/NAMESPACE/NAME`` (a symbolic link
will not do), and only what git knows or would know may be in it: hence the copy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
NAMESPACE, NAME = "stage0", "metal"
TREE = BUILD / "tree" / "ansible_collections" / NAMESPACE / NAME
"""The copy; whoever changes it harms the other gates, which run at the same time."""
COPIED = BUILD / "tree" / "files.txt"
"""The names of what was copied."""
VENV_BIN = Path(sys.executable).parent


def clean() -> dict[str, str]:
    """The environment for a gate: no settings of the user's, nothing outside this clone, no pyenv shims.

    The shims exist for versions that do not run, and ansible-test takes a Python that exists for one that runs.
    """
    users = ("ANSIBLE_", "MOLECULE_", "STAGE0_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(users)}
    env.pop("PYTHONPATH", None)
    folders = [folder for folder in env.get("PATH", os.defpath).split(os.pathsep) if "pyenv" not in folder]
    env["PATH"] = os.pathsep.join([str(VENV_BIN), *folders])
    env["ANSIBLE_HOME"] = str(BUILD / "ansible-home")
    env["ANSIBLE_COLLECTIONS_PATH"] = str(BUILD / "tree")
    env["ANSIBLE_LOCALHOST_WARNING"] = "0"
    env["NO_COLOR"] = "1"
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    env.setdefault("LC_ALL", "C.UTF-8")
    env.setdefault("HOME", str(BUILD / "home"))
    return env


def tracked_files(*patterns: str) -> list[str]:
    """Paths, below the root, of files that git has or would take, and that are there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard", "--deduplicate", "--", *patterns],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def copy_tree() -> None:
    """Make the copy anew; only ansible-test's own folder stays, for the virtual environments in it."""
    keep = TREE / "tests" / "output"
    stale = sorted(TREE.rglob("*"), reverse=True) if TREE.is_dir() else []
    for path in stale:
        if path == keep or keep in path.parents or path in keep.parents:
            continue
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
    copied = tracked_files()
    COPIED.parent.mkdir(parents=True, exist_ok=True)
    COPIED.write_text("\n".join(copied))
    for name in copied:
        target = TREE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
    # ansible-test asks git what is there, and the clone around the copy would say: nothing, all ignored.
    subprocess.run(["git", "init", "-q", "-b", "copy", str(TREE)], check=True)


def call(*argv: str | Path, cwd: Path, env: dict[str, str] | None = None) -> None:
    """Run a command with the output of this process; end this process with its code if it fails."""
    words = [str(word) for word in argv]
    code = subprocess.run(words, cwd=cwd, env=env or clean(), stdin=subprocess.DEVNULL, check=False).returncode
    if code != 0:
        sys.exit(code if code > 0 else 1)
