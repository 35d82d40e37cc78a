# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: xCAT's networks."""

from __future__ import annotations

import ipaddress
from typing import Any

from ..batch import Entry
from ..errors import ErrorCode, MetalError
from ..networks import FIELDS
from .draft import Draft
from .xcat_source import Row

_MASTER = "<xcatmaster>"


def add_networks(rows: list[Row], draft: Draft) -> None:
    """Add the rows of xCAT's networks table. Raises: MetalError with line and column for what is no address."""
    names = {row.values.get("netname", ""): row.place for row in rows}
    here = draft.names(names, "network")
    for row in rows:
        name = here.get(row.values.pop("netname", ""))
        if name is not None:
            draft.batch.networks.append(Entry(row.place, name, None, _values(name, row, draft)))


def _values(name: str, row: Row, draft: Draft) -> dict[str, Any]:
    given = dict(row.values)
    values: dict[str, Any] = {"subnet": _subnet(given.pop("net", ""), given.pop("mask", ""), row, draft)}
    for column, target in COLUMNS.items():
        text = given.pop(column, "")
        where = f"{row.place}: {column}"
        if _MASTER in text:
            draft.leave(name, where, f"{_MASTER} is xCAT's word for its management node; set {target}")
        elif target == "dynamic_range" and "," in text:
            draft.leave(name, where, "several ranges; a network has one here")
        elif text and target not in values:
            try:
                values[target] = FIELDS[target](text)
            except ValueError as exc:
                raise MetalError(
                    ErrorCode.INVALID, f"{draft.batch.path}: {where} ({name}): {target} {text!r} {exc}"
                ) from None
    if given:
        draft.leave(name, row.place, f"a network has no place here for {', '.join(sorted(given))}")
    return values


def _subnet(net: str, mask: str, row: Row, draft: Draft) -> str:
    try:
        return str(ipaddress.ip_network(net if "/" in net else f"{net}/{mask.lstrip('/')}", strict=False))
    except ValueError:
        raise MetalError(
            ErrorCode.INVALID, f"{draft.batch.path}: {row.place}: net {net!r} with mask {mask!r} is not a network"
        ) from None


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
