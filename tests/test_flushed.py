"""Functions after which everything has arrived."""

import pytest

import prefactor_trace as prefactor
from prefactor_trace import flushed
from prefactor_trace.exceptions import UsageError


def names(tracer):
    """Return the names of the spans that have arrived by now: nothing here flushes."""
    creates = [item for item in tracer.transport.items if item["_type"] == "agent_spans/create"]
    return [item["details"]["schema_name"] for item in creates]


def test_all_has_arrived_when_it_returns(default_tracer):
    """Without any other flush; what the function returns is what the caller gets."""
    traced = default_tracer(flush_interval=3600)

    @flushed
    @prefactor.instance("handler")
    def handle(event):
        with prefactor.span("step"):
            return event * 2

    assert handle(21) == 42
    assert names(traced) == ["step"]
    assert handle.__name__ == "handle"


def test_all_has_arrived_when_it_raises(default_tracer):
    """The exception is the function's own."""
    traced = default_tracer(flush_interval=3600)

    @flushed
    def handle():
        with prefactor.span("step"):
            raise LookupError("nothing")

    with pytest.raises(LookupError, match="nothing"):
        handle()
    assert names(traced) == ["step"]


async def test_coroutine_functions(default_tracer):
    """The same in an event loop."""
    traced = default_tracer(flush_interval=3600)

    @flushed
    async def handle(event):
        async with prefactor.span("step"):
            return event

    assert await handle("event") == "event"
    assert names(traced) == ["step"]


async def test_objects_that_are_awaited_when_called(default_tracer):
    """They are told from those that are not by what their class says."""
    traced = default_tracer(flush_interval=3600)

    class Handler:
        async def __call__(self, event):
            async with prefactor.span("step"):
                return event

    assert await flushed(Handler())("event") == "event"
    assert names(traced) == ["step"]


def test_generator_functions(default_tracer):
    """When the last item was given, not when the first was asked for."""
    traced = default_tracer(flush_interval=3600)

    @flushed
    def handle(event):
        with prefactor.span("step"):
            got = yield event
        return got

    handled = handle("event")
    assert (next(handled), names(traced)) == ("event", [])
    with pytest.raises(StopIteration) as stopped:
        handled.send("sent")
    assert stopped.value.value == "sent"
    assert names(traced) == ["step"]


def test_async_generator_functions_are_told_what_to_do():
    """Where they are decorated."""

    async def handle():
        yield 1

    with pytest.raises(UsageError, match=r"handle: end it with `await prefactor_trace\.aflush"):
        flushed(handle)


@pytest.mark.parametrize("value", [int, None, "handle"])
def test_what_is_no_function_is_refused(value):
    """Where it is decorated, not where it is called."""
    with pytest.raises(UsageError, match="@flushed decorates functions"):
        flushed(value)
