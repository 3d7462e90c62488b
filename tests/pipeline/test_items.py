"""Items: the JSON of each request, its key, its limits."""

import json

import pytest

from prefactor_trace import _fate
from prefactor_trace._capture import to_json
from prefactor_trace._pipeline import items
from prefactor_trace._pipeline.writer import Writer


@pytest.fixture
def writer(traced):
    """What writes for the tracer."""
    return Writer(traced._settings)


def create(span, writer, status=None):
    """Make the create of a span, and read it."""
    return items.create(span, status or span._status, span._payload, writer, 1)


def details(item):
    """Return the details of a create."""
    return json.loads(item.body)["details"]


def known(run, *names):
    """Have the instance's types registered."""
    run._declared = frozenset((*names, "undeclared"))


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


def test_written_anew_only_type_and_parent_change(traced, writer):
    """An item that names a lost parent is stale, and right again after `write`."""
    with traced.instance("agent") as run, traced.span("a") as outer:
        known(run, "a", "b", "c")
        with traced.span("b") as lost, traced.span("c", {"kept": 1}) as span:
            pass
    for one in (outer, lost, span):
        one._fate = _fate.CREATED
    item = create(span, writer)
    before = details(item)
    assert before["parent_span_id"] == lost.id
    assert not item.is_stale
    lost._fate = _fate.LOST
    assert item.is_stale
    item.write()
    assert details(item) == {**before, "parent_span_id": outer.id}
    known(run, "a")
    assert item.is_stale
    item.write()
    assert details(item)["payload"] == {"prefactor.schema_name": "c", "kept": 1}
    for one in (outer, lost, span):
        one._fate = _fate.WAITING


def test_written_anew_for_nothing_it_stays_as_it_is(traced, writer):
    """A key must not be sent with other bytes: the parent that was lost was never named."""
    with traced.instance("agent") as run, traced.span("a") as outer:
        known(run, "a", "b", "c")
        with traced.span("b") as lost, traced.span("c") as span:
            pass
    outer._fate, lost._fate = _fate.CREATED, _fate.LOST
    item = create(span, writer)
    before = item.body
    assert item.is_stale
    item.write()
    assert item.body == before
    for one in (outer, lost, span):
        one._fate = _fate.WAITING


def test_the_name_of_a_type_is_said_once(traced, writer):
    """Where a payload has that key too, the type's own name wins, also when it is cut."""
    with traced.instance("agent") as run, traced.span("new") as span:
        known(run)
        span.set_payload({"prefactor.schema_name": "x", "text": "y" * 5_000})
    item = create(span, writer)
    assert item.body.count(b"prefactor.schema_name") == 1
    item.cut(1_000)
    assert details(item)["payload"]["prefactor.schema_name"] == "new"


def test_parent_of_another_run_is_no_parent(traced):
    """A span never names a parent that its instance does not have."""
    outer = traced.start_span("outer")
    with traced.instance("agent"), traced.span("inner") as inner:
        pass
    outer._fate = _fate.CREATED
    inner._parent = outer
    assert items.delivered_parent(inner) is None
    outer._fate = _fate.WAITING


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


def large(span, payload, result):
    """Return the create of a span with a payload and a result of these sizes."""
    details = {
        "status": "complete",
        "schema_name": "step",
        "payload": {"text": "x" * payload},
        "finished_at": "now",
        "result_payload": {"text": "y" * result},
    }
    known(span._instance, "step")
    return items.Create("key", span, to_json({"details": details}), 1, "step")


def test_cut_makes_a_create_small_and_marks_it(traced):
    """The larger of payload and result gives way first; the rest is as it was."""
    item = large(traced.start_span("step"), 5_000, 10)
    before = details(item)
    assert item.cut(1_000)
    assert len(item.body) <= 1_000
    after = details(item)
    assert after["payload"]["prefactor.truncated"] is True
    assert after["payload"]["text"]["size"] == 5_000
    assert {**after, "payload": None} == {**before, "payload": None}


def test_cut_lasts_when_the_item_is_written_anew(traced):
    """Another parent does not make it large again."""
    item = large(traced.start_span("step"), 5_000, 5_000)
    assert item.cut(1_500)
    small = item.body
    item.write()
    assert item.body == small
    assert details(item)["result_payload"]["prefactor.truncated"] is True


def test_cut_of_a_finish_is_of_its_result(traced):
    """Key and status stay."""
    before = {"idempotency_key": "k", "status": "failed", "result_payload": {"text": "y" * 5_000}}
    body = json.dumps(before).encode()
    item = items.Item("k", "agent_spans/finish", traced.start_span("step"), body, 1)
    assert item.cut(800)
    assert len(item.body) <= 800
    after = json.loads(item.body)
    assert after["result_payload"]["prefactor.truncated"] is True
    assert {**after, "result_payload": None} == {**before, "result_payload": None}


def test_cut_ends_with_a_stub_that_says_why(traced):
    """And then there is nothing left to cut."""
    item = large(traced.start_span("step"), 5_000, 5_000)
    assert item.cut(10)
    assert "too large" in details(item)["payload"]["prefactor.reason"]
    assert "too large" in details(item)["result_payload"]["prefactor.reason"]
    assert not item.cut(10)


def test_what_carries_nothing_cannot_be_cut(traced):
    """The start of a run is as small as it gets."""
    with traced.instance() as run:
        assert not items.start(run, 1).cut(10)
