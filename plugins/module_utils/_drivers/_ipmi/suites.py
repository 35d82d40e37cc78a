# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: the cipher suites that the engine speaks, and what it has against the others.

Standard: IPMI v2.0 revision 1.1, tables 13-17 to 13-20 and 22-20.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..._nodes.errors import ErrorCode, MetalError


@dataclass(frozen=True, slots=True)
class Suite:
    """A cipher suite: ``digest`` as hashlib names it, its full length, and that of authentication codes in packets."""

    number: int
    digest: str
    authentication: int
    integrity: int
    confidentiality: int
    full: int
    code: int
    proposal: bytes = field(init=False)
    """The three algorithms as Open Session Request lists them (table 13-9)."""

    def __post_init__(self) -> None:
        numbers = (self.authentication, self.integrity, self.confidentiality)
        records = (bytes((kind, 0, 0, 8, number, 0, 0, 0)) for kind, number in enumerate(numbers))
        object.__setattr__(self, "proposal", b"".join(records))


SUITES = {
    3: Suite(3, "sha1", 0x01, 0x01, 0x01, 20, 12),
    17: Suite(17, "sha256", 0x03, 0x04, 0x01, 32, 16),
}
"""RAKP-HMAC-SHA1 with HMAC-SHA1-96, and RAKP-HMAC-SHA256 with HMAC-SHA256-128, both with AES-CBC-128."""

PREFERRED = (17, 3)
"""In which order suites are tried if none is asked for: the second costs one round trip where the BMC lacks the first."""

_NO_AUTHENTICATION = "it lets anybody in without a password"
_NO_PRIVACY = "what is said is not encrypted"
_MD5 = "MD5 is broken, and no BMC has it that has not suite 3 as well"
_RC4 = "RC4 is broken"
REFUSED = {
    0: _NO_AUTHENTICATION,
    **dict.fromkeys((1, 2, 15, 16), _NO_PRIVACY),
    **dict.fromkeys((4, 5, 9, 10, 13, 14, 18, 19), _RC4),
    **dict.fromkeys((6, 7, 11), f"{_MD5}, and {_NO_PRIVACY}"),
    **dict.fromkeys((8, 12), _MD5),
}
"""Why the other suites of table 22-20 are not spoken."""


def candidates(number: int | None) -> tuple[Suite, ...]:
    """Return the suites to try, best first: the one with this ``number``, or the preferred ones.

    Raises: MetalError ``cipher`` for a suite that is not spoken here, with the reason.
    """
    if number is None:
        return tuple(SUITES[each] for each in PREFERRED)
    if number not in SUITES:
        why = REFUSED.get(number, "it is not one of the specification")
        raise MetalError(ErrorCode.CIPHER, f"cipher suite {number} is not used: {why}; say 17 or 3, or leave it out")
    return (SUITES[number],)
