"""Tests of timing single operations, and of the operations without a tracer."""

import asyncio
import inspect

import pytest

from benchmarks.shapes import FOUND, as_json, bare, call, search
from benchmarks.tasks.timing import percentile, timed


@pytest.fixture
def loop():
    """An event loop for coroutines."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def test_operations_are_timed_one_by_one_or_together(loop):
    """There are as many times as asked for; each is shared by the operations within it."""
    done = []
    times = timed(lambda: done.append(1), 3, loop, inner=4)
    assert len(times) == 3
    assert len(done) == 12
    assert all(time > 0 for time in times)


def test_coroutines_are_awaited(loop):
    """An async operation runs on the loop."""
    done = []

    async def operation() -> None:
        done.append(asyncio.get_running_loop())

    assert len(timed(operation, 3, loop)) == 3
    assert done == [loop] * 3


def test_percentiles():
    """The value that so many do not exceed, the largest at most."""
    values = [float(value) for value in range(1000)]
    assert percentile(values, 0.5) == 500
    assert percentile(values, 0.999) == percentile(values, 1.0) == 999
    assert percentile([7.0], 0.999) == 7


def test_what_is_taken_off_is_the_same_without_a_tracer():
    """A block is nothing, a decorated function its call, a coroutine a coroutine."""

    async def operation() -> None:
        pass

    assert inspect.iscoroutinefunction(bare("async", operation))
    assert not inspect.iscoroutinefunction(bare("block", call(search)))
    assert bare("off_decorated", call(search)).__qualname__ == call(search).__qualname__


def test_the_decorator_that_users_write_captures():
    """It has the arguments by name and the result, both as JSON."""
    seen = []

    class Block:
        def __init__(self, arguments: dict[str, str]) -> None:
            seen.append(arguments)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    decorated = as_json(Block, lambda _, result: seen.append(result))(search)
    assert decorated("a", k=2) == FOUND
    assert seen == [{"query": '"a"', "k": "2"}, '["parcel #1", "parcel #2", "parcel #3"]']
