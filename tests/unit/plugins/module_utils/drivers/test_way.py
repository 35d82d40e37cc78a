# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way to a BMC: names that are looked up within their time, and turns at a BMC that several want."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.engine import Engine
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.resolver import Resolver
from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Target
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError


def target(name: str) -> Target:
    return Target(name, 623, "admin", "secret")


def test_an_address_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", None)
    found = asyncio.run(Resolver().resolve(target("10.2.1.1"), 1.0))
    assert found == (("10.2.1.1", 623), socket.AF_INET)


def test_a_name_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def look(name: str, port: int, **_how: Any) -> list[Any]:
        asked.append(name)
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("10.2.1.7", port))]

    monkeypatch.setattr("socket.getaddrinfo", look)

    async def scenario() -> list[Any]:
        names = Resolver()
        return await asyncio.gather(*(names.resolve(target("bmc7"), 5.0) for _number in range(50)))

    assert asyncio.run(scenario()) == [(("10.2.1.7", 623), socket.AF_INET)] * 50
    assert asked == ["bmc7"]


def test_a_name_that_does_not_exist_and_one_that_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = [socket.gaierror(-2, "Name or service not known"), None]

    def look(_name: str, port: int, **_how: Any) -> list[Any]:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("10.2.1.7", port))]

    monkeypatch.setattr("socket.getaddrinfo", look)

    async def scenario() -> Any:
        names = Resolver()
        with pytest.raises(MetalError) as caught:
            await names.resolve(target("bmc7"), 5.0)
        assert caught.value.code is ErrorCode.UNREACHABLE
        assert caught.value.message == "the BMC's name 'bmc7' has no address: Name or service not known"
        return await names.resolve(target("bmc7"), 5.0)

    assert asyncio.run(scenario())[0] == ("10.2.1.7", 623)


def test_a_resolver_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = threading.Event()

    def look(_name: str, port: int, **_how: Any) -> list[Any]:
        hanging.wait(30)
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("10.2.1.7", port))]

    monkeypatch.setattr("socket.getaddrinfo", look)

    async def scenario() -> MetalError:
        with pytest.raises(MetalError) as caught:
            await Resolver().resolve(target("bmc7"), 0.05)
        return caught.value

    error = asyncio.run(scenario())
    hanging.set()
    assert (error.code, error.message) == (
        ErrorCode.TIMEOUT,
        "the BMC's name 'bmc7' was not looked up within 0 s; do the name servers answer?",
    )


def test_a_turn_that_its_owner_does_not_take_goes_to_the_next() -> None:
    async def scenario() -> list[str]:
        engine, came = Engine(), list[str]()
        address = ("10.2.1.1", 623)
        engine._talks[address] = object()  # type: ignore[assignment]  # somebody speaks with it

        async def wait(name: str) -> None:
            await engine._turn(address)
            came.append(name)

        first, second = asyncio.create_task(wait("first")), asyncio.create_task(wait("second"))
        await asyncio.sleep(0)
        del engine._talks[address]
        engine._next_turn(address)
        first.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        return came

    assert asyncio.run(asyncio.wait_for(scenario(), 10)) == ["second"]
