"""Runs in other programs' formats."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli.records import record, span

import prefactor_trace as prefactor
from prefactor_trace._pfid import trace_id_of
from prefactor_trace.server import Store
from prefactor_trace.server._export import FORMATS, export_runs
from prefactor_trace.server._reading import InstanceSummary


@pytest.fixture
def store(tmp_path: Path):
    """A store with a run of nested, overlapping and failed spans."""
    tracer = prefactor.Tracer(local=True, local_db=str(tmp_path / "a.db"))
    with tracer.instance("agent", version="1"), tracer.span("outer", {"n": 1}):
        one, other = tracer.start_span("one"), tracer.start_span("other")
        one.complete({"ok": True})
        other.fail(ValueError("no"))
        tracer.start_span("open")
        assert tracer.flush()
        with Store(tmp_path / "a.db") as store:
            yield store
    tracer.shutdown()


@pytest.fixture
def run(store: Store) -> InstanceSummary:
    """The run in it."""
    return store.list_instances()[0]


def exported(store: Store, name: str, *ids: str) -> Any:
    """Return what a file in a format of JSON holds."""
    return json.loads("".join(export_runs(store, ids, name)))


def otlp_spans(content: Any, number: int = 0) -> list[dict[str, Any]]:
    """Return the spans of a run in a file, with their attributes by name."""
    (scope,) = content["resourceSpans"][number]["scopeSpans"]
    return [{**span, "attributes": attributes(span)} for span in scope["spans"]]


def attributes(holder: dict[str, Any]) -> dict[str, str | int]:
    """Return attributes by name, as a collector reads them."""
    return {
        one["key"]: int(one["value"]["intValue"])
        if "intValue" in one["value"]
        else one["value"]["stringValue"]
        for one in holder["attributes"]
    }


def test_json_lines_hold_all_there_is(store: Store, run: InstanceSummary):
    """The run first, then each span as the API answers it."""
    text = "".join(export_runs(store, [run.id], "jsonl"))
    lines = [json.loads(line) for line in text.splitlines()]
    assert (lines[0]["type"], lines[0]["id"], lines[0]["agent_name"]) == (
        "instance",
        run.id,
        "agent",
    )
    assert [line["schema_name"] for line in lines[1:]] == ["outer", "one", "other", "open"]
    assert lines[1] == store.list_spans(run.id)[0].model_dump(mode="json")


def test_otlp_has_one_trace_with_its_parents(store: Store, run: InstanceSummary):
    """Ids are of OTLP's lengths, and the same each time."""
    content = exported(store, "otlp", run.id)
    assert content == exported(store, "otlp", run.id)
    (resource,) = content["resourceSpans"]
    assert attributes(resource["resource"])["service.name"] == "agent"
    spans = otlp_spans(content)
    outer, one, other, open_one = spans
    assert {len(span["traceId"]) for span in spans} == {32}
    assert len({span["traceId"] for span in spans}) == 1
    assert len({span["spanId"] for span in spans}) == 4
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
        outer, call = otlp_spans(exported(store, "otlp", run.id))
    assert (outer["traceId"], call["traceId"]) == (trace, trace)
    assert call["spanId"] == parent
    assert call["parentSpanId"] == outer["spanId"]


def test_otlp_says_of_a_model_what_collectors_look_for(tmp_path: Path):
    """Beside payload and result, as numbers where they are some."""
    payload = {"model": "small", "messages": [{"role": "user", "content": "hi"}]}
    result = {"model": "small-1", "usage": {"input_tokens": 10, "output_tokens": 5}}
    run = record(tmp_path / "a.db", [span("llm_call", payload=payload, result=result), span()])
    with Store(tmp_path / "a.db") as store:
        call, step = (one["attributes"] for one in otlp_spans(exported(store, "otlp", run)))
    assert {key: value for key, value in call.items() if key.startswith("gen_ai.")} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "small",
        "gen_ai.response.model": "small-1",
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
    }
    assert json.loads(call["prefactor.payload"]) == payload
    assert not any(key.startswith("gen_ai.") for key in step)


def test_chrome_draws_what_overlaps_on_rows_of_its_own(store: Store, run: InstanceSummary):
    """On one row, events are nested or one after the other."""
    content = exported(store, "chrome", run.id)
    events = [one for one in content["traceEvents"] if one["ph"] == "X"]
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


def test_a_file_holds_several_runs(tmp_path: Path):
    """In OTLP each is a trace and a resource, in Chrome's format a process with rows of its own."""
    names = ("first", "second", "third")
    ids = [record(tmp_path / "a.db", [span(name), span(name)], agent=name) for name in names]
    with Store(tmp_path / "a.db") as store:
        otlp, chrome = (exported(store, name, *ids) for name in ("otlp", "chrome"))
    found = [attributes(one["resource"]) for one in otlp["resourceSpans"]]
    assert [one["service.name"] for one in found] == list(names)
    assert [one["prefactor.instance_id"] for one in found] == ids
    traces = [{one["traceId"] for one in otlp_spans(otlp, number)} for number in range(3)]
    assert traces == [{trace_id_of(instance_id)} for instance_id in ids]
    assert [[one["name"] for one in otlp_spans(otlp, n)] for n in range(3)] == [
        [name, name] for name in names
    ]
    told = {
        (event["pid"], event["name"]): event["args"]
        for event in chrome["traceEvents"]
        if event["ph"] == "M"
    }
    spans = [(one["pid"], one["name"]) for one in chrome["traceEvents"] if one["ph"] == "X"]
    for number, (name, instance_id) in enumerate(zip(names, ids, strict=True), 1):
        assert told[number, "process_name"] == {"name": name}
        assert told[number, "process_labels"] == {"labels": instance_id}
        assert spans.count((number, name)) == 2


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_may_hold_no_run(tmp_path: Path, name: str):
    """It is one of its format all the same; a run that is not there is none."""
    with Store(tmp_path / "a.db") as store:
        text = "".join(export_runs(store, [], name))
        assert text == "" if name == "jsonl" else [] in json.loads(text).values()
        with pytest.raises(LookupError):
            list(export_runs(store, ["nothing"], name))
