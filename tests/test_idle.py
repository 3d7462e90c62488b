"""Spans that are not recorded: cheap, shared, and otherwise like any other."""

import contextlib
import inspect

import pytest

from prefactor_trace import ROOT, Span, current_span
from prefactor_trace._idle import _MOST_NAMES, Idle
from prefactor_trace.exceptions import UsageError


@pytest.fixture(params=["off", "not sampled"])
def quiet(request, tracer):
    """A tracer in whose current run nothing is recorded."""
    if request.param == "off":
        t = tracer(enabled=False)
        yield t
    else:
        t = tracer(sample_rate=0.0)
        with t.instance():
            yield t
    assert t.items() == []


def test_one_span_for_each_name(quiet):
    """Whoever asks for it, and whatever they do with it."""
    first, second = quiet.span("step"), quiet.span("step", {"a": 1})
    assert first is second
    assert isinstance(first, Idle)
    assert quiet.span("other") is not first


def test_it_does_nothing_and_keeps_nothing(quiet):
    """Its block is entered and left with any exception, and nothing that is said of it stays."""
    with quiet.span("step", {"a": 1}) as step:
        assert isinstance(step, Span)
        assert current_span() is None
        step.set_payload({"b": 2})
        step.set_result(3)
        step.fail("no")
        step.cancel()
        step.complete(4)
    with pytest.raises(KeyError), quiet.span("step") as again:
        raise KeyError
    assert again is step
    assert (step.status, step.parent_id, step.instance_id) == ("pending", None, None)
    assert step._payload is None
    assert step._result is None
    assert repr(step) == "<Span 'step' pending>"


async def test_as_an_async_block(quiet):
    """`async with` gives it too."""
    async with quiet.span("step") as step:
        assert isinstance(step, Idle)


def test_wrong_use_is_refused_all_the_same(quiet):
    """A programmer sees the mistake before tracing is switched on."""
    with pytest.raises(UsageError, match="must be a mapping"):
        quiet.span("step", [1])
    with pytest.raises(UsageError, match="set_payload takes"):
        quiet.span("step").set_payload(1)
    with pytest.raises(UsageError, match="schema_name"):
        quiet.span("")


def test_handles_and_streams(quiet):
    """What is not a block works too."""
    quiet.start_span("step").complete()
    assert list(quiet.trace_stream(iter([1, 2]))) == [1, 2]


def test_names_that_are_made_up_do_not_fill_the_memory(tracer):
    """Only so many are kept."""
    t = tracer(enabled=False)
    for number in range(3 * _MOST_NAMES):
        assert t.span(f"step {number}").schema_name == f"step {number}"
    assert len(t._idles) <= _MOST_NAMES


def test_a_decorator_made_while_off_records_when_on(tracer, default_tracer):
    """The function asks its home at each call."""
    t = default_tracer(enabled=False)

    @t.span("step")
    def work(n):
        return n

    assert work(1) == 1
    assert list(inspect.signature(work).parameters) == ["n"]
    t = default_tracer()
    with t.instance():
        assert work(2) == 2
    assert t.one()["payload"] == {"n": 2}


def test_a_decorator_made_in_a_run_that_is_not_sampled(tracer):
    """It records in the runs that are."""
    t = tracer(sample_rate=0.0)
    with t.instance():

        @t.span("step")
        def work():
            return current_span()

        assert work() is None
    t._settings = tracer()._settings
    with t.instance():
        assert work() is not None
        with t.span("step") as step:
            assert not isinstance(step, Idle)


def test_a_parent_that_is_given_counts(tracer):
    """In a run that is not sampled a span may be asked for in another one."""
    t = tracer()
    with t.instance() as kept:
        t._settings = tracer(sample_rate=0.0)._settings
        with t.instance(), t.span("step", parent=kept), t.span("top", parent=ROOT):
            pass
    assert {span["schema_name"] for span in t.spans()} == {"step", "top"}


@pytest.mark.parametrize("kind", [contextlib.ExitStack, contextlib.AsyncExitStack])
def test_stacks_enter_and_leave_it(tracer, kind):
    """A stack of contextlib calls what the class has, with the span."""
    span = tracer(enabled=False).span("step")
    stack = kind()
    assert stack.enter_context(span) is span
    stack.pop_all()


async def test_async_stacks_enter_and_leave_it(tracer):
    """The same, awaited."""
    span = tracer(enabled=False).span("step")
    async with contextlib.AsyncExitStack() as stack:
        assert await stack.enter_async_context(span) is span


def test_a_span_by_hand_is_shared_too(tracer):
    """Where nothing is recorded, it takes no more than a block, parent or not."""
    t = tracer(enabled=False)
    assert t.start_span("step") is t.span("step") is t.span("step", parent=ROOT)
