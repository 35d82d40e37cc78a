# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The hub as a process and a service: settings, requests side by side, the sweep, bad HTTP, a database that is locked."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._deploy.deployments import Deployments
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.plugin_utils._hub import __main__ as program
from ansible_collections.stage0.metal.plugins.plugin_utils._hub.settings import parse
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.hub.console import MAC, Client, with_hub
from ansible_collections.stage0.metal.tests.unit.support import make_profile, make_rack, ok, store


@pytest.fixture
def armed(tmp_path: Path) -> None:
    make_rack(2)
    make_profile(tmp_path / "media")
    ok("arm", nodes=["rack1"], profile="lab")


@pytest.mark.sqlite
def test_requests_that_wait_for_the_database_hold_up_no_others(armed: None) -> None:
    async def scenario(hub: Client) -> None:
        other = ExitStack()
        other.enter_context(store())  # somebody writes, and takes his time
        waiting = [asyncio.create_task(hub.ask(f"/boot?mac={MAC}")) for _number in range(12)]
        for path in ("/healthz", "/api/nodes", "/media/lab/vmlinuz"):
            assert (await asyncio.wait_for(hub.ask(path), 20))[0] == 200
        assert not any(task.done() for task in waiting)
        other.close()
        answers = await asyncio.gather(*waiting)
        assert {status for status, _text in answers} == {200}
        assert sum("/deploy/r1n01/" in text for _status, text in answers) == 3  # and then it is given up

    with_hub(scenario)


def test_many_machines_at_once(armed: None) -> None:
    async def scenario(hub: Client) -> None:
        macs = [MAC, "52:54:00:01:00:02"] + [f"02:00:00:00:00:{number:02x}" for number in range(30)]
        answers = await asyncio.gather(*(hub.ask(f"/boot?mac={mac}") for mac in macs))
        assert [status for status, _text in answers] == [200] * len(macs)
        assert sum("/deploy/" in text for _status, text in answers) == 2

    with_hub(scenario)


def test_bad_http_gets_an_answer_and_hurts_nobody(armed: None) -> None:
    async def scenario(hub: Client) -> None:
        for request in (
            b"nonsense\r\n\r\n",
            b"GET /boot HTTP/9.9\r\n\r\n",
            b"GET " + b"/" * 20_000 + b" HTTP/1.1\r\n\r\n",
        ):
            assert b" 400 " in (await hub.raw(request)).split(b"\r\n")[0]
        await hub.raw(b"\x16\x03\x01\x00")
        await hub.raw(b"")
        assert (await hub.ask("/healthz"))[0] == 200

    with_hub(scenario)


def test_the_sweep_goes_on_by_itself_whatever_happens(
    armed: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with store() as opened:
        deployments = Deployments(opened)
        deployments.update(deployments.latest(["r1n01"])["r1n01"], deadline=1.0)

    async def scenario(hub: Client) -> None:
        real, failures = hub.service.sweep, [MetalError(ErrorCode.DATABASE, "locked"), KeyError("defect")]
        swept = asyncio.Event()

        async def sweep() -> list[str]:
            if failures:
                raise failures.pop(0)
            found = await real()
            swept.set()
            return found

        monkeypatch.setattr(hub.service, "sweep", sweep)
        await asyncio.wait_for(swept.wait(), 20)

    with_hub(scenario, sweep_seconds=0.01)
    assert ok("deployment_info", nodes=["r1n01"])["nodes"]["r1n01"]["state"] == "expired"
    assert "looking for overdue deployments: locked" in caplog.text
    assert "r1n01: its deployment is overdue" in caplog.text


# -- settings and the program --------------------------------------------------------------------------------------


def test_settings_from_the_command_line_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BIND", "PORT", "URL"):
        monkeypatch.delenv(f"STAGE0_HUB_{name}", raising=False)
    given = parse([])
    assert (given.bind, given.port, given.url) == ("127.0.0.1", 8480, "http://127.0.0.1:8480")
    monkeypatch.setenv("STAGE0_HUB_BIND", "10.1.0.1")
    monkeypatch.setenv("STAGE0_HUB_PORT", "80")
    assert parse([]).url == "http://10.1.0.1:80"
    assert parse(["--url", "http://hub.example/stage0/"]).url == "http://hub.example/stage0"
    monkeypatch.setenv("STAGE0_HUB_URL", "http://other")
    assert parse(["--port", "81"]).url == "http://other"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--url", "https://hub"], "--url 'https://hub' is not an http:// URL; boot loaders speak no HTTPS"),
        (["--url", "hub:80"], "--url 'hub:80' is not an http:// URL"),
        (["--url", "http://hub/?x=1"], "--url 'http://hub/?x=1' is not an http:// URL"),
        (["--url", "http://hub:99999"], "--url 'http://hub:99999' is not an http:// URL"),
        (["--url", "http://hub/a b"], "--url 'http://hub/a b' is not an http:// URL"),
        (["--port", "70000"], "--port 70000 is not a port; write a number from 1 to 65535"),
        (["--port", "x"], "argument --port: invalid int value: 'x'"),
        (["--sweep-seconds", "0"], "--sweep-seconds 0.0 is not a number of seconds above 0"),
    ],
)
def test_wrong_settings(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2
    assert says in capsys.readouterr().err


def test_the_program_says_why_it_cannot_run(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["stage0-hub", "--database", "mysql://x"])
    assert program.main() == 1
    assert "the hub cannot run: a database URL of kind 'mysql' is not supported" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["stage0-hub", "--bind", "192.0.2.1"])
    assert program.main() == 1
    assert "the hub cannot run: " in capsys.readouterr().err


def test_the_program_serves_until_it_is_told_to_stop(armed: None) -> None:
    async def scenario() -> None:
        command = [sys.executable, "-m", program.__name__.removesuffix(".__main__"), "--port", "0"]
        command += ["--url", "http://hub.invalid"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        hub = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            assert hub.stdout
            line = (await asyncio.wait_for(hub.stdout.readline(), 60)).decode()
            assert line.startswith("the hub listens on 127.0.0.1 port ")
            hub.send_signal(signal.SIGTERM)
            _out, errors = await asyncio.wait_for(hub.communicate(), 60)
        finally:
            if hub.returncode is None:
                hub.kill()
                await hub.wait()
        assert (hub.returncode, errors) == (0, b"")

    asyncio.run(scenario())
    assert json.dumps(ok("deployment_info", nodes=["all"])["states"]) == '{"armed": 2}'
