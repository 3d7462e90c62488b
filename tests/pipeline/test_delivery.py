"""Delivery: the order of what is sent, and what each answer changes."""

import json
import threading

import pytest

from prefactor_trace._transport import Answer

from .service import error, own_name, refuse_name, short


def test_an_ended_run_is_one_request_in_order(traced, service):
    """Register, start, parents before children, finish last, each span in one item."""
    with traced.instance("agent"), traced.span("outer"):
        with traced.span("first"):
            pass
        with traced.span("second"):
            pass
    assert traced.flush()
    assert len(traced.transport.requests) == 1
    assert service.names() == [
        "register",
        "start",
        "create outer complete",
        "create first complete",
        "create second complete",
        "finish",
    ]


def test_open_span_is_sent_active_and_finished_later(traced, service):
    """A span that is open at a flush is created as active; its end is a finish."""
    with traced.instance("agent"), traced.span("long", {"a": 1}) as span:
        assert traced.flush()
        span.set_result("done")
    assert traced.flush()
    assert service.names()[2:] == ["create long active", "finish span complete", "finish"]
    finish = service.applied[f"{span.id}-finish"]
    assert finish["result_payload"] == {"result": "done"}


def test_payload_set_after_the_sending_travels_with_the_end(traced, service):
    """A payload that comes too late for the create is in the finish."""
    with traced.span("late", {"a": 1}) as span:
        traced.flush()
        span.set_payload({"a": 2})
    traced.flush()
    assert service.applied[f"{span.id}-create"]["details"]["payload"] == {"a": 1}
    result = service.applied[f"{span.id}-finish"]["result_payload"]
    assert result["prefactor.payload"] == {"a": 2}


def test_span_that_ends_while_it_is_sent_is_not_finished_twice(traced, service):
    """An end that comes between the taking of the start and its create is in the create."""
    pipeline = traced._pipeline
    with traced.instance("agent"):
        span = traced.start_span("racing")
        pipeline._delivery.intake.take()  # the start alone
        span.complete()
    service.answers = [service.lose_answer]  # the create is on its way while its end is taken
    assert traced.flush()
    assert service.names()[2:] == ["create racing complete", "finish"]
    assert traced.stats().delivered == 1


def test_long_schema_name_does_not_hide_that_a_span_is_open(traced, service):
    """Whether a finish must follow does not depend on the text of the item."""
    name = "n" * 1000
    with traced.span(name):
        traced.flush()
        assert traced.stats().delivered == 0
    traced.flush()
    assert [short(item) for item in service.applied.values()][-1] == "finish span complete"
    assert traced.stats().delivered == 1


def test_unknown_outcome_is_sent_again_to_the_letter(traced, service):
    """After a lost answer the same keys and bodies go out again, and nothing is doubled."""
    service.answers = [service.lose_answer]
    with traced.instance("agent"), traced.span("step"):
        pass
    assert traced.flush()
    first, second = traced.transport.requests
    assert first == second
    assert traced.stats().delivered == 1
    assert traced.stats().retries == 1


def test_absent_tail_is_sent_again_with_the_same_keys(traced, service):
    """After an item error the items behind it are sent again, and the one at fault is not."""
    service.refuse = refuse_name("bad")
    with traced.instance("agent"):
        for name in ("good", "bad", "fine", "well"):
            with traced.span(name):
                pass
    receipt = traced.flush()
    first, second = ([i["idempotency_key"] for i in r["items"]] for r in traced.transport.requests)
    assert second == first[-3:]
    assert [rejection.name for rejection in receipt.rejected] == ["bad"]
    assert receipt.rejected[0].message.startswith("it is validation_errors")
    assert not receipt
    assert traced.stats().delivered == 3


def test_poisoned_items_cost_one_request_each(make, service):
    """Of 1,000 spans with 10 poisoned ones 990 are delivered in at most 12 requests."""
    traced = make(max_batch_items=2000)
    service.refuse = refuse_name("bad")
    with traced.instance("agent"):
        for number in range(1000):
            with traced.span("bad" if number % 100 == 50 else "good"):
                pass
    traced.flush()
    stats = traced.stats()
    assert (stats.delivered, stats.rejected) == (990, 10)
    assert stats.requests <= 12


def test_children_of_a_rejected_span_hang_on_its_parent(traced, service):
    """The nearest ancestor that the service has takes the place of a rejected parent."""
    service.refuse = lambda item: error("not_found") if own_name(item) in ("b", "c") else None
    with traced.instance("agent"), traced.span("a") as a, traced.span("b"), traced.span("c"):
        with traced.span("d") as d:
            traced.flush()
            with traced.span("e") as e:
                pass
    traced.flush()
    assert service.applied[f"{d.id}-create"]["details"]["parent_span_id"] == a.id
    assert service.applied[f"{e.id}-create"]["details"]["parent_span_id"] == d.id
    stats = traced.stats()
    assert (stats.delivered, stats.rejected, stats.pending) == (3, 2, 0)


def test_remade_child_keeps_its_payload(traced, service):
    """An open child of a rejected parent is sent with the payload that it had."""
    service.refuse = refuse_name("parent")
    with traced.span("parent"), traced.span("child", {"question": "?"}) as child:
        traced.flush()
    traced.flush()
    details = service.applied[f"{child.id}-create"]["details"]
    assert details["payload"]["question"] == "?"
    assert "parent_span_id" not in details


def test_rejected_open_span_does_not_hold_its_instance(traced, service):
    """An instance is finished at once although a span of it was rejected while open."""
    service.refuse = refuse_name("bad")
    with traced.instance("agent"):
        span = traced.start_span("bad", {"text": "x" * 1000})
        traced.flush()
        span.set_result("y" * 1000)
    traced._pipeline._delivery.intake.take()
    assert not traced._pipeline._delivery.intake.has_open
    traced.flush()
    assert service.names() == ["register", "start", "finish"]
    assert traced._pipeline.buffer._bytes == 0


def test_finish_of_a_span_that_was_given_up_is_not_sent(traced, service):
    """Where create and finish wait together, rejecting the one takes the other along, once."""
    service.answers = [Answer(503)]
    with traced.instance("agent"):
        span = traced.start_span("bad")
        traced.flush(0)
        span.complete()
    service.refuse = refuse_name("bad")
    traced.flush()
    assert service.names() == ["register", "start", "finish"]
    assert traced.stats().rejected == 1


def test_refused_register_rejects_its_spans_with_a_reason(traced, service):
    """A run whose instance is refused costs a request or two, and each span says why."""
    service.refuse = lambda item: error("not_found") if item["_type"].endswith("register") else None
    with traced.instance("agent"):
        for _ in range(100):
            with traced.span("step"):
                pass
        traced.flush()
        with traced.span("late"):
            pass
    receipt = traced.flush()
    assert traced.stats().requests <= 2
    assert traced.stats().rejected == 101
    assert receipt.rejected[0].name == "register"
    assert {rejection.code for rejection in receipt.rejected[1:]} == {"instance_rejected"}


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


def test_unknown_type_is_sent_again_under_the_declared_one(traced, service):
    """One refusal of a type is enough for all the spans of it, also those waiting."""

    def refuse(item):
        if item.get("details", {}).get("schema_name") == "new":
            return error("validation_errors", schema_name="is not declared")
        return None

    service.refuse = refuse
    with traced.instance("agent"):
        for number in range(5):
            with traced.span("new", {"number": number}) as span:
                span.set_result(number)
    assert traced.flush()
    assert traced.stats().requests == 2
    creates = [item["details"] for item in service.applied.values() if "details" in item]
    assert [create["schema_name"] for create in creates] == ["undeclared"] * 5
    assert creates[3]["payload"] == {"prefactor.schema_name": "new", "number": 3}
    assert creates[3]["result_payload"] == {"result": 3}


def test_refused_catch_all_type_is_rejected(traced, service):
    """Where the declared type is refused too, the span is rejected, not sent for ever."""
    service.refuse = lambda item: (
        error("validation_errors", schema_name="no") if "details" in item else None
    )
    with traced.span("step"):
        pass
    assert len(traced.flush().rejected) == 1


def test_passing_fault_of_an_item_is_tried_five_times(traced, service):
    """An item that the service cannot take now is sent again, but not for ever."""
    service.refuse = refuse_name("bad", "internal_error")
    with traced.instance("agent"), traced.span("bad"):
        pass
    receipt = traced.flush()
    assert traced.stats().requests == 6
    assert [one.code for one in receipt.rejected] == ["internal_error"]


def test_finish_of_what_has_finished_is_done(traced, service):
    """`invalid_action` on a start or a finish settles it."""
    service.refuse = lambda item: (
        error("invalid_action") if item["_type"].endswith(("start", "finish")) else None
    )
    with traced.instance("agent"), traced.span("step"):
        traced.flush()
    assert traced.flush()
    assert traced.stats().delivered == 1


def test_cancelled_span_that_cannot_be_cancelled_has_failed(traced, service):
    """An active span that may not be cancelled is finished as failed, with its result."""
    service.refuse = lambda item: (
        error("invalid_action") if item.get("status") == "cancelled" else None
    )
    span = traced.start_span("step")
    traced.flush()
    span.set_result({"so": "far"})
    span.cancel()
    assert traced.flush()
    finish = service.applied[f"{span.id}-finish-failed"]
    assert finish["status"] == "failed"
    assert finish["result_payload"]["so"] == "far"
    assert finish["result_payload"]["error_type"] == "Cancelled"


def test_rejected_finish_leaves_the_span_as_a_parent(traced, service):
    """Children may still name a span whose end was refused, since the service has it."""
    service.refuse = lambda item: (
        error("validation_errors") if item["_type"] == "agent_spans/finish" else None
    )
    with traced.instance("agent"):
        parent = traced.start_span("parent")
        traced.flush()
        parent.complete()
        traced.flush()
        child = traced.start_span("child", parent=parent)
        child.complete()
    traced.flush()
    assert service.applied[f"{child.id}-create"]["details"]["parent_span_id"] == parent.id
    assert traced.stats().rejected == 1


def test_quality_that_is_refused_is_reported(traced, service):
    """A quality record is nowhere else: `invalid_action` does not mean that it arrived."""
    service.refuse = lambda item: (
        error("invalid_action") if item["_type"].endswith("quality") else None
    )
    with traced.instance("agent") as run:
        run.record_quality("helpful", {"score": 1})
    assert [one.name for one in traced.flush().rejected] == ["record_quality"]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_refused_request_is_halved_until_the_item_at_fault_is_found(traced, service, status):
    """One item that makes a whole request fail is rejected alone."""

    def refuse_whole(content):
        if any(own_name(item) == "bad" for item in content["items"]):
            service.answers.insert(0, refuse_whole)
            return Answer(status, b'{"status":"error","code":"x","message":"too much"}')
        service.answers.insert(0, refuse_whole)
        return service.process(content)

    service.answers = [refuse_whole]
    with traced.instance("agent"):
        for number in range(40):
            with traced.span("bad" if number == 17 else "good"):
                pass
    receipt = traced.flush()
    assert [one.name for one in receipt.rejected] == ["bad"]
    assert traced.stats().delivered == 39
    assert traced.stats().requests < 20


@pytest.mark.parametrize("status", [302, 404, 405, 408, 418, 429, 500, 503])
def test_other_answers_are_no_fault_of_the_items(traced, service, status):
    """What a proxy or a wrong path answers costs nothing of what was recorded."""
    service.answers = [Answer(status, b"<html>")] * 3
    with traced.span("step"):
        pass
    assert traced.flush()
    assert traced.stats().delivered == 1


@pytest.mark.parametrize(
    "body", [b"", b"not json", b'{"status":"success"', b"[]", b'{"outputs":{"other":{}}}', b"null"]
)
def test_unreadable_answer_is_an_unknown_outcome(traced, service, body):
    """An answer that says nothing of the items has them sent again."""
    service.answers = [Answer(200, body)]
    with traced.span("step"):
        pass
    assert traced.flush()
    assert traced.transport.requests[0] == traced.transport.requests[1]


@pytest.mark.parametrize("status", [401, 403])
def test_refused_token_keeps_everything_and_says_so_once(traced, service, caplog, status):
    """A refused token stops the sending, with one line; flush says no at once."""
    service.answers = [Answer(status, b'{"code":"unauthorized","message":"bad token"}')] * 9
    with traced.span("step"):
        pass
    for _ in range(3):
        receipt = traced.flush()
        assert not receipt
        assert receipt.pending
    with traced.span("later"):
        pass
    assert not traced.flush()
    assert traced.stats().pending == 2
    assert traced.stats().requests == 1
    assert [r.levelname for r in caplog.records if "token" in r.message] == ["ERROR"]
    assert "a-token-of-the-tests" not in caplog.text


def test_control_signal_reaches_the_instance(traced, service):
    """What the platform says in an answer about ending the run is on the instance."""

    def terminate(content):
        answer = json.loads(service.process(content).body)
        last = list(answer["outputs"])[2]
        answer["outputs"][last]["control"] = {"terminate": True, "reason": "too expensive"}
        return Answer(200, json.dumps(answer).encode())

    service.answers = [terminate]
    with traced.instance("agent") as run:
        with traced.span("step"):
            pass
        traced.flush()
        assert run.terminated
        assert run.termination_reason == "too expensive"
        assert run.status == "terminated"


def test_batches_respect_the_limits(make, service):
    """No request has more items or bytes than is set, unless one item alone is larger."""
    traced = make(max_batch_items=7, max_batch_bytes=4000, max_input_length=10_000)
    with traced.instance("agent"):
        for number in range(50):
            with traced.span("step", {"text": "x" * (5000 if number == 25 else 300)}):
                pass
    assert traced.flush()
    sizes = [
        len(json.dumps(request, separators=(",", ":"))) for request in traced.transport.requests
    ]
    counts = [len(request["items"]) for request in traced.transport.requests]
    assert max(counts) <= 7
    assert all(size <= 4000 or count == 1 for size, count in zip(sizes, counts, strict=True))
    assert len(service.applied) == 53


def test_retry_after_is_kept_also_by_a_flush(make, service):
    """A flush hurries our own delays, never the one that the service asked for."""
    traced = make()
    service.answers = [Answer(429, b"", "2")]
    with traced.span("step"):
        pass
    assert not traced.flush(0.1)
    assert not traced.flush(0.1)
    assert traced.stats().requests == 1
    assert traced.flush()


def test_room_is_given_back(traced, service):
    """After everything is settled, nothing is held of spans with payloads, results and errors."""
    service.refuse = refuse_name("bad")
    for number in range(50):
        with traced.span("bad" if number % 10 == 0 else "good", {"text": "x" * 100}) as span:
            span.set_result("y" * 100)
            if number % 7 == 0:
                traced.flush()
            span.set_payload({"text": "z" * 100})
    traced.flush()
    buffer = traced._pipeline.buffer
    assert (buffer.held, buffer._bytes) == (0, 0)


def test_ends_that_race_with_the_sending_are_neither_lost_nor_doubled(make, service):
    """Spans that end at any moment of a flush arrive once each."""
    traced = make(max_batch_items=50)
    stop = threading.Event()

    def keep_flushing():
        while not stop.is_set():
            traced.flush()

    flusher = threading.Thread(target=keep_flushing)
    flusher.start()
    with traced.instance("agent"):
        for number in range(3000):
            with traced.span("step", {"number": number}) as span:
                span.set_payload({"number": -number})
    stop.set()
    flusher.join()
    assert traced.flush()
    stats = traced.stats()
    assert (stats.started, stats.delivered) == (3000, 3000)
    assert traced._pipeline.buffer.held == 0
    assert traced._pipeline.buffer._bytes == 0
