"""What went into a span, in one line."""

import json

import pytest

from prefactor_trace._notes import SCHEMA_NAME_KEY, TRUNCATED
from prefactor_trace.server._hints import READ, hint_of


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ({"city": "Oslo", "n": 3, "deep": None}, "city: Oslo, n: 3, deep: null"),
        ({SCHEMA_NAME_KEY: "search", "city": "Oslo"}, "city: Oslo"),
        ({"text": {TRUNCATED: True, "size": 9000, "head": "Once", "tail": "end"}}, "text: Once"),
        ({"text": "one\n\n  two"}, "text: one two"),
        ({"list": [1, {"a": "b"}]}, 'list: [1, {"a": "b"}]'),
        (
            {"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": "why"}]},
            "messages: why",
        ),
        ({"messages": [{"content": "why", "type": "human"}]}, "messages: why"),
        ({"users": [{"role": "user", "age": 3}]}, 'users: [{"role": "user", "age": 3}]'),
        ({}, None),
        ({SCHEMA_NAME_KEY: "search"}, None),
        ([1], None),
    ],
)
def test_fields_are_told_as_people_write_them(payload: object, told: str | None) -> None:
    """Without the library's own notes and marks, without line breaks."""
    assert hint_of(json.dumps(payload)) == told


def test_the_beginning_is_enough() -> None:
    """Of a payload of any size only a little is read, and a hint is never long."""
    payload = {"question": "why? " * 1000, "rest": ["x" * 50] * 500}
    told = hint_of(json.dumps(payload)[:READ])
    assert told is not None
    assert told.startswith("question: why? why?")
    assert len(hint_of(json.dumps({f"k{at}": "v" * 100 for at in range(50)})) or "") <= 160


@pytest.mark.parametrize("text", [None, "", "{not json", '"text"'])
def test_what_is_no_payload_has_no_hint(text: str | None) -> None:
    """Whatever is stored, the list of spans is shown."""
    assert hint_of(text) is None
