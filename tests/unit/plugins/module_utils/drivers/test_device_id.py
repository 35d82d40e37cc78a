# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Get Device ID and Get System GUID (IPMI v2.0, 20.1 and 22.14), beside pyghmi's reading of the same bytes."""

from __future__ import annotations

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import device
from ansible_collections.stage0.metal.plugins.module_utils._drivers.facts import Controller
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.play import attempt, noise, run, table
from hypothesis import given
from hypothesis import strategies as st
from pyghmi.ipmi.private.util import decode_wireformat_uuid

GET_DEVICE_ID, GET_GUID = (0x06, 0x01), (0x06, 0x37)
IDENTITY = bytes.fromhex("20 81 04 36 02 bf a2 02 00 00 01 00 23 36 07")
"""A Dell iDRAC's: manufacturer 674, product 256, firmware 4.36."""


def test_device_id() -> None:
    assert run(device.controller(), table({GET_DEVICE_ID: IDENTITY})) == Controller(
        firmware="4.36", manufacturer_id=674, product_id=256, protocol="IPMI 2.0", firmware_build="00233607"
    )


def test_device_id_without_build_of_ipmi_1_5() -> None:
    """Bit 7 of the major revision says that the firmware is being updated, and is no part of the number."""
    data = bytes.fromhex("20 01 83 05 51 00 57 01 f0 ff ff")
    assert device.decode_device_id(data) == Controller("3.05", 343, 65535, "IPMI 1.5", None)


def test_short_device_id() -> None:
    with pytest.raises(MetalError, match=r"answers IPMI command 06h/01h with 10 bytes in place of 11$"):
        run(device.controller(), table({GET_DEVICE_ID: IDENTITY[:10]}))


GUID = bytes.fromhex("03000200040005000006000700080009")


def test_guid_is_what_dmidecode_shows() -> None:
    uuid = run(device.system_uuid(), table({GET_GUID: GUID}))
    assert uuid == "00020003-0004-0005-0006-000700080009"
    assert uuid == decode_wireformat_uuid(GUID).lower()


@pytest.mark.parametrize("answer", [bytes(16), b"\xff" * 16, 0xC1, 0xCB])
def test_no_guid(answer: bytes | int) -> None:
    assert run(device.system_uuid(), table({GET_GUID: answer})) is None


def test_guid_that_may_not_be_read() -> None:
    with pytest.raises(MetalError, match=r"^the account's privilege level is too low") as caught:
        run(device.system_uuid(), table({GET_GUID: 0xD4}))
    assert caught.value.code is ErrorCode.PRIVILEGE


@given(st.lists(st.tuples(st.sampled_from([0, 0, 0, 0xC0, 0xC1, 0xD4]), st.binary(max_size=20)), min_size=1))
def test_any_answer_is_a_value_or_an_error(replies: list[tuple[int, bytes]]) -> None:
    assert isinstance(attempt(device.controller(), noise(replies)), Controller | MetalError)
    assert isinstance(attempt(device.system_uuid(), noise(replies)), str | MetalError | None)


@given(st.binary(min_size=16, max_size=16))
def test_guids_as_pyghmi_reads_them(data: bytes) -> None:
    assert device.decode_guid(data) in (None, decode_wireformat_uuid(data).lower())
