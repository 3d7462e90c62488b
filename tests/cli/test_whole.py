"""A span told whole: every kind of value can be read, and nothing of it moves the cursor."""

import json
from typing import Any

import pytest

from prefactor_trace._capture import serialise, snapshot
from prefactor_trace.cli.terminal import Screen
from prefactor_trace.cli.whole import whole

from .records import span

SCREEN = Screen(width=80)


def told(**fields: Any) -> list[str]:
    """Return the lines of a span but for its id and its times."""
    return list(whole(span(**fields), SCREEN))[3:]


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (5, ["a: 5"]),
        (None, ["a: null"]),
        ("text", ["a: text"]),
        ("5", ['a: "5"']),
        ("", ['a: ""']),
        ("null", ['a: "null"']),
        ("one\n\x1b[2J", ["a:", "  one", "  \\x1b[2J"]),
        ({"b": ["x", 1]}, ['a: {"b": ["x", 1]}']),
        ({"b": "x\ny", "c": {}}, ["a:", "  b:", "    x", "    y", "  c: {}"]),
        (
            ["x" * 90, {"k": "y\nz"}],
            ["a:", "  - " + "x" * 90, "  - k:", "      y", "      z"],
        ),
    ],
)
def test_values(value: object, lines: list[str]) -> None:
    """In one line where that is short, else as YAML has them."""
    payload = {"a": value, "long": "l" * 80}
    assert told(payload=payload) == [
        "payload:",
        *("  " + line for line in lines),
        "  long: " + "l" * 80,
    ]


def test_what_was_cut_says_how_much_there_was() -> None:
    """Where it was cut, with what was kept of it."""
    recorded = serialise(
        snapshot({"text": "a" * 500 + "b" * 500, "list": list(range(3_000))})[0], 400
    )
    lines = told(payload=json.loads(recorded))
    text = lines.index("  text:")
    assert lines[text + 1].strip() == "a" * len(lines[text + 1].strip())
    assert lines[text + 2] == "    … (1000 characters)"
    assert lines[text + 3].strip() == "b" * len(lines[text + 3].strip())
    gap = next(at for at, line in enumerate(lines) if "of 3000 items" in line)
    assert lines[gap].strip().startswith("… (")
    assert lines[gap + 1].strip() in {f"- {n}" for n in range(2_900, 3_000)}
    assert "    - 2999" in lines


def test_errors() -> None:
    """As Python prints them, apart from what else the step said."""
    failed = {
        "error_type": "E",
        "message": "no",
        "stacktrace": "Traceback:\n  line\nE: no\n",
        "n": 1,
    }
    assert told(status="failed", result=failed) == [
        *("error:", "  Traceback:", "    line", "  E: no"),
        'result: {"n": 1}',
    ]
    for unsaid in ({}, {"stacktrace": None}, {"stacktrace": " \n"}):
        result = {"error_type": "E", "message": "no", **unsaid}
        assert told(status="failed", result=result) == ["error: E: no"]
    cut = {"prefactor.truncated": True, "size": 9, "head": "no", "tail": "!"}
    result = {"error_type": "E", "message": cut, "stacktrace": ""}
    assert told(status="failed", result=result) == ["error: E: no…!"]
    assert told(status="failed", result={"x": 1}) == ['result: {"x": 1}']


def test_a_value_that_was_returned_is_the_result() -> None:
    """Without the mapping that it travels in."""
    assert told(result={"result": [1, 2]}) == ["result: [1, 2]"]
    assert told(result={"result": None}) == []


def test_schema_mismatches_and_summaries() -> None:
    """What the service says of a span is told, too."""
    one = span().model_copy(
        update={
            "summary": "five of them",
            "schema_validation": {"valid": False, "errors": ["payload.k is no integer"]},
        }
    )
    lines = list(whole(one, SCREEN))
    assert "summary: five of them" in lines
    assert 'schema mismatch: ["payload.k is no integer"]' in lines
