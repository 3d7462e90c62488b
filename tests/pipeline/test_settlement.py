"""What the service says of an item: of its span, of those below it, of its run."""

import json

import pytest

from prefactor_trace._transport import Answer

from .service import error, own_name, refuse_name


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


def test_a_passing_fault_of_an_item_is_said_and_waited_for(traced, service, caplog):
    """As one of the whole service is."""
    service.refuse = refuse_name("bad", "internal_error")
    delivery = traced._pipeline._delivery
    with traced.instance("agent"), traced.span("bad"):
        delivery.take()
        delivery.read(traced.transport.send(delivery.next_body()))
        assert delivery.delay
        assert "it is internal_error" in traced.stats().last_error
        assert any("cannot deliver" in line for line in caplog.messages)


def test_what_another_process_has_to_make_known_is_soon_asked_for_again(traced, service):
    """After the first delay each time: the service is well."""
    service.refuse = lambda item: (
        error("not_found", agent_instance_id="is unknown")
        if item["_type"] == "agent_spans/create"
        else None
    )
    delivery = traced._pipeline._delivery
    with traced.instance("agent") as run, traced.span("step"):
        run._is_shared = True
        delivery.take()
        for _ in range(3):
            delivery.hurry()
            delivery.read(traced.transport.send(delivery.next_body()))
            assert delivery.delay
            assert delivery._backoff.failures == 0
        service.refuse = lambda item: None
    assert traced.flush()


@pytest.mark.parametrize(
    "refusal",
    [error("idempotency_key_conflict"), error("validation_errors", schema_name="is unknown")],
    ids=lambda refusal: refusal["code"],
)
def test_an_end_is_rejected_for_what_only_a_beginning_could_mend(traced, service, refusal):
    """It names no type, and no other process ends the span."""
    service.refuse = lambda item: refusal if item["_type"] == "agent_spans/finish" else None
    with traced.instance("agent"), traced.span("step"):
        traced.flush()
    assert [one.code for one in traced.flush().rejected] == [refusal["code"]]
    assert traced.stats().pending == 0


def test_what_nobody_else_will_make_known_is_rejected_at_once(traced, service):
    """The run is this process's alone."""
    service.refuse = lambda item: (
        error("not_found", parent_span_id="is unknown") if own_name(item) == "step" else None
    )
    with traced.instance("agent"), traced.span("step"):
        pass
    assert [one.code for one in traced.flush().rejected] == ["not_found"]
    assert traced.stats().requests == 2


def test_a_cancelled_run_that_has_finished_is_done(traced, service):
    """Only of a span it may mean that it cannot be cancelled."""
    service.refuse = lambda item: (
        error("invalid_action") if item["_type"] == "agent_instances/finish" else None
    )
    with traced.instance("agent") as run:
        run.finish("cancelled")
    receipt = traced.flush()
    assert receipt
    assert traced.stats().requests == 1


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


def test_a_run_that_another_process_has_made_known_is_known(traced, service):
    """As a forked child may have, in words of its own: the spans of this process follow."""
    service.refuse = lambda item: (
        error("idempotency_key_conflict") if item["_type"].endswith(("register", "start")) else None
    )
    with traced.instance(), traced.span("step"):
        pass
    assert traced.flush()
    assert service.names() == ["create step complete", "finish"]
    assert traced._pipeline._delivery.intake.unsent_runs == 0


@pytest.mark.parametrize("is_open", [False, True])
def test_a_span_that_another_process_has_made_known_is_ended(traced, service, is_open):
    """All that could be told there is that it was open: its end is an item of its own."""
    service.refuse = lambda item: (
        error("idempotency_key_conflict") if own_name(item) == "step" else None
    )
    with traced.instance(), traced.span("step", {"a": 1}) as span:
        if is_open:
            assert traced.flush()
        span.set_result(1)
    assert traced.flush()
    assert service.names() == ["register", "start", "finish span complete", "finish"]
    assert service.applied[f"{span.id}-finish"]["result_payload"] == {"result": 1}
    assert traced.stats().delivered == 1


def test_each_answer_is_word_of_the_run(traced):
    """Also one on spans that had ended: as long as there are such, it need not be asked for."""
    with traced.instance() as run:
        assert traced.flush()
        run._heard = 0.0
        with traced.span("step"):
            pass
        assert traced.flush()
        assert run._heard


def test_a_run_whose_identifier_is_taken_is_recorded_without_it(traced, service, caplog):
    """As that of a request which its client sent twice."""
    taken = "external_identifier"

    def refuse(item):
        return error(
            "validation_errors", **{taken: "has already been taken"} if taken in item else {}
        )

    service.refuse = lambda item: refuse(item) if taken in item else None
    with traced.instance("agent", external_identifier="request-7") as run, traced.span("step"):
        pass
    assert traced.flush()
    assert service.names() == ["register", "start", "create step complete", "finish"]
    assert taken not in service.applied[f"{run.id}-register"]
    assert "'request-7'" in caplog.text
    assert "recorded without" in caplog.text
