# SPDX-FileCopyrightText: 2026 stage0.metal contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""xCAT's computed values: what becomes of them, and that a real Perl, used as xCAT uses it, agrees."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.stage0.metal.plugins.module_utils._nodes._importers.perl import (
    is_computed,
    translate,
)
from ansible_collections.stage0.metal.plugins.module_utils._nodes._importers.perl_sum import Unclear
from ansible_collections.stage0.metal.plugins.module_utils._nodes.expression import parse
from hypothesis import given
from hypothesis import strategies as st

PERL = r"""
use Text::Balanced qw(extract_bracketed);
use Safe;
my $safe = Safe->new;
$safe->permit('require');
while (my $line = <STDIN>) {
    chomp $line;
    my ($raw, $node) = split /\t/, $line;
    my $found = $node;
    if ($raw =~ m{^/([^/]*)/([^/]*)/$}) {
        my ($from, $to) = ($1, $2);
        $found =~ s/$from/$to/;
    } else {
        my ($from, $to) = split /\|/, substr($raw, 1, -1), 2;
        if (!defined $to) {
            my @numbers = $node =~ /[\D0]*(\d+)/g;
            ($from, $to) = (('[\D0]*(\d+)' x @numbers) . '.*$', $from);
        }
        my ($group, $after, $before) = extract_bracketed($to, '()', qr/[^()]*/);
        while ($group) {
            my $code = $node;
            $code =~ s/$from/$group/;
            $to = $before . ($safe->reval("use integer;$code") // 'UNDEF') . $after;
            ($group, $after, $before) = extract_bracketed($to, '()', qr/[^()]*/);
        }
        $found =~ s/$from/$to/;
    }
    print "$found\n";
}
"""
"""What xCAT's Table.pm does with a value, in other words."""

TRANSLATED = [
    (r"/\z/-bmc/", ["node1", "login"], "{node}-bmc"),
    (r"/^/bmc-/", ["node1"], "bmc-{node}"),
    (r"/node/bmc/", ["node01", "node12"], "bmc{n1:02d}"),
    (r"/-.*$//", ["r1-n7", "r12-n8"], "r{n1}"),
    (r"/.*/fixed {text}/", ["node1"], "fixed {{text}}"),
    (r"|node(\d+)|10.0.0.($1+0)|", ["node01", "node12"], "10.0.0.{n1}"),
    (r"|10.0.0.($1+0)|", ["node01", "node100"], "10.0.0.{n1}"),
    (r"|($1).($2)|", ["r07n003"], "{n1}.{n2}"),
    (r"|10.0.0.($1+0)|", ["r0n7", "r00n12"], "10.0.0.{n2}"),
    (r"|\D+(\d+)|cmm(sprintf('%02d',($1-1)/14+1))|", ["node20", "node3"], "cmm{(n1 - 1) // 14 + 1:02d}"),
    (r"|r(\d+)n(\d+)|10.($1-0).(($2-1)/250).(($2-1)%250+1)|", ["r01n003", "r2n310"], None),
    (r"|(r\d+)n\d+|($1)|", ["r01n003", "r02n010"], "r{n1:02d}"),
    (r"|n(\d+)|x($1)|", ["n007", "n123"], "x{n1:03d}"),
    (r"|n(\d+)|x(7-$1*2)(-$1)(-(1+$1))|", ["n5"], "x{7 - n1 * 2}{-n1}{-(1 + n1)}"),
    (r"|n(\d+)|x(${1}*(2+$1)*(4/2))|", ["n5"], "x{n1 * (2 + n1) * (4 // 2)}"),
    (r'|n(\d+)|(sprintf("a%xb",$1*16))|', ["n5"], "a{n1 * 16:x}b"),
    (r"|n(\d+)|((sprintf('%d',$1)))|", ["n5"], "{n1}"),
    (r"|.*|/install/dir|", ["n5"], "/install/dir"),
]


def oracle(pairs: list[tuple[str, str]]) -> list[str]:
    """What a real Perl makes of each value for a node."""
    text = "".join(f"{raw}\t{node}\n" for raw, node in pairs)
    done = subprocess.run(["perl", "-e", PERL], input=text, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


@pytest.mark.parametrize(("raw", "names", "text"), TRANSLATED, ids=[raw for raw, names, text in TRANSLATED])
def test_what_is_translated_is_what_perl_makes_of_it(raw: str, names: list[str], text: str | None) -> None:
    expression, values = translate(raw, {name: name for name in names})
    assert text in (None, expression)
    assert values == dict(zip(names, oracle([(raw, name) for name in names]), strict=True))
    assert [str(parse(expression).evaluate(name, lambda unset: None)) for name in names] == list(values.values())


LEFT = [
    (r"|node(\d+)|10.0.0.$1|", ["node7"], "'10.0.0.$1' has no parentheses, so that xCAT takes it literally, $ and all"),
    (r"/node(\d+)/x\1/", ["node7"], r"'x\\1' has no parentheses, so that xCAT takes it literally, $ and all"),
    (r"|node(\d+)|10.0.0.($1+0)|", ["node1", "foo"], "its pattern does not match foo, for which xCAT gives the name"),
    ("/install/custom/", ["node1"], "its pattern does not match node1, for which xCAT gives the name itself"),
    ('|(system("id"))|', ["node7"], "it calls system()"),
    ("|(ipadd(10,0,0,1,$1,1,1))|", ["node300"], "it calls ipadd()"),
    ("|(`id`)|", ["node7"], "'(`id`)' is more than whole-number arithmetic"),
    (r"|(\d+)|x($1+0)|", ["node1"], "its pattern matches a part of node1 only, and xCAT would run the rest as Perl"),
    ("|x($2+0)|", ["node1"], "there is no $2 for node1"),
    (r"|(\D+)\d+|x($1+0)|", ["node1"], "it calculates with 'node', which is not a whole number of at most 18 digits"),
    (r"|n(\d)\d+|x($1+0)|", ["n12"], "it calculates with '1', which is not a number in the name n12"),
    (r"|n(\d)\d+|x($1)|", ["n12"], "it takes a part of a number in n12"),
    (r"|n(\d+)|x(($1-5)/2)|", ["n2"], "it divides -3 by 2, which Perl rounds in its own way"),
    (r"|n(\d+)|x($1/0)|", ["n2"], "it divides 2 by 0, which Perl rounds in its own way"),
    (r"|n(\d+)|x($1+010)|", ["n2"], "Perl takes 010 for an octal number"),
    (r"|n(\d+)|x(sprintf('%x',1-$1))|", ["n2"], "it shows -1 in hex digits, which Perl does in its own way"),
    (r"|n(\d+)|x(--$1)|", ["n2"], "'(--$1)' is more than whole-number arithmetic"),
    (r"|n(\d+)|x($1**2)|", ["n2"], "'($1**2)' is more than whole-number arithmetic"),
    (r"|n(\d+)|x($1.5)|", ["n2"], "'($1.5)' is more than whole-number arithmetic"),
    (r"|n(\d+)|x(sprintf('%d%d',$1,1))|", ["n2"], "formats more than one whole number"),
    (r"|n(\d+)|x(sprintf('%s',$1))|", ["n2"], "formats more than one whole number"),
    (r"|n(\d+)|x($1*999999999999999999)|", ["n999"], "it comes to a number beyond 18 digits"),
    (r"|n(\d+)|($1|", ["n2"], "its parentheses do not match"),
    (r"|n(\d+)|$1)|", ["n2"], "its parentheses do not match"),
    ("|a|b|c|", ["n2"], "it has a | too many"),
    ("||", ["n2"], "it is empty"),
    ("//x/", ["n2"], "its pattern is empty, for which Perl takes the last one it used"),
    ("/n.*//", ["n2"], "it comes to nothing for n2, so that xCAT asks the next group"),
    ("/(?{print 1})/x/", ["n2"], "uses what is not known to mean the same outside of Perl"),
    ("/n++/x/", ["n2"], "uses what is not known to mean the same outside of Perl"),
    ("/(n/x/", ["n2"], "its pattern '(n' is not a regular expression"),
    (r"|(n+)+x|a|", ["n" * 60], "its pattern does not match nnn"),
    (r"/(\w+\s?)+\./x/", ["n" * 60], "its pattern "),
    ("|x(" + "(" * 300 + "$1" + ")" * 300 + ")|", ["n2"], "it nests too deep"),
    ("|x($1" + "+1" * 300 + ")|", ["n2"], "it is too long"),
    ("|x($1+0)|", [], "no node has this value, so nothing can prove a translation"),
    (r"|n(\d+)|x($1)|", ["n07", "n007"], "the numbers in the names are filled with zeros to different lengths"),
    (r"|\D+(\d+)(\D.*)?|x($1+0)|", ["n07", "n007"], None),
    (r"|.*?(\d+)$|x($1+0)|", ["r1n2", "n2"], "$1 is not the same number in the names of all nodes"),
    (r"/n/m/", ["n07x1", "n08y1"], "xCAT makes 'm08y1' of it for n08y1, and 'm{n1:02d}x{n2}' would make 'm08x1'"),
]


@pytest.mark.parametrize(("raw", "names", "why"), LEFT, ids=[raw[:40] for raw, names, why in LEFT])
def test_what_is_not_translated_and_why(raw: str, names: list[str], why: str | None) -> None:
    if why is None:
        assert translate(raw, {name: name for name in names})[0] == "x{n1}"
        return
    with pytest.raises(Unclear) as caught:
        translate(raw, {name: name for name in names})
    assert why in str(caught.value)


def test_a_node_that_has_another_name_here() -> None:
    assert translate(r"|\w(\d+)|10.0.0.($1+0)|", {"N01": "n01"})[0] == "10.0.0.{n1}"
    with pytest.raises(Unclear, match=r"xCAT makes 'N01-bmc' of it for N01, and '.node.-bmc' would make 'n01-bmc'"):
        translate(r"/\z/-bmc/", {"N01": "n01"})


@pytest.mark.parametrize("raw", ["/a/b/", "//b/", "/a//", "||", "|a|", "|a|b|", "|a|b|c|"])
def test_what_xcat_takes_for_a_regular_expression(raw: str) -> None:
    assert is_computed(raw)


@pytest.mark.parametrize("raw", ["", "/", "//", "/a/b", "a/b/", "/a/b/c/", "|", "a|b", "|a", "52:54|52:55", "10.0.0.1"])
def test_what_xcat_takes_as_it_is(raw: str) -> None:
    assert not is_computed(raw)


numbers = st.integers(0, 40).map(str) | st.sampled_from(["$1", "$2", "${2}", "-$1", "-3"])


def joined(first: str, more: list[tuple[str, str, bool]]) -> str:
    """A sum of ``first`` and more operators and numbers, in parentheses now and then."""
    text = first
    for operator, number, wrapped in more:
        text = f"({text}){operator}{number}" if wrapped else f"{text}{operator}{number}"
    return text


operators = st.sampled_from(["+", "-", "*", "/", "%"])
sums = st.builds(joined, numbers, st.lists(st.tuples(operators, numbers, st.booleans()), max_size=5))
fields = sums.map("({})".format) | st.builds(
    "(sprintf('%{}',{}))".format, st.sampled_from(["d", "02d", "3d", "x"]), sums
)
values = st.lists(fields | st.sampled_from(["10.", "-x", "{", "%"]), min_size=1, max_size=4).map("".join)
names = st.builds(
    "r{:0{}d}n{:0{}d}".format, st.integers(0, 99), st.integers(1, 3), st.integers(0, 999), st.integers(1, 4)
)


@given(st.sampled_from([r"r(\d+)n(\d+)|", r"\D+(\d+)\D+(\d+)|", ""]), values, st.lists(names, min_size=1, max_size=3))
def test_perl_agrees_with_every_translation(pattern: str, replacement: str, nodes: list[str]) -> None:
    raw = f"|{pattern}{replacement}|"
    try:
        text = translate(raw, {name: name for name in nodes})[0]
    except Unclear:
        return
    got = [str(parse(text).evaluate(name, lambda unset: None)) for name in nodes]
    assert got == oracle([(raw, name) for name in nodes])


@given(st.text("/|()$123+-*%{}\\dDnrx.^, '\"sprintf\u0661", max_size=40), st.text("nr0123-", min_size=1, max_size=12))
def test_garbage_is_translated_or_unclear(text: str, name: str) -> None:
    for raw in (text, f"|{text}|", f"/{text}/"):
        if is_computed(raw):
            try:
                assert parse(translate(raw, {name: name})[0])
            except Unclear as exc:
                reason = str(exc)
                assert reason
                assert "\n" not in reason
