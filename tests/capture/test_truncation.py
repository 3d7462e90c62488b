"""Strict JSON of a payload within its limit."""

import json
from typing import Any

import pydantic_core
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefactor_trace._capture import exceeds, serialise, snapshot, to_json, truncation
from prefactor_trace._capture.bounds import MAX_NODES
from prefactor_trace._capture.truncation import _core, _cut_mapping
from prefactor_trace._notes import TRUNCATED

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.text(min_size=200, max_size=2000),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=40,
)


@given(st.dictionaries(st.text(), plain), st.integers(100, 3000))
def test_no_payload_is_longer_than_its_limit(payload: dict[str, Any], limit: int):
    """It is whole, or it is marked; always strict JSON."""
    data = serialise(payload, limit)
    assert len(data) <= limit
    read = json.loads(data, parse_constant=pytest.fail)
    assert data == to_json(payload) or read[TRUNCATED] is True
    # Whether it is told to be large or not.
    assert serialise(payload, limit, 1_000_000) == data


@given(st.dictionaries(st.text(max_size=60), plain), st.integers(0, 3000))
def test_texts_that_are_too_long_make_a_json_that_is(value: dict[str, Any], limit: int):
    """So that it need not be made to know that it is to be cut, or cut further."""
    if exceeds(value, limit):
        assert len(to_json(value)) > limit
    for piece in (1500, 750, 375, 187, 93):
        cut = _cut_mapping(value, piece)
        if exceeds(value, limit, piece):
            assert len(to_json(cut)) > limit


def test_all_texts_count_together():
    """Those of mappings and of lists, however deep, with what JSON puts around them."""
    value = [{"a": "x" * 500, "b": ["y" * 400, {"c": "z" * 100}]}, 12345]
    assert exceeds(value, 1_020)
    assert not exceeds(value, 1_030)


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
    text = "x" * 274
    read = json.loads(serialise({"text": text, "b": "y" * 800, "c": "z" * 800}, 1050))
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


@pytest.mark.parametrize(
    ("text", "written"),
    [("a\ud800b", "a?b"), ("a\0b", "a\N{REPLACEMENT CHARACTER}b"), ("é", "é"), ("\U0001f600",) * 2],
)
def test_text_is_what_strict_readers_take(text: str, written: str):
    """Lone surrogates and NUL are replaced, as key, as value and deep inside; the rest stays."""
    assert json.loads(to_json({text: [{"a": text}]})) == {written: [{"a": written}]}


def test_numbers_that_json_has_not_are_null():
    """The snapshot names them; whatever still comes here is at least no lie."""
    assert to_json([float("nan"), float("inf"), 1.5]) == b"[null,null,1.5]"


def test_what_pydantic_writes_for_any_schema_is_what_it_writes_for_none():
    """To the letter, for all plain JSON, also numbers of any size; with the same error."""

    @given(plain | st.integers() | st.integers(1 << 62, 1 << 200))
    def same(value: Any):
        write, error = _core()
        try:
            expected = pydantic_core.to_json(value, inf_nan_mode="null")
        except error:
            with pytest.raises(error):
                write(value)
        else:
            assert write(value) == expected

    same()


def test_an_old_pydantic_writes_strict_json_too(monkeypatch: pytest.MonkeyPatch):
    """Before 2.7 it has no null for what JSON has no number for."""
    serializer = pydantic_core.SchemaSerializer
    monkeypatch.setattr(
        pydantic_core, "SchemaSerializer", lambda schema, config: serializer(schema)
    )
    write, _ = _core.__wrapped__()
    value = {"a": [float("nan"), float("-inf"), 1.5, 2], "b": {"c": float("inf")}, "d": "x"}
    assert write(value) == b'{"a":[null,null,1.5,2],"b":{"c":null},"d":"x"}'
