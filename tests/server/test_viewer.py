"""The viewer's API: what the page reads, and who may."""

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cli.records import new_id, record, span

from prefactor_trace._notes import LATE_PAYLOAD, SCHEMA_NAME_KEY
from prefactor_trace.server import Store
from prefactor_trace.server._viewer import Viewer

from .calls import call

LOCAL = {"Host": "127.0.0.1:4590"}


@pytest.fixture
def store(tmp_path: Path):
    """A store with two runs."""
    path = tmp_path / "a.db"
    with Store(path) as store:
        record(path, [span("tool_call", payload={"city": "Oslo"}), span("llm_call")], agent="one")
        record(path, [span("tool_call", payload={"city": "Rome"}), span("fail")], agent="two")
        yield store


def get(viewer: Viewer, path: str, query: str = "", **headers: str) -> Any:
    """Return the JSON of an answer."""
    answer = viewer.handle("GET", f"/ui/api/{path}", query, {**LOCAL, **headers}, b"")
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def test_runs_are_listed_and_narrowed(store: Store):
    """By status, agent, purpose, time and words; page by page."""
    viewer = Viewer(store)
    runs = get(viewer, "runs")["runs"]
    assert [run["agent"] for run in runs] == ["two", "one"]
    assert get(viewer, "runs")["agents"] == ["one", "two"]
    for query, names in {
        "agent=one": ["one"],
        "status=complete": ["two", "one"],
        "status=failed": [],
        "purpose=eval": [],
        "search=oslo": ["one"],
        "since=2999-01-01T00:00:00Z": [],
        "since=2000-01-01T00:00:00%2B01:00": ["two", "one"],
        f"before={runs[0]['number']}": ["one"],
    }.items():
        assert [run["agent"] for run in get(viewer, "runs", query)["runs"]] == names, query


def test_a_run_that_is_not_over_says_when_it_was_last_heard_of(tmp_path: Path):
    """In the list and by itself; the newest span counts, and what ended last."""
    path = tmp_path / "a.db"
    ids = [
        record(path, [span()], finish=finish, ago=timedelta(hours=2)) for finish in (True, False)
    ]
    with Store(path) as store:
        for run, expected in zip(ids, (None, 2.0), strict=True):
            heard = get(Viewer(store), f"runs/{run}")["run"]["heard_at"]
            assert (heard and hours_since(heard)) == expected
        step = {"schema_name": "step", "payload": {}, "status": "active"}
        call(store, "/agent_spans", {"details": {"agent_instance_id": ids[1], **step}})
        listed = {run["id"]: run["heard_at"] for run in get(Viewer(store), "runs")["runs"]}
        assert hours_since(listed[ids[1]]) == 0
        assert listed[ids[0]] is None


def hours_since(moment: str) -> float:
    """Return how long ago a moment was, in whole hours."""
    since = datetime.now(timezone.utc) - datetime.fromisoformat(moment)
    return since // timedelta(hours=1)


def test_an_error_says_what_there_is_of_its_message(tmp_path: Path):
    """Also where that was too long to be recorded whole."""
    cut = {"prefactor.truncated": True, "size": 90_000, "head": "no luck", "tail": "!"}
    results = [{"error_type": "E", "message": text} for text in ("no", cut, None)]
    results.append({**results[0], "stacktrace": "in a very deep call\n" * 2_000})
    with Store(tmp_path / "a.db") as store:
        spans = [span("tool_call", status="failed", result=result) for result in results]
        run = record(tmp_path / "a.db", spans)
        shown = get(Viewer(store), f"runs/{run}")["spans"]
    assert [one["error"] for one in shown] == ["E: no", "E: no luck…!", "E", "E: no"]


def test_a_run_has_its_spans_and_later_its_news(store: Store):
    """Without their payloads; `since` leaves out what was there before."""
    viewer = Viewer(store)
    (run,) = (one for one in get(viewer, "runs")["runs"] if one["agent"] == "one")
    found = get(viewer, f"runs/{run['id']}")
    assert [one["name"] for one in found["spans"]] == ["tool_call", "llm_call"]
    assert found["spans"][0]["hint"] == "city: Oslo"
    searched = get(viewer, f"runs/{run['id']}/search", "search=oslo")
    assert searched == [found["spans"][0]["id"]]
    assert get(viewer, f"runs/{run['id']}", "since=2999")["spans"] == []
    statistics = get(viewer, f"runs/{run['id']}/statistics")
    assert {one["schema_name"]: sum(one["histogram"]) for one in statistics} == {
        "tool_call": 1,
        "llm_call": 1,
    }
    whole = get(viewer, f"spans/{found['spans'][0]['id']}")
    assert whole["payload"] == {"city": "Oslo"}
    assert [one["status"] for one in whole["elsewhere"]] == ["complete"]


def test_runs_are_told_apart_by_what_they_began_with(tmp_path: Path):
    """And those that failed by the error that left them."""
    path = tmp_path / "a.db"
    error = {"error_type": "E", "message": "no"}
    with Store(path) as store:
        top = span("plan", id=new_id(), payload={"question": "why"}, status="failed", result=error)
        inner = span("step", parent=top.id, at=0.1, status="failed", result={"error_type": "F"})
        record(path, [top, inner], status="failed")
        record(path, [span("plan", payload={"question": "how"})])
        record(path)
        told = [(run["about"], run["error"]) for run in get(Viewer(store), "runs")["runs"]]
    assert told == [(None, None), ("question: how", None), ("question: why", "E: no")]


def test_a_span_is_shown_as_the_agent_gave_it(tmp_path: Path):
    """Without what the library notes of it: its own name, and a payload that came at its end."""
    path = tmp_path / "a.db"
    result = {"usage": {"input_tokens": 3, "output_tokens": 4}, LATE_PAYLOAD: {"city": "Rome"}}
    spans = [
        span("undeclared", payload={SCHEMA_NAME_KEY: "search", "city": "Oslo"}),
        span("search", at=1, payload={"city": "Paris"}, result=result),
    ]
    with Store(path) as store:
        others = record(path, [span("search", payload={"city": "Oslo"})])
        run = record(path, spans)
        first, second = (get(Viewer(store), f"spans/{one.id}") for one in store.list_spans(run))
        (other,) = store.list_spans(others)
    assert (first["name"], first["payload"]) == ("search", {"city": "Oslo"})
    assert (first["title"], first["description"]) == (None, None)
    assert [one["id"] for one in first["elsewhere"]] == [other.id]
    assert (second["payload"], second["result"]) == ({"city": "Rome"}, {"usage": result["usage"]})
    assert second["tokens"] == {"input": 3, "output": 4, "total": 7}


def test_two_runs_are_compared(store: Store):
    """As the terminal's `diff` does."""
    viewer = Viewer(store)
    other, one = (run["id"] for run in get(viewer, "runs")["runs"])
    found = get(viewer, "compare", f"a={one}&b={other}")
    marks = {row["schema_name"]: row["marks"] for row in found["spans"]}
    assert marks["llm_call"] == ["removed"]
    assert marks["fail"] == ["added"]
    assert "payload" in marks["tool_call"]


def test_a_run_is_exported(store: Store):
    """As a file, in each format."""
    viewer = Viewer(store)
    run = get(viewer, "runs")["runs"][0]["id"]
    for name, kind in {"jsonl": "x-ndjson", "otlp": "json", "chrome": "json"}.items():
        answer = viewer.handle("GET", f"/ui/api/runs/{run}/export", f"format={name}", LOCAL, b"")
        assert kind in answer.headers["content-type"]
        assert f'filename="{run}.' in answer.headers["content-disposition"]
        assert answer.body


def test_an_open_run_is_terminated(tmp_path: Path):
    """Once, with a reason."""
    path = tmp_path / "a.db"
    run = record(path, [span()], finish=False)
    with Store(path) as store:
        viewer = Viewer(store)

        def post(content: Any) -> int:
            body = json.dumps(content).encode()
            return viewer.handle("POST", f"/ui/api/runs/{run}/terminate", "", LOCAL, body).status

        assert post({"reason": 7}) == 422
        assert post({"reason": "too dear"}) == 200
        assert post({"reason": "again"}) == 409
        assert store.get_instance(run).termination_reason == "too dear"


@pytest.mark.parametrize(
    ("method", "path", "query", "status"),
    [
        ("GET", "/ui/api/runs/nothing", "", 404),
        ("GET", "/ui/api/spans/nothing", "", 404),
        ("GET", "/ui/api/compare", "a=x&b=y", 404),
        ("GET", "/ui/api/nothing", "", 404),
        ("GET", "/ui/api/runs", "before=x", 422),
        ("GET", "/ui/api/runs", "since=x", 422),
        ("GET", "/ui/missing.js", "", 404),
        ("POST", "/ui/api/runs/x/terminate", "", 404),
        ("POST", "/ui/api/nothing", "", 404),
        ("DELETE", "/ui/api/runs", "", 405),
    ],
)
def test_what_is_not_there_is_refused_in_words(store: Store, method, path, query, status):
    """As JSON, with the headers of every answer."""
    answer = Viewer(store).handle(method, path, query, LOCAL, b"")
    assert answer.status == status
    assert json.loads(answer.body)["message"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_page_is_served_with_a_strict_policy(store: Store):
    """At each of its addresses; a browser that has a file is told so."""
    viewer = Viewer(store)
    for path in ("/", "/agent_instances/abc", "/compare/a/b"):
        assert viewer.takes(path)
        answer = viewer.handle("GET", path, "", LOCAL, b"")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert b"<script>" not in answer.body
        assert b"style=" not in answer.body
    first = viewer.handle("GET", "/ui/app.js", "", LOCAL, b"")
    assert "javascript" in first.headers["content-type"]
    again = viewer.handle(
        "GET", "/ui/app.js", "", {**LOCAL, "If-None-Match": first.headers["etag"]}, b""
    )
    assert (again.status, again.body) == (304, b"")
    assert not viewer.takes("/api/v1/bulk")
    assert not viewer.takes("/agent_instances/../secret")


def test_another_site_may_not_ask(store: Store):
    """Whatever name leads here."""
    viewer = Viewer(store)
    headers = {**LOCAL, "Origin": "http://evil.example"}
    assert viewer.handle("GET", "/ui/api/runs", "", headers, b"").status == 403
    headers["Origin"] = "http://127.0.0.1:4590"
    assert viewer.handle("GET", "/ui/api/runs", "", headers, b"").status == 200


def test_with_a_token_only_who_knows_it_looks(store: Store):
    """The page itself has nothing to hide; its cookie is not the token."""
    viewer = Viewer(store, "s3cret")
    assert viewer.handle("GET", "/", "", LOCAL, b"").status == 200
    assert viewer.handle("GET", "/ui/api/runs", "", LOCAL, b"").status == 401
    login = "/ui/api/login"
    assert viewer.handle("POST", login, "", LOCAL, b'{"token":"wrong"}').status == 401
    answer = viewer.handle("POST", login, "", LOCAL, b'{"token":"s3cret"}')
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict"} <= set(attributes)
    assert "s3cret" not in cookie
    assert len(get(viewer, "runs", Cookie=cookie)["runs"]) == 2
    bad = {**LOCAL, "Cookie": "prefactor_token=x"}
    assert viewer.handle("GET", "/ui/api/runs", "", bad, b"").status == 401


def test_a_program_sends_the_token_as_it_does_to_the_api(store: Store):
    """As a bearer token; what the browser's cookie holds is none."""
    viewer = Viewer(store, "s3cret")
    answer = viewer.handle("POST", "/ui/api/login", "", LOCAL, b'{"token":"s3cret"}')
    cookie = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    for authorization, status in {
        "Bearer s3cret": 200,
        "bearer  s3cret": 200,
        "s3cret": 401,
        "Basic s3cret": 401,
        "Bearer ": 401,
        f"Bearer {cookie}": 401,
        "Bearer sécret\udcff": 401,
    }.items():
        headers = {**LOCAL, "Authorization": authorization}
        found = viewer.handle("GET", "/ui/api/runs", "", headers, b"").status
        assert found == status, authorization
        assert Viewer(store).handle("GET", "/ui/api/runs", "", headers, b"").status == 200


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("runs?before=" + "9" * 5000, {}, 422),
        ("runs?before=-1", {}, 422),
        ("runs?before=%D9%A3", {}, 422),  # a digit of another script
        (f"runs?before={2**62}", {}, 200),
        ("runs?search=" + "9" * 5000, {}, 200),
        ("runs?since=0001-01-01T00:00:00%2B23:59", {}, 422),
        ("runs?agent=%00%FF", {}, 200),
        ("runs/\xff", {}, 404),
        ("runs", {"Origin": "http://["}, 403),
        ("runs", {"Cookie": "\xff; ="}, 200),
    ],
)
def test_whatever_is_sent_is_answered(
    store: Store, caplog: pytest.LogCaptureFixture, path: str, headers: dict[str, str], status: int
):
    """Numbers without end, bytes that are no text, addresses that are none."""
    path, _, query = path.partition("?")
    answer = Viewer(store).handle("GET", f"/ui/api/{path}", query, {**LOCAL, **headers}, b"")
    assert answer.status == status
    assert json.loads(answer.body)
    assert not caplog.records


def test_a_name_too_long_for_the_disk_is_not_there(store: Store):
    """As any other that no file has."""
    assert Viewer(store).handle("GET", f"/ui/{'a' * 5000}.js", "", LOCAL, b"").status == 404


def test_a_fault_of_the_viewer_is_an_answer(store: Store, monkeypatch, caplog):
    """It is logged with where it happened, once a minute."""
    viewer = Viewer(store)
    monkeypatch.setattr(store, "reading", lambda: 1 / 0)
    for _ in range(3):
        answer = viewer.handle("GET", "/ui/api/runs", "", LOCAL, b"")
        assert answer.status == 500
        assert "log" in json.loads(answer.body)["message"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "ZeroDivisionError" in caplog.text
    assert "/ui/api/runs" in caplog.text


def test_a_database_that_cannot_be_read_is_unavailable(store: Store, caplog):
    """It is logged once a minute, also when a page asks every second."""
    viewer = Viewer(store)
    store.close()
    statuses = [viewer.handle("GET", "/ui/api/runs", "", LOCAL, b"").status for _ in range(3)]
    assert statuses == [503, 503, 503]
    assert len(caplog.records) == 1
