# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: model ss240, a rack server as they are bought today."""

from __future__ import annotations

from . import fru
from .model import Firmware, Model
from .sdr import Analog, Controller, Discrete, Entity, EventOnly, Factors, FruLocator, Kind, Limit, Record, Signed, Unit

MAKER = "Stage0 Simulation"
_DEGREES = Factors(signed=Signed.TWOS)
_MADE = 0xEC0000
"""Minutes since 1996: in the year 2025."""


def _frus(serial: str) -> dict[int, bytes]:
    custom = fru.plain("Rack kit R2")
    return {
        0: fru.image(
            in_chassis=fru.chassis(fru.CHASSIS_RACK_MOUNT, fru.plain("SC-1U"), fru.plain(f"C{serial}"), custom),
            on_board=fru.board(
                _MADE,
                *map(fru.plain, (MAKER, "SimBoard 2", f"B{serial}", "SB-2", "fru-1.3", "Rev A1")),
            ),
            of_product=fru.product(
                *map(
                    fru.plain, (MAKER, "SimServer 240", "SS-240", "1.0", serial, f"AT-{serial[-6:]}", "", "BIOS 2.4.1")
                ),
            ),
        )
    }


_RECORDS: tuple[Record, ...] = (
    Controller(name="SimBMC"),
    FruLocator(device=0, name="Builtin FRU", entity=Entity.SYSTEM_BOARD),
    Analog(
        number=1,
        name="Inlet Temp",
        kind=Kind.TEMPERATURE,
        unit=Unit.CELSIUS,
        entity=Entity.AIR_INLET,
        on=22,
        off=22,
        hot=48,
        factors=_DEGREES,
        limits={Limit.LNR: -10, Limit.LCR: -5, Limit.LNC: 3, Limit.UNC: 38, Limit.UCR: 42, Limit.UNR: 50},
    ),
    *(
        Analog(
            number=1 + socket,
            name=f"CPU{socket} Temp",
            kind=Kind.TEMPERATURE,
            unit=Unit.CELSIUS,
            entity=Entity.PROCESSOR,
            instance=socket,
            on=40 + socket,
            factors=_DEGREES,
            limits={Limit.UNC: 85, Limit.UCR: 95},
        )
        for socket in (1, 2)
    ),
    *(
        Analog(
            number=15 + fan,
            name=f"Fan{fan}",
            kind=Kind.FAN,
            unit=Unit.RPM,
            entity=Entity.FAN,
            instance=fan,
            on=7800 + 120 * fan,
            off=0,
            factors=Factors(m=12, exponent=1),
            limits={Limit.LCR: 600, Limit.LNC: 1200},
        )
        for fan in (1, 2, 3, 4)
    ),
    Analog(
        number=32,
        name="P12V",
        kind=Kind.VOLTAGE,
        unit=Unit.VOLTS,
        entity=Entity.SYSTEM_BOARD,
        on=12.06,
        factors=Factors(m=6, exponent=-2),
        limits={Limit.LCR: 10.8, Limit.LNC: 11.4, Limit.UNC: 12.6, Limit.UCR: 13.2},
    ),
    Analog(
        number=33,
        name="VBAT",
        kind=Kind.VOLTAGE,
        unit=Unit.VOLTS,
        entity=Entity.SYSTEM_BOARD,
        on=3.045,
        off=3.03,
        # 1.5 V + 0.015 V a count
        factors=Factors(m=15, b=15, b_exponent=2, exponent=-3),
        limits={Limit.LCR: 2.25, Limit.LNC: 2.55},
    ),
    Analog(
        number=40,
        name="Power",
        kind=Kind.OTHER_UNITS,
        unit=Unit.WATTS,
        entity=Entity.SYSTEM,
        on=284,
        off=12,
        factors=Factors(m=4),
    ),
    Discrete(
        number=48,
        name="Power Unit",
        kind=Kind.POWER_UNIT,
        entity=Entity.SYSTEM,
        on=(0x00,),
        off=(0x01,),
        possible=0x63,
    ),
    Discrete(
        number=50,
        name="PSU",
        kind=Kind.POWER_SUPPLY,
        entity=Entity.POWER_SUPPLY,
        on=(0x01, 0x01),
        off=(0x01, 0x01),
        possible=0x0F,
        share=2,
    ),
    Discrete(number=52, name="Intrusion", kind=Kind.INTRUSION, entity=Entity.SYSTEM, on=(0,), off=(0,), possible=0x01),
    EventOnly(number=64, name="System Boot", kind=Kind.SYSTEM_BOOT, entity=Entity.SYSTEM),
    EventOnly(number=65, name="OS Boot", kind=Kind.OS_BOOT, entity=Entity.SYSTEM),
    EventOnly(number=66, name="NMI", kind=Kind.CRITICAL_INTERRUPT, entity=Entity.SYSTEM),
    EventOnly(number=67, name="Button", kind=Kind.BUTTON, entity=Entity.SYSTEM),
)

SS240 = Model(
    name="ss240",
    manufacturer=32473,
    product=0x0240,
    firmware=Firmware(2, 23),
    frus=_frus,
    records=_RECORDS,
    inlet=1,
    factory=(b"ADMIN", b"ADMIN"),
)
"""The enterprise number is the one that IANA keeps for examples (RFC 5612): no vendor's quirks apply to it."""
