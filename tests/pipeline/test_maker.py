"""What becomes of a step: its items, or one rejection where they cannot be made."""

import json

import pytest

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
