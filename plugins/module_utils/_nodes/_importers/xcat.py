# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: xCAT's database, from a directory of ``tabdump`` files or a file of ``lsdef -z`` stanzas.

What a group has stays at the group. A computed value (Perl in xCAT) becomes an expression if that is proved to mean
the same; else it is named, its text kept under custom.xcat.*, and the attribute blanked: what another group says of
it did not count in xCAT either.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..batch import Batch, Entry
from ..errors import MetalError
from ..names import RESERVED
from ..schema import SECRETS, attribute
from .draft import SECRET, Draft, custom_name, looks_secret
from .perl import is_computed, translate
from .perl_sum import Unclear
from .xcat_networks import add_networks
from .xcat_source import DYNAMIC, Cell, Source, read_source

ATTRIBUTES: dict[tuple[str, str], str] = {
    ("ipmi", "bmc"): "bmc.address",
    ("ipmi", "username"): "bmc.user",
    ("ipmi", "password"): "bmc.password",
    ("hosts", "ip"): "net.ip",
    ("vpd", "serial"): "system.serial",
    ("vpd", "uuid"): "system.uuid",
    ("vpd", "mtm"): "system.model",
    ("nodepos", "room"): "location.room",
    ("nodepos", "rack"): "location.rack",
    ("nodepos", "u"): "location.u",
    ("nodepos", "chassis"): "location.chassis",
    ("nodepos", "slot"): "location.slot",
    ("nodehm", "mgt"): "bmc.driver",
    ("mac", "mac"): "net.mac",
}
"""xCAT's table and column to the attribute here. All others are kept under custom.xcat.TABLE.COLUMN."""

DEFAULTS = "xcat-defaults"
"""The group of what xCAT's passwd table says of BMCs."""
NEXT = "+=NEXTRECORD"
_PATHS = ("dir", "path", "file", "list", "tmpl", "template", "root", "kernel", "initrd", "image", "mount", "script")
"""Columns with such a word in the name hold paths: /a/b/ is one, although xCAT takes it for a regular expression."""


def read(path: Path) -> Batch:
    """Return what the dump at ``path`` holds. Raises: MetalError with file, line and column."""
    source = read_source(path)
    draft = Draft(path, "xcat")
    for left in source.left:
        draft.leave(*left)
    importer = _Importer(source, draft)
    importer.name_groups()
    importer.add_cells()
    importer.add_passwords()
    importer.finish()
    add_networks(source.tables.pop("networks", []), draft)
    importer.leave_tables()
    return draft.batch


class _Importer:
    """Puts what a ``source`` holds into a ``draft``."""

    def __init__(self, source: Source, draft: Draft) -> None:
        self.source = source
        self.draft = draft
        self.owners: dict[tuple[str, str], set[str]] = {}
        for cell in source.cells:
            self.owners.setdefault((cell.table, cell.column), set()).add(cell.owner)
        self.nodes = draft.names(source.places, "node")
        self.groups: dict[str, str] = {}
        self.members: dict[str, list[str]] = {}
        self.entries = {name: Entry(source.places[name], here, [], {}) for name, here in self.nodes.items()}

    def name_groups(self) -> None:
        """Give each group its name and its members."""
        found = dict(self.source.groups)
        for row in self.source.tables.pop("nodegroup", []):
            name = row.values.get("groupname", "")
            if row.values.get("grouptype") == "dynamic" or "wherevals" in row.values:
                self.draft.leave(name, row.place, DYNAMIC)
            elif "membergroups" in row.values:
                self.draft.leave(name, row.place, "a group of groups: name them all where the group was named")
            else:
                found.setdefault(name, row.place)
        for node, groups in self.source.nodes.items():
            for group in groups:
                found.setdefault(group, self.source.places[node])
                self.members.setdefault(group, []).append(node)
        with_values = {cell.owner for cell in self.source.cells}
        reserved = {name: f"xcat-{name}" for name in found if name in RESERVED and name in with_values}
        plain = {name: place for name, place in found.items() if name not in RESERVED}
        self.groups = self.draft.names(plain, "group", [*self.nodes.values(), *self.source.nodes]) | reserved
        for name, here in self.groups.items():
            if name not in self.source.nodes:
                self.entries[name] = Entry(found[name], here, None, {})

    def add_cells(self) -> None:
        """Put every value where it belongs."""
        known = self.nodes.keys() | self.groups.keys() | self.source.nodes.keys() | self.members.keys()
        lost: dict[tuple[str, str], list[str]] = {}
        for cell in self.source.cells:
            entry = self.entries.get(cell.owner)
            if entry is not None:
                self.add_cell(entry, cell)
            elif cell.owner not in known:
                place, column = cell.place.rsplit(": ", 1)
                lost.setdefault((cell.owner, place), []).append(column)
        for (owner, place), columns in lost.items():
            self.draft.leave(owner, place, f"neither a node nor a group of nodes; left out: {', '.join(columns)}")

    def add_cell(self, entry: Entry, cell: Cell) -> None:
        """Put one value into ``entry``."""
        target = ATTRIBUTES.get((cell.table, cell.column))
        special = _SPECIAL.get((cell.table, cell.column))
        if is_computed(cell.value) or cell.value.endswith(NEXT):
            self.add_computed(entry, cell, target)
        elif special is not None:
            special(self, entry, cell)
        elif target is not None:
            self.draft.put_text(entry, target, cell.value, cell.place, (cell.table, cell.column))
        else:
            self.draft.keep(entry, (cell.table, cell.column), cell.value, cell.place)

    def add_computed(self, entry: Entry, cell: Cell, target: str | None) -> None:
        """Put the translation of a computed value, or name why there is none."""
        if target in SECRETS:
            self.draft.leave(entry.name, cell.place, "a computed password is not translated; set it")
            entry.values[str(target)] = None
            return
        if target is None and looks_secret(f"{cell.table}.{cell.column}", cell.value):
            self.draft.leave(entry.name, cell.place, SECRET)
            return
        try:
            text = self.translation(cell, target or custom_name("xcat", cell.table, cell.column))
        except Unclear as exc:
            self.draft.leave(entry.name, cell.place, f"{cell.value!r} cannot be translated: {exc}")
            self.keep_blanked(entry, cell, target)
            return
        if target is None:
            self.draft.keep(entry, (cell.table, cell.column), text, cell.place, literal=False)
        else:
            self.draft.put(entry, target, text, cell.place, (cell.table, cell.column))

    def keep_blanked(self, entry: Entry, cell: Cell, target: str | None) -> None:
        """Keep the text of what has no translation, and let no other group's value take its place."""
        self.draft.keep(entry, (cell.table, cell.column), cell.value, cell.place)
        if target is not None:
            entry.values[target] = None

    def translation(self, cell: Cell, target: str) -> str:
        """Return the expression for a computed value of attribute ``target``. Raises: Unclear."""
        if cell.value.endswith(NEXT):
            raise Unclear("xCAT adds the next group's value to it")
        if cell.value.startswith("/") and any(word in cell.column.lower() for word in _PATHS):
            raise Unclear("it is a path, which xCAT takes for a regular expression")
        text, values = translate(cell.value, {name: self.nodes[name] for name in self.having(cell)})
        for name, value in values.items():
            try:
                attribute(target).check_value(value)
            except MetalError as exc:
                raise Unclear(f"for {name} it comes to a bad value: {exc.message}") from None
        return text

    def having(self, cell: Cell) -> list[str]:
        """Return the nodes that have the value of ``cell``: by themselves, or of the first of their groups that has one."""
        if cell.owner in self.source.nodes:
            return [cell.owner]
        owners = self.owners[cell.table, cell.column]
        return [
            node
            for node in self.members.get(cell.owner, [])
            if node in self.nodes
            and next(owner for owner in (node, *self.source.nodes[node]) if owner in owners) == cell.owner
        ]

    def add_driver(self, entry: Entry, cell: Cell) -> None:
        """nodehm.mgt: how the BMC is spoken to, if there is such a driver here."""
        driver = attribute("bmc.driver")
        if cell.value in driver.choices:
            self.draft.put(entry, driver.name, cell.value, cell.place)
            return
        self.draft.leave(
            entry.name, cell.place, f"there is no driver for {cell.value!r}; {', '.join(driver.choices)} are"
        )
        self.keep_blanked(entry, cell, driver.name)

    def add_mac(self, entry: Entry, cell: Cell) -> None:
        """mac.mac: one address, or several as in ``MAC!HOST|MAC*NOIP*``; the node's own is that without another host."""
        addresses = [part.strip().replace("*NOIP*", "").partition("!") for part in cell.value.split("|")]
        own = [address for address, unused, host in addresses if host.strip() in ("", cell.owner)]
        if not own:
            self.draft.leave(
                entry.name, cell.place, f"{cell.value!r} has no address for the node itself, only for others"
            )
            self.keep_blanked(entry, cell, "net.mac")
            return
        parts: tuple[str, ...] = (cell.table, cell.column)
        if own[0] != cell.value:
            self.draft.keep(entry, parts, cell.value, cell.place)
            parts = ()
        self.draft.put_text(entry, "net.mac", own[0], cell.place, parts)

    def add_passwords(self) -> None:
        """passwd: the row of key ipmi is what all BMCs have that say nothing else."""
        for row in self.source.tables.pop("passwd", []):
            key = row.values.get("key", "")
            if key != "ipmi":
                self.draft.leave(key, row.place, "of xCAT's passwords only that of key ipmi has a place here; set it")
            elif DEFAULTS in self.entries or DEFAULTS in self.groups.values():
                self.draft.leave(key, row.place, f"there is a group {DEFAULTS} already")
            else:
                entry = self.entries[DEFAULTS] = Entry(row.place, DEFAULTS, None, {})
                for column, target in (("username", "bmc.user"), ("password", "bmc.password")):
                    if column in row.values:
                        self.draft.put_text(entry, target, row.values[column], f"{row.place}: {column}")

    def finish(self) -> None:
        """Give each node its groups, and the batch its entries."""
        managed = {
            (cell.owner): cell.value for cell in self.source.cells if (cell.table, cell.column) == ("nodehm", "mgt")
        }
        for name in self.nodes:
            groups = self.source.nodes[name]
            listed = [self.groups[group] for group in groups if group in self.groups]
            method = next((managed[owner] for owner in (name, *groups) if owner in managed), None)
            if DEFAULTS in self.entries and method == "ipmi":
                listed.append(DEFAULTS)
            self.entries[name].groups = listed
        self.draft.batch.nodes = [entry for entry in self.entries.values() if entry.groups is not None]
        self.draft.batch.groups = [entry for entry in self.entries.values() if entry.groups is None]

    def leave_tables(self) -> None:
        """Name the tables that are not about nodes."""
        for table, rows in self.source.tables.items():
            self.draft.leave(table, rows[0].place.partition(":")[0], f"not about nodes; rows left out: {len(rows)}")
        for row in self.source.tables.get("site", []):
            if row.values.get("key") == "hierarchicalattrs" and "value" in row.values:
                self.draft.leave(
                    "hierarchicalattrs",
                    row.place,
                    f"in xCAT the values of {row.values['value']} add up over a node's groups; here the first counts",
                )


_SPECIAL: dict[tuple[str, str], Callable[[_Importer, Entry, Cell], None]] = {
    ("nodehm", "mgt"): _Importer.add_driver,
    ("mac", "mac"): _Importer.add_mac,
}
