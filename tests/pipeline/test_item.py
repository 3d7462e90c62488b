"""One item: written anew for what the service knows, and cut to what it takes."""

import json

from prefactor_trace import _fate
from prefactor_trace._capture import to_json
from prefactor_trace._pipeline import items

from .creates import create, details, known


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


def test_parent_of_another_run_is_no_parent(traced):
    """A span never names a parent that its instance does not have."""
    outer = traced.start_span("outer")
    with traced.instance("agent"), traced.span("inner") as inner:
        pass
    outer._fate = _fate.CREATED
    inner._parent = outer
    assert items.delivered_parent(inner) is None
    outer._fate = _fate.WAITING


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
