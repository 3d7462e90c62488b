"""`prune`: what it says, and that it only deletes what it was asked to."""

import json
import sqlite3
from pathlib import Path

import pytest

from prefactor_trace.server import Store

from .records import output, record, run, span


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with two runs that ended and one that did not."""
    path = tmp_path / "traces.db"
    record(path, [span(), span()])
    record(path, [span()], agent="other")
    record(path, [span()], agent="still", finish=False)
    return path


def agents(path: Path) -> list[str]:
    """Return the agents of the runs that are left."""
    with Store(path) as store:
        return sorted(one.agent_name for one in store.list_instances())


def test_old_runs_are_deleted(database: Path) -> None:
    """The runs and spans are counted; a run that goes on stays."""
    text = output("prune", "--older-than", "1d", "--db", database)
    assert text.startswith("2 runs with 3 spans deleted, ")
    assert text.endswith(" given back\n")
    assert agents(database) == ["still"]


def test_a_dry_run_changes_nothing(database: Path) -> None:
    """`--dry-run` names what would go, and leaves the file as it is."""
    before = database.read_bytes()
    text = output(
        "prune", "--older-than", "1d", "--agent", "other", "--dry-run", "--db", str(database)
    )
    first, *ids = text.splitlines()
    assert first == "1 run with 1 span would be deleted"
    assert len(ids) == 1
    assert database.read_bytes() == before


def test_open_runs_only_when_asked_for(database: Path) -> None:
    """An open run that was heard of just now is not old; one of long ago is, with `--open`."""
    output("prune", "--older-than", "1h", "--open", "--db", database)
    assert agents(database) == ["still"]
    output("prune", "--older-than", "0s", "--db", database)
    assert agents(database) == ["still"]
    output("prune", "--older-than", "0s", "--open", "--db", database)
    assert agents(database) == []


def test_json(database: Path) -> None:
    """With `--json` the deleted ids and the bytes are there."""
    found = json.loads(output("prune", "--older-than", "1d", "--json", "--db", database))
    assert len(found["instances"]) == 2
    assert (found["spans"], found["dry_run"]) == (3, False)
    assert found["bytes"] >= 0


def test_space_that_cannot_be_given_back_is_told(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is no room for the copy, the runs are gone all the same, and that is said."""

    def full(path: Path) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("prefactor_trace.cli.prune.give_space_back", full)
    assert run("prune", "--older-than", "1d", "--db", database)[0] == 1
    told = capsys.readouterr().err
    assert "2 runs with 3 spans are deleted" in told
    assert "disk is full" in told
    assert agents(database) == ["still"]


def test_an_age_has_to_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an age nothing is deleted."""
    assert run("prune")[0] == 2
    assert "--older-than" in capsys.readouterr().err
