"""Stalls: what the agent notices while 50,000 spans are drained behind it.

The sink holds its answers back until so many spans wait; then it lets go, and what the agent does
meanwhile is timed: one span after another, the turns of an event loop, and plain work.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from benchmarks.sink import Tally, hold, release
from benchmarks.tasks.delivered import settle, wait_for
from benchmarks.tasks.timing import percentile, timed
from benchmarks.tracers.tracer import Tracer

ROOMY = True
"""Buffers that hold fewer spans by themselves are made larger."""

_SPANS = 50_000
_PAUSE = 0.0002

IsOver = Callable[[], bool]


def measure(tracer: Tracer, tally: Tally, size: float) -> dict[str, Any]:
    """Return the percentiles in ns of each thing that is timed, idle and while draining."""
    operation = tracer.operations()["data"]
    spans = round(_SPANS * size)
    with tracer.run():
        timed(operation, 400, tracer.loop)
    tracer.flush()
    found: dict[str, Any] = {}
    for name, watch in (("span", _spans), ("loop", _loop), ("work", _work)):
        until = time.monotonic() + size
        idle = watch(tracer, lambda until=until: time.monotonic() > until)  # type: ignore[misc]
        tracer.flush()
        aim = _fill(tracer, tally, spans)
        began = time.monotonic()
        draining = watch(tracer, lambda aim=aim: tally.read().spans >= aim)  # type: ignore[misc]
        found[name] = {
            "idle": _percentiles(idle),
            "draining": _percentiles(draining),
            "seconds": time.monotonic() - began,
        }
        tracer.flush()
    return found


def _fill(tracer: Tracer, tally: Tally, spans: int) -> int:
    """Have the buffer filled, then drained from now on; return at which count it is empty."""
    before = settle(tally)
    hold(tracer.url)
    operation = tracer.operations()["data"]
    for _ in range(spans // 500):
        with tracer.run():
            timed(operation, 500, tracer.loop)
    release(tracer.url)
    wait_for(tally, before + 1)
    return before + spans


def _spans(tracer: Tracer, is_over: IsOver) -> list[float]:
    """Time spans, with a little waiting between them."""
    operation = tracer.operations()["data"]
    times: list[float] = []
    with tracer.run():
        while not is_over():
            times += timed(operation, 10, tracer.loop)
            time.sleep(_PAUSE)
    return times


def _loop(tracer: Tracer, is_over: IsOver) -> list[float]:
    """Time how late the turns of an event loop are."""

    async def turns() -> list[float]:
        times = []
        while not is_over():
            due = perf_counter_ns() + 1_000_000
            await asyncio.sleep(0.001)
            times.append(float(max(0, perf_counter_ns() - due)))
        return times

    return tracer.loop.run_until_complete(turns())


def _work(tracer: Tracer, is_over: IsOver) -> list[float]:
    """Time pieces of plain work, which never wait by themselves."""

    def piece() -> int:
        return sum(range(2_000))

    times: list[float] = []
    while not is_over():
        times += timed(piece, 10, tracer.loop)
    return times


def _percentiles(times: list[float]) -> dict[str, float]:
    return {"p50": percentile(times, 0.5), "p99.9": percentile(times, 0.999), "max": max(times)}
