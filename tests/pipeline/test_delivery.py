"""Delivery: the order of what is sent, and what each answer changes."""

import dataclasses
import json
import threading
import time

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


def test_what_does_not_fit_into_a_request_follows_at_once(make, service):
    """Large items wait for no interval, and are not made before there is room for them."""
    traced = make(max_batch_bytes=4_096)
    with traced.instance("agent"):
        for number in range(10):
            with traced.span("step", {"text": "x" * 1_500, "number": number}):
                pass
    delivery = traced._pipeline._delivery
    delivery.take()
    requests, made = 0, []
    while requests == 0 or delivery.goes_on:
        requests += 1
        body = delivery.next_body()
        made.append(len(delivery._unsettled.items))
        delivery.read(service(json.loads(body)))
    assert (requests, delivery.pending) == (6, 0)
    assert max(made) <= 4
    assert len(service.names()) == 13


def test_open_span_is_sent_active_and_finished_later(traced, service):
    """A span that is open at a flush is created as active; its end is a finish."""
    with traced.instance("agent"), traced.span("long", {"a": 1}) as span:
        assert traced.flush()
        span.set_result("done")
    assert traced.flush()
    assert service.names()[2:] == ["create long active", "finish span complete", "finish"]
    finish = service.applied[f"{span.id}-finish"]
    assert finish["result_payload"] == {"result": "done"}


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


def test_an_item_that_is_too_large_makes_no_others_wait(make, service):
    """It is cut to what the service takes, and then they go together again."""
    traced = make(max_batch_bytes=100_000, max_input_length=100_000)

    def refuse_large(content):
        service.answers.insert(0, refuse_large)
        if len(json.dumps(content)) > 30_000:
            return Answer(413, b'{"status":"error","code":"x","message":"too large"}')
        return service.process(content)

    with traced.instance("agent"):
        traced.flush()
        with traced.span("large", {"text": "x" * 50_000}) as large:
            pass
        for _ in range(10):
            with traced.span("small", {"text": "x" * 100}):
                pass
        service.answers = [refuse_large]
        assert traced.flush()
    assert large.truncated
    assert len(traced.transport.requests[-1]["items"]) == 11


@pytest.mark.parametrize("steps", [["good", "bad"], ["bad", "good"]])
def test_of_two_items_the_one_at_fault_is_rejected(traced, service, steps):
    """The other one is sent alone, and arrives."""

    def refuse_whole(content):
        service.answers.insert(0, refuse_whole)
        if any(own_name(item) == "bad" for item in content["items"]):
            return Answer(422, b'{"status":"error","code":"x","message":"no"}')
        return service.process(content)

    with traced.instance("agent"):
        traced.flush()
        for name in steps:
            with traced.span(name):
                pass
        service.answers = [refuse_whole]
        receipt = traced.flush()
    assert [one.name for one in receipt.rejected] == ["bad"]
    assert traced.stats().delivered == 1


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
    assert (buffer.unsettled, buffer._bytes) == (0, 0)


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
    assert traced._pipeline.buffer.unsettled == 0
    assert traced._pipeline.buffer._bytes == 0


def test_what_is_on_its_way_is_what_awaits_its_answer(traced):
    """From the giving out of a body until its answer is read."""
    delivery = traced._pipeline._delivery
    with traced.instance("agent"), traced.span("step"):
        delivery.take()
        assert delivery.on_its_way == 0
        assert delivery.next_body()
        assert delivery.on_its_way == 3
        delivery.read(Answer(503))
        assert delivery.on_its_way == 0


def test_what_is_open_has_a_name_before_a_fork(traced):
    """Or each process would give it one of its own."""
    with traced.instance("agent") as run:
        taken = traced.start_span("taken")
        traced._pipeline._delivery.take()
        waiting = traced.start_span("waiting")
        traced._pipeline.before_fork()
        names = [one._id for one in (run, taken, waiting)]
        traced._pipeline.after_fork_in_parent()
        assert None not in names
        taken.complete()
        waiting.complete()


def test_an_end_after_a_shutdown_ends_what_is_open(traced, service):
    """Though nothing was recorded between the two."""
    with traced.instance("agent"):
        span = traced.start_span("step")
        assert traced._pipeline.shutdown(20)
        assert traced._pipeline.shutdown(20, closing="it is over")
    assert span.status == "failed"
    assert service.names()[-2:] == ["finish span failed", "finish"]


def test_what_was_refused_is_still_pending_after_a_shutdown(traced, service):
    """Nobody is told that all has arrived."""
    service.answers = [Answer(401, b'{"code":"unauthorized","message":"bad token"}')]
    with traced.span("step"):
        pass
    for _ in range(2):
        receipt = traced._pipeline.shutdown(20)
        assert not receipt
        assert receipt.pending
    traced._pipeline.renew(traced._pipeline.settings)
    assert traced.flush(20)


@pytest.mark.parametrize("failures", [0, 1])
def test_an_end_waits_for_what_can_be_delivered(make, service, failures):
    """As long as it may, where there is no spool to keep it."""
    traced = make()
    service.answers = [Answer(503)] * failures
    with traced.span("step"):
        pass
    assert traced._pipeline.shutdown(20, closing="it is over")
    assert traced.stats().delivered == 1


def test_an_end_waits_for_the_service_while_that_is_well(make, service, tmp_path):
    """With a spool too: it is for what cannot be delivered now."""
    traced = make(spool_dir=tmp_path)
    with traced.span("step"):
        pass
    assert traced._pipeline.shutdown(20, closing="it is over")
    assert traced.stats().delivered == 1


def test_an_end_does_not_wait_for_what_a_spool_keeps(make, service, tmp_path):
    """Another process will deliver it; but whoever flushes waits."""
    traced = make(spool_dir=tmp_path, retry_first_delay=60)
    service.answers = [Answer(503)]
    with traced.span("step"):
        pass
    assert not traced.flush(0.2)
    assert traced.stats().requests == 1
    service.answers = [Answer(503)] * 9
    began = time.monotonic()
    traced._pipeline.shutdown(60, closing="it is over")
    assert time.monotonic() - began < 30
    assert traced.stats().pending == 1
    assert list(tmp_path.iterdir())
    service.answers.clear()
    assert traced.flush(20)


@pytest.mark.parametrize("is_made", [False, True])
def test_what_is_given_up_goes_whole_but_not_the_beginning_of_a_run(
    traced, service, caplog, is_made
):
    """What belongs to it later must not be lost with it; newer records stay."""
    delivery = traced._pipeline._delivery
    with traced.instance("over"), traced.span("in over"):
        pass
    with traced.instance("goes on") as run:
        with traced.span("old"):
            pass
        delivery.take()
        if is_made:
            assert delivery.next_body()
            delivery.read(Answer(503))
        until = delivery.intake.taken
        with traced.span("newer"):
            pass
        delivery.take()
        delivery._drop(0, "max_age")
        delivery._drop(delivery.oldest - 1, "max_age")
        assert traced.stats().dropped == 0
        delivery._drop(until, "max_age")
        assert traced.stats().dropped_by_reason == {"max_age": 2}
    assert [(one.name, one.code) for one in traced.flush().rejected] == [("register", "max_age")]
    assert service.names() == ["register", "start", "create newer complete", "finish"]
    assert {item.get("id", run.id) for item in service.applied.values()} == {run.id}
    assert len([line for line in caplog.messages if "max_age" in line]) == 1
    delivery._drop(delivery.intake.taken, "max_age")
    assert traced.stats().dropped == 2


def test_children_of_what_is_given_up_hang_on_its_parent(traced, service):
    """Made or not."""
    delivery = traced._pipeline._delivery
    with traced.instance("agent"):
        with traced.span("kept") as kept:
            traced.flush()
            with traced.span("given up"):
                delivery.take()
                until = delivery.intake.taken
                with traced.span("child"):
                    pass
                delivery.take()
                assert delivery.next_body()
                delivery.read(Answer(503))
                delivery._drop(until, "max_age")
        traced.flush()
    (child,) = [item for item in service.applied.values() if own_name(item) == "child"]
    assert child["details"]["parent_span_id"] == kept.id


def test_other_settings_begin_anew(traced, service, caplog):
    """With their token, which may be refused too, and with their limits."""
    refusal = Answer(401, b'{"code":"unauthorized","message":"bad token"}')
    pipeline = traced._pipeline
    with traced.instance("agent"):
        for _ in range(4):
            with traced.span("step"):
                pass
        service.answers = [refusal, refusal]
        for lines in (1, 2):
            assert not traced.flush()
            assert len([line for line in caplog.messages if "token" in line]) == lines
            pipeline.renew(dataclasses.replace(pipeline.settings, max_batch_items=2))
        assert traced.flush()
    assert {len(body["items"]) for body in traced.transport.requests[2:]} == {2}
    assert pipeline._delivery._maker.writer.settings is pipeline.settings


@pytest.mark.parametrize("status", [413, 422])
def test_parts_of_a_refused_request_are_sent_without_delay(traced, status):
    """Until all of it has been answered."""
    delivery = traced._pipeline._delivery
    with traced.instance("agent"), traced.span("step"):
        pass
    delivery.take()
    assert delivery.next_body()
    delivery.read(Answer(status, b'{"status":"error","code":"x","message":"no"}'))
    assert delivery.goes_on
    assert delivery.next_body()
    delivery.read(Answer(503))
    assert not delivery.goes_on
    traced.flush()


def test_an_end_waits_for_another_process_although_a_spool_keeps_it(make, service, tmp_path):
    """The service is well, and the other is soon done: nothing is left for a process to come."""
    traced = make(spool_dir=tmp_path, retry_first_delay=0.001)
    told = []

    def refuse(item):
        if item["_type"] == "agent_spans/create" and len(told) < 3:
            told.append(item)
            return error("not_found", agent_instance_id="is unknown")
        return None

    service.refuse = refuse
    with traced.instance("agent") as run, traced.span("step"):
        run._is_shared = True
    assert traced._pipeline.shutdown(20, closing="it is over")
    assert len(told) == 3
