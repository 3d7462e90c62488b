"""How tasks are cancelled."""

import asyncio
import concurrent.futures

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
