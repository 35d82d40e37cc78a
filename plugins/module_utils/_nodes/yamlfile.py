# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PRIVATE to the collection: networks, groups and nodes as YAML, read and written without loss.

One line a value, everything in natural order: a change of one value is a change of one line in git.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .batch import Batch, Entry
from .errors import ErrorCode, MetalError
from .libraries import lazy
from .names import check_name
from .networks import checked
from .reading import Record
from .schema import ENCRYPTED, MASK, SECRETS, attribute, flatten

if TYPE_CHECKING:
    import yaml
else:
    yaml = lazy("yaml")

FORMAT = "stage0.metal"
VERSION = 1
_HEADING = "# Node database of stage0.metal; read it with stage0.metal.node_import.\n"


def write(
    nodes: Mapping[str, Record], groups: Mapping[str, Record], networks: Mapping[str, Mapping[str, Any]] | None
) -> str:
    """Return all of it, in the order given, as YAML. ``networks``: None to say nothing of them."""
    described = {name: dict(sorted(values.items())) for name, values in (networks or {}).items()}
    return _dump(
        {
            "format": FORMAT,
            "version": VERSION,
            **({"networks": described} if networks is not None else {}),
            "groups": {name: dict(sorted(record.values.items())) for name, record in groups.items()},
            "nodes": {
                name: {"groups": list(record.groups), "values": dict(sorted(record.values.items()))}
                for name, record in nodes.items()
            },
        }
    )


def _dump(document: Mapping[str, Any]) -> str:
    dumper = getattr(yaml, "CSafeDumper", None) or yaml.SafeDumper
    text: str = yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=1_000_000)
    return _HEADING + text


def read(path: Path) -> Batch:
    """Return what the YAML file ``path`` holds.

    Raises: MetalError ``invalid``, ``unknown`` or ``conflict`` (a name that stands there twice), with file and line or name.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise MetalError(ErrorCode.INVALID, f"the YAML file {path} cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise MetalError(ErrorCode.INVALID, f"{path} is not text in UTF-8: {exc}") from exc
    document = _load(path, text)
    if not isinstance(document, dict) or document.get("format") != FORMAT or document.get("version") != VERSION:
        raise MetalError(ErrorCode.INVALID, f"{path} does not begin with 'format: {FORMAT}' and 'version: {VERSION}'")
    batch = Batch(str(path), sections=frozenset(document) & {"groups", "networks"})
    sections: dict[str, tuple[list[Entry], Callable[[str, Any], Entry]]] = {
        "networks": (batch.networks, _network),
        "groups": (batch.groups, _group),
        "nodes": (batch.nodes, _node),
    }
    unknown = sorted(map(str, document.keys() - sections.keys() - {"format", "version"}))
    if unknown:
        raise MetalError(ErrorCode.UNKNOWN, f"{path}: {unknown[0]!r} is none of {', '.join(sections)}")
    for section, (entries, make) in sections.items():
        for name, body in _mapping(path, section, document.get(section)).items():
            try:
                entries.append(make(name, body))
            except MetalError as exc:
                raise MetalError(exc.code, f"{path}: {section}: {name}: {exc.message}") from None
    return batch


def is_ours(text: str) -> bool:
    """Whether ``text`` begins as these files do: with their format."""
    return _OURS.search(text[:_BEGINNING]) is not None


def masked(text: str) -> str | None:
    """Return ``text`` with secrets masked, without its comments if it has any; None if it cannot be read."""
    if not any(word in _AS_WRITTEN.sub("", text) for word in _WORDS):
        return text  # which is quick: whoever exports with secrets has them as ciphers
    try:
        document = _load(Path(), text)
    except MetalError:
        return None
    return _dump(_masked(document, "")) if isinstance(document, dict) else None


def _masked(value: Any, name: str) -> Any:
    """Return ``value``, whose dotted ``name`` may have more in front, as it may be shown."""
    if name.endswith(_ENDS):
        return value if value is None else MASK
    if isinstance(value, list):
        return [_masked(one, name) for one in value]
    return {key: _masked(one, f"{name}.{key}") for key, one in value.items()} if isinstance(value, dict) else value


_OURS = re.compile(rf"^format: *['\"]?{re.escape(FORMAT)}['\"]? *$", re.MULTILINE)
_BEGINNING = 4_000
"""Characters among which the format stands; people write comments before it."""
_ENDS = tuple(f".{name}" for name in SECRETS)
_WORDS = sorted({name.rpartition(".")[2] for name in SECRETS})
_AS_WRITTEN = re.compile(rf"^ +(?:{'|'.join(map(re.escape, SECRETS))}): (?:null|{ENCRYPTED}[\w=-]+)$", re.MULTILINE)
"""A secret in a file of ours: a cipher, which is masked as such, or null."""


def _load(path: Path, text: str) -> Any:
    loader = _strict_loader()(text)
    try:
        return loader.get_single_data()
    except (yaml.YAMLError, RecursionError, ValueError) as exc:
        mark = getattr(exc, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark else ""
        cause = getattr(exc, "problem", None) or str(exc).splitlines()[0]
        cause = "it is nested too deeply" if isinstance(exc, RecursionError) else cause
        raise MetalError(ErrorCode.INVALID, f"{path}: {place}{cause}") from None
    finally:
        loader.dispose()


def _strict_loader() -> type[Any]:
    """Return a loader that refuses a key that stands twice, of which PyYAML keeps the last and says nothing, and aliases,
    by which a short file means a huge one. It composes in Python: libyaml's own way down ends the process at some depth.
    """
    composer, base = yaml.composer.Composer, getattr(yaml, "CSafeLoader", None) or yaml.SafeLoader

    class Strict(composer, base):  # type: ignore[misc,valid-type]
        def __init__(self, stream: str) -> None:
            base.__init__(self, stream)
            composer.__init__(self)

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                event = self.peek_event()
                raise yaml.composer.ComposerError(
                    None, None, f"*{event.anchor} is an alias; write out what it stands for", event.start_mark
                )
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[str] = set()
            for key, _value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise yaml.constructor.ConstructorError(None, None, "a key is no name", key.start_mark)
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands twice", key.start_mark)
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    return Strict


def _mapping(path: Path, name: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise MetalError(ErrorCode.INVALID, f"{path}: {name} is not a mapping of names; put names of digits in quotes")
    return value


def _network(name: str, body: Any) -> Entry:
    check_name(name, "network")
    values = _body(body)
    return Entry(name, name, None, {**dict.fromkeys(values), **checked(name, values)})  # null takes away


def _group(name: str, body: Any) -> Entry:
    return Entry(name, check_name(name, "group"), None, _values(_body(body)))


def _node(name: str, body: Any) -> Entry:
    check_name(name, "node")
    parts = _body(body)
    unknown = sorted(map(str, parts.keys() - {"groups", "values"}))
    if unknown:
        raise MetalError(ErrorCode.UNKNOWN, f"{unknown[0]!r} is neither groups nor values")
    groups = parts.get("groups")
    if groups is not None and not (isinstance(groups, list) and all(isinstance(one, str) for one in groups)):
        raise MetalError(ErrorCode.INVALID, "groups is not a list of names")
    listed = None if groups is None else [check_name(one, "group") for one in groups]
    return Entry(name, name, listed, _values(_body(parts.get("values"))))


def _values(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: attribute(name).check(value) for name, value in flatten(dict(body)).items()}


def _body(body: Any) -> dict[str, Any]:
    if body is None:
        return {}
    if not isinstance(body, dict) or not all(isinstance(key, str) for key in body):
        raise MetalError(ErrorCode.INVALID, "is not a mapping of names to values")
    return body
