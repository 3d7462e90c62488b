"""What was recorded of a call, as the code that makes the call again expects it."""

import builtins
import dataclasses
import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, Field

from prefactor_trace._capture import snapshot
from prefactor_trace._schema import Function
from prefactor_trace.testing import ReplayedError
from prefactor_trace.testing.answers import raised, returned


class Hit(BaseModel):
    url: str = Field(alias="uri")


class Answer(BaseModel):
    result: str


@dataclasses.dataclass
class Place:
    city: str
    seen: datetime.date


class Gone(Exception):
    class Inside(Exception):
        """Found by its qualified name."""


class Coded(Exception):
    def __init__(self, code: int, *, text: str) -> None:
        self.code, self.text = code, text


class TimeoutError(Exception):  # noqa: A001  # as agents have
    pass


def annotated(annotation: Any) -> Function:
    """Return a function that is annotated to return that."""

    def function(): ...

    function.__annotations__ = {} if annotation is None else {"return": annotation}
    return Function(function)


@pytest.mark.parametrize(
    ("recorded", "annotation", "value"),
    [
        ({"url": "x"}, Hit, Hit(uri="x")),
        ({"url": "x"}, "Hit", Hit(uri="x")),
        ({"result": [{"url": "x"}]}, list[Hit], [Hit(uri="x")]),
        ({"result": [{"url": "x"}]}, Iterator[Hit], [Hit(uri="x")]),
        ({"city": "Rom", "seen": "2026-01-02"}, Place, Place("Rom", datetime.date(2026, 1, 2))),
        ({"result": "x"}, Answer, Answer(result="x")),
        ({"result": [1, 2]}, tuple[int, int], (1, 2)),
        ({"result": {"a": 1}}, dict[str, Any], {"result": {"a": 1}}),
        ({"result": "x"}, str, "x"),
        ({}, Hit | None, None),
        ({}, dict, {}),
        (None, dict | None, None),
        ({"other": 1}, Hit, {"other": 1}),
        ({"a": 1}, "Unknown", {"a": 1}),
        ({"a": 1}, object(), {"a": 1}),
        ({"a": 1}, None, {"a": 1}),
        ({"result": "x"}, None, "x"),
    ],
)
def test_a_result_is_of_the_annotated_type(recorded, annotation, value):
    """And as it was recorded where it is not like it."""
    assert returned(recorded, annotated(annotation)).value == value


@pytest.mark.parametrize(
    ("recorded", "annotation", "wanted", "ends"),
    [
        ({"city": "Rom", "seen": "soon"}, Place, f"{__name__}.Place", 'was "soon"'),
        ({"result": [1, "x"]}, list[int], "list[int]", 'was "x"'),
        ({"result": "x"}, int, "int", 'was "x"'),
    ],
)
def test_why_a_result_is_plain_is_said(recorded, annotation, wanted, ends):
    """Where its function is annotated to return something else."""
    why = str(returned(recorded, annotated(annotation)).unlike)
    place = {Place: "seen  ", list[int]: "1  "}.get(annotation, "")
    assert why.startswith(f"it is no {wanted}, as it is annotated to return: {place}Input should")
    assert why.endswith(ends)


def test_that_a_class_cannot_be_made_of_json_is_said():
    """And nothing is where a result is as annotated, or nothing is annotated."""
    told = f"of JSON no {__name__}.Gone can be made, as it is annotated to return"
    assert returned({"a": 1}, annotated(Gone)).unlike == told
    for annotation in (Hit, None):
        assert returned({"url": "x"}, annotated(annotation)).unlike is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Gone", Gone),
        (f"{__name__}.Gone", Gone),
        ("Gone.Inside", Gone.Inside),
        (f"{__name__}.Gone.Inside", Gone.Inside),
        ("TimeoutError", TimeoutError),
        ("KeyError", KeyError),
        ("json.decoder.JSONDecodeError", ValueError),
        ("Coded", Coded),
        ("nowhere.Gone", ReplayedError),
        ("Hit", ReplayedError),
        ("SystemExit", ReplayedError),
        ("raised", ReplayedError),
    ],
)
def test_an_exception_is_of_the_class_that_was_raised(name, kind):
    """Looked up in the function's module too, where a script's own are."""
    error = raised(name, "in pieces", globals())
    assert isinstance(error, kind)
    assert "in pieces" in error.args[0]


def test_a_missing_key_is_the_key():
    """Its recorded text is the repr of it."""
    assert raised("KeyError", "'w'", {}).args == ("w",)
    assert raised("KeyError", "no such word", {}).args == ("no such word",)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(104, "reset by peer"),
        builtins.TimeoutError(110, "no answer"),
        FileNotFoundError(2, "No such file", "a 'b'.txt"),
        OSError("without a code"),
    ],
)
def test_an_error_of_the_system_has_its_code(error):
    """And its file, where it is of one: code that catches it looks at these."""
    again = raised(type(error).__name__, str(error), {})
    assert type(again) is type(error)
    assert (again.errno, again.filename, str(again)) == (error.errno, error.filename, str(error))


@pytest.mark.parametrize("value", [b"", b"a\xff", bytearray(b"b")])
def test_a_binary_result_that_was_recorded_whole_is_one(value):
    """Whatever the function says of it."""
    (recorded, _) = snapshot(value)
    assert returned(recorded, annotated(None)).value == value
    assert type(returned(recorded, annotated(type(value))).value) is type(value)
