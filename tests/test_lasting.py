"""What a plain function returns that goes on after it."""

import asyncio
import concurrent.futures
import contextlib
import gc
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

    class Awaitable:
        def __await__(self):
            yield

    class Generates:
        gen = iter([])

    t = tracer()
    span = t.start_span("step")
    plain = (object(), iter([]), range(3), contextlib.nullcontext(), Awaitable(), Generates())
    for result in plain:
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


async def test_an_async_generator_runs_inside_of_the_span(tracer):
    """What takes its place has its name, and the span its items."""

    async def steps():
        yield current_span()
        yield 2

    span = tracer().start_span("step")
    generator = handed_out(span, steps())
    assert generator.__qualname__ == steps.__qualname__
    assert (span.status, current_span()) == ("active", None)
    assert [item async for item in generator] == [span, 2]
    assert (span.status, current_span()) == ("complete", None)


@pytest.mark.parametrize("is_over", [False, True])
async def test_an_async_generator_that_was_stepped_before_is_someone_elses(tracer, is_over):
    """Also while it is in the midst of a step."""
    go_on, makes_more = asyncio.Event(), asyncio.Event()

    async def steps():
        yield 1
        makes_more.set()
        await go_on.wait()
        yield 2

    span, generator = tracer().start_span("step"), steps()
    assert await generator.__anext__() == 1
    assert handed_out(span, generator) is None
    step = asyncio.ensure_future(generator.__anext__())
    await makes_more.wait()
    assert handed_out(span, generator) is None
    go_on.set()
    assert await step == 2
    if is_over:
        await generator.aclose()
        assert handed_out(span, generator) is None
    assert [item async for item in generator] == []
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


@pytest.mark.expects_fault
async def test_a_result_that_cannot_be_kept_is_none_of_the_loops_business(tracer):
    """A callback that raised would be reported as the agent's mistake."""
    loop, reported = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    span, future = tracer().start_span("step"), loop.create_future()
    outlast(span, future, no_output, lambda span, result: 1 / 0)
    future.set_result(1)
    await asyncio.sleep(0)
    assert await future == 1
    assert reported == []


@pytest.mark.expects_fault
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
async def test_a_coroutine_that_nobody_awaits_makes_no_noise(capsys):
    """A fault of ours at its end goes to our log."""

    async def work():
        pass

    class Node:
        def _end(self, status):
            raise RuntimeError

    result = work()
    coroutine = handed_out(Node(), result)
    result.close()
    coroutine.close()
    del coroutine
    assert capsys.readouterr().err == ""


def _generator():
    yield 1


async def _async_generator():
    yield 1


@contextlib.contextmanager
def _block():
    yield


@pytest.mark.parametrize("make", [_generator, _async_generator, _block])
def test_what_nobody_reads_ends_with_its_last_reference(tracer, make):
    """As a stream that is left early; the run waits for it no longer."""
    span = tracer().start_span("step")
    handed = handed_out(span, make())
    assert span.status == "active"
    del handed
    gc.collect()
    assert (span.status, span._result["closed_early"]) == ("complete", True)


def test_what_is_read_in_part_ends_with_what_it_gave(tracer):
    """Its last reference closes it, and that tells."""
    span = tracer().start_span("step")
    generator = outlast(span, _generator(), lambda: Output(None, wanted=True), keep)
    assert next(generator) == 1
    del generator
    gc.collect()
    assert (span.status, span._result) == ("complete", {"result": [1], "closed_early": True})


@pytest.mark.expects_fault
def test_what_nobody_reads_makes_no_noise(capsys):
    """A fault of ours at its end goes to our log."""

    class Node:
        _status = "active"

        def _end_with(self, error):
            raise RuntimeError

    handed = handed_out(Node(), _generator())
    del handed
    gc.collect()
    assert capsys.readouterr().err == ""


def test_a_metaclass_is_not_asked_what_a_result_is(tracer):
    """What it raises would come out of the agent's own call."""

    class Register(type):
        def __getattr__(cls, name):
            raise KeyError(name)

    class Entry(metaclass=Register):
        pass

    t, entry = tracer(), Entry()
    assert t.span("step")(lambda: entry)() is entry
    assert t.one()["status"] == "complete"
