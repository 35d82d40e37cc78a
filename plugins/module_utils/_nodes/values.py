# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the types that attribute values have, as a table of checks.

A check takes what the user gave (a string from CSV, or anything that YAML can hold) and returns the value in
its one stored form, or raises ValueError with the end of a sentence: "... is not a MAC address; write ...".
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable
from typing import Any

_MAC = re.compile(r"[0-9a-f]{12}")
_STORED_MAC = re.compile(r"[0-9a-f][02468ace](:[0-9a-f]{2}){5}")
_STORED_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_STORED_IPV4 = re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}")
"""What is written as it is stored: an import has hundreds of thousands of them."""
_HOSTNAME = re.compile(r"(?=.{1,253}$)(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_CRYPT = re.compile(r"\$(6|5|y|2b)\$[./A-Za-z0-9$=,]{8,200}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, everything that some program takes for a line break, and halves of characters."""

TRUE_WORDS = frozenset({"yes", "true", "on", "1"})
FALSE_WORDS = frozenset({"no", "false", "off", "0"})


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError("is not text")
    text = str(value).strip()
    if _CONTROL.search(text):
        raise ValueError("contains a control character or a line break, which no attribute may")
    return text


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,18}", str(value).strip()):
        raise ValueError("is not a whole number")
    return int(str(value).strip())


def _port(value: Any) -> int:
    number = _integer(value)
    if not 1 <= number <= 65535:
        raise ValueError("is not a port; write a number from 1 to 65535")
    return number


def _suite(value: Any) -> int:
    number = _integer(value)
    if not 0 <= number <= 19:
        raise ValueError("is not a cipher suite of IPMI 2.0; write 17 or 3")
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise ValueError("is neither true nor false")
    return word in TRUE_WORDS


def _mac(value: Any) -> str:
    if isinstance(value, int):
        raise ValueError("is a number: YAML takes a MAC address of digits for one (base 60); put it in quotes")
    if isinstance(value, str) and _STORED_MAC.fullmatch(value):
        return value
    digits = re.sub(r"[:.-]", "", _text(value).lower())
    if not _MAC.fullmatch(digits):
        raise ValueError("is not a MAC address; write six pairs of hex digits, as in 52:54:00:12:34:56")
    if int(digits[:2], 16) & 1:
        raise ValueError("is a multicast address, which no network card has as its own")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def _ip(value: Any) -> str:
    if isinstance(value, str) and _STORED_IPV4.fullmatch(value):
        return value
    try:
        return str(ipaddress.ip_address(_text(value)))
    except ValueError:
        raise ValueError("is not an IP address; write one as in 10.1.2.3") from None


def _netmask(value: Any) -> str:
    text = _text(value)
    try:
        netmask = str(ipaddress.IPv4Network(f"0.0.0.0/{text}").netmask)
    except ValueError:
        netmask = ""
    if not netmask or ("." in text and text != netmask):  # ipaddress takes 0.0.0.255 for what is to the right
        raise ValueError("is not a netmask; write one as in 255.255.255.0")
    return netmask


def _address(value: Any) -> str:
    text = _text(value)
    if _STORED_IPV4.fullmatch(text):
        return text
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    if not _HOSTNAME.fullmatch(text) or re.fullmatch(r"[0-9.]+", text):
        raise ValueError("is neither an IP address nor a host name")
    return text.lower()


def _hostname(value: Any) -> str:
    text = _text(value)
    if not _HOSTNAME.fullmatch(text):
        raise ValueError("is not a host name (letters, digits, dashes and dots)")
    return text.lower()


JUNK_UUIDS = frozenset(
    {
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "03000200-0400-0500-0006-000700080009",
        "00020003-0004-0005-0006-000700080009",
    }
)
"""What boards have whose maker gave them none: thousands share it, so it identifies nobody."""


def _uuid(value: Any) -> str:
    if isinstance(value, str) and _STORED_UUID.fullmatch(value) and value not in JUNK_UUIDS:
        return value
    try:
        found = str(uuid.UUID(_text(value)))
    except ValueError:
        raise ValueError("is not a UUID; write 32 hex digits as in 12345678-1234-1234-1234-123456789abc") from None
    if found in JUNK_UUIDS:
        raise ValueError("is what boards without a UUID of their own have; leave it out")
    return found


def _crypt(value: Any) -> str:
    text = _text(value)
    if not _CRYPT.fullmatch(text):
        raise ValueError("is not a crypt(3) hash; make one with the filter password_hash('sha512'), it begins with $6$")
    return text


def _addresses(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else re.split(r"[,;\s]+", _text(value))
    return [_ip(part) for part in parts if part != ""]


CHECKS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "int": _integer,
    "port": _port,
    "suite": _suite,
    "bool": _boolean,
    "mac": _mac,
    "ip": _ip,
    "netmask": _netmask,
    "address": _address,
    "addresses": _addresses,
    "hostname": _hostname,
    "uuid": _uuid,
    "crypt": _crypt,
}
"""Type name to its check."""
