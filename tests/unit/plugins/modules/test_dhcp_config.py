# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module dhcp_config over a stand-in for dnsmasq: that is a program which writes down how it was called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.tests.unit.support import make_rack, ok, refused, three_runs

SUBNET = {"network": "10.1.0.0/16", "gateway": "10.1.0.1", "dns": ["10.1.0.1", "10.1.0.2"]}

GOLDEN = """\
# Written by stage0.metal.dhcp_config. Changes made here are overwritten.
port=0
bind-interfaces
except-interface=lo
interface=eth1
no-ping
dhcp-authoritative
dhcp-range=set:net-10-1-0-0,10.1.0.0,static,255.255.0.0,3600
dhcp-option=tag:net-10-1-0-0,option:router,10.1.0.1
dhcp-option=tag:net-10-1-0-0,option:dns-server,10.1.0.1,10.1.0.2
dhcp-range=set:net-10-9-0-0,10.9.0.100,10.9.0.200,255.255.255.0,600
dhcp-option=tag:net-10-9-0-0,option:router
dhcp-match=set:ipxe,175
dhcp-match=set:bios,option:client-arch,0
dhcp-match=set:efi64,option:client-arch,7
dhcp-match=set:efi64,option:client-arch,9
dhcp-boot=tag:ipxe,http://10.1.0.1:8480/boot?mac=${netX/mac}&uuid=${uuid}
dhcp-boot=tag:!ipxe,tag:bios,undionly.kpxe,,10.1.0.9
dhcp-boot=tag:!ipxe,tag:efi64,snponly.efi,,10.1.0.9
enable-tftp
tftp-root=/srv/tftp
dhcp-host=52:54:00:01:00:01,10.1.1.1,r1n01
dhcp-host=52:54:00:01:00:02,10.1.1.2,web
log-dhcp
"""


class Dnsmasq:
    """Programs that stand in for dnsmasq and for what restarts it, in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "etc" / "stage0.conf"
        self.log = folder / "restarts"
        self.program = folder / "dnsmasq"
        self._script(
            self.program,
            'grep -q "^bad-line" "$3" && { echo "dnsmasq: bad option at line 1 of $3" >&2; exit 1; }\nexit 0',
        )
        self.restart = folder / "restart"
        self._script(
            self.restart,
            f'grep -q "^will-not-start" {self.config} && {{ echo no address; exit 3; }}\necho restarted >> {self.log}',
        )

    @staticmethod
    def _script(path: Path, text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def arguments(self, **more: Any) -> dict[str, Any]:
        """Arguments of the module."""
        given = {"interfaces": ["eth1"], "subnets": [SUBNET], "hub_url": "http://10.1.0.1:8480/"}
        programs = {"path": str(self.config), "program": str(self.program), "restart_command": [str(self.restart)]}
        return {**given, **programs, **more}

    @property
    def restarts(self) -> int:
        """How often it was restarted."""
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture
def dnsmasq(tmp_path: Path) -> Dnsmasq:
    make_rack(2)
    return Dnsmasq(tmp_path)


def test_the_whole_file(dnsmasq: Dnsmasq) -> None:
    ok("node", name="r1n02", attributes={"net.hostname": "web.example.org"})
    pool = {"network": "10.9.0.0/24", "range_start": "10.9.0.100", "range_end": "10.9.0.200", "lease_seconds": 600}
    more = {"subnets": [SUBNET, pool], "tftp_root": "/srv/tftp", "next_server": "10.1.0.9", "extra": ["log-dhcp"]}
    real = three_runs("dhcp_config", **dnsmasq.arguments(**more))
    assert dnsmasq.config.read_text() == GOLDEN
    assert real["diff"]["after"] == GOLDEN
    assert (real["reservations"], real["restarted"], real["file"]) == (2, True, str(dnsmasq.config))
    assert dnsmasq.restarts == 1
    assert dnsmasq.config.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in dnsmasq.config.parent.iterdir()] == ["stage0.conf"]


def test_a_change_restarts_and_an_empty_command_does_not(dnsmasq: Dnsmasq) -> None:
    ok("dhcp_config", **dnsmasq.arguments())
    ok("node", name="r1n01", attributes={"net.ip": "10.1.1.77"})
    three_runs("dhcp_config", **dnsmasq.arguments())
    assert dnsmasq.restarts == 2
    assert ok("dhcp_config", **dnsmasq.arguments(extra=["# x"], restart_command=[]))["restarted"] is False


def test_what_dnsmasq_refuses_leaves_the_old_file(dnsmasq: Dnsmasq) -> None:
    ok("dhcp_config", **dnsmasq.arguments())
    before = dnsmasq.config.read_text()
    for check in (True, False):
        failed = refused("dhcp_config", check=check, **dnsmasq.arguments(extra=["bad-line"]))
        assert failed["msg"] == (
            "dnsmasq refuses the new configuration, the old one stays: "
            "dnsmasq: bad option at line 1 of the new configuration"
        )
    assert dnsmasq.config.read_text() == before
    assert dnsmasq.restarts == 1


def test_what_dnsmasq_will_not_start_with_is_taken_back(dnsmasq: Dnsmasq) -> None:
    failed = refused("dhcp_config", **dnsmasq.arguments(extra=["will-not-start"]))
    sentence = f"dnsmasq could not be restarted, '{dnsmasq.restart}' ended with 3: no address"
    assert (failed["msg"], failed["error"]["code"]) == (sentence, "not_reached")
    assert not dnsmasq.config.exists()
    ok("dhcp_config", **dnsmasq.arguments())
    before = dnsmasq.config.read_text()
    failed = refused("dhcp_config", **dnsmasq.arguments(extra=["will-not-start"]))
    assert failed["msg"] == f"{sentence}; it runs with the old configuration again"
    assert dnsmasq.config.read_text() == before


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"subnets": [{"network": "10.1.0.1/16"}]}, "subnet '10.1.0.1/16': 10.1.0.1/16 has host bits set; write one as in"),
    ({"subnets": [{**SUBNET, "gateway": "10.2.0.1"}]}, "subnet 10.1.0.0/16: gateway 10.2.0.1 lies outside of it"),
    ({"subnets": [{**SUBNET, "gateway": "gw"}]}, "subnet 10.1.0.0/16: gateway 'gw' is not an IPv4 address"),
    ({"subnets": [{**SUBNET, "range_start": "10.1.9.1"}]}, "range_start and range_end only go together"),
    (
        {"subnets": [{**SUBNET, "range_start": "10.1.9.9", "range_end": "10.1.9.1"}]},
        "subnet 10.1.0.0/16: range_start 10.1.9.9 is behind range_end 10.1.9.1",
    ),
    ({"subnets": [{**SUBNET, "lease_seconds": 60}]}, "lease_seconds 60 is below 120, the least that dnsmasq takes"),
    ({"subnets": [{"network": "10.2.0.0/16"}]}, "r1n01: net.ip 10.1.1.1 lies in none of the subnets"),
    ({"extra": ["a\nb"]}, "'a\\nb' holds a line break, which would add lines to dnsmasq's configuration"),
    ({"hub_url": "10.1.0.1:8480"}, "hub_url: '10.1.0.1:8480' is not a URL such as http://10.1.0.1:8480"),
    ({"hub_url": "http://a,b"}, "hub_url: 'http://a,b' is not a URL such as http://10.1.0.1:8480"),
    ({"interfaces": ["eth0\nserver=1.2.3.4"]}, "holds a line break"),
    ({"next_server": "1.2.3.4\nserver=1.2.3.4"}, "holds a line break"),
    ({"nodes": ["r1n09"]}, "noderange 'r1n09': there is no node or group named 'r1n09'"),
    ({"program": "/does/not/exist"}, "dnsmasq cannot be run as '/does/not/exist': No such file or directory; install"),
    ({"path": "/proc/stage0/x.conf"}, "the file /proc/stage0/x.conf cannot be written: No such file or directory"),
]


@pytest.mark.parametrize(("more", "says"), WRONG)
def test_bad_input_is_one_sentence(dnsmasq: Dnsmasq, more: dict[str, Any], says: str) -> None:
    assert says in refused("dhcp_config", **dnsmasq.arguments(**more))["msg"]
    assert not dnsmasq.config.exists()
    assert dnsmasq.restarts == 0


def test_nodes_without_an_address_are_left_out_unless_they_are_named(dnsmasq: Dnsmasq) -> None:
    ok("node", name="r1n02", attributes={"net.ip": None})
    assert ok("dhcp_config", **dnsmasq.arguments())["reservations"] == 1
    failed = refused("dhcp_config", **dnsmasq.arguments(nodes=["rack1"]))
    assert failed["msg"] == "r1n02: attribute net.ip is not set, but DHCP reserves it"
    assert failed["error"]["code"] == "missing"


def test_a_command_that_is_not_there(dnsmasq: Dnsmasq) -> None:
    failed = refused("dhcp_config", **dnsmasq.arguments(restart_command=["/does/not/exist"]))
    assert "dnsmasq could not be restarted by '/does/not/exist'" in failed["msg"]
    assert not dnsmasq.config.exists()


def test_a_restart_that_was_owed_is_made_up_for(dnsmasq: Dnsmasq) -> None:
    """A run that dies between writing the file and restarting dnsmasq must not leave the old configuration running."""
    make_rack(2)
    ok("dhcp_config", **dnsmasq.arguments())
    assert dnsmasq.restarts == 1
    dnsmasq.config.with_name(f".{dnsmasq.config.name}.restart").write_text("")
    made_up = ok("dhcp_config", **dnsmasq.arguments())
    assert made_up["changed"]
    assert made_up["restarted"]
    assert dnsmasq.restarts == 2
    assert not ok("dhcp_config", **dnsmasq.arguments())["changed"]
