"""Generators as spans: what the program sees is what it saw, and the span is the whole run."""

import asyncio
import contextlib
import contextvars
import gc
import inspect
import json
import logging
import threading
import time
import tracemalloc
import weakref

import pytest
from shapes.trees import parents

from prefactor_trace import current_instance, current_span, untraced
from prefactor_trace._output import Output
from prefactor_trace.exceptions import UsageError


def talk(log):
    """Take part in every call that a generator's protocol has."""
    got = yield "first"
    try:
        while got != "stop":
            log.append(got)
            try:
                got = yield ("got", got)
            except KeyError as error:
                log.append(("caught", repr(error.__context__)))
                got = yield "recovered"
            except ZeroDivisionError:
                raise LookupError("other") from None
        return "returned"
    finally:
        log.append("closed")


async def talk_async(log):
    """Take part in every call that an async generator's protocol has."""
    got = yield "first"
    try:
        while got != "stop":
            await asyncio.sleep(0)
            log.append(got)
            try:
                got = yield ("got", got)
            except KeyError as error:
                log.append(("caught", repr(error.__context__)))
                got = yield "recovered"
            except ZeroDivisionError:
                raise LookupError("other") from None
    finally:
        await asyncio.sleep(0)
        log.append("closed")


CALLS = [
    [("send", None), ("send", 1), ("send", 2), ("send", "stop"), ("send", None)],
    [("send", 1)],
    [("send", None), ("throw", KeyError("k"))],
    [("send", None), ("send", 1), ("throw", KeyError("k")), ("send", 3), ("send", "stop")],
    [("send", None), ("send", 1), ("throw", ZeroDivisionError()), ("send", None)],
    [("send", None), ("send", 1), ("throw", ValueError("v")), ("send", None)],
    [("send", None), ("send", 1), ("throw", StopIteration(1))],
    [("send", None), ("send", 1), ("throw", GeneratorExit())],
    [("send", None), ("send", 1), ("close", None), ("send", None), ("close", None)],
    [("close", None), ("send", None)],
    [("throw", KeyError("k")), ("send", None)],
]


def seen(error: BaseException):
    """Return what a program can see of an exception."""
    causes = (repr(error.__cause__), repr(error.__context__), error.__suppress_context__)
    return type(error), str(error), getattr(error, "value", None), causes


def play(function, calls):
    """Return what each call gave or raised, and what the body noted."""
    log, given = [], []
    generator = function(log)
    for name, value in calls:
        method = getattr(generator, name)
        try:
            given.append(method() if name == "close" else method(value))
        except BaseException as error:
            given.append(seen(error))
    return given, log


async def play_async(function, calls):
    """Return what each call gave or raised, and what the body noted."""
    log, given = [], []
    generator = function(log)
    for name, value in calls:
        method = getattr(generator, {"close": "aclose"}.get(name, f"a{name}"))
        try:
            given.append(await (method() if name == "close" else method(value)))
        except BaseException as error:
            given.append(seen(error))
    return given, log


@pytest.mark.parametrize("calls", CALLS)
def test_every_call_of_the_protocol_gives_and_raises_the_same(tracer, calls):
    """`send`, `throw`, `close` and the returned value, against the plain generator."""
    t = tracer()
    with t.instance():
        assert play(t.span(talk), calls) == play(talk, calls)


@pytest.mark.parametrize("calls", CALLS)
async def test_every_call_of_the_async_protocol_gives_and_raises_the_same(tracer, calls):
    """`asend`, `athrow` and `aclose`, against the plain async generator."""
    t = tracer()
    with t.instance():
        assert await play_async(t.span(talk_async), calls) == await play_async(talk_async, calls)


def test_a_generator_that_refuses_to_close_says_so(tracer):
    """The interpreter's own complaint, as without tracing."""

    def stubborn():
        for n in range(2):
            with contextlib.suppress(GeneratorExit):
                yield n

    generator = tracer().span(stubborn)()
    next(generator)
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        generator.close()
    generator.close()


def test_a_decorated_generator_is_one_for_inspect(tracer):
    """The function and what it returns, with their names."""
    t = tracer()
    one, two = t.span(talk), t.span(talk_async)
    assert inspect.isgeneratorfunction(one)
    assert inspect.isasyncgenfunction(two)
    assert inspect.isgenerator(one([]))
    assert inspect.isasyncgen(two([]))
    assert (one([]).__name__, two([]).__qualname__) == ("talk", "talk_async")


def test_yield_from_a_decorated_generator_returns_its_value(tracer):
    """Delegation goes through the wrapper."""
    t = tracer()

    @t.span
    def inner():
        got = yield 1
        return got * 2

    def outer():
        return (yield from inner())

    generator = outer()
    next(generator)
    with pytest.raises(StopIteration) as stopped:
        generator.send(21)
    assert stopped.value.value == 42


@pytest.mark.parametrize("shape", ["generator", "async generator", "plain"])
async def test_the_span_lasts_from_the_first_step_to_the_last(tracer, shape):
    """Not only the making of the generator is timed."""
    t = tracer()
    walk = [0]

    def steps():
        for n in range(3):
            walk[0] = n
            yield n

    async def steps_async():
        for n in range(3):
            await asyncio.sleep(0)
            yield n

    def plain():
        return steps()

    function = {"generator": steps, "async generator": steps_async, "plain": plain}[shape]
    with t.instance():
        generator = t.span("steps")(function)()
        before = time.perf_counter_ns()
        if shape == "async generator":
            assert [item async for item in generator] == [0, 1, 2]
        else:
            for _ in generator:
                time.sleep(0.002)
        elapsed = time.perf_counter_ns() - before
    span = t.one("steps")
    assert span["result_payload"] == {"result": [0, 1, 2]}
    assert span["status"] == "complete"
    if shape != "async generator":
        assert duration_ns(span) >= 4_000_000
    assert duration_ns(span) <= elapsed + 1_000_000 or shape == "plain"


def duration_ns(span) -> int:
    """Return how long a span lasted."""
    from datetime import datetime

    ends = [datetime.fromisoformat(span[key][:-1]) for key in ("started_at", "finished_at")]
    return round((ends[1] - ends[0]).total_seconds() * 1e9)


def test_what_reads_a_generator_is_not_inside_it(tracer):
    """Spans of the consumer stand beside it, spans of its body below it."""
    t = tracer()

    @t.span("steps")
    def steps():
        for n in range(2):
            with t.span("inside"):
                yield n
        t.start_span("last").complete()

    with t.instance(), t.span("outer"):
        for _ in steps():
            with t.span("consume"):
                pass
    assert parents(t) == {
        "outer": [None],
        "steps": ["outer"],
        "inside": ["steps", "steps"],
        "consume": ["outer", "outer"],
        "last": ["steps"],
    }


async def test_what_reads_an_async_generator_is_not_inside_it(tracer):
    """The same with `async for`, and with tasks that the body begins."""
    t = tracer()

    async def work():
        with t.span("work"):
            await asyncio.sleep(0)

    @t.span("steps")
    async def steps():
        for n in range(2):
            async with t.span("inside"):
                await asyncio.create_task(work())
                yield n

    async with t.instance(), t.span("outer"):
        async for _ in steps():
            with t.span("consume"):
                await asyncio.sleep(0)
    assert parents(t) == {
        "outer": [None],
        "steps": ["outer"],
        "inside": ["steps", "steps"],
        "work": ["inside", "inside"],
        "consume": ["outer", "outer"],
    }


def test_leaving_a_stream_early_is_no_error(tracer):
    """`break` after two of five: complete, with what was given and a mark."""
    t = tracer()

    @t.span("steps")
    def steps():
        yield from "abcde"

    with t.instance():
        for item in steps():
            if item == "b":
                break
        gc.collect()
    span = t.one("steps")
    assert span["status"] == "complete"
    assert span["result_payload"] == {"result": ["a", "b"], "closed_early": True}


async def test_leaving_an_async_stream_early_is_no_error(tracer):
    """Closed by whoever reads it."""
    t = tracer()

    @t.span("steps")
    async def steps():
        for item in "abcde":
            yield item

    async with t.instance(), contextlib.aclosing(steps()) as reading:
        async for item in reading:
            if item == "b":
                break
    span = t.one("steps")
    assert span["status"] == "complete"
    assert span["result_payload"] == {"result": ["a", "b"], "closed_early": True}


async def test_a_generator_that_is_never_read_is_no_span(tracer):
    """Made and dropped: nothing ran, nothing is recorded."""
    t = tracer()
    with t.instance():
        t.span(talk)([])
        t.span(talk_async)([])
        gc.collect()
    assert t.spans() == []


def test_a_generator_that_is_dropped_ends_then(tracer, caplog):
    """At its finalisation, with what it gave, and in silence."""
    t = tracer()

    @t.span("steps")
    def steps():
        yield 1
        yield 2

    with t.instance():
        generator = steps()
        next(generator)
        del generator
        gc.collect()
        assert current_span() is None
    assert t.one("steps")["result_payload"] == {"result": [1], "closed_early": True}
    assert caplog.records == []


async def test_a_cancelled_reader_ends_the_span_at_once(tracer):
    """As cancelled, though the generator is still referenced."""
    t = tracer()
    begun = asyncio.Event()

    @t.span("steps")
    async def steps():
        yield 1
        begun.set()
        await asyncio.sleep(60)

    with t.instance():
        generator = steps()

        async def read():
            async for _ in generator:
                pass

        task = asyncio.create_task(read())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        span = t.one("steps")
        assert span["status"] == "cancelled"
        assert span["result_payload"] == {"result": [1]}
        await generator.aclose()


def test_an_abandoned_async_generator_ends_without_a_sound(tracer, caplog):
    """Dropped, or alive when the loop shuts down: nothing logged, nothing raised, one span each."""
    t = tracer()
    kept = []

    @t.span("decorated")
    async def decorated():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)

    async def undecorated():
        async with t.span("block"):
            yield 1
            yield 2

    async def main():
        with t.instance():
            with t.span("outer"):
                for make in (decorated, undecorated):
                    dropped, held = make(), make()
                    await dropped.__anext__()
                    await held.__anext__()
                    kept.append(held)
                    del dropped
                gc.collect()
                with t.span("after"):
                    pass
            await asyncio.sleep(0)
            await asyncio.get_running_loop().shutdown_asyncgens()

    with caplog.at_level(logging.DEBUG):
        asyncio.run(main())
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    spans = t.spans()
    assert sorted(span["schema_name"] for span in spans) == (
        ["after", "block", "block", "decorated", "decorated", "outer"]
    )
    assert {span["status"] for span in spans} == {"complete"}
    assert parents(t)["after"] == ["outer"]


async def test_steps_run_in_the_readers_own_task_and_context(tracer):
    """Task, thread and every other context variable are those of whoever reads."""
    t = tracer()
    var = contextvars.ContextVar("var", default=0)
    tasks = []

    @t.span
    async def steps():
        tasks.append((asyncio.current_task(), threading.get_ident()))
        var.set(1)
        yield
        tasks.append((asyncio.current_task(), threading.get_ident()))
        var.set(2)

    @t.span
    def function():
        var.set(3)

    with t.instance():
        generator = steps()
        await generator.__anext__()
        assert var.get() == 1
        var.set(7)
        assert [item async for item in generator] == []
        assert var.get() == 2
        function()
        assert var.get() == 3
    assert set(tasks) == {(asyncio.current_task(), threading.get_ident())}


async def test_a_timeout_inside_of_an_async_generator_works(tracer):
    """The body is cancelled where it waits, across its yields."""
    t = tracer()

    @t.span("steps")
    async def steps():
        yield 1
        await asyncio.wait_for(asyncio.sleep(60), 0.01)
        yield 2

    with t.instance(), pytest.raises(asyncio.TimeoutError):
        async for _ in steps():
            pass
    span = t.one("steps")
    assert (span["status"], span["result_payload"]["result"]) == ("failed", [1])


def test_an_exception_of_the_body_fails_the_span(tracer):
    """The same object goes on, and what was given before is kept."""
    t, error = tracer(), KeyError("k")

    @t.span("steps")
    def steps():
        yield 1
        raise error

    with t.instance(), pytest.raises(KeyError) as caught:
        list(steps())
    assert caught.value is error
    result = t.one("steps")["result_payload"]
    assert (result["result"], result["error_type"]) == ([1], "KeyError")


def test_a_long_stream_shows_head_tail_and_count(tracer):
    """What lies between is not kept."""
    t = tracer()

    @t.span("steps")
    def steps():
        yield from range(1000)

    with t.instance():
        assert sum(steps()) == 499500
    assert t.one("steps")["result_payload"] == {
        "head": list(range(16)),
        "tail": list(range(984, 1000)),
        "count": 1000,
        "prefactor.truncated": True,
    }


@pytest.mark.parametrize("chunk", [100, 1_000_000])
def test_a_huge_stream_takes_little_memory(tracer, chunk):
    """A gigabyte in large chunks, and a million small ones' worth: less than 2 MB are kept."""
    t = tracer()
    count = 1_000 if chunk > 1_000 else 20_000

    @t.span("steps")
    def steps():
        for n in range(count):
            yield bytes([n % 256]) * chunk
            yield f"{n:01000d}" * (chunk // 1000)

    with t.instance():
        generator = steps()
        next(generator)
        tracemalloc.start()
        try:
            for _ in generator:
                pass
            del _
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert kept < 2_000_000
    assert t.one("steps")["result_payload"]["count"] == 2 * count


def test_reduce_makes_the_result(tracer):
    """From all items, also of a stream that was left early."""
    t = tracer()

    @t.span("steps", reduce="".join)
    def steps(n):
        yield from "abc" * n

    with t.instance():
        list(steps(20))
        for _ in steps(1):
            break
    whole, part = (span["result_payload"] for span in t.spans())
    assert whole == {"result": "abc" * 20}
    assert part == {"result": "a", "closed_early": True}


def test_a_reduce_that_fails_costs_only_the_result(tracer):
    """The stream goes on, and the result says what is missing."""
    t = tracer()

    @t.span("steps", reduce=lambda items: 1 / 0)
    def steps():
        yield 1

    with t.instance():
        assert list(steps()) == [1]
    result = t.one("steps")["result_payload"]
    assert result == {"prefactor.reason": "reduce raised ZeroDivisionError", "count": 1}


def test_returned_value_and_result_of_the_body(tracer):
    """What is returned stands beside the items; what the body sets stands alone."""
    t = tracer()

    @t.span("returns")
    def returns():
        yield 1
        return "end"

    @t.span("sets")
    def sets():
        yield 1
        span = current_span()
        assert span is not None
        span.set_result({"tokens": 2})

    with t.instance():
        list(returns())
        list(sets())
    results = {span["schema_name"]: span["result_payload"] for span in t.spans()}
    assert results == {"returns": {"result": [1], "return": "end"}, "sets": {"tokens": 2}}


def test_arguments_are_those_of_the_call(tracer):
    """Not those that the list holds when the first item is asked for."""
    t = tracer()

    @t.span("steps")
    def steps(items):
        yield from list(items)

    with t.instance():
        items = [1, 2]
        generator = steps(items)
        items.clear()
        assert list(generator) == []
    assert t.one("steps")["payload"] == {"items": [1, 2]}


def test_a_wrong_call_raises_when_it_is_made(tracer):
    """As without tracing, and it is no span."""
    t = tracer()
    with t.instance(), pytest.raises(TypeError, match="missing 1 required"):
        t.span(talk)()
    assert t.spans() == []


async def test_each_run_of_a_generator_can_be_an_instance(tracer):
    """It is the current one in the body alone."""
    t = tracer()

    @t.instance
    def run():
        yield current_instance()

    @t.instance
    async def run_later():
        yield current_instance()

    for one in run():
        assert one is not None
        assert current_instance() is None
    async for one in run_later():
        assert one is not None
        assert current_instance() is None
    assert [item["status"] for item in t.items("agent_instances/finish")] == ["complete"] * 2


def test_off_generators_are_the_plain_ones(tracer):
    """No wrapper at all."""
    generator = tracer(enabled=False).span(talk)([])
    assert generator.gi_code is talk.__code__


class AsyncNumbers:
    """An async iterator that is no generator, such as a client's stream."""

    def __init__(self):
        self.left, self.is_closed = [1, 2, 3], False

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)

    async def aclose(self):
        """Note that it was closed."""
        self.is_closed = True


async def test_a_stream_made_elsewhere_keeps_its_parent(tracer):
    """That of its making, though another task or thread reads it when that has ended."""
    t = tracer()
    with t.instance():
        with t.span("handler"):
            stream = t.trace_stream(AsyncNumbers(), "body", {"path": "/"})
            plain = t.trace_stream(iter("ab"))

        async def read():
            return [item async for item in stream]

        context = contextvars.Context()
        assert await context.run(asyncio.create_task, read()) == [1, 2, 3]
        read_there = []
        thread = threading.Thread(target=lambda: read_there.extend(plain))
        thread.start()
        thread.join()
        assert read_there == ["a", "b"]
    found = parents(t)
    assert (found["body"], found["stream"]) == (["handler"], ["handler"])
    bodies = {span["schema_name"]: span for span in t.spans()}
    assert bodies["body"]["payload"] == {"path": "/"}
    assert bodies["body"]["result_payload"] == {"result": [1, 2, 3]}


async def test_a_stream_that_is_left_closes_what_it_reads(tracer):
    """As `yield from` would."""
    t, numbers = tracer(), AsyncNumbers()
    with t.instance():
        stream = t.trace_stream(numbers, reduce=sum)
        await stream.__anext__()
        await stream.aclose()
    assert numbers.is_closed
    assert t.one("stream")["result_payload"] == {"result": 1, "closed_early": True}


def test_a_stream_of_nothing_is_refused(tracer):
    """The message names what would be right."""
    with pytest.raises(UsageError, match="takes an iterator or an async iterator, got int"):
        tracer().trace_stream(7)


@pytest.mark.parametrize("enabled", [True, False])
def test_a_list_can_be_streamed(tracer, enabled):
    """Anything that can be iterated over, with tracing on or off."""
    t = tracer(enabled=enabled)
    with t.instance():
        assert list(t.trace_stream([1, 2])) == [1, 2]


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_stream_can_be_closed_and_is_checked_whether_it_is_recorded_or_not(tracer, enabled):
    """A program that was tried without tracing runs with it."""
    t, numbers = tracer(enabled=enabled), AsyncNumbers()
    with t.instance():
        stream = t.trace_stream(iter([1, 2]))
        assert next(stream) == 1
        stream.close()
        assert list(stream) == []
        async_stream = t.trace_stream(numbers)
        assert await async_stream.__anext__() == 1
        await async_stream.aclose()
        assert numbers.is_closed
        for wrong in ((iter([]), ""), (iter([]), "stream", 7)):
            with pytest.raises(UsageError):
                t.trace_stream(*wrong)


def test_context_managers_of_decorated_generators_are_blocks(tracer):
    """Exceptions reach the body, and the code in the block is inside of the span."""
    t = tracer()
    log = []

    @contextlib.contextmanager
    @t.span("block")
    def below(n):
        try:
            yield n
        except KeyError as error:
            log.append(error)

    @t.span("above")
    @contextlib.contextmanager
    def above(n):
        yield n

    error = KeyError("k")
    with t.instance():
        with below(1) as got:
            assert got == 1
            with t.span("in below"):
                raise error
        with above(2) as got:
            assert got == 2
            with t.span("in above"):
                pass
        with pytest.raises(ValueError, match="v"), above(2):
            raise ValueError("v")
        assert current_span() is None
    assert log == [error]
    found = parents(t)
    assert (found["in below"], found["in above"]) == (["block"], ["above"])
    assert [span["status"] for span in t.spans() if span["schema_name"] == "above"] == (
        ["complete", "failed"]
    )


def test_a_context_manager_as_a_decorator_is_a_span_for_each_call(tracer):
    """Made once, put on a function, and run around each call of that."""
    t = tracer()

    @t.span("around")
    @contextlib.contextmanager
    def around(n):
        yield n

    @around(3)
    def work():
        with t.span("inside"):
            pass

    with t.instance():
        assert t.flush(10).delivered == 0
        work()
        work()
    assert parents(t) == {"around": [None, None], "inside": ["around", "around"]}
    assert {span["status"] for span in t.spans()} == {"complete"}
    assert {json.dumps(s["payload"]) for s in t.spans() if s["schema_name"] == "around"} == {
        '{"n": 3}'
    }


async def test_async_context_managers_of_decorated_generators_are_blocks(tracer):
    """The same with `asynccontextmanager`, in an exit stack too."""
    t = tracer()

    @contextlib.asynccontextmanager
    @t.span("block")
    async def below():
        await asyncio.sleep(0)
        yield

    @t.span("above")
    @contextlib.asynccontextmanager
    async def above():
        yield

    async with t.instance():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(below())
            await stack.enter_async_context(above())
            await stack.enter_async_context(t.span("within"))
        assert current_span() is None
    assert parents(t) == {"block": [None], "above": ["block"], "within": ["above"]}


def test_a_generator_from_elsewhere_is_left_to_its_owner(tracer):
    """A plain function that hands back a generator that is in use does not close it."""
    t = tracer()

    @t.span
    def skip_one(lines):
        next(lines)
        return lines

    lines = iter(["a", "b", "c"][n] for n in range(3))
    with t.instance():
        skip_one(lines)
        gc.collect()
        assert list(lines) == ["b", "c"]


async def test_what_a_plain_function_returns_to_be_awaited_is_timed(tracer):
    """A coroutine, and a task, which stays the task that it is."""
    t = tracer()

    async def work(n):
        await asyncio.sleep(0)
        with t.span("inside"):
            pass
        return n

    @t.span("coroutine")
    def later(n):
        return work(n)

    @t.span("task")
    def task(n):
        return asyncio.ensure_future(work(n))

    with t.instance():
        assert await later(1) == 1
        running = task(2)
        assert isinstance(running, asyncio.Task)
        assert await running == 2
        stopped = task(3)
        await asyncio.sleep(0)
        stopped.cancel()
        await asyncio.gather(stopped, return_exceptions=True)
        await asyncio.sleep(0)
    spans = [span for span in t.spans() if span["schema_name"] != "inside"]
    assert [(span["status"], span.get("result_payload")) for span in spans] == [
        ("complete", {"result": 1}),
        ("complete", {"result": 2}),
        ("cancelled", None),
    ]
    assert parents(t)["inside"] == ["coroutine", "task"]


async def test_a_decorated_async_generator_in_a_circle_is_closed_as_others_are(tracer):
    """By its event loop, which waits for what it awaits; not by the garbage collector."""
    t, log = tracer(), []

    class Holder:
        pass

    @t.span("numbers")
    async def numbers():
        try:
            yield 1
        finally:
            log.append("closing")
            await asyncio.sleep(0)
            log.append("closed")
            closed.set()

    with t.instance():
        closed = asyncio.Event()
        holder = Holder()
        holder.own, holder.numbers = holder, numbers()
        assert await holder.numbers.__anext__() == 1
        del holder
        gc.collect()
        await asyncio.wait_for(closed.wait(), 20)
    assert log == ["closing", "closed"]
    assert t.one("numbers")["result_payload"] == {"result": [1], "closed_early": True}


@pytest.mark.parametrize("begins", ["in its run", "after its run"])
def test_a_stream_goes_on_when_its_run_has_ended(tracer, begins):
    """What its body records is in it, wherever it is read."""
    t = tracer()

    def body():
        for number in range(3):
            with t.span("step", {"n": number}):
                pass
            yield number

    with t.instance() as run:
        stream = t.trace_stream(body())
        if begins == "in its run":
            next(stream)
    with t.instance(), t.span("reader"):
        rest = list(stream)
    assert rest[-1] == 2
    (outer,) = [span for span in t.spans() if span["schema_name"] == "stream"]
    steps = [span for span in t.spans() if span["schema_name"] == "step"]
    assert {span["parent_span_id"] for span in steps} == {outer["id"]}
    assert {span["agent_instance_id"] for span in [outer, *steps]} == {run.id}
    assert len(steps) == 3


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_block_goes_on_in_the_next_step(tracer, is_async):
    """What begins in there is inside of it, and what comes after it is not."""
    t = tracer()

    @t.span("steps")
    def steps():
        with t.span("block"):
            yield 1
            t.start_span("inside").complete()
        t.start_span("after").complete()

    @t.span("steps")
    async def async_steps():
        async with t.span("block"):
            yield 1
            t.start_span("inside").complete()
        t.start_span("after").complete()

    with t.instance():
        if is_async:
            assert [item async for item in async_steps()] == [1]
        else:
            assert list(steps()) == [1]
    found = parents(t)
    assert (found["inside"], found["after"]) == (["block"], ["steps"])


def test_the_body_of_what_is_not_recorded_is_where_its_reader_is(tracer):
    """Nothing in there is recorded either."""
    t = tracer()

    @t.span("steps")
    def steps():
        for n in range(2):
            with t.span("inside"):
                yield n

    with t.instance():
        with untraced():
            assert list(steps()) == [0, 1]
        with t.span("after"):
            pass
    assert parents(t) == {"after": [None]}


class Thing:
    """Something large."""


def kept_by(things):
    """Return which of some weakly held things are still there, without a collection."""
    return [at for at, thing in enumerate(things) if thing() is not None]


def test_a_stream_that_is_not_recorded_keeps_none_of_its_items(tracer):
    """Though its span would have been made from all of them."""
    t, things = tracer(), []

    def make():
        thing = Thing()
        things.append(weakref.ref(thing))
        return thing

    @t.span("steps", reduce=len)
    def steps():
        for _ in range(3):
            yield make()

    with t.instance(), untraced():
        for _ in steps():
            del _
            assert kept_by(things[:-1]) == []


@pytest.mark.parametrize("is_async", [False, True])
async def test_what_goes_in_and_out_is_let_go_of(tracer, is_async):
    """An item while the next is made, and what is sent as soon as the body has done with it."""
    t, items, sent = tracer(), [], []

    def make(things):
        thing = Thing()
        things.append(weakref.ref(thing))
        return thing

    @t.span("steps")
    def steps():
        for _ in range(3):
            yield make(items)
            assert kept_by(items) == []

    @t.span("steps")
    async def async_steps():
        for _ in range(3):
            yield make(items)
            assert kept_by(items) == []

    with t.instance():
        if is_async:
            reading = async_steps()
            await reading.asend(None)
            for _ in range(2):
                await reading.asend(make(sent))
                assert kept_by(sent) == []
            await reading.aclose()
        else:
            reading = steps()
            next(reading)
            for _ in range(2):
                reading.send(make(sent))
                assert kept_by(sent) == []
            reading.close()
    assert len(items) == 3


def test_an_error_of_the_body_keeps_no_items(tracer):
    """Somebody may hold it for long."""
    t, items = tracer(), []

    @t.span("steps", reduce=len)
    def steps():
        thing = Thing()
        items.append(weakref.ref(thing))
        yield thing
        del thing
        raise LookupError

    with t.instance():
        reading = steps()
        next(reading)
        with pytest.raises(LookupError) as caught:
            next(reading)
    assert caught.value.__traceback__ is not None
    assert kept_by(items) == []
    assert t.one("steps")["result_payload"]["result"] == 1


@pytest.mark.parametrize("fails", [False, True])
def test_a_span_that_has_ended_keeps_nothing_of_where_it_began(tracer, fails):
    """It may be held for long, as the parent of others."""
    t, setting, spans, things = tracer(), contextvars.ContextVar("setting"), [], []

    @t.span("steps")
    def steps():
        spans.append(current_span())
        yield 1
        if fails:
            raise LookupError

    def work():
        thing = Thing()
        things.append(weakref.ref(thing))
        setting.set(thing)
        with t.instance(), contextlib.suppress(LookupError):
            list(steps())

    contextvars.Context().run(work)
    assert t.flush(20)  # nobody is at work on them, or collects
    gc.collect()
    assert spans[0].status == ("failed" if fails else "complete")
    assert kept_by(things) == []


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_body_that_returns_when_it_is_closed_was_closed_early_too(tracer, is_async):
    """Whether it lets the exception out or not."""
    t = tracer()

    @t.span("steps")
    def steps():
        with contextlib.suppress(GeneratorExit):
            yield 1

    @t.span("steps")
    async def async_steps():
        with contextlib.suppress(GeneratorExit):
            yield 1

    with t.instance():
        if is_async:
            reading = async_steps()
            await reading.__anext__()
            await reading.aclose()
        else:
            reading = steps()
            next(reading)
            reading.close()
    span = t.one("steps")
    assert span["status"] == "complete"
    assert span["result_payload"] == {"result": [1], "closed_early": True}


def test_a_body_that_fails_when_it_is_closed_has_failed(tracer):
    """That is what its span tells."""
    t = tracer()

    @t.span("steps")
    def steps():
        try:
            yield 1
        finally:
            raise LookupError("cannot be closed")

    with t.instance():
        reading = steps()
        next(reading)
        with pytest.raises(LookupError):
            reading.close()
    span = t.one("steps")
    assert (span["status"], span["result_payload"]["message"]) == ("failed", "cannot be closed")
    assert "closed_early" not in span["result_payload"]


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_reader_is_where_it_was_when_the_body_has_failed(tracer, is_async):
    """And not inside of what is over."""
    t = tracer()

    @t.span("steps")
    def steps():
        yield 1
        raise LookupError

    @t.span("steps")
    async def async_steps():
        yield 1
        raise LookupError

    with t.instance(), t.span("reader") as reader:
        with pytest.raises(LookupError):
            _ = [item async for item in async_steps()] if is_async else list(steps())
        assert current_span() is reader


class Lines:
    """An iterator that is no generator, but can be closed."""

    def __init__(self) -> None:
        self.is_closed = False

    def __iter__(self):
        return self

    def __next__(self):
        return "line"

    def close(self):
        """Note that it was closed."""
        self.is_closed = True


def test_an_iterator_is_closed_with_its_stream_and_by_no_other_exception(tracer):
    """As `yield from` does it."""
    t, closed, failed = tracer(), Lines(), Lines()
    with t.instance():
        stream = t.trace_stream(closed)
        next(stream)
        stream.close()
        stream = t.trace_stream(failed)
        next(stream)
        with pytest.raises(LookupError):
            stream.throw(LookupError())
    assert (closed.is_closed, failed.is_closed) == (True, False)


async def test_an_async_iterator_is_closed_with_its_stream_alone(tracer):
    """If it can be closed at all."""
    t, numbers = tracer(), AsyncNumbers()

    class Endless:
        def __aiter__(self):
            return self

        async def __anext__(self):
            return 1

    with t.instance():
        stream = t.trace_stream(numbers)
        await stream.__anext__()
        with pytest.raises(LookupError):
            await stream.athrow(LookupError())
        stream = t.trace_stream(Endless())
        await stream.__anext__()
        await stream.aclose()
    assert not numbers.is_closed
    assert [span["status"] for span in t.spans()] == ["failed", "complete"]


@pytest.mark.expects_fault
def test_a_span_whose_items_cannot_be_kept_ends_as_others_do(tracer, monkeypatch):
    """A fault of ours costs the result, and not the stream."""
    t = tracer()

    def keep(*_given, **_more):
        raise RuntimeError

    monkeypatch.setattr(Output, "keep", keep)
    with t.instance():
        assert list(t.trace_stream(iter([1, 2]))) == [1, 2]
    assert t.one("stream")["status"] == "complete"
