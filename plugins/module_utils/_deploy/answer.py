# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: everything that one node is served for one deployment, rendered from profile and attributes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .._answers.render import nested, render
from .._nodes.errors import ErrorCode, MetalError
from .._nodes.schema import ATTRIBUTES
from .._nodes.view import View
from .installers import INSTALLERS, Links
from .profile import Profile

_SCHEMA = tuple(attribute.name for attribute in ATTRIBUTES)
_NOT_FOR_NODES = "bmc."
"""How to reach the BMC is nothing that a node's answer file may hold."""


@dataclass(frozen=True, slots=True)
class Hub:
    """Where the hub is for nodes: its base ``url``, without a slash at the end."""

    url: str

    def links(self, profile: str, node: str, token: str) -> Links:
        """Return the URLs of one boot."""
        base = f"{self.url}/deploy/{node}/{token}"
        return Links(f"{self.url}/media/{profile}", f"{base}/answer", f"{base}/boot.cfg")

    def report(self, node: str, token: str) -> str:
        """Return the URL to which the node reports."""
        return f"{self.url}/deploy/{node}/{token}/report"


def context(view: View, profile: Profile, hub: Hub, token: str, deployment: int) -> dict[str, Any]:
    """Return what a template sees. docs/reference/answer-templates.md documents each name."""
    values = {name: view[name] for name in {*view.names(), *_SCHEMA} if not name.startswith(_NOT_FOR_NODES)}
    node = {**nested(values), "name": view.name, "groups": view.groups}
    links = hub.links(profile.name, view.name, token)
    return {
        "node": node,
        "deployment": {"id": deployment, "profile": profile.name, **profile.variables},
        "image": {"url": links.media},
        "hub": {"url": hub.url, "answer_url": links.answer, "report_url": hub.report(view.name, token)},
        "network": _network(view),
    }


def _network(view: View) -> dict[str, Any]:
    ip, netmask = view["net.ip"], view["net.netmask"]
    prefix = ipaddress.ip_network(f"0.0.0.0/{netmask}").prefixlen if netmask else None
    return {
        "hostname": view["net.hostname"] or view.name,
        "mac": view["net.mac"],
        "ip": ip,
        "netmask": netmask,
        "prefix": prefix,
        "gateway": view["net.gateway"],
        "dns": view["net.dns"] or [],
    }


@contextmanager
def _about(view: View, token: str) -> Iterator[None]:
    """Name the node in errors, and keep its token out of them: they stand in logs, events and the API.

    A line that a linter quotes may hold it.
    """
    try:
        yield
    except MetalError as exc:
        raise MetalError(exc.code, exc.message.replace(token, "TOKEN"), node=view.name) from None


def answer_file(view: View, profile: Profile, hub: Hub, token: str, deployment: int) -> str:
    """Return the answer file, linted. Raises: MetalError ``template`` for the node."""
    with _about(view, token):
        text = _rendered(profile, profile.answer, context(view, profile, hub, token, deployment), "the answer file")
        try:
            INSTALLERS[profile.installer].lint(text)
        except MetalError as exc:
            raise MetalError(exc.code, f"profile {profile.name}: {exc.message}") from exc
    return text


def boot_script(view: View, profile: Profile, hub: Hub, token: str, deployment: int) -> str:
    """Return the iPXE script that starts the installer."""
    links = hub.links(profile.name, view.name, token)
    comment = f"{view.name}: install {profile.name}, deployment {deployment}"
    with _about(view, token):
        words = _arguments(profile, context(view, profile, hub, token, deployment))
        if view["net.mac"]:  # iPXE knows which card it booted from, the kernel after it does not
            words.append(f"BOOTIF=01-{view['net.mac'].replace(':', '-')}")
        return INSTALLERS[profile.installer].script(profile, comment, links, words)


def boot_config(view: View, profile: Profile, hub: Hub, token: str, deployment: int) -> str:
    """Return the loader's configuration (ESXi's boot.cfg). Raises: MetalError ``unsupported`` if the installer has none."""
    make = INSTALLERS[profile.installer].boot_config
    if make is None:
        raise MetalError(
            ErrorCode.UNSUPPORTED, f"the installer {profile.installer} has no boot configuration", node=view.name
        )
    with _about(view, token):
        words = _arguments(profile, context(view, profile, hub, token, deployment))
        return make(profile, hub.links(profile.name, view.name, token), words)


def check(view: View, profile: Profile, hub: Hub) -> None:
    """Render everything for ``view`` once, with a token of the right form. Raises: MetalError ``template``."""
    trial = "0" * 43
    answer_file(view, profile, hub, trial, 0)
    boot_script(view, profile, hub, trial, 0)
    if INSTALLERS[profile.installer].boot_config is not None:
        boot_config(view, profile, hub, trial, 0)


def _arguments(profile: Profile, names: dict[str, Any]) -> list[str]:
    words: list[str] = []
    for argument in profile.kernel_arguments:
        words.extend(_rendered(profile, argument, names, f"kernel argument {argument!r}").split())
    return words


def _rendered(profile: Profile, template: str, names: dict[str, Any], what: str) -> str:
    return render(template, names, what=f"profile {profile.name}: {what}")
