# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import (
    Account,
    Fault,
    Rack,
    RackOptions,
    RackProcess,
    RackThread,
    ask,
    inventory_csv,
    node_identities,
    parse_fault,
    private_address,
)
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.cli import main, parser, rack_options
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.control import ControlServer
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.faults import KINDS
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.runner import environment
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.scripted_hub import until

PING = bytes.fromhex("0600ff06000011be80000000")


def test_names_addresses_and_columns() -> None:
    options = RackOptions(nodes=24, prefix="r1n", rack="rack1", groups=("rack1", "compute"), bind="127.24.0.0/16")
    rows = list(csv.DictReader(io.StringIO(inventory_csv(options))))
    assert [row["name"] for row in rows] == [f"r1n{number:02d}" for number in range(1, 25)]
    first, last = rows[0], rows[-1]
    assert first["groups"] == "rack1;compute"
    assert (first["bmc.address"], last["bmc.address"], first["bmc.port"]) == ("127.24.0.1", "127.24.0.24", "6230")
    assert (first["net.ip"], first["net.netmask"], first["net.gateway"]) == ("10.24.0.2", "255.255.0.0", "10.24.0.1")
    assert first["location.rack"] == "rack1"
    for column in ("net.mac", "system.uuid", "system.serial", "net.ip", "bmc.address"):
        assert len({row[column] for row in rows}) == 24
    assert inventory_csv(options) == inventory_csv(options)


def test_many_nodes_have_addresses_of_their_own() -> None:
    nodes = node_identities(RackOptions(nodes=600, bind="127.24.0.200"))
    addresses = [node.bmc.address for node in nodes]
    assert len(set(addresses)) == 600
    assert (addresses[54], addresses[55]) == ("127.24.0.254", "127.24.1.1")
    assert nodes[0].name == "n001"
    ports = [node.bmc.port for node in node_identities(RackOptions(nodes=600, one_address=True))]
    assert ports == list(range(6230, 6830))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (RackOptions(nodes=0), "1 to 20000 nodes, not 0"),
        (RackOptions(port=0), "UDP port"),
        (RackOptions(port=65530, one_address=True), "UDP port 65553"),
        (RackOptions(bind="10.0.0.1"), "no loopback address"),
        (RackOptions(bind="localhost"), "is no IP address"),
        (RackOptions(bind="fd24::1"), "no loopback address"),
        (RackOptions(bind="::1", port=65530), "UDP port 65553"),
        (RackOptions(ipv6=True, port=65530), "UDP port 65553"),
        (RackOptions(suites=(3, 99)), "cipher suites .* cannot be"),
        (RackOptions(suites=(8, 12)), "one of 3 and 17 has to be there"),
        (RackOptions(k_g=bytes(21)), "at most 20 bytes, not 21"),
        (RackOptions(accounts=(Account(b"a", b"b"),) * 8), "no room for 8 further accounts"),
        (RackOptions(network="10.0.0.0/30"), "too small for 24 nodes"),
        (RackOptions(network="10.0.0.1/24"), "no IPv4 network"),
        (RackOptions(bind="127.255.255.250"), "ends before 24 addresses"),
    ],
)
def test_options_that_cannot_be(options: RackOptions, sentence: str) -> None:
    with pytest.raises(MetalError, match=sentence) as caught:
        node_identities(options)
    assert caught.value.code is ErrorCode.INVALID


def test_every_fault_has_its_row_and_its_spelling() -> None:
    assert set(KINDS) == set(Fault)
    for fault in Fault:
        assert parse_fault(str(parse_fault(fault.value))) == parse_fault(fault.value)
    assert parse_fault("slow:0.25").value == 0.25


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("broken", "there is no fault 'broken'; there are dead, slow"),
        ("dead:1", "takes no number"),
        ("lossy:120", "percent from 0 to 100, not '120'"),
        ("slow:soon", "seconds from 0 to 60, not 'soon'"),
    ],
)
def test_faults_that_are_none(text: str, sentence: str) -> None:
    with pytest.raises(MetalError, match=sentence):
        parse_fault(text)


def test_a_fault_of_an_unknown_node() -> None:
    with pytest.raises(MetalError, match="no node 'x9'; its nodes are n01 to n24"):
        Rack(RackOptions(faults={"x9": ()}))


def pings(sock: socket.socket, rack: Rack, name: str, count: int = 1) -> None:
    """Send presence pings to a node's BMC."""
    bmc = rack.node(name).identity.bmc
    for _turn in range(count):
        sock.sendto(PING, (bmc.address, bmc.port))


def with_rack(body: Callable[[Rack, socket.socket], object], **faults: str) -> None:
    """Run an asynchronous body with a rack of two nodes and a socket to talk to its BMCs."""
    given = {name: (parse_fault(fault),) for name, fault in faults.items()}

    async def run() -> None:
        async with Rack(RackOptions(nodes=2, bind=private_address(2), faults=given)) as rack:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
                sock.bind(("127.0.0.1", 0))
                result = body(rack, sock)
                assert asyncio.iscoroutine(result)
                await result

    asyncio.run(run())


async def answers(sock: socket.socket, count: int) -> set[str]:
    """Wait for so many datagrams; return the addresses that they came from."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(20):
        return {(await loop.sock_recvfrom(sock, 100))[1][0] for _turn in range(count)}


def test_a_dead_bmc_is_silent_and_a_slow_one_late() -> None:
    async def body(rack: Rack, sock: socket.socket) -> None:
        one, two = rack.node("n01"), rack.node("n02")
        pings(sock, rack, "n01", 3)
        pings(sock, rack, "n02")
        assert await answers(sock, 1) == {two.identity.bmc.address}
        assert one.bmc.counters.packets_in == 0
        rack.clear_fault("n01", "dead")
        rack.set_fault("n01", "slow:60")
        pings(sock, rack, "n01", 3)
        pings(sock, rack, "n02")
        assert await answers(sock, 1) == {two.identity.bmc.address}
        assert one.bmc.counters.packets_in == 0
        rack.set_fault("n01", "slow:0.01")
        pings(sock, rack, "n01")
        assert await answers(sock, 1) == {one.identity.bmc.address}
        rack.clear_fault("n01")
        assert one.faults.names() == []

    with_rack(body, n01="dead")


def test_a_lossy_wire_loses_the_same_packets_each_time() -> None:
    found: list[tuple[int, int, int]] = []

    async def body(rack: Rack, sock: socket.socket) -> None:
        count = rack.node("n01").bmc.counters
        before = rack.node("n02").bmc.counters.packets_in
        pings(sock, rack, "n01", 60)
        pings(sock, rack, "n02")
        await until(lambda: rack.node("n02").bmc.counters.packets_in > before)
        found.append((count.packets_in, count.packets_out, count.packets_lost))

    for _run in range(2):
        with_rack(body, n01="lossy:40")
    assert found[0] == found[1]
    received, _sent, lost = found[0]
    assert 0 < received < 60
    assert lost > 60 - received


def test_an_address_that_is_taken() -> None:
    async def body(rack: Rack, _sock: socket.socket) -> None:
        with pytest.raises(MetalError, match=r"cannot be used.*another simulator") as caught:
            async with Rack(rack.options):
                pass
        assert caught.value.code is ErrorCode.CONFLICT

    with_rack(body)


def test_state_and_faults_over_the_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "state")

    async def body(rack: Rack, _sock: socket.socket) -> None:
        async with ControlServer(rack, path):
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
            state = await asyncio.to_thread(ask, path)
            assert set(state["nodes"]) == {"n01", "n02"}
            node = state["nodes"]["n01"]
            assert (node["power"], node["phase"], node["disk"], node["installs"]) == ("off", "off", None, 0)
            assert node["counters"]["sessions_open"] == 0
            assert "secret" not in json.dumps(state)
            done = await asyncio.to_thread(ask, path, {"do": "fault", "node": "n01", "fault": "slow:2"})
            assert done == {"node": "n01", "faults": ["slow:2"]}
            done = await asyncio.to_thread(ask, path, {"do": "clear", "node": "n01"})
            assert done == {"node": "n01", "faults": []}
            for request, sentence in (
                ({"do": "dance"}, "one of state, fault, clear"),
                ({"do": "fault", "node": "n9", "fault": "dead"}, "no node 'n9'"),
                ({"do": "fault", "node": "n01", "fault": "tired"}, "no fault 'tired'"),
            ):
                with pytest.raises(MetalError, match=sentence):
                    await asyncio.to_thread(ask, path, request)
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"{not json\n")
            assert b"not one line of JSON" in await reader.read()
            writer.close()
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write_eof()
            assert b'"nodes"' in await reader.read()
            writer.close()
            with pytest.raises(MetalError, match="another simulator answers"):
                async with ControlServer(rack, path):
                    pass

    with_rack(body)
    assert not Path(path).exists()
    with pytest.raises(MetalError, match="no simulator answers"):
        ask(path)


def test_a_rack_in_a_thread() -> None:
    with RackThread(RackOptions(nodes=2, bind=private_address(3), powered=True)) as rack:
        assert rack.state()["nodes"]["n02"]["power"] == "on"
        rack.call(lambda running: running.node("n02").machine.power_off())
        assert rack.state()["nodes"]["n02"]["power"] == "off"
    with pytest.raises(MetalError, match="loopback"), RackThread(RackOptions(bind="10.0.0.1")):
        pass


def test_the_command_line_from_start_to_end(tmp_path: Path) -> None:
    table = tmp_path / "nodes.csv"
    place = private_address(4)
    arguments = ["--nodes", "3", "--prefix", "r1n", "--bind", place, "--csv", str(table), "--fault", "r1n02=dead"]
    rack = RackProcess(arguments)
    with rack:
        assert rack.ready_line.startswith(f"simulator ready: 3 nodes r1n01 to r1n03, BMCs {place}:6230 to ")
        assert table.read_text(encoding="utf-8").count("\n") == 4
        assert stat.S_IMODE(table.stat().st_mode) == 0o600
        assert rack.state()["nodes"]["r1n02"]["faults"] == ["dead"]
        rack.clear_fault("r1n02")
        rack.set_fault("r1n03", "lossy:5")
        nodes = rack.state()["nodes"]
        assert [nodes[name]["faults"] for name in ("r1n02", "r1n03")] == [[], ["lossy:5"]]
        assert main(["--state-socket", rack.socket, "--inject", "r1n01=slow:1"]) == 0
        assert main(["--state-socket", rack.socket, "--clear", "r1n03"]) == 0
        assert [node["faults"] for node in rack.state()["nodes"].values()] == [["slow:1"], [], []]
        with pytest.raises(MetalError, match=r"did not start: simulator: r1n01: the BMC address .* cannot be used"):
            RackProcess(arguments).__enter__()
        assert rack.stop() == 0


def test_the_simulator_ends_with_the_program_that_started_it(tmp_path: Path) -> None:
    program = (
        "import os, sys, ansible_collections.stage0.metal.plugins.plugin_utils._simulator as simulator\n"
        "rack = simulator.RackProcess(['--nodes', '1', '--bind', sys.argv[1]]).__enter__()\n"
        "print(rack.pid, flush=True)\n"
        "os._exit(1)\n"
    )
    command = [sys.executable, "-c", program, private_address(6)]
    variables = {**environment(), "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    pid = int(done.stdout)
    end = time.monotonic() + 20
    while Path(f"/proc/{pid}/cmdline").exists() and b"_simulator" in Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < end, "the simulator outlived its program"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--bind", "192.0.2.1"], "no loopback address"),
        (["--fault", "n99=dead"], "this rack has no node 'n99'"),
        (["--state-socket", "/nonexistent/state", "--show"], "no simulator answers at /nonexistent/state"),
    ],
)
def test_the_command_line_says_what_is_wrong(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--fault", "n01"], "is not of the form NODE=FAULT"),
        (["--fault", "n01=tired"], "there is no fault 'tired'"),
        (["--post-seconds", "-1"], "is not a number of seconds"),
        (["--show"], "need the --state-socket"),
    ],
)
def test_arguments_that_cannot_be(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert sentence in capsys.readouterr().err


def test_arguments_become_options() -> None:
    arguments = ["--fault", "n01=dead", "--fault", "n01=slow", "--groups", "a; b", "--install-seconds", "3"]
    options = rack_options(parser().parse_args(arguments))
    assert [str(setting) for setting in options.faults["n01"]] == ["dead", "slow:0.8"]
    assert options.groups == ("a", "b")
    assert options.timing.install == 3.0
    assert "installer_hangs" in parser().format_help()
