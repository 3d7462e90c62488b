"""What the spans of a type have in common."""

from array import array
from pathlib import Path

import pytest
from cli.records import record, span

from prefactor_trace._notes import SCHEMA_NAME_KEY
from prefactor_trace.server import Store
from prefactor_trace.server._statistics import TypeStatistics, read_statistics


@pytest.mark.parametrize(
    ("seconds", "share", "expected"),
    [
        ([], 0.5, None),
        ([3.0], 0.5, 3.0),
        ([3.0], 0.95, 3.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([float(at) for at in range(1, 101)], 0.95, 95.0),
        ([float(at) for at in range(1, 21)], 0.95, 19.0),
        ([1.0, 2.0], 0.0, 1.0),
        ([1.0, 2.0], 1.0, 2.0),
    ],
)
def test_a_percentile_is_one_of_the_values(
    seconds: list[float], share: float, expected: float | None
) -> None:
    """The nearest rank: the smallest value that so many do not exceed."""
    assert TypeStatistics("x", seconds=array("d", seconds)).percentile(share) == expected


def test_spans_are_counted_by_type(tmp_path: Path) -> None:
    """Spans, failures, what is open, durations and tokens, the most frequent type first."""
    path = tmp_path / "traces.db"
    record(
        path,
        [
            span("tool", took=0.3),
            span("tool", took=0.1),
            span("tool", took=0.2, status="failed"),
            span("model", result={"usage": {"input_tokens": 7, "output_tokens": 2}}),
            span("model", result={"tokens": 1}),
            span("open", status="active", took=None),
        ],
    )
    with Store(path) as store, store.reading() as db:
        tool, model, still = read_statistics(db)
    assert tool.as_json() == {
        "schema_name": "tool",
        "count": 3,
        "failed": 1,
        "cancelled": 0,
        "open": 0,
        "p50": 0.2,
        "p95": 0.3,
        "tokens": None,
    }
    assert model.as_json()["tokens"] == {"input": 7, "output": 2, "total": 10}
    assert (still.open, still.percentile(0.5)) == (1, None)


def test_undeclared_types_are_told_apart(tmp_path: Path) -> None:
    """A type that was declared too late is counted under its own name."""
    path = tmp_path / "traces.db"
    payloads = [{SCHEMA_NAME_KEY: "a"}, {SCHEMA_NAME_KEY: "b"}, {SCHEMA_NAME_KEY: 5}, {}]
    record(path, [span("late", payload=payload) for payload in payloads])
    with Store(path) as store, store.reading() as db:
        counts = {one.schema_name: one.count for one in read_statistics(db)}
    assert counts == {"late": 2, "a": 1, "b": 1}


def test_runs_can_be_chosen(tmp_path: Path) -> None:
    """One run, the runs of an agent, or those since a moment."""
    path = tmp_path / "traces.db"
    one = record(path, [span("x")], agent="first")
    record(path, [span("x"), span("y")], agent="second")
    with Store(path) as store, store.reading() as db:

        def names(**wanted: str) -> set[str]:
            return {found.schema_name for found in read_statistics(db, **wanted)}

        assert names(instance_id=one) == names(agent="first") == {"x"}
        assert names(agent="second", since="2000-01-01T00:00:00.000000Z") == {"x", "y"}
        assert names(since="2999-01-01T00:00:00.000000Z") == names(agent="third") == set()
        assert names(agent="second", instance_id=one) == set()


def test_progress_is_told(tmp_path: Path) -> None:
    """Whoever waits is told from the first span on."""
    path = tmp_path / "traces.db"
    record(path, [span()])
    told: list[int] = []
    with Store(path) as store, store.reading() as db:
        read_statistics(db, progress=told.append)
    assert told == [0]
