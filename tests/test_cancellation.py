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
