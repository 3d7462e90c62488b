"""How tasks are cancelled."""

import asyncio
import builtins
import concurrent.futures
import importlib
import types

import anyio
import pytest
import trio

from prefactor_trace._cancellation import is_cancellation


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_cancels_a_task_is_a_cancellation(backend):
    """As anyio raises it on each of its backends."""
    caught: list[BaseException] = []

    async def work() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            try:
                await anyio.sleep_forever()
            except BaseException as error:
                caught.append(error)
                raise

    anyio.run(work, backend=backend)
    assert [is_cancellation(error) for error in caught] == [True]


def test_a_class_derived_from_one_is_one_too():
    """Libraries raise their own."""

    class Stopped(asyncio.CancelledError):
        pass

    assert is_cancellation(Stopped())


def test_a_greenlet_that_is_killed_is_cancelled():
    """As gevent and eventlet do it; greenlets themselves are not needed to see that."""
    killed = type("GreenletExit", (BaseException,), {"__module__": "greenlet"})
    assert is_cancellation(killed())


def test_nothing_else_is_a_cancellation():
    """Not a timeout, not a future that was given up, not a namesake."""
    namesake = type("CancelledError", (Exception,), {"__module__": "agent"})
    others = [
        TimeoutError(),
        KeyboardInterrupt(),
        GeneratorExit(),
        concurrent.futures.CancelledError(),
        trio.TooSlowError(),
        namesake(),
    ]
    assert [is_cancellation(error) for error in others] == [False] * len(others)


def test_a_group_of_cancellations_is_one():
    """As a nursery of trio's raises it; not where anything else went wrong beside them."""
    group = getattr(builtins, "BaseExceptionGroup", None)
    group = group or importlib.import_module("exceptiongroup").BaseExceptionGroup
    cancelled = asyncio.CancelledError()
    assert is_cancellation(group("g", [cancelled, group("inner", [cancelled])]))
    assert not is_cancellation(group("g", [cancelled, ValueError()]))
    caught: list[BaseException] = []

    async def work() -> None:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                nursery.start_soon(trio.sleep_forever)
        except BaseException as error:
            caught.append(error)
            raise

    async def main() -> None:
        with trio.move_on_after(0):
            await work()

    trio.run(main)
    assert [is_cancellation(error) for error in caught] == [True]


def test_a_coroutine_that_is_closed_is_cancelled_and_a_generator_is_not():
    """Whoever reads a generator may have had enough; a coroutine never comes to its result."""
    caught = []

    def note(error):
        caught.append(is_cancellation(error))

    def generator():
        try:
            yield
        except BaseException as error:
            note(error)
            raise

    @types.coroutine
    def rest():
        yield

    async def resting():
        try:
            await rest()
        except BaseException as error:
            note(error)
            raise

    one = resting()
    one.send(None)
    one.close()
    other = generator()
    next(other)
    other.close()
    assert caught == [True, False]


def _group_of(*errors):
    group = getattr(builtins, "BaseExceptionGroup", None)
    group = group or importlib.import_module("exceptiongroup").BaseExceptionGroup
    return group("group", errors)


def test_groups_may_be_deeper_than_the_stack():
    """Tasks of tasks have a stack each, and what they raise comes up in groups of groups."""
    cancelled, failed = asyncio.CancelledError(), ValueError()
    for _ in range(5_000):
        cancelled, failed = _group_of(cancelled), _group_of(failed)
    assert is_cancellation(cancelled)
    assert not is_cancellation(failed)


def test_an_error_in_many_groups_is_looked_at_once():
    """Or it would take for ever: each level doubles the ways that lead to it."""
    error = asyncio.CancelledError()
    for _ in range(100):
        error = _group_of(error, error)
    assert is_cancellation(error)
    assert not is_cancellation(_group_of(error, ValueError()))


def test_a_metaclass_is_not_asked():
    """What it raises would come out of the agent's block, in place of the error itself."""

    class Guarded(type):
        def __getattribute__(cls, name):
            raise AssertionError

    class Strange(Exception, metaclass=Guarded):
        pass

    assert not is_cancellation(Strange())
