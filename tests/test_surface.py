"""What a tracer offers to record with."""

import re
from datetime import datetime, timezone

import pytest

from prefactor_trace import Instance, Span
from prefactor_trace.exceptions import UsageError


class Name(str):
    """A name of the user's own class."""

    __slots__ = ()

    def __str__(self) -> str:
        return "something else"


def test_a_name_of_a_class_of_its_own_is_the_text_that_it_holds(tracer):
    """None of its code is run."""
    span = tracer().span(Name("tool_call"))
    assert (type(span.schema_name), span.schema_name) == (str, "tool_call")


@pytest.mark.parametrize("wrong", ["", 3, b"step", ["step"]])
def test_what_is_no_name_is_refused_when_it_is_said(tracer, wrong):
    """Not only when the block is entered."""
    with pytest.raises(UsageError, match="must be text such as 'tool_call', got"):
        tracer().span(wrong)


def test_a_span_that_says_nothing_has_no_options(tracer):
    """And one that says something has just that."""
    t = tracer()
    assert t.span("step")._options is None
    said = t.span("step", sensitive=False)._options
    assert (said.sensitive, said.capture_input, said.title) == (False, None, None)


def test_each_option_arrives_under_its_own_name(tracer):
    """They are handed on by position."""
    given = {
        "sensitive": True,
        "capture_input": False,
        "capture_output": True,
        "title": "a title",
        "description": "a description",
        "template": "a template",
        "ignore": ("key",),
        "reduce": sum,
    }
    options = tracer().span("step", **given)._options
    assert {name: getattr(options, name) for name in given} == given


def test_an_instance_has_what_it_was_given(tracer):
    """Each under its own name."""
    t = tracer()
    given = {
        "agent_id": t._new_id(),
        "version": "2",
        "name": "a name",
        "description": "a description",
        "environment_id": "an environment",
        "external_identifier": "mine",
        "purpose": "eval",
        "id": t._new_id(),
    }
    run = t.instance(**given)
    assert {name: getattr(run._options, name) for name in given} == given
    assert run.id == given["id"]


def test_without_parentheses_it_is_a_decorator(tracer):
    """With them it is a block, or the decorator to come."""
    t = tracer()

    def work() -> int:
        return 1

    assert isinstance(t.span(), Span)
    assert isinstance(t.instance(), Instance)
    for decorated in (t.span(work), t.instance(work)):
        assert (decorated.__wrapped__, decorated()) == (work, 1)


def test_a_started_span_may_say_when_it_began(tracer):
    """It has begun, in the run that the code is in, and takes the options of `span`."""
    t = tracer()
    with t.instance() as run:
        then = datetime(2024, 1, 2, tzinfo=timezone.utc)
        span = t.start_span("step", {"n": 1}, started_at=then)
        assert (span.status, span.instance_id) == ("active", run.id)
        span.complete()
    assert t.one()["started_at"].startswith("2024-01-02T00:00:00")


@pytest.mark.parametrize(
    ("word", "told"),
    [("verison", "did you mean 'version'?"), ("tags", "known are agent_id, description, ")],
)
def test_an_unknown_argument_of_an_instance_is_told_what_there_is(tracer, word, told):
    """As one of a span is."""
    with pytest.raises(
        UsageError, match=f"instance got an unknown argument '{word}'; {re.escape(told)}"
    ):
        tracer().instance("agent", **{word: "1"})


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("reslt", "; did you mean 'result'?"),
        ("query", "; to record it, write span('tool_call', {'query': ...})"),
    ],
)
def test_an_unknown_argument_of_a_span_is_told_where_it_belongs(tracer, word, told):
    """Other libraries take what is to be recorded as arguments."""
    with pytest.raises(UsageError, match=f"span got an unknown argument '{word}'") as caught:
        tracer().span("tool_call", **{word: "1"})
    assert str(caught.value).endswith(told)


def test_what_makes_a_result_must_be_a_function(tracer):
    """Or it would be found out with the first stream that ends."""
    with pytest.raises(
        UsageError, match="reduce must be a function of the list of items, got 'join'"
    ):
        tracer().span("stream", reduce="join")
