# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: BMCs with accounts behind a driver, in a file: they outlive a process that is killed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.stage0.metal.plugins.module_utils._drivers.base import Capability, PowerState, Target
from ansible_collections.stage0.metal.plugins.module_utils._drivers.managing import (
    AccountLevel,
    AccountWish,
    BmcAccount,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.support import PASSWORD, store

PLACES = 4
Slot = dict[str, Any]


class BmcRoom:
    """All BMCs by address. ``hooks``: what happens before or after the so-many-th request of a kind, all BMCs together.

    ``most``: bytes that a password may have; ``keeps``: bytes that are kept of one; ``deaf``: it takes none, and says it did.
    ``fixed``: the levels that accounts can have, whatever they are given.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.path = folder / "bmcs.json"
        self.hooks: dict[tuple[str, int], Callable[[], object]] = {}
        self.counts: dict[str, int] = {}
        self.targets: list[Target] = []
        self.most = self.keeps = 20
        self.deaf = False
        self.level_fails: MetalError | None = None
        admin = account("admin", PASSWORD)
        self.save({f"10.2.1.{number}": [admin] + [account()] * (PLACES - 1) for number in range(1, count + 1)})

    def load(self) -> dict[str, list[Slot]]:
        """Every BMC's slots, as they are now."""
        found: dict[str, list[Slot]] = json.loads(self.path.read_text())
        return found

    def save(self, slots: dict[str, list[Slot]]) -> None:
        """Change them."""
        self.path.write_text(json.dumps(slots))

    def give(self, address: str, number: int, **changes: Any) -> None:
        """Change one slot."""
        slots = self.load()
        slots[address][number] = {**slots[address][number], **changes}
        self.save(slots)

    def one(self, name: str, address: str = "10.2.1.1") -> Slot:
        """The account of this name."""
        return next(slot for slot in self.load()[address] if slot["name"] == name)

    def step(self, what: str) -> None:
        """Something is about to happen, or has happened."""
        self.counts[what] = self.counts.get(what, 0) + 1
        self.hooks.get((what, self.counts[what]), lambda: None)()

    def forget(self) -> None:
        """Begin to count anew, with no hooks."""
        self.hooks.clear()
        self.counts.clear()
        self.targets.clear()


def account(name: str = "", password: str = "", level: str = "administrator", enabled: bool = True) -> Slot:
    """A slot, as it lies in the file."""
    return {
        "name": name,
        "password": password,
        "level": level if name else "none",
        "enabled": enabled and bool(name),
    }


class AccountsDriver:
    """The verbs that accounts need, as base.Driver wants them."""

    name = "accounts"
    capabilities = frozenset(Capability)

    def __init__(self, room: BmcRoom) -> None:
        self.room = room

    def check(self, target: Target) -> None:
        """Nothing can be seen to be wrong."""

    def _slot(self, target: Target) -> Slot:
        for slot in self.room.load()[target.address]:
            if slot["name"] == target.user and slot["enabled"]:
                return slot
        raise MetalError(ErrorCode.AUTH, f"the BMC has no user {target.user!r}; see bmc.user")

    def _log_in(self, target: Target, levels: Sequence[str] = ("administrator",)) -> None:
        self.room.targets.append(target)
        slot = self._slot(target)
        if slot["password"] != target.password:
            self.room.counts["refused"] = self.room.counts.get("refused", 0) + 1
            raise MetalError(ErrorCode.AUTH, f"the BMC refuses the password of user {target.user!r}")
        if slot["level"] not in levels:
            raise MetalError(ErrorCode.PRIVILEGE, f"the BMC does not give user {target.user!r} this level")

    async def proof(self, target: Target, passwords: Sequence[str], seconds: float) -> str | None:
        """Which of them it is."""
        self.room.step("before proof")
        held = self._slot(target)["password"]
        self.room.step("after proof")
        return held if held in passwords else None

    async def power_state(self, target: Target, seconds: float) -> PowerState:
        """Let users in."""
        self.room.step("before power_state")
        self._log_in(target, ("user", "operator", "administrator"))
        return PowerState.ON

    async def accounts(self, target: Target, seconds: float) -> tuple[BmcAccount, ...]:
        """All slots."""
        self.room.step("before accounts")
        self._log_in(target)
        slots = self.room.load()[target.address]
        self.room.step("after accounts")
        return tuple(
            BmcAccount(number, slot["name"], AccountLevel(slot["level"]), slot["enabled"], free=not slot["name"])
            for number, slot in enumerate(slots, 2)
        )

    async def set_account(self, target: Target, wish: AccountWish, seconds: float) -> None:
        """Password first, then level, as the IPMI scripts do."""
        self.room.step("before set_account")
        self._log_in(target)
        room = self.room
        slots = room.load()[target.address]
        number = next((n for n, slot in enumerate(slots) if slot["name"] == wish.name), None)
        if number is None:
            number = next(n for n, slot in enumerate(slots) if not slot["name"])
        if not wish.present:
            room.give(target.address, number, **account())
            return
        if wish.password is not None:
            if len(wish.password) > room.most:
                raise MetalError(ErrorCode.UNSUPPORTED, f"the BMC takes no password of {len(wish.password)} bytes")
            if not room.deaf:
                room.give(target.address, number, name=wish.name, password=wish.password[: room.keeps])
        room.step("during set_account")
        if room.level_fails:
            raise room.level_fails
        room.give(target.address, number, level=str(wish.level), enabled=True)
        room.step("after set_account")

    async def close(self) -> None:
        """The last thing at BMCs before the task ends."""
        self.room.step("before close")


def stored(node: str = "r1n01") -> tuple[str | None, str | None, str | None]:
    """What the database has of a node: bmc.user, bmc.password, bmc.password_next."""
    with store() as opened:
        view = opened.views([node])[node]
        return view["bmc.user"], view["bmc.password"], view["bmc.password_next"]


def killed(work: Callable[[], object]) -> bool:
    """Run ``work`` in a process of its own; return whether it was killed by die()."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


KILLED = 99


def die() -> None:
    """End this process at once, as kill -9 does: nothing is tidied up."""
    os._exit(KILLED)
