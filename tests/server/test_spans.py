"""Tests of the actions on spans, in process and over HTTP."""

import pytest

from prefactor_trace._pfid import is_pfid
from prefactor_trace.models import AgentSpan

ID = "01jz0000000000000000000000000009"


def test_create_answers_the_span(service):
    """A new span carries what was sent, an id, and the title and summary of its type."""
    instance = service.run()
    span = service.span(instance, schema_name="ask", payload={"q": "why"})
    assert AgentSpan.model_validate(span).status == "active"
    assert is_pfid(span["id"])
    assert span["agent_instance_id"] == instance["id"]
    assert span["agent_id"] == "agent"
    assert span["account_id"] == instance["account_id"]
    assert (span["schema_title"], span["summary"]) == ("Ask", "why")
    assert span["payload"] == {"q": "why"}
    assert span["started_at"] == span["inserted_at"]
    assert span["finished_at"] is span["result_payload"] is span["parent_span_id"] is None


def test_a_span_may_be_created_finished(service):
    """A span that has ended before it is sent needs one call."""
    span = service.span(
        service.run(),
        id=ID,
        status="failed",
        result_payload={"error_type": "E"},
        started_at="2026-01-01T00:00:00Z",
        finished_at="2026-01-01T00:00:00.000001Z",
    )
    assert span["id"] == ID
    assert span["status"] == "failed"
    assert span["result_payload"] == {"error_type": "E"}
    assert span["finished_at"] == "2026-01-01T00:00:00.000001Z"


def test_times_that_are_left_out(service):
    """What a request leaves out is now, but a span never ends before it starts."""
    instance = service.register()
    past = service.span(instance, status="complete", finished_at="2020-01-01T00:00:00Z")
    assert past["started_at"] == past["finished_at"] == "2020-01-01T00:00:00.000000Z"
    future = service.span(instance, status="complete", started_at="2036-01-01T00:00:00Z")
    assert future["finished_at"] == "2036-01-01T00:00:00.000000Z"
    now = service.span(instance, status="complete")
    assert now["started_at"] == now["finished_at"] == now["inserted_at"]
    assert service.span(instance, status="pending")["started_at"] is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"agent_instance_id": ID}, "agent_instance_id"),
        ({"schema_name": "unheard"}, "schema_name"),
        ({"schema_name": "undeclared"}, "schema_name"),
        ({"schema_name": None}, "schema_name"),
        ({"status": "terminated"}, "status"),
        ({"status": "done"}, "status"),
        ({"status": None}, "status"),
        ({"payload": None}, "payload"),
        ({"payload": []}, "payload"),
        ({"result_payload": {}}, "result_payload"),
        ({"result_payload": "text", "status": "complete"}, "result_payload"),
        ({"finished_at": "2026-01-01T00:00:00Z"}, "finished_at"),
        (
            {
                "status": "complete",
                "started_at": "2026-01-01T00:00:01Z",
                "finished_at": "2026-01-01T00:00:00Z",
            },
            "finished_at",
        ),
        ({"started_at": "soon"}, "started_at"),
        ({"id": "x"}, "id"),
        ({"parent_span_id": ID}, "parent_span_id"),
        ({"parent_span_id": "x"}, "parent_span_id"),
    ],
)
def test_create_names_the_field_at_fault(service, fields, field):
    """A span that cannot be is refused with the name of its field."""
    status, answer = service.create(service.run(), **fields)
    assert (status, answer["code"]) == (422, "validation_errors")
    assert list(answer["errors"]) == [field]


def test_a_payload_is_required(service):
    """A span without a payload is refused, since the service requires one."""
    instance = service.run()
    details = {"agent_instance_id": instance["id"], "schema_name": "plain", "status": "active"}
    status, answer = service.post("/agent_spans", {"details": details})
    assert (status, list(answer["errors"])) == (422, ["payload"])


@pytest.mark.parametrize("body", [{}, {"details": []}, {"status": "active", "payload": {}}])
def test_create_needs_details(service, body):
    """Fields that stand beside `details` do not count."""
    status, answer = service.post("/agent_spans", body)
    assert (status, list(answer["errors"])) == (422, ["details"])


def test_an_id_is_taken_once(service):
    """A span's id cannot be used again, not in another instance either."""
    service.span(service.run(), id=ID)
    status, answer = service.create(service.run(), id=ID)
    assert (status, answer["errors"]) == (422, {"id": ["has already been taken"]})


def test_a_parent_is_a_span_of_the_same_instance(service):
    """A parent of another instance is refused, one of the same is kept."""
    first, second = service.run(), service.run()
    parent = service.span(first)
    child = service.span(first, parent_span_id=parent["id"])
    assert child["parent_span_id"] == parent["id"]
    status, answer = service.create(second, parent_span_id=parent["id"])
    assert (status, list(answer["errors"])) == (422, ["parent_span_id"])


def test_finish_completes_an_active_span(service):
    """Finishing sets status, result, summary and time, and leaves the payload."""
    span = service.span(service.run(), schema_name="ask", payload={"q": "1+1"})
    status, answer = service.finish(span, result_payload={"a": 2})
    assert status == 200
    details = answer["details"]
    assert details["status"] == "complete"
    assert (details["payload"], details["result_payload"]) == ({"q": "1+1"}, {"a": 2})
    assert details["summary"] == "1+1 = 2"
    assert details["finished_at"] == details["updated_at"] > details["started_at"]


@pytest.mark.parametrize(
    ("created", "finished", "expected"),
    [
        ("active", "complete", 200),
        ("active", "failed", 200),
        ("active", "cancelled", 409),
        ("pending", "cancelled", 200),
        ("pending", "complete", 409),
        ("pending", "failed", 409),
        ("complete", "complete", 409),
        ("failed", "complete", 409),
        ("cancelled", "cancelled", 409),
    ],
)
def test_what_a_span_may_become(service, created, finished, expected):
    """A span runs from active to complete or failed; only one that never started is cancelled."""
    span = service.span(service.run(), status=created)
    status, answer = service.finish(span, status=finished)
    assert status == expected
    if expected == 409:
        assert answer["code"] == "invalid_action"
        assert created in answer["message"]


def test_finish_checks_its_fields(service):
    """A finish before the start, with a wrong status or result is refused and changes nothing."""
    span = service.span(service.run(), started_at="2026-01-01T00:00:01Z")
    for fields in (
        {"timestamp": "2026-01-01T00:00:00Z"},
        {"status": "active"},
        {"result_payload": 7},
    ):
        status, answer = service.finish(span, **fields)
        assert (status, list(answer["errors"])) == (422, list(fields))
    assert service.finish(span, timestamp="2026-01-01T00:00:01Z")[0] == 200


def test_finish_inside_details_stores_no_result(service):
    """A finish wrapped in `details` is accepted and its result is not seen, as in the service."""
    span = service.span(service.run())
    status, answer = service.finish(span, details={"result_payload": {"a": 1}})
    assert (status, answer["details"]["result_payload"]) == (200, None)


def test_an_unknown_span_is_not_found(service):
    """Finishing a span that is not there is 404."""
    assert service.finish({"id": ID})[0] == 404
    assert service.finish({"id": "no-pfid"})[0] == 404


def test_a_finished_instance_takes_stragglers(service):
    """Late spans and late ends of spans are stored after the instance has finished."""
    instance = service.run()
    span = service.span(instance)
    service.post(f"/agent_instance/{instance['id']}/finish", {})
    assert service.finish(span)[0] == 200
    status, answer = service.create(instance, parent_span_id=span["id"])
    assert status == 200
    assert "control" not in answer


def test_a_terminated_run_is_told_to_stop(service):
    """Every answer on a span of a terminated run carries the control signal and its reason."""
    instance = service.run()
    span = service.span(instance)
    service.terminate(instance, "too dear")
    control = {"terminate": True, "reason": "too dear"}
    for status, answer in (service.finish(span), service.create(instance)):
        assert status == 200
        assert answer["control"] == control


def test_a_mismatch_is_noted_and_never_refused(service):
    """A payload or result that does not match its schema is stored with a note."""
    instance = service.run()
    span = service.span(instance, schema_name="ask", payload={"q": 7})
    assert span["schema_validation"] == {
        "valid": False,
        "errors": [{"field": "payload.q", "message": "is not of type string"}],
    }
    resulting = service.span(instance, schema_name="resulting", payload={})
    assert resulting["schema_validation"] is None
    noted = service.finish(resulting, result_payload={})[1]["details"]["schema_validation"]
    assert noted["errors"] == [{"field": "result_payload.text", "message": "is required"}]
    stored = {one.id: one.schema_validation for one in service.store.list_spans(instance["id"])}
    assert stored == {span["id"]: span["schema_validation"], resulting["id"]: noted}
