"""What other processes record lands in the recording."""

import concurrent.futures
import multiprocessing
import os
import subprocess
import sys

import pytest

import prefactor_trace as prefactor
from prefactor_trace.testing import record

PROGRAM = """
import prefactor_trace as prefactor
with prefactor.attach_env(), prefactor.span("in_child", {"n": 1}):
    pass
"""


def test_a_child_process_is_recorded(trace):
    """Under the span that started it; faults reach it too."""
    trace.fail_delivery(503)
    with prefactor.instance("agent"), prefactor.span("parent"):
        environment = trace.subprocess_env()
        subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True)
    assert trace["in_child"].parent.schema_name == "parent"
    assert trace["in_child"].instance.agent_id == "agent"
    trace.assert_tree("parent\n  in_child {n: 1}")


@prefactor.span("in_pool")
def work(number):
    """Stand for a tool that computes."""
    return number


def use(environment):
    """Go by an environment, in a process that has another."""
    os.environ.update(environment)


def pool(method, **options):
    """Return a pool of processes that start in a certain way."""
    context = multiprocessing.get_context(method)
    return concurrent.futures.ProcessPoolExecutor(1, mp_context=context, **options)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_call_goes_from_one_run_into_a_worker_that_another_has_forked(trace):
    """With `propagate`; without it the worker is in the run in which it was forked."""
    with trace.child_processes(), pool("fork") as workers:
        with prefactor.instance("first"):
            workers.submit(work, 1).result()
        with prefactor.instance("second"):
            workers.submit(prefactor.propagate(work), 2).result()
            workers.submit(work, 3).result()
    where = {span.payload["number"]: span.instance.agent_id for span in trace.all("in_pool")}
    assert where == {1: "first", 2: "second", 3: "first"}


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_pool_of_processes_is_recorded(trace, method):
    """However its processes start; the environment is as it was."""
    before = dict(os.environ)
    with prefactor.instance("agent"), prefactor.span("parent"):
        if method == "forkserver":  # whose environment is older
            environment = trace.subprocess_env()
            options = {"initializer": use, "initargs": [environment]}
            with pool(method, **options) as workers:
                workers.submit(prefactor.propagate(work), 1).result()
        else:
            with trace.child_processes(), pool(method) as workers:
                workers.submit(prefactor.propagate(work), 1).result()
    assert dict(os.environ) == before
    trace.assert_tree("parent\n  in_pool {number: 1}")
    assert trace["in_pool"].instance.agent_id == "agent"
    assert trace.unsound() == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_fork_that_outlives_the_recording_disturbs_nobody():
    """What it records then is not wanted by anybody."""
    with record() as first, first.child_processes(), prefactor.instance("agent"):
        workers = pool("fork")
        workers.submit(prefactor.propagate(work), 1).result()
        late = prefactor.propagate(work)
    with record() as second:
        workers.submit(late, 2).result()
        workers.shutdown()
        assert second.spans == []
    assert [one.payload["number"] for one in first.spans] in ([], [1])
