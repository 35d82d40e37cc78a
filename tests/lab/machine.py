# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A QEMU machine with the verbs that a BMC needs.

Run as a program it is OpenIPMI's ``chassis_control`` (ipmi_sim_cmd(5)): ipmi_sim calls it as
``machine.py DIRECTORY get power boot`` or ``machine.py DIRECTORY set power 1`` and reads ``name:value`` lines.
It stands alone (standard library only) since it is started for every BMC command.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OVMF_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
OVMF_VARS = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
NO_OVERRIDE = "none"
OVERRIDES = {
    "pxe": ("net0", "disk0"),
    "default": ("disk0", "net0"),
    "disk": ("disk0", "net0"),
}
"""ipmi_sim's names of boot devices to the devices tried, in order; "default" is its name for the disk."""


class MachineError(Exception):
    """A verb that the machine could not carry out, in one sentence."""


@dataclasses.dataclass(frozen=True)
class MachineSpec:
    """What a machine is made of. ``boot_order`` is the firmware's own order: ``net0`` and ``disk0``."""

    name: str
    firmware: str
    mac: str
    tap: str
    uuid: str
    serial: str
    boot_order: tuple[str, ...]
    memory_mib: int = 512
    disk_mib: int = 256


class Machine:
    """One machine, whose state is the files of ``directory``: so that every call of the program finds it again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        raw = json.loads((directory / "machine.json").read_text())
        self.spec = MachineSpec(**{**raw, "boot_order": tuple(raw["boot_order"])})
        self.disk = directory / "disk.raw"
        self.serial_log = directory / "serial.log"
        self.chassis_log = directory / "chassis.log"
        self._qmp_socket = directory / "qmp.sock"
        self._pid_file = directory / "qemu.pid"
        self._override_file = directory / "boot_override"

    @classmethod
    def create(cls, directory: Path, spec: MachineSpec) -> Machine:
        """Make a machine that is off and has an empty disk; ``directory`` must not exist yet."""
        directory.mkdir(parents=True)
        (directory / "machine.json").write_text(json.dumps(dataclasses.asdict(spec), indent=1))
        machine = cls(directory)
        with machine.disk.open("wb") as disk:
            disk.truncate(spec.disk_mib << 20)
        machine.serial_log.touch()
        machine.chassis_log.touch()
        if spec.firmware == "uefi":
            shutil.copyfile(OVMF_VARS, directory / "ovmf_vars.fd")
        return machine

    def pid(self) -> int | None:
        """Process id of the running QEMU, None while the machine is off."""
        try:
            pid = int(self._pid_file.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        # A zombie's command line is empty; a recycled pid has another one.
        return pid if str(self._qmp_socket).encode() in command else None

    def override(self) -> str:
        """The boot override that the next start will use, in ipmi_sim's words."""
        try:
            return self._override_file.read_text().strip()
        except FileNotFoundError:
            return NO_OVERRIDE

    def set_lamp(self, value: str) -> None:
        """Light the lamp: seconds, and whether it is for good, in the one word in which ipmi_sim hands them over."""
        seconds, force = value.split()
        (self.directory / "lamp").write_text("on" if force == "1" else f"{seconds} s")

    def lamp(self) -> str | None:
        """What the lamp was told last; None if nothing."""
        file = self.directory / "lamp"
        return file.read_text() if file.exists() else None

    def set_override(self, device: str) -> None:
        """Take an override for the next start; ``none`` takes it back."""
        if device == NO_OVERRIDE:
            self._override_file.unlink(missing_ok=True)
            return
        self._override_file.write_text(device)

    def power_on(self) -> None:
        """Start the machine; nothing happens if it runs."""
        if self.pid():
            return
        subprocess.run(self._command(self._indexes()), check=True, stdin=subprocess.DEVNULL)
        self._drop_override()

    def power_off(self, patience_s: float = 5.0) -> None:
        """Pull the plug; returns when QEMU is gone."""
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            pid = self.pid()
            if not pid:
                return
            os.kill(pid, signal_number)
            give_up = time.monotonic() + patience_s
            while self.pid() and time.monotonic() < give_up:
                time.sleep(0.02)
        if self.pid():
            raise MachineError(f"{self.spec.name}: QEMU does not end")

    def reset(self) -> None:
        """Press the reset button, with the override if there is one."""
        with self._qmp() as execute:
            self._set_indexes(execute, self._indexes())
            execute("system_reset", until_event="RESET")
        self._drop_override()

    def shutdown(self) -> None:
        """Press the power button once (ACPI); returns at once."""
        with self._qmp() as execute:
            execute("system_powerdown")

    def log(self, *words: str) -> None:
        """Keep what the BMC asked for, with the time of day."""
        with self.chassis_log.open("a") as log:
            print(f"{time.time():.3f}", *words, file=log)

    def _indexes(self) -> dict[str, int]:
        order = OVERRIDES.get(self.override(), self.spec.boot_order)
        return {device: position for position, device in enumerate(order, start=1)}

    def _drop_override(self) -> None:
        """Make the override a one-shot: the firmware has read the order, QEMU publishes the next at the next reset."""
        if self.override() == NO_OVERRIDE:
            return
        self.set_override(NO_OVERRIDE)
        with self._qmp() as execute:
            self._set_indexes(execute, self._indexes())

    @staticmethod
    def _set_indexes(execute: Callable[..., None], indexes: dict[str, int]) -> None:
        # All to -1 first: two devices may not share an index even for a moment.
        for device, index in [*((device, -1) for device in indexes), *indexes.items()]:
            execute("qom-set", path=f"/machine/peripheral/{device}", property="bootindex", value=index)

    @contextmanager
    def _qmp(self) -> Iterator[Callable[..., None]]:
        """A session with QEMU's monitor: yields ``execute(command, until_event=None, **arguments)``."""
        if not self.pid():
            raise MachineError(f"{self.spec.name} is off")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self._qmp_socket))
            with connection.makefile("rw") as stream:
                stream.readline()  # the greeting

                def execute(command: str, until_event: str | None = None, **arguments: Any) -> None:
                    stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
                    stream.flush()
                    self._await_answer(stream.readline, command, until_event)

                execute("qmp_capabilities")
                yield execute

    def _await_answer(self, read_line: Callable[[], str], command: str, until_event: str | None) -> None:
        answered = False
        while not answered or until_event:
            message = json.loads(read_line())
            if "error" in message:
                raise MachineError(f"{self.spec.name}: QEMU refused {command}: {message['error']['desc']}")
            answered = answered or "return" in message
            if message.get("event") == until_event:
                until_event = None

    def _command(self, indexes: dict[str, int]) -> list[str]:
        spec = self.spec
        # fmt: off
        return [
            "qemu-system-x86_64", "-name", spec.name, "-accel", "tcg", "-cpu", "max", "-m", str(spec.memory_mib),
            # graphics=off: SeaBIOS and iPXE speak on the serial line.
            "-machine", "pc,graphics=off", "-display", "none", "-vga", "none", "-nodefaults", "-no-user-config",
            "-uuid", spec.uuid, "-smbios", f"type=1,manufacturer=stage0,product=lab,serial={spec.serial}",
            "-qmp", f"unix:{self._qmp_socket},server=on,wait=off", "-pidfile", str(self._pid_file), "-daemonize",
            "-chardev", f"file,id=serial0,path={self.serial_log},append=on", "-serial", "chardev:serial0",
            "-device", "virtio-rng-pci",
            "-drive", f"if=none,id=drive0,format=raw,cache=unsafe,file={self.disk}",
            "-device", f"virtio-blk-pci,id=disk0,drive=drive0,bootindex={indexes['disk0']}",
            "-netdev", f"tap,id=wire0,ifname={spec.tap},script=no,downscript=no",
            *self._network_card(indexes["net0"]),
        ]
        # fmt: on

    def _network_card(self, index: int) -> list[str]:
        card = f"virtio-net-pci,id=net0,netdev=wire0,mac={self.spec.mac},bootindex={index}"
        if self.spec.firmware == "bios":
            return ["-device", card]  # QEMU's ROM for it is iPXE
        variables = self.directory / "ovmf_vars.fd"
        # fmt: off
        return [
            # No ROM: OVMF's own PXE client loads iPXE by TFTP, as a bought machine does.
            "-device", f"{card},romfile=",
            "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF_CODE}",
            "-drive", f"if=pflash,unit=1,format=raw,file={variables}",
            "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n",
        ]
        # fmt: on


def _set_power(machine: Machine, value: str) -> None:
    verb = machine.power_on if value == "1" else machine.power_off
    verb()


GETTERS: dict[str, Callable[[Machine], str]] = {
    "power": lambda machine: "1" if machine.pid() else "0",
    "boot": Machine.override,
}
SETTERS: dict[str, tuple[int, Callable[..., None]]] = {
    "power": (1, _set_power),
    "reset": (1, lambda machine, _value: machine.reset()),
    "boot": (1, Machine.set_override),
    "shutdown": (1, lambda machine, _value: machine.shutdown()),
    "identify": (1, Machine.set_lamp),
}
"""Verb to how many values follow it and what carries it out."""


def _get(machine: Machine, names: list[str]) -> None:
    for name in names:
        print(f"{name}:{GETTERS[name](machine)}")


def _set(machine: Machine, words: list[str]) -> None:
    while words:
        verb, *words = words
        count, setter = SETTERS[verb]
        machine.log(verb, *words[:count], "override", machine.override())
        setter(machine, *words[:count])
        words = words[count:]


def main(arguments: list[str]) -> int:
    """ipmi_sim's chassis program: prints what was asked for; a sentence on stderr and 1 if it could not be done."""
    directory, operation, *words = arguments
    machine = Machine(Path(directory))
    try:
        {"get": _get, "set": _set}[operation](machine, words)
    except (KeyError, OSError, subprocess.CalledProcessError, MachineError) as exc:
        machine.log("failed", operation, *words, repr(exc))
        print(f"{operation} {' '.join(words)}: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
