"""What a call of a decorated function records, and what it leaves as it is."""

import asyncio
import inspect
import traceback
from collections.abc import Coroutine

import pytest

from prefactor_trace import current_instance, current_span, flushed, propagate


def test_arguments_are_the_payload_and_the_result_is_the_result(tracer):
    """By name, with defaults, however they were given."""
    t = tracer()

    @t.span("search")
    def search(query: str, k: int = 5, *more: str, flag: bool = False, **rest: int) -> list[str]:
        return [query] * 2

    with t.instance():
        assert search("a") == ["a", "a"]
        search(k=1, query="b")
        search("c", 2, "d", flag=True, x=1)
    payloads = [span["payload"] for span in t.spans()]
    assert payloads == [
        {"query": "a", "k": 5, "flag": False},
        {"query": "b", "k": 1, "flag": False},
        {"query": "c", "k": 2, "flag": True, "more": ["d"], "x": 1},
    ]
    assert t.spans()[0]["result_payload"] == {"result": ["a", "a"]}


async def test_a_coroutine_function_stays_one(tracer):
    """Its span lasts until it has returned."""
    t = tracer()

    @t.span
    async def search(query: str) -> dict[str, str]:
        await asyncio.sleep(0)
        assert current_span() is not None
        return {"found": query}

    assert inspect.iscoroutinefunction(search)
    async with t.instance():
        assert await search("a") == {"found": "a"}
    assert t.one()["result_payload"] == {"found": "a"}


def test_methods_do_not_record_their_object(tracer):
    """Plain, static and class methods, with the decorator above or below."""
    t = tracer()

    class Tools:
        @t.span("method")
        def method(self, n: int) -> int:
            return n

        @t.span("static above")
        @staticmethod
        def static_above(n: int) -> int:
            return n

        @staticmethod
        @t.span("static below")
        def static_below(n: int) -> int:
            return n

        @t.span("class above")
        @classmethod
        def class_above(cls, n: int) -> int:
            assert cls is Tools
            return n

        @classmethod
        @t.span("class below")
        def class_below(cls, n: int) -> int:
            assert cls is Tools
            return n

    tools = Tools()
    with t.instance():
        results = [
            tools.method(1),
            Tools.method(tools, 2),
            *(owner.static_above(3) for owner in (tools, Tools)),
            *(owner.static_below(4) for owner in (tools, Tools)),
            *(owner.class_above(5) for owner in (tools, Tools)),
            *(owner.class_below(6) for owner in (tools, Tools)),
        ]
    assert results == [1, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    assert [span["payload"] for span in t.spans()] == [{"n": n} for n in results]


async def test_an_object_that_is_called_with_await_ends_when_it_has_returned(tracer):
    """The coroutine is what it does, not what it returns."""
    t = tracer()

    class Tool:
        async def __call__(self, n: int) -> int:
            await asyncio.sleep(0)
            return n

    with t.instance():
        assert await t.span("tool")(Tool())(1) == 1
    assert t.one()["result_payload"] == {"result": 1}


def test_an_exception_goes_through_as_it_is(tracer):
    """The same object, and the span has failed."""
    t, error = tracer(), KeyError("key")

    @t.span("step")
    def step() -> None:
        raise error

    with pytest.raises(KeyError) as caught, t.instance():
        step()
    assert caught.value is error
    assert t.one()["status"] == "failed"


@pytest.mark.parametrize("is_on", [True, False])
def test_frames_between_the_caller_and_the_function_are_hidden(tracer, is_on):
    """Each says so itself, as notebooks, debuggers and pytest ask it."""
    t = tracer(enabled=is_on)

    def fail(error: Exception) -> None:
        raise error

    async def fail_async(error: Exception) -> None:
        raise error

    def fail_later(error: Exception):
        yield fail(error)

    async def fail_later_async(error: Exception):
        yield fail(error)

    async def read(function, error: Exception) -> None:
        async for _ in function(error):
            pass

    def fail_in_the_end(error: Exception) -> Coroutine[None, None, None]:
        return fail_async(error)

    def hidden(error: BaseException) -> list[bool]:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        ours = [one for one in frames if one.f_globals["__name__"].startswith("prefactor_trace.")]
        return ["__tracebackhide__" in frame.f_locals for frame in ours]

    with t.instance():
        for call in (
            t.span(fail),
            propagate(t.span(fail)),
            flushed(t.span(fail)),
            lambda error: asyncio.run(t.span(fail_async)(error)),
            lambda error: asyncio.run(flushed(t.span(fail_async))(error)),
            lambda error: asyncio.run(t.span(fail_in_the_end)(error)),
            lambda error: list(t.span(fail_later)(error)),
            lambda error: list(flushed(t.span(fail_later))(error)),
            lambda error: asyncio.run(read(t.span(fail_later_async), error)),
        ):
            with pytest.raises(LookupError) as caught:
                call(LookupError())
            assert all(hidden(caught.value))
            assert hidden(caught.value) or not is_on


def test_a_result_set_inside_wins(tracer):
    """The body knows better what came out than its return value."""
    t = tracer()

    @t.span("step")
    def step() -> str:
        span = current_span()
        assert span is not None
        span.set_result({"tokens": 1})
        return "text"

    with t.instance():
        assert step() == "text"
    assert t.one()["result_payload"] == {"tokens": 1}


def test_nothing_is_captured_where_it_is_switched_off(tracer):
    """What the decorator says wins over the setting."""
    t = tracer(capture_inputs=False, capture_outputs=False)

    def step(n: int) -> int:
        return n

    with t.instance():
        t.span("setting")(step)(1)
        t.span("said", capture_input=True, capture_output=True)(step)(1)
    setting, said = t.spans()
    assert (setting["payload"], setting.get("result_payload")) == ({}, None)
    assert (said["payload"], said["result_payload"]) == ({"n": 1}, {"result": 1})


def test_a_wrong_call_is_the_functions_own_error(tracer):
    """The message is Python's, as without tracing."""
    t = tracer()

    @t.span("step")
    def step(n: int) -> None: ...

    with t.instance(), pytest.raises(TypeError, match="missing 1 required"):
        step()  # type: ignore[call-arg]
    assert t.one()["status"] == "failed"


async def test_each_call_is_an_instance(tracer):
    """With and without parentheses, plain and coroutine functions."""
    t = tracer()

    @t.instance
    def plain() -> str:
        run = current_instance()
        assert run is not None
        return run.id

    @t.instance("agent", version="2")
    async def later() -> str:
        await asyncio.sleep(0)
        run = current_instance()
        assert run is not None
        return run.id

    ids = [plain(), plain(), await later()]
    registered = t.items("register")
    assert [item["id"] for item in registered] == ids
    assert len(set(ids)) == 3
    assert registered[2]["agent_id"] == "agent"
    assert [item["status"] for item in t.items("agent_instances/finish")] == ["complete"] * 3


async def test_off_functions_only_run(tracer):
    """No span, no instance, no request."""
    t = tracer(enabled=False)

    @t.instance
    async def run() -> int:
        assert current_instance() is None
        return step(1)

    @t.span
    def step(n: int) -> int:
        assert current_span() is None
        return n

    assert await run() == 1
    assert t.transport.requests == []


class Unhashable(type):
    """A metaclass whose classes can be neither compared nor looked up."""

    def __eq__(cls, other: object) -> bool:
        raise AssertionError("it was compared")

    __hash__ = None  # type: ignore[assignment]


def test_what_is_returned_may_be_of_any_class(tracer):
    """It is handed on, and recorded as far as it can be."""
    t = tracer()
    one = Unhashable("Odd", (), {"__module__": "odd"})()

    @t.span("give")
    def give(given):
        assert given is one
        return one

    with t.instance():
        assert give(one) is one
        assert current_span() is None
    span = t.one("give")
    assert span["payload"] == {"given": {"type": "odd.Odd"}}
    assert span["result_payload"] == {"type": "odd.Odd"}
