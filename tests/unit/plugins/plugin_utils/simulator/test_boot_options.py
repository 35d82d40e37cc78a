# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.stage0.metal.plugins.plugin_utils._simulator.boot_options import (
    BootDevice,
    BootOptions,
    Override,
)
from ansible_collections.stage0.metal.tests.unit.plugins.plugin_utils.simulator.console import Clock

PXE = bytes((0x80, 0x04, 0, 0, 0))
PXE_ALWAYS_EFI = bytes((0xE0, 0x04, 0, 0, 0))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_one_time_override_is_taken_once(clock: Clock) -> None:
    options = BootOptions(clock)
    assert options.override() is None
    options.set(5, PXE)
    assert options.take() == Override(BootDevice.NETWORK, persistent=False, efi=False)
    assert options.take() is None
    assert options.get(5) == (5, bytes(5))


def test_a_persistent_override_stays(clock: Clock) -> None:
    options = BootOptions(clock)
    options.set(5, PXE_ALWAYS_EFI)
    clock.now += 3600
    for _boot in range(2):
        assert options.take() == Override(BootDevice.NETWORK, persistent=True, efi=True)


def test_without_the_valid_bit_nothing_is_overridden(clock: Clock) -> None:
    options = BootOptions(clock)
    options.set(5, bytes((0x00, 0x04, 0, 0, 0)))
    assert options.override() is None
    options.set(5, bytes((0x80, 0x00, 0, 0, 0)))
    assert options.override() is None


def test_a_one_time_override_is_forgotten_after_a_minute(clock: Clock) -> None:
    options = BootOptions(clock)
    options.set(5, PXE)
    clock.now += 59
    assert options.override() is not None
    clock.now += 2
    assert options.override() is None


@pytest.mark.parametrize("first", [True, False])
def test_parameter_three_keeps_it(clock: Clock, first: bool) -> None:
    options = BootOptions(clock)
    if first:
        options.set(3, b"\x08")
    options.set(5, PXE)
    if not first:
        options.set(3, b"\x08")
    clock.now += 3600
    assert options.override() is not None


def test_a_chassis_command_keeps_it(clock: Clock) -> None:
    options = BootOptions(clock)
    options.set(5, PXE)
    options.chassis_command()
    clock.now += 3600
    assert options.override() is not None


def test_the_other_parameters_are_kept_as_they_are(clock: Clock) -> None:
    options = BootOptions(clock)
    options.set(0, b"\x01")
    options.set(4, b"\x01\x01")
    assert options.get(0) == (0, b"\x01")
    assert options.get(4) == (4, b"\x01\x01")
    options.set(0x84, b"")
    assert options.get(4) == (0x84, b"\x01\x01")
    options.set(4, b"")
    assert options.get(4) == (4, b"\x01\x01")


def test_what_is_not_offered_or_too_short(clock: Clock) -> None:
    options = BootOptions(clock)
    with pytest.raises(KeyError):
        options.set(99, b"\x00")
    with pytest.raises(KeyError):
        options.get(99)
    with pytest.raises(ValueError, match="5 bytes"):
        options.set(5, b"\x80")
