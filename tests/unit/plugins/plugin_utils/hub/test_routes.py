# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The hub's routes: status codes, bodies, and what is written down of refusals."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._deploy.deployments import Deployments
from ansible_collections.stage0.metal.plugins.module_utils._deploy.requests import MAX_MESSAGE
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.hub.console import Client, with_hub
from ansible_collections.stage0.metal.tests.unit.support import LAB_ANSWER, events, make_profile, make_rack, ok, store

LOCAL = "sanboot --no-describe --drive 0x80 || exit 1\n"


@pytest.fixture(autouse=True)
def armed(tmp_path: Path) -> None:
    """Two nodes, both armed."""
    make_rack(2)
    make_profile(tmp_path / "media", answer=LAB_ANSWER + "# {{ node.location.rack }}\n")
    ok("group", name="rack1", attributes={"location.rack": "1"})
    ok("arm", nodes=["rack1"], profile="lab")


def info(node: str = "r1n01") -> Any:
    return ok("deployment_info", nodes=[node], timeline=True)["nodes"][node]


def state(node: str = "r1n01") -> str:
    return str(info(node)["state"])


def test_health() -> None:
    async def scenario(hub: Client) -> None:
        status, body = await hub.ask("/healthz")
        assert (status, json.loads(body)) == (200, {"status": "ok", "url": "http://10.1.0.1:8480"})

    with_hub(scenario)


def test_boot_answer_and_reports() -> None:
    async def scenario(hub: Client) -> None:
        token = await hub.boot()
        mine = f"/deploy/r1n01/{token}"
        status, text = await hub.ask(f"{mine}/answer")
        assert status == 200
        assert text.startswith("hostname r1n01\n")
        assert f"report http://10.1.0.1:8480{mine}/report\n" in text
        assert await hub.ask(f"{mine}/report?state=installing&percent=40") == (200, "accepted\n")
        form = {"state": "installing", "percent": "55", "message": "half way"}
        assert await hub.ask(f"{mine}/report", "POST", form) == (200, "accepted\n")
        assert (info()["percent"], info()["message"]) == (55, "half way")
        assert await hub.ask(f"{mine}/report?state=installed", "POST") == (200, "accepted\n")
        assert await hub.ask(f"{mine}/report?state=installed") == (200, "ignored\n")
        assert await hub.ask(f"{mine}/report?state=ready") == (200, "accepted\n")
        status, text = await hub.ask("/boot?mac=52-54-00-01-00-01")
        assert (status, text.endswith(LOCAL)) == (200, True)

    with_hub(scenario)
    assert state() == "ready"
    assert state("r1n02") == "armed"


@pytest.mark.parametrize(
    "query", ["", "?mac=", "?mac=02:00:00:00:00:09", "?mac=%00%ff", "?uuid=x&mac[]=1", "?" + "a" * 4000]
)
def test_an_unknown_machine_gets_the_way_to_its_disk(query: str) -> None:
    async def scenario(hub: Client) -> None:
        status, text = await hub.ask(f"/boot{query}")
        assert (status, text.startswith("#!ipxe\n"), text.endswith(LOCAL)) == (200, True, True)

    with_hub(scenario)


def test_refusals_are_answered_and_recorded() -> None:
    async def scenario(hub: Client) -> None:
        token, other = await hub.boot(), await hub.boot("52:54:00:01:00:02")
        stranger = (403, "a token that is not this node's was shown for report\n")
        assert await hub.ask(f"/deploy/r1n01/{other}/report?state=ready") == stranger
        assert await hub.ask(f"/deploy/nobody/{other}/report?state=ready") == stranger
        assert (await hub.ask(f"/deploy/r1n01/{'0' * 43}/answer"))[0] == 403
        assert (await hub.ask(f"/deploy/r1n01/{'0' * 43}/boot.cfg"))[0] == 403
        ok("arm", nodes=["r1n01"], state="disarmed")
        over = (410, "deployment 1 is cancelled; this token is no longer good for report\n")
        assert await hub.ask(f"/deploy/r1n01/{token}/report?state=installed") == over
        assert (await hub.ask(f"/deploy/r1n01/{token}/answer"))[0] == 410

    with_hub(scenario)
    told = [entry["detail"] for entry in info()["timeline"] if entry["stage"] == "refused"]
    assert len(told) == 5
    recorded = [(event["subject"], event["who"]) for event in events() if event["what"] == "token refused"]
    assert recorded == [("r1n01", "hub")] * 3, "strangers' names fill no table"


def test_an_expired_token_and_a_report_that_comes_too_late() -> None:
    async def scenario(hub: Client) -> None:
        token = await hub.boot()
        with store() as opened:
            deployments = Deployments(opened)
            deployments.update(deployments.latest(["r1n01"])["r1n01"], deadline=1.0)
        assert await hub.service.sweep() == ["r1n01"]
        assert await hub.service.sweep() == []
        late = (410, "deployment 1 is failed; this token is no longer good for report\n")
        assert await hub.ask(f"/deploy/r1n01/{token}/report?state=installing") == late

    with_hub(scenario)
    assert state() == "failed"


BAD = [
    ("", "the report's state is missing or unknown"),
    ("?state=", "the report's state is missing or unknown"),
    ("?state=sleeping", "the report's state is missing or unknown"),
    ("?state=armed", "a node cannot report armed; it can report failed, installed, installing, ready"),
    ("?state=installing&percent=101", "the report's percent is not a whole number from 0 to 100"),
    ("?state=installing&percent=-1", "the report's percent is not a whole number from 0 to 100"),
    ("?state=installing&percent=1.5", "the report's percent is not a whole number from 0 to 100"),
    ("?state=installing&percent=", "the report's percent is not a whole number from 0 to 100"),
    ("?state=installing&percent=%D9%A3", "the report's percent is not a whole number from 0 to 100"),
    ("?state=installing&percent=" + "9" * 6000, "the report's percent is not a whole number from 0 to 100"),
]


def test_bad_reports_are_refused() -> None:
    async def scenario(hub: Client) -> None:
        token = await hub.boot()
        for query, says in BAD:
            assert await hub.ask(f"/deploy/r1n01/{token}/report{query}") == (400, f"{says}\n"), query

    with_hub(scenario)
    assert state() == "booting"


def test_messages_are_cleaned_and_cut() -> None:
    async def scenario(hub: Client) -> None:
        mine = f"/deploy/r1n01/{await hub.boot()}/report?state=installing&message="
        assert (await hub.ask(f"{mine}a%0Ab%00c%1b[31m%FF"))[0] == 200
        message = info()["message"]
        assert message.startswith("a b c [31m")
        assert message.isprintable()
        assert (await hub.ask(f"{mine}{'x' * 5000}"))[0] == 200
        assert info()["message"] == "x" * MAX_MESSAGE

    with_hub(scenario)


def test_bodies_that_no_report_has() -> None:
    async def scenario(hub: Client) -> None:
        path = f"/deploy/r1n01/{await hub.boot()}/report"
        form = "application/x-www-form-urlencoded"
        assert (await hub.ask(path, "POST", b"message=" + b"x" * 100_000, Content_Type=form))[0] == 413
        for kind in ("multipart/form-data", "multipart/form-data; boundary=x", "application/json", form, "x; y=\xe9"):
            for body in (b"\xff\xfe\x00", b'{"state": "ready"}', b"--x\r\nnonsense\r\n", b""):
                status, text = await hub.ask(path, "POST", body, Content_Type=kind)
                assert (status, text) == (400, text), (kind, body)
        assert (await hub.ask("/healthz"))[0] == 200

    with_hub(scenario)
    assert state() == "booting"


UNKNOWN = [
    ("/", "GET", 404),
    ("/boot/", "GET", 404),
    ("/deploy/r1n01", "GET", 404),
    ("/deploy/r1n01/short/other", "GET", 404),
    ("/deploy/R1N01/x/answer", "GET", 404),
    ("/deploy/r1n01/x%2Fy/answer", "GET", 404),
    (f"/deploy/r1n01/{'x' * 129}/answer", "GET", 404),
    ("/boot", "POST", 405),
    ("/healthz", "DELETE", 405),
    ("/media/lab/vmlinuz", "PUT", 405),
    ("/deploy/r1n01/x/answer", "POST", 405),
    ("/boot?mac=52:54:00:01:00:01", "HEAD", 405),
    ("/deploy/r1n01/x/answer", "HEAD", 405),
    ("/deploy/r1n01/x/report?state=ready", "HEAD", 405),
]


def test_what_there_is_not() -> None:
    async def scenario(hub: Client) -> None:
        for path, method, status in UNKNOWN:
            assert (await hub.ask(path, method))[0] == status, (method, path)

    with_hub(scenario)
    assert state() == "armed"  # a HEAD is no boot


def test_state_for_people_and_programs() -> None:
    async def scenario(hub: Client) -> None:
        token = await hub.boot()
        status, body = await hub.ask("/api/nodes")
        found = json.loads(body)["nodes"]
        assert (status, sorted(found)) == (200, ["r1n01", "r1n02"])
        assert found["r1n01"]["deployment"]["state"] == "booting"
        assert "timeline" not in found["r1n01"]["deployment"]
        one = json.loads((await hub.ask("/api/nodes/r1n01"))[1])
        assert one["name"] == "r1n01"
        assert [entry["stage"] for entry in one["deployment"]["timeline"]] == ["armed", "booting"]
        assert token not in body + json.dumps(one)
        assert await hub.ask("/api/nodes/nobody") == (404, "no such node\n")
        ok("node", name="r1n09")
        assert json.loads((await hub.ask("/api/nodes/r1n09"))[1]) == {"name": "r1n09", "deployment": None}

    with_hub(scenario)


def test_an_answer_that_cannot_be_made_tells_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tokens: list[str] = []

    async def scenario(hub: Client) -> None:
        tokens.append(await hub.boot())
        ok("node", name="r1n01", attributes={"location.rack": None})
        status, text = await hub.ask(f"/deploy/r1n01/{tokens[0]}/answer")
        assert status == 500
        assert text == "the hub cannot answer this; its log and the node's events say why\n"
        status, text = await hub.ask(f"/deploy/r1n01/{tokens[0]}/boot.cfg")
        assert status == 500

    with_hub(scenario)
    said = [record.getMessage() for record in caplog.records if record.name == "stage0.hub"]
    assert said[0].startswith("r1n01: profile lab: the answer file: an expression gives no value (null)")
    assert said[1:] == ["r1n01: the installer lab has no boot configuration"]
    assert tokens[0] not in repr(said)
    failed = [event for event in events("r1n01") if event["what"] == "hub failed"]
    assert len(failed) == 2
    assert tokens[0] not in repr(failed)
    assert "an expression gives no value" in failed[0]["after"]
    assert state() == "booting"


def test_a_defect_is_an_answer_too(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(hub: Client) -> None:
        async def broken(_only: str | None = None) -> dict[str, Any]:
            raise KeyError("defect-xyz")

        monkeypatch.setattr(hub.service, "nodes", broken)
        assert await hub.ask("/api/nodes") == (500, "a defect of the hub; its log has it\n")
        assert (await hub.ask("/boot"))[0] == 200

    with_hub(scenario)
    assert "defect-xyz" in caplog.text
