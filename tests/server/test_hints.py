"""What went into a span, in one line."""

import contextlib
import json
import sqlite3

import pytest

from prefactor_trace._notes import SCHEMA_NAME_KEY, TRUNCATED
from prefactor_trace.server._hints import BEGINNING, hint_of

PROMPT = "You are an agent. " * 300


def read(payload: object) -> str:
    """Return what is read of a payload to tell it."""
    db = sqlite3.connect(":memory:")
    with contextlib.closing(db):
        rows = db.execute(f"SELECT {BEGINNING} FROM (SELECT ? AS payload)", (json.dumps(payload),))
        return rows.fetchone()[0]


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
    assert len(read(payload)) == 600
    told = hint_of(read(payload))
    assert told is not None
    assert told.startswith("question: why? why?")
    assert len(hint_of(json.dumps({f"k{at}": "v" * 100 for at in range(50)})) or "") <= 160


def asked(content: object, *before: object) -> dict[str, object]:
    """Return the payload of a call of a model."""
    return {"messages": [*before, {"role": "user", "content": content}]}


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (asked("Where?", {"role": "system", "content": PROMPT}), "messages: Where?"),
        ({"system": PROMPT, **asked("Where?")}, f"system: {PROMPT[:59]}…, messages: Where?"),
        (asked("Here?", {"role": "user", "content": "Where?"}), "messages: Here?"),
        (asked([3, {"type": "image"}, {"text": "What is it?"}]), "messages: What is it?"),
        (asked({TRUNCATED: True, "head": "Where", "tail": "?"}), "messages: Where"),
        (asked([{"type": "image"}]), 'messages: [{"role": "user", "content": [{"type": …'),
    ],
)
def test_what_a_user_asks_is_told_though_a_long_prompt_stands_before_it(
    payload: object, told: str
) -> None:
    """The prompt is the same in each run; the last question, also in parts, or where it was cut."""
    assert hint_of(read(payload)) == told


@pytest.mark.parametrize("text", [None, "", "{not json", '"text"'])
def test_what_is_no_payload_has_no_hint(text: str | None) -> None:
    """Whatever is stored, the list of spans is shown."""
    assert hint_of(text) is None
