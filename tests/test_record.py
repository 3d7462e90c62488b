"""A span as the pipeline sends it."""

import types

import pytest

from prefactor_trace import ROOT, _fate, current_span, untraced
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
        span._prepare(outer)
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


def test_a_payload_is_copied_when_the_span_begins(tracer):
    """What becomes of it afterwards is not recorded, and an empty one is no exception."""
    t = tracer()
    full, empty, fixed = {"a": 1}, {}, {}
    with t.instance():
        spans = [t.start_span("full", full), t.start_span("empty", empty)]
        spans.append(Span(t, "fixed", fixed))
        spans[2]._prepare(None)
        full["b"] = empty["b"] = fixed["b"] = 2
        assert spans[2]._begin()
        for span in spans:
            span.complete()
    assert [span["payload"] for span in t.spans()] == [{"a": 1}, {}, {}]


def test_a_second_time_in_a_block_is_not_recorded(tracer):
    """The code stays where it is, and the span as it was."""
    t = tracer()
    with t.instance(), t.span("outer") as outer:
        for span in t.span("plain"), t.span("general", parent=outer):
            with span:
                with span:
                    assert current_span() is span
                assert span.status == "complete"
            ended = span._ended
            with span:
                assert current_span() is outer
            assert span._ended == ended
    assert [span["schema_name"] for span in t.spans()] == ["outer", "plain", "general"]


def test_what_is_fixed_outside_of_a_run_stays_outside(tracer):
    """Though it begins in one."""
    t = tracer()
    span = Span(t, "later")
    span._prepare(None)
    with t.instance() as run, t.span("elsewhere") as elsewhere:
        assert span._start(elsewhere)
        span.complete()
    assert span.instance_id not in (None, run.id)
    assert span.parent_id is None


def test_in_an_untraced_block_a_parent_that_is_given_changes_nothing(tracer):
    """Nothing is recorded there."""
    t = tracer()
    with t.instance() as run, t.span("outer") as outer, untraced():
        for parent in (outer, run, ROOT):
            t.start_span("inner", parent=parent).complete()
    assert [span["schema_name"] for span in t.spans()] == ["outer"]


def test_outside_of_a_run_a_span_may_be_put_at_the_top(tracer):
    """That of the ambient instance."""
    t = tracer()
    t.start_span("top", parent=ROOT).complete()
    assert "parent_span_id" not in t.one("top")


@pytest.mark.expects_fault
@pytest.mark.parametrize("make", ["span", "start_span"])
def test_a_span_that_cannot_begin_costs_only_itself(tracer, monkeypatch, make):
    """Its block runs, outside of it."""
    t = tracer()

    def add_start(span):
        raise RuntimeError

    with t.instance(), t.span("outer") as outer:
        with monkeypatch.context() as patch:
            patch.setattr(t._pipeline.buffer, "add_start", add_start)
            span = getattr(t, make)("inner", {"a": 1}, parent=outer)
            if make == "span":
                with span as entered:
                    assert entered is span
                    assert current_span() is outer
            assert current_span() is outer
        with t.span("after"):
            pass
    assert [span["schema_name"] for span in t.spans()] == ["outer", "after"]


@pytest.mark.expects_fault
def test_a_place_that_cannot_be_fixed_is_found_later(tracer, monkeypatch):
    """The span begins where it is used."""
    t = tracer()
    span = Span(t, "later")
    with monkeypatch.context() as patch:
        patch.setattr(t, "_get_ambient", lambda: 1 / 0)
        span._prepare(None)
    with t.instance() as run:
        assert span._begin()
        span.complete()
    assert span.instance_id == run.id


def test_an_end_that_is_interrupted_is_told(tracer, monkeypatch):
    """Of a span that was taken while open, for which nobody would look again."""
    t = tracer()
    with t.instance():
        span = t.start_span("step")
        assert t.items("create")
        told = span._instance._buffer.add_end

        def interrupt(record):
            monkeypatch.undo()
            raise KeyboardInterrupt

        monkeypatch.setattr(span._instance._buffer, "add_end", interrupt)
        with pytest.raises(KeyboardInterrupt):
            span.complete()
        assert span._instance._buffer.add_end == told
    assert t.one("step")["status"] == "complete"
