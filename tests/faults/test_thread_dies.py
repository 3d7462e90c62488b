"""The background thread: what happens when it dies, or cannot start any more."""

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from prefactor_trace import Tracer
from prefactor_trace.server import Store

from .checks import check_all, names, record
from .fault_server import FaultServer

LATE = """
import atexit, sys

def last():
    with prefactor.span("in an exit function"):
        pass

if sys.argv[1] == "exit function":
    atexit.register(last)  # before the library's own, so that it runs after it

import prefactor_trace as prefactor

class Late:
    def __del__(self):
        with prefactor.span("in a finaliser"):
            pass

if "finaliser" in sys.argv[1]:
    sys.modules["kept"] = Late()
if sys.argv[1] != "finaliser alone":
    with prefactor.instance("late"), prefactor.span("in time"):
        pass
"""


def kill(thread: threading.Thread) -> None:
    """End a thread as an exception from outside does."""
    assert thread.ident is not None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
    )


def background_thread(tracer: Tracer) -> threading.Thread:
    """Return the thread that delivers for a tracer."""
    pipeline = tracer._pipeline
    assert pipeline is not None
    assert pipeline._background.thread is not None
    return pipeline._background.thread


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_died_is_started_again(
    server: FaultServer, connect: Callable[..., Tracer]
) -> None:
    """What comes after the death of the thread arrives, and the restart is counted."""
    tracer = connect()
    record(tracer, 3, run="before")
    assert tracer.flush(30)
    thread = background_thread(tracer)
    kill(thread)
    tracer.start_span("wakes it").complete()  # an exception is only raised in a running thread
    thread.join(30)
    assert not thread.is_alive()
    record(tracer, 3, run="after")
    assert tracer.flush(30)
    tracer.shutdown(30)
    assert tracer.stats().restarts == 1
    assert [name for name in names_with_payload(server) if name.startswith("after/")] == [
        "after/0",
        "after/1",
        "after/2",
    ]


def names_with_payload(server: FaultServer) -> list[str]:
    """Return the names in the payloads of the spans that have one."""
    return sorted(span.payload["name"] for span in server.spans() if "name" in span.payload)


@pytest.mark.parametrize("where", ["exit function", "finaliser", "finaliser alone"])
def test_records_at_the_very_end_do_no_harm(tmp_path: Path, where: str) -> None:
    """A span begun when the interpreter is nearly gone prints nothing and raises nothing."""
    (tmp_path / "late.py").write_text(LATE)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFACTOR_")}
    done = subprocess.run(
        [sys.executable, "late.py", where],
        cwd=tmp_path,
        env=kept | {"PREFACTOR_LOCAL": "1", "PREFACTOR_LOCAL_DB": str(tmp_path / "local.db")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    if where == "finaliser alone":
        return
    with Store(tmp_path / "local.db") as store:
        held = {
            span.schema_name for run in store.list_instances() for span in store.list_spans(run.id)
        }
    assert held == {"in time"}, "too late is too late"


def test_a_stalled_disk_holds_nobody_up(
    server: FaultServer,
    connect: Callable[..., Tracer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the spool's disk hangs, the agent records on; when it is back, everything arrives."""
    goes_on, hangs = threading.Event(), threading.Event()
    write = os.write

    def stalled(descriptor: int, data: bytes) -> int:
        hangs.set()
        assert goes_on.wait(60)
        return write(descriptor, data)

    tracer = connect(spool_dir=str(tmp_path / "spool"))
    monkeypatch.setattr(os, "write", stalled)
    record(tracer, 1, run="first")
    assert hangs.wait(30)
    record(tracer, 1_000, run="second")  # would hang here
    assert not tracer.flush(0.05)
    assert tracer.stats().pending == 1_003
    goes_on.set()
    assert tracer.flush(60)
    monkeypatch.undo()
    assert len(names(server)) == 1_003
    tracer.shutdown(30)
    check_all(server, tracer)
