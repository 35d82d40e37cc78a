# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The answer templates that role deploy ships, rendered and compared byte for byte with tests/unit/fixtures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._deploy import answer
from ansible_collections.stage0.metal.plugins.module_utils._deploy.answer import Hub
from ansible_collections.stage0.metal.plugins.module_utils._deploy.profile import Profile
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Wish
from ansible_collections.stage0.metal.tests.unit.support import PASSWORD, make_rack, store

ROOT = Path(__file__).resolve().parents[5]
FIXTURES = ROOT / "tests" / "unit" / "fixtures"
TEMPLATES = ROOT / "roles" / "deploy" / "templates"
HUB = Hub("http://10.1.0.1:8480")
TOKEN = "T" * 43


def make(installer: str, template: str, **variables: Any) -> Profile:
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return Profile(installer, installer, "/srv/media", text, variables=variables)


ESXI = make("esxi", "esxi8.ks.j2")
FULL = make("esxi", "esxi8.ks.j2", ntp_servers=["10.1.0.1", "ntp'; reboot"], ssh=True)
LAB = make("lab", "lab.answer.j2")
DHCP = {"net.ip": None}
DISK = {"deploy.disk": "mpx.vmhba0:C0:T1:L0", "net.gateway": None, "net.dns": None, "net.hostname": "esx.example.org"}

CASES: list[tuple[str, str, dict[str, Any], Profile]] = [
    ("esxi8-static.ks", "r1n01", {}, FULL),
    ("esxi8-dhcp.ks", "r1n02", DHCP, ESXI),
    ("esxi8-disk.ks", "r1n03", DISK, ESXI),
    ("lab-static.answer", "r1n01", {}, LAB),
    ("lab-dhcp.answer", "r1n02", DHCP, LAB),
    ("lab-disk.answer", "r1n03", {"deploy.disk": "/dev/vda", "net.hostname": "web.example.org"}, LAB),
]


@pytest.fixture(autouse=True)
def rack() -> None:
    """Three nodes with a gateway and name servers."""
    make_rack(3, **{"net.gateway": "10.1.0.1", "net.dns": "10.1.0.2,10.1.0.3"})


def rendered(node: str, values: dict[str, Any], profile: Profile) -> str:
    with store(keep=False) as opened:
        opened.put("node", node, Wish(values))
        return answer.answer_file(opened.views([node])[node], profile, HUB, TOKEN, 7)


@pytest.mark.parametrize(("name", "node", "values", "profile"), CASES)
def test_byte_for_byte(name: str, node: str, values: dict[str, Any], profile: Profile) -> None:
    text = rendered(node, values, profile)
    assert text.encode() == (FIXTURES / name).read_bytes()
    assert f"http://10.1.0.1:8480/deploy/{node}/{TOKEN}/report" in text
    assert PASSWORD not in text


def test_every_fixture_is_a_case() -> None:
    assert {path.name for path in FIXTURES.iterdir() if path.is_file()} == {
        name for name, _node, _values, _profile in CASES
    }


@pytest.mark.parametrize("profile", [FULL, LAB])
def test_how_to_reach_the_bmc_is_nothing_for_nodes(profile: Profile) -> None:
    with store() as opened:
        seen = answer.context(opened.views(["r1n01"])["r1n01"], profile, HUB, TOKEN, 7)
    assert "bmc" not in seen["node"]
    assert PASSWORD not in repr(seen)
    assert sorted(seen) == ["deployment", "hub", "image", "network", "node"]
    expected = {"hostname": "r1n01", "mac": "52:54:00:01:00:01", "ip": "10.1.1.1", "netmask": "255.255.255.0"}
    more = {"prefix": 24, "gateway": "10.1.0.1", "dns": ["10.1.0.2", "10.1.0.3"]}
    assert seen["network"] == {**expected, **more}


@pytest.mark.parametrize(
    ("values", "profile", "says"),
    [
        (
            {"deploy.root_password_hash": None},
            FULL,
            "profile esxi: the answer file: an expression gives no value (null)",
        ),
        ({"net.netmask": None}, FULL, "profile esxi: the answer file: an expression gives no value (null)"),
        (
            {"deploy.disk": "a b"},
            FULL,
            "profile esxi: ESXi kickstart, line 4: the command install takes no word such as",
        ),
        ({"deploy.disk": "sda"}, LAB, "profile lab: lab answer file, line 3: 'sda' cannot be the value of disk"),
    ],
)
def test_what_does_not_fit_is_refused(values: dict[str, Any], profile: Profile, says: str) -> None:
    with pytest.raises(MetalError) as caught:
        rendered("r1n01", values, profile)
    assert (caught.value.code, caught.value.node) == (ErrorCode.TEMPLATE, "r1n01")
    assert caught.value.message.startswith(says)
