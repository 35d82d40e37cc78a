# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The format of backups: whatever happens to a file, it is read as it was written or refused with a sentence."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes import dump
from ansible_collections.stage0.metal.plugins.module_utils._nodes.backend import to_json
from ansible_collections.stage0.metal.plugins.module_utils._nodes.database import open_database
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from ansible_collections.stage0.metal.tests.unit.support import make_rack
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
fixture_is_shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@contextmanager
def a_draft(path: Path) -> Iterator[tuple[Path, dump.Summary]]:
    with (
        closing(open_database()) as database,
        database.read() as connection,
        dump.draft(connection, path, ["abc"]) as drafted,
    ):
        yield drafted


@pytest.fixture
def whole(home: Path, tmp_path: Path) -> tuple[Path, bytes, dump.Summary]:
    """A backup, its bytes, and what it holds."""
    make_rack(3)
    path = tmp_path / "backup.gz"
    with a_draft(path) as (made, summary):
        dump.put_in_place(made, path)
    return path, path.read_bytes(), summary


def refused_or(path: Path, expected: dump.Summary | None) -> None:
    """The file is refused with one sentence, or is what it was."""
    refusal: MetalError | None = None
    try:
        found = dump.check(path)
    except MetalError as exc:
        refusal = exc
    if refusal is None:
        assert found == expected
        return
    assert refusal.code is ErrorCode.INVALID
    assert str(refusal).startswith(f"the backup {path} ")
    assert "\n" not in str(refusal)


@fixture_is_shared
@given(st.data())
def test_flipped_bits(whole: tuple[Path, bytes, dump.Summary], data: Any) -> None:
    path, content, summary = whole
    place = data.draw(st.integers(0, len(content) - 1))
    flipped = bytearray(content)
    flipped[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(flipped)
    refused_or(path, summary)


@fixture_is_shared
@given(st.data())
def test_cut_off_anywhere(whole: tuple[Path, bytes, dump.Summary], data: Any) -> None:
    path, content, _summary = whole
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    refused_or(path, None)


@fixture_is_shared
@given(st.data())
def test_lines_of_anything(whole: tuple[Path, bytes, dump.Summary], data: Any) -> None:
    """A line is replaced, so that the gzip around it is sound and only the content is not."""
    path, content, _summary = whole
    lines = gzip.decompress(content).splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 1))
    lines[place] = to_json(data.draw(JSON)).encode("utf-8", "surrogatepass") + b"\n"
    path.write_bytes(gzip.compress(b"".join(lines), 1))
    refused_or(path, None)


@fixture_is_shared
@given(st.binary(max_size=300))
def test_any_bytes(whole: tuple[Path, bytes, dump.Summary], content: bytes) -> None:
    path = whole[0]
    path.write_bytes(content)
    refused_or(path, None)
    path.write_bytes(gzip.compress(content))
    refused_or(path, None)


def test_the_same_data_are_the_same_bytes(whole: tuple[Path, bytes, dump.Summary]) -> None:
    """But for the time in the header: so a backup can be compared, and kept in a store without doubles."""
    path, content, _summary = whole
    with a_draft(path) as (made, _again):
        lines = gzip.decompress(made.read_bytes()).splitlines()
    assert lines[1:-1] == gzip.decompress(content).splitlines()[1:-1]
