"""Carrying the context to where Python does not."""

import contextvars
import functools
import inspect
import pickle

import pytest
from shapes import picklable

from prefactor_trace import current_span, propagate, untraced
from prefactor_trace._context import current
from prefactor_trace.exceptions import UsageError


def elsewhere(function, *args):
    """Return what a function returns in a context that knows no run, which stays so."""

    def call():
        result = function(*args)
        assert current.get() is None
        return result

    return contextvars.Context().run(call)


def here(*args):
    """Return the span that the code is in."""
    del args
    return current_span()


def test_there_may_be_nothing_to_carry():
    """Outside of any run the function stays what it is."""
    assert propagate(here) is here


def test_each_kind_of_function_stays_of_its_kind(tracer):
    """For whoever asks before calling it."""

    async def later():
        return here()

    def steps():
        yield here()

    with tracer().instance():
        assert inspect.iscoroutinefunction(propagate(later))
        assert propagate(steps).__wrapped__ is steps
        assert propagate(functools.partial(here, 1)).__wrapped__.func is here
        assert propagate(here).__doc__ == here.__doc__


async def test_a_coroutine_and_an_async_generator_run_in_the_span(tracer):
    """Also after the span has been left; what awaits them is not in it."""

    async def later():
        return here()

    async def steps():
        yield here()

    t = tracer()
    with t.instance(), t.span("outer") as outer:
        carried, carried_steps = propagate(later), propagate(steps)
    with untraced():
        assert await carried() is outer
        assert [span async for span in carried_steps()] == [outer]
        assert here() is None


def test_each_call_puts_back_what_was_there(tracer):
    """Also where the function raises."""

    def fail():
        raise LookupError

    t = tracer()
    with t.instance(), t.span("outer") as outer:
        carried = propagate(fail)
        assert elsewhere(propagate(here), 1, 2) is outer
        with t.span("inner") as inner:
            with pytest.raises(LookupError):
                carried()
            assert here() is inner


def test_untraced_code_is_carried_too(tracer):
    """What is begun in it is not recorded in another thread either."""
    t = tracer()

    def work():
        with t.span("never") as span:
            return span.instance_id

    with t.instance(), untraced():
        carried = propagate(work)
    assert elsewhere(carried) is None
    assert t.spans() == []


def test_no_keyword_is_taken_from_the_function(tracer):
    """Whatever it is called."""
    t = tracer()
    with t.instance():
        given = propagate(lambda **given: given)(self=1, function=2, node=3)
    assert given == {"self": 1, "function": 2, "node": 3}


@pytest.mark.parametrize("wrong", [None, 3, "work"])
def test_what_cannot_be_called_is_refused(wrong):
    """A result in place of the function is the usual mistake."""
    message = rf"propagate\(work\), got {type(wrong).__name__}"
    with pytest.raises(UsageError, match=message):
        propagate(wrong)


def test_a_tracer_of_its_own_does_not_travel(tracer):
    """What belongs to one says what to do instead when it is pickled."""
    t = tracer()
    with t.instance():
        carried = propagate(here)
    with pytest.raises(UsageError, match="inject"):
        pickle.dumps(carried)


def test_pickled_it_attaches_where_it_is_called(default_tracer):
    """Also in this process, which knows the run."""
    t = default_tracer()
    with t.instance() as run, t.span("outer") as outer:
        carried = pickle.loads(pickle.dumps(propagate(picklable.place)))
        assert elsewhere(carried) == (run.id, outer.id)


def test_a_function_that_lost_its_decorator_on_the_way_is_named(
    default_tracer, caplog: pytest.LogCaptureFixture
):
    """Engines send those of the main script by value, and only what was decorated arrives."""
    cloudpickle = pytest.importorskip("cloudpickle")
    t = default_tracer()

    def look_up() -> int:
        return 7

    look_up.__module__ = "__main__"
    for function, warned in ((look_up, False), (t.span("tool_call")(look_up), True)):
        with t.instance():
            sent = cloudpickle.dumps(propagate(function))
        assert cloudpickle.loads(sent)() == 7
        assert ("look_up was sent here by value, without its decorator" in caplog.text) is warned
