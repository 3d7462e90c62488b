"""SIGTERM and SIGHUP: what had been recorded arrives, and the process ends as it would have."""

import os
import signal
import subprocess
import sys
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

when, action = sys.argv[1], sys.argv[2]
handler = {"exits": user_handler, "ignores": signal.SIG_IGN, "none": None}[action]
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


def run(tmp_path: Path, *words: str) -> tuple[int, str, dict[str, list[str]], str]:
    """Run the program; return its exit code and output, its spans' statuses and the run's."""
    (tmp_path / "program.py").write_text(PROGRAM)
    database = tmp_path / "local.db"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFACTOR_")}
    done = subprocess.run(
        [sys.executable, "program.py", *words],
        cwd=tmp_path,
        env=kept | {"PREFACTOR_LOCAL_DB": str(database)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    statuses: dict[str, list[str]] = {}
    with Store(database) as store:
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


def test_where_the_signal_was_ignored(tmp_path: Path) -> None:
    """A program that ignores the signal goes on, and what it records afterwards arrives."""
    code, output, statuses, _ = run(tmp_path, "before", "ignores")
    assert (code, output) == (0, "went on\n")
    assert len(statuses["open"]) == 1
