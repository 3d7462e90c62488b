"""Runs as files, and back."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import prefactor_trace as prefactor
from prefactor_trace.server import Store

from .records import command, environment, record, run, span


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with runs that ended in every way."""
    path = tmp_path / "a.db"
    tracer = prefactor.Tracer(local=True, local_db=str(path))
    tracer.declare_quality("good")
    for ending in ("complete", "failed", "cancelled"):
        with tracer.instance("agent", version="1") as run, tracer.span("outer", {"n": 1}):
            with tracer.span("inner") as inner:
                inner.set_result({"ü": [1, None, "\u2028"]})
            tracer.record_quality("good", {"score": 1})
            run.finish(ending)
    with tracer.instance("other") as run:
        tracer.start_span("open")
        assert tracer.flush()
        with Store(path) as store:
            store.terminate(run.id, "too dear")
    tracer.shutdown()
    return path


def content(path: Path) -> list[object]:
    """Return all that is told of the runs, without when they came into the database."""
    own = ("inserted_at", "updated_at", "account_id", "environment_id", "id_of_line")
    with Store(path) as store:
        runs = store.list_instances()[::-1]
        plain = [{k: v for k, v in vars(run).items() if k not in own} for run in runs]
        spans = [
            one.model_dump(exclude=set(own)) for run in runs for one in store.list_spans(run.id)
        ]
    return [plain, spans]


def test_runs_come_back_whole(database: Path, tmp_path: Path):
    """The same ids, times and ends; importing twice is harmless."""
    code, told = run("export", "--db", database, "-o", tmp_path / "runs.jsonl")
    assert (code, told.split()[0]) == (0, "4")
    other = tmp_path / "other.db"
    code, told = run("import", tmp_path / "runs.jsonl", "--db", other)
    assert told == "4 runs with 7 spans imported, 0 known already\n"
    assert content(other) == content(database)
    code, told = run("import", tmp_path / "runs.jsonl", "--db", other, "--json")
    assert json.loads(told) == {"runs": 0, "spans": 0, "known": 4}
    assert content(other) == content(database)
    assert run("import", tmp_path / "runs.jsonl", "--db", database)[1].startswith("0 runs")
    one = record(database, [span("only")])
    run("export", one, "--db", database, "-o", tmp_path / "one.jsonl")
    told = run("import", tmp_path / "one.jsonl", "--db", other)[1]
    assert told == "1 run with 1 span imported, 0 known already\n"


def test_an_import_that_was_cut_off_is_finished_by_the_next(database: Path, tmp_path: Path):
    """What is there already is not there twice."""
    lines = run("export", "--db", database)[1].split("\n")
    (tmp_path / "part.jsonl").write_text("\n".join([*lines[:2], "{broken"]), "utf-8")
    (tmp_path / "all.jsonl").write_text("\n".join(lines), "utf-8")
    other = tmp_path / "other.db"
    assert run("import", tmp_path / "part.jsonl", "--db", other)[0] == 1
    assert run("import", tmp_path / "all.jsonl", "--db", other)[0] == 0
    assert content(other) == content(database)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["{"], "line 1: no JSON"),
        (["[]"], "line 1: neither an instance nor a span"),
        (["", '{"type":"agent_span"}'], "line 2: a span stands below the line of its run"),
        (['{"type":"instance","id":"x"}'], "line 1: "),
    ],
)
def test_a_line_that_is_wrong_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[str], told: str
):
    """With the file."""
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines))
    assert run("import", path, "--db", tmp_path / "a.db")[0] == 1
    assert f"{path}: {told}" in capsys.readouterr().err


def test_other_formats_hold_runs_too(database: Path, tmp_path: Path):
    """The one that is named, or all of them, the oldest first."""
    newest = record(database, [span("a")], agent="newest")
    with Store(database) as store:
        ids = [one.id for one in store.list_instances()][::-1]
    named = json.loads(run("export", newest[:-2], "--db", database, "--format", "otlp")[1])
    assert exported_ids(named) == [newest]
    code, told = run("export", "--db", database, "--format", "otlp", "-o", tmp_path / "all.json")
    assert (code, told) == (0, f"5 runs written to {tmp_path / 'all.json'}\n")
    assert exported_ids(json.loads((tmp_path / "all.json").read_text("utf-8"))) == ids
    chrome = json.loads(run("export", "--db", database, "--format", "chrome")[1])
    labels = [one for one in chrome["traceEvents"] if one["name"] == "process_labels"]
    assert [one["args"]["labels"] for one in labels] == ids


def exported_ids(content: Any) -> list[str]:
    """Return the ids of the runs that a file in OTLP holds."""
    return [
        one["value"]["stringValue"]
        for resource in content["resourceSpans"]
        for one in resource["resource"]["attributes"]
        if one["key"] == "prefactor.instance_id"
    ]


def test_what_cannot_be_read_is_one_line(database: Path, tmp_path: Path):
    """A file that is missing, or no text; no database is made for it."""
    assert run("import", tmp_path / "missing", "--db", tmp_path / "new.db")[0] == 1
    (tmp_path / "bytes").write_bytes(b"\xff")
    assert run("import", tmp_path / "bytes", "--db", database)[0] == 1
    assert not (tmp_path / "new.db").exists()


def test_runs_go_through_pipes_as_utf_8(database: Path, tmp_path: Path):
    """Also where the machine's own encoding is another, which cannot hold what was recorded."""
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    done = command("export", "--db", str(database), folder=tmp_path, environ=ascii_only)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\N{LATIN SMALL LETTER U WITH DIAERESIS}" in done.stdout
    other = tmp_path / "other.db"
    words = ("import", "-", "--db", str(other))
    done = command(*words, folder=tmp_path, environ=ascii_only, input=done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert content(other) == content(database)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell closes the stream")
def test_an_import_without_a_standard_input_says_so(tmp_path: Path):
    """As a job may be started."""
    words = [sys.executable, "-m", "prefactor_trace.cli", "import", "-"]
    done = subprocess.run(
        ["sh", "-c", f"{shlex.join(words)} <&-"],
        capture_output=True,
        text=True,
        env=environment(tmp_path),
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "prefactor-trace: there is no standard input\n")
