"""Forks: parent and child deliver what each recorded, once, in one tree."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from prefactor_trace._notes import SCHEMA_NAME_KEY
from prefactor_trace._pipeline.orphans import find_orphans
from prefactor_trace.server import Api, Server, Store

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

PROGRAM = """
import multiprocessing, os, sys
import prefactor_trace as prefactor
from prefactor_trace._default import default

def work():
    for number in range(5):
        with prefactor.span("child", {"number": number}):
            pass

def record(run):
    with prefactor.span("outer"):
        for number in range(3):
            with prefactor.span("parent", {"number": number}):
                pass
        run()

def forked():
    pid = os.fork()
    if pid == 0:
        work()
        arrived = prefactor.flush(20)
        prefactor.current_span().set_result("it is not for the child to say")
        os._exit(0 if arrived and not default._get_pipeline().buffer._bytes else 1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0

def forked_and_ended():
    pid = os.fork()
    if pid == 0:
        work()
        sys.exit(0)
    os.waitpid(pid, 0)

def pooled():
    process = multiprocessing.get_context(sys.argv[2]).Process(target=work)
    process.start()
    process.join()
    assert process.exitcode == 0

if __name__ == "__main__":
    if "flushed" in sys.argv:
        with prefactor.instance("before"), prefactor.span("before"):
            pass
        prefactor.flush()  # the connection is open and the thread is running
    with prefactor.instance("forker"):
        record(globals()[sys.argv[1]])
    assert prefactor.flush(20), prefactor.flush()
"""


def tree_of(tmp_path: Path, *words: str) -> list[tuple[str, str, str]]:
    """Run the program; return name, parent's name and status of the spans in the forker's run."""
    (tmp_path / "program.py").write_text(PROGRAM)
    database = tmp_path / "local.db"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFACTOR_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "program.py", *words],
        cwd=tmp_path,
        env=kept | {"PREFACTOR_LOCAL": "1", "PREFACTOR_LOCAL_DB": str(database)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), json.dumps([done.stdout, done.stderr])
    with Store(database) as store:
        runs = {run.agent_id: run for run in store.list_instances()}
        assert {run.status for run in runs.values()} == {"complete"}
        spans = [span for run in runs.values() for span in store.list_spans(run.id)]
    spans = [span for span in spans if span.schema_name != "before"]
    # Whoever registers the run first declares what it knows; what it does not know is named inside.
    names = {span.id: span.payload.get(SCHEMA_NAME_KEY, span.schema_name) for span in spans}
    return sorted(
        (names[span.id], names.get(span.parent_span_id or "", "-"), span.status) for span in spans
    )


EXPECTED = sorted(
    [("outer", "-", "complete")]
    + [("parent", "outer", "complete")] * 3
    + [("child", "outer", "complete")] * 5
)


@pytest.mark.parametrize("flushed", [[], ["flushed"]], ids=["new", "used"])
@pytest.mark.parametrize("how", ["forked", "forked_and_ended"])
def test_fork(tmp_path: Path, how: str, flushed: list[str]) -> None:
    """A child that flushes before `os._exit`, or ends normally, loses and doubles nothing."""
    assert tree_of(tmp_path, how, *flushed) == EXPECTED


@pytest.mark.parametrize("flushed", [[], ["flushed"]], ids=["new", "used"])
def test_multiprocessing_fork(tmp_path: Path, flushed: list[str]) -> None:
    """A child of `multiprocessing`, which runs no exit functions, delivers all the same."""
    assert tree_of(tmp_path, "pooled", "fork", *flushed) == EXPECTED


@pytest.mark.parametrize("how", ["spawn", "forkserver"])
def test_multiprocessing_without_fork(tmp_path: Path, how: str) -> None:
    """A child that starts afresh knows of no run: its spans are in one of their own."""
    alone = [(name, "-" if name == "child" else parent, end) for name, parent, end in EXPECTED]
    assert tree_of(tmp_path, "pooled", how) == sorted(alone)


APPLICATION = """
import prefactor_trace as prefactor

with prefactor.instance("preloaded"):
    for number in range(3):
        with prefactor.span("master", {"number": number}):
            pass

def application(environ, start_response):
    with prefactor.instance("request"):
        for number in range(5):
            with prefactor.span("worker", {"number": number}):
                pass
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]
"""


def test_preforked_workers(tmp_path: Path) -> None:
    """Workers of a server that loads the application before it forks deliver what they did."""
    pytest.importorskip("gunicorn")
    (tmp_path / "app.py").write_text(APPLICATION)
    database = tmp_path / "local.db"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFACTOR_")}
    command = ["gunicorn", "--preload", "--workers", "2", "--bind", "127.0.0.1:0", "app"]
    master = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=tmp_path,
        env=kept | {"PREFACTOR_LOCAL": "1", "PREFACTOR_LOCAL_DB": str(database)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert master.stderr is not None
    with master:
        try:
            line = next(line for line in master.stderr if "Listening at" in line)
            url = line.split("Listening at: ")[1].split(" ")[0]
            for _ in range(4):
                assert httpx.get(url, timeout=30).text == "done"
        finally:
            master.terminate()
            said = master.stderr.read()
            master.wait(30)
    assert "Traceback" not in said, said
    with Store(database) as store:
        names = Counter(
            span.schema_name for run in store.list_instances() for span in store.list_spans(run.id)
        )
        assert {run.status for run in store.list_instances()} == {"complete"}
    assert names == {"master": 3, "worker": 20}


@pytest.mark.parametrize("spooled", [False, True], ids=["memory", "spool"])
@pytest.mark.parametrize("how", [["forked"], ["pooled", "fork"]], ids=["os.fork", "pool"])
def test_fork_over_a_connection(tmp_path: Path, how: list[str], spooled: bool) -> None:
    """The child must not use the parent's connection, nor leave anything in the spool."""
    (tmp_path / "program.py").write_text(PROGRAM)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFACTOR_")}
    with Store(tmp_path / "served.db") as store, Server(Api(store, token="t")).start() as server:
        kept |= {"PREFACTOR_API_URL": server.url, "PREFACTOR_API_TOKEN": "t"}
        if spooled:
            kept["PREFACTOR_SPOOL_DIR"] = str(tmp_path / "spool")
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "program.py", *how, "flushed"],
            cwd=tmp_path,
            env=kept,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        names = Counter(
            span.payload.get(SCHEMA_NAME_KEY, span.schema_name)
            for run in store.list_instances()
            for span in store.list_spans(run.id)
        )
    assert names == {"before": 1, "outer": 1, "parent": 3, "child": 5}
    for orphan in find_orphans(tmp_path / "spool", None):  # of a child that ended by `os._exit`
        assert orphan.read() == []
        orphan.close()


IMPORTING = """
import importlib, importlib.abc, os, sys, threading, time
import prefactor_trace as prefactor

if sys.argv[2]:  # what the fork waits for in any case
    importlib.import_module(sys.argv[2])
begun = threading.Event()

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == sys.argv[1]:
            begun.set()
            time.sleep(0.5)  # the thread behind is in the midst of an import

sys.meta_path.insert(0, Slow())
prefactor.configure(flush_interval=0.01)
with prefactor.instance("agent"):
    assert begun.wait(20)
    pid = os.fork()
    if pid == 0:
        with prefactor.span("child"):
            pass
        os._exit(0 if prefactor.flush(20) else 1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
"""


@pytest.mark.parametrize(
    ("module", "before"),
    [
        ("prefactor_trace.models.agent_span", ""),
        ("prefactor_trace.server.store", ""),
        ("prefactor_trace._capture.redaction_shapes", "prefactor_trace.server"),
        ("prefactor_trace._identity", "prefactor_trace.server"),
    ],
)
def test_a_fork_in_the_midst_of_an_import(tmp_path, module, before):
    """The child delivers at once, and does not wait for what only the parent would finish."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, module, before],
        env={"PREFACTOR_LOCAL": "1", "PREFACTOR_LOCAL_DB": str(tmp_path / "local.db")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["httpx", "httpcore", "certifi", "encodings.idna"])
def test_a_fork_in_the_midst_of_an_import_for_a_request(tmp_path, module):
    """The child sends, too, though its parent's first request was only half begun."""
    with Store(tmp_path / "served.db") as store, Server(Api(store, token="t")).start() as server:
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", IMPORTING, module, ""],
            env={"PREFACTOR_API_URL": server.url, "PREFACTOR_API_TOKEN": "t"},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 0, done.stderr


WORKING_ON = """
import multiprocessing, sys
from concurrent.futures import ThreadPoolExecutor
import prefactor_trace as prefactor

def job(number):
    with prefactor.instance("job"):
        for step in range(10):
            with prefactor.span("step", {"number": number, "step": step}):
                pass

def work(go_on):
    executor = ThreadPoolExecutor(2)
    executor.submit(go_on.wait)
    for number in range(10):
        executor.submit(job, number)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    go_on = context.Event()
    process = context.Process(target=work, args=(go_on,))
    process.start()
    go_on.set()
    process.join()
    assert process.exitcode == 0
"""


@pytest.mark.parametrize("how", ["fork", "spawn", "forkserver"])
def test_threads_that_outlive_the_function_of_a_process(tmp_path: Path, how: str) -> None:
    """What they record after it has returned arrives, and nothing is called lost."""
    program = tmp_path / "program.py"
    program.write_text(WORKING_ON)
    done = subprocess.run(
        [sys.executable, str(program), how],
        env={"PREFACTOR_LOCAL": "1", "PREFACTOR_LOCAL_DB": str(tmp_path / "local.db")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    with Store(tmp_path / "local.db") as store:
        counts = [run.span_counts.total for run in store.list_instances()]
    assert counts == [10] * 10


HELD = """
import os, sys
import prefactor_trace as prefactor

with prefactor.instance("held"):
    with prefactor.span("before"):
        pass
    with prefactor.span("around"):
        pid = os.fork()
        if pid == 0:
            with prefactor.span("child"):
                pass
            with prefactor.instance("of the child"), prefactor.span("its own"):
                sys.exit(1)
        os.waitpid(pid, 0)
    if sys.argv[1] == "fails":
        sys.exit(1)
"""


@pytest.mark.parametrize("how", ["fails", "ends well"])
def test_a_run_that_is_kept_if_it_fails(tmp_path: Path, how: str) -> None:
    """Whether it is, and what is sent of it, is for the parent process alone to say."""
    path = tmp_path / "local.db"
    variables = {
        "PREFACTOR_LOCAL": "1",
        "PREFACTOR_LOCAL_DB": str(path),
        "PREFACTOR_SAMPLE_RATE": "0",
        "PREFACTOR_KEEP_FAILED": "1",
    }
    subprocess.run(
        [sys.executable, "-c", HELD, how],
        env={**os.environ, **variables},
        capture_output=True,
        timeout=100,
        check=False,
    )
    with Store(path) as store:
        runs = [
            sorted(span.payload.get(SCHEMA_NAME_KEY, span.schema_name) for span in spans)
            for spans in (store.list_spans(run.id) for run in store.list_instances())
        ]
    kept = [["around", "before", "unhandled_exception"]] if how == "fails" else []
    assert sorted(runs) == [*kept, ["its own"]]
