# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""bmc_user and bmc_user_info on the simulator, beside ipmitool, FreeIPMI and pyghmi; nothing secret is left anywhere."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import RackProcess

from tests.integration.site import Site, names, rack, wait_for

NODES = 6
FACTORY = {"n01": "ADMIN", "n02": "root", "n03": "USERID", "n04": "ADMIN", "n05": "root", "n06": "USERID"}
GIVEN = "Integr8-secret"
LONG = "Integr8-secret-of-20"
Place = tuple[Site, RackProcess]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A rack whose first three BMCs have their maker's accounts yet."""
    site = Site(tmp_path)
    options = (
        "--factory-defaults",
        "n01,n02,n03",
        "--account",
        "ops:operator-1:operator",
        "--account",
        "off:x:disabled",
    )
    with rack(site, 41, NODES, *options) as running:
        yield site, running


def good(site: Site, called: str, check: bool = False, /, **arguments: Any) -> dict[str, Any]:
    """Run a module that has to succeed."""
    result = site.module(called, check, **{"nodes": ["rack1"], **arguments})
    assert not result.get("failed"), result
    return result


def tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    assert found, f"{name} is not installed: run make apt as root"
    return found


def bmc(running: RackProcess, node: str) -> list[str]:
    host, port = running.state()["nodes"][node]["bmc"].rsplit(":", 1)
    return [host, port]


def ipmitool(running: RackProcess, node: str, user: str, password: str, *arguments: str) -> tuple[int, str]:
    """Status and output of ipmitool."""
    host, port = bmc(running, node)
    log_in = ["-I", "lanplus", "-H", host, "-p", port, "-U", user, "-P", password]
    done = subprocess.run(
        [tool("ipmitool"), *log_in, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def free_power(running: RackProcess, node: str, user: str, password: str) -> str:
    """What FreeIPMI's ipmipower says."""
    host, port = bmc(running, node)
    flags = ["-D", "LAN_2_0", "-I", "17", "-l", "user", "-u", user, "-p", password, "-h", f"{host}:{port}", "--stat"]
    return subprocess.run([tool("ipmipower"), *flags], capture_output=True, text=True, check=False, timeout=60).stdout


def free_users(running: RackProcess, node: str, user: str, password: str) -> dict[str, str]:
    """User to level, as FreeIPMI's ipmi-config reads them."""
    host, port = bmc(running, node)
    flags = ["-D", "LAN_2_0", "-I", "17", "-l", "admin", "-u", user, "-p", password, "-h", f"{host}:{port}"]
    said = subprocess.run(
        [tool("ipmi-config"), *flags, "--category=core", "--checkout"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    ).stdout
    found = {}
    for section in said.split("EndSection"):
        name = re.search(r"^\s*Username\s+(\S+)", section, re.MULTILINE)
        level = re.search(r"^\s*Lan_Privilege_Limit\s+(\S+)", section, re.MULTILINE)
        if name and level and name[1] not in ("NULL", "##"):
            found[name[1]] = level[1].lower()
    return found


PYGHMI = """
import json, sys
from pyghmi.ipmi.command import Command
host, port, user, password = sys.argv[1:]
users = Command(host, user, password, port=int(port), privlevel=4).get_users()
print(json.dumps({each["name"]: each["access"]["privilege_level"] for each in users.values()}))
"""


def pyghmi_users(running: RackProcess, node: str, user: str, password: str) -> dict[str, str]:
    """User to level, as pyghmi reads them."""
    command = [sys.executable, "-c", PYGHMI, *bmc(running, node), user, password]
    found: dict[str, str] = json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    )
    return {name: level for name, level in found.items() if name}


def listed(running: RackProcess, node: str, user: str, password: str) -> dict[str, str]:
    """User to level, as ipmitool reads them."""
    status, said = ipmitool(running, node, user, password, "user", "list", "1")
    assert status == 0, said
    lines = (
        re.match(r"\d+\s+(\S+)\s+(?:true|false)\s+(?:true|false)\s+(?:true|false)\s+(.+?)\s*$", line)
        for line in said.splitlines()
    )
    return {line[1]: line[2].lower() for line in lines if line}


def attributes(site: Site) -> dict[str, tuple[str, str, str | None]]:
    """Node to bmc.user, bmc.password and bmc.password_next, as a script of the site reads them from the database."""
    script = (
        "import json; from contextlib import closing\n"
        "from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database\n"
        "from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring\n"
        "from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store\n"
        "with closing(open_database()) as database, database.read() as connection:\n"
        "    store = Store(connection, Keyring(), 'test'); views = store.views(store.expand('rack1'))\n"
        "    print(json.dumps({n: [v['bmc.user'], v['bmc.password'], v['bmc.password_next']] for n, v in views.items()}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=site.environment, capture_output=True, text=True, check=True
    )
    found: dict[str, tuple[str, str, str | None]] = {
        node: tuple(each) for node, each in json.loads(done.stdout).items()
    }
    return found


def secrets_of(site: Site) -> dict[str, tuple[str, str]]:
    """Node to bmc.user and bmc.password, when nothing is left over."""
    found = attributes(site)
    assert {following for _user, _password, following in found.values()} == {None}
    return {node: (user, password) for node, (user, password, _following) in found.items()}


def counters(running: RackProcess) -> dict[str, int]:
    """What all BMCs counted, together."""
    total: dict[str, int] = {}
    for node in running.state()["nodes"].values():
        for key, value in node["counters"].items():
            if isinstance(value, int):
                total[key] = total.get(key, 0) + value
    return total


def test_accounts_as_three_clients_list_them(place: Place) -> None:
    site, running = place
    found = good(site, "bmc_user_info")["nodes"]
    for node in ("n01", "n04"):
        ours = {each["name"]: each["level"] for each in found[node]["accounts"]}
        assert ours == listed(running, node, "admin", "secret")
        assert ours == free_users(running, node, "admin", "secret")
        assert ours == pyghmi_users(running, node, "admin", "secret")
    assert [each["enabled"] for each in found["n04"]["accounts"] if each["name"] in ("ops", "off")] == [True, False]


def test_factory_accounts_are_found_without_a_failed_log_in(place: Place) -> None:
    site, running = place
    before = counters(running)
    result = good(site, "bmc_user_info", factory_defaults=True)
    assert result["factory_range"] == "n[01-03]"
    assert {name: node["factory"] for name, node in result["nodes"].items()} == {
        name: [FACTORY[name]] if name < "n04" else [] for name in names(NODES)
    }
    after = counters(running)
    assert after["wrong_passwords"] == before["wrong_passwords"] == 0
    assert after["sessions_opened"] - before["sessions_opened"] == NODES, "one a node, with our own account"
    wait_for(lambda: counters(running)["sessions_half_open"] == 0, "log-ins that were given up are forgotten", 10)
    running.set_fault("n01", "wrong_password")
    shut = good(
        site,
        "bmc_user_info",
        nodes=["n01,n04"],
        factory_defaults=True,
        logins=[{"name": "ops", "password": "operator-1"}],
    )
    assert shut["nodes"]["n01"]["accounts"] is None
    assert "refuses the password of user 'admin'" in shut["nodes"]["n01"]["refused"]
    assert shut["nodes"]["n04"]["factory"] == ["ops"]
    assert counters(running)["wrong_passwords"] == 0


def test_passwords_are_rotated_and_others_agree(place: Place) -> None:
    site, running = place
    foretold = good(site, "bmc_user", True, generate=True)
    assert foretold["summary"]["changed"] == NODES
    assert ipmitool(running, "n01", "admin", "secret", "chassis", "power", "status")[0] == 0
    assert good(site, "bmc_user", generate=True)["summary"]["changed"] == NODES
    known = secrets_of(site)
    assert len(set(known.values())) == NODES
    for node in ("n01", "n02", "n03"):
        user, password = known[node]
        assert ipmitool(running, node, "admin", "secret", "chassis", "power", "status")[0] != 0
        assert ipmitool(running, node, user, password, "chassis", "power", "status")[0] == 0
        assert "Success" in ipmitool(running, node, user, password, "user", "test", "2", "16", password)[1]
        assert free_power(running, node, user, password).split()[-1] in ("on", "off")
        assert "invalid" in free_power(running, node, user, "secret")
    assert good(site, "power_info")["summary"]["failed"] == 0
    assert not good(site, "bmc_user")["changed"]


@pytest.mark.parametrize("password", [GIVEN, LONG])
def test_an_account_of_ours_in_place_of_the_makers(place: Place, password: str) -> None:
    site, running = place
    made = good(site, "bmc_user", nodes=["n[01-03]"], name="metal", password=password, store=True)
    assert made["summary"]["changed"] == 3
    assert not good(site, "bmc_user", nodes=["n[01-03]"], password=password)["changed"]
    size = "20" if len(password) > 16 else "16"
    assert "Success" in ipmitool(running, "n01", "metal", password, "user", "test", "6", size, password)[1]
    assert free_power(running, "n02", "metal", password).split()[-1] in ("on", "off")
    for node, user in list(FACTORY.items())[:3]:
        good(site, "bmc_user", nodes=[node], name=user, state="absent")
        assert user not in pyghmi_users(running, node, "metal", password)
        assert user not in listed(running, node, "metal", password)
    assert good(site, "bmc_user_info", factory_defaults=True)["factory_range"] == ""
    down = good(site, "bmc_user", nodes=["n01"], name="ops", level="user")
    assert down["nodes"]["n01"]["before"]["level"] == "operator"
    assert listed(running, "n01", "metal", password)["ops"] == "user"
    assert counters(running)["wrong_passwords"] == 0


@pytest.mark.parametrize("fault", ["lossy:10", "duplicate", "late:20", "busy:20", "garbage:5"])
def test_rotation_on_a_bad_day(place: Place, fault: str) -> None:
    site, running = place
    for node in names(NODES):
        running.set_fault(node, fault)
    rotated = site.module("bmc_user", nodes=["rack1"], generate=True)
    # a proof with a flipped bit in it is that of another password: no UDP checksum is in the way of this fault
    assert not rotated["failed"] or fault.startswith("garbage"), rotated
    for node in names(NODES):
        running.clear_fault(node)
    good(site, "bmc_user")
    for node, (user, password) in secrets_of(site).items():
        assert ipmitool(running, node, user, password, "chassis", "power", "status")[0] == 0
    assert counters(running)["wrong_passwords"] == 0


@pytest.mark.parametrize("taken", [0, 1, 4, NODES])
def test_killed_for_real(place: Place, taken: int) -> None:
    """ansible and all that it started are killed when so many BMCs have new passwords; the next run puts it right."""
    site, running = place
    for number, node in enumerate(names(NODES)):
        running.set_fault(node, f"slow:{0.02 + number / 50}")
    command = [str(Path(sys.executable).parent / "ansible"), "localhost", "-m", "stage0.metal.bmc_user"]
    command += ["-a", json.dumps({"nodes": ["rack1"], "generate": True})]
    task = subprocess.Popen(
        command, env=site.environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: counters(running)["log_ins"] > 0 and changed(running) >= taken, "the task has come so far", 60)
    for process in _family(task.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    task.wait(20)
    for node in names(NODES):
        running.clear_fault(node)
    found = {node: works(running, node, old, new) for node, (_user, old, new) in attributes(site).items()}
    assert sum(found.values()) == changed(running) >= taken
    good(site, "bmc_user")
    for node, (user, password) in secrets_of(site).items():
        assert works(running, node, "not this one", password), user
    assert counters(running)["wrong_passwords"] == 0


def works(running: RackProcess, node: str, old: str, new: str | None) -> bool:
    """Whether it is the new password that lets ipmitool in; just one of the two does."""
    either = [
        ipmitool(running, node, "admin", password, "chassis", "power", "status")[0] == 0
        for password in (old, new or old)
    ]
    assert sum(either) == 1, f"{node}: {sum(either)} of two passwords work"
    return either[1]


def changed(running: RackProcess) -> int:
    """How many BMCs were given a password."""
    nodes = running.state()["nodes"].values()
    return sum(bool(node["counters"]["commands"].get("set_user_password")) for node in nodes)


def test_nothing_secret_is_left_anywhere(place: Place) -> None:
    """The whole of ansible's output at its most talkative, its process lists, and every file of the site."""
    site, running = place
    for node in names(NODES):
        running.set_fault(node, "slow:0.02")
    ansible = [str(Path(sys.executable).parent / "ansible-playbook"), "-vvvv", "--diff", "play.yml"]
    task = {"stage0.metal.bmc_user": {"nodes": "rack1", "name": "metal", "password": "{{ secret }}", "store": True}}
    elsewhere = {**task, "vars": {"ansible_connection": "local"}, "environment": {"A": "1"}}
    rotate = {"stage0.metal.bmc_user": {"nodes": "rack1", "generate": True}}
    play = [
        {"hosts": "localhost", "gather_facts": False, "vars_files": ["vars.yml"], "tasks": [task, elsewhere, rotate]}
    ]
    (site.folder / "play.yml").write_text(json.dumps(play))
    (site.folder / "vars.yml").write_text(json.dumps({"secret": GIVEN}))
    seen = ""
    with (site.folder / "output").open("w") as output:
        playing = subprocess.Popen(
            ansible,
            env=site.environment,
            cwd=site.folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        while playing.poll() is None:
            seen += "".join(_command_lines())
            time.sleep(0.05)
    said = (site.folder / "output").read_text()
    assert playing.returncode == 0, said
    assert "bmc_user" in said
    assert "bmc_user" in seen, "the module ran in a process of its own once"
    (site.folder / "vars.yml").unlink()
    known = {GIVEN} | {password for _user, password in secrets_of(site).values()}
    assert len(known) == 1 + NODES
    files = [path.read_bytes() for path in site.folder.rglob("*") if path.is_file()]
    for secret in known:
        assert secret not in said
        assert secret not in seen
        assert not any(secret.encode() in content for content in files)


def _family(parent: int) -> list[int]:
    """A process and all that come from it: Ansible's workers leave its process group."""
    found = [parent]
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [process for child in task.read_text().split() for process in _family(int(child))]
    return found


def _command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_text(errors="replace")
        except OSError:
            continue
