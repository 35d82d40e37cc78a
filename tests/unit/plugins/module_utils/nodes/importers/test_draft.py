# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What importers share: what looks like a secret, and names under custom.*."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes._importers.draft import custom_name, looks_secret

SECRETS: list[tuple[str, Any]] = [
    *((name, "x") for name in ("password", "bmcPassword", "rootpw", "api_token", "apiKey", "ssh_key", "vault_user")),
    *((name, "x") for name in ("ansible_become_pass", "snmp_community", "switches.sshpassword", "CREDENTIALS")),
    ("url", "https://user:word@example.com/"),
    ("hash", "$6$abcdefgh$ijk"),
    ("text", "-----BEGIN RSA PRIVATE KEY-----"),
    ("text", "$ANSIBLE_VAULT;1.1;AES256"),
    ("tree", {"list": [{"password": "x"}]}),
    ("tree", ["$5$abcdefgh$ijk"]),
]
OTHERS: list[tuple[str, Any]] = [
    *((name, "x") for name in ("keyboard", "monkey", "author", "bypass", "compass", "mac", "bmc", "pubkeys.ssh")),
    ("url", "https://example.com/a@b"),
    ("tree", {"list": [1, None, "x"]}),
    ("price", "$6"),
]


@pytest.mark.parametrize(("name", "value"), SECRETS)
def test_what_looks_like_a_secret(name: str, value: Any) -> None:
    assert looks_secret(name, value)


@pytest.mark.parametrize(("name", "value"), OTHERS)
def test_what_does_not(name: str, value: Any) -> None:
    assert not looks_secret(name, value)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("xcat", "nodehm", "serialspeed"), "custom.xcat.nodehm.serialspeed"),
        (("ansible", "Some-Thing"), "custom.ansible.some_thing"),
        (("confluent", "net", "1", "switch"), "custom.confluent.net.x1.switch"),
        (("a", ""), "custom.a.x"),
        (("a", "é"), "custom.a.x"),
    ],
)
def test_names_under_custom(parts: tuple[str, ...], name: str) -> None:
    assert custom_name(*parts) == name
