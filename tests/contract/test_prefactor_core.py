"""The official `prefactor-core` runs an agent end to end against the embedded service."""

import asyncio

import pytest

prefactor_core = pytest.importorskip("prefactor_core")

from prefactor_core import PrefactorCoreClient, PrefactorCoreConfig, SchemaRegistry  # noqa: E402
from prefactor_http.config import HttpClientConfig  # noqa: E402


@pytest.fixture
async def client(url, token):
    """The official client with three types of span and one kind of quality record."""
    registry = SchemaRegistry()
    for name in ("agent:plan", "agent:tool"):
        registry.register_type(name, {"type": "object"}, template="{{ query }}")
    registry.register("agent:note", {"type": "object"})
    registry.register_quality_schema("score", {"type": "object"})
    http = HttpClientConfig(api_url=url, api_token=token, max_retries=0)
    config = PrefactorCoreConfig(http_config=http, schema_registry=registry)
    async with PrefactorCoreClient(config) as client:
        yield client


async def use_tool(run, query):
    """Call a tool, which fails for one of the queries."""
    async with run.span("agent:tool") as span:
        await span.start({"query": query})
        if query == "bad":
            await span.fail({"error_type": "ToolError", "message": "no such thing"})
        else:
            await span.complete({"found": [query]})


async def act(run):
    """One run of an agent: a plan with three tools at once, a note that is given up, a score."""
    await run.start()
    async with run.span("agent:plan") as plan:
        await plan.start({"query": "everything"})
        await asyncio.gather(*(use_tool(run, query) for query in ("a", "bad", "c")))
        async with run.span("agent:note") as note:
            await note.cancel()
        await plan.complete({"done": True})
    await run.record_quality("score", {"stars": 4})


def is_all_stored(store, run_id):
    """Return whether the five spans have ended and the score is there."""
    summary = store.get_instance(run_id)
    counts = summary.span_counts if summary else None
    return bool(counts and counts.finished == counts.total == 5 and summary.quality_payloads)


async def test_an_agent_end_to_end(client, store):
    """The store holds the run as the agent went through it: tree, statuses, payloads, results."""
    run = await client.create_agent_instance(
        agent_id="core-agent", agent_version={"name": "Core", "external_identifier": "2.0"}
    )
    await act(run)
    # Its workers take the queue side by side, so a finish could overtake what comes before it.
    while not is_all_stored(store, run.id):
        await asyncio.sleep(0.001)
    await run.finish()
    await client.close()
    spans = {
        (span.schema_name, span.payload.get("query")): span for span in store.list_spans(run.id)
    }
    plan = spans.pop(("agent:plan", "everything"))
    assert (plan.parent_span_id, plan.status) == (None, "complete")
    assert (plan.result_payload, plan.summary) == ({"done": True}, "everything")
    assert {span.parent_span_id for span in spans.values()} == {plan.id}
    assert {key: span.status for key, span in spans.items()} == {
        ("agent:tool", "a"): "complete",
        ("agent:tool", "bad"): "failed",
        ("agent:tool", "c"): "complete",
        ("agent:note", None): "cancelled",
    }
    assert spans["agent:tool", "bad"].result_payload["error_type"] == "ToolError"
    assert spans["agent:tool", "a"].result_payload == {"found": ["a"]}
    assert spans.pop(("agent:note", None)).started_at is None
    assert all(plan.started_at <= span.started_at for span in spans.values())
    summary = store.get_instance(run.id)
    assert (summary.agent_id, summary.agent_version, summary.status) == (
        "core-agent",
        "2.0",
        "complete",
    )
    assert summary.finished_at >= max(span.finished_at for span in [plan, *spans.values()])
    assert summary.quality_payloads == {"score": {"stars": 4}}
    assert summary.span_counts.finished == summary.span_counts.total == 5


async def test_a_run_is_finished(client, store):
    """A started run that is finished is complete in the store."""
    run = await client.create_agent_instance(agent_version={"name": "Core"})
    await run.start()
    while store.get_instance(run.id).status != "active":
        await asyncio.sleep(0)
    await run.finish()
    await client.close()
    summary = store.get_instance(run.id)
    assert (summary.status, summary.agent_name) == ("complete", "Core")
    assert summary.finished_at >= summary.started_at
