"""Does a value look like what a test expects?"""

import re

import pytest

from prefactor_trace.testing.matching import differences, matches_text, shown

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
        ({"ok": int}, "payload.ok  expected a int, was true"),
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
    assert matches_text({"a": "xy", "b": 1}, {"a": "x*"})


def test_what_was_truncated_is_no_item_and_no_key():
    """It says how much there was; what is not shown of it was not all either."""
    mark = {"prefactor.truncated": True, "size": 900}
    text = {**mark, "head": "ab", "tail": "yz"}
    assert shown([1, mark]) == '[1, "… 1 of 900 items"]'
    assert shown({"text": text}) == '{"text": "ab…yz (900 characters)"}'
    keys = {"a": 1, "prefactor.truncated": True, "prefactor.size": 40}
    assert shown(keys) == '{"a": 1, "…": "1 of 40 keys"}'
    left_out = {"prefactor.truncated": True, "type": "builtins.dict", "bound": "depth"}
    assert shown({"a": left_out}) == '{"a": "(builtins.dict left out)"}'
    assert shown([*range(50), mark]).endswith(" B, truncated")
    (told,) = differences(keys, {"b": 2}, "payload")
    assert told.endswith("is missing (there is a and, truncated, others: 1 of 40 keys)")


def test_long_values_are_cut_with_their_size():
    """So that a message stays readable."""
    assert shown("x" * 100) == '"' + "x" * 49 + "… 102 B"
    assert shown(object)[:2] == "a "
