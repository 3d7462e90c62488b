"""Search in names, payloads and results."""

import sqlite3
from pathlib import Path

import pytest
from cli.records import record, span

import prefactor_trace as prefactor
from prefactor_trace.server import Store, _search
from prefactor_trace.server._prune import delete_runs, find_old


@pytest.fixture(params=["fts5", "without"])
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A place for a database, also where SQLite has no FTS5."""
    if request.param == "without":

        def refuse(store: Store) -> None:
            raise sqlite3.OperationalError("no such module: fts5")

        monkeypatch.setattr(_search, "_catch_up", refuse)
    return tmp_path / "a.db"


def test_runs_are_found_by_words(database: Path):
    """In names, payloads and results; the beginning of a word is enough."""
    one = record(database, [span("tool_call", payload={"city": "Oslo", "note": "Füße"})])
    other = record(database, [span("lookup", payload={"city": "Rome"})])
    with Store(database) as store:
        assert _search.find_runs(store, "oslo") == [one]
        assert _search.find_runs(store, "osl fuß") in ([one], [])
        assert _search.find_runs(store, "city") == [other, one]
        assert _search.find_runs(store, "lookup rome") == [other]
        assert _search.find_runs(store, "oslo rome") == []
        assert _search.find_runs(store, '" OR * (') == []
        assert _search.find_runs(store, "  ") == []


def test_runs_are_found_by_agent_and_id(database: Path):
    """What somebody has at hand: a name, or an id out of a log, of the run or of a step in it."""
    step = span("lookup")
    one = record(database, [step], agent="travel-agent")
    other = record(database, [span("lookup")], agent="billing-agent")
    with Store(database) as store:
        (stored,) = store.list_spans(one)
        assert _search.find_runs(store, "Travel") == [one]
        assert _search.find_runs(store, "agent") == [other, one]
        for known in (one, one[:-4], stored.id, f" {stored.id} "):
            assert _search.find_runs(store, known) == [one]
        assert _search.find_runs(store, one[:3]) == []


def test_spans_of_a_run_are_found_by_words(database: Path):
    """In the order of their start, none of other runs."""
    payloads = [{"city": "Oslo"}, {"city": "Rome"}, {"city": "Oslo", "n": 2}]
    spans = [span("step", payload=payload, at=at) for at, payload in enumerate(payloads)]
    record(database, [span("step", payload={"city": "Oslo"})])
    run = record(database, spans)
    with Store(database) as store:
        ids = [one.id for one in store.list_spans(run)]
        assert _search.find_spans(store, run, "oslo") == [ids[0], ids[2]]
        assert _search.find_spans(store, run, "step") == ids
        assert _search.find_spans(store, run, "paris") == []
        assert _search.find_spans(store, run, "") == []


def test_the_index_is_asked_once_for_a_run(tmp_path: Path):
    """Not for each of its spans, which takes seconds where there are thousands."""
    run = record(tmp_path / "a.db", [span("step")])
    with Store(tmp_path / "a.db") as store:
        assert len(_search.find_spans(store, run, "step")) == 1
        with store.reading() as db:
            plan = db.execute(f"EXPLAIN QUERY PLAN {_search._SPANS}", ("step", run, 10)).fetchall()
    assert any("LIST SUBQUERY" in row[-1] for row in plan), plan


def test_what_comes_later_is_found_too(database: Path):
    """New spans, and the results of those that were open."""
    tracer = prefactor.Tracer(local=True, local_db=str(database))
    with tracer.instance("agent") as run:
        open_one = tracer.start_span("stream", {"question": "why"})
        assert tracer.flush()
        with Store(database) as store:
            assert _search.find_runs(store, "why") == [run.id]
            assert _search.find_runs(store, "because") == []
            open_one.complete({"answer": "because"})
            assert tracer.flush()
            assert _search.find_runs(store, "because") == [run.id]
            assert _search.find_runs(store, "why") == [run.id]
    tracer.shutdown()


def test_what_is_deleted_is_not_found(database: Path):
    """Also when rows get the same numbers again."""
    record(database, [span("a", payload={"x": "gone"})])
    with Store(database) as store:
        assert len(_search.find_runs(store, "gone")) == 1
        with store.reading() as db:
            runs = find_old(db, "2999-01-01T00:00:00.000000Z")
        delete_runs(store, runs, lambda _: None)
        assert _search.find_runs(store, "gone") == []
        again = record(database, [span("a", payload={"x": "here"})])
        assert _search.find_runs(store, "here") == [again]


def test_a_deleting_that_was_interrupted_leaves_nothing_to_find(database: Path):
    """Neither the word of a run that is gone finds another, nor is a new run passed over."""
    kept = record(database, [span("a", payload={"x": "kept"})], finish=False)
    for word in ("early", "late"):
        record(database, [span("a", payload={"x": word}), span("b")])

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with Store(database) as store:
        assert len(_search.find_runs(store, "late")) == 1
        with store.reading() as db:
            runs = find_old(db, "2999-01-01T00:00:00.000000Z")
        with pytest.raises(KeyboardInterrupt):
            delete_runs(store, runs[::-1], interrupt)
        again = record(database, [span("a", payload={"x": "here"}), span("b")])
        assert _search.find_runs(store, "late") == []
        assert _search.find_runs(store, "here") == [again]
        assert _search.find_runs(store, "kept") == [kept]
        assert len(_search.find_runs(store, "early")) == 1


def test_who_searches_while_runs_are_deleted_finds_what_is_there(database: Path):
    """Then and afterwards."""
    for word in ("first", "second", "third"):
        record(database, [span("a", payload={"x": word})])
    with Store(database) as store:
        with store.reading() as db:
            runs = find_old(db, "2999-01-01T00:00:00.000000Z")
        left: list[int] = []
        delete_runs(store, runs[1:], lambda _: left.append(len(_search.find_runs(store, "a"))))
        assert left == [2, 1]
        again = record(database, [span("a", payload={"x": "second again"})])
        assert _search.find_runs(store, "second") == [again]
        assert _search.find_runs(store, "third") == []


def test_a_search_goes_on_when_its_table_goes(database: Path, monkeypatch: pytest.MonkeyPatch):
    """As somebody who deletes runs takes it away, the text is looked through."""
    run = record(database, [span("a", payload={"x": "here"})])
    monkeypatch.setattr(_search, "_catch_up", lambda _: None)
    with Store(database) as store:
        assert _search.find_runs(store, "here") == [run]
