"""`ls` and `show`: what is listed, and how a run is found."""

import dataclasses
import json
import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from prefactor_trace.cli.ending import CommandError
from prefactor_trace.cli.runs import find, shortest_unique, table
from prefactor_trace.cli.terminal import UNLIMITED, Screen
from prefactor_trace.server import Store

from .records import record, run, span


def test_ls_lists_newest_first(database: Path) -> None:
    """Each run is one line: agent, version, status, duration, spans, failures."""
    failed = span("tool", status="failed", result={"message": "no"})
    record(database, [span()], agent="older")
    record(database, [span(), failed], agent="newer", finish=False)
    code, text = run("ls", "--db", str(database))
    titles, newer, older = text.splitlines()
    assert code == 0
    assert titles.split()[:3] == ["ID", "AGENT", "VERSION"]
    assert newer.split()[1:4] == ["newer", "1.2.3", "active"]
    assert newer.split()[-3:] == ["open", "2", "1"]
    assert older.split()[1:4] == ["older", "1.2.3", "complete"]
    assert older.split()[-4:] == ["2.00", "s", "1", "0"]


def test_ls_shows_ids_that_show_accepts(database: Path) -> None:
    """The id in each line is long enough to find that run and no other."""
    ids = [record(database) for _ in range(5)]
    _, text = run("ls", "--db", str(database))
    for line in text.splitlines()[1:]:
        code, shown = run("show", line.split()[0], "--db", str(database))
        assert code == 0
        ids.remove(shown.split()[-1])
    assert not ids


def test_ls_limit_and_empty(database: Path) -> None:
    """`--limit` is the number of runs; a database without runs says so."""
    Store(database).close()
    assert run("ls", "--db", str(database)) == (0, f"no runs in {database}\n")
    for _ in range(3):
        record(database)
    assert len(run("ls", "--limit", "2", "--db", str(database))[1].splitlines()) == 3


@pytest.mark.parametrize(
    "words", [["--agent", "nope"], ["--status", "failed"], ["--failed"], ["--silent", "1h"]]
)
def test_ls_says_where_none_matches(database: Path, words: list[str]) -> None:
    """Which is not to say that there are none."""
    record(database)
    assert run("ls", *words, "--db", str(database)) == (0, f"no run in {database} matches\n")


def test_json_is_whole(database: Path) -> None:
    """With `--json` the run and its spans are there as stored, in plain JSON."""
    instance = record(database, [span("tool", payload={"city": "Århus"})], session="s1")
    (listed,) = json.loads(run("ls", "--json", "--db", str(database))[1])
    assert (listed["id"], listed["session"]) == (instance, "s1")
    assert listed["span_counts"]["total"] == 1
    shown = json.loads(run("show", instance, "--json", "--db", str(database))[1])
    assert shown["instance"] == listed
    assert [one["payload"] for one in shown["spans"]] == [{"city": "Århus"}]


def test_a_silent_run_is_told_from_one_at_work(database: Path) -> None:
    """Its status is what it was; since when nothing is heard is shown, and can be asked for."""
    hours = timedelta(hours=3, minutes=5)
    silent = record(database, [span(took=None, status="active")], finish=False, ago=hours)
    record(database, [span()], agent="at-work", finish=False)
    record(database, [span()], agent="over", ago=hours)
    _, listed = run("ls", "--db", str(database))
    over, at_work, gone = listed.splitlines()[1:]
    assert " active " in gone
    assert gone.split()[-5:] == ["silent", "3", "h", "1", "0"]
    assert at_work.split()[-3:] == ["open", "1", "0"]
    assert "silent" not in over
    for age, count in (("1h", 1), ("4h", 0)):
        found = json.loads(run("ls", "--silent", age, "--json", "--db", str(database))[1])
        assert [one["id"] for one in found] == [silent] * count
    _, shown = run("show", silent, "--db", str(database))
    assert shown.startswith("docs-agent 1.2.3  active  silent for 3 h  1 span  ")


def test_wrong_id_names_candidates(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An id that is unknown or not unique gives one line with ids that would do."""
    ids = [record(database) for _ in range(2)]
    for wrong in ("zzz", "0", "", "\udcff", "é"):
        code, text = run("show", wrong, "--db", str(database))
        told = capsys.readouterr().err
        assert (code, text) == (1, "")
        assert len(told.splitlines()) == 1
        assert all(known in told for known in ids)


@pytest.mark.parametrize("words", [["ls", "--limit", "9" * 30], ["show", "LATEST"]])
def test_runs_are_shown_while_others_write(database: Path, words: list[str]) -> None:
    """Reading neither waits for a writer nor leaves anything in the database."""
    latest = record(database)
    words = [latest if word == "LATEST" else word for word in words]
    writer = sqlite3.connect(database, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert run(*words, "--db", str(database))[0] == 0
    writer.close()


def test_unknown_id_where_nothing_is(database: Path) -> None:
    """Without any run, that is what is said."""
    with Store(database) as store, pytest.raises(CommandError, match="no runs yet"):
        find("0", store)


def test_shortest_unique() -> None:
    """As many characters as tell the ids apart, ten at least, never more than there are."""
    assert shortest_unique([]) == 10
    assert shortest_unique(["a" * 32]) == 10
    assert shortest_unique(["a" * 31 + "b", "a" * 31 + "c", "b" * 32]) == 32
    assert shortest_unique(["a" * 15 + "b" * 17, "a" * 16 + "b" * 16]) == 16
    assert shortest_unique(["a" * 32, "a" * 32]) == 32


def test_table_lines_up(database: Path) -> None:
    """Columns begin at the same place in each line, colour or not."""
    record(database, [span()], agent="a")
    record(database, [span()], agent="agent with a long name")
    with Store(database) as store:
        instances = store.list_instances()
    lines = list(table(instances, Screen()))
    assert {line.index("complete") for line in lines[1:]} == {lines[0].index("STATUS")}
    painted = list(table(instances, Screen(colour=True)))
    assert "\x1b[32mcomplete\x1b[0m" in painted[1]


def test_the_year_is_told_where_it_is_another_or_wanted_by_a_program(database: Path) -> None:
    """On a terminal the room is the agent's."""
    record(database)
    with Store(database) as store:
        (old,) = store.list_instances()
    now = datetime.now(timezone.utc)
    new = dataclasses.replace(old, started_at=now)
    old = dataclasses.replace(old, started_at=now - timedelta(days=400))
    for one, screen, form in (
        (new, Screen(width=80), "%m-%d %H:%M"),
        (old, Screen(width=80), "%Y-%m-%d %H:%M"),
        (new, Screen(width=UNLIMITED), "%Y-%m-%d %H:%M"),
    ):
        assert one.started_at is not None
        (_, line) = table([one], screen)
        assert f" complete  {one.started_at.astimezone():{form}} " in line


def test_table_keeps_to_a_narrow_screen(database: Path) -> None:
    """On 80 columns the names give way, the numbers stay."""
    record(database, [span()], agent="an agent with a rather long name")
    with Store(database) as store:
        instances = store.list_instances()
    lines = list(table(instances, Screen(width=80)))
    assert max(map(len, lines)) <= 80
    assert lines[0].endswith("FAILED")
    assert "  an a" in lines[1]
