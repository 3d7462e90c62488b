"""Conditions on a span: on its payload, and on the span itself."""

import contextlib
import functools
import re
import unittest.mock

import pytest

import prefactor_trace as prefactor
from prefactor_trace.testing import Recorder


class ModelDown(Exception):
    """The model does not answer."""


@prefactor.span("ask")
def ask(question: str) -> list[str]:
    """Stand for a model."""
    if question == "bad":
        raise ModelDown("no answer in 5 s")
    return [question]


@prefactor.span("twice")
def twice(status: str, under: int, result_payload: str = "", error: str = "") -> None:
    """Stand for a tool whose arguments are called like conditions."""


class Bot:
    """Has a method that is decorated."""

    @prefactor.span("method")
    def method(self) -> None:
        """Do nothing."""


@pytest.fixture
def asked(trace: Recorder) -> Recorder:
    """A recording of a call that gave an answer and one that failed."""
    with prefactor.instance(), prefactor.span("plan"):
        ask("good")
        with contextlib.suppress(ModelDown):
            ask("bad")
    return trace


@pytest.mark.parametrize(
    "conditions",
    [
        {"error": ModelDown},
        {"error": "ModelDown"},
        {"error": f"{__name__}.ModelDown"},
        {"error": re.compile("ModelDown: no answer")},
        {"error": {"message": re.compile("5 s$")}},
        {"error": (f"{__name__}.ModelDown", str)},
        {"error": lambda error: error.message.startswith("no")},
        {"error": ...},
        {"result_payload": {"message": str}},
    ],
)
def test_an_error_can_be_asked_for(asked: Recorder, conditions):
    """By its class, its name, its text."""
    assert asked.one("ask", **conditions).payload == {"question": "bad"}


def test_a_result_can_be_asked_for(asked: Recorder):
    """A part of it is enough; and that there was no error."""
    assert asked.one("ask", result_payload={"result": ["good"]}, error=None).status == "complete"
    asked.none("ask", result_payload={"result": ["other"]})
    assert asked.count("plan", result_payload=None) == 1


@pytest.mark.parametrize(
    ("conditions", "line"),
    [
        (
            {"error": TimeoutError},
            f"error          expected a TimeoutError, was {__name__}.ModelDown: no answer in 5 s",
        ),
        ({"error": "Timeout"}, 'error          expected "Timeout", there is none'),
        ({"error": "Timeout"}, f'error          expected "Timeout", was {__name__}.ModelDown: no'),
        ({"error": None, "question": "bad"}, "error          expected none, was "),
        (
            {"result_payload": {"result": ["x"]}},
            'result_payload.result[0] expected "x", was "good"',
        ),
        ({"result_payload": {"n": 1}, "question": "good"}, "result_payload.n expected 1, is miss"),
        ({"q": 1}, "payload.q      expected 1, is missing (there is question)"),
        ({"under": "ask"}, 'under          expected "ask", is in plan'),
    ],
)
def test_what_is_not_so_is_told(asked: Recorder, conditions, line):
    """In a line for each condition."""
    with pytest.raises(AssertionError) as caught:
        asked.one("ask", **conditions)
    assert f"\n    {line}" in str(caught.value)


def test_a_result_that_is_missing_is_said_to_be(asked: Recorder):
    """And who writes `result=` is told the name."""
    with pytest.raises(AssertionError, match='expected \\{"a": 1\\}, there is none'):
        asked.one("plan", result_payload={"a": 1})
    with pytest.raises(AssertionError, match=r"'result' in its payload; did you mean result_paylo"):
        asked.one("ask", result="good")


def test_under_takes_a_span(asked: Recorder):
    """That one, and not another of its type."""
    with prefactor.instance(), prefactor.span("plan"):
        pass
    first, second = asked.all("plan")
    assert asked.count("ask", under=first) == 2
    assert asked.count("ask", under="plan") == 2
    asked.none("ask", under=second)
    with pytest.raises(AssertionError, match="under          expected plan #4, is in plan"):
        asked.one("ask", under=second)
    with pytest.raises(TypeError, match=r"under= of trace.one\(\) takes the name of a span type"):
        asked.one("ask", under=3)


def test_keys_that_are_called_like_conditions(trace: Recorder):
    """Are in a mapping; those that no span had when they were keys stay keys."""
    with prefactor.instance():
        twice("open", 3, "r", "e")
    assert trace.one("twice", {"status": "open", "under": 3}, status="complete", error="e")
    assert trace.one("twice", lambda payload: payload["under"] == 3, result_payload="r")
    trace.none("twice", {"status": "complete"})
    with pytest.raises(AssertionError) as caught:
        trace.one("twice", {"status": "complete"})
    assert 'trace.one("twice", {"status": "complete"}): expected' in str(caught.value)
    assert 'payload.status expected "complete", was "open"' in str(caught.value)
    with pytest.raises(AssertionError, match="a key of the payload goes into a mapping before it"):
        trace.one("twice", under="open")
    with pytest.raises(AssertionError, match="the payload is given as a mapping, before"):
        trace.one("twice", payload={"under": 3})
    with pytest.raises(
        AssertionError, match=r'trace.one\("twice", status="failed", error=..., a=int'
    ):
        trace.one("twice", status="failed", error=..., a=int)


def test_a_payload_that_is_no_mapping_is_refused(asked: Recorder):
    """No payload would ever be like it."""
    for wrong in ("bad", 3, str, ["bad"]):
        with pytest.raises(TypeError, match="takes a part of the payload as a mapping, or a func"):
            asked.none("ask", wrong)


def test_a_status_that_there_is_none_of_is_refused(asked: Recorder):
    """Else nothing would ever have it."""
    for question in (asked.one, asked.all, asked.none, asked.count):
        with pytest.raises(ValueError, match="no status 'completed'; did you mean 'complete'"):
            question("ask", status="completed")
    with pytest.raises(
        ValueError, match=r"there are pending, active, complete.*\{'status': \.\.\.\}"
    ):
        asked.none("ask", status=3)


def test_a_decorated_function_stands_for_its_span_type(asked: Recorder):
    """Anything else that is no name is refused."""
    with prefactor.instance():
        Bot().method()
    assert asked.count(ask) == 2
    assert asked[Bot.method].schema_name == "method"
    assert asked.one(Bot().method) is not None
    assert ask in asked
    asked.assert_order(ask, Bot.method)
    assert asked.count(ask, under="plan") == 2
    for wrong in (str.upper, 3, None):
        with pytest.raises(TypeError, match=r"trace\.one\(\) takes the name of a span type, or a"):
            asked.one(wrong)


def test_a_function_below_another_decorator_is_known(asked: Recorder):
    """As by a retry around the span, which makes one span of each attempt."""

    @functools.wraps(ask)
    def retried(*args: object) -> object:
        return ask(*args)

    assert asked.count(retried) == asked.count(ask)
    with pytest.raises(TypeError, match="or a function decorated with @span"):
        asked.one(unittest.mock.call)  # which has every attribute


def test_a_function_that_raises_ends_the_question(asked: Recorder):
    """With the span that it was asked about: it has said neither yes nor no."""
    with pytest.raises(AssertionError, match=r"^ask #2 .*: payload.question  <lambda> raised Attr"):
        asked.none("ask", question=lambda question: question.startwith("b"))
