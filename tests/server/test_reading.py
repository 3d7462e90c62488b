"""Tests of what a store gives to read."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

from cli.records import record, span

from prefactor_trace.models import AgentSpan
from prefactor_trace.server import InstanceSummary, Store
from prefactor_trace.server._timestamps import spell

from .calls import call, register
from .twin import BEGIN, span_item

OPEN = {"schema_name": "step", "payload": {}, "status": "active"}


def test_summaries_of_instances(store):
    """A summary says all that a list of runs shows."""
    instance = register(
        store,
        "session",
        agent_id="support",
        agent_version={"name": "Support", "external_identifier": "1.4.2"},
        purpose="eval",
        external_identifier="run 1",
    )
    body = {"name": "score", "payload": {"stars": 5}}
    call(store, f"/agent_instance/{instance['id']}/record_quality", body)
    call(store, "/agent_spans", span_item(instance, "") | {"idempotency_key": None})
    summary = store.get_instance(instance["id"])
    assert isinstance(summary, InstanceSummary)
    assert (summary.agent_id, summary.agent_name) == ("support", "support")
    assert (summary.agent_version, summary.purpose) == ("1.4.2", "eval")
    assert (summary.status, summary.session) == ("pending", "session")
    assert summary.external_identifier == "run 1"
    assert summary.environment_id == instance["environment_id"]
    assert summary.quality_payloads == {"score": {"stars": 5}}
    assert summary.span_counts.active == summary.span_counts.total == 1
    assert (summary.started_at, summary.finished_at, summary.termination_reason) == (None,) * 3
    assert summary.inserted_at.utcoffset().total_seconds() == 0
    assert summary.inserted_at > BEGIN
    assert store.list_instances() == [summary]


def test_instances_are_listed_newest_first(store):
    """Lists can be cut, and filtered by session and status."""
    ids = [register(store, "odd" if n % 2 else "even")["id"] for n in range(5)][::-1]
    call(store, f"/agent_instance/{ids[0]}/start", {})
    assert [run.id for run in store.list_instances()] == ids
    assert [run.id for run in store.list_instances(limit=2, offset=1)] == ids[1:3]
    assert [run.id for run in store.list_instances(session="odd")] == [ids[1], ids[3]]
    assert [run.id for run in store.list_instances(status="active")] == ids[:1]
    assert store.list_instances(session="odd", status="active") == []


def test_instances_are_found_by_the_beginning_of_their_id(store):
    """A prefix finds the ids that start with it, and no pattern is read into it."""
    first = register(store, id="01jz0000000000000000000000000001")["id"]
    second = register(store, id="01jz0000000000000000000000000002")["id"]
    assert store.find_instances(first) == [first]
    assert set(store.find_instances("01jz")) == {first, second}
    assert store.find_instances("%") == store.find_instances("_1jz") == []
    assert store.get_instance("01jz") is None


def test_spans_are_listed_in_the_order_of_their_start(store):
    """Spans come in the order of start, then as they were stored, as the models."""
    instance = register(store)
    times = ["2026-01-01T00:00:02Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z"]
    items = [
        span_item(instance, f"create-{n}", started_at=time, payload={"n": n})
        for n, time in enumerate(times)
    ]
    call(store, "/bulk", {"items": items})
    spans = store.list_spans(instance["id"])
    assert all(isinstance(span, AgentSpan) for span in spans)
    assert [span.payload["n"] for span in spans] == [1, 2, 0]
    assert store.list_spans("unknown") == []


def test_only_what_is_not_over_and_was_not_heard_of_is_silent(tmp_path: Path):
    """A span that begins, or one that ends, is heard; a run that is over needs not be."""
    path, long_ago = tmp_path / "a.db", timedelta(hours=5)
    record(path, [span()], ago=long_ago)
    gone, begins, ends = (
        record(path, [span(took=None, status="active")], finish=False, ago=long_ago)
        for _ in range(3)
    )
    an_hour_ago = datetime.now(timezone.utc) - timedelta(hours=1)
    with Store(path) as store:
        call(store, "/agent_spans", {"details": {"agent_instance_id": begins, **OPEN}})
        (open_span,) = store.list_spans(ends)
        call(store, f"/agent_spans/{open_span.id}/finish", {"status": "complete"})
        silent = store.list_instances(silent=spell(an_hour_ago))
        runs = {run.id: run.heard_at for run in store.list_instances()}
    assert [run.id for run in silent] == [gone]
    heard = {run for run, moment in runs.items() if moment and moment > an_hour_ago}
    assert heard == {begins, ends}
    assert list(runs.values()).count(None) == 1
