"""Items: the JSON of each request, its key."""

import json

import pytest

from prefactor_trace._pipeline import items

from .creates import create, details, known


def test_create_of_an_ended_span_is_whole(traced, writer):
    """Status, times, payload, result and error are in one item, keyed by the span's id."""
    with traced.instance("agent") as run:
        known(run, "step")
        span = traced.span("step", {"a": "é"})
        with span:
            span.set_result({"half": 1})
            span.fail(ValueError("no"))
    item = create(span, writer)
    assert item.key == f"{span.id}-create"
    assert json.loads(item.body)["idempotency_key"] == item.key
    told = details(item)
    assert told["agent_instance_id"] == run.id
    assert (told["schema_name"], told["status"], told["payload"]) == ("step", "failed", {"a": "é"})
    assert told["started_at"] <= told["finished_at"]
    result = told["result_payload"]
    assert (result["half"], result["error_type"], result["message"]) == (1, "ValueError", "no")
    assert "ValueError: no" in result["stacktrace"]


def test_create_goes_by_the_status_that_it_is_given(traced, writer):
    """A span that ends while its create is made is told as it was when it was looked at."""
    span = traced.start_span("step")
    span.complete({"a": 1})
    told = details(create(span, writer, "active"))
    assert told["status"] == "active"
    assert not {"finished_at", "result_payload"} & told.keys()


def test_undeclared_type_is_named_in_the_payload(traced, writer):
    """Its name is there even if the payload is cut to nothing."""
    with traced.instance("agent") as run:
        known(run)
        with traced.span("new", {f"key {n}": "x" * 1000 for n in range(5000)}) as span:
            pass
        with traced.span("empty") as empty:
            pass
    told = details(create(span, writer))
    assert told["schema_name"] == "undeclared"
    assert told["payload"]["prefactor.schema_name"] == "new"
    assert told["payload"]["prefactor.truncated"] is True
    assert details(create(empty, writer))["payload"] == {"prefactor.schema_name": "empty"}


def test_the_name_of_a_type_is_said_once(traced, writer):
    """Where a payload has that key too, the type's own name wins, also when it is cut."""
    with traced.instance("agent") as run, traced.span("new") as span:
        known(run)
        span.set_payload({"prefactor.schema_name": "x", "text": "y" * 5_000})
    item = create(span, writer)
    assert item.body.count(b"prefactor.schema_name") == 1
    item.cut(1_000)
    assert details(item)["payload"]["prefactor.schema_name"] == "new"


def test_finish_has_its_fields_flat(traced, writer):
    """Status, time and result stand beside the span's id."""
    span = traced.start_span("step")
    span.complete([1, 2])
    told = json.loads(items.finish(span, writer, 7).body)
    assert told["_type"] == "agent_spans/finish"
    assert (told["agent_span_id"], told["status"]) == (span.id, "complete")
    assert told["result_payload"] == {"result": [1, 2]}
    assert told["timestamp"].endswith("Z")


@pytest.mark.parametrize("sensitive", [True, False])
def test_sensitive_spans_ask_for_the_encoding(traced, writer, sensitive):
    """The mark is on create and finish alike, and only where it was asked for."""
    span = traced.start_span("step", sensitive=sensitive)
    span.complete()
    assert ("sensitive_encoding" in details(create(span, writer))) is sensitive
    finish = json.loads(items.finish(span, writer, 1).body)
    assert ("sensitive_encoding" in finish) is sensitive


def test_keys_fit_the_service(traced, writer):
    """Every key has 8 to 64 characters, and no two items of a run share one."""
    with traced.instance("agent") as run:
        run.record_quality("good", {"a": 1})
        run.record_quality("good", {"a": 2})
        with traced.span("step") as span:
            traced.flush()
            span.cancel()
    traced.flush()
    keys = [item["idempotency_key"] for item in traced.transport.items]
    keys.append(items.finish(span, writer, 1, status="failed").key)
    assert len(set(keys)) == len(keys)
    assert all(8 <= len(key) <= 64 for key in keys)


def test_a_name_in_the_place_of_an_agents_id_is_told(make, caplog):
    """Where the setting has a proper id, which the name takes the place of; once, not each run."""
    known_id = "01jz0000000000000000000000000001"
    tracer = make(agent_id=known_id)
    for _ in range(2):
        with tracer.instance("support-agent"), tracer.instance():
            pass
    with tracer.instance(name="support-agent"), tracer.instance("01jz0000000000000000000000000002"):
        pass
    assert tracer.flush()
    (told,) = [line.getMessage() for line in caplog.records if "agent_id" in line.getMessage()]
    assert "instance('support-agent')" in told
    assert known_id in told
    assert told.endswith("write instance(name='support-agent')")


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (5_000_000, "1970-01-01T00:00:00.005000Z"),
        (-1_000, "1969-12-31T23:59:59.999999Z"),
        (-62_135_596_800 * 10**9, "0001-01-01T00:00:00.000000Z"),
        (1_769_860_800_123_456_789, "2026-01-31T12:00:00.123456Z"),
    ],
)
def test_any_time_has_a_timestamp(traced, moment, text):
    """Old logs have some that are the epoch itself, or before."""
    with traced.instance("agent") as run:
        assert items.timestamp(run, run._moment(moment)) == text


def test_a_run_is_registered_whatever_its_texts_hold(traced):
    """What no strict reader takes is replaced, as in payloads: all of the run depends on it."""
    with traced.instance("agent", name="a\ud800b", external_identifier="c\0d", description="ok"):
        pass
    assert traced.flush()
    [register] = [
        item
        for request in traced.transport.requests
        for item in request["items"]
        if item["_type"] == "agent_instances/register"
    ]
    assert register["agent_version"]["name"] == "a?b"
    assert register["agent_version"]["description"] == "ok"
    assert register["external_identifier"] == "c\N{REPLACEMENT CHARACTER}d"
