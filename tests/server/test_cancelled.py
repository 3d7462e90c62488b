"""A span that was cancelled is shown as such, however the service had to be told."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli.records import command, record, span

import prefactor_trace as prefactor
from prefactor_trace._notes import CANCELLED as TOLD
from prefactor_trace.server import Store
from prefactor_trace.server._cancelled import shown
from prefactor_trace.server._compare import compare
from prefactor_trace.server._export import FORMATS, export_runs
from prefactor_trace.server._statistics import read_statistics
from prefactor_trace.server._viewer_runs import get_run
from prefactor_trace.server._viewer_spans import get_comparison, get_span

OWN_ERROR = {"error_type": "Cancelled", "message": "by the customer", "stacktrace": "..."}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the runs are."""
    return tmp_path / "traces.db"


def test_what_the_library_sends_is_recognised(path: Path) -> None:
    """A span that is cancelled when it had been sent as open."""
    tracer = prefactor.Tracer(local=True, local_db=str(path))
    with tracer.instance("agent") as run:
        step = tracer.start_span("llm_call")
        assert tracer.flush()
        step.set_result({"so": "far"})
        step.cancel()
    tracer.shutdown()
    with Store(path) as store:
        (stored,) = store.list_spans(run.id)
    assert stored.status == "failed"
    assert (shown(stored).status, shown(stored).result_payload) == ("cancelled", {"so": "far"})


@pytest.mark.parametrize(
    ("status", "result", "expected"),
    [
        ("failed", TOLD, ("cancelled", None)),
        ("failed", {"text": "a", **TOLD}, ("cancelled", {"text": "a"})),
        ("failed", OWN_ERROR, ("failed", OWN_ERROR)),
        ("failed", None, ("failed", None)),
        ("failed", {"inside": TOLD}, ("failed", {"inside": TOLD})),
        ("complete", TOLD, ("complete", TOLD)),
        ("cancelled", {"text": "a"}, ("cancelled", {"text": "a"})),
    ],
)
def test_only_the_librarys_own_words_say_so(
    path: Path, status: str, result: dict[str, Any] | None, expected: tuple[str, Any]
) -> None:
    """Not an error of the agent's that is called the same; in Python as in SQL."""
    seen = shown(span("step", status=status, result=result))
    assert (seen.status, seen.result_payload) == expected
    run = record(path, [span("step", status=status, result=result)])
    with Store(path) as store:
        (brief,) = get_run(store, run, {})["spans"]
        whole = get_span(store, brief["id"])
    assert brief["status"] == whole["status"] == expected[0]
    assert whole["result"] == expected[1]
    assert (brief["error"] is None) == (
        status != "failed" or "error_type" not in (expected[1] or {})
    )


def test_it_counts_as_no_failure(path: Path) -> None:
    """Of a run, among the runs that failed, and of a type."""
    quiet = record(path, [span("step", status="failed", result=TOLD), span("step")])
    loud = record(path, [span("step", status="failed", result=TOLD), span("x", status="failed")])
    with Store(path) as store:
        assert [run.id for run in store.list_instances(failed=True)] == [loud]
        counts = {run.id: run.span_counts for run in store.list_instances()}
        assert (counts[quiet].failed, counts[quiet].cancelled) == (0, 1)
        assert (counts[loud].failed, counts[loud].cancelled) == (1, 1)
        assert counts[loud].finished == counts[loud].total == 2
        with store.reading() as db:
            step = next(one for one in read_statistics(db) if one.schema_name == "step")
        assert (step.count, step.failed, step.cancelled) == (3, 0, 2)
        run = get_run(store, quiet, {})["run"]
        assert run["failed"] == 0


def test_it_is_compared_and_linked_as_cancelled(path: Path) -> None:
    """It is like one that was cancelled before it was sent."""
    late = record(path, [span("step", status="failed", result=TOLD)])
    early = record(path, [span("step", status="cancelled")])
    with Store(path) as store:
        (row,) = compare(store.list_spans(late), store.list_spans(early))
        assert row.marks == ()
        (row_json,) = get_comparison(store, late, early)["spans"]
        assert row_json["left"]["status"] == "cancelled"
        (other,) = get_span(store, store.list_spans(early)[0].id)["elsewhere"]
        assert other["status"] == "cancelled"


def test_what_is_read_in_again_stays_as_it_was_sent(path: Path) -> None:
    """JSON lines have what is stored; other programs' formats have what is shown."""
    run_id = record(path, [span("step", status="failed", result=TOLD)])
    with Store(path) as store:
        text = {name: "".join(export_runs(store, [run_id], name)) for name in FORMATS}
    head, line = map(json.loads, text["jsonl"].splitlines())
    assert (line["status"], line["result_payload"]) == ("failed", TOLD)
    assert (head["span_counts"]["failed"], head["span_counts"]["cancelled"]) == (1, 0)
    (otlp,) = json.loads(text["otlp"])["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert otlp["status"] == {"code": 0}
    assert json.loads(text["chrome"])["traceEvents"][-1]["cat"] == "cancelled"


def test_the_command_line_shows_it(path: Path, tmp_path: Path) -> None:
    """In the tree, as JSON, in the list, while it is followed, and in the test made of it."""
    record(path, [span("step", status="failed", payload={"a": 1}, result=TOLD)], agent="agent")
    with Store(path) as store:
        (run,) = store.list_instances()

    def printed(*words: str) -> str:
        return command(*words, folder=tmp_path).stdout

    assert "step {a: 1}  cancelled" in printed("show", run.id).replace('"', "")
    assert [one["status"] for one in json.loads(printed("show", run.id, "--json"))["spans"]] == [
        "cancelled"
    ]
    assert "no run in " in printed("ls", "--failed")
    assert '"status": "cancelled"' in printed("tail", "--json")
    made = ("export-test", run.id, "--call", "agent:answer()")
    assert "step -> cancelled" in printed(*made)
    assert "step -> failed" in printed(*made, "--stub", "step")
