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
    *(
        (name, "x")
        for name in ("adminpass", "rootpass", "bmcpass", "enablepass", "ipmi_pass", "passphrase", "wifi_psk")
    ),
    *((name, "x") for name in ("snmpcommunity", "rocommunity", "snmp_community_string", "domain_join_pwd", "bindpw")),
    *((name, "x") for name in ("sshkey", "SSHKey", "sshkeys", "licensekey", "authorized_keys", "pin", "otp", "pem")),
    ("url", "https://user:word@example.com/"),
    ("proxy", "http://:word@example.com"),
    ("options", "-I lanplus -U admin -P word"),
    ("options", "user=u password=word"),
    ("options", "dbPassword: word"),
    ("options", '{"userpass": "word"}'),
    ("command", "curl -u me:word https://example.com"),
    ("command", "curl --user me:word https://example.com"),
    ("command", "sshpass -p word ssh --passwd word"),
    ("header", "Authorization: Bearer abcdefghij"),
    ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJz.xx"),
    ("aws_access", "AKIAIOSFODNN7EXAMPLE"),
    ("github", "ghp_" + "a" * 36),
    ("gitlab", "glpat-" + "a" * 20),
    ("slack", "xoxb-1234567890-abc"),
    ("tree", {"list": ["x", {"note": "token=word"}]}),
    ("hash", "$6$abcdefgh$ijk"),
    ("text", "-----BEGIN RSA PRIVATE KEY-----"),
    ("text", "$ANSIBLE_VAULT;1.1;AES256"),
    ("tree", {"list": [{"password": "x"}]}),
    ("tree", ["$5$abcdefgh$ijk"]),
]
OTHERS: list[tuple[str, Any]] = [
    *((name, "x") for name in ("keyboard", "monkey", "author", "bypass", "compass", "mac", "bmc", "pubkeys.ssh")),
    *((name, "x") for name in ("pins", "spine", "passive", "opinion", "powered", "pwm", "node", "tokyo", "keymap")),
    ("arguments", "console=ttyS0,115200 iommu=pt -p 22 -user x"),
    ("time", "12:30:01"),
    ("note", "ask Jane about the password"),
    ("path", "/install/pass/through"),
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
