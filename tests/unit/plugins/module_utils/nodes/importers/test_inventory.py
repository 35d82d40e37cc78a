# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The importer for Ansible inventories: what ansible-inventory printed. With the real one: tests/integration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes._importers import inventory
from ansible_collections.stage0.metal.plugins.module_utils._nodes.batch import Batch
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.schema import attribute
from hypothesis import given
from hypothesis import strategies as st


def values_of(batch: Batch, name: str) -> dict[str, object]:
    return next(entry.values for entry in [*batch.nodes, *batch.groups] if entry.name == name)


def reasons(batch: Batch) -> dict[tuple[str, str], str]:
    return {(one.name, one.source): one.reason for one in batch.unmapped}


def listed(path: Path, content: dict[str, Any]) -> Batch:
    file = path / "list.json"
    file.write_text(json.dumps(content))
    return inventory.read(file)


def test_what_ansible_inventory_printed(tmp_path: Path) -> None:
    batch = listed(
        tmp_path,
        {
            "_meta": {"hostvars": {"n1": {"bmc_password": "calvin", "ipmi_password": "other", "mac": ""}}},
            "all": {"children": ["ungrouped", "g"]},
            "g": {"hosts": ["n1", "n2"]},
        },
    )
    assert [(entry.name, entry.groups) for entry in batch.nodes] == [("n1", ["g"]), ("n2", ["g"])]
    assert values_of(batch, "n1") == {"bmc.password": "calvin", "net.mac": None}
    assert "calvin" not in str(batch.unmapped)
    assert reasons(batch) == {
        ("n1", "hosts: ipmi_password"): "it looks like a secret, which is never kept under custom.*"
    }


def test_what_is_masked_encrypted_or_a_template_blanks_its_attribute(tmp_path: Path) -> None:
    variables = {
        "metal_bmc_password": "********",
        "bmc_address": "{{ inventory_hostname }}-bmc",
        "stuff": {"a": [{"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n00\n"}]},
    }
    batch = listed(tmp_path, {"_meta": {"hostvars": {"n1": variables}}, "all": {}})
    assert values_of(batch, "n1") == {"bmc.password": None, "bmc.address": None}
    assert len(batch.unmapped) == 3


def test_bad_values_are_named_and_blank_their_attributes(tmp_path: Path) -> None:
    variables = {"mac": "52", "metal_net_dns": ["x y", 7], "rack": "r1", "bmc_address": "u:p w", "bmc_password": [1]}
    batch = listed(tmp_path, {"_meta": {"hostvars": {"n1": variables}}, "all": {}})
    assert values_of(batch, "n1") == {
        "net.mac": None,
        "custom.ansible.mac": "52",
        "net.dns": None,
        "custom.ansible.metal_net_dns": '["x y", 7]',
        "location.rack": "r1",
        "bmc.address": None,
        "custom.ansible.bmc_address": "u:p w",
        "bmc.password": None,
    }
    named = reasons(batch)
    assert len(named) == 4
    assert named["n1", "hosts: mac"].startswith("net.mac: '52' is not a MAC address; write six pairs")
    assert named["n1", "hosts: bmc_password"].startswith("bmc.password: ******** ")


PART = st.from_regex(r"[a-z][a-z0-9_]{0,4}", fullmatch=True)


@given(
    st.builds("{}.{}".format, st.sampled_from(["site", "custom"]), st.lists(PART, min_size=1, max_size=3).map(".".join))
)
def test_variables_of_our_own_plugin_become_the_same_attributes_again(name: str) -> None:
    root = name.partition(".")[0]
    assert inventory.attribute_of(attribute(name).variable, root) == name


def test_variables_that_only_look_like_those_of_our_plugin(tmp_path: Path) -> None:
    variables = {"metal_site_9": "a", "metal_custom_Rack__Owner": "b", "metal_site_x__": "c", "metal_site_a_b": "d"}
    batch = listed(tmp_path, {"_meta": {"hostvars": {"n1": variables}}, "all": {}})
    assert values_of(batch, "n1") == {
        "site.x9": "a",
        "custom.rack.owner": "b",
        "site.x.x": "c",
        "site.a_b": "d",
    }


WRONG = [
    ("{", "{p} cannot be read as what ansible-inventory --list prints: Expecting property name"),
    ("[]", "{p} does not hold what ansible-inventory --list prints"),
    ('{"web": []}', "{p} does not hold what ansible-inventory --list prints"),
    ('{"web": {"hosts": "n1"}}', "{p}: group web: hosts must be a list of names"),
    (
        json.dumps(
            {f"g{number}": {"children": [f"g{number + 1}"]} for number in range(3000)} | {"g3000": {"hosts": ["n"]}}
        ),
        "{p} cannot be read as an inventory: maximum recursion depth exceeded",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG, ids=[text[:30] for text, sentence in WRONG])
def test_wrong_json(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(text)
    with pytest.raises(MetalError) as caught:
        inventory.read(path)
    assert caught.value.message.startswith(sentence.replace("{p}", str(path)))


def test_a_path_that_is_no_inventory(tmp_path: Path) -> None:
    with pytest.raises(MetalError, match="absent is no inventory: name a file or directory, without a comma in it"):
        inventory.read(tmp_path / "absent")


def test_a_script_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "SECONDS", 0.001)
    path = tmp_path / "hosts"
    path.write_text("n1\n")
    with pytest.raises(MetalError) as caught:
        inventory.read(path)
    assert caught.value.code is ErrorCode.TIMEOUT
    assert caught.value.message == f"ansible-inventory did not list {path} within 0.001 s"
