# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: every gate, one after the other, and which of them failed.

``python -m tests.utils.lint [NAME ...]`` runs all gates, or those whose name contains one of the words. Two
run at a time; each writes to ``.build/log/lint-NAME.log``, of which the end is shown if the gate fails.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import environment

ROOT = environment.ROOT
LOGS = ROOT / ".build" / "log"
LONGEST = 1200
"""Seconds after which a gate is stopped and counts as failed."""
PYTHON = sys.executable
MYPY_PACKAGE = "ansible_collections/stage0/metal"


@dataclass(frozen=True)
class Gate:
    """One check: a command that ends with 0 if nothing is wrong.

    ``needs``: a path below the root without which there is nothing to check yet.
    ``files``: patterns for git ls-files; the files found are added to the command.
    ``marks``: a regular expression; of a failing gate's log only lines that begin so are shown.
    """

    name: str
    command: tuple[str, ...]
    files: tuple[str, ...] = ()
    needs: str = ""
    cwd: str = "."
    extra: dict[str, str] = field(default_factory=dict)
    marks: str = ""

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return LOGS / f"lint-{self.name.replace(' ', '-')}.log"

    def argv(self) -> list[str] | None:
        """The command with its files; None if there is nothing to check."""
        if self.needs and not (ROOT / self.needs).exists():
            return None
        if not self.files:
            return list(self.command)
        found = environment.tracked_files(*self.files)
        return [*self.command, *found] if found else None


def script(name: str, *arguments: str) -> tuple[str, ...]:
    """The command for one of the scripts beside this file."""
    return (PYTHON, "-m", f"tests.utils.{name}", *arguments)


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """The command for a module of this virtual environment."""
    return (PYTHON, "-m", name, *arguments)


DOCS_LINT = (
    *("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", "--validate-collection-refs=all"),
    *("--check-extra-docs-refs", "--disallow-unknown-collection-refs", "."),
)
MYPY_ROOMS = ("plugins", "tests")

# The long ones first: two run at a time, so that they do not come one after the other at the end.
GATES = (
    Gate("sanity", script("run_ansible_test", "sanity"), marks="ERROR: "),
    Gate("molecule", script("molecule_all"), needs="extensions/molecule"),
    Gate("importer", script("tarball", "importer"), marks="WARNING: |ERROR: "),
    Gate("ansible-lint", ("ansible-lint", "--offline", "--strict")),
    Gate("units", script("run_ansible_test", "units"), needs="tests/unit"),
    Gate(
        "mypy",
        module("mypy", "--config-file", ".mypy.ini", *(f".build/dev/{MYPY_PACKAGE}/{room}" for room in MYPY_ROOMS)),
        extra={"MYPYPATH": ".build/dev"},
    ),
    Gate("own gates", module("pytest", "-q", "tests/gates")),
    Gate("install", script("tarball", "install")),
    Gate("antsibull-docs", DOCS_LINT, cwd=f".build/tree/{MYPY_PACKAGE}"),
    Gate("antsibull-changelog", ("antsibull-changelog", "lint")),
    Gate("changelog.yaml", ("antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml")),
    Gate("ruff check", module("ruff", "check", "plugins", "tests")),
    Gate("ruff format", module("ruff", "format", "--check", "--output-format", "concise", "plugins", "tests")),
    Gate("codespell", ("codespell",), files=("*",)),
    Gate("yamllint", ("yamllint", "--strict"), files=("*.yml", "*.yaml", ".ansible-lint", ".yamllint")),
    Gate("shellcheck", ("shellcheck",), files=("*.sh", ".ci/run")),
    Gate("reuse", ("reuse", "lint", "--quiet")),
    Gate(
        "generated docs",
        script("generate_docs", "--lint"),
        needs="tests/utils/generate_docs.py",
        extra={"PYTHONPATH": ".build/dev"},
    ),
)


def run(gate: Gate) -> bool:
    """Run one gate, print its line (and the end of its log if it fails); whether it passed."""
    argv = gate.argv()
    if argv is None:
        print(f"  none  {gate.name}: nothing to check yet", flush=True)
        return True
    started = time.monotonic()
    with gate.log.open("w") as log:
        env = environment.clean() | gate.extra
        try:
            code = subprocess.run(
                argv,
                cwd=ROOT / gate.cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=LONGEST,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = 124
        except FileNotFoundError as exc:
            log.write(f"{exc}\n")
            code = 127
    seconds = time.monotonic() - started
    if code == 0:
        print(f"  ok    {gate.name} ({seconds:.1f} s)", flush=True)
    else:
        ended = f"exit {code} after {seconds:.1f} s; all of it: {gate.log.relative_to(ROOT)}"
        print(f"{excerpt(gate)}\n  FAIL  {gate.name} ({ended})", flush=True)
    return code == 0


def excerpt(gate: Gate) -> str:
    """What to show of a failed gate's log: the lines that it marks as errors, or else the end."""
    lines = gate.log.read_text(errors="replace").splitlines()
    marked = [line for line in lines if re.match(gate.marks, line)] if gate.marks else []
    return "\n".join((marked or lines)[-60:])


def main() -> int:
    """Run the gates asked for; 1 if any failed."""
    parser = argparse.ArgumentParser(description="Run the collection's gates.")
    parser.add_argument("names", nargs="*", help="words; only gates whose name contains one of them run")
    words = parser.parse_args().names
    gates = [gate for gate in GATES if not words or any(word in gate.name for word in words)]
    if not gates:
        parser.error(f"no gate is called so; there are: {', '.join(sorted(gate.name for gate in GATES))}")
    LOGS.mkdir(parents=True, exist_ok=True)
    with alone():
        return run_all(gates)


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other run of gates uses the copy of this tree."""
    with (LOGS / "lint.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another run of the gates in this clone", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_all(gates: list[Gate]) -> int:
    """Run these gates; 1 if any failed."""
    started = time.monotonic()
    environment.copy_tree()
    print(f"{len(gates)} gates", flush=True)
    with ThreadPoolExecutor(max_workers=max(2, min(4, os.cpu_count() or 2))) as pool:
        passed = list(pool.map(run, gates))
    failed = [gate.name for gate, good in zip(gates, passed, strict=True) if not good]
    verdict = f"failed: {', '.join(failed)}" if failed else "all passed"
    print(f"{len(gates)} gates in {time.monotonic() - started:.0f} s, {verdict}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
