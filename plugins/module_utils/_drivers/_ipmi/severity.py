# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: which states of discrete sensors, and which events, are failures, and how bad.

The numbers are those of IPMI v2.0, tables 42-2 (generic event/reading types) and 42-3 (sensor types). What does not
stand here is fine: presence, progress, counts, what somebody did on purpose. The rule: critical is what took a part of
the machine away, or will corrupt data, or stopped it; warning is what it still works in spite of, and what somebody
should look at. docs/howto/sensors.md says the same in words.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..sensing import Health, worst

WARNING, CRITICAL = Health.WARNING, Health.CRITICAL
THRESHOLD, SENSOR_SPECIFIC = 0x01, 0x6F
"""Event/reading types (table 42-1)."""


GENERIC: dict[int, dict[int, Health]] = {
    # thresholds: non-critical, critical, non-recoverable, low and high, each "going low" and "going high"
    0x01: {
        **dict.fromkeys((0, 1, 6, 7), WARNING),
        **dict.fromkeys((2, 3, 4, 5, 8, 9, 10, 11), CRITICAL),
    },
    0x04: {1: WARNING},  # predictive failure
    0x05: {1: WARNING},  # limit exceeded
    0x06: {1: WARNING},  # performance lags
    0x07: {**dict.fromkeys((1, 4), WARNING), **dict.fromkeys((2, 3, 5, 6), CRITICAL)},  # severities
    0x0A: {4: CRITICAL, 6: WARNING, 8: CRITICAL},  # availability: off line, degraded, install error
    0x0B: {
        **dict.fromkeys((2, 3, 4, 6, 7), WARNING),
        1: CRITICAL,
        5: CRITICAL,
    },  # redundancy: degraded, lost, too little
}
"""By event/reading type and offset."""

SPECIFIC: dict[int, dict[int, Health]] = {
    0x05: dict.fromkeys(range(7), WARNING),  # intrusion; LAN leash lost; unauthorised dock; fan area
    0x06: dict.fromkeys(range(6), WARNING),  # wrong passwords, secure mode violated
    0x07: {**dict.fromkeys((0, 1, 2, 3, 4, 5, 6, 11), CRITICAL), 10: WARNING, 12: WARNING},  # processor: 10 throttled
    0x08: {1: CRITICAL, 2: WARNING, 3: CRITICAL, 4: CRITICAL, 5: CRITICAL, 6: WARNING},  # power supply
    0x09: {2: WARNING, 3: WARNING, 4: CRITICAL, 5: CRITICAL, 6: CRITICAL, 7: WARNING},  # power unit
    0x0C: {
        0: WARNING,
        1: CRITICAL,
        2: WARNING,
        3: CRITICAL,
        5: WARNING,
        7: CRITICAL,
        9: WARNING,
        10: CRITICAL,
    },  # memory
    0x0D: {1: CRITICAL, 2: WARNING, 5: CRITICAL, 6: CRITICAL, 8: CRITICAL},  # drive: fault, predicted, array, rebuild
    0x0F: {0: CRITICAL, 1: CRITICAL},  # firmware: error, hang
    0x10: {**dict.fromkeys((0, 1, 3, 4, 5, 6), WARNING)},  # events are not logged any more; log (almost) full
    0x12: {2: CRITICAL},  # undetermined hardware failure
    0x13: {**dict.fromkeys((0, 1, 2, 3, 4, 5, 6, 8, 9, 10), CRITICAL), 7: WARNING, 11: WARNING},  # critical interrupts
    0x14: {4: WARNING},  # somebody asks for service
    0x19: {0: CRITICAL, 1: CRITICAL},  # chip set: power control failure, thermal trip
    0x1B: {1: CRITICAL},  # cable: wrong connection
    0x1E: dict.fromkeys(
        range(1, 5), CRITICAL
    ),  # cannot boot; 0, no medium, is how a machine looks before it is installed
    0x1F: {9: WARNING, 10: CRITICAL},  # installation of an operating system: aborted, failed
    0x20: {**dict.fromkeys((0, 1), CRITICAL), 5: WARNING},  # operating system stopped while loading, or at run time
    0x21: {0: CRITICAL},  # slot: fault
    0x23: {**dict.fromkeys((0, 1, 2, 3), WARNING)},  # watchdog: expired, and what it did
    0x27: {0: WARNING},  # LAN: no heartbeat
    0x28: dict.fromkeys(range(6), WARNING),  # the management controllers themselves
    0x29: {0: WARNING, 1: CRITICAL},  # battery: low, failed
    0x2A: {2: WARNING, 3: WARNING},  # wrong password, account disabled for it
    0x2B: {**dict.fromkeys((2, 3, 4, 5), CRITICAL)},  # incompatible or unsupported hardware or firmware
    0x2C: {7: WARNING},  # FRU: communication lost
}
"""By sensor type and offset, for event/reading type 6Fh."""

LEFT: dict[tuple[int, int], Health] = {
    (0x04, 0): WARNING,
    (0x05, 0): WARNING,
    (0x06, 0): WARNING,
    (0x07, 0): WARNING,
    (0x0B, 0): CRITICAL,
}
"""Good states whose being left (deasserted) is bad: no failure predicted, within limits, performing, OK, redundant."""


def of_state(kind: int, reading: int, offset: int) -> Health:
    """Return how bad it is that a sensor of type ``kind`` and event/reading type ``reading`` is in state ``offset``."""
    table = SPECIFIC.get(kind, {}) if reading == SENSOR_SPECIFIC else GENERIC.get(reading, {})
    return table.get(offset, Health.OK)


def of_event(kind: int, reading: int, offset: int, *, asserted: bool) -> Health:
    """Return how bad an event is: entering a state, or leaving it."""
    if asserted:
        return of_state(kind, reading, offset)
    return LEFT.get((reading, offset), Health.OK)


def of_states(kind: int, reading: int, offsets: Iterable[int]) -> Health:
    """Return how bad the worst of the states is; fine if there is none."""
    return worst((Health.OK, *(of_state(kind, reading, offset) for offset in offsets)))


OF_THRESHOLDS = (CRITICAL, CRITICAL, WARNING, WARNING, CRITICAL, CRITICAL)
"""A crossed threshold, in the order of sdr_values.NAMES."""
