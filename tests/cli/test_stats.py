"""`stats`: a line for each type of span."""

import json
from pathlib import Path

import pytest

from prefactor_trace.cli.stats import _TITLES
from prefactor_trace.server import Store

from .records import output, record, span


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with two runs, and a screen of a known width."""
    monkeypatch.setenv("COLUMNS", "120")
    path = tmp_path / "traces.db"
    record(path, [span("tool", took=0.1), span("tool", status="failed")], agent="one")
    record(path, [span("model", result={"usage": {"input_tokens": 7}})], agent="two")
    return path


def test_a_line_for_each_type(database: Path) -> None:
    """Spans, failures, what is open, p50 and p95, and tokens where any type has some."""
    titles, tool, model = output("stats", "--db", database).splitlines()
    assert titles.split() == [*_TITLES]
    assert tool.split() == ["tool", "2", "1", "0", "100", "ms", "100", "ms"]
    assert model.split() == ["model", "1", "0", "0", "100", "ms", "100", "ms", "7", "7", "-"]


def test_one_run_or_one_agent(database: Path) -> None:
    """An id, an agent and an age choose runs; without tokens their columns are not there."""
    lines = output("stats", "--agent", "one", "--since", "1h", "--db", database).splitlines()
    assert [line.split()[0] for line in lines] == ["TYPE", "tool"]
    assert "TOKENS" not in lines[0]
    with Store(database) as store:
        (newest,) = store.list_instances(limit=1)
    assert output("stats", newest.id[:30], "--db", database).splitlines()[1].startswith("model")
    assert output("stats", "--agent", "no", "--db", database) == f"no such spans in {database}\n"


def test_nothing_to_count(tmp_path: Path) -> None:
    """Whether there is nothing at all, or only nothing of what was asked for."""
    path = tmp_path / "traces.db"
    Store(path).close()
    assert output("stats", "--db", path) == f"no spans in {path}\n"
    assert output("stats", "--since", "0s", "--db", path) == f"no such spans in {path}\n"


def test_json(database: Path) -> None:
    """With `--json` durations are seconds, and what is not known is null."""
    tool, model = json.loads(output("stats", "--json", "--db", database))
    assert (tool["schema_name"], tool["failed"], tool["p50"]) == ("tool", 1, 0.1)
    assert model["tokens"] == {"input": 7, "output": None, "total": 7}
    assert json.loads(output("stats", "--agent", "no", "--json", "--db", database)) == []
