# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""FRU areas (Platform Management FRU Information Storage Definition v1.0 r1.3), beside pyghmi's reading of the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi import fru, fru_fields, text
from ansible_collections.stage0.metal.plugins.module_utils._drivers._ipmi.script import Request
from ansible_collections.stage0.metal.plugins.module_utils._drivers.facts import (
    PARTS,
    Board,
    Chassis,
    Inventory,
    Product,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.plugins.module_utils.drivers.play import Player, attempt, noise, run
from hypothesis import example, given
from hypothesis import strategies as st
from pyghmi.ipmi.fru import FRU

ENGLISH, GERMAN = 25, 31
INFO, READ, GET_DEVICE_ID, GET_GUID = 0x10, 0x11, 0x01, 0x37
IDENTITY = bytes.fromhex("20 01 04 36 02 bf a2 02 00 00 01")


def field(value: str | bytes) -> bytes:
    data = value.encode("latin-1") if isinstance(value, str) else value
    return bytes((0xC0 | len(data),)) + data


def sealed(head: bytes, *fields: bytes, end: bytes = b"\xc1") -> bytes:
    """An area: version, length, ``head``, fields, end mark, padding, checksum."""
    body = head + b"".join(fields) + end
    body += bytes(-(len(body) + 3) % 8)
    area = bytes((1, (len(body) + 3) // 8)) + body
    return area + bytes((-sum(area) % 256,))


def device(*, chassis: bytes = b"", board: bytes = b"", product: bytes = b"", internal: bytes = b"") -> bytes:
    offsets, at = [], 1
    for area in (internal, chassis, board, product):
        offsets.append(at if area else 0)
        at += len(area) // 8
    header = bytes((1, *offsets, 0, 0))
    return header + bytes((-sum(header) % 256,)) + internal + chassis + board + product


def chassis(*fields: bytes, kind: int = 0x17) -> bytes:
    return sealed(bytes((kind,)), *fields)


def board(*fields: bytes, language: int = ENGLISH, minutes: int = 0xEC0000) -> bytes:
    return sealed(bytes((language,)) + minutes.to_bytes(3, "little"), *fields)


def product(*fields: bytes, language: int = ENGLISH) -> bytes:
    return sealed(bytes((language,)), *fields)


FULL = device(
    chassis=chassis(field("CP-1"), field("CS-1"), field("rack ears")),
    board=board(*map(field, ("Maker", "Board", "BS-1", "BP-1", "f.bin", "rev B", "MAC 52:54:00"))),
    product=product(*map(field, ("Maker", "Server", "M-1", "2.0", "PS-1", "tag 7", "f.bin", "one", "two"))),
)


def test_everything_that_an_area_can_tell() -> None:
    assert fru_fields.decode(FULL) == fru_fields.FruData(
        Chassis("Rack Mount Chassis", "CP-1", "CS-1", ("rack ears",)),
        Board("Maker", "Board", "BS-1", "BP-1", "2025-05-28T14:56Z", ("rev B", "MAC 52:54:00")),
        Product("Maker", "Server", "M-1", "2.0", "PS-1", "tag 7", ("one", "two")),
    )


def by_pyghmi(image: bytes) -> dict[str, Any]:
    info: dict[str, Any] | None = FRU(rawdata=bytearray(image)).info
    assert info is not None
    return info


PYGHMI_NAMES = {
    "chassis": {"kind": "Chassis type", "part_number": "Chassis part number", "serial": "Chassis serial number"},
    "board": {
        "manufacturer": "Board manufacturer",
        "product": "Board product name",
        "serial": "Board serial number",
        "part_number": "Board model",
    },
    "product": {
        "manufacturer": "Manufacturer",
        "name": "Product name",
        "part_number": "Model",
        "version": "Hardware Version",
        "serial": "Serial Number",
        "asset_tag": "Asset Number",
    },
}


def test_pyghmi_reads_the_same() -> None:
    ours, theirs = fru_fields.decode(FULL), by_pyghmi(FULL)
    for area, names in PYGHMI_NAMES.items():
        for name, theirs_name in names.items():
            assert getattr(getattr(ours, area), name) == theirs[theirs_name]
        assert list(getattr(ours, area).custom) == theirs[f"{area}_extra"]
    assert ours.board is not None
    assert ours.board.made == theirs["Board manufacture date"] + "Z"


def test_date_that_was_never_set() -> None:
    """pyghmi takes anything below 800 minutes for noise; the specification says 0 only."""
    for minutes, made in ((0, None), (0xFFFFFF, None), (1, "1996-01-01T00:01Z"), (800, "1996-01-01T13:20Z")):
        data = fru_fields.decode(device(board=board(field("Maker"), minutes=minutes)))
        assert data.board == Board(manufacturer="Maker", made=made)


def one_field(type_and_length: int, data: bytes, *, language: int = ENGLISH) -> str | None:
    """The asset tag of a product, in any encoding (serial numbers are always English)."""
    image = device(product=product(*[b"\xc0"] * 5, bytes((type_and_length,)) + data, language=language))
    found = fru_fields.decode(image).product
    return found.asset_tag if found else None


@pytest.mark.parametrize(
    ("type_and_length", "data", "language", "wanted"),
    [
        (0x03, b"\x01\xfe\x00", ENGLISH, "01fe00"),
        (0x44, b"\x12\x34\xa5\xbc", ENGLISH, "1234 5-."),
        (0x41, b"\x05", ENGLISH, "05"),  # pyghmi loses the leading zero
        (0x83, b"\x29\xdc\xa6", ENGLISH, "IPMI"),  # the specification's own example, 13.3
        (0x84, b"\x29\xdc\xa6\x21", ENGLISH, "IPMIA"),  # pyghmi stops with an IndexError
        (0xC4, b"a\xe9\xdfz", ENGLISH, "aéßz"),
        (0xC4, b"a\xe9\xdfz", 0, "aéßz"),
        (0xC4, b"\xe4\x00\x42\x04", GERMAN, "äт"),
        (0xC3, b"abc", GERMAN, "abc"),  # an odd length is no UTF-16
        (0xC4, b"\x00\xd8a\x00", GERMAN, "\N{REPLACEMENT CHARACTER}a"),
        (0xC8, b"SN-1 \x00\x00 ", ENGLISH, "SN-1"),
        (0xC8, b"S\x07N\x1b-1\xff\xff", ENGLISH, "SN-1"),
        (0xC4, b"    ", ENGLISH, None),
        (0xC4, b"\xff\xff\xff\xff", ENGLISH, None),
        (0x00, b"", ENGLISH, None),
    ],
)
def test_texts(type_and_length: int, data: bytes, language: int, wanted: str | None) -> None:
    assert one_field(type_and_length, data, language=language) == wanted


def test_serial_numbers_are_english_in_every_language() -> None:
    """Of pyghmi's, only the board's manufacturer would be (it forgets the language there); serials it reads as UTF-16."""
    wide = field("W".encode("utf-16-le"))
    parts = fru_fields.decode(device(product=product(wide, wide, wide, wide, field("PS12"), language=GERMAN)))
    assert parts.product == Product("W", "W", "W", "W", "PS12")


def test_wrong_checksums_are_told_and_read_all_the_same() -> None:
    image = bytearray(FULL)
    image[7] ^= 1
    image[-1] ^= 1
    data = fru_fields.decode(bytes(image))
    assert data.warnings == (
        "the checksum of the FRU header is wrong",
        "the checksum of the product area of the FRU is wrong",
    )
    assert data.product == fru_fields.decode(FULL).product
    assert data.unread == PARTS
    image[7] ^= 1
    assert fru_fields.decode(bytes(image)).unread == ("product",)


def test_area_without_length_ends_where_the_next_begins() -> None:
    image = bytearray(FULL)
    image[9] = 0
    data = fru_fields.decode(bytes(image))
    assert data.warnings == ("the chassis area of the FRU has no length",)
    assert data.chassis == Chassis("Rack Mount Chassis", "CP-1", "CS-1", ("rack ears",))


def test_areas_that_are_cut_off() -> None:
    full = fru_fields.decode(FULL)
    data = fru_fields.decode(FULL[:-16])
    assert data.warnings == ("the product area of the FRU is longer than the device",)
    assert (data.chassis, data.board) == (full.chassis, full.board)
    assert data.product is not None
    assert data.product.serial == "PS-1"
    assert fru_fields.decode(FULL[:56]).warnings == (
        "the board area of the FRU is longer than the device",
        "the product area of the FRU would begin behind the end of the device",
    )


def test_area_without_end_mark() -> None:
    image = device(product=sealed(bytes((ENGLISH,)), field("Maker"), field("Server"), end=b"\xc0"))
    data = fru_fields.decode(image)
    assert (data.warnings, data.unread) == (("the product area of the FRU has no end mark",), ("product",))


@pytest.mark.parametrize("image", [b"", b"\xff" * 512, bytes(512), FULL[:5]])
def test_nothing_in_it(image: bytes) -> None:
    assert fru_fields.decode(image) == fru_fields.FruData(warnings=("the FRU device holds nothing",), unread=PARTS)


def test_something_else() -> None:
    """Header version and checksum both wrong."""
    data = fru_fields.decode(b"PK\x03\x04 an archive")
    assert data == fru_fields.FruData(warnings=("the FRU device holds something else than FRU data",), unread=PARTS)


def test_area_without_a_word_is_none() -> None:
    assert fru_fields.decode(device(chassis=chassis(kind=0))) == fru_fields.FruData()


@given(st.binary(max_size=400))
@example(b"\x01\x00\x01\x01\x01\x00\x00\xfc\x01")
def test_any_image_is_read_without_an_error(image: bytes) -> None:
    data = fru_fields.decode(image)
    for part in (data.chassis, data.board, data.product):
        assert part is None or part != type(part)()


@given(st.binary(min_size=300, max_size=300), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_any_areas_are_read_without_an_error(noise_: bytes, chassis_at: int, board_at: int, product_at: int) -> None:
    header = bytes((1, 0, chassis_at, board_at, product_at, 0, 0))
    fru_fields.decode(header + bytes((-sum(header) % 256,)) + noise_)


LETTERS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=2, max_size=30)


@given(st.lists(LETTERS, min_size=7, max_size=12), LETTERS, LETTERS)
def test_what_is_written_is_read_by_both(texts: list[str], part: str, serial: str) -> None:
    image = device(chassis=chassis(field(part), field(serial)), product=product(*map(field, texts)))
    ours, theirs = fru_fields.decode(image), by_pyghmi(image)
    assert ours.warnings == ()
    assert ours.product is not None
    assert [ours.product.serial, *ours.product.custom] == [texts[4], *texts[7:]]
    assert [theirs["Serial Number"], *theirs["product_extra"]] == [texts[4], *texts[7:]]


@given(st.binary(max_size=63))
def test_six_bits_and_back(data: bytes) -> None:
    letters = text.six_bit(data)
    assert len(letters) == len(data) * 4 // 3
    assert set(letters) <= {chr(code) for code in range(0x20, 0x60)}


class FruBmc:
    """A BMC with one FRU device, that returns at most ``most`` bytes and refuses more with ``refusal``.

    ``short``: returns fewer than were asked for, without refusing. ``words``: addressed by words. ``size``: as told.
    """

    def __init__(
        self, image: bytes, *, most: int = 255, refusal: int = 0xCA, short: int = 0, words: bool = False, size: int = 0
    ) -> None:
        self.image, self.most, self.refusal, self.short = image, most, refusal, short
        self.unit = 2 if words else 1
        self.size = size or len(image)
        self.reads: list[tuple[int, int]] = []

    def __call__(self, request: Request) -> bytes | int:
        verbs: dict[int, Callable[[bytes], bytes | int]] = {
            INFO: self._info,
            READ: self._read,
            GET_DEVICE_ID: lambda _: IDENTITY,
        }
        verb = verbs.get(request.command)
        return verb(request.data) if verb else 0xC1

    def _info(self, _data: bytes) -> bytes:
        return self.size.to_bytes(2, "little") + bytes((self.unit - 1,))

    def _read(self, data: bytes) -> bytes | int:
        at, count = int.from_bytes(data[1:3], "little") * self.unit, data[3] * self.unit
        if count > self.most:
            return self.refusal
        part = self.image[at : at + min(count, self.short or count)]
        self.reads.append((at, len(part)))
        return bytes((len(part) // self.unit,)) + part if part else 0xC9


@pytest.mark.parametrize(
    "bmc",
    [
        FruBmc(FULL),
        *(FruBmc(FULL, most=20, refusal=refusal) for refusal in (0xC7, 0xC8, 0xC9, 0xCA, 0xFF)),
        FruBmc(FULL, short=6),
        FruBmc(FULL, words=True),
        FruBmc(FULL, words=True, most=16),
        FruBmc(FULL, words=True, short=2),
    ],
)
def test_every_way_of_reading_gives_the_same(bmc: FruBmc) -> None:
    assert run(fru.read(), bmc) == FULL


def test_padding_is_not_read() -> None:
    """Two reads for a device of four kilobytes: header and areas, with what came in the same go."""
    bmc = FruBmc(FULL + bytes(4096 - len(FULL)))
    assert fru_fields.decode(run(fru.read(), bmc)) == fru_fields.decode(FULL)
    assert bmc.reads == [(0, 224)]


def test_internal_use_area_is_skipped() -> None:
    image = device(internal=b"\x01" + bytes(1599), product=product(*map(field, ("Maker", "Server"))))
    bmc = FruBmc(image + bytes(2048))
    found = fru_fields.decode(run(fru.read(), bmc)).product
    assert found == Product("Maker", "Server")
    assert [at for at, _count in bmc.reads] == [0, 1608]


def test_device_that_gives_one_byte_at_a_time_is_given_up() -> None:
    big = device(internal=b"\x01" + bytes(7), product=sealed(bytes((ENGLISH,)), *[field("x" * 60)] * 20))
    with pytest.raises(MetalError, match=r"^the FRU device is not at an end after 600 reads of it$") as caught:
        run(fru.read(), FruBmc(big, short=1))
    assert caught.value.code is ErrorCode.PROTOCOL


def test_answer_without_data() -> None:
    def bmc(request: Request) -> bytes:
        return b"\x00\x10\x00" if request.command == INFO else b"\x00"

    with pytest.raises(MetalError, match=r"^the BMC answers a read of FRU data at byte 0 with no data$"):
        run(fru.read(), bmc)


def test_inventory() -> None:
    player = Player(FruBmc(FULL))
    found = player.run(fru.inventory())
    assert (found.serial, found.uuid, found.warnings) == ("PS-1", None, ())
    assert found.controller.firmware == "4.36"
    assert found.document()["product"]["custom"] == ["one", "two"]
    assert [(request.netfn, request.command) for request in player.sent] == [
        (0x06, 0x01),
        (0x06, 0x37),
        (0x0A, 0x10),
        (0x0A, 0x11),
    ]


def test_inventory_of_a_machine_without_fru() -> None:
    def bmc(request: Request) -> bytes | int:
        return IDENTITY if request.command == GET_DEVICE_ID else 0xCB

    found = run(fru.inventory(), bmc)
    assert found.serial is None
    assert found.warnings == (
        "there is no FRU data: the BMC has no such sensor, record or device "
        "(IPMI command 0ah/10h, completion code cbh)",
    )
    assert found.unread == ()


def refusing(command: int, completion: int, *, at: int = 0) -> Callable[[Request], bytes | int]:
    """A BMC that refuses ``command``; of reads, those from byte ``at`` on. It returns eight bytes at a time."""
    whole = FruBmc(FULL, short=8)

    def bmc(request: Request) -> bytes | int:
        refused = request.command == command and int.from_bytes(request.data[1:3], "little") >= at
        return completion if refused else whole(request)

    return bmc


@pytest.mark.parametrize("completion", [0xC1, 0xC9, 0xCB])
@pytest.mark.parametrize("command", [INFO, READ])
def test_codes_that_say_that_there_is_no_device(command: int, completion: int) -> None:
    found = run(fru.inventory(), refusing(command, completion))
    assert (found.product, found.unread) == (None, ())
    assert found.warnings[0].startswith("there is no FRU data: ")


@pytest.mark.parametrize(
    ("completion", "code"),
    [(0xC3, "timeout"), (0xC5, "busy"), (0xD1, "busy"), (0xD2, "busy"), (0xD5, "busy"), (0xD4, "privilege")],
)
@pytest.mark.parametrize("command", [INFO, READ, GET_GUID])
def test_faults_that_pass_are_no_missing_parts(command: int, completion: int, code: str) -> None:
    with pytest.raises(MetalError) as caught:
        run(fru.inventory(), refusing(command, completion))
    assert caught.value.code == code


def test_fru_device_that_is_busy() -> None:
    with pytest.raises(MetalError, match=r"^the BMC says that its FRU device is busy$") as caught:
        run(fru.inventory(), refusing(READ, 0x81))
    assert caught.value.code is ErrorCode.BUSY


@pytest.mark.parametrize(
    ("command", "completion", "at"), [(INFO, 0xD6, 0), (INFO, 0xFF, 0), (READ, 0xCC, 0), (READ, 0xCB, 8)]
)
def test_device_that_cannot_be_read_is_there(command: int, completion: int, at: int) -> None:
    """The last one is there by its header, and refuses its areas."""
    found = run(fru.inventory(), refusing(command, completion, at=at))
    assert (found.product, found.unread) == (None, PARTS)
    assert found.warnings[0].startswith("the FRU data cannot be read: ")


def test_inventory_that_may_not_be_read() -> None:
    def bmc(request: Request) -> bytes | int:
        return {GET_DEVICE_ID: IDENTITY, GET_GUID: bytes(16)}.get(request.command, 0xD4)

    with pytest.raises(MetalError) as caught:
        run(fru.inventory(), bmc)
    assert caught.value.code is ErrorCode.PRIVILEGE


REPLIES = st.lists(
    st.tuples(st.sampled_from([0, 0, 0, 0, 0xC0, 0xC1, 0xC7, 0xC9, 0xCA, 0xCB, 0xFF]), st.binary(max_size=40)),
    min_size=1,
    max_size=30,
)


@given(REPLIES)
def test_any_answers_end_in_a_value_or_an_error(replies: list[tuple[int, bytes]]) -> None:
    assert isinstance(attempt(fru.read(), noise(replies)), bytes | MetalError)
    assert isinstance(attempt(fru.inventory(), noise(replies)), Inventory | MetalError)
