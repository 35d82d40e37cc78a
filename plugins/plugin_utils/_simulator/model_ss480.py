# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: model ss480, a big server: two FRU devices, many areas, many records."""

from __future__ import annotations

from . import fru
from .model import Firmware, Model
from .sdr import (
    Analog,
    Controller,
    Discrete,
    Entity,
    EventOnly,
    Factors,
    FruLocator,
    Kind,
    Limit,
    OemRecord,
    Record,
    Signed,
    Unit,
)

MAKER = "Stage0 Simulation"
MANUFACTURER = 32473
_MADE = 0xE80000
_COUNT_AND_OEM = (0xC0, MANUFACTURER.to_bytes(3, "little") + b"slots:12;gpu:8;lot:4711")


def _frus(serial: str) -> dict[int, bytes]:
    notes = [fru.plain(f"Note {number}: {'abcdefghij'[number] * 40}") for number in range(3)]
    return {
        0: fru.image(
            internal=fru.internal_use(bytes(range(60))),
            in_chassis=fru.chassis(fru.CHASSIS_RACK_MOUNT, *map(fru.plain, ("SC-4U", f"C{serial}", "Bay 12", "Lid L"))),
            on_board=fru.board(
                _MADE,
                *map(fru.plain, (MAKER, "SimBoard 8", f"B{serial}", "SB-8", "")),
                *notes,
                fru.binary(bytes.fromhex("00ff10ef")),
            ),
            of_product=fru.product(
                *map(fru.plain, (MAKER, "SimServer 480", "SS-480", "2.1", serial, "", "fru-2")),
                *notes[:1],
            ),
            more=fru.records(fru.power_supply(1600), fru.power_supply(1600), _COUNT_AND_OEM),
        ),
        1: fru.image(
            of_product=fru.product(*map(fru.plain, (MAKER, "SimPower 1600", "SP-1600", "3", f"P{serial}", "", ""))),
        ),
    }


_RECORDS: tuple[Record, ...] = (
    Controller(name="SimBMC480"),
    OemRecord(manufacturer=MANUFACTURER, data=bytes(range(40))),
    FruLocator(device=0, name="Mainboard", entity=Entity.SYSTEM_BOARD),
    FruLocator(device=1, name="PSU1 FRU", entity=Entity.POWER_SUPPLY),
    Analog(
        number=0x10,
        name="Ambient",
        kind=Kind.TEMPERATURE,
        unit=Unit.CELSIUS,
        entity=Entity.AIR_INLET,
        on=24.5,
        off=23,
        hot=51,
        # y = 0.5 * x - 20
        factors=Factors(m=5, b=-2, b_exponent=2, exponent=-1),
        limits={Limit.LCR: -8, Limit.LNC: 0, Limit.UNC: 40, Limit.UCR: 45},
    ),
    *(
        Analog(
            number=0x10 + socket,
            name=f"CPU {socket} Margin",
            kind=Kind.TEMPERATURE,
            unit=Unit.CELSIUS,
            entity=Entity.PROCESSOR,
            instance=socket,
            on=-40 - socket,
            factors=Factors(signed=Signed.ONES),
            limits={Limit.UNC: -5, Limit.UCR: -1},
        )
        for socket in (1, 2, 3, 4)
    ),
    *(
        Analog(
            number=0x20 + fan,
            name=f"Fan {fan}{side}",
            kind=Kind.FAN,
            unit=Unit.RPM,
            entity=Entity.FAN,
            instance=fan,
            on=5500,
            factors=Factors(m=100),
            limits={Limit.LCR: 500},
        )
        for fan, side in ((1, "F"), (2, "R"), (3, "F"), (4, "R"), (5, "F"), (6, "R"))
    ),
    Analog(
        number=0x30,
        name="Fan Duty",
        kind=Kind.FAN,
        unit=Unit.NONE,
        entity=Entity.FAN,
        on=34.4,
        off=0,
        percent=True,
        factors=Factors(m=4, exponent=-1),
    ),
    Analog(
        number=0x31,
        name="P3V3",
        kind=Kind.VOLTAGE,
        unit=Unit.VOLTS,
        entity=Entity.SYSTEM_BOARD,
        on=3.302,
        factors=Factors(m=13, exponent=-3),
        limits={Limit.LCR: 2.97, Limit.UCR: 3.315},
    ),
    Analog(
        number=0x32,
        name="N12V",
        kind=Kind.VOLTAGE,
        unit=Unit.VOLTS,
        entity=Entity.SYSTEM_BOARD,
        on=-11.9,
        factors=Factors(m=1, exponent=-1, signed=Signed.TWOS),
        limits={Limit.LCR: -12.8, Limit.UCR: -10.8},
    ),
    Analog(
        number=0x33,
        name="PSU1 Input",
        kind=Kind.OTHER_UNITS,
        unit=Unit.WATTS,
        entity=Entity.POWER_SUPPLY,
        on=841,
        off=36,
        # the square of the count
        factors=Factors(linear=8),
        limits={Limit.UCR: 1600},
    ),
    Discrete(
        number=0x40,
        name="PwrUnit",
        kind=Kind.POWER_UNIT,
        entity=Entity.SYSTEM,
        on=(0x00,),
        off=(0x01,),
        possible=0x63,
    ),
    Discrete(
        number=0x48,
        name="DIMM ",
        kind=Kind.MEMORY,
        entity=Entity.MEMORY_DEVICE,
        on=(0x40, 0x40, 0x40, 0x00, 0x40, 0x40, 0x40, 0x00),
        possible=0x63,
        share=8,
    ),
    Discrete(
        number=0x58,
        name="Disk ",
        kind=Kind.DRIVE,
        entity=Entity.DISK_BAY,
        on=(0x01, 0x01, 0x03, 0x01),
        possible=0x07,
        share=4,
    ),
    Discrete(
        number=0x60,
        name="Fan Redundancy",
        kind=Kind.FAN,
        entity=Entity.FAN,
        event_type=0x0B,
        on=(0x01,),
        possible=0x03,
    ),
    Discrete(number=0x61, name="SEL", kind=Kind.EVENT_LOG, entity=Entity.CONTROLLER, on=(0,), off=(0,), possible=0x34),
    EventOnly(number=0x70, name="Boot", kind=Kind.SYSTEM_BOOT, entity=Entity.SYSTEM),
    EventOnly(number=0x71, name="NMI", kind=Kind.CRITICAL_INTERRUPT, entity=Entity.SYSTEM),
)

SS480 = Model(
    name="ss480",
    manufacturer=MANUFACTURER,
    product=0x0480,
    firmware=Firmware(1, 70, b"\x01\x02\x03\x04"),
    frus=_frus,
    records=_RECORDS,
    inlet=0x10,
    most_bytes=64,
    log_entries=2048,
    marks_clear=True,
    factory=(b"root", b"calvin"),
)
