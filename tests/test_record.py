"""A span as the pipeline sends it."""

import types

import pytest

from prefactor_trace import ROOT, _fate
from prefactor_trace._cancellation import is_cancellation
from prefactor_trace._record import Record, check_mapping
from prefactor_trace._span import Span
from prefactor_trace.exceptions import UsageError


def test_a_new_record_belongs_nowhere(tracer):
    """It finds its run when it begins."""
    record = Record(tracer(), "step")
    assert (record._status, record._instance, record._fate) == ("pending", None, _fate.NEW)


def test_an_end_before_the_beginning_is_the_beginning(tracer):
    """The clocks of two logs may differ."""
    t = tracer()
    with t.instance():
        span = t.start_span("step")
        span._end("complete", 0)
    assert span._ended == span._started


def test_the_first_end_stays(tracer):
    """A later one changes neither status nor time, and nothing is sent twice."""
    t = tracer()
    with t.instance():
        span = t.start_span("step")
        span._end("failed")
        ended = span._ended
        span._end("complete")
        span._end_with(KeyError())
    assert (span.status, span._ended, span._error) == ("failed", ended, None)
    assert t.one()["status"] == "failed"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (GeneratorExit(), "complete", {"closed_early": True, "result": "so far"}),
        (KeyError("wrong"), "failed", "so far"),
        (KeyboardInterrupt(), "failed", "so far"),
    ],
)
def test_the_exception_says_how_it_ended(tracer, error, status, said):
    """What was set as the result stays."""
    assert not is_cancellation(error)
    t = tracer()
    with t.instance():
        span = t.start_span("step")
        span.set_result("so far")
        span._end_with(error)
        assert (span.status, span._result) == (status, said)
        assert (span._error is None) == (status == "complete")


def test_a_parent_that_is_not_recorded_is_as_good_as_none(tracer):
    """The span is nested where the code is."""
    t = tracer()
    never_begun = Span(t, "never")
    with t.instance(), t.span("outer") as outer, t.span("inner", parent=never_begun) as inner:
        assert inner._parent is outer
    with t.instance(), t.span("outer"), t.span("inner", parent=ROOT) as inner:
        assert inner._parent is None


def test_a_place_that_was_fixed_is_kept(tracer):
    """Together with the payload as it was then, wherever the span begins."""
    t = tracer()
    payload = {"n": 1}
    with t.instance() as run, t.span("outer") as outer:
        span = Span(t, "later", payload)
        span._fix(outer)
    payload["n"] = 2
    with t.instance(), t.span("elsewhere") as elsewhere:
        assert span._start(elsewhere)
        span.complete()
    assert (span._parent, span.instance_id, span._payload) == (outer, run.id, {"n": 1})


def test_only_mappings_are_payloads():
    """Of any class; the message says what was given."""
    check_mapping(types.MappingProxyType({}), "it must be")
    with pytest.raises(UsageError, match=r"it must be a mapping such as .*, got list"):
        check_mapping([("a", 1)], "it must be")
