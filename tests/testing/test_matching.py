"""Does a value look like what a test expects?"""

import re

import pytest

from prefactor_trace.testing.matching import Starred, differences, matches_text

VALUE = {"tool": "search", "args": {"q": "weather", "n": 3}, "tags": ["a", "b"], "ok": True}


@pytest.mark.parametrize(
    "expected",
    [
        {},
        {"tool": "search"},
        {"tool": str, "args": {"n": int}},
        {"args": {"n": float, "q": re.compile("^wea")}},
        {"tags": ["a", str], "ok": True},
        {"args": ..., "tool": lambda text: text.startswith("s")},
    ],
)
def test_a_part_is_enough(expected):
    """Types, patterns, functions and `...` stand for values."""
    assert differences(VALUE, expected, "payload") == []


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ({"tool": "fetch"}, 'payload.tool  expected "fetch", was "search"'),
        ({"args": {"n": str}}, "payload.args.n  expected a str, was 3"),
        ({"ok": int}, "payload.ok  expected an int, was true"),
        ({"ok": 1}, "payload.ok  expected 1, was true"),
        (
            {"args": {"q": re.compile("x")}},
            "payload.args.q  expected to match 'x', was \"weather\"",
        ),
        (
            {"url": ...},
            "payload.url  expected anything, is missing (there is tool, args, tags, ok)",
        ),
        ({"tags": ["a"]}, 'payload.tags  expected ["a"], was ["a", "b"]'),
        ({"tags": ["a", "c"]}, 'payload.tags[1]  expected "c", was "b"'),
        ({"tool": {"a": 1}}, 'payload.tool  expected {"a": 1}, was "search"'),
        ({"tool": ["search"]}, 'payload.tool  expected ["search"], was "search"'),
        ({"tool": "s*"}, 'payload.tool  expected "s*", was "search"'),
        ({"tool": str.isupper}, 'payload.tool  isupper said no to "search"'),
    ],
)
def test_each_difference_has_a_line(expected, told):
    """With the place, what was expected and what was there."""
    assert differences(VALUE, expected, "payload") == [told]


def test_a_star_stands_for_any_text():
    """In the text of a tree; brackets are just brackets."""
    assert matches_text("claude-x", "claude-*")
    assert matches_text("[a]b", "[a]*")
    assert not matches_text("gpt", "claude-*")
    assert differences({"a": "xy", "b": 1}, {"a": Starred("x*")}, "it") == []
    assert differences(3, Starred("3*"), "it") == ['it  expected "3*", was 3']


def test_only_a_star_stands_for_something():
    """Also in lists and in what is nested; a question mark is one."""
    expected = {"a": [Starred("what? *"), {"b": Starred("x*")}]}
    assert differences({"a": ["what? yes", {"b": "xy"}]}, expected, "it") == []
    assert not matches_text("whats yes", "what? *")
    assert differences({"a": {"b": "xy"}}, {"a": {"b": Starred("z*")}}, "it") == [
        'it.a.b  expected "z*", was "xy"'
    ]


def test_of_long_lists_the_lengths_are_told():
    """What they differ in may be in what is not shown."""
    messages = [{"role": "system", "content": "x" * 60}, {"role": "user"}]
    (told,) = differences({"m": messages}, {"m": [{"role": "user"}]}, "payload")
    assert told.startswith("payload.m  expected 1 item, were 2: [0].role  expected")


@pytest.mark.parametrize(
    ("count", "expected", "told"),
    [
        (9, 8, 'expected 8 items, were 9: [8] "item 8" is more than expected'),
        (8, 9, 'expected 9 items, were 8: [8] "item 8" is missing'),
        (9, 1, 'expected 1 item, were 9: [1] "item 1" is more than expected'),
    ],
)
def test_of_long_lists_the_first_item_is_told_that_differs(count, expected, told):
    """Or the first that is more or less than expected; with a star as elsewhere."""
    value = [f"item {number}" for number in range(count)]
    wanted = [f"item {number}" for number in range(expected)]
    assert differences(value, wanted, "it") == [f"it  {told}"]
    assert differences(value, [Starred("it*"), *wanted[1:]], "it") == [f"it  {told}"]


def test_a_function_that_raises_is_named_with_what_it_was_given():
    """Whether it says no is not known: nothing may pass by it."""
    with pytest.raises(AssertionError) as caught:
        differences(VALUE, {"args": lambda args: args["k"] > 3}, "payload", of="tool #3 (a.py:1)")
    assert str(caught.value).startswith(
        'tool #3 (a.py:1): payload.args  <lambda> raised KeyError(\'k\') for {"q": "weather"'
    )
