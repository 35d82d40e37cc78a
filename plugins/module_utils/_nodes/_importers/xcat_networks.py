# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: xCAT's networks."""

from __future__ import annotations

import ipaddress
from typing import Any

from ..batch import Entry
from ..errors import MetalError
from ..networks import checked
from .draft import Draft, shortened
from .xcat_source import Row

_MASTER = "<xcatmaster>"


def add_networks(rows: list[Row], draft: Draft) -> None:
    """Add the rows of xCAT's networks table; what is no address is left out and named."""
    names = {row.values.get("netname", ""): row.place for row in rows}
    here = draft.names(names, "network")
    for row in rows:
        name = here.get(row.values.pop("netname", ""))
        values = _values(name, row, draft) if name is not None else {}
        if name is not None and values:
            draft.batch.networks.append(Entry(row.place, name, None, values))


def _values(name: str, row: Row, draft: Draft) -> dict[str, Any]:
    """Return what the network ``name`` has here; nothing if its subnet is none."""
    given = dict(row.values)
    net, mask = given.pop("net", ""), given.pop("mask", "")
    try:
        subnet = str(ipaddress.ip_network(net if "/" in net else f"{net}/{mask.lstrip('/')}", strict=False))
    except ValueError:
        draft.leave(name, row.place, shortened(f"left out: net {net!r} with mask {mask!r} is not a network"))
        return {}
    values: dict[str, Any] = {"subnet": subnet}
    for column, target in COLUMNS.items():
        text = given.pop(column, "")
        where = f"{row.place}: {column}"
        if _MASTER in text:
            draft.leave(name, where, f"{_MASTER} is xCAT's word for its management node; set {target}")
        elif target == "dynamic_range" and "," in text:
            draft.leave(name, where, "several ranges; a network has one here")
        elif text and target not in values:
            try:
                values.update(checked(name, {target: text}))
            except MetalError as exc:
                draft.leave(name, where, shortened(f"left out: {exc.message}"))
    if given:
        draft.leave(name, row.place, f"a network has no place here for {', '.join(sorted(given))}")
    return values


COLUMNS = {
    "vlanid": "vlan",
    "gateway": "gateway",
    "nameservers": "dns",
    "ntpservers": "ntp",
    "dynamicrange": "dynamic_range",
    "domain": "domain",
    "ddnsdomain": "domain",
}
"""xCAT's column to what a network has here; of two the first counts."""
