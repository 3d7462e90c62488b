"""Where a span belongs that begins outside of its tracer's runs."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from prefactor_trace._stray import find_node
from prefactor_trace._untraced import Untraced


def in_thread(function):
    """Return what a function returns in a thread that knows no run."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def test_the_main_thread_is_never_lost(tracer, caplog):
    """Outside of any run there, a span is outside of any run."""
    t = tracer()
    with t.instance():
        assert find_node(t, None, "step") is None
    assert not caplog.records


def test_a_thread_finds_the_only_run_that_is_open(tracer):
    """Those that have ended do not count."""
    t = tracer()
    with t.instance() as ended:
        pass
    with t.instance() as run:
        assert in_thread(lambda: find_node(t, None, "step")) is run
    assert ended.status == "complete"
    assert in_thread(lambda: find_node(t, None, "step")) is None


def test_the_nearest_node_of_the_same_tracer_counts(tracer):
    """Nodes of others are stepped over, and spans that have ended."""
    t, other = tracer(), tracer()
    with t.instance() as run, t.span("ours") as ours, other.instance(), other.span("x") as theirs:
        assert find_node(t, theirs, "step") is ours
        ours.complete()
        assert find_node(t, theirs, "step") is run


def test_untraced_code_is_not_lost(tracer):
    """What nothing is recorded in is not looked behind."""
    t = tracer()
    with t.instance(), Untraced() as block:
        assert find_node(t, block, "step") is block
        assert in_thread(lambda: find_node(t, block, "step")) is block


def test_a_thread_in_another_tracers_run_is_not_lost(tracer, caplog):
    """It knows where it is: in no run of this tracer."""
    t, other = tracer(), tracer()
    with t.instance():

        def work():
            with other.instance() as theirs:
                return find_node(t, theirs, "step")

        assert in_thread(work) is None
    assert not [record for record in caplog.records if "propagate" in record.getMessage()]


@pytest.mark.parametrize(
    ("runs", "place"), [(1, "the top of the only open run"), (2, "the ambient instance")]
)
def test_the_log_says_where_the_span_was_put(tracer, caplog, runs, place):
    """Once for each name and place."""
    t = tracer()
    open_runs = [t.instance().__enter__() for _ in range(runs)]
    for _ in range(2):
        found = in_thread(lambda: find_node(t, None, "step"))
        assert found is (open_runs[0] if runs == 1 else None)
    for run in reversed(open_runs):
        run.__exit__(None, None, None)
    (line,) = [text for text in caplog.messages if "does not know its run" in text]
    assert "'step'" in line
    assert place in line


def test_the_log_names_the_line_of_the_users_code(tracer, caplog):
    """Of the block; of the function, where the thread calls it with nothing in between."""
    t = tracer()

    def block():
        with t.span("block"):
            pass

    @t.span("function")
    def function():
        pass

    @t.span("task")
    async def task():
        pass

    async def gather():
        await asyncio.gather(task())

    @t.span("stream")
    def stream():
        yield

    with t.instance(), ThreadPoolExecutor(1) as pool:
        pool.submit(block).result()
        pool.submit(function).result()
        pool.submit(asyncio.run, gather()).result()
        pool.submit(list, stream()).result()
    lines = [text for text in caplog.messages if "does not know its run" in text]
    at = [one.__code__.co_firstlineno for one in (block, function, task, stream)]
    said = [line.partition("span ")[2].partition(" in a thread")[0] for line in lines]
    assert said == [
        f"'block' began at {__file__}:{at[0] + 1}",
        f"'function' (of the function at {__file__}:{at[1]}) began",
        f"'task' (of the function at {__file__}:{at[2]}) began",
        f"'stream' (of the function at {__file__}:{at[3]}) began",
    ]
