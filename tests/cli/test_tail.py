"""Spans as they begin and end, in every process."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

import prefactor_trace as prefactor
from prefactor_trace.cli.tail import Watch
from prefactor_trace.cli.terminal import columns_of
from prefactor_trace.server import Api, Store

from .records import new_id, output, record, span


def test_the_newest_are_printed(tmp_path: Path):
    """As many as are wanted, in their order; failed ones say why."""
    path = tmp_path / "a.db"
    error = {"error_type": "ValueError", "message": "no\nno"}
    spans = [span(f"s{number}") for number in range(5)]
    cut = {"prefactor.truncated": True, "size": 90_000, "head": "no luck", "tail": "!"}
    long = span("long", status="failed", result={**error, "message": cut})
    record(path, [*spans, long, span("bad", status="failed", result=error)])
    first, long_one, second = output("tail", "-n", "3", "--db", path).splitlines()
    assert long_one.endswith("ValueError: no luck…!")
    assert "s4" in first
    assert second.endswith(r"failed     bad  100 ms  ValueError: no\nno")
    last = output("tail", "--json", "--db", path).splitlines()[-1]
    assert json.loads(last)["schema_name"] == "bad"


def test_wide_characters_have_their_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A line is cut to the screen by what its characters take there."""
    monkeypatch.setenv("COLUMNS", "80")
    path = tmp_path / "a.db"
    record(path, [span("探す", payload={"query": "日本語" * 30})], agent="エージェント")
    assert columns_of(output("tail", "--db", path).rstrip("\n")) in (79, 80)


def test_where_there_is_nothing_that_is_said(tmp_path: Path):
    """To people, and not while it waits for what is to come."""
    path = tmp_path / "a.db"
    Store(path).close()
    assert output("tail", "--db", path) == f"no spans in {path}\n"
    assert output("tail", "--json", "--db", path) == ""


def test_an_open_span_of_a_silent_run_says_so(tmp_path: Path):
    """Beside one that is only open, and one that has ended."""
    path = tmp_path / "a.db"
    spans = [span("ended"), span("open", took=None, status="active")]
    record(path, spans, finish=False, ago=timedelta(minutes=5))
    record(path, [span("at work", took=None, status="active")], finish=False)
    silent = ["silent for 5 min" in line for line in output("tail", "--db", path).splitlines()]
    assert silent == [False, True, False]


def test_a_pending_span_is_told_of_once_and_when_it_ends(tmp_path: Path):
    """Whether it was there before the watch began or came later."""
    path = tmp_path / "a.db"
    ids = [new_id(), new_id()]
    record(path, [span("before", id=ids[0], took=None, status="pending")], finish=False)
    with Store(path) as store:
        watch = Watch(store, 0)
        record(path, [span("later", id=ids[1], took=None, status="pending")], finish=False)
        told = [[(one.schema_name, one.status) for one in watch.news()] for _ in range(3)]
        assert told == [[("later", "pending")], [], []]
        for one in ids:
            path_of_call = f"/api/v1/agent_spans/{one}/finish"
            answer = Api(store).handle("POST", path_of_call, body=b'{"status": "cancelled"}')
            assert answer.status == 200, answer
        told = [[(one.schema_name, one.status) for one in watch.news()] for _ in range(2)]
        assert told == [[("before", "cancelled"), ("later", "cancelled")], []]


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise on Windows")
def test_what_comes_is_followed_until_ctrl_c(tmp_path: Path):
    """From before the first run on; a span is told of when it begins and when it ends."""
    path = tmp_path / "a.db"
    words = ["-m", "prefactor_trace.cli", "tail", "-f", "--json", "--db", str(path)]
    following = subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        tracer = prefactor.Tracer(local=True, local_db=str(path), flush_interval=0.05)
        with tracer.instance("agent"):
            slow = tracer.start_span("slow")
            assert tracer.flush()
            told = [json.loads(following.stdout.readline())]  # type: ignore[union-attr]
            slow.complete()
            with tracer.span("quick"):
                pass
            assert tracer.flush()
            told += [json.loads(following.stdout.readline()) for _ in range(2)]  # type: ignore[union-attr]
        tracer.shutdown()
        found = {(one["schema_name"], one["status"]) for one in told}
        assert found == {("slow", "active"), ("slow", "complete"), ("quick", "complete")}
        following.send_signal(signal.SIGINT)
        assert following.wait(20) == 130
    finally:
        following.kill()
        following.communicate()
