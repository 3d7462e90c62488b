"""A service that is away, refuses, or ends the run; a database that cannot be used."""

import asyncio
import socket
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from prefactor_trace import Tracer
from prefactor_trace.server import Api, Server, Store

TOKEN = "a-token-of-the-tests"


def lines(caplog):
    """Return what the library logged, without its level of detail."""
    return [r.getMessage() for r in caplog.records if r.name == "prefactor_trace"]


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_refused_token_is_one_line_and_loses_nothing(http, store, caplog):
    """A wrong token: one line without the token, flush false at once, all is kept."""
    tracer = http(api_token="a-wrong-token")
    for _ in range(3):
        with tracer.instance(), tracer.span("step"):
            pass
        assert not tracer.flush()
    assert tracer.stats().pending == 3
    assert tracer.stats().requests == 1
    assert len(lines(caplog)) == 1
    assert "token" in lines(caplog)[0]
    assert "a-wrong-token" not in caplog.text
    assert store.list_instances() == []


def test_service_that_comes_up_gets_what_was_recorded(store, caplog):
    """While nobody listens there is one line and all is kept; later all of it arrives."""
    port = free_port()
    tracer = Tracer(
        api_url=f"http://127.0.0.1:{port}",
        api_token=TOKEN,
        agent_id="e2e",
        retry_first_delay=0.01,
        retry_max_delay=0.05,
    )
    with tracer.instance() as run, tracer.span("step"):
        pass
    assert not tracer.flush(0.3)
    assert not tracer.flush(0.3)
    assert tracer.stats().pending == 1
    assert len(lines(caplog)) == 1
    assert str(port) in lines(caplog)[0]
    with Server(Api(store, token=TOKEN), port=port):
        assert tracer.flush(20)
        assert [span.status for span in store.list_spans(run.id)] == ["complete"]
        tracer.shutdown(5)


def test_flush_inside_an_event_loop_returns(make_tracer):
    """A flush from a coroutine does not wait for the loop that it holds up."""

    async def agent():
        tracer = make_tracer()
        async with tracer.instance(), tracer.span("step"):
            await asyncio.sleep(0)
        return tracer.flush()

    assert asyncio.run(agent())


def test_record_after_shutdown_still_arrives(make_tracer, store):
    """What is recorded after a shutdown starts thread and connections again."""
    tracer = make_tracer()
    before = set(threading.enumerate())
    ids = []
    for _ in range(3):
        with tracer.instance() as run, tracer.span("step"):
            pass
        ids.append(run.id)
        assert tracer.shutdown()
        started = set(threading.enumerate()) - before
        assert not [t for t in started if t.name.startswith("prefactor-trace")]
    assert [len(store.list_spans(run_id)) for run_id in ids] == [1, 1, 1]


def test_records_and_shutdowns_at_once_lose_nothing(make_tracer, store):
    """A record that races with a shutdown arrives without another record after it."""
    tracer = make_tracer()

    def work(_):
        with tracer.instance() as run, tracer.span("step"):
            pass
        tracer.shutdown()
        return run.id

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(work, range(100)))
    assert tracer.flush()
    assert tracer.stats().delivered == 100
    assert all(len(store.list_spans(run_id)) == 1 for run_id in ids)


def test_end_of_the_run_by_the_platform_reaches_the_agent(make_tracer, store):
    """A terminated run's next answer sets `terminated` and the reason; open spans still end."""
    tracer = make_tracer()
    with tracer.instance() as run:
        with tracer.span("before"):
            tracer.flush()
            store.terminate(run.id, "too expensive")
        tracer.flush()
        assert run.terminated
        assert run.termination_reason == "too expensive"
    assert tracer.flush()
    assert store.get_instance(run.id).status == "terminated"
    assert [span.status for span in store.list_spans(run.id)] == ["complete"]


def remove(path):
    """Take away whatever stands where the database should be."""
    if path.parent.is_file():
        path = path.parent
    path.rmdir() if path.is_dir() else path.unlink()


@pytest.fixture
def unusable(tmp_path, request):
    """A database that cannot be used."""
    path = tmp_path / "bad.db"
    if request.param == "other program's":
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE theirs (a)")
        db.close()
    elif request.param == "no database":
        path.write_bytes(b"This is a letter.\n" * 100)
    elif request.param == "folder":
        path.mkdir()
    else:
        (tmp_path / "file").write_text("x")
        path = tmp_path / "file" / "x.db"
    return path


@pytest.mark.parametrize(
    "unusable", ["other program's", "no database", "folder", "below a file"], indirect=True
)
def test_unusable_database_is_one_line(unusable, caplog):
    """The agent goes on, one line names the database, and what it holds is left as it was."""
    before = unusable.read_bytes() if unusable.is_file() else None
    tracer = Tracer(local=True, local_db=str(unusable), agent_id="e2e")
    with tracer.instance(), tracer.span("step"):
        pass
    assert not tracer.flush(0.2)
    assert tracer.stats().pending == 1
    assert len(lines(caplog)) == 1
    assert str(unusable.name) in lines(caplog)[0]
    assert before is None or unusable.read_bytes() == before
    remove(unusable)
    assert tracer.shutdown()


def test_read_only_database_is_one_line(tmp_path, caplog, monkeypatch):
    """A database that may be read only costs one line and nothing of what is recorded."""
    path = tmp_path / "ours.db"
    Store(path).close()
    connect = sqlite3.connect

    def connect_read_only(database, *args, **options):
        return connect(f"file:{path}?mode=ro", *args, **{**options, "uri": True})

    monkeypatch.setattr(sqlite3, "connect", connect_read_only)  # root may write to any file
    tracer = Tracer(local=True, local_db=str(path), agent_id="e2e")
    with tracer.instance(), tracer.span("step"):
        pass
    assert not tracer.flush(0.2)
    assert tracer.stats().pending == 1
    assert len(lines(caplog)) == 1, lines(caplog)
    monkeypatch.undo()
    assert tracer.flush()
    assert tracer.shutdown()


def test_one_connection_carries_all_requests(http, server, monkeypatch):
    """Requests one after another share a connection."""
    accepted = []
    process = server._listener.process_request
    monkeypatch.setattr(
        server._listener,
        "process_request",
        lambda request, address: accepted.append(address) or process(request, address),
    )
    tracer = http()
    with tracer.instance():
        for _ in range(5):
            with tracer.span("step"):
                pass
            assert tracer.flush()
    assert tracer.flush()
    assert tracer.stats().requests >= 5
    assert len(accepted) == 1
