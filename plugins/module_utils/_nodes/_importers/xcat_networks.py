# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: xCAT's networks."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from ..batch import Entry
from ..errors import ErrorCode, MetalError
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
    for column, (target, read) in COLUMNS.items():
        text = given.pop(column, "")
        if not text:
            continue
        if _MASTER in text:
            draft.leave(
                name, f"{row.place}: {column}", f"{_MASTER} is xCAT's word for its management node; set {target}"
            )
            continue
        try:
            values.setdefault(target, read(text))
        except ValueError:
            raise MetalError(
                ErrorCode.INVALID,
                f"{draft.batch.path}: {row.place}: {column} ({name}): {text!r} is not right for {target}",
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


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def _addresses(text: str) -> list[str]:
    return [_address(part) for part in re.split(r"[,;\s]+", text) if part]


def _range(text: str) -> str:
    first, dash, last = text.replace(" ", "").partition("-")
    if not dash:
        raise ValueError(text)
    return f"{_address(first)}-{_address(last)}"


def _names(text: str) -> list[str]:
    return [part for part in re.split(r"[,;\s]+", text) if part]


COLUMNS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "vlanid": ("vlan", int),
    "gateway": ("gateway", _address),
    "nameservers": ("dns", _addresses),
    "ntpservers": ("ntp", _names),
    "dynamicrange": ("dynamic_range", _range),
    "domain": ("domain", str),
    "ddnsdomain": ("domain", str),
}
"""xCAT's column to what a network has here, and how to read it."""
