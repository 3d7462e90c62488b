"""Which span is the parent, however the context travels."""

import asyncio
import concurrent.futures
import contextlib
import contextvars
import functools
import gc
import json
import logging
import signal
import sys
import threading
import tracemalloc

import pytest

from prefactor_trace import ROOT, current_instance, current_span, propagate, untraced
from prefactor_trace.integrations.logging import SpanLogFilter
from tests.shapes.trees import parents


async def test_an_abandoned_generator_is_no_parent(tracer):
    """Neither while it is suspended in its block, nor after it was collected."""
    t = tracer()

    async def steps():
        with t.span("abandoned"):
            yield 1
            yield 2

    kept = []
    async with t.instance(), t.span("outer"):
        for keep in (kept.append, lambda _: None):
            generator = steps()
            async for _ in generator:
                break
            keep(generator)
            del generator
            with t.span("before"):
                pass
            gc.collect()
            await asyncio.sleep(0)
            with t.span("after"):
                pass
        await kept.pop().aclose()
        with t.span("after"):
            pass
    found = parents(t)
    assert found["before"] == ["outer"] * 2
    assert found["after"] == ["outer"] * 3
    assert len(found["abandoned"]) == 2


def test_a_stack_in_a_generator_is_its_block(tracer):
    """What is entered on a stack counts only while the generator runs, as without a stack."""
    t = tracer()

    def steps():
        with contextlib.ExitStack() as stack:
            stack.enter_context(t.span("on stack"))
            yield
            with t.span("within"):
                yield

    with t.instance():
        generator = steps()
        for _ in generator:
            with t.span("consumer"):
                pass
    assert parents(t) == {"on stack": [None], "consumer": [None] * 2, "within": ["on stack"]}


async def test_an_async_stack_in_an_async_generator_is_its_block(tracer):
    """By either way of entering."""
    t = tracer()

    async def steps():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(t.span("async"))
            stack.enter_context(t.span("sync"))
            yield
            with t.span("within"):
                yield

    with t.instance():
        async for _ in steps():
            with t.span("consumer"):
                pass
    assert parents(t) == {
        "async": [None],
        "sync": ["async"],
        "consumer": [None] * 2,
        "within": ["sync"],
    }


def test_a_block_in_a_generator_counts_while_it_runs(tracer):
    """Interleaved generators, their consumer in between, in any order of their ends."""
    t = tracer()

    def steps(name, times):
        with t.span(name):
            for _ in range(times):
                with t.span(f"in {name}"):
                    pass
                yield

    with t.instance(), t.span("outer"):
        one, two = steps("one", 3), steps("two", 2)
        for generator in (one, two, one, two, one):
            next(generator)
            with t.span("consumer"):
                pass
        for generator in (one, two):
            assert list(generator) == []
        with t.span("consumer"):
            pass
    assert current_span() is None
    assert parents(t) == {
        "outer": [None],
        "one": ["outer"],
        "two": ["outer"],
        "in one": ["one"] * 3,
        "in two": ["two"] * 2,
        "consumer": ["outer"] * 6,
    }


def test_a_context_manager_made_of_a_generator_is_a_block(tracer):
    """What its generator entered counts in the code of the block."""
    t = tracer()

    def within():
        with t.span("helper"):
            yield

    @contextlib.contextmanager
    def helper():
        yield from within()

    with t.instance(), helper(), t.span("inside"):
        pass
    assert parents(t)["inside"] == ["helper"]


async def test_a_span_that_ended_by_hand_is_no_parent_where_it_began(tracer):
    """Its block goes on, but the span is over; a task begun inside keeps it."""
    t = tracer()
    ended = asyncio.Event()

    async def task():
        await ended.wait()
        assert current_span() is not None
        with t.span("in task"):
            pass

    async with t.instance(), t.span("outer") as outer:
        with t.span("ended") as span, t.span("within"):
            running = asyncio.create_task(task())
            span.complete()
            ended.set()
            with t.span("below"):
                pass
            await running
        assert current_span() is outer
        with t.span("ended") as span:
            span.cancel()
            assert current_span() is outer
            with t.span("beside"):
                pass
    found = parents(t)
    assert found["below"] == ["within"]
    assert found["beside"] == ["outer"]
    assert found["in task"] == ["within"]


async def test_a_task_that_outlives_its_parent_keeps_it(tracer):
    """The child begins long after the parent ended, and is sent as its child."""
    t = tracer()
    go = asyncio.Event()

    async def later():
        await go.wait()
        with t.span("child"):
            pass

    async with t.instance() as run:
        async with t.span("parent"):
            task = asyncio.create_task(later())
        t.flush(5)
        go.set()
        await task
    assert parents(t)["child"] == ["parent"]
    assert {span["agent_instance_id"] for span in t.spans()} == {run.id}


@pytest.mark.parametrize("how", ["gather", "as_completed", "TaskGroup"])
async def test_concurrent_siblings_are_siblings(tracer, how):
    """Fifty coroutines at once are fifty children of one parent."""
    t = tracer()
    if how == "TaskGroup" and sys.version_info < (3, 11):
        pytest.skip("Python 3.11 brought it")

    async def work():
        async with t.span("child"):
            await asyncio.sleep(0)
            with t.span("grandchild"):
                await asyncio.sleep(0)

    async with t.instance(), t.span("parent"):
        if how == "gather":
            await asyncio.gather(*(work() for _ in range(50)))
        elif how == "as_completed":
            for one in asyncio.as_completed([work() for _ in range(50)]):
                await one
        else:
            async with asyncio.TaskGroup() as group:
                for _ in range(50):
                    group.create_task(work())
    assert parents(t) == {
        "parent": [None],
        "child": ["parent"] * 50,
        "grandchild": ["child"] * 50,
    }


def run_in_thread(function):
    """Run a function in a bare thread, and wait for it."""
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def test_propagate_carries_the_span_into_threads(tracer):
    """Functions, bound methods, partials and coroutine functions; the thread's own is put back."""
    t = tracer()

    def work(n=0):
        with t.span("work"):
            return n

    class Tool:
        def use(self):
            work()

        def __call__(self):
            work()

    async def later():
        await asyncio.sleep(0)
        work()

    def steps():
        work()
        yield
        work()

    with t.instance(), concurrent.futures.ThreadPoolExecutor(1) as pool:
        with t.span("submitting"):
            carried = propagate(work)
            assert carried.__name__ == "work"
            assert pool.submit(carried, 3).result() == 3
            pool.submit(propagate(Tool().use)).result()
            pool.submit(propagate(Tool())).result()
            pool.submit(propagate(functools.partial(work, 1))).result()
            pool.submit(asyncio.run, propagate(later)()).result()
            pool.submit(list, propagate(steps)()).result()
        assert pool.submit(current_instance).result() is None
        assert pool.submit(carried).result() == 0  # after the span has ended
    assert parents(t)["work"] == ["submitting"] * 8


async def test_to_thread_and_callbacks_know_their_span(tracer):
    """Where Python copies the context there is nothing to do."""
    t = tracer()
    done = asyncio.Event()

    def work():
        with t.span("work"):
            pass

    async with t.instance(), t.span("outer"):
        await asyncio.to_thread(work)
        asyncio.get_running_loop().call_soon(lambda: (work(), done.set()))
        await done.wait()
    assert parents(t)["work"] == ["outer"] * 2


def test_a_bare_thread_joins_the_only_open_run(tracer, caplog):
    """At its top, and one line for each call site says how to keep the parent."""
    t = tracer()

    def work():
        for _ in range(3):
            with t.span("work"):
                pass

    with t.instance() as run, t.span("outer"):
        run_in_thread(work)
        run_in_thread(work)
    spans = [span for span in t.spans() if span["schema_name"] == "work"]
    assert [span["agent_instance_id"] for span in spans] == [run.id] * 6
    assert parents(t)["work"] == [None] * 6
    lines = [record.getMessage() for record in caplog.records if "propagate" in record.message]
    assert len(lines) == 1
    assert "test_contexts.py:" in lines[0]


def test_a_bare_thread_among_several_runs_joins_none(tracer):
    """It cannot know which is meant: the process's own instance takes its spans."""
    t = tracer()

    def work():
        with t.span("work"):
            pass

    with t.instance() as one, t.instance() as two:
        run_in_thread(work)
    run_in_thread(work)
    owners = {span["agent_instance_id"] for span in t.spans()}
    assert len(owners) == 1
    assert not owners & {one.id, two.id}


def test_the_given_parent_wins(tracer):
    """Over the current span; and another tracer's span is no parent unless it is given."""
    t, other = tracer(), tracer()
    with t.instance(), t.span("first") as first, t.span("second"):
        with t.span("given", parent=first):
            pass
        with other.instance(), other.span("theirs"), t.span("ours"):
            pass
    found = parents(t)
    assert (found["given"], found["ours"]) == (["first"], ["second"])
    assert parents(other) == {"theirs": [None]}


def test_root_is_the_top_of_the_run(tracer):
    """Whatever span the code is in; outside of any run it is the top of the ambient one."""
    t = tracer()
    with t.instance() as run, t.span("outer"):
        with t.span("top", parent=ROOT):
            pass
        t.start_span("top", parent=ROOT).complete()
    t.span("top", parent=ROOT).__enter__().complete()
    tops = [span for span in t.spans() if span["schema_name"] == "top"]
    assert [span.get("parent_span_id") for span in tops] == [None] * 3
    assert [span["agent_instance_id"] == run.id for span in tops] == [True, True, False]


async def test_untraced_code_leaves_nothing(tracer):
    """No span and no instance, sync and async, in its tasks, whatever parent is given."""
    t = tracer()

    async def work():
        with t.span("never"):
            pass

    async with t.instance() as run, t.span("outer") as outer:
        with untraced():
            assert (current_span(), current_instance()) == (None, None)
            with t.span("never", parent=outer), t.instance(), t.span("never"):
                pass
            t.start_span("never", parent=ROOT).complete()
            await asyncio.create_task(work())
        async with untraced():
            await work()
        assert (current_span(), current_instance()) == (outer, run)
    t.flush(5)
    assert parents(t) == {"outer": [None]}
    assert len(t.items("register")) == 1


def test_three_loops_one_after_the_other(tracer):
    """And one in a thread: nothing is bound to a loop."""
    t = tracer()

    async def main():
        async with t.span("step"):
            await asyncio.sleep(0)

    with t.instance():
        for _ in range(3):
            asyncio.run(main())
        run_in_thread(propagate(lambda: asyncio.run(main())))
    assert parents(t) == {"step": [None] * 4}


async def test_a_chain_of_tasks_does_not_grow(tracer):
    """Each starts the next inside of its span: those that have arrived are let go."""
    t = tracer()
    alive = []

    async def step(left):
        if left % 100 == 0:
            await asyncio.to_thread(t.flush, 10)
            t.transport.requests.clear()
            gc.collect()
            alive.append(sum(type(one).__name__ == "Span" for one in gc.get_objects()))
        with t.span("step"):
            return asyncio.create_task(step(left - 1)) if left else None

    with t.instance():
        task = asyncio.create_task(step(1_500))
        while task is not None:
            task = await task
    assert max(alive) - alive[0] < 300


def test_memory_is_flat_over_many_spans(tracer):
    """What has arrived is forgotten."""
    t = tracer()

    def many(n):
        for _ in range(n):
            with t.span("step"):
                pass
        t.flush(10)
        t.transport.requests.clear()
        gc.collect()

    with t.instance():
        tracemalloc.start()
        try:
            many(20_000)  # whose keys the delivery remembers for a while
            before = tracemalloc.get_traced_memory()[0]
            many(20_000)
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    assert grown < 1_000_000  # 50 bytes a span


@pytest.mark.timeout(30)
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer signals")
def test_spans_in_finalisers_signals_log_handlers_and_traces(tracer):
    """Code that runs in the middle of other code, while another thread flushes: no deadlock."""
    t = tracer()
    stop, handled = threading.Event(), []

    def step(name):
        with t.span(name) as span:
            _ = span.id

    # No cycle: up to Python 3.11 a collection may run inside of `ContextVar.set`, which the
    # interpreter does not survive when a finaliser sets one too.
    class Dying:
        def __del__(self):
            step("finaliser")

    class Tracing(logging.Handler):
        def emit(self, record):
            step("handler")

    def flush():
        while not stop.is_set():
            t.flush(5)

    logger, handler = logging.getLogger("shapes.deadlock"), Tracing()
    logger.addHandler(handler)
    thread = threading.Thread(target=flush)
    thread.start()

    def on_signal(*_):
        handled.append(1)
        step("signal")

    before = signal.signal(signal.SIGALRM, on_signal)
    tracing = sys.gettrace()
    try:
        with t.instance():
            signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
            sys.settrace(lambda *_: step("trace") if len(handled) % 50 == 49 else None)
            while len(handled) < 100:
                Dying()
                logger.warning("x")
                step("plain")
    finally:
        sys.settrace(tracing)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        logger.removeHandler(handler)
        stop.set()
        thread.join()
    gc.collect()
    names = {span["schema_name"] for span in t.spans()}
    assert {"plain", "handler", "signal", "finaliser"} <= names


def test_log_records_say_their_span(tracer):
    """Through an opt-in filter; empty outside of any span."""
    t = tracer()
    records = []

    class Keep(logging.Handler):
        def emit(self, record):
            records.append((record.prefactor_span_id, record.prefactor_instance_id))

    handler, logger = Keep(), logging.getLogger("shapes.filter")
    handler.addFilter(SpanLogFilter())
    logger.addHandler(handler)
    try:
        logger.warning("outside")
        with t.instance() as run:
            logger.warning("in the run")
            with t.span("step") as span:
                logger.warning("in the span")
    finally:
        logger.removeHandler(handler)
    assert records == [("", ""), ("", run.id), (span.id, run.id)]
    assert json.dumps(records)


def test_a_span_entered_in_a_copied_context_stays_there(tracer):
    """The context that it was copied from knows nothing of it."""
    t = tracer()
    with t.instance(), t.span("outer") as outer:
        copied = contextvars.copy_context()
        inner = t.span("inner")
        copied.run(inner.__enter__)
        assert current_span() is outer
        assert copied.run(current_span) is inner
        copied.run(inner.__exit__, None, None, None)
        assert copied.run(current_span) is outer
