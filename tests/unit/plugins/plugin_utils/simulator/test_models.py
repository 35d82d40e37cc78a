# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import itertools
import struct

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import MetalError
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator import fru
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.model import Model
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.models import MODELS, choose
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.sdr import Analog, Factors, Signed
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.console import Console, make_bmc
from hypothesis import given
from hypothesis import strategies as st

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))


def logged_in(model: Model, *faults: str, on: bool = False) -> Console:
    bmc, switch = make_bmc(*faults, model=model)
    switch.powered = on
    return Console(bmc).log_in().administrator()


def read_fru(console: Console, device: int) -> bytes:
    code, data = console.command(0x0A, 0x10, bytes((device,)))
    assert code == 0
    (size,) = struct.unpack_from("<H", data)
    area = b""
    while len(area) < size:
        code, data = console.command(0x0A, 0x11, struct.pack("<BHB", device, len(area), 16))
        assert code == 0
        assert data[0] == len(data) - 1
        area += data[1:]
    return area


def areas(image: bytes) -> dict[int, bytes]:
    """Return the areas of an inventory that have a length of their own: 2 chassis, 3 board, 4 product."""
    assert sum(image[:8]) % 256 == 0
    return {place: image[image[place] * 8 :][: image[image[place] * 8 + 1] * 8] for place in (2, 3, 4) if image[place]}


@every_model
def test_every_area_of_every_inventory_sums_up(model: Model) -> None:
    console = logged_in(model)
    for device in console.bmc.board.frus:
        image = read_fru(console, device)
        assert len(image) % 8 == 0
        found = areas(image)
        assert found
        for area in found.values():
            assert area[0] == 1
            assert sum(area) % 256 == 0
    assert console.command(0x0A, 0x10, b"\x09") == (0xCB, b"")


def test_models_differ_as_they_are_said_to() -> None:
    images = {name: logged_in(model).bmc.board.frus for name, model in MODELS.items()}
    assert [len(found) for found in images.values()] == [1, 2, 1]
    assert len(images["ss480"][0]) > 256
    assert images["ss480"][0][1]
    assert images["ss480"][0][5]
    assert images["ss100"][0][2] == 0
    assert "Antiquités".encode("utf-16-le") in images["ss100"][0]
    assert len({model.repository for model in MODELS.values()}) == 3
    assert [choose(None, index).name for index in range(4)] == ["ss240", "ss480", "ss100", "ss240"]
    with pytest.raises(MetalError, match="there is no model 'ss1'; there are ss240, ss480, ss100"):
        choose("ss1", 0)


def test_multirecords_sum_up_and_end() -> None:
    image = bytes(logged_in(MODELS["ss480"]).bmc.board.frus[0])
    place, kinds = image[5] * 8, []
    while True:
        head, data = image[place : place + 5], image[place + 5 : place + 5 + image[place + 2]]
        assert sum(head) % 256 == 0
        assert (sum(data) + head[3]) % 256 == 0
        kinds.append(head[0])
        place += 5 + len(data)
        if head[1] & 0x80:
            break
    assert kinds == [0x00, 0x00, 0xC0]


def test_spellings_of_fields() -> None:
    # the example of the standard: "IPMI" is 29 DC A6
    assert fru.six_bit("IPMI") == bytes.fromhex("8329dca6")
    assert fru.bcd_plus("12-3.4") == bytes.fromhex("4312b3c4")
    assert fru.bcd_plus("1 2") == bytes.fromhex("421a2a")
    assert fru.unicode_text("é") == bytes.fromhex("c2e900")
    assert fru.plain("3") == b"\xc23 "
    assert fru.plain("") == b"\xc0"


def test_a_write_is_read_back() -> None:
    console = logged_in(MODELS["ss240"])
    before = read_fru(console, 0)
    at = before.index(b"AT-")
    assert console.command(0x0A, 0x12, struct.pack("<BH", 0, at) + b"XY") == (0, b"\x02")
    assert read_fru(console, 0) == before[:at] + b"XY" + before[at + 2 :]
    assert console.command(0x0A, 0x12, struct.pack("<BH", 0, len(before) - 1) + b"XY") == (0xC9, b"")


@every_model
def test_longer_reads_than_a_model_can_answer(model: Model) -> None:
    console = logged_in(model)
    assert console.command(0x0A, 0x11, struct.pack("<BHB", 0, 0, model.most_bytes))[0] == 0
    assert console.command(0x0A, 0x11, struct.pack("<BHB", 0, 0, model.most_bytes + 1)) == (0xCA, b"")
    longest = max(len(record) for _number, record in model.repository)
    codes = {console.command(0x0A, 0x23, struct.pack("<HHBB", 0, n, 0, 0xFF))[0] for n, _record in model.repository}
    assert codes == ({0, 0xCA} if longest > model.most_bytes else {0})


@every_model
def test_records_read_in_pieces(model: Model) -> None:
    console = logged_in(model)
    code, data = console.command(0x0A, 0x22)
    (reservation,) = struct.unpack("<H", data)
    number, found = 0, []
    for _turn in range(100):
        record, following = b"", 0
        while len(record) < 5 or len(record) < 5 + record[4]:
            wanted = struct.pack("<HHBB", reservation, number, len(record), 5)
            code, data = console.command(0x0A, 0x23, wanted)
            assert code == 0
            following, record = struct.unpack_from("<H", data)[0], record + data[2:]
        found.append(record)
        number = following
        if number == 0xFFFF:
            break
    assert found == [record for _number, record in model.repository]
    code, data = console.command(0x0A, 0x20)
    assert struct.unpack_from("<H", data, 1)[0] == len(found)
    console.command(0x0A, 0x22)
    assert console.command(0x0A, 0x23, struct.pack("<HHBB", reservation, 0, 5, 5)) == (0xC5, b"")


def test_record_numbers_of_an_old_bmc_have_gaps() -> None:
    numbers = [number for number, _record in MODELS["ss100"].repository]
    assert {after - before for before, after in itertools.pairwise(numbers)} == {0x11}


@every_model
@pytest.mark.parametrize("on", [True, False])
def test_readings_follow_the_power(model: Model, on: bool) -> None:
    console = logged_in(model, on=on)
    for sensor in (record for record in model.records if isinstance(record, Analog)):
        code, data = console.command(0x04, 0x2D, bytes((sensor.number,)))
        value = sensor.on if on else sensor.off
        assert code == 0
        assert bool(data[1] & 0x20) is (value is None)
        if value is not None:
            assert sensor.factors.value(data[0]) == pytest.approx(value, rel=0.02)
            assert data[2] == 0xC0
    event_only = max(number for number in model.sensors)
    assert console.command(0x04, 0x2D, bytes((event_only,))) == (0xCB, b"")


def test_sensors_that_share_a_record_have_states_of_their_own() -> None:
    console = logged_in(MODELS["ss480"], on=True)
    states = [console.command(0x04, 0x2D, bytes((0x48 + place,)))[1][2] for place in range(8)]
    assert states == [0x40, 0x40, 0x40, 0, 0x40, 0x40, 0x40, 0]


@every_model
def test_a_hot_inlet_is_over_its_threshold_and_in_the_log(model: Model) -> None:
    console = logged_in(model, "hot", on=True)
    sensor = console.bmc.board.sensors.analog(model.inlet)
    assert sensor is not None
    data = console.command(0x04, 0x2D, bytes((model.inlet,)))[1]
    assert data[2] & 0x10
    entries = [console.bmc.board.log.entry(number) for number in range(1, console.bmc.log_entries + 1)]
    events = [entry[0][10:16] for entry in entries if entry]
    raw = [
        sensor.factors.raw(value)
        for value in (sensor.hot or 0, next(v for k, v in sensor.limits.items() if k.name == "UCR"))
    ]
    assert bytes((1, model.inlet, 0x01, 0x59, *raw)) in events
    console.bmc._faults.clear()
    assert console.command(0x04, 0x2D, bytes((model.inlet,)))[1][2] == 0xC0
    assert console.bmc.log_entries == 2 * len(events)


def test_thresholds_are_set_and_read() -> None:
    console = logged_in(MODELS["ss240"], on=True)
    assert console.command(0x04, 0x27, b"\x01") == (0, bytes((0x3F, 3, 0xFB, 0xF6, 38, 42, 50)))
    assert console.command(0x04, 0x26, bytes((1, 0x08, 0, 0, 0, 20, 0, 0))) == (0, b"")
    assert console.command(0x04, 0x27, b"\x01")[1][4] == 20
    assert console.command(0x04, 0x2D, b"\x01")[1][2] == 0xC8
    assert console.bmc.log_entries == 1
    assert console.command(0x04, 0x26, bytes((2, 0x01, 0, 0, 0, 0, 0, 0))) == (0xCC, b"")
    assert console.command(0x04, 0x29, b"\x01")[0] == console.command(0x04, 0x2B, b"\x01")[0] == 0
    assert console.command(0x04, 0x25, b"\x01\xff") == (0, b"\x02\x02")
    assert console.command(0x04, 0x2F, b"\x30") == (0, b"\x09\x6f")
    assert console.command(0x04, 0x23, b"\x20\x50") == (0, bytes((0x50, 6, 0, 0, 0, 0, 0xE0)))


@given(
    raw=st.integers(0, 255),
    m=st.integers(1, 511),
    b=st.integers(-512, 511),
    exponents=st.tuples(st.integers(-3, 3), st.integers(-3, 3)),
    signed=st.sampled_from(Signed),
    linear=st.sampled_from([0, 7]),
)
def test_a_raw_value_comes_back(
    raw: int, m: int, b: int, exponents: tuple[int, int], signed: Signed, linear: int
) -> None:
    factors = Factors(m, b, exponents[0], exponents[1], linear, signed)
    value = factors.value(raw)
    if value in (float("inf"), 0.0) and linear:
        return
    # ones' complement has two zeros
    assert factors.raw(value) == (0 if signed is Signed.ONES and raw == 0xFF else raw)
