"""The official client `prefactor-http` drives the embedded service and parses every answer."""

from datetime import datetime, timedelta, timezone

import pytest

prefactor_http = pytest.importorskip("prefactor_http")

from prefactor_http.client import PrefactorHttpClient  # noqa: E402
from prefactor_http.config import HttpClientConfig  # noqa: E402
from prefactor_http.exceptions import (  # noqa: E402
    PrefactorApiError,
    PrefactorAuthError,
    PrefactorNotFoundError,
    PrefactorValidationError,
)
from prefactor_http.models.agent_instance import AgentInstance  # noqa: E402
from prefactor_http.models.agent_span import AgentSpan  # noqa: E402
from prefactor_http.models.base import ListResponse  # noqa: E402
from prefactor_http.models.bulk import BulkItem, BulkRequest  # noqa: E402

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
VERSION = {"name": "Contract", "external_identifier": "1.0.0", "description": "of the tests"}
SCHEMAS = {
    "external_identifier": "schemas-1",
    "span_type_schemas": [
        {
            "name": "agent:llm",
            "title": "LLM call",
            "params_schema": {"type": "object", "required": ["model"]},
            "result_schema": {"type": "object"},
            "template": "{{ model }}",
            "data_risk": {
                "action_profile": {"read_data": "allowed"},
                "params_data_categories": {"classification": "public"},
                "result_data_categories": {},
            },
        }
    ],
    "quality_schemas": [{"name": "accuracy", "schema": {"type": "object"}}],
}


@pytest.fixture
async def client(url, token):
    """The official client, which gives up at the first failure."""
    config = HttpClientConfig(api_url=url, api_token=token, max_retries=0)
    async with PrefactorHttpClient(config) as client:
        yield client


async def register(client, **fields):
    """Return a new instance."""
    return await client.agent_instances.register(
        agent_id="contract", agent_version=VERSION, agent_schema_version=SCHEMAS, **fields
    )


async def test_the_token_is_checked(client, url):
    """The right token passes `ping`, a wrong one is the client's `PrefactorAuthError`."""
    assert (await client.validate_token())["status"] == "success"
    config = HttpClientConfig(api_url=url, api_token="wrong", max_retries=0)
    async with PrefactorHttpClient(config) as stranger:
        with pytest.raises(PrefactorAuthError) as caught:
            await stranger.validate_token()
    assert caught.value.status_code == 401


async def test_the_life_of_an_instance(client):
    """Register, start, record quality, finish and get parse as the client's own model."""
    instance = await register(
        client,
        idempotency_key="register-0001",
        purpose="smoke_test",
        external_identifier="run-1",
        environment_id="test",
    )
    assert (instance.status, instance.purpose) == ("pending", "smoke_test")
    assert (instance.agent_id, instance.external_identifier) == ("contract", "run-1")
    calls = client.agent_instances
    started = await calls.start(instance.id, timestamp=BEGIN, idempotency_key="start-0001")
    assert (started.status, started.started_at) == ("active", BEGIN)
    judged = await calls.record_quality(instance.id, "accuracy", {"score": 0.9})
    assert judged.quality_payloads == {"accuracy": {"score": 0.9}}
    finished = await calls.finish(instance.id, "failed", BEGIN + timedelta(seconds=2))
    assert (finished.status, finished.finished_at) == ("failed", BEGIN + timedelta(seconds=2))
    assert await calls.get(instance.id) == finished


async def test_spans(client, store):
    """Nested spans are created and finished, and one that ended before needs one call."""
    instance = await register(client)
    await client.agent_instances.start(instance.id)
    outer = await client.agent_spans.create(
        instance.id, "agent:llm", "active", {"model": "m"}, idempotency_key="span-create-1"
    )
    assert (outer.status, outer.schema_title, outer.summary) == ("active", "LLM call", "m")
    inner = await client.agent_spans.create(
        instance.id,
        "agent:llm",
        "failed",
        payload={"model": "n"},
        result_payload={"message": "no"},
        parent_span_id=outer.id,
        started_at=BEGIN,
        finished_at=BEGIN + timedelta(seconds=1),
    )
    assert (inner.status, inner.parent_span_id) == ("failed", outer.id)
    ended = await client.agent_spans.finish(
        outer.id, "complete", {"text": "yes"}, idempotency_key="span-finish-1"
    )
    assert (ended.status, ended.result_payload) == ("complete", {"text": "yes"})
    assert [span.id for span in store.list_spans(instance.id)] == [inner.id, outer.id]
    answer = await client.request(
        "GET", "/api/v1/agent_spans", params={"agent_instance_id": instance.id}
    )
    page = ListResponse[AgentSpan].model_validate(answer)
    assert [span.id for span in page.summaries] == [inner.id, outer.id]


async def test_repeated_calls_are_one(client, store):
    """The client's keys make its retries harmless."""
    instance = await register(client, idempotency_key="register-0001")
    assert await register(client, idempotency_key="register-0001") == instance
    arguments = (instance.id, "agent:llm", "active")
    span = await client.agent_spans.create(*arguments, idempotency_key="span-create-1")
    assert await client.agent_spans.create(*arguments, idempotency_key="span-create-1") == span
    assert len(store.list_spans(instance.id)) == 1


async def test_errors_are_the_clients_errors(client):
    """Each kind of refusal is the kind of exception that the client has for it."""
    instance = await register(client)
    with pytest.raises(PrefactorNotFoundError):
        await client.agent_instances.get("01jz0000000000000000000000000001")
    with pytest.raises(PrefactorValidationError) as invalid:
        await client.agent_spans.create(instance.id, "unheard", "active")
    assert list(invalid.value.errors) == ["schema_name"]
    with pytest.raises(PrefactorApiError) as conflict:
        await client.agent_instances.finish(instance.id)
    assert (conflict.value.status_code, conflict.value.code) == (409, "invalid_action")


async def test_the_control_signal_is_heard(client, store):
    """The callback is told the reason when the run was terminated."""
    instance = await register(client)
    store.terminate(instance.id, "over budget")
    reasons = []
    await client.agent_spans.create(
        instance.id, "agent:llm", "active", control_signal_callback=reasons.append
    )
    assert reasons == ["over budget"]
    ended = await client.agent_instances.get(instance.id)
    assert (ended.status, ended.termination_reason) == ("terminated", "over budget")


async def test_bulk(client, store):
    """A bulk request of the client's models is answered up to its first error."""
    run, span = "01jz0000000000000000000000000001", "01jz0000000000000000000000000002"
    details = {
        "agent_instance_id": run,
        "schema_name": "agent:llm",
        "status": "active",
        "payload": {},
    }
    calls = [
        (
            "agent_instances/register",
            {"id": run, "agent_version": VERSION, "agent_schema_version": SCHEMAS},
        ),
        ("agent_instances/start", {"agent_instance_id": run}),
        ("agent_spans/create", {"details": {**details, "id": span}}),
        ("agent_spans/finish", {"agent_span_id": span, "result_payload": {"a": 1}}),
        ("agent_spans/create", {"details": {**details, "schema_name": "unheard"}}),
        ("agent_instances/finish", {"agent_instance_id": run}),
    ]
    items = [
        BulkItem.model_validate({"_type": name, "idempotency_key": f"item-{n:04}", **fields})
        for n, (name, fields) in enumerate(calls)
    ]
    outputs = (await client.bulk.execute(BulkRequest(items=items))).outputs
    assert list(outputs) == [f"item-{n:04}" for n in range(5)]
    assert [output.status for output in outputs.values()] == ["success"] * 4 + ["error"]
    assert AgentInstance.model_validate(outputs["item-0001"].details).status == "active"
    assert AgentSpan.model_validate(outputs["item-0003"].details).result_payload == {"a": 1}
    assert store.get_instance(run).status == "active"
