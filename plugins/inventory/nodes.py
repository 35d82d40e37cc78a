# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory plugin stage0.metal.nodes."""

from __future__ import annotations

DOCUMENTATION = r"""
name: nodes
short_description: Nodes of the node database as inventory
version_added: 0.1.0
author:
  - stage0.metal contributors (@stage0-metal)
description:
  - Makes a host of every node in the node database of stage0.metal, and a group of every node group.
  - Each attribute becomes a variable, C(net.ip) for instance C(metal_net_ip), with expressions evaluated.
    Secrets become none unless O(secrets) names them.
  - A database that cannot be read, or an option that cannot be right, ends Ansible with a message; see O(on_error).
    An option that is not there is one that cannot be right.
  - The source is a YAML file whose name ends in C(stage0.yml) or C(stage0.yaml).
options:
  plugin:
    description: Name of this plugin.
    type: str
    required: true
    choices: [stage0.metal.nodes]
  database:
    description:
      - URL of the node database, such as C(sqlite:////var/lib/stage0/metal.db) or C(postgresql://stage0@db.example.com/stage0).
        By default as for modules.
      - It may be a template, such as V({{ lookup('env', 'SITE_DATABASE'\) }}). One that gives nothing is an error.
    type: str
    env:
      - name: STAGE0_DATABASE
  nodes:
    description: The nodes to take, as a noderange or a list of noderanges.
    type: raw
    default: all
  attributes:
    description: The attributes that become variables. By default all do that have a value.
    type: list
    elements: str
  secrets:
    description:
      - Secret attributes that become variables all the same, such as V(bmc.password). Whoever reads the inventory reads them.
      - They are never cached.
    type: list
    elements: str
    default: []
  ansible_host:
    description:
      - What becomes C(ansible_host), as a list of rules of which the first that gives a value counts.
        A rule is an attribute, or an expression such as V({net.hostname}.{site.domain}).
    type: list
    elements: str
    default: [net.ip]
  group_by:
    description:
      - Make groups by what nodes are and in what state they are, such as C(rack_r1), C(model_poweredge_r660),
        C(deployment_ready), C(profile_esxi8) or C(power_on).
      - Values become lower case, and what is neither letter nor digit becomes an underscore; values that differ in nothing else
        share a group.
      - The power state is what a task of M(stage0.metal.power) saw last.
    type: list
    elements: str
    choices: [deployment, profile, image, power, model, manufacturer, firmware, driver, room, row, rack, chassis]
    default: []
  hierarchy:
    description:
      - Make groups of rooms, rows and racks that contain each other. Their names are whole paths, as in C(room_a_row_1_rack_r1).
    type: bool
    default: false
  state:
    description:
      - Add the variables C(metal_deployment_state), C(metal_deployment_profile), C(metal_deployment_image), C(metal_power) and
        C(metal_power_at) (seconds since the epoch), where known. O(group_by) adds them if it needs them.
    type: bool
    default: false
  bmc_hosts:
    description: Make a host of every BMC, too, in the group C(bmcs); its variable C(metal_node) names its node.
    type: bool
    default: false
  bmc_name:
    description: What a BMC is called, as an attribute or an expression.
    type: str
    default: '{node}-bmc'
  on_error:
    description:
      - What to do if nodes cannot be read. With V(exit) Ansible ends. V(parse_error) leaves it to Ansible, which by default
        warns and goes on with an inventory in which some or all of them are missing.
    type: str
    choices: [exit, parse_error]
    default: exit
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
requirements:
  - SQLAlchemy >= 2.0.20
  - cryptography >= 41.0.0
notes:
  - As an AWX inventory source, give the URL by the environment variable E(STAGE0_DATABASE) of a credential and the key, if secrets
    are asked for, by E(STAGE0_SECRET_KEY).
  - The cache spares the database, not time; reading 10,000 nodes takes well below a second.
"""

EXAMPLES = r"""
# site.stage0.yml: everything
plugin: stage0.metal.nodes

# rack1.stage0.yml: one rack, with what ssh needs
# plugin: stage0.metal.nodes
# nodes: rack1,-r1n07
# ansible_host: [net.ip, "{node}.example.com"]

# rooms.stage0.yml: groups by place and state, and BMCs as hosts
# plugin: stage0.metal.nodes
# hierarchy: true
# group_by: [deployment, model]
# bmc_hosts: true
# secrets: [bmc.password]
# keyed_groups:
#   - key: metal_site_owner
#     prefix: owner
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.stage0.metal.plugins.module_utils._nodes.bulk import without_collector
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import default_url, open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.plugins.module_utils._nodes.secrets import Keyring
from ansible_collections.stage0.metal.plugins.module_utils._nodes.store import Store
from ansible_collections.stage0.metal.plugins.plugin_utils._inventory.hosts import Found, Host, Options, find

_OPTIONS = (
    *("nodes", "attributes", "secrets", "ansible_host", "group_by", "hierarchy", "state", "bmc_hosts", "bmc_name"),
)
_CACHED = 1
"""What the cache holds has this shape; what has another is read anew."""


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Reads the database once; what it cannot read is an error, never an empty inventory."""

    NAME = "stage0.metal.nodes"

    def verify_file(self, path: str) -> bool:
        """Take files whose name ends in stage0.yml or stage0.yaml."""
        return bool(super().verify_file(path)) and path.endswith(("stage0.yml", "stage0.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill ``inventory``. Raises: SystemExit, or AnsibleParserError if the option on_error says so."""
        super().parse(inventory, loader, path, cache)
        config = loader.load_from_file(path, cache="none")
        if not isinstance(config, Mapping) or config.get("plugin") != self.NAME:
            raise AnsibleParserError(f"{path} is not for {self.NAME}: it does not say plugin: {self.NAME}")
        try:
            self._take_options(path)
            with without_collector(), self._found(path, cache) as found:
                self._fill(found)
        except Exception as exc:  # whatever it is, Ansible would warn and go on with a part of the inventory
            known = isinstance(exc, (MetalError, AnsibleError))
            message = f"{self.NAME}: {path}: {exc if known else repr(exc)}"
            if config.get("on_error") == "parse_error":
                raise AnsibleParserError(message) from exc
            raise SystemExit(f"[ERROR]: {message}") from exc

    def _take_options(self, path: str) -> None:
        """Read the options. Raises: AnsibleError, and MetalError for one that Ansible would ignore."""
        unknown = sorted(map(str, self._read_config_data(path).keys() - self._options.keys()))
        if unknown:
            known = ", ".join(sorted(self._options))
            raise MetalError(ErrorCode.INVALID, f"there is no option {unknown[0]!r}; there are {known}")

    @contextmanager
    def _found(self, path: str, cache: bool) -> Iterator[Found]:
        """What there is, from the cache if it is used and has it."""
        if not self.get_option("cache"):
            with self._read() as found:
                yield found
            return
        if self.get_option("secrets"):
            raise MetalError(
                ErrorCode.INVALID, "secrets are asked for, and none may lie in a cache; say cache: false, or do without"
            )
        key, made_by = self.get_cache_key(path), self._made_by()
        kept = self._cached(key) if cache else None
        if kept is None or kept.get("made_by") != made_by:
            with self._read() as found:
                hosts = [[host.name, list(host.groups), host.variables] for host in found.hosts]
                pairs = [list(pair) for pair in found.parents]
                kept = {"made_by": made_by, "groups": found.groups, "parents": pairs, "hosts": hosts}
            self._cache[key] = kept
        parents = dict.fromkeys((str(outer), str(inner)) for outer, inner in kept["parents"])
        yield Found(kept["groups"], (Host(*host) for host in kept["hosts"]), parents)

    def _cached(self, key: str) -> dict[str, Any] | None:
        """Return what the cache holds; None if that is nothing, or cannot be read."""
        try:
            kept = self._cache.get(key)
        except Exception as exc:  # cache plugins raise what they like of a damaged file
            self.display.warning(f"{self.NAME}: the cache cannot be read, so the database is: {exc!r}")
            return None
        return kept if isinstance(kept, dict) else None

    def _made_by(self) -> str:
        """Return what tells whether the same would be read. A hash: the URL may hold a password."""
        asked = [_CACHED, self._database() or default_url(), *(self.get_option(name) for name in _OPTIONS)]
        return hashlib.sha256(json.dumps(asked, default=str).encode()).hexdigest()

    def _database(self) -> str | None:
        """Return the URL that the option gives, None if there is none. Raises: MetalError for a template that gives none."""
        given = self.get_option("database")
        if not given:
            return None
        made = self.templar.template(given)
        if not made or not isinstance(made, str):
            raise MetalError(
                ErrorCode.INVALID, "database: the template gives no URL; is the variable set that it reads?"
            )
        return str(made)

    @contextmanager
    def _read(self) -> Iterator[Found]:
        database = open_database(self._database(), missing="refuse")
        try:
            with database.read() as connection:
                options = Options(**{name: _plain(self.get_option(name)) for name in _OPTIONS})
                yield find(Store(connection, Keyring(), "inventory"), options)
        finally:
            database.close()

    def _fill(self, found: Found) -> None:
        inventory: Any = self.inventory
        mixed_before = inventory.groups.keys() & inventory.hosts.keys()
        for group in found.groups:
            inventory.add_group(group)
        known = set(found.groups)
        constructed = any(self.get_option(name) for name in ("compose", "groups", "keyed_groups"))
        for host in found.hosts:
            if host.name in inventory.groups:
                _refuse_both(host.name)
            inventory.add_host(host.name)
            for group in host.groups:
                if group not in known:
                    known.add(inventory.add_group(group))
                    if group in inventory.hosts:
                        _refuse_both(group)
                inventory.add_child(group, host.name)
            # the host's own method: the inventory's looks up the host and copies the value for each of a million variables
            put, variables = inventory.get_host(host.name).set_variable, host.variables
            for name, value in variables.items():
                if value.__class__ is str and ("{" in value or value[:1] == "#"):  # ansible-core 2.18 may template it
                    value = variables[name] = wrap_var(value)
                put(name, value)
            if constructed:
                self._construct(host)
        for outer, inner in found.parents:
            for group in (outer, inner):
                inventory.add_group(group)
            inventory.add_child(outer, inner)
        mixed = sorted((inventory.groups.keys() & inventory.hosts.keys()) - mixed_before)
        if mixed:
            _refuse_both(mixed[0])

    def _construct(self, host: Host) -> None:
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), host.variables, host.name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), host.variables, host.name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), host.variables, host.name, strict=strict)


def _plain(value: Any) -> Any:
    """Return an option's value with all items of a list as text: Ansible leaves them as YAML has them."""
    if isinstance(value, list):
        return [str(item) for item in value]
    return value if value is None or isinstance(value, bool) else str(value)


def _refuse_both(name: str) -> NoReturn:
    raise MetalError(
        ErrorCode.CONFLICT,
        f"{name!r} would be the name of a host and of a group; rename one of them, or make other groups",
    )
