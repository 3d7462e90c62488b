"""How values are called in messages."""

import re

from prefactor_trace.testing.matching import differences
from prefactor_trace.testing.wording import shown, unequal, whole_values


def test_what_was_truncated_is_no_item_and_no_key():
    """It says how much there was; what is not shown of it was not all either."""
    mark = {"prefactor.truncated": True, "size": 900}
    text = {**mark, "head": "ab", "tail": "yz"}
    assert shown([1, mark]) == '[1, "… 1 of 900 items"]'
    assert shown([1, mark, 2]) == '[1, "… 2 of 900 items", 2]'
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
    assert shown(object)[:3] == "an "
    assert shown(str) == "a str"


def test_what_is_no_json_stands_in_a_value_as_it_is_written():
    """As in what a test expects."""
    expected = {"n": int, "text": re.compile("a.*"), "any": ..., "list": [len, None], "raw": {1}}
    text = '{"n": int, "text": /a.*/, "any": ..., "list": [len, null], "raw": {1}}'
    assert shown(expected, 100) == text
    assert shown({"n": int}, 100) == '{"n": int}'


def test_of_long_texts_the_place_is_shown_where_they_begin_to_differ():
    """Two abbreviations that look alike say nothing."""
    was, expected = ("x" * 50 + word + "y" * 500 for word in ("DIFF", "DIFE"))
    assert unequal(expected, was) == (
        f'expected "…{"x" * 12}DIFE{"y" * 34}…", was "…{"x" * 12}DIFF{"y" * 34}…"'
        ": they differ from character 54 on, of 554 and 554"
    )
    with whole_values(on=True):
        whole = unequal(expected, was)
        assert expected in whole
        assert was in whole
        assert shown(was) == f'"{was}"'
    assert was not in shown(was)
    assert unequal("a" * 80, "a" * 79).endswith("from character 80 on, of 80 and 79")


def test_a_text_that_was_cut_when_it_was_recorded_says_so():
    """It cannot be as expected; also where nothing of the payload is left."""
    cut = {"prefactor.truncated": True, "size": 500, "head": "ab", "tail": "yz"}
    assert unequal("abc", cut).endswith('(500 characters)", cut when it was recorded')
    (told,) = differences({"prefactor.truncated": True, "size": 513}, {"p": "x"}, "payload")
    assert told.endswith(
        "is missing (there is nothing left: 513 characters were too many to be recorded)"
    )
