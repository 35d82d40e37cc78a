# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: ansible-test on the copied tree: ``run_ansible_test.py sanity|units``.

ansible-test downloads a script that installs pip from a host of its own. Where only a package index is to be
had that fails, but it looks first into its cache: so pip comes from the index, and the script is ours.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import ansible_test._internal.python_requirements as requirements

from .environment import TREE, call, clean

BOOTSTRAP = """import os, runpy, sys
if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, os.path.join(here, "pip-{version}-py3-none-any.whl"))
    arguments = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
    sys.argv = ["pip", "install", "--upgrade", "--force-reinstall"] + arguments
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def seed() -> None:
    """Put pip, in the versions that the installed ansible-test asks for, into its cache."""
    cache = Path(clean()["HOME"]).expanduser() / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    source = Path(str(requirements.__file__)).read_text()
    for version in sorted(set(re.findall(r"pip='([0-9.]+)'", source))):
        script = cache / f"get_pip_{version.replace('.', '_')}.py"
        text = BOOTSTRAP.format(version=version)
        if (cache / f"pip-{version}-py3-none-any.whl").exists() and script.exists() and script.read_text() == text:
            continue
        download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(cache), f"pip=={version}"]
        subprocess.run(download, check=True)
        script.write_text(text)


def main() -> int:
    """Run the command named on the command line."""
    command = sys.argv[1]
    seed()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    call("ansible-test", command, "--venv", "--python", version, "--color", "no", *sys.argv[2:], cwd=TREE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
