# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: scripts for the accounts of a BMC.

Standard: IPMI v2.0 revision 1.1, sections 22.26 to 22.30 (user access, name, password).
"""

from __future__ import annotations

from contextlib import suppress

from ..._nodes.errors import ErrorCode, MetalError
from ..managing import AccountLevel, AccountWish, BmcAccount
from .lan import channel
from .script import APP, Refused, Script, ask

_SET_ACCESS, _GET_ACCESS, _SET_NAME, _GET_NAME, _PASSWORD = 0x43, 0x44, 0x45, 0x46, 0x47
_DISABLE, _ENABLE, _SET = range(3)
_LONG = 0x80
"""Bit 7 of the first byte of Set User Password: 20 bytes follow, not 16."""
_CHANGE_LINK_AND_MESSAGING = 0x80 | 0x20 | 0x10
"""Set User Access: change these bits; link authentication, IPMI messaging."""
_FIRST = 2
"""User 1 is the one without a name, which IPMI keeps."""
_MOST_USERS = 63
_NAME_BYTES = 16
_LEVELS = {
    0: AccountLevel.NONE,
    1: AccountLevel.CALLBACK,
    2: AccountLevel.USER,
    3: AccountLevel.OPERATOR,
    4: AccountLevel.ADMINISTRATOR,
    5: AccountLevel.OEM,
    15: AccountLevel.NONE,
}
_NUMBERS = {
    AccountLevel.NONE: 15,
    AccountLevel.USER: 2,
    AccountLevel.OPERATOR: 3,
    AccountLevel.ADMINISTRATOR: 4,
}
_ENABLED = {1: True, 2: False}
_MESSAGING = 0x10
_NOT_THERE = frozenset({0xC9, 0xCB, 0xCC})
"""What BMCs say of a slot that was never used."""


def accounts() -> Script[tuple[BmcAccount, ...]]:
    """Return all accounts, and the places for new ones."""
    number = yield from channel()
    return tuple((yield from _slots(number)))


def _slots(number: int) -> Script[list[BmcAccount]]:
    found: list[BmcAccount] = []
    most = 1
    user = 1
    while user <= most:
        try:
            access = yield from ask(APP, _GET_ACCESS, bytes((number, user)), least=4)
        except Refused as exc:
            if user == 1 or exc.completion not in _NOT_THERE:
                raise
        else:
            most = min(access[0] & 0x3F, _MOST_USERS)
            found.append(_account(user, access, (yield from _name(user))))
        user += 1
    return found


def _account(user: int, access: bytes, name: str) -> BmcAccount:
    enabled = _ENABLED.get(access[1] >> 6)
    return BmcAccount(
        number=user,
        name=name,
        level=_LEVELS.get(access[3] & 0x0F, AccountLevel.NONE),
        enabled=enabled if access[3] & _MESSAGING else False,  # without it nobody can log in over the network
        free=user >= _FIRST and not name,
    )


def _name(user: int) -> Script[str]:
    try:
        data = yield from ask(APP, _GET_NAME, bytes((user,)))
    except Refused as exc:
        if exc.completion not in _NOT_THERE:
            raise  # the name of an account that is in use must not be taken for none
        return ""
    return data[:_NAME_BYTES].partition(b"\0")[0].decode("utf-8", "replace")


def set_account(wish: AccountWish) -> Script[None]:
    """Make an account what ``wish`` says. Raises: MetalError ``conflict`` if there is no free slot for a new one."""
    number = yield from channel()
    slots = yield from _slots(number)
    named = [each for each in slots if each.name == wish.name]
    if not wish.present:
        for each in named:
            yield from _remove(number, each)
        return
    slot = named[0] if named else (yield from _new(slots, wish))
    if named and wish.password is not None:
        yield from _set_password(slot.number, wish.password.encode())
    # Some BMCs have accounts whose level cannot be set, not even to what it is.
    if not named or slot.level is not wish.level or slot.enabled is not True:
        yield from _set_level(number, slot.number, wish.level)
    if not named or slot.enabled is not True:
        yield from _operate(slot.number, _ENABLE)


def _new(slots: list[BmcAccount], wish: AccountWish) -> Script[BmcAccount]:
    """Name a free slot and give it its password; if it does not get that, it has no name again."""
    if wish.password is None:
        raise MetalError(ErrorCode.MISSING, f"the BMC has no account {wish.name!r}, and a new one needs a password")
    slot = min(
        (each for each in slots if each.free), key=lambda each: (each.enabled is True, each.number), default=None
    )
    if slot is None:
        raise MetalError(ErrorCode.CONFLICT, f"the BMC has no free account: all {len(slots)} are taken")
    yield from ask(APP, _SET_NAME, bytes((slot.number,)) + wish.name.encode().ljust(_NAME_BYTES, b"\0"))
    try:
        yield from _set_password(slot.number, wish.password.encode())
    except MetalError:
        yield from _unname(slot)
        raise
    return slot


def _remove(number: int, slot: BmcAccount) -> Script[None]:
    yield from _operate(slot.number, _DISABLE)
    yield from _set_level(number, slot.number, AccountLevel.NONE)
    yield from _unname(slot)


def _unname(slot: BmcAccount) -> Script[None]:
    with suppress(Refused):  # some do not take an empty name; the account is closed all the same
        yield from ask(APP, _SET_NAME, bytes((slot.number,)) + bytes(_NAME_BYTES))


def _set_level(number: int, user: int, level: AccountLevel) -> Script[None]:
    yield from ask(APP, _SET_ACCESS, bytes((_CHANGE_LINK_AND_MESSAGING | number, user, _NUMBERS[level], 0)))


def _operate(user: int, operation: int) -> Script[None]:
    """Enable or disable a user; some BMCs want the bytes of a password behind it."""
    try:
        yield from ask(APP, _PASSWORD, bytes((user, operation)))
    except Refused as exc:
        if exc.completion != 0xC7:
            raise
        yield from ask(APP, _PASSWORD, bytes((user, operation)) + bytes(16))


def _set_password(user: int, password: bytes) -> Script[None]:
    """Set a password: in 16 bytes where it fits, which every BMC has and which every client can test, else in 20."""
    if len(password) <= 16:
        yield from ask(APP, _PASSWORD, bytes((user, _SET)) + password.ljust(16, b"\0"))
        return
    try:
        yield from ask(APP, _PASSWORD, bytes((_LONG | user, _SET)) + password.ljust(20, b"\0"))
    except Refused as exc:
        if exc.code is ErrorCode.PRIVILEGE or exc.retryable:
            raise
        raise MetalError(
            ErrorCode.UNSUPPORTED,
            f"the BMC takes no password of {len(password)} bytes, but perhaps one of 16: {exc.message}",
        ) from exc
