# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: what nodes ask of the hub, decided in one transaction each: boot script, answer file, report.

A node without an armed deployment is always told to boot its own disk. Each serving of the boot script makes a new
token, so that the database never holds one and an old one opens nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from .._boot import ipxe
from .._nodes.errors import MetalError
from .._nodes.schema import attribute
from .._nodes.store import Store
from . import answer, tokens
from .deployments import Deployment, Deployments
from .states import ARROWS, LOST, REPORTABLE, RIGHTS, Right, State

MAX_MESSAGE = 500
"""Characters of a node's message that are kept."""


class Refused(Exception):
    """A node may not have what it asks for. ``status``: the HTTP status; the text is for the log and the node."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Report:
    """What a node says of itself: a ``state``, perhaps with ``percent`` (0-100) and a ``message``."""

    state: State
    percent: int | None = None
    message: str | None = None


def who_asks(store: Store, mac: str | None, uuid: str | None) -> str | None:
    """Return the node with that MAC address, else the one with that UUID, else None. What is not either is ignored.

    Where both are known and name two nodes, nobody is meant: one of the two entries is wrong, and guessing installs.
    """
    found = [owner for owner in (_owner(store, "net.mac", mac), _owner(store, "system.uuid", uuid)) if owner]
    if len(set(found)) > 1:
        store.event("boot refused", found[0], None, {"reason": f"its MAC address came with the UUID of {found[1]}"})
        return None
    return found[0] if found else None


def _owner(store: Store, name: str, value: str | None) -> str | None:
    if not value:
        return None
    try:
        return store.owner_of(name, attribute(name).check_value(value))
    except MetalError:
        return None


def boot_script(store: Store, hub: answer.Hub, mac: str | None, uuid: str | None) -> str:
    """Return the iPXE script for the machine that asks. Never raises for a machine: what cannot install boots its disk."""
    node = who_asks(store, mac, uuid)
    if node is None:
        return ipxe.local("this machine is not in the node database")
    deployments = Deployments(store)
    found = deployments.latest([node]).get(node)
    if found is None:
        return ipxe.local(f"{node}: nothing is armed")
    if found.state is State.INSTALLING:
        message = (
            "the machine rebooted in mid-install and asked for its boot script; it was sent to its disk, "
            "lest it install in a loop; look at the installer's log on its console"
        )
        deployments.move(found, State.FAILED, message, message=message)
    elif found.state in (State.ARMED, State.BOOTING):
        return _install_script(store, deployments, found, hub)
    if found.state not in LOST:
        deployments.note(found.id, "boot script", "boot from disk")
    return ipxe.local(f"{node}: deployment {found.id} is {found.state}")


def _install_script(store: Store, deployments: Deployments, found: Deployment, hub: answer.Hub) -> str:
    if found.boots >= found.profile.max_boots:
        message = (
            f"the boot script was served {found.boots} times and no installer came up; look at the machine's console"
        )
        deployments.move(found, State.FAILED, message, message=message)
        return ipxe.local(f"{found.node}: given up after {found.boots} boots")
    view = store.views([found.node])[found.node]
    if view["deploy.lock"] == "locked":
        message = "the node was locked after it was armed"
        deployments.move(found, State.CANCELLED, message, message=message)
        return ipxe.local(f"{found.node}: locked against deployment")
    token = tokens.new()
    try:
        script = answer.boot_script(view, found.profile, hub, token, found.id)
    except MetalError as exc:
        message = f"the boot script cannot be made: {exc.message}"
        deployments.move(found, State.FAILED, message, message=message)
        return ipxe.local(f"{found.node}: its deployment failed, see the hub")
    values = {"token_hash": tokens.hashed(token), "boots": found.boots + 1, "heard_at": time.time(), "percent": None}
    detail = f"boot script served, number {found.boots + 1}"
    if found.state is State.ARMED:
        deployments.move(found, State.BOOTING, detail, **values)
    else:
        deployments.update(found, **values)
        deployments.note(found.id, "boot script", detail)
    return script


def _entitled(deployments: Deployments, node: str, token: str, right: Right) -> Deployment:
    """Return the node's deployment if ``token`` is its own and good for ``right`` now. Raises: Refused."""
    found = deployments.latest([node]).get(node)
    if found is None or not tokens.fits(token, found.token_hash):
        reason = f"a token that is not this node's was shown for {right}"
        if found is not None:  # else anybody could fill the table with names of his own
            deployments.note(found.id, "refused", reason)
            deployments.store.event("token refused", node, None, {"for": str(right), "reason": reason})
        raise Refused(403, reason)
    if found.state not in RIGHTS[right]:
        reason = f"deployment {found.id} is {found.state}; this token is no longer good for {right}"
        deployments.note(found.id, "refused", reason)
        raise Refused(410, reason)
    return found


def answer_file(store: Store, hub: answer.Hub, node: str, token: str) -> str:
    """Return the node's answer file; that it is fetched shows that the installer runs. Raises: Refused, MetalError."""
    deployments = Deployments(store)
    found = _entitled(deployments, node, token, Right.ANSWER)
    text = answer.answer_file(store.views([node])[node], found.profile, hub, token, found.id)
    if found.state is State.BOOTING:
        deployments.move(found, State.INSTALLING, "answer file fetched", heard_at=time.time())
    else:
        deployments.note(found.id, "answer file", "fetched again")
        deployments.update(found, heard_at=time.time())
    return text


def boot_config(store: Store, hub: answer.Hub, node: str, token: str) -> str:
    """Return the loader's configuration. Raises: Refused, MetalError."""
    deployments = Deployments(store)
    found = _entitled(deployments, node, token, Right.BOOT_CONFIG)
    text = answer.boot_config(store.views([node])[node], found.profile, hub, token, found.id)
    deployments.note(found.id, "boot configuration", "fetched")
    deployments.update(found, heard_at=time.time())
    return text


def report(store: Store, node: str, token: str, said: Report) -> str:
    """Take a node's report and return what became of it: ``accepted`` or ``ignored`` (a replay). Raises: Refused."""
    if said.state not in REPORTABLE:
        raise Refused(400, f"a node cannot report {said.state}; it can report {', '.join(sorted(REPORTABLE))}")
    deployments = Deployments(store)
    found = deployments.latest([node]).get(node)
    if (
        found is not None
        and tokens.fits(token, found.token_hash)
        and said.state is found.state
        and not ARROWS[found.state]
    ):
        deployments.note(found.id, "ignored", f"{said.state} reported again")
        return "ignored"
    found = _entitled(deployments, node, token, Right.REPORT)
    said = replace(said, message=(said.message or "")[:MAX_MESSAGE] or None)
    values: dict[str, object] = {"heard_at": time.time(), "percent": said.percent, "message": said.message}
    if said.state in ARROWS[found.state] and not (found.succeeded and said.state is State.FAILED):
        percent = 100 if said.state in (State.INSTALLED, State.READY) else said.percent
        deployments.move(found, said.state, said.message or "reported by the node", **{**values, "percent": percent})
        return "accepted"
    if said.state is found.state is State.INSTALLING:
        return _progress(deployments, found, said, values)
    deployments.note(found.id, "ignored", f"{said.state} reported while {found.state}")
    return "ignored"


def _progress(deployments: Deployments, found: Deployment, said: Report, values: dict[str, object]) -> str:
    """Take a report of progress. It moves the deadline only if the percentage grew: a stuck installer may talk on."""
    before = -1 if found.percent is None else found.percent
    now = before if said.percent is None else said.percent
    if now < before:
        deployments.note(found.id, "ignored", f"{now} % reported after {before} %")
        return "ignored"
    seconds = found.profile.deadline(State.INSTALLING)
    if now > before and seconds is not None:
        values["deadline"] = time.time() + seconds
    deployments.update(found, **{**values, "percent": None if now < 0 else now})
    if now > before or said.message:
        shown = f"{now} %" if now > before else ""
        deployments.note(found.id, "progress", " ".join(part for part in (shown, said.message or "") if part))
    return "accepted"
