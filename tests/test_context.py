"""Which span and instance the running code is in."""

import asyncio
import contextvars

from prefactor_trace import current_instance, current_span


def test_outside_of_everything_there_is_nothing():
    """Code that nobody traces is in no span and no instance."""
    assert current_span() is None
    assert current_instance() is None


def test_blocks_set_and_put_back(tracer):
    """Inside a block it is current, after it the one around it is."""
    t = tracer()
    with t.instance() as run:
        assert (current_span(), current_instance()) == (None, run)
        with t.span("a") as outer:
            with t.span("b") as inner:
                assert (current_span(), current_instance()) == (inner, run)
            assert current_span() is outer
        assert current_span() is None
    assert current_instance() is None


def test_an_inner_instance_hides_the_span_around_it(tracer):
    """A run inside of a run begins at its own top."""
    t = tracer()
    with t.instance(), t.span("around") as around:
        with t.instance() as inner:
            assert (current_span(), current_instance()) == (None, inner)
        assert current_span() is around


def test_an_exception_puts_back_too(tracer):
    """However a block is left, the context is as before."""
    t = tracer()
    try:
        with t.instance(), t.span("a"):
            raise KeyError
    except KeyError:
        pass
    assert (current_span(), current_instance()) == (None, None)


def test_a_started_span_does_not_become_current(tracer):
    """It is ended elsewhere, so it cannot stand for this code."""
    t = tracer()
    with t.instance():
        span = t.start_span("callback")
        assert current_span() is None
        span.complete()


async def test_tasks_do_not_see_each_other(tracer):
    """Each task has a context of its own, begun as a copy of where it was made."""
    t = tracer()
    inside = asyncio.Barrier(2) if hasattr(asyncio, "Barrier") else None

    async def step(name: str) -> None:
        async with t.span(name) as span:
            if inside is not None:
                await inside.wait()
            await asyncio.sleep(0)
            assert current_span() is span

    with t.instance():
        await asyncio.gather(step("a"), step("b"))
        assert current_span() is None


def test_a_block_that_ends_in_another_context_leaves_that_one_alone(tracer):
    """A generator closed from elsewhere must not take away what is current there."""
    t = tracer()

    def steps():
        with t.span("in a generator"):
            yield

    generator = steps()
    with t.instance():
        contextvars.copy_context().run(next, generator)
        with t.span("elsewhere") as elsewhere:
            generator.close()
            assert current_span() is elsewhere
