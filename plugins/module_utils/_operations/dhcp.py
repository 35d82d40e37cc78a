# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the operation ``dhcp_config``: dnsmasq's configuration from the node database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .._boot.architectures import ARCHITECTURES
from .._dhcp import dnsmasq
from .._dhcp.model import Loader, Service, reservations, subnet
from .._nodes.errors import ErrorCode, MetalError
from .context import Context

BOOT_QUERY = "/boot?mac=${netX/mac}&uuid=${uuid}"
"""iPXE fills in the braces; netX is the card that it booted from."""


def dhcp_config(context: Context, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Render, have dnsmasq test, swap in, restart. Where nothing changed, nothing is written or restarted."""
    service = _service(context, parameters)
    text = dnsmasq.render(service, parameters["extra"])
    dnsmasq.test(text, parameters["program"])
    path = Path(parameters["path"])
    before = dnsmasq.current(path)
    pending = path.with_name(f".{path.name}.restart")  # dnsmasq reads no file of its conf-dir that begins with a dot
    changed = before != text or pending.exists()
    restarted = False
    if changed and not context.check_mode:
        dnsmasq.replace(path, text, pending=pending)
        restarted = _restart(path, before, parameters["restart_command"])
        pending.unlink(missing_ok=True)
    return {
        "changed": changed,
        "file": str(path),  # not path: Ansible would add the file's owner and mode to the result
        "reservations": len(service.reservations),
        "restarted": restarted,
        "diff": {"before": before, "after": text, "before_header": str(path), "after_header": str(path)},
    }


def _service(context: Context, parameters: Mapping[str, Any]) -> Service:
    single = [parameters[key] or "" for key in ("hub_url", "tftp_root", "next_server")]
    for line in [*parameters["extra"], *parameters["interfaces"], *single]:
        if "\n" in line:
            raise MetalError(
                ErrorCode.INVALID, f"{line!r} holds a line break, which would add lines to dnsmasq's configuration"
            )
    if not re.fullmatch(r"http://[^\s,]+", parameters["hub_url"]):
        raise MetalError(
            ErrorCode.INVALID, f"hub_url: {parameters['hub_url']!r} is not a URL such as http://10.1.0.1:8480"
        )
    subnets = tuple(subnet(options) for options in parameters["subnets"])
    strict = parameters["nodes"] is not None
    with context.read() as store:
        names = store.expand(parameters["nodes"]) if strict else store.node_names()
        reserved = reservations(store.views(names).values(), subnets, strict=strict)
    return Service(
        interfaces=tuple(parameters["interfaces"]),
        subnets=subnets,
        reservations=reserved,
        loaders=tuple(Loader(one.tag, one.codes, one.loader) for one in ARCHITECTURES),
        boot_url=parameters["hub_url"].rstrip("/") + BOOT_QUERY,
        tftp_root=parameters["tftp_root"],
        next_server=parameters["next_server"],
    )


def _restart(path: Path, before: str, command: Sequence[str]) -> bool:
    """Restart dnsmasq; if it will not, put the old file back and start it with that. Raises: MetalError."""
    if not command:
        return False
    try:
        dnsmasq.restart(command)
    except MetalError as exc:
        if before:
            dnsmasq.replace(path, before)
            dnsmasq.restart(command)
            raise MetalError(exc.code, f"{exc.message}; it runs with the old configuration again") from exc
        path.unlink(missing_ok=True)
        raise
    return True
