"""What a plain function returns that goes on after it."""

import asyncio
import concurrent.futures
import contextlib
import inspect

import pytest

from prefactor_trace import current_span
from prefactor_trace._lasting import outlast
from prefactor_trace._output import Output


def keep(span, result):
    """Take what comes out as the result."""
    span.set_result(result)


def no_output():
    """Take no items."""
    return Output(None, wanted=False)


def handed_out(span, result):
    """Return what is handed out in place of `result`."""
    return outlast(span, result, no_output, keep)


def test_what_is_finished_is_left_alone(tracer):
    """The span goes on, for the function itself to end."""
    t = tracer()
    span = t.start_span("step")
    for result in (object(), iter([]), range(3), contextlib.nullcontext()):
        assert handed_out(span, result) is None
    assert span.status == "active"
    span.complete()


async def test_a_coroutine_is_awaited_inside_of_the_span(tracer):
    """What takes its place has its name, and the span its result."""

    async def work():
        return current_span()

    t = tracer()
    span = t.start_span("step")
    coroutine = handed_out(span, work())
    assert coroutine.__qualname__ == work.__qualname__
    assert (span.status, current_span()) == ("active", None)
    assert await coroutine is span
    assert (span.status, current_span()) == ("complete", None)


async def test_a_coroutine_that_raises_fails_the_span(tracer):
    """And what it raises goes on as it is."""
    wrong = KeyError("wrong")

    async def work():
        raise wrong

    span = tracer().start_span("step")
    with pytest.raises(KeyError) as caught:
        await handed_out(span, work())
    assert caught.value is wrong
    assert (span.status, current_span()) == ("failed", None)


async def test_what_was_stepped_before_is_someone_elses(tracer):
    """Its work was begun outside of the function."""

    def steps():
        yield 1
        yield 2

    class Once:
        def __await__(self):
            yield

    async def work():
        await Once()

    span = tracer().start_span("step")
    generator, coroutine = steps(), work()
    next(generator)
    coroutine.send(None)
    assert handed_out(span, generator) is None
    assert handed_out(span, coroutine) is None
    assert (list(generator), inspect.getcoroutinestate(coroutine)) == ([2], "CORO_SUSPENDED")
    coroutine.close()
    span.complete()


@pytest.mark.parametrize("end", ["complete", "failed", "cancelled"])
async def test_the_span_ends_as_the_future_does(tracer, end):
    """The future itself is handed out."""
    span = tracer().start_span("step")
    future = asyncio.get_running_loop().create_future()
    assert handed_out(span, future) is future
    assert span.status == "active"
    if end == "complete":
        future.set_result(7)
    elif end == "failed":
        future.set_exception(KeyError())
    else:
        future.cancel()
    await asyncio.wait([future])
    assert span.status == end
    if end == "failed":
        assert isinstance(future.exception(), KeyError)


def test_a_future_that_cannot_be_awaited_is_a_value(tracer):
    """That of a thread pool is handed on as it is, to be asked by whoever holds it."""
    span = tracer().start_span("step")
    future = concurrent.futures.Future()
    assert handed_out(span, future) is None
    future.set_result(1)
    assert span.status == "active"
    span.complete()


def test_a_block_runs_inside_of_the_span(tracer):
    """One that contextlib made of a generator; the span ends where the block does."""
    inside = []

    @contextlib.contextmanager
    def block():
        inside.append(current_span())
        yield 5

    span = tracer().start_span("step")
    made = block()
    assert handed_out(span, made) is made
    with made as value:
        assert (value, span.status) == (5, "active")
    assert (inside, span.status) == ([span], "complete")


def test_a_coroutine_that_nobody_awaits_ends_with_its_last_reference(tracer):
    """Its span was given up: it does not stay open until the process ends."""

    async def work():
        pass

    t = tracer()
    span = t.start_span("step")
    result = work()
    coroutine = handed_out(span, result)
    result.close()
    coroutine.close()
    del coroutine
    assert span.status == "cancelled"
