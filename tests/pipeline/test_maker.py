"""What becomes of a step: its items, or one rejection where they cannot be made."""

import dataclasses
import json

import pytest

from prefactor_trace import _fate
from prefactor_trace._pipeline import items
from prefactor_trace._transport import Answer

from .service import refuse_name


def test_payload_set_after_the_sending_travels_with_the_end(traced, service):
    """A payload that comes too late for the create is in the finish."""
    with traced.span("late", {"a": 1}) as span:
        traced.flush()
        span.set_payload({"a": 2})
    traced.flush()
    assert service.applied[f"{span.id}-create"]["details"]["payload"] == {"a": 1}
    result = service.applied[f"{span.id}-finish"]["result_payload"]
    assert result["prefactor.payload"] == {"a": 2}


def test_finish_of_a_span_that_was_given_up_is_not_sent(traced, service):
    """Where create and finish wait together, rejecting the one takes the other along, once."""
    delivery = traced._pipeline._delivery
    with traced.instance("agent"):
        span = traced.start_span("bad")
        delivery.take()
        assert b'"active"' in delivery.next_body()
        delivery.read(Answer(503))
        span.complete()
    service.refuse = refuse_name("bad")
    traced.flush()
    assert service.names() == ["register", "start", "finish"]
    assert traced.stats().rejected == 1


@pytest.mark.expects_fault
def test_instance_that_cannot_be_registered_is_reported(traced, service):
    """A fault in making the register is a rejection of its spans, not a request for each."""
    instance = traced.instance("agent")
    instance._options = instance._options._replace(version=object())
    with instance, traced.span("step"):
        pass
    receipt = traced.flush()
    assert traced.transport.requests == []
    assert [(one.name, one.code) for one in receipt.rejected] == [
        ("register", "unserialisable"),
        ("step", "instance_rejected"),
    ]


@pytest.mark.expects_fault
def test_what_cannot_be_made_harms_nothing_else(traced, service, monkeypatch):
    """A fault of ours in the making of one span is its rejection, and the others arrive."""
    make_one = items.create

    def make(span, *rest):
        if span.schema_name == "odd":
            raise ValueError("it is odd")
        return make_one(span, *rest)

    monkeypatch.setattr(items, "create", make)
    with traced.instance(), traced.span("even"), traced.span("odd"):
        pass
    receipt = traced.flush()
    assert [rejection.code for rejection in receipt.rejected] == ["unserialisable"]
    assert service.names()[2:] == ["create even complete", "finish"]


def test_an_item_is_cut_to_what_a_request_may_hold(make, service):
    """However long a span's payload may be, its item is never longer than a request."""
    traced = make(max_batch_bytes=10_000, max_input_length=100_000)
    with traced.span("step", {"text": "x" * 50_000}) as span:
        pass
    assert traced.flush()
    assert span.truncated
    sizes = [len(json.dumps(body)) for body in traced.transport.requests]
    assert max(sizes) <= 11_000  # which `json` writes with spaces


def test_a_request_of_one_item_is_never_longer_than_is_set(make):
    """Not by the bytes around it either."""
    traced = make(max_batch_bytes=10_000, max_input_length=100_000)
    with traced.instance("agent"):
        traced.flush()
        for length in range(9_500, 9_900, 8):
            with traced.span("step", {"text": "x" * length}):
                pass
        traced.flush()
        bodies = [body for body in traced.transport.requests if b"x" * 99 in as_sent(body)]
    sizes = [len(as_sent(body)) for body in bodies]
    assert len(sizes) == 50
    assert 9_900 < max(sizes) <= 10_000


def as_sent(content):
    """Return a request's body."""
    return json.dumps(content, separators=(",", ":")).encode()


def test_what_is_written_follows_the_settings(traced):
    """Those that came last, and with one writer as long as they stay."""
    maker = traced._pipeline._delivery._maker
    first = maker.writer
    assert maker.writer is first
    settings = dataclasses.replace(first.settings, max_input_length=7)
    maker.renew(settings)
    assert maker.writer.settings is settings


def test_what_a_lost_run_still_wanted_to_tell_is_lost_with_it(traced):
    """Ends are counted as their run is; the spans of another process are for that one to count."""
    delivery = traced._pipeline._delivery
    maker, losses = delivery._maker, delivery._losses
    with traced.instance("agent") as run:
        ended, inherited = traced.start_span("ended"), traced.start_span("inherited")
        traced.flush()
        run._fate = _fate.LOST
        assert maker.make(("inherited span", inherited, 1)) == []
        assert (inherited._fate, losses.must_mend) == (_fate.LOST, True)
        assert traced.stats().rejected == 0
        inherited._fate = _fate.OPEN
        assert maker.make(("finish span", ended, 1)) == []
        assert traced.stats().rejected == 1
        assert maker.make(("quality", ended, 1)) == []
        assert maker.make(("finish instance", run, 1)) == []
        assert traced.stats().rejected == 1
        run._fate = _fate.CREATED
        assert ended._fate == _fate.LOST
        assert maker.make(("finish span", ended, 1)) == []
        inherited.complete()
    traced.flush()


@pytest.mark.expects_fault
def test_a_span_of_another_process_that_cannot_be_made_is_not_counted(traced, monkeypatch):
    """It cannot be named, and whose it is counts it."""
    delivery = traced._pipeline._delivery
    with traced.instance("agent"), traced.span("step") as span:
        traced.flush()
        with monkeypatch.context() as patch:
            patch.setattr(items, "create", lambda *_: 1 / 0)
            assert delivery._maker.make(("inherited span", span, 1)) == []
        assert (span._fate, delivery._losses.must_mend) == (_fate.LOST, True)
        assert traced.stats().rejected == 0
        span._fate = _fate.OPEN


@pytest.mark.expects_fault
@pytest.mark.parametrize(
    ("function", "name"),
    [("finish", "step"), ("record_quality", "record_quality"), ("finish_instance", "finish")],
)
def test_what_cannot_be_told_is_rejected_by_its_name(traced, monkeypatch, function, name):
    """A fault of ours in the making of a call takes nothing else along."""
    monkeypatch.setattr(items, function, lambda *_: 1 / 0)
    traced.declare_quality("good")
    with traced.instance("agent") as run:
        with traced.span("step"):
            traced.flush()
        run.record_quality("good", {"score": 1})
    receipt = traced.flush()
    assert [(one.name, one.code) for one in receipt.rejected] == [(name, "unserialisable")]
