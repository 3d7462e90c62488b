"""Old runs are deleted with all that is theirs, and the file gets smaller."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cli.records import record, span

from prefactor_trace.server import Store
from prefactor_trace.server._prune import delete_runs, find_old, give_space_back, size_of

BEFORE_ALL = "2000-01-01T00:00:00.000000Z"
AFTER_ALL = "2999-01-01T00:00:00.000000Z"
TABLES = ("agent_instances", "agent_spans", "idempotency_keys", "agent_schema_versions")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A place for a database."""
    return tmp_path / "traces.db"


def old(path: Path, before: str = AFTER_ALL, **wanted: Any) -> list[str]:
    """Return the ids of old runs."""
    with Store(path) as store, store.reading() as db:
        return [run.id for run in find_old(db, before, **wanted)]


def prune(path: Path, **wanted: Any) -> None:
    """Delete runs and give the space back."""
    with Store(path) as store:
        with store.reading() as db:
            runs = find_old(db, AFTER_ALL, **wanted)
        delete_runs(store, runs, lambda _: None)
    give_space_back(path)


def rows(path: Path, *tables: str) -> list[int]:
    """Return how many rows there are in tables."""
    connection = sqlite3.connect(path)
    counts = [
        connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in tables or TABLES
    ]
    connection.close()
    return counts


def change(path: Path, statement: str, *values: str) -> None:
    """Change what is stored."""
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def test_only_runs_that_ended_before_are_old(database: Path) -> None:
    """The end of a run counts; one that has not ended is not old, however it began."""
    first = record(database, [span()])
    second = record(database, [span()], agent="other")
    record(database, [span()], finish=False)
    assert old(database) == [first, second]
    assert old(database, BEFORE_ALL) == []
    assert old(database, agent="other") == [second]
    change(database, "UPDATE agent_instances SET finished_at = ? WHERE id = ?", AFTER_ALL, first)
    assert old(database) == [second]


def test_open_runs_are_old_when_nothing_was_heard_of_them(database: Path) -> None:
    """With `open` a run counts that has not ended, unless one of its spans is newer."""
    silent = record(database, [span()], finish=False)
    living = record(database, [span(), span()], finish=False)
    change(
        database,
        "UPDATE agent_spans SET updated_at = ? WHERE number = "
        "(SELECT max(number) FROM agent_spans WHERE agent_instance_id = ?)",
        AFTER_ALL,
        living,
    )
    assert old(database, open=True) == [silent]
    assert old(database, open=True, agent="none") == []


def test_all_that_belongs_to_a_run_goes_with_it(database: Path) -> None:
    """Spans, stored answers and versions go; those of other runs stay."""
    record(database, [span("a"), span("b")], agent="gone")
    kept_only = record(database, [span("c")], agent="kept", finish=False)
    before = rows(database)
    prune(database)
    assert before == [2, 3, 8, 2]
    assert rows(database) == [1, 1, 3, 1]
    with Store(database) as store:
        assert [one.id for one in store.list_instances()] == [kept_only]
        assert len(store.list_spans(kept_only)) == 1


def test_agents_names_cannot_keep_answers(database: Path) -> None:
    """An agent whose name looks like a stored answer is deleted as any other."""
    with Store(database) as store:
        kept = record(database, finish=False)
        record(database, [span()], agent=f'x","agent_instance_id":"{kept}')
        assert store.account_id
    prune(database)
    assert rows(database, "agent_instances", "idempotency_keys") == [1, 2]


def test_the_same_types_can_be_registered_again(database: Path) -> None:
    """An agent whose every run was deleted goes on as before, also in a store that is open."""
    with Store(database) as store:
        record(database, [span("a")])
        prune(database)
        again = record(database, [span("a")])
        assert [one.id for one in store.list_instances()] == [again]


def test_the_space_is_given_back(database: Path) -> None:
    """After deleting, the file is about as small as one that never held the runs."""
    record(database, [span(payload={"text": "x" * 10_000}) for _ in range(100)])
    kept = record(database, [span()], finish=False)
    before = size_of(database)
    prune(database)
    assert size_of(database) < before / 5
    with Store(database) as store:
        assert len(store.list_spans(kept)) == 1


def test_readers_and_open_stores_do_not_notice(database: Path) -> None:
    """A store that is open in between, as that of `serve`, reads and writes on."""
    record(database, [span(payload={"text": "x" * 10_000}) for _ in range(20)])
    with Store(database) as store:
        assert len(store.list_instances()) == 1
        prune(database)
        assert store.list_instances() == []
        again = record(database, [span()])
        assert [one.id for one in store.list_instances()] == [again]


def test_an_interrupted_prune_is_finished_by_the_next(database: Path) -> None:
    """What was left when the first was ended goes with the second, answers and space too."""
    record(database, [span(payload={"text": "x" * 10_000}) for _ in range(20)])
    record(database, [span()])

    class Enough(Exception):
        pass

    def stop(done: int) -> None:
        raise Enough

    with Store(database) as store:
        with store.reading() as db:
            runs = find_old(db, AFTER_ALL)
        with pytest.raises(Enough):
            delete_runs(store, runs, stop)
    assert rows(database)[:2] == [1, 1]
    prune(database)
    assert rows(database)[:3] == [0, 0, 0]


def test_nothing_free_is_nothing_to_do(database: Path) -> None:
    """A database without a hole is left as it is."""
    record(database, [span()])
    give_space_back(database)
    before = database.stat().st_size
    give_space_back(database)
    assert database.stat().st_size == before
