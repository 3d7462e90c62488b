"""Times of single operations, plain or async."""

from __future__ import annotations

import asyncio
import inspect
from time import perf_counter_ns

from benchmarks.shapes import Operation

_WARM_NS = 5_000_000


def timed(
    operation: Operation, count: int, loop: asyncio.AbstractEventLoop, inner: int = 1
) -> list[float]:
    """Return the nanoseconds that each of `count` operations took.

    Args:
        operation: Plain, or a coroutine function.
        count: How many times are taken.
        loop: Event loop for coroutines.
        inner: Operations within one time, which is divided by it: what takes no longer than a
            reading of the clock cannot be timed alone.
    """
    if inspect.iscoroutinefunction(operation):
        return loop.run_until_complete(_timed_async(operation, count, inner))
    times = []
    for _ in range(count):
        begin = perf_counter_ns()
        for _ in range(inner):
            operation()
        times.append((perf_counter_ns() - begin) / inner)
    return times


async def _timed_async(operation: Operation, count: int, inner: int) -> list[float]:
    times = []
    for _ in range(count):
        begin = perf_counter_ns()
        for _ in range(inner):
            await operation()
        times.append((perf_counter_ns() - begin) / inner)
    return times


def warm_processor() -> None:
    """Work for a few milliseconds: a processor that has just waited is slow at first.

    A series of a tracer that takes a microsecond would be over before it has woken up, while that
    of a tracer that takes fifty would hardly notice.
    """
    until = perf_counter_ns() + _WARM_NS
    while perf_counter_ns() < until:
        sum(range(1_000))


def percentiles(times: list[float]) -> dict[str, float]:
    """Return what is reported of times: their median, their slow ones, the slowest."""
    return {"p50": percentile(times, 0.5), "p99.9": percentile(times, 0.999), "max": max(times)}


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
