# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: dnsmasq (man dnsmasq, version 2.80 or later): its configuration, and putting it in place.

All of it stands in one file, reservations too, and dnsmasq is restarted when that file changes: on SIGHUP, dnsmasq 2.90
crashes with tags in a hosts file, and takes an edited reservation for a duplicate. Leases survive in its lease file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from .._nodes.errors import ErrorCode, MetalError
from .model import IPXE_OPTION, Service

SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where dnsmasq is; not in the search path of every user."""
HEADER = "# Written by stage0.metal.dhcp_config. Changes made here are overwritten."


def render(service: Service, extra: Sequence[str] = ()) -> str:
    """Return the configuration file for ``service``, with the lines ``extra`` at its end."""
    return "\n".join([HEADER, *_lines(service), *extra, ""])


def _lines(service: Service) -> Iterator[str]:
    yield "port=0"  # no DNS
    yield "bind-interfaces"
    yield "except-interface=lo"
    yield from (f"interface={name}" for name in service.interfaces)
    yield "no-ping"  # the ICMP check of each offer takes seconds, one client after the other: fatal when a room boots
    yield "dhcp-authoritative"
    for subnet in service.subnets:
        tag = f"net-{str(subnet.network.network_address).replace('.', '-')}"
        if subnet.pool:
            ends = f"{subnet.pool[0]},{subnet.pool[1]},{subnet.network.netmask}"
            yield f"dhcp-range=set:{tag},{ends},{subnet.lease_seconds}"
        else:
            yield f"dhcp-range=set:{tag},{subnet.network.network_address},static,{subnet.network.netmask},{subnet.lease_seconds}"
        yield f"dhcp-option=tag:{tag},option:router" + (f",{subnet.gateway}" if subnet.gateway else "")
        if subnet.dns:
            yield f"dhcp-option=tag:{tag},option:dns-server,{','.join(map(str, subnet.dns))}"
    yield f"dhcp-match=set:ipxe,{IPXE_OPTION}"
    for loader in service.loaders:
        yield from (f"dhcp-match=set:{loader.tag},option:client-arch,{code}" for code in loader.codes)
    yield f"dhcp-boot=tag:ipxe,{service.boot_url}"
    server = f",,{service.next_server}" if service.next_server else ""
    for loader in service.loaders:
        yield f"dhcp-boot=tag:!ipxe,tag:{loader.tag},{loader.file}{server}"
    if service.tftp_root:
        yield "enable-tftp"
        yield f"tftp-root={service.tftp_root}"
    yield from (f"dhcp-host={one.mac},{one.ip},{one.hostname}" for one in service.reservations)


def current(path: Path) -> str:
    """Return what stands in ``path`` now; an empty string if it is not there. Raises: MetalError ``invalid``."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as exc:
        raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be read: {exc}") from exc


def test(text: str, program: str) -> None:
    """Have dnsmasq itself check ``text``. Raises: MetalError ``invalid`` with what it says, ``missing`` without dnsmasq."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_FOLDERS}") or program
    with tempfile.NamedTemporaryFile("w", prefix="stage0-", suffix=".conf", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        try:
            checked = subprocess.run(
                [found, "--test", "-C", file.name], capture_output=True, text=True, check=False, timeout=60
            )
        except OSError as exc:
            raise MetalError(
                ErrorCode.MISSING, f"dnsmasq cannot be run as {program!r}: {exc.strerror}; install it or set program"
            ) from exc
        if checked.returncode:
            said = (checked.stderr or checked.stdout).strip().replace(file.name, "the new configuration")
            raise MetalError(ErrorCode.INVALID, f"dnsmasq refuses the new configuration, the old one stays: {said}")


def replace(path: Path, text: str, *, pending: Path | None = None) -> None:
    """Write ``text`` to ``path`` by way of a temporary name beside it. Raises: MetalError ``invalid``.

    ``pending``: an empty file to make before, for whoever comes after a run that dies before it restarts dnsmasq.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.chmod(0o644)
        if pending is not None:
            pending.touch()
        temporary.replace(path)
    except OSError as exc:
        temporary.unlink(missing_ok=True)
        raise MetalError(ErrorCode.INVALID, f"the file {path} cannot be written: {exc.strerror}") from exc


def restart(command: Sequence[str]) -> None:
    """Run ``command`` (no shell). Raises: MetalError ``not_reached`` with what it printed."""
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, check=False, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise MetalError(ErrorCode.NOT_REACHED, f"dnsmasq could not be restarted by {command[0]!r}: {exc}") from exc
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise MetalError(
            ErrorCode.NOT_REACHED,
            f"dnsmasq could not be restarted, {command[0]!r} ended with {done.returncode}: {said}",
        )
