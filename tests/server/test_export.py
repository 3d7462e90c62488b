"""Runs in other programs' formats."""

import json
from pathlib import Path

import pytest

import prefactor_trace as prefactor
from prefactor_trace.server import Store
from prefactor_trace.server._export import as_chrome, as_jsonl, as_otlp


@pytest.fixture
def recorded(tmp_path: Path):
    """A run with nested, overlapping and failed spans, as it is stored."""
    tracer = prefactor.Tracer(local=True, local_db=str(tmp_path / "a.db"))
    with tracer.instance("agent", version="1") as run, tracer.span("outer", {"n": 1}):
        one, other = tracer.start_span("one"), tracer.start_span("other")
        one.complete({"ok": True})
        other.fail(ValueError("no"))
        tracer.start_span("open")
        assert tracer.flush()
        with Store(tmp_path / "a.db") as store:
            yield store.get_instance(run.id), store.list_spans(run.id)
    tracer.shutdown()


def test_json_lines_hold_all_there_is(recorded):
    """The run first, then each span as the API answers it."""
    run, spans = recorded
    lines = [json.loads(line) for line in "".join(as_jsonl(run, spans)).splitlines()]
    assert (lines[0]["type"], lines[0]["id"], lines[0]["agent_name"]) == (
        "instance",
        run.id,
        "agent",
    )
    assert [line["schema_name"] for line in lines[1:]] == ["outer", "one", "other", "open"]
    assert lines[1] == spans[0].model_dump(mode="json")


def test_otlp_has_one_trace_with_its_parents(recorded):
    """Ids are of OTLP's lengths, and the same each time."""
    run, spans = recorded
    (text,) = as_otlp(run, spans)
    assert [text] == list(as_otlp(run, spans))
    (resource,) = json.loads(text)["resourceSpans"]
    attributes = {
        one["key"]: one["value"]["stringValue"] for one in resource["resource"]["attributes"]
    }
    assert attributes["service.name"] == "agent"
    (scope,) = resource["scopeSpans"]
    outer, one, other, open_one = scope["spans"]
    assert {len(span["traceId"]) for span in scope["spans"]} == {32}
    assert len({span["traceId"] for span in scope["spans"]}) == 1
    assert len({span["spanId"] for span in scope["spans"]}) == 4
    assert one["parentSpanId"] == outer["spanId"]
    assert "parentSpanId" not in outer
    assert (one["status"], other["status"]) == ({"code": 1}, {"code": 2, "message": "no"})
    assert open_one["status"] == {"code": 0}
    assert int(one["startTimeUnixNano"]) <= int(one["endTimeUnixNano"])


def test_otlp_has_the_ids_that_other_services_were_told(tmp_path: Path):
    """Those of the ``traceparent`` header, so that their spans are below ours."""
    tracer = prefactor.Tracer(local=True, local_db=str(tmp_path / "a.db"))
    with tracer.instance("agent") as run, tracer.span("outer"), tracer.span("call"):
        _, trace, parent, _ = prefactor.inject()["traceparent"].split("-")
    tracer.shutdown()
    with Store(tmp_path / "a.db") as store:
        (text,) = as_otlp(store.get_instance(run.id), store.list_spans(run.id))
    outer, call = json.loads(text)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (outer["traceId"], call["traceId"]) == (trace, trace)
    assert call["spanId"] == parent
    assert call["parentSpanId"] == outer["spanId"]


def test_chrome_draws_what_overlaps_on_rows_of_its_own(recorded):
    """On one row, events are nested or one after the other."""
    run, spans = recorded
    (text,) = as_chrome(run, spans)
    events = [one for one in json.loads(text)["traceEvents"] if one["ph"] == "X"]
    assert {one["name"] for one in events} == {"outer", "one", "other", "open"}
    for row in {one["tid"] for one in events}:
        stack: list[int] = []
        for event in sorted(
            (one for one in events if one["tid"] == row), key=lambda one: one["ts"]
        ):
            while stack and stack[-1] <= event["ts"]:
                stack.pop()
            end = event["ts"] + event["dur"]
            assert not stack or end <= stack[-1]
            stack.append(end)
    rows = {one["name"]: one["tid"] for one in events}
    assert rows["one"] == rows["outer"]
    assert rows["other"] != rows["one"]
