# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what users get: ``tarball.py importer|install``.

``importer`` has Galaxy's own importer read the tarball, and accepts no warning of it. ``install`` installs the
tarball where nothing else is, leaves only the folders that are used at run time, and uses them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from .environment import BUILD, COPIED, NAME, NAMESPACE, ROOT, TREE, VENV_BIN, call, clean

USED_AT_RUN_TIME = {"meta", "plugins", "roles", "playbooks"}
WRITTEN_BY_GALAXY = {"MANIFEST.json", "FILES.json"}
IMPORTER = """[galaxy-importer]
CHECK_REQUIRED_TAGS = True
CHECK_CHANGELOG = True
RUN_ANSIBLE_DOC = True
RUN_ANSIBLE_LINT = True
OFFLINE_ANSIBLE_LINT = True
ANSIBLE_LOCAL_TMP = {tmp}
TMP_ROOT_DIR = {tmp}
"""


def fail(sentence: str) -> None:
    """End with this sentence."""
    sys.exit(f"ERROR: {sentence}")


def build(folder: Path) -> Path:
    """Build the tarball into a new folder; return its path."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    call("ansible-galaxy", "collection", "build", "--output-path", folder, TREE, cwd=folder)
    (tarball,) = folder.glob("*.tar.gz")
    with tarfile.open(tarball) as archive:
        inside = {member.name for member in archive.getmembers() if not member.isdir()}
    unknown = inside - set(COPIED.read_text().splitlines()) - WRITTEN_BY_GALAXY
    if unknown:
        fail(f"the tarball has files that git does not: {', '.join(sorted(unknown)[:10])}")
    return tarball


def importer() -> None:
    """Galaxy's importer must have nothing to say."""
    folder = BUILD / "importer"
    tarball = build(folder)
    (folder / "tmp").mkdir()
    config = folder / "galaxy-importer.cfg"
    config.write_text(IMPORTER.format(tmp=folder / "tmp"))
    bin_folder = ROOT / ".venv-importer" / "bin"
    env = clean()
    env["PATH"] = env["PATH"].replace(str(VENV_BIN), str(bin_folder))
    env["GALAXY_IMPORTER_CONFIG"] = str(config)
    del env["ANSIBLE_COLLECTIONS_PATH"]
    done = subprocess.run(
        [str(bin_folder / "python"), "-m", "galaxy_importer.main", str(tarball)],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout)
    refused = re.findall(r"^(?:WARNING|ERROR): .*$", done.stdout, re.M)
    if done.returncode != 0 or refused:
        fail(f"the importer ended with {done.returncode} and {len(refused)} complaints")


def install() -> None:
    """Every module documents itself, every playbook loads, and provision says what is wrong with no database."""
    folder = BUILD / "install"
    tarball = build(folder)
    target = folder / "collections"
    env = clean() | {
        "ANSIBLE_COLLECTIONS_PATH": str(target),
        "ANSIBLE_HOME": str(folder / "ansible-home"),
        "STAGE0_HOME": str(folder / "home"),
        "HOME": str(folder),
    }
    # Not even the package caches of the user, and no STAGE0_ settings beside the home.
    env.pop("STAGE0_DATABASE", None)
    call("ansible-galaxy", "collection", "install", tarball, "-p", target, "--offline", "--force", cwd=folder, env=env)
    root = target / "ansible_collections" / NAMESPACE / NAME
    for entry in root.iterdir():
        if entry.name not in USED_AT_RUN_TIME:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    (folder / "home").mkdir()
    modules = sorted(path.stem for path in (root / "plugins" / "modules").glob("*.py"))
    if modules:
        names = [f"{NAMESPACE}.{NAME}.{name}" for name in modules]
        call("ansible-doc", "-t", "module", "--json", *names, cwd=folder, env=env)
    playbooks = sorted(path.stem for path in (root / "playbooks").glob("*.yml"))
    for name in playbooks:
        call("ansible-playbook", "--syntax-check", f"{NAMESPACE}.{NAME}.{name}", cwd=folder, env=env)
    # The hub runs from what is installed, and not from this clone.
    hub = f"ansible_collections.{NAMESPACE}.{NAME}.plugins.plugin_utils._hub"
    call(VENV_BIN / "python", "-m", hub, "--help", cwd=folder, env=env | {"PYTHONPATH": str(target)})
    if "provision" in playbooks:
        refuse_empty_database(folder, env)


def refuse_empty_database(folder: Path, env: dict[str, str]) -> None:
    """The playbook, for real and in check mode, names what it was asked for and does not find."""
    playbook = f"{NAMESPACE}.{NAME}.provision"
    done = subprocess.run(
        [str(VENV_BIN / "ansible-playbook"), playbook, "-e", "metal_nodes=rack1", "--check"],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout)
    if done.returncode == 0:
        fail("provision ends well for a range that names nothing in an empty database")
    if "rack1" not in done.stdout:
        fail("provision does not name the range that it does not find")
    for bad in ("Traceback", "couldn't resolve", "was not found", "No module named", "Unexpected"):
        if bad in done.stdout:
            fail(f"provision on an empty database prints {bad!r}")


if __name__ == "__main__":
    os.umask(0o022)
    {"importer": importer, "install": install}[sys.argv[1]]()
