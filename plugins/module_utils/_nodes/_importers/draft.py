# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: a batch in the making, by rules that all importers share.

What has an attribute here becomes that attribute. A bad value of it is named as unmapped and kept as text, and the
attribute is null, so that one bad cell of ten thousand stops nothing, and no other group's value takes its place.
What has no attribute is kept as text under ``custom.SOURCE.*``. What cannot be kept, or must not (whatever looks like
a secret), is named as unmapped. Upper case in names becomes lower case where that makes no two names one.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..batch import Batch, Entry, Unmapped
from ..errors import ErrorCode, MetalError
from ..expression import escape
from ..names import check_name
from ..schema import SECRETS, attribute
from ..values import JUNK_UUIDS

_LINE = re.compile(r": line [0-9]+")
_PART = re.compile(r"[a-z][a-z0-9_]*")
_SECRET_WORDS = frozenset(
    ["auth", "cred", "creds", "keys", "otp", "pem", "pin", "passcode", "passphrase", "passwort", "vault"]
)
_SECRET_PARTS = ("password", "passwd", "passphrase", "secret", "apikey", "credential", "token", "privatekey")
_SECRET_ENDS = ("community", "key", "pass", "psk", "pw", "pwd")
_HARMLESS = frozenset(["bypass", "compass", "encompass", "hotkey", "monkey", "pubkey", "publickey", "turkey"])
"""Words that end as secrets do."""
_SECRET_VALUE = re.compile(
    r"""\$ANSIBLE_VAULT | -----BEGIN
    | \$(?:1|2[abxy]|5|6|y|7)\$[./A-Za-z0-9$=,]{8}  # what crypt(3) makes
    | ://[^/@\s:]*:[^/@\s]+@  # a URL with a password
    | (?i:pass\w{0,20}|pwd|pw|secret|token|api_?key|psk|community)["']?\s{0,9}[=:]\s{0,9}\S  # password=x
    | (?:^|\s)(?:-P\s{0,9}\S | (?i:--?pass\w{0,20})\s{1,9}\S | (?:-u|--user)[\s=]{0,9}[^\s:]{1,99}:\S)  # ipmitool, curl
    | \b(?i:bearer)\s+[\w+/=.~-]{8}
    | \beyJ[\w-]{5,999}\.[\w-]{1,999}\.[\w-]  # a JSON Web Token
    | \b(?:AKIA|ASIA)[0-9A-Z]{16} | \bAIza[\w-]{30} | \bgh[oprsu]_\w{30} | \bgithub_pat_\w{20} | \bglpat-[\w-]{15}
    | \bxox[a-z]-[\w-]{10} | \bhv[bs]\.\w{20} | \bsk-[\w-]{20} | \bAGE-SECRET-KEY-1""",
    re.ASCII | re.VERBOSE,
)
LONGEST = 300
"""The most characters of a reason that quotes a bad value."""
SECRET = "it looks like a secret, which is never kept under custom.*"


def looks_secret(name: str, value: object = None) -> bool:
    """Whether a variable or column called ``name``, or its ``value``, is likely a secret; better once too often."""
    flat = name.lower()
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    if any(part in flat for part in _SECRET_PARTS) or any(map(_is_secret_word, words)):
        return True
    if isinstance(value, Mapping):
        return any(looks_secret(str(key), inner) for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return any(looks_secret("", inner) for inner in value)
    return isinstance(value, str) and bool(_SECRET_VALUE.search(value))


def _is_secret_word(word: str) -> bool:
    one = word.removesuffix("s") if word.endswith("keys") else word
    return word in _SECRET_WORDS or (one.endswith(_SECRET_ENDS) and one not in _HARMLESS)


def custom_name(*parts: str, root: str = "custom") -> str:
    """Return the attribute's name under custom.* (or another ``root``) for names of another program, each made fit."""
    clean = [re.sub(r"[^a-z0-9_]+", "_", part.lower()).strip("_") for part in parts]
    return ".".join([root, *(part if _PART.fullmatch(part) else f"x{part}" for part in clean)])


class Draft:
    """The batch that a reader fills, from ``path``; ``source`` is the word after ``custom.``."""

    def __init__(self, path: Path, source: str) -> None:
        self.batch = Batch(str(path))
        self.source = source

    def leave(self, name: str, source: str, reason: str) -> None:
        """Name what is not taken over. Lines are left out of ``source``: the same of many nodes is told as one."""
        self.batch.unmapped.append(Unmapped(name, _LINE.sub("", source), reason))

    def names(self, found: Mapping[str, str], kind: str, taken: Iterable[str] = ()) -> dict[str, str]:
        """Return name there to name here, for those that can be names here; the others are named as unmapped.

        ``found``: each name to where it stands. ``taken``: names here that this ``kind`` may not have.
        """
        here: dict[str, str] = {}
        lowered = Counter(name.lower() for name in found)
        forbidden = set(taken)
        for name, place in found.items():
            new = name.lower()
            try:
                check_name(new, kind)
            except MetalError as exc:
                self.leave(name, place, f"the {kind} is left out: {exc.message}")
                continue
            if lowered[new] > 1:
                self.leave(name, place, f"the {kind} is left out: other names differ from it by upper case only")
            elif new in forbidden:
                self.leave(name, place, f"the {kind} is left out: a node is called so, too")
            else:
                here[name] = new
                if new != name:
                    self.leave(name, place, f"the {kind} is called {new} here: names are in lower case")
        return here

    def put(self, entry: Entry, name: str, value: Any, where: str, parts: tuple[str, ...] = ()) -> None:
        """Set attribute ``name`` to ``value`` as it is (an expression is one), unless ``entry`` has a value of it.

        ``parts``: what the value is kept as if it is bad, as for keep().
        """
        if name in entry.values:
            return
        try:
            entry.values[name] = attribute(name).check(value)
        except MetalError as exc:
            self.refuse(entry, name, value, where, exc.message, parts)

    def refuse(self, entry: Entry, name: str, value: Any, where: str, reason: str, parts: tuple[str, ...]) -> None:
        """Name a bad value of attribute ``name``, keep it as text, and blank the attribute."""
        told = SECRET if looks_secret("", value) else shortened(reason)
        self.leave(entry.name, where, told)
        with suppress(MetalError):  # a name that is none has nothing to blank
            entry.values.setdefault(attribute(name).name, None)
        if parts and value is not None and told != SECRET and name not in SECRETS:
            self.keep(entry, parts, value if isinstance(value, str) else json.dumps(value), where)

    def put_text(self, entry: Entry, name: str, value: Any, where: str, parts: tuple[str, ...] = ()) -> None:
        """Set attribute ``name`` to ``value`` whose braces, if any, mean themselves; else as put()."""
        if str(value).strip().lower() in JUNK_UUIDS:
            self.leave(entry.name, where, "the board has no UUID of its own: many have this one")
            return
        try:
            checked = attribute(name).check_value(value)
        except MetalError as exc:
            self.refuse(entry, name, value, where, exc.message, parts)
            return
        text = escape(checked) if isinstance(checked, str) and name not in SECRETS else checked
        self.put(entry, name, text, where, parts)

    def keep(
        self, entry: Entry, parts: tuple[str, ...], value: str, where: str, *, literal: bool = True, own: bool = False
    ) -> None:
        """Keep ``value`` as text under custom.SOURCE.* (``own``: under custom.* itself), or name why it cannot be."""
        if looks_secret(".".join(parts), value):
            self.leave(entry.name, where, SECRET)
            return
        name = custom_name(*(() if own else (self.source,)), *parts)
        if name in entry.values:
            self.leave(entry.name, where, f"{name} has a value from another place already")
            return
        try:
            entry.values[name] = attribute(name).check(escape(value) if literal else value)
        except MetalError as exc:
            self.leave(entry.name, where, f"it cannot be kept: {exc.message}")


def shortened(text: str) -> str:
    """Return ``text``, or the beginning of it if it is long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def unreadable(path: Path, what: str, exc: Exception) -> MetalError:
    """Return the error for a file that is not what it should be."""
    reason = getattr(exc, "strerror", None) or exc
    return MetalError(ErrorCode.INVALID, f"{path} cannot be read as {what}: {' '.join(str(reason).split())}")
