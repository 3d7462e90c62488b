"""Patterns beside spans, so that as little as possible differs."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

import prefactor_trace as prefactor
from prefactor_trace.testing import Recorder, alignment, comparison
from prefactor_trace.testing.alignment import Alignment
from prefactor_trace.testing.comparison import Comparison
from prefactor_trace.testing.pattern import parse


@pytest.fixture
def trace() -> Iterator[Recorder]:
    """A recording of the steps a, b, b, c, of which b has a d inside."""
    with Recorder() as recorder, prefactor.instance():
        for name in "abbc":
            with prefactor.span(name, {"name": name}):
                if name == "b":
                    with prefactor.span("d"):
                        pass
        yield recorder


def differences(trace: Recorder, text: str) -> list[str]:
    """Return the lines, without the places in the code."""
    found = Alignment(is_text=True).differences(parse(text), trace.roots, "it")
    return [re.sub(r" \(\w+\.py:\d+\)", "", line.told) for line in found]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\nb\n  d\nb\n  d\nc", []),
        ("a\n?x\n...", []),
        ("...\nc", []),
        ("b x2\n  d\nc", ["it has a #1 more than expected"]),
        ("x\nb x2\n  d\nc", ["expected x, found a #1"]),
        (
            "a\nb x3\n  d\nc\nz",
            ["it should have b x3, and has 2 of it", "it should have z, and has none"],
        ),
        ("a\nb x2\nc", ["b #2 has d #3 more than expected", "b #4 has d #5 more than expected"]),
        ("a\nb\n  d\nb\n  e\nc", ["expected e, found d #5"]),
        (
            'a {name: "b"}\n...\nd',
            ['a #1: payload.name  expected "b", was "a"', "it should have d, and has none"],
        ),
        ("a\nb x2 (any order)\n  e\nc", ["b #2 should have e, in any order, and has none"]),
        (
            "a\nb (any order)\n  d {n: 1}\nb\n  d\nc",
            ["d #3: payload.n  expected 1, is missing (there is nothing)"],
        ),
    ],
)
def test_the_fewest_differences_are_told(trace: Recorder, text: str, lines: list[str]):
    """None of them where the shape is as it should be."""
    found = differences(trace, text)
    assert found[: len(lines)] == lines
    assert bool(found) == bool(lines)
    assert Comparison(is_text=True).matches(parse(text), trace.roots, "it") == (not lines)


def test_in_any_order_what_is_nearest_is_compared(trace: Recorder):
    """A difference further down is told there, and not as a span that is missing above."""
    tree: Any = 'b {name: "b"}\n  d\n...\nb\n  d {name: "x"}\nc\na'
    found = Alignment(is_text=True).differences(parse(tree), trace.roots, "it", any_order=True)
    assert [re.sub(r" \(\w+\.py:\d+\)", "", line.told) for line in found] == [
        'd #5: payload.name  expected "x", is missing (there is nothing)'
    ]


def test_in_any_order_no_pattern_takes_what_only_fits_another(trace: Recorder):
    """Whichever stands first."""
    for tree in ("*\nb x2\n  d\nc", "? * x0..2\na\nc\nb x2\n  d".replace("? ", "?")):
        nodes = parse(tree)
        assert Alignment(is_text=True).differences(nodes, trace.roots, "it", any_order=True) == []
        assert Comparison(is_text=True).matches(nodes, trace.roots, "it", any_order=True)


def test_of_very_many_the_first_is_told(trace: Recorder, monkeypatch: pytest.MonkeyPatch):
    """To compare all with all takes too long."""
    tree: Any = "x\nb x2\n  d\nz"
    monkeypatch.setattr(alignment, "_MOST_PAIRS", 3)
    assert len(differences(trace, tree)) == 1
    assert differences(trace, "a\nb x2\n  d\nc") == []


def many(count: int) -> Recorder:
    """Return a recording of steps one after the other, of two types in turn."""
    with Recorder() as recorder, prefactor.instance():
        for number in range(count):
            with prefactor.span("ab"[number % 2]):
                pass
    return recorder


def test_siblings_may_be_more_than_the_stack_is_deep():
    """What `tree` says of them can be expected of them."""
    trace = many(1_200)
    trace.assert_tree(trace.tree())


def test_each_pattern_is_compared_with_each_sibling_once(monkeypatch: pytest.MonkeyPatch):
    """However many ways there are to lay them beside each other."""
    asked = []
    spans, compare = many(60).roots, comparison.matches_text
    monkeypatch.setattr(comparison, "matches_text", lambda *one: asked.append(1) or compare(*one))
    nodes = parse("...\na\n...\nb\n...\n?a x0..3\n...\nz\n...")
    assert not Comparison(is_text=True).matches(nodes, spans, "it")
    assert len(asked) <= 4 * len(spans)
