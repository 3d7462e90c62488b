"""Strict JSON of a payload within its limit."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_json import plain

from prefactor_trace._capture import serialise, snapshot, to_json, truncation
from prefactor_trace._capture.bounds import MAX_NODES
from prefactor_trace._capture.truncation import Extents, _cut_mapping
from prefactor_trace._notes import TRUNCATED


@given(st.dictionaries(st.text(), plain), st.integers(100, 3000))
def test_no_payload_is_longer_than_its_limit(payload: dict[str, Any], limit: int):
    """It is whole, or it is marked; always strict JSON."""
    data = serialise(payload, limit)
    assert len(data) <= limit
    read = json.loads(data, parse_constant=pytest.fail)
    assert data == to_json(payload) or read[TRUNCATED] is True
    # Whether it is told to be large or not.
    assert serialise(payload, limit, 1_000_000) == data


@given(st.dictionaries(st.text(max_size=60), plain), st.integers(64, 3000))
def test_what_is_known_of_a_payload_is_never_more_than_its_json(value: dict[str, Any], limit: int):
    """So that it need not be cut and written to know that it has to be cut, or cut further."""
    extents = Extents(value)
    assert extents.least <= len(to_json(value))
    for piece in (limit, 1500, 750, 375, 187, 93):
        cut = _cut_mapping(value, max(piece, 64), extents)
        assert extents.least_of(value, max(piece, 64)) <= len(to_json(cut))
        if piece >= extents.widest:
            assert cut == value


def test_of_plain_texts_as_much_is_known_as_there_is():
    """With the keys, and what JSON puts around them: no round of cutting is in vain."""
    value = {"a": "x" * 500, "b": ["y" * 400, {"c": "z" * 100}], "d": 1, "e": [], "f": [{}]}
    assert len(to_json(value)) - 4 <= Extents(value).least <= len(to_json(value))


def test_what_fits_is_not_touched():
    """A payload of the very limit is whole, one of a byte more is cut."""
    payload = {"text": "x" * 489}
    assert len(to_json(payload)) == 500
    assert serialise(payload, 500) == to_json(payload)
    assert TRUNCATED in json.loads(serialise(payload, 499))


def test_a_long_text_keeps_head_and_tail():
    """What was cut says how long it was; what is short stays whole."""
    text = "<" + "x" * 20_000 + ">"
    read = json.loads(serialise({"model": "m", "prompt": text}, 2000))
    assert read["model"] == "m"
    assert read[TRUNCATED] is True
    cut = read["prompt"]
    assert (cut[TRUNCATED], cut["size"]) == (True, len(text))
    assert (cut["head"][0], cut["tail"][-1]) == ("<", ">")


def test_a_text_for_which_there_is_just_room_stays_whole():
    """Those beside it that are longer are cut to its length."""
    text = "x" * 300
    read = json.loads(serialise({"text": text, "b": "y" * 800, "c": "z" * 800}, 1100))
    assert read["text"] == text
    assert len(read["b"]["head"]) + len(read["b"]["tail"]) == len(text)


def test_a_long_list_keeps_its_ends():
    """The mark stands where items are missing, and says how long it was."""
    read = json.loads(serialise({"hits": list(range(10_000))}, 1000))["hits"]
    gap = read.index({TRUNCATED: True, "size": 10_000})
    assert gap >= 20
    assert read[:gap] == list(range(gap))
    last = read[gap + 1 :]
    assert last == list(range(10_000 - len(last), 10_000))
    assert 0 <= gap - len(last) <= 1


def test_of_a_conversation_the_last_messages_are_kept_too():
    """With as many of the first; of each as much as of the others, and most of what has room."""
    messages = [{"role": "user", "content": f"{n}: " + "word " * 50} for n in range(60)]
    data = serialise({"model": "m", "messages": messages}, 10_000)
    read = json.loads(data)["messages"]
    assert read[0] == messages[0]
    assert read[-1] == messages[-1]
    assert all(one in messages for one in read if TRUNCATED not in one)
    assert len(data) > 6_000


def test_what_is_much_shorter_than_the_limit_is_not_cut_in_vain(monkeypatch: pytest.MonkeyPatch):
    """Many short texts: the first cut that is made is one that takes something away."""
    made = []
    monkeypatch.setattr(truncation, "to_json", lambda value: made.append(value) or to_json(value))
    serialise({"hits": ["x" * 40] * 500}, 10_000, 50_000)
    assert len(made) == 1
    assert len(made[0]["hits"]) < 500


def test_a_list_that_was_cut_twice_keeps_what_is_next_to_its_ends():
    """Also one of which the end had been left out before."""
    once = json.loads(serialise({"hits": list(range(10_000))}, 1000))
    twice = json.loads(serialise(once, 300))["hits"]
    gap = twice.index({TRUNCATED: True, "size": 10_000})
    assert twice[:gap] == list(range(gap))
    assert twice[gap + 1 :] == list(range(10_000 - (len(twice) - gap - 1), 10_000))
    without_end = snapshot([0] * 3 * MAX_NODES)[0]
    read = json.loads(serialise({"hits": without_end}, 1000))["hits"]
    assert read[-1] == {TRUNCATED: True, "size": 3 * MAX_NODES}


def test_a_large_mapping_keeps_its_first_keys():
    """The mark in it says how large it was."""
    read = json.loads(serialise({"inner": {f"key{n}": n for n in range(10_000)}}, 1000))
    assert read["inner"]["key0"] == 0
    assert read["inner"]["prefactor.size"] == 10_000


def test_what_cannot_be_cut_to_size_keeps_what_fits():
    """Many keys with small values: the first of them, and the size of the whole."""
    payload = {"first": "a", **{f"key{n}": [[["x" * 60] * 3] * 3] * 3 for n in range(8)}}
    data = serialise(payload, 200)
    read = json.loads(data)
    assert len(data) <= 200
    assert (read["first"], read["size"]) == ("a", len(to_json(payload)))
