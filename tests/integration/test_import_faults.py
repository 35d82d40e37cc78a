# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can go wrong with an import: it is killed, its file is garbage, its expressions are hostile. All or nothing, always."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._module.run import execute
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store
from ansible_collections.stage0.metal.plugins.module_utils._operations.exchange import node_import
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks import data
from tests.benchmarks.measure import environment
from tests.postgresql import Cluster

NODES = 1_500
POINTS = {"sqlite": 50, "postgresql": 12}
WATCHDOG = 300
"""Seconds after which something hangs: nothing here takes a tenth of that on a slow machine."""

KILLED = """
import json, os, signal, sys, time
from ansible_collections.stage0.metal.plugins.module_utils._module.run import execute
from ansible_collections.stage0.metal.plugins.module_utils._nodes import csvfile
from ansible_collections.stage0.metal.plugins.module_utils._operations.exchange import node_import
import psycopg, sqlalchemy

for line in sys.stdin:
    path, delay = json.loads(line)
    begun = time.perf_counter()
    child = os.fork()
    if not child:
        parameters = {"database": None, "path": path, "format": None, "state": "merged"}
        os._exit(bool(execute(node_import, parameters, check_mode=False, diff=False).get("failed")))
    if delay is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps([status, time.perf_counter() - begun]), flush=True)
"""
"""Imports in children of its own, whose modules are loaded already, and kills each after a while."""


class Killer:
    """A process that imports, and is killed while it does."""

    def __init__(self, env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", KILLED], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, path: Path, delay: float | None) -> tuple[int, float]:
        """Import ``path``, kill it ``delay`` seconds later; returns its exit status and how long it took."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([str(path), delay]) + "\n")
        self._process.stdin.flush()
        status, seconds = json.loads(self._process.stdout.readline())
        return int(status), float(seconds)

    def end(self) -> None:
        self._process.communicate(timeout=WATCHDOG)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.remove()


@pytest.fixture(params=list(POINTS))
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/metal.db"
    made: str = request.getfixturevalue("cluster").empty("imports")
    return made


def generation(path: Path, number: int) -> Path:
    """Write all nodes with ``number`` as an attribute, a group of that name, and an address that moves on."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "groups", "site.generation", "net.ip", "bmc.password"])
        for node in range(NODES):
            address = (node + number) % NODES
            place = f"10.1.{address // 250}.{address % 250}"
            writer.writerow([f"n{node:04d}", f"all-of-{number % 3};odd", str(number), place, f"secret-{number}-{node}"])
    return path


def state(url: str) -> tuple[set[Any], int, int]:
    """Return what generations, how many nodes and how many events there are; checks groups, secrets and addresses."""
    with closing(open_database(url)) as database, database.read() as connection:
        store = Store(connection, Keyring(), "test")
        records = store.records("node", store.node_names())
        for name, record in records.items():
            number = int(record.values["site.generation"])
            assert record.groups == (f"all-of-{number % 3}", "odd"), name
            assert store.keyring.decrypt(record.values["bmc.password"]) == f"secret-{number}-{int(name[1:])}"
        pairs = store.connection.execute(store.t.identities.select()).all()
        assert {(node, value) for _kind, value, node in pairs} == {
            (name, record.values["net.ip"]) for name, record in records.items()
        }
        events = len(
            store.connection.execute(store.t.events.select().where(store.t.events.c.what != "group added")).all()
        )
        return {record.values["site.generation"] for record in records.values()}, len(records), events


def test_an_import_that_is_killed_is_whole_or_is_not(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    kind = url.partition(":")[0]
    monkeypatch.setenv("STAGE0_HOME", str(tmp_path))
    monkeypatch.setenv("STAGE0_DATABASE", url)
    killer, chance = Killer(dict(os.environ)), random.Random(3)
    path = tmp_path / "nodes.csv"
    status, longest = killer.run(generation(path, 0), None)
    assert status == 0
    done, known, killed = 0, {"0"}, 0
    events = state(url)[2]
    for point in range(1, POINTS[kind] + 1):
        if point % 10 == 0:  # there is no database yet: making it is killed, too
            if kind == "sqlite":
                for file in tmp_path.glob("metal.db*"):
                    file.unlink()
            else:
                request.getfixturevalue("cluster").empty("imports")
            known, events = set(), 0
        status, _seconds = killer.run(generation(path, point), chance.uniform(0, longest))
        assert status in (0, -signal.SIGKILL)
        killed += status != 0
        found, count, told = state(url)
        assert found in (known, {str(point)})
        assert status != 0 or found == {str(point)}
        assert count == (NODES if found else 0)
        assert told == events + (NODES if found != known else 0), "events and what happened differ"
        done, known, events = done + (found != known), found, told
    assert killed >= POINTS[kind] // 4, "it was always done before it was killed: nothing is shown"
    assert killer.run(generation(path, 999), None)[0] == 0
    assert state(url)[0] == {"999"}
    killer.end()


# -- garbage -----------------------------------------------------------------------------------------------------------

COLUMNS = {
    "name": "n1",
    "groups": "a;b",
    "bmc.address": "10.2.0.1",
    "bmc.port": "623",
    "bmc.password": "pass{word}",
    "net.mac": "52:54:00:00:00:01",
    "net.ip": "10.1.0.1",
    "net.netmask": "24",
    "net.dns": "10.0.0.1;10.0.0.2",
    "net.hostname": "web-1",
    "system.uuid": "11112222-3333-4444-5555-666600000001",
    "deploy.lock": "auto",
    "deploy.root_password_hash": "$6$saltsalt$" + "a" * 86,
    "location.u": "{n1 % 42}",
    "site.a": "free",
    "site.b": "{site.a}-{node}",
    "custom.x": "{{braces}}",
    "site.c": "é ü 漢",
    "site.d": "{location.u:02d}",
    "custom.y": "-1",
}
NASTY = [
    *(
        "",
        " ",
        "{null}",
        "[]",
        "{",
        "}",
        "{}",
        "{{",
        "{x",
        "{n9}",
        "{node.__class__}",
        "{site.b}{site.b}",
        "{9999999999*9999999999}",
    ),
    *(
        "{bmc.password}",
        "{site.d}",
        "{custom.x}",
        "{site.zz}",
        "{n1:999999}",
        "group:a",
        "group:",
        "all",
        "n1",
        "n2",
        "N1",
        "a;;b;",
    ),
    *(
        "\x00",
        "\x1b[31m",
        "\u2028",
        "\ufeff",
        "\ud7ff",
        "\U0010ffff",
        "\t",
        "\x85",
        "a\nb",
        "a\r\nb",
        '"',
        '""',
        "'",
        ",",
        ";",
        "\\",
    ),
    *(
        "10.1.0.1",
        "::1",
        "256.1.1.1",
        "1e9",
        "-0",
        "0x10",
        "9" * 400,
        "x" * 5000,
        "=cmd()",
        "../../etc/passwd",
        "!!python/name:os.system",
    ),
    *(
        "fernet:",
        "fernet:AAAA",
        "$6$x",
        "52:54:00:00:00:01",
        "{{ lookup('pipe', 'id') }}",
        "true",
        "null",
        "~",
        "None",
        "NaN",
    ),
]
ROWS = 40


def garbage(chance: random.Random) -> str:
    """Return a CSV file of about 800 cells, most of them right, the others whatever there is."""
    columns = chance.sample(list(COLUMNS), chance.randint(1, len(COLUMNS)))
    wild = chance.choice([0.0, 0.001, 0.01, 0.5])
    lines = [columns] if chance.random() < 0.97 else [[*columns, chance.choice(NASTY)]]
    for row in range(ROWS):
        cells = [_cell(name, row, chance, wild) for name in columns]
        lines.append(cells if chance.random() < 0.995 else [*cells[: chance.randint(0, len(cells))], "", ""])
    if chance.random() < 0.8:
        return "\n".join(",".join(_quoted(cell, chance) for cell in line) for line in lines)
    return "\n".join(",".join(line) for line in lines)


def _cell(column: str, row: int, chance: random.Random, wild: float) -> str:
    if chance.random() < wild:
        if chance.random() < 0.5:
            return chance.choice(NASTY)
        return "".join(
            chr(chance.choice([chance.randrange(128), chance.randrange(0xD800)]))
            for _number in range(chance.randrange(9))
        )
    own = {"name": f"n{row}", "net.mac": f"52:54:00:00:01:{row:02x}", "net.ip": f"10.1.1.{row}"}
    own["system.uuid"] = f"11112222-3333-4444-5555-6666000001{row:02x}"
    return own.get(column, COLUMNS[column])


def _quoted(cell: str, chance: random.Random) -> str:
    return '"' + cell.replace('"', '""') + '"' if chance.random() < 0.9 or set(cell) & set(',"\r\n') else cell


@given(st.integers(0, 2**64))
def test_garbage_is_refused_with_a_sentence_or_is_no_garbage(seed: int) -> None:
    """60 files of 800 cells are about 50,000; ``make fuzz`` reads 4,000 of them, three million cells."""
    with tempfile.TemporaryDirectory(prefix="stage0-fuzz-") as folder:
        path = Path(folder) / "garbage.csv"
        path.write_text(garbage(random.Random(seed)), encoding="utf-8", errors="surrogatepass", newline="")
        url = f"sqlite:///{folder}/metal.db"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STAGE0_HOME", folder)
            parameters = {"database": url, "path": str(path), "format": None, "state": "merged"}
            result = execute(node_import, parameters, check_mode=False, diff=True)
            if not result.get("failed"):
                again = execute(node_import, parameters, check_mode=False, diff=True)
                assert again["changed"] is False
                return
            assert result["msg"].isprintable(), result["msg"]
            assert "garbage.csv" in result["msg"]
            assert len(result["msg"]) < 10_000
            assert "pass{word}" not in result["msg"]
            with closing(open_database(url)) as database, database.read() as connection:
                store = Store(connection, Keyring(), "test")
                assert (store.node_names(), store.group_names()) == ([], [])
                assert store.connection.execute(store.t.events.select()).all() == []


@pytest.mark.hypothesis
def test_one_wrong_cell_behind_very_many(tmp_path: Path) -> None:
    """A million cells with ``make fuzz``, else 50,000: fuzzed text that is right, and in the last line one that is not."""
    cells = 1_000_000 if settings().max_examples > 1_000 else 50_000
    chance, path = random.Random(7), tmp_path / "many.csv"
    columns = [f"site.c{number}" for number in range(19)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", *columns])
        for row in range(cells // 20):
            writer.writerow([f"n{row}", *(_fuzzed(chance) for _name in columns)])
        writer.writerow(["last", "{n1}"])
    used, _inside, said = data.module(sys.executable, tmp_path, "node_import", {"path": str(path)})
    result = json.loads(said)
    assert result["failed"] is True
    assert (
        result["msg"]
        == f"{path}: line {cells // 20 + 2} (last): site.c0 '{{n1}}': needs n1, but the name last has no number"
    )
    assert used.memory < 200 + cells / 1000 * 1.5
    _whole, _inside, said = data.module(sys.executable, tmp_path, "node_info", {})
    assert json.loads(said)["nodes"] == {}


def _fuzzed(chance: random.Random) -> str:
    return "".join(
        chr(chance.choice([chance.randrange(33, 123), chance.randrange(0xC0, 0x2000)]))
        for _number in range(chance.randrange(12))
    )


# -- hostile expressions ------------------------------------------------------------------------------------------------

HOSTILE = [
    "{__class__}",
    "{node.__class__}",
    "{node.__class__.__mro__[1].__subclasses__()}",
    "{().__class__}",
    "{__import__('os').system('id')}",
    "{lookup('pipe', 'id')}",
    "{self}",
    "{9**9**9**9}",
    "{999999999999999999 * 999999999999999999}",
    "{" + "*".join(["999999999"] * 200) + "}",
    "{" + "(" * 400 + "1" + ")" * 400 + "}",
    "{" + "-" * 900 + "1}",
    "{n1" + "+n1" * 300 + "}",
    "{n1:999999999}",
    "{n1:0999999999999d}",
    "{n1:{n1}}",
    "{n1!r}",
    "{node:>99999}",
    "{n1 // 0}",
    "{n1 % (n1 - n1)}",
    "{n1 << 99}",
    "{1e99}",
    "{n99999999999999999999}",
    "{n1 if n1 else 2}",
    "{[n1][0]}",
    "{'a' * 999999999}",
    "{bmc.password}",
    "{deploy.root_password_hash}",
    "{site.nothing}",
    "{site.x}",
    "{n1",
    "n1}",
    "{}",
    "{{n1}",
    "{n\u0661}",
    "{n1}" * 300,
    "x" * 5000 + "{n1}",
    "{n1}\x00x",
    "{n1}\u2028x",
]


def in_process(home: Path, tasks: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Run modules one after another in a process that a watchdog ends; returns their results."""
    script = (
        "import json, sys\n"
        "from ansible_collections.stage0.metal.tests.unit.support import run_module\n"
        "for name, arguments in json.load(sys.stdin): print(json.dumps(run_module(name, **arguments)), flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(home),
        input=json.dumps(tasks),
        capture_output=True,
        text=True,
        check=False,
        timeout=WATCHDOG,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def refusals(results: list[dict[str, Any]]) -> list[str]:
    """Return the sentences with which all of them were refused."""
    for result in results:
        assert result.get("failed"), result
        assert result["msg"].isprintable(), result["msg"]
        assert len(result["msg"]) < 10_000
    return [result["msg"] for result in results]


def test_hostile_expressions_are_refused_everywhere(tmp_path: Path) -> None:
    first = [
        (
            "node",
            {
                "name": "n1",
                "groups": ["g"],
                "attributes": {"site.kept": "{n1}"},
                "secrets": {"bmc.password": "hidden-1"},
            },
        ),
        ("group", {"name": "g", "attributes": {"site.kept": "of g"}}),
    ]
    tasks: list[tuple[str, dict[str, Any]]] = []
    for number, text in enumerate(HOSTILE):
        path = tmp_path / f"{number}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["name", "site.x"], ["n7", "fine"], ["n1", text]])
        tasks += [
            ("node", {"name": ["n[1-3]"], "attributes": {"site.x": text}}),
            ("group", {"name": "g", "attributes": {"site.x": text}}),
            ("node_import", {"path": str(path)}),
        ]
    results = in_process(tmp_path, [*first, *tasks, ("node_info", {"show": ["own", "values"]})])
    said = refusals(results[2:-1])
    assert all("site.x" in one for one in said)
    assert not any("hidden-1" in one for one in said)
    (name, body), *others = results[-1]["nodes"].items()
    assert (name, others) == ("n1", [])
    assert body["own"] == {"bmc.password": "********", "site.kept": "{n1}"}
    assert body["values"]["site.kept"] == "1"


def chain(length: int) -> dict[str, str]:
    """Return attributes of which each refers to the next, and the last to none."""
    return {f"site.a{number}": f"{{site.a{number + 1}}}" for number in range(length)} | {f"site.a{length}": "end"}


def test_expressions_that_refer_to_each_other(tmp_path: Path) -> None:
    doubling = {f"site.a{number}": f"{{site.a{number + 1}}}" * 2 for number in range(40)} | {"site.a40": "0123456789"}
    bombs: list[tuple[str, dict[str, Any]]] = [
        ("node", {"name": "n1", "attributes": {"site.a": "{site.b}", "site.b": "{site.a}"}}),
        ("node", {"name": "n1", "attributes": {"site.a": "{site.a}"}}),
        ("node", {"name": "n1", "attributes": {**chain(400), "site.a400": "{site.a0}"}}),
        ("node", {"name": "n1", "attributes": chain(900)}),
        ("node", {"name": "n1", "attributes": doubling}),
        ("group", {"name": "h", "attributes": {"site.q": "{site.p}"}}),
    ]
    first = [
        ("group", {"name": "g", "attributes": {"site.r": "{site.q}"}}),
        ("group", {"name": "h", "attributes": {"site.q": "end"}}),
        ("node", {"name": "n1", "groups": ["g", "h"], "attributes": {"site.p": "{site.q}"}}),
    ]
    results = in_process(tmp_path, [*first, *bombs, ("node_info", {"show": ["values"]})])
    said = refusals(results[3:-1])
    assert said[0] == "n1: expressions refer to each other in a circle: site.a -> site.b -> site.a"
    assert "in a circle: site.a -> site.a" in said[1]
    assert "more than 50 expressions refer to each other in a row" in said[2]
    assert "more than 50 expressions refer to each other in a row" in said[3]
    assert "characters; 1000 is the most" in said[4]
    assert "in a circle: site.p -> site.q -> site.p" in said[5]
    values = results[-1]["nodes"]["n1"]["values"]
    assert {key: value for key, value in values.items() if key.startswith("site.")} == dict.fromkeys(
        ["site.p", "site.q", "site.r"], "end"
    )


def test_a_chain_over_groups_is_a_circle_for_the_node_that_closes_it(tmp_path: Path) -> None:
    results = in_process(
        tmp_path,
        [
            ("group", {"name": "g", "attributes": {"site.r": "{site.q}"}}),
            ("group", {"name": "h", "attributes": {"site.q": "{site.r}"}}),
            ("node", {"name": "n1", "groups": ["g"], "attributes": {"site.q": "own"}}),
            ("node", {"name": "n1", "groups": ["g", "h"]}),
            ("node", {"name": "n1", "unset": ["site.q"]}),
            ("node", {"name": "n2", "groups": ["h", "g"]}),
            ("node_info", {"show": ["own"]}),
        ],
    )
    assert [bool(result.get("failed")) for result in results] == [False, False, False, False, True, True, False]
    assert all("expressions refer to each other in a circle: site." in result["msg"] for result in results[4:6])
    assert {name: body["own"] for name, body in results[-1]["nodes"].items()} == {"n1": {"site.q": "own"}}
