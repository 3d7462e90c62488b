"""SIGTERM and SIGHUP: what had been recorded arrives, and the process ends as it would have."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from prefactor_trace.server import Store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM cannot be caught there")

PROGRAM = """
import os, signal, sys
import prefactor_trace as prefactor

def user_handler(number, frame):
    print("the user's handler ran", flush=True)
    sys.exit(7)

def graceful_handler(number, frame):
    print("told", flush=True)

when, action = sys.argv[1], sys.argv[2]
handler = {
    "exits": user_handler, "goes on": graceful_handler, "ignores": signal.SIG_IGN, "none": None
}[action]
if when == "before" and handler is not None:
    signal.signal(signal.SIGTERM, handler)
prefactor.configure(local=True, handle_signals=True)
if when == "after" and handler is not None:
    ours = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *told: (ours(*told), handler(*told)))
with prefactor.instance("told to end"):
    for number in range(10):
        with prefactor.span("done", {"number": number}):
            pass
    with prefactor.span("open"):
        os.kill(os.getpid(), getattr(signal, sys.argv[3] if sys.argv[3:] else "SIGTERM"))
        print("went on", flush=True)
"""


def bare_environment() -> dict[str, str]:
    """Return the environment without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PREFACTOR_")}


def run_program(
    tmp_path: Path, text: str, *words: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run a program that records into a database in `tmp_path`."""
    (tmp_path / "program.py").write_text(text)
    return subprocess.run(
        [sys.executable, "program.py", *words],
        cwd=tmp_path,
        env=bare_environment() | {"PREFACTOR_LOCAL_DB": str(tmp_path / "local.db")} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run(tmp_path: Path, *words: str) -> tuple[int, str, dict[str, list[str]], str]:
    """Run the program; return its exit code and output, its spans' statuses and the run's."""
    done = run_program(tmp_path, PROGRAM, *words)
    assert done.stderr == ""
    statuses: dict[str, list[str]] = {}
    with Store(tmp_path / "local.db") as store:
        (instance,) = store.list_instances()
        for span in store.list_spans(instance.id):
            statuses.setdefault(span.schema_name, []).append(span.status)
    return done.returncode, done.stdout, statuses, instance.status


def test_without_another_handler(tmp_path: Path) -> None:
    """The process ends by the signal; what was open has failed."""
    code, output, statuses, run_status = run(tmp_path, "before", "none")
    assert (code, output) == (-signal.SIGTERM, "")
    assert statuses == {"done": ["complete"] * 10, "open": ["failed"]}
    assert run_status == "failed"


def test_when_its_terminal_is_closed(tmp_path: Path) -> None:
    """The process ends by that signal, with all delivered."""
    code, output, statuses, run_status = run(tmp_path, "before", "none", "SIGHUP")
    assert (code, output) == (-signal.SIGHUP, "")
    assert statuses == {"done": ["complete"] * 10, "open": ["failed"]}
    assert run_status == "failed"


@pytest.mark.parametrize("when", ["before", "after"])
def test_with_a_handler_of_the_program(tmp_path: Path, when: str) -> None:
    """A handler that was set before ours runs, and so does a later one that calls ours."""
    code, output, statuses, _ = run(tmp_path, when, "exits")
    assert (code, output) == (7, "the user's handler ran\n")
    assert statuses["done"] == ["complete"] * 10
    assert len(statuses["open"]) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_with_a_handler_that_lets_the_program_go_on(tmp_path: Path, when: str) -> None:
    """What is open at the signal ends as the program ends it, and not before."""
    code, output, statuses, run_status = run(tmp_path, when, "goes on")
    assert (code, output) == (0, "told\nwent on\n")
    assert statuses == {"done": ["complete"] * 10, "open": ["complete"]}
    assert run_status == "complete"


def test_where_the_signal_was_ignored(tmp_path: Path) -> None:
    """A program that ignores the signal goes on, and so does all that is open."""
    code, output, statuses, run_status = run(tmp_path, "before", "ignores")
    assert (code, output) == (0, "went on\n")
    assert statuses == {"done": ["complete"] * 10, "open": ["complete"]}
    assert run_status == "complete"


GRACEFUL = """
import os, signal, sys, threading
import prefactor_trace as prefactor

signal.signal(signal.SIGTERM, lambda *told: None)
prefactor.configure(local=True, handle_signals=True, flush_interval=3600)
with prefactor.instance("server"):
    with prefactor.span("before"):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    sys.stdout.write("told")
    sys.stdout.flush()
    sys.stdin.read(1)
    with prefactor.span("after"):
        pass
sys.stdin.read()
os._exit(0)  # no exit function runs, as where a server ends itself by the signal
"""


def test_what_comes_after_the_signal_arrives_at_once(tmp_path: Path) -> None:
    """What was recorded before is there when the program goes on, the rest without the interval."""
    (tmp_path / "program.py").write_text(GRACEFUL)
    database = tmp_path / "local.db"
    with (
        subprocess.Popen(
            [sys.executable, "program.py"],
            cwd=tmp_path,
            env=bare_environment() | {"PREFACTOR_LOCAL_DB": str(database)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process,
        contextlib.ExitStack() as stack,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        stack.callback(process.stdin.close)
        assert process.stdout.read(4) == b"told"
        store = stack.enter_context(Store(database))
        (instance,) = store.list_instances()
        assert instance.status == "active"
        assert [span.status for span in store.list_spans(instance.id)] == ["complete"]
        process.stdin.write(b".")
        process.stdin.flush()
        until = time.monotonic() + 60
        while store.list_instances()[0].status != "complete":
            assert time.monotonic() < until
            time.sleep(0.01)
        assert [span.status for span in store.list_spans(instance.id)] == ["complete"] * 2
    assert process.returncode == 0


FORKED = """
import os, signal, sys
import prefactor_trace as prefactor

prefactor.configure(local=True, handle_signals=True)
child = os.fork()
if child == 0:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # as servers do that fork their workers
    with prefactor.instance("worker"), prefactor.span("open"):
        os.kill(os.getpid(), signal.SIGTERM)
    os._exit(1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_in_a_forked_child_that_sets_handlers_anew(tmp_path: Path) -> None:
    """The first record sets ours again there."""
    done = run_program(tmp_path, FORKED)
    assert (done.stdout, done.stderr) == (f"{-signal.SIGTERM}\n", "")
    with Store(tmp_path / "local.db") as store:
        (instance,) = store.list_instances()
        assert instance.status == "failed"
        assert [span.status for span in store.list_spans(instance.id)] == ["failed"]


IN_THREAD = """
import signal, threading
import prefactor_trace as prefactor

def work():
    with prefactor.instance("request"):
        pass

signal.signal(signal.SIGTERM, lambda *told: None)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def test_first_used_in_a_thread(tmp_path: Path) -> None:
    """There no handler can be set, which is said once."""
    done = run_program(tmp_path, IN_THREAD, PREFACTOR_HANDLE_SIGNALS="1", PREFACTOR_LOCAL="1")
    (line,) = done.stderr.splitlines()
    assert "handle_signals has no effect" in line


def test_first_used_in_a_thread_after_the_handlers_were_replaced(tmp_path: Path) -> None:
    """Of that nothing is said: who replaced them may well set them again."""
    program = "import prefactor_trace\nprefactor_trace.configure()\n" + IN_THREAD.replace(
        "prefactor.instance", "prefactor.Tracer().instance"
    )
    done = run_program(tmp_path, program, PREFACTOR_HANDLE_SIGNALS="1", PREFACTOR_LOCAL="1")
    assert done.stderr == ""
