"""Threads and executors that carry the context by themselves."""

import gc
import multiprocessing
import threading
import weakref
from concurrent import futures

import pytest
from shapes import picklable

from prefactor_trace import current_span
from prefactor_trace.integrations.concurrency import carry_context, stop_carrying


@pytest.fixture
def _carried():
    """Threads and executors as they are after `carry_context`, for one test."""
    carry_context()
    yield
    stop_carrying()


@pytest.mark.usefixtures("_carried")
def test_a_thread_is_in_the_span_that_started_it(tracer):
    """Of any class: one with a target, one with a `run` of its own, a timer."""
    t, seen = tracer(), []

    class Own(threading.Thread):
        def run(self):
            seen.append(current_span())

    with t.instance(), t.span("outer") as outer:
        threads = [
            threading.Thread(target=lambda: seen.append(current_span())),
            Own(),
            threading.Timer(0, lambda: seen.append(current_span())),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == [outer] * 3


@pytest.mark.usefixtures("_carried")
def test_what_is_submitted_is_in_the_span_that_submitted_it(tracer):
    """The threads of the executor are in none: they work for many."""
    t = tracer()
    with futures.ThreadPoolExecutor(1) as pool:
        with t.instance(), t.span("one") as one:
            assert pool.submit(current_span).result() is one
            assert list(pool.map(lambda _: current_span(), [0])) == [one]
        assert pool.submit(current_span).result() is None
        with t.instance(), t.span("two") as two:
            assert pool.submit(current_span).result() is two


@pytest.mark.usefixtures("_carried")
def test_a_process_attaches_to_the_run(default_tracer, monkeypatch, tmp_path):
    """Under the span that submitted the work."""
    t = default_tracer()
    monkeypatch.setenv("PREFACTOR_LOCAL_DB", str(tmp_path / "local.db"))
    monkeypatch.setenv("PREFACTOR_LOCAL", "1")
    context = multiprocessing.get_context("spawn")
    with futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        with t.instance() as run, t.span("outer") as outer:
            found = pool.submit(picklable.place).result(60)
        assert pool.submit(picklable.place).result(60) == (None, None)
    assert found == (run.id, outer.id)


@pytest.mark.usefixtures("_carried")
def test_a_thread_that_ended_is_let_go(tracer):
    """Without a search for what refers to itself."""
    gc.disable()
    try:
        with tracer().instance():
            thread = threading.Thread(target=int)
            thread.start()
            thread.join()
        gone = weakref.ref(thread)
        del thread
        assert gone() is None
    finally:
        gc.enable()


def test_all_is_put_back(tracer):
    """Asked twice it is done once, and undone at once; nothing is carried before and after."""
    before = threading.Thread.start, futures.Executor.submit, futures.ThreadPoolExecutor.submit
    carry_context()
    carry_context()
    assert futures.ThreadPoolExecutor.submit.__wrapped__ is before[2]
    stop_carrying()
    stop_carrying()
    after = threading.Thread.start, futures.Executor.submit, futures.ThreadPoolExecutor.submit
    assert after == before
    t = tracer()
    with t.instance(), futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(current_span).result() is None
