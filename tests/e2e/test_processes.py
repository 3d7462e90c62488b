"""Runs across real processes: started with variables, or sent their work."""

import os
import subprocess
import sys

import pytest

import prefactor_trace as prefactor
from prefactor_trace.server import Store

CHILD = """
import subprocess, sys
import prefactor_trace as prefactor

with prefactor.attach_env() as attached:
    with prefactor.span("child", {"depth": sys.argv[1]}):
        if sys.argv[1] == "1":
            subprocess.run([sys.executable, __file__, "2"], env=prefactor.inject_env(), check=True)
"""

POOLS = """
import multiprocessing, sys
from concurrent import futures
import prefactor_trace as prefactor

@prefactor.span("work")
def work(number):
    return number * 2

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with prefactor.instance("pools"), prefactor.span("outer"):
        with futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            assert list(pool.map(prefactor.propagate(work), range(4))) == [0, 2, 4, 6]
        with context.Pool(2) as pool:
            assert pool.map(prefactor.propagate(work), range(4)) == [0, 2, 4, 6]
            pool.close()
            pool.join()
"""


def environment(database):
    """Return variables for a process that records into a database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFACTOR_")}
    return kept | {"PREFACTOR_LOCAL": "1", "PREFACTOR_LOCAL_DB": str(database)}


def tree(database):
    """Return the statuses of the runs, and each span's name with its parent's."""
    with Store(database) as store:
        runs = store.list_instances()
        spans = [span for run in runs for span in store.list_spans(run.id)]
    names = {span.id: span.payload.get("prefactor.schema_name", span.schema_name) for span in spans}
    pairs = [(names[span.id], names.get(span.parent_span_id)) for span in spans]
    return [run.status for run in runs], sorted(pairs, key=str)


def test_a_child_process_goes_on_in_the_run(tmp_path, monkeypatch):
    """And its own child too, each under the span that started it."""
    program, database = tmp_path / "child.py", tmp_path / "local.db"
    program.write_text(CHILD)
    for name, value in environment(database).items():
        monkeypatch.setenv(name, value)
    prefactor.configure(local=True, local_db=str(database))
    with prefactor.instance("parent"), prefactor.span("outer"):
        done = subprocess.run(
            [sys.executable, str(program), "1"],
            env=prefactor.inject_env(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert prefactor.flush(20)
    assert tree(database) == (
        ["complete"],
        [("child", "child"), ("child", "outer"), ("outer", None)],
    )


@pytest.mark.parametrize("how", ["spawn", "forkserver"])
def test_pools_of_processes_go_on_in_the_run(tmp_path, how):
    """Whatever pool it is: with `propagate` all of its work is under the caller's span."""
    (tmp_path / "pools.py").write_text(POOLS)
    done = subprocess.run(
        [sys.executable, "pools.py", how],
        cwd=tmp_path,
        env=environment(tmp_path / "local.db"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(tmp_path / "local.db") == (
        ["complete"],
        sorted([("outer", None)] + [("work", "outer")] * 8, key=str),
    )
