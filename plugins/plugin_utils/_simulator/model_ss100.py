# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: model ss100, an old blade: short answers, odd spellings, a small event log."""

from __future__ import annotations

from . import fru
from .model import Firmware, Model
from .sdr import Analog, Controller, Discrete, Entity, EventOnly, Factors, FruLocator, Kind, Limit, Record, Unit

MAKER = "Stage0 Antiquités"
_MADE = 0x780000


def _frus(serial: str) -> dict[int, bytes]:
    return {
        0: fru.image(
            on_board=fru.board(
                _MADE,
                fru.six_bit("STAGE0 SIM"),
                fru.six_bit("SIMBLADE 100"),
                fru.plain(f"B{serial}"),
                fru.bcd_plus("4711-08.15"),
                fru.plain(""),
                fru.six_bit("LOT 42"),
            ),
            of_product=fru.product(
                fru.unicode_text(MAKER),
                fru.unicode_text("SimServeur 100"),
                fru.bcd_plus("100-2.7"),
                fru.six_bit("REV B"),
                # 6-bit characters are also what makers save bytes with; the serial number has no small letters
                fru.six_bit(serial),
                fru.unicode_text("Actif n° 17"),
                fru.bcd_plus("1.3"),
                language=fru.FRENCH,
            ),
        )
    }


_RECORDS: tuple[Record, ...] = (
    FruLocator(device=0, name="FRU", entity=Entity.SYSTEM_BOARD),
    Controller(name="OldBMC"),
    Analog(
        number=0xA0,
        name="Air",
        kind=Kind.TEMPERATURE,
        unit=Unit.CELSIUS,
        entity=Entity.AIR_INLET,
        on=26,
        off=26,
        hot=60,
        factors=Factors(b=-64),
        limits={Limit.UNC: 42, Limit.UCR: 47, Limit.UNR: 55},
    ),
    Analog(
        number=0xA1,
        name="CPU",
        kind=Kind.TEMPERATURE,
        unit=Unit.CELSIUS,
        entity=Entity.PROCESSOR,
        on=61,
        limits={Limit.UNC: 90, Limit.UCR: 100},
    ),
    Analog(
        number=0xA2,
        name="Blower",
        kind=Kind.FAN,
        unit=Unit.RPM,
        entity=Entity.FAN,
        on=4000,
        # the count is the time of a turn: 1 / (x * 10^-5)
        factors=Factors(exponent=-5, linear=7),
        limits={Limit.LNC: 1000},
    ),
    Analog(
        number=0xA3,
        name="Vcore",
        kind=Kind.VOLTAGE,
        unit=Unit.VOLTS,
        entity=Entity.PROCESSOR,
        on=1.104,
        factors=Factors(m=12, exponent=-3),
        limits={Limit.LNR: 0.6, Limit.LCR: 0.72, Limit.UCR: 1.5, Limit.UNR: 1.596},
    ),
    Discrete(number=0xB0, name="Power", kind=Kind.POWER_UNIT, entity=Entity.SYSTEM, on=(0,), off=(1,), possible=0x63),
    Discrete(
        number=0xB1,
        name="CPU Status",
        kind=Kind.PROCESSOR,
        entity=Entity.PROCESSOR,
        on=(0x80,),
        off=(0x80,),
        possible=0xFF,
    ),
    EventOnly(number=0xC0, name="Boot", kind=Kind.SYSTEM_BOOT, entity=Entity.SYSTEM),
)

SS100 = Model(
    name="ss100",
    manufacturer=32473,
    product=0x0100,
    firmware=Firmware(3, 5),
    frus=_frus,
    records=_RECORDS,
    inlet=0xA0,
    most_bytes=22,
    record_step=0x11,
    log_entries=32,
    factory=(b"USERID", b"PASSW0RD"),
)
