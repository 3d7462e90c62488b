"""Tests of the actions on instances, in process and over HTTP."""

import pytest

from prefactor_trace._pfid import is_pfid, partition_of
from prefactor_trace.models import AgentInstance

from .twin import SCHEMAS

OTHER_ID = "01jz0000000000000000000000000007"


def test_register_answers_a_pending_instance(service):
    """A new instance is pending, carries PFIDs of one partition, and parses as the model."""
    instance = service.register(external_identifier="run 7", purpose="eval")
    parsed = AgentInstance.model_validate(instance)
    assert (parsed.status, parsed.purpose) == ("pending", "eval")
    assert parsed.external_identifier == "run 7"
    assert parsed.started_at is parsed.finished_at is None
    assert parsed.span_counts.total == 0
    fields = ("id", "account_id", "agent_version_id", "environment_id", "agent_deployment_id")
    ids = [instance[field] for field in fields]
    assert all(map(is_pfid, ids))
    assert len(set(map(partition_of, ids))) == 1


def test_a_client_chooses_the_id(service):
    """A well-formed id is taken over, once."""
    assert service.register(id=OTHER_ID)["id"] == OTHER_ID
    body = {"agent_version": {}, "agent_schema_version": SCHEMAS, "id": OTHER_ID}
    status, answer = service.post("/agent_instance/register", body)
    assert (status, answer["errors"]) == (422, {"id": ["has already been taken"]})


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"id": "mine"}, "id"),
        ({"id": 7}, "id"),
        ({"agent_version": None}, "agent_version"),
        ({"agent_schema_version": "1"}, "agent_schema_version"),
        ({"agent_id": ""}, "agent_id"),
        ({"agent_id": "a" * 256}, "agent_id"),
        ({"external_identifier": ""}, "external_identifier"),
        ({"purpose": "fun"}, "purpose"),
        ({"idempotency_key": "short"}, "idempotency_key"),
        ({"idempotency_key": "l" * 65}, "idempotency_key"),
        ({"idempotency_key": 12345678}, "idempotency_key"),
        ({"agent_schema_version": {"span_schemas": {"": {}}}}, "agent_schema_version.span_schemas"),
        (
            {
                "agent_schema_version": {
                    "span_type_schemas": [{"name": "a", "params_schema": {}}] * 2
                }
            },
            "agent_schema_version.span_type_schemas",
        ),
        (
            {"agent_schema_version": {"span_type_schemas": [{"name": "a"}]}},
            "agent_schema_version.span_type_schemas.0.params_schema",
        ),
    ],
)
def test_register_names_the_field_at_fault(service, fields, field):
    """A registration that cannot be is refused with the name of its field."""
    body = {"agent_version": {}, "agent_schema_version": SCHEMAS, **fields}
    status, answer = service.post("/agent_instance/register", body)
    assert (status, answer["code"]) == (422, "validation_errors")
    assert list(answer["errors"]) == [field]
    assert field in answer["message"]


def test_an_external_identifier_is_unique_per_agent(service):
    """The same name for a run is refused for the same agent and welcome for another."""
    service.register(external_identifier="run")
    service.register(agent_id="other", external_identifier="run")
    body = {
        "agent_version": {},
        "agent_schema_version": SCHEMAS,
        "agent_id": "agent",
        "external_identifier": "run",
    }
    status, answer = service.post("/agent_instance/register", body)
    assert (status, list(answer["errors"])) == (422, ["external_identifier"])


def test_a_refused_registration_leaves_nothing(service):
    """What it belongs to was made before its name was found to be taken, and is gone again."""
    service.register(external_identifier="run")
    body = {
        "agent_version": {"name": "new"},
        "agent_schema_version": {"span_schemas": {"new": {}}},
        "agent_id": "agent",
        "environment_id": "new",
        "external_identifier": "run",
    }
    assert service.post("/agent_instance/register", body)[0] == 422
    with service.store.reading() as db:
        for table in ("agent_versions", "agent_schema_versions", "environments"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,), table


def test_a_refused_registration_leaves_no_agent_behind(service):
    """A refusal undoes what the action did before it."""
    service.register(external_identifier="run", agent_id="agent")
    body = {
        "agent_version": {"external_identifier": "new"},
        "agent_schema_version": SCHEMAS,
        "agent_id": "agent",
        "external_identifier": "run",
    }
    assert service.post("/agent_instance/register", body)[0] == 422
    with service.store.reading() as db:
        assert db.execute("SELECT count(*) FROM agent_versions").fetchone() == (1,)


def test_the_life_of_an_instance(service):
    """An instance goes from pending over active to its final status, with the times given."""
    instance = service.register()
    path = f"/agent_instance/{instance['id']}"
    status, answer = service.post(f"{path}/start", {"timestamp": "2026-01-01T12:00:00+02:00"})
    assert (status, answer["details"]["status"]) == (200, "active")
    assert answer["details"]["started_at"] == "2026-01-01T10:00:00.000000Z"
    body = {"timestamp": "2026-01-01T10:00:01.5Z", "status": "failed"}
    status, answer = service.post(f"{path}/finish", body)
    assert (status, answer["details"]["status"]) == (200, "failed")
    assert answer["details"]["finished_at"] == "2026-01-01T10:00:01.500000Z"
    assert service.get(path) == (200, answer)


def test_finish_is_complete_and_now_when_nothing_is_said(service):
    """Without a status an instance completes, without a timestamp it does so now."""
    instance = service.run()
    status, answer = service.post(f"/agent_instance/{instance['id']}/finish", {})
    assert (status, answer["details"]["status"]) == (200, "complete")
    assert answer["details"]["finished_at"] == answer["details"]["updated_at"]


def test_an_instance_never_finishes_before_it_started(service):
    """A start in the future moves the finish that is now; an earlier finish is refused."""
    instance = service.register()
    path = f"/agent_instance/{instance['id']}"
    service.post(f"{path}/start", {"timestamp": "2036-01-01T00:00:00Z"})
    status, answer = service.post(f"{path}/finish", {"timestamp": "2035-01-01T00:00:00Z"})
    assert (status, list(answer["errors"])) == (422, ["timestamp"])
    status, answer = service.post(f"{path}/finish", {})
    assert answer["details"]["finished_at"] == "2036-01-01T00:00:00.000000Z"


@pytest.mark.parametrize("timestamp", ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "", 7])
def test_timestamps_need_a_zone(service, timestamp):
    """What is no ISO 8601 timestamp with a zone is refused."""
    instance = service.register()
    body = {"timestamp": timestamp}
    status, answer = service.post(f"/agent_instance/{instance['id']}/start", body)
    assert (status, list(answer["errors"])) == (422, ["timestamp"])


def test_steps_that_the_status_does_not_allow(service):
    """Finishing before the start, starting twice and finishing twice are invalid actions."""
    instance = service.register()
    path = f"/agent_instance/{instance['id']}"
    told = []
    for step in ("finish", "start", "start", "finish", "finish", "start"):
        status, answer = service.post(f"{path}/{step}", {})
        told.append((status, answer.get("code")))
    no = (409, "invalid_action")
    assert told == [no, (200, None), no, (200, None), no, no]


@pytest.mark.parametrize("step", ["start", "finish", "record_quality"])
def test_an_unknown_instance_is_not_found(service, step):
    """A call on an instance that is not there is 404, and so is reading it."""
    path = f"/agent_instance/{OTHER_ID}"
    status, answer = service.post(f"{path}/{step}", {"name": "score"})
    assert (status, answer["code"]) == (404, "not_found")
    assert service.get(path)[0] == 404


def test_record_quality_sets_and_removes(service):
    """A quality record is set, replaced and removed by name, on a finished instance too."""
    instance = service.run()
    path = f"/agent_instance/{instance['id']}"
    for stars in (3, 4):
        body = {"name": "score", "payload": {"stars": stars}}
        status, answer = service.post(f"{path}/record_quality", body)
        assert (status, answer["details"]["quality_payloads"]) == (200, {"score": {"stars": stars}})
    assert answer["details"]["quality_summaries"] == {"score": "4 of 5"}
    service.post(f"{path}/finish", {})
    status, answer = service.post(f"{path}/record_quality", {"name": "score", "payload": None})
    assert (status, answer["details"]["quality_payloads"]) == (200, {})
    assert answer["details"]["quality_summaries"] == {}
    assert answer["details"]["status"] == "complete"


def test_record_quality_needs_a_declared_name(service):
    """A record under a name that no quality schema has is refused."""
    instance = service.run()
    body = {"name": "plain", "payload": {}}
    status, answer = service.post(f"/agent_instance/{instance['id']}/record_quality", body)
    assert (status, list(answer["errors"])) == (422, ["name"])


def test_a_terminated_instance_has_ended(service):
    """Termination is seen at the next read, with its reason, and cannot be undone."""
    instance = service.run()
    service.terminate(instance, "budget spent")
    path = f"/agent_instance/{instance['id']}"
    details = service.get(path)[1]["details"]
    assert (details["status"], details["termination_reason"]) == ("terminated", "budget spent")
    assert details["finished_at"]
    assert service.post(f"{path}/finish", {})[0] == 409
    assert service.post(f"{path}/start", {})[0] == 409
    body = {"name": "score", "payload": {"stars": 1}}
    assert service.post(f"{path}/record_quality", body)[0] == 200


def test_span_counts_follow_the_spans(service):
    """An instance says how many of its spans stand where."""
    instance = service.run()
    service.span(instance)
    service.span(instance, status="pending")
    for status in ("complete", "complete", "failed", "cancelled"):
        service.span(instance, status=status)
    counts = service.get(f"/agent_instance/{instance['id']}")[1]["details"]["span_counts"]
    assert counts == {
        "total": 6,
        "pending": 1,
        "active": 1,
        "complete": 2,
        "failed": 1,
        "cancelled": 1,
        "finished": 4,
    }
