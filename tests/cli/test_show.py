"""`show`: one run, or one span of it, and how either is found."""

import json
from pathlib import Path

import pytest

import prefactor_trace as prefactor
from prefactor_trace.server import Store

from .records import new_id, record, run, span


def test_show_prints_the_tree(database: Path) -> None:
    """`show` has a line for the run, then one for each span."""
    inner = span("inner", at=1, status="failed", result={"error_type": "E", "message": "no"})
    outer = span("outer", id=new_id())
    instance = record(database, [outer, inner.model_copy(update={"parent_span_id": outer.id})])
    _, text = run("show", instance.upper(), "--db", str(database))
    first, second, third = text.splitlines()
    assert first == f"docs-agent 1.2.3  complete  2.00 s  2 spans, 1 failed  {instance}"
    assert second.startswith("└─ outer")
    assert third.startswith("   └─ inner  FAILED E: no")


def test_show_takes_the_newest_run(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no id is given, and some run is there."""
    Store(database).close()
    assert run("show", "--db", str(database)) == (1, "")
    assert capsys.readouterr().err == f"prefactor-trace: no runs in {database}\n"
    record(database)
    newest = record(database)
    code, text = run("show", "--db", str(database))
    assert (code, text.split()[-1]) == (0, newest)


def test_a_span_is_shown_whole_between_what_is_above_and_below_it(database: Path) -> None:
    """Named by the beginning of its id, as a log record has it; its siblings are left out."""
    top = span("top", id=new_id())
    wanted = span(
        "wanted", id=new_id(), parent=top.id, at=1, payload={"prompt": "one\ntwo"}, result={"n": 3}
    )
    below = span("below", id=new_id(), parent=wanted.id, at=2)
    deeper = span("deeper", parent=below.id, at=3)
    sibling = span("sibling", parent=top.id, at=4)
    instance = record(database, [top, wanted, below, deeper, sibling])
    code, text = run("show", wanted.id[:-2], "--db", str(database))
    assert code == 0
    assert text.splitlines()[0].endswith(instance)
    assert text.splitlines()[1:] == [
        "└─ top  100 ms",
        "   └─ wanted  100 ms",
        f"        id: {wanted.id}",
        "        started: 2026-01-02T03:04:06.000000Z",
        "        finished: 2026-01-02T03:04:06.100000Z",
        "        payload:",
        "          prompt:",
        "            one",
        "            two",
        '        result: {"n": 3}',
        "      └─ below  100 ms",
    ]
    shown = json.loads(run("show", wanted.id, "--json", "--db", str(database))[1])
    assert [one["id"] for one in shown["spans"]] == [wanted.id]
    assert shown["instance"]["id"] == instance


def test_what_was_judged_of_a_run_stands_below_it(database: Path) -> None:
    """Each quality record on a line."""
    tracer = prefactor.Tracer(local=True, local_db=database, agent_id="judged")
    with tracer.instance() as judged:
        judged.record_quality("helpful", {"score": 4})
    assert tracer.shutdown(20)
    _, text = run("show", "--db", str(database))
    assert text.splitlines()[1:] == ['  quality helpful {"score": 4}']


def test_every_span_is_shown_whole(database: Path) -> None:
    """With `--full`, each below its own line."""
    inner = span("inner", id=new_id(), status="failed", result={"stacktrace": "Traceback\nE: no"})
    outer = span("outer", id=new_id(), payload={"k": 5})
    record(database, [outer, inner.model_copy(update={"parent_span_id": outer.id})])
    _, text = run("show", "--full", "--db", str(database))
    lines = [line.strip("│└├─ ") for line in text.splitlines()[1:]]
    assert lines[0] == "outer  100 ms"
    assert lines[1] == f"id: {outer.id}"
    assert lines[4] == 'payload: {"k": 5}'
    assert lines[5].startswith("inner  FAILED")
    assert lines[-3:] == ["error:", "Traceback", "E: no"]


def test_the_beginning_of_several_spans_names_them(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says which they are; a beginning that a run has, too, means the run."""
    ids = ["0" + letter * 31 for letter in "ab"]
    instance = record(database, [span("a", id=ids[0]), span("b", id=ids[0][:-1] + "c")])
    assert run("show", ids[0][:6], "--db", str(database)) == (1, "")
    assert capsys.readouterr().err.startswith(
        f"prefactor-trace: '{ids[0][:6]}' is the beginning of several spans: {ids[0]}, "
    )
    assert run("show", instance[:2], "--db", str(database))[1].splitlines()[0].endswith(instance)


def test_spans_that_name_each_other_as_parents(database: Path) -> None:
    """A circle, as no agent of ours makes it, is walked once."""
    one, other = new_id(), new_id()
    record(database, [span("one", id=one)])
    with Store(database) as store, store.writing() as transaction:
        transaction.db.execute("UPDATE agent_spans SET parent_span_id = id")
    assert "one (parent missing)" in run("show", one, "--db", str(database))[1]
    assert run("show", other, "--db", str(database))[0] == 1
