# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole Ansible task: stage0.metal.power_info over a node database, beside community.general.ipmi_power.

Measured are whole processes, ``ansible-playbook`` with its start. community.general has a task for each host; 50 forks
do 200 hosts. It comes with the PyPI package ``ansible``, which is installed into ``.build/`` for this benchmark only.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from . import data
from .farm import Farm, addresses
from .measure import ROOT, Runs, Size, Usage, check, child, environment, table, verdict

PEER_HOME = ROOT / ".build" / "bench-peer"
PEER_LOG = ROOT / ".build" / "log" / "bench-peer.log"
PEER_HOSTS, FORKS = 200, 50
LONGEST_INSTALL = 900
SECONDS = {10_000: 6.0, 100: 1.5}
PEER = "community.general.ipmi_power"
OURS = """
- hosts: localhost
  gather_facts: false
  tasks:
    - stage0.metal.power_info:
        nodes: first{count}
      register: found
      failed_when: found.nodes | length != {count}
"""
THEIRS = """
- hosts: all
  gather_facts: false
  tasks:
    - community.general.ipmi_power:
        name: "{{ inventory_hostname }}"
        user: admin
        password: secret
        state: "on"
"""


def task(size: Size) -> str:
    """Return the figures for 10,000 nodes and less, and those of the peer for 200."""
    counts = (20,) if size.quick else (10_000, PEER_HOSTS, 100)
    runs = Runs()
    with tempfile.TemporaryDirectory(prefix="stage0-bench-") as name, Farm(max(counts), "--max-sessions", "16") as farm:
        folder = Path(name)
        _import(folder, counts)
        ways = {str(count): _ours(farm, folder, count) for count in counts}
        missing = "not in a slice" if size.quick else _install()
        if not missing:
            ways[PEER] = _theirs(farm, folder)
        for _round in range(size.rounds):
            for way, run in ways.items():
                farm.control("reset")
                runs.add(way, run())
    return _report(counts, size, runs, missing)


def _import(folder: Path, counts: tuple[int, ...]) -> None:
    """Make the database: the nodes with their BMCs, in a group for each number of nodes."""
    path = folder / "nodes.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "groups", "bmc.address", "bmc.user", "bmc.password"])
        for number, (name, address) in enumerate(zip(data.names(max(counts)), addresses(max(counts)), strict=True)):
            groups = ";".join(f"first{count}" for count in counts if number < count)
            writer.writerow([name, groups, address, "admin", "secret"])
    data.module(sys.executable, folder, "node_import", {"path": str(path)})


def _ours(farm: Farm, folder: Path, count: int) -> Callable[[], Usage]:
    play = folder / f"ours{count}.yml"
    play.write_text(OURS.format(count=count), encoding="utf-8")
    program = str(Path(sys.executable).parent / "ansible-playbook")
    hosts = f"localhost ansible_connection=local ansible_python_interpreter={sys.executable}\n"
    (folder / "localhost").write_text(hosts, encoding="utf-8")
    command = farm.inside([program, "-i", str(folder / "localhost"), str(play)])

    def run() -> Usage:
        usage = child(command, environment(folder), folder / "ours.txt")
        _check_logins(farm, count)
        return usage

    return run


def _theirs(farm: Farm, folder: Path) -> Callable[[], Usage]:
    play, hosts = folder / "theirs.yml", folder / "hosts"
    play.write_text(THEIRS, encoding="utf-8")
    own = f"ansible_connection=local ansible_python_interpreter={PEER_HOME}/bin/python"
    hosts.write_text("".join(f"{address} {own}\n" for address in addresses(PEER_HOSTS)), encoding="utf-8")
    program = str(PEER_HOME / "bin" / "ansible-playbook")
    command = farm.inside([program, "-f", str(FORKS), "-i", str(hosts), str(play)])
    plain = environment(folder)
    for name in ("PYTHONPATH", "ANSIBLE_COLLECTIONS_PATH"):
        del plain[name]

    def run() -> Usage:
        usage = child(command, plain, folder / "theirs.txt")
        _check_logins(farm, PEER_HOSTS)
        return usage

    return run


def _check_logins(farm: Farm, count: int) -> None:
    logins = farm.summary()["logins"]
    check(logins == count, f"{logins} log-ins at {count} BMCs")


def _install() -> str:
    """Install the peer once, its output into a file; return why that cannot be, or nothing."""
    if (PEER_HOME / "installed").exists():
        return ""
    PEER_LOG.parent.mkdir(parents=True, exist_ok=True)
    wanted = ["ansible", f"ansible-core=={version('ansible-core')}", "pyghmi"]
    install = [str(PEER_HOME / "bin" / "python"), "-m", "pip", "install", "-q", *wanted]
    try:
        with PEER_LOG.open("w", encoding="utf-8") as log:
            for command in ([sys.executable, "-m", "venv", str(PEER_HOME)], install):
                subprocess.run(command, stdout=log, stderr=log, timeout=LONGEST_INSTALL, check=True)
    except (OSError, subprocess.SubprocessError) as exc:
        return f"its package could not be installed ({type(exc).__name__}; see {PEER_LOG.relative_to(ROOT)})"
    (PEER_HOME / "installed").touch()
    return ""


def _report(counts: tuple[int, ...], size: Size, runs: Runs, missing: str) -> str:
    rows = []
    each = {}
    for way in runs.of:
        one = runs.median(way)
        count = PEER_HOSTS if way == PEER else int(way)
        each[way] = one.cpu / count
        name = f"{PEER}, {count} hosts, {FORKS} forks" if way == PEER else f"power_info, {count} nodes"
        rows.append((name, one, f"{1000 * each[way]:7.2f} ms CPU a BMC"))
    lines = [f"ansible-playbook, power status out of a node database; median of {size.rounds}:", *table(rows)]
    for count, most in SECONDS.items():
        if count in counts:
            lines.append(verdict(f"the whole task, {count} nodes", runs.median(str(count)).wall, most, " s"))
    if missing:
        lines.append(f"  {PEER} was not measured: {missing}")
        return "\n".join(lines)
    for count in (max(counts), PEER_HOSTS):
        lines.append(
            f"  CPU a BMC at {count} nodes: 1/{each[PEER] / each[str(count)]:.0f} of {PEER}, {PEER_HOSTS} hosts"
        )
        lines.append(verdict(f"300 times the CPU a BMC, at {count} nodes", 300 * each[str(count)] / each[PEER], 1))
    return "\n".join(lines)
