# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rendering: undefined values, line numbers, line breaks in values, the sandbox, the filter for shells."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._answers.render import nested, render
from ansible_collections.stage0.metal.plugins.module_utils._nodes.errors import ErrorCode, MetalError
from hypothesis import given
from hypothesis import strategies as st

CONTEXT: dict[str, Any] = {"node": {"name": "n1", "none": None, "list": ["a", "b"], "bad": "a\nb"}, "text": "x"}


def make(template: str, **more: Any) -> str:
    return render(template, {**CONTEXT, **more}, what="the file")


def fails(template: str, **more: Any) -> str:
    with pytest.raises(MetalError) as caught:
        make(template, **more)
    assert caught.value.code is ErrorCode.TEMPLATE
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_renders() -> None:
    assert make("{{ node.name }}\n") == "n1\n"
    assert make("a\n  {% if true %}\n  b\n  {% endif %}\nc") == "a\n  b\nc"
    assert make("{{ node.list | join(',') }}{% for one in node.list %}{{ one }}{% endfor %}") == "a,bab"
    assert make("{{ nothing | default('-') }}{{ 'y' if node.none is none else 'n' }}{{ 1 + 1 }}") == "-y2"
    assert make("\r\n{# comment #}é") == "\né"


UNDEFINED = "; set the attribute or give it a default"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("a\nb {{ missing }}", f"the file: 'missing' is undefined (line 2){UNDEFINED}"),
        ("{{ node.missing }}", f"the file: 'dict object' has no attribute 'missing' (line 1){UNDEFINED}"),
        ("\n\n{% if missing %}x{% endif %}", f"the file: 'missing' is undefined (line 3){UNDEFINED}"),
        ("{{ 'x' ~ missing }}", f"the file: 'missing' is undefined (line 1){UNDEFINED}"),
        ("{{ missing | shell }}", f"the file: 'missing' is undefined (line 1){UNDEFINED}"),
        ("a\n{{ b", "the file: line 2: unexpected end of template, expected 'end of print statement'."),
        ("{% if %}", "the file: line 1: Expected an expression, got 'end of statement block'"),
        ("{{ x | nofilter }}", "the file: line 1: No filter named 'nofilter'."),
        ("{{ 1 / 0 }}", "the file: division by zero (line 1)"),
        ("{{ node.list | join(1) + 1 }}", "the file: "),
        ("{% include 'other' %}", "the file: no loader for this environment specified (line 1)"),
        ("{{ range(1000000000) | list }}", "the file: Range too big."),
    ],
)
def test_errors_name_the_line(template: str, says: str) -> None:
    assert fails(template).startswith(says)


NULL = "an expression gives no value (null); set the attribute or test for it with 'is not none'"
BREAK = "a value holds a line break or control character, which would add lines of its own"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("a\n{{ node.none }}", f"the file: {NULL} (line 2)"),
        ("{{ node.none | shell }}", f"the file: {NULL} (line 1)"),
        ("{{ node.bad }}", f"the file: {BREAK} (line 1)"),
        ("{{ node.bad | shell }}", f"the file: {BREAK} (line 1)"),
        ("{{ node.bad | upper }}", f"the file: {BREAK} (line 1)"),
        ("{{ 'a' ~ node.bad }}", f"the file: {BREAK} (line 1)"),
        ("{{ node.list | join('\\n') }}", f"the file: {BREAK} (line 1)"),
        ("{{ 'a\\u2028b' }}", f"the file: {BREAK} (line 1)"),
        ("{{ 'a\\x85b' }}", f"the file: {BREAK} (line 1)"),
    ],
)
def test_a_value_cannot_bring_lines_of_its_own(template: str, says: str) -> None:
    assert fails(template) == says


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ node.__init__.__globals__ }}",
        "{{ text | attr('__class__') }}",
        "{{ node.update({'name': 'x'}) }}",
        "{{ node.list.append('x') }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ '{0.__class__}'.format(text) }}",
        "{{ lipsum.__globals__['os'] }}",
    ],
)
def test_the_sandbox(template: str) -> None:
    fails(template)
    assert CONTEXT["node"]["list"] == ["a", "b"]


@given(st.text(st.characters(exclude_categories=("Cc", "Zl", "Zp", "Cs")), max_size=40))
def test_a_word_for_the_shell_is_one_word(text: str) -> None:
    assert shlex.split(make("echo {{ value | shell }} end", value=text)) == ["echo", text, "end"]


def test_dotted_names_become_nested_ones() -> None:
    assert nested({"net.mac": 1, "net.ip": 2, "x": 3, "a.b.c": 4}) == {
        "net": {"mac": 1, "ip": 2},
        "x": 3,
        "a": {"b": {"c": 4}},
    }
    for names in ("site.a", "site.a.b"), ("site.a.b.c", "site.a"):
        with pytest.raises(MetalError, match=r"a template cannot see both attributes site.a and site.a.b"):
            nested(dict.fromkeys(names, "x"))
