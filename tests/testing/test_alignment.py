"""Patterns beside spans, so that as little as possible differs."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

import prefactor_trace as prefactor
from prefactor_trace.testing import Recorder, T, alignment, comparison
from prefactor_trace.testing.alignment import Alignment
from prefactor_trace.testing.comparison import Comparison
from prefactor_trace.testing.pattern import parse
from prefactor_trace.testing.single import unlike


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
    found = Alignment().differences(parse(text), trace.roots, "it")
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
    assert Comparison().matches(parse(text), trace.roots) == (not lines)


def test_in_any_order_what_is_nearest_is_compared(trace: Recorder):
    """A difference further down is told there, and not as a span that is missing above."""
    tree: Any = '(any order)\nb {name: "b"}\n  d\n...\nb\n  d {name: "x"}\nc\na'
    found = Alignment().differences(parse(tree), trace.roots, "it")
    assert [re.sub(r" \(\w+\.py:\d+\)", "", line.told) for line in found] == [
        'd #5: payload.name  expected "x", is missing (there is nothing)'
    ]


def test_in_any_order_no_pattern_takes_what_only_fits_another(trace: Recorder):
    """Whichever stands first."""
    for tree in ("*\nb x2\n  d\nc", "? * x0..2\na\nc\nb x2\n  d".replace("? ", "?")):
        nodes = parse(f"(any order)\n{tree}")
        assert Alignment().differences(nodes, trace.roots, "it") == []
        assert Comparison().matches(nodes, trace.roots)


def test_of_very_many_the_first_is_told(trace: Recorder, monkeypatch: pytest.MonkeyPatch):
    """To compare all with all takes too long."""
    tree: Any = "x\nb x2\n  d\nz"
    for bound in ("_MOST_WAYS", "_MOST_PAIRS"):
        with monkeypatch.context() as patch:
            patch.setattr(alignment, bound, 1)
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
    assert not Comparison().matches(nodes, spans)
    assert len(asked) <= 4 * len(spans)


def test_a_trace_may_be_deeper_than_the_stack():
    """What it says of itself is right, and what differs is found at its end."""
    depth = 5_000
    with Recorder() as trace, prefactor.instance():
        spans = [prefactor.start_span("step", {"n": 0})]
        for number in range(1, depth):
            spans.append(prefactor.start_span("step", {"n": number}, parent=spans[-1]))
        for span in reversed(spans):
            span.complete()
    nodes = []
    for _ in range(depth):
        nodes = [T("step", children=nodes)]
    trace.assert_tree(nodes)
    text = trace.tree()
    with pytest.raises(AssertionError) as caught:
        trace.assert_tree(text + " {n: 1}")
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("payload.n  expected 1, was 4999")
    assert lines[3].startswith("  ⋮  4900 left out")
    assert lines[-2].startswith('  ⋮ level 5000: step {"n": 4999}  ')
    assert max(map(len, lines)) < 200
    assert len(trace.roots[0].descendants) == depth - 1
    assert trace.spans[-1].path.count("/") == depth - 1
    with pytest.raises(AssertionError) as caught:
        trace.one("step", n=depth - 1, under="plan")
    assert 'expected "plan", is in …/step/step/' in str(caught.value)
    plain, levels = trace.snapshot(), 0
    while plain:
        plain, levels = plain[0].get("children", []), levels + 1
    assert levels == depth


@pytest.mark.parametrize("any_order", [False, True])
def test_of_very_many_siblings_the_one_that_differs_is_told(any_order: bool):
    """What is as expected before and behind it has not to be laid side by side."""
    with Recorder() as trace, prefactor.instance():
        for number in range(3_000):
            with prefactor.span("step", {"n": number}):
                pass
    lines = [f"step {{n: {number}}}" for number in range(3_000)]
    lines[1_500] = "step {n: -1}"
    told = [r"step #1501 \(.*\): payload.n  expected -1, was 1500\n"]
    if any_order:
        lines.reverse()
    with pytest.raises(AssertionError, match=told[0]):
        trace.assert_tree("\n".join(lines), any_order=any_order)
    del lines[1_500 - any_order]
    with pytest.raises(AssertionError, match=r"the trace has step #1501 \(.*\) more than expected"):
        trace.assert_tree("\n".join(lines), any_order=any_order)


def test_each_pattern_in_any_order_is_compared_with_those_of_its_value(
    monkeypatch: pytest.MonkeyPatch,
):
    """Not with all."""
    asked = []
    with Recorder() as trace, prefactor.instance():
        for number in range(500):
            with prefactor.span("step", {"n": number}):
                pass
    spans, compare = trace.roots, comparison.is_unlike
    monkeypatch.setattr(
        comparison, "is_unlike", lambda *one, **more: asked.append(1) or compare(*one, **more)
    )
    lines = [f"step {{n: {number}}}" for number in reversed(range(500))]
    assert Comparison().matches(parse("\n".join(["(any order)", *lines])), spans)
    assert len(asked) == 500


def test_what_is_found_too_few_times_in_any_order_is_told_once(trace: Recorder):
    """Though it stands there in several lines."""
    assert in_any_order(trace, "b x2\n  d\na\nc\ne\ne\n...") == [
        "it should have e x2, in any order, and has none"
    ]


@pytest.mark.parametrize("any_order", [False, True])
def test_of_many_that_differ_each_is_compared_with_those_near_to_it(
    any_order: bool, monkeypatch: pytest.MonkeyPatch
):
    """Those at its place, and those that are as it says but for what is inside."""
    many = 60
    with Recorder() as trace, prefactor.instance():
        for number in range(many):
            with prefactor.span("turn", {"n": number}), prefactor.span("step", {"k": 1}):
                pass
    turns = [T("turn", {"n": n}, [T("step", {"k": 2})]) for n in range(many)]
    if any_order:
        turns.reverse()
    told = []
    monkeypatch.setattr(
        alignment, "unlike", lambda *one, **more: told.append(1) or unlike(*one, **more)
    )
    aligned = Alignment()
    tree = T("", children=turns, any_order=any_order)
    found = aligned.differences(tree, trace.roots, "it")
    lines = [re.sub(r" \(\w+\.py:\d+\)", "", one.told) for one in found]
    assert lines == [f"step #{2 * n + 2}: payload.k  expected 2, was 1" for n in range(many)]
    assert len(told) <= 2 * 4 * many
    del turns[:5]
    found = Alignment().differences(tree, trace.roots, "it")
    *rest, last = [one.told for one in found] if any_order else [one.told for one in found][::-1]
    assert len(rest) == many - 5
    assert all("payload.k  expected 2, was 1" in line for line in rest)
    assert last.startswith("it has turn #")


def test_what_is_told_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """Of a trace that is another one altogether not all is compared with all."""
    with Recorder() as trace, prefactor.instance():
        for number in range(30):
            with prefactor.span("turn", {"n": number}):
                for step in range(30):
                    with prefactor.span("step", {"k": step}):
                        pass
    turns = [T("turn", ..., [T("step", {"k": -1 - k}) for k in range(30)]) for _ in range(30)]
    told = []
    monkeypatch.setattr(
        alignment, "unlike", lambda *one, **more: told.append(1) or unlike(*one, **more)
    )
    monkeypatch.setattr(alignment, "_MOST_PAIRS", 2_000)
    with pytest.raises(AssertionError) as caught:
        trace.assert_tree(turns)
    assert re.match(r"trace.assert_tree\(...\): \d+ differences at least\n", str(caught.value))
    assert len(told) <= 2 * 2_000  # of what is not compared, the first difference is told


def in_any_order(trace: Recorder, text: str) -> list[str]:
    """Return the lines, without the places in the code."""
    return differences(trace, f"(any order)\n{text}")


def test_in_any_order_differences_are_told_as_the_spans_come(trace: Recorder):
    """Each pattern gets as many of those that are near to it as are wanting."""
    assert in_any_order(trace, "c {n: 1}\nb {n: 1} x2\n  d\na {n: 1}") == [
        f"{name}: payload.n  expected 1, is missing (there is name)"
        for name in ("a #1", "b #2", "b #4", "c #6")
    ]


def test_what_is_not_compared_for_lack_of_time_is_told_all_the_same(
    trace: Recorder, monkeypatch: pytest.MonkeyPatch
):
    """As missing and too many; what is inside is no difference where it is as expected."""
    tree: Any = "c\nb\n  d\nb {n: 1}\n  d\na"
    monkeypatch.setattr(alignment, "_MOST_PAIRS", 0)
    assert in_any_order(trace, tree) == [
        'it should have b {"n": 1}, in any order, and has none',
        "it has b #4 more than expected",
    ]
    monkeypatch.setattr(alignment, "_MOST_PAIRS", 1)
    assert differences(trace, "a\nb {n: 1}\n  d\nb\n  d\nc") == [
        "b #2: payload.n  expected 1, is missing (there is name)"
    ]
